#include "sys/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

/* The address that NAME stands for, and its length: 0, or -1 and *E. */
static int make_address(struct sockaddr_un *to, socklen_t *len, const char *name, struct err *e)
{
	size_t n = strlen(name);

	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	if ((name[0] != '/' && name[0] != '@') || n < 2)
		return err_set(e, "NOTIFY_SOCKET is neither a path nor @name: %s", name);
	if (n >= sizeof(to->sun_path))
		return err_set(e, "NOTIFY_SOCKET is longer than a socket's name can be");
	memcpy(to->sun_path, name, n);
	/* An abstract name begins with a NUL and has none at its end (unix(7)). */
	if (name[0] == '@')
		to->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/'));
	return 0;
}

int notify_send(const char *text, struct err *e)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t len = 0;
	ssize_t n;
	int fd, fault;

	if (name == NULL || *name == '\0')
		return 0;
	if (make_address(&to, &len, name, e) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "no socket");
	n = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
	fault = errno;
	(void)close(fd); /* what was sent is sent */
	return n >= 0 ? 1 : err_errno(e, fault, "NOTIFY_SOCKET %s", name);
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
