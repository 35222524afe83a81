/* The other end of datagram sockets for tests: whoever listens at /dev/log. */
#ifndef MODELGATE_TESTS_RECEIVER_H
#define MODELGATE_TESTS_RECEIVER_H

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

/* Listen at NAME: a path, or "@" and an abstract name.  The descriptor. */
static inline int receiver_open(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || n >= sizeof(at.sun_path))
		fail_msg("no socket %s", name);
	memcpy(at.sun_path, name, n);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	else
		(void)unlink(name); /* of one that is away */
	if (bind(fd, (const struct sockaddr *)&at,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0)
		fail_msg("cannot listen at %s", name);
	return fd;
}

/* Add all messages that are there to OUT, each ended by a newline.  Their number. */
static inline int receiver_read(int fd, struct str *out)
{
	char message[16384];
	ssize_t len;
	int n = 0;

	for (; (len = recv(fd, message, sizeof(message), MSG_DONTWAIT)) >= 0; n++) {
		str_addn(out, message, (size_t)len);
		str_addc(out, '\n');
	}
	return n;
}

/* A process that reads N messages from FD, of which it takes ten a second. */
static inline pid_t receiver_slow(int fd, int n)
{
	const struct timespec pause = {0, 100 * 1000 * 1000};
	char message[16384];
	pid_t pid = fork();

	if (pid < 0)
		fail_msg("cannot fork");
	if (pid > 0)
		return pid;
	for (; n > 0 && recv(fd, message, sizeof(message), 0) >= 0; n--)
		(void)nanosleep(&pause, NULL);
	_exit(n > 0);
}

/* It has read them all. */
static inline void receiver_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail_msg("not all was read");
}

#endif
