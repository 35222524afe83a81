#include "scripted.h"

#include <arpa/inet.h>
#include <fcntl.h>
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

/* Read a request, which has no body, and add it to the file LOG. */
static void hear(int connection, int log)
{
	char buf[8192];
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(buf) - 1 &&
		(n = read(connection, buf + used, sizeof(buf) - 1 - used)) > 0) {
		used += (size_t)n;
		buf[used] = '\0';
		if (strstr(buf, "\r\n\r\n") != NULL)
			break;
	}
	if (files_write_all(log, buf, used) != 0)
		die("log");
}

static _Noreturn void serve(const struct scripted *s, const char *const *answers, size_t n)
{
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)signal(SIGPIPE, SIG_IGN); /* whoever asked may have heard enough */
	for (size_t i = 0; i < n; i++) {
		int connection = accept(s->fd, NULL, NULL);

		hear(connection, log);
		(void)files_write_all(connection, answers[i], strlen(answers[i])); /* likewise */
		(void)close(connection); /* nothing depends on it here */
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

size_t scripted_end(struct scripted *s)
{
	struct str text;
	size_t n = 0;

	if (s->fd >= 0)
		(void)close(s->fd); /* nothing was asked there */
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL); /* may have ended */
		(void)waitpid(s->pid, NULL, 0);
	}
	str_init(&text);
	if (files_read(s->log, 1 << 20, &text, NULL) == 1)
		for (const char *at = text.buf; (at = strstr(at, "\r\n\r\n")) != NULL; at += 4)
			n++;
	str_clear(&text);
	free(s->log);
	memset(s, 0, sizeof(*s));
	return n;
}
