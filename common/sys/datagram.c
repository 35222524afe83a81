#include "sys/datagram.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

/* The address that NAME stands for, and its length: 0, or -1 and *E. */
static int make_address(struct sockaddr_un *to, socklen_t *len, const char *name, struct err *e)
{
	size_t n = strlen(name);

	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	if ((name[0] != '/' && name[0] != '@') || n < 2)
		return err_set(e, "neither a path nor @name: %s", name);
	if (n >= sizeof(to->sun_path))
		return err_set(e, "longer than a socket's name can be: %s", name);
	memcpy(to->sun_path, name, n);
	/* An abstract name begins with a NUL and has none at its end (unix(7)). */
	if (name[0] == '@')
		to->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/'));
	return 0;
}

int datagram_open(const char *name, struct err *e)
{
	const struct timeval patience = {1, 0};
	struct sockaddr_un to;
	socklen_t len = 0;
	int fd;

	if (make_address(&to, &len, name, e) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, errno, "no socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
		connect(fd, (const struct sockaddr *)&to, len) == 0)
		return fd;
	(void)err_errno(e, errno, "%s", name);
	(void)close(fd); /* nothing was sent */
	return -1;
}

int datagram_send(int fd, const void *bytes, size_t len, struct err *e)
{
	ssize_t n;

	do
		n = send(fd, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? 0 : err_errno(e, errno, "a message could not be sent");
}
