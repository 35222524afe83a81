#define _GNU_SOURCE /* strcasestr */
#include "scripted.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "sys/files.h"

static _Noreturn void die(const char *what)
{
	perror(what);
	abort();
}

void scripted_init(struct scripted *s, const char *log)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->log = mem_strdup(log);
	(void)unlink(log); /* may not be there */
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
		listen(s->fd, 16) != 0 || getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
		die("no port");
	s->port = ntohs(a.sin_port);
}

/* How many bytes of a body are announced in HEAD. */
static size_t body_of(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");

	return at != NULL ? strtoul(at + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* Read a request and add it to the file LOG.  1; 0: the connection has ended before one came. */
static int hear(int connection, int log)
{
	char buf[8192];
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(buf) - 1 &&
		(n = read(connection, buf + used, sizeof(buf) - 1 - used)) > 0) {
		const char *end;

		used += (size_t)n;
		buf[used] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (end != NULL && used >= (size_t)(end + 4 - buf) + body_of(buf))
			break;
	}
	if (files_write_all(log, buf, used) != 0)
		die("log");
	return used > 0;
}

/* The connection on which the next request comes: *KEPT, if there is one, or a new one. */
static int next_connection(const struct scripted *s, int *kept)
{
	struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN}, {.fd = *kept, .events = POLLIN}};
	int connection = *kept;
	char byte;

	if (poll(fds, 2, -1) < 0)
		die("poll");
	if (fds[1].revents != 0 && recv(connection, &byte, 1, MSG_PEEK) > 0) {
		*kept = -1;
		return connection;
	}
	if (connection >= 0)
		(void)close(connection); /* given up there, too */
	*kept = -1;
	return accept(s->fd, NULL, NULL);
}

static void answer(int connection, const char *text, int *kept)
{
	int stays = *text == *SCRIPTED_STAY, hangs = *text == *SCRIPTED_HANG;
	char byte;

	text += stays || hangs;
	(void)files_write_all(connection, text, strlen(text)); /* whoever asked may be gone */
	while (hangs && read(connection, &byte, 1) > 0)
		continue;
	if (stays)
		*kept = connection;
	else
		(void)close(connection); /* nothing depends on it here */
}

static _Noreturn void serve(const struct scripted *s, const char *const *answers, size_t n)
{
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), kept = -1;

	(void)signal(SIGPIPE, SIG_IGN); /* whoever asked may have heard enough */
	for (size_t i = 0; i < n;) {
		int connection = next_connection(s, &kept);

		if (hear(connection, log))
			answer(connection, answers[i++], &kept);
		else
			(void)close(connection); /* nothing was asked */
	}
	_exit(0);
}

void scripted_start(struct scripted *s, const char *const *answers, size_t n)
{
	s->pid = fork();
	if (s->pid < 0)
		die("fork");
	if (s->pid == 0)
		serve(s, answers, n);
	(void)close(s->fd); /* the child's alone: what it does not answer is refused */
	s->fd = -1;
}

static void end_child(struct scripted *s)
{
	if (s->fd >= 0)
		(void)close(s->fd); /* nothing is asked there */
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL); /* may have ended */
		(void)waitpid(s->pid, NULL, 0);
	}
	s->fd = -1;
	s->pid = 0;
}

void scripted_stop(struct scripted *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)s->port)};
	int one = 1;

	end_child(s);
	/* A socket that is bound and does not listen, so that nobody else here gets the port. */
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
		bind(s->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("port");
}

size_t scripted_end(struct scripted *s)
{
	struct str text;
	size_t n = 0;

	end_child(s);
	str_init(&text);
	if (files_read(s->log, 1 << 20, &text, NULL) == 1)
		for (const char *at = text.buf; (at = strstr(at, " HTTP/1.1\r\n")) != NULL;
			at += 11)
			n++;
	str_clear(&text);
	free(s->log);
	memset(s, 0, sizeof(*s));
	return n;
}
