#include "sys/notify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/datagram.h"

int notify_send(const char *text, struct err *e)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int fd, status;

	if (name == NULL || *name == '\0')
		return 0;
	fd = datagram_open(name, e);
	status = fd < 0 ? -1 : datagram_send(fd, text, strlen(text), e);
	if (fd >= 0)
		(void)close(fd); /* what was sent is sent */
	return status == 0 ? 1 : err_wrap(e, "NOTIFY_SOCKET");
}

/* 1: the environment's NAME is a number from 0 to MAX, in *OUT; else 0. */
static int read_number(const char *name, long long max, long long *out)
{
	const char *text = getenv(name);

	return text != NULL && str_number(text, max, out) == 0;
}

int64_t notify_watchdog(void)
{
	long long microseconds, pid;

	if (getenv("WATCHDOG_PID") != NULL &&
		(!read_number("WATCHDOG_PID", INT32_MAX, &pid) || pid != (long long)getpid()))
		return 0;
	return read_number("WATCHDOG_USEC", INT64_MAX, &microseconds) ? microseconds : 0;
}
