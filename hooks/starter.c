#define _GNU_SOURCE /* pipe2 */
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/rotate.h"
#include "base/err.h"
#include "base/str.h"
#include "chain/launcher-local.h"
#include "data/config.h"
#include "gate/receive.h"
#include "sys/files.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#define MAX_FAULT 4096 /* bytes of what it says */
#define STARTED "+"    /* its whole answer, once a runner was started; else it says why not */

/* What the hook does about signals is not for this one: it would say nothing and end well. */
static void forget_signals(void)
{
	struct sigaction now, usual = {.sa_handler = SIG_DFL};

	for (int i = 1; i < NSIG; i++)
		if (sigaction(i, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaction(i, &usual, NULL); /* KILL and STOP refuse */
}

/* Neither the pusher's connection nor the hook's group of processes is this one's.  0; -1. */
static int let_go(int to, int from)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -1;
	spawn_close_others(to, from);
	/* A signal to the hook's group, as its server sends when a client is gone, is not for this one. */
	(void)setsid(); /* a child leads no group yet */
	return chdir("/");
}

/*
 * The starter's whole life.  How it ends says nothing: where memory ends, what the hook has registered for its
 * own end makes a success of it.  The answer alone counts.
 */
static _Noreturn void serve(int to, int from, const struct receive *r)
{
	struct err e = ERR_INIT;
	const char *answer = STARTED;
	ssize_t n;
	char byte;

	forget_signals();
	/* As the hook does, and the runner. */
	if (sandbox_hide(NULL) != 0 || let_go(to, from) != 0)
		_exit(1);
	do
		n = read(to, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		if (launcher_local_wake(r->config, r->gitdir, NULL, &e) != 0)
			answer = err_text(&e);
		(void)files_write_all(from, answer, strlen(answer)); /* or nobody hears */
	}
	_exit(0);
}

void starter_begin(struct starter *s, const struct receive *r)
{
	struct err e = ERR_INIT;
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	pid_t pid = -1;

	*s = (struct starter)STARTER_INIT;
	if (r->config->wake != CONFIG_WAKE_SPAWN)
		return;
	if (pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		serve(to[0], from[1], r);
	if (pid < 0) {
		(void)err_errno(&e, errno, "cannot start the runner: no process");
		s->fault = e.text;
	}
	if (to[0] >= 0)
		(void)close(to[0]); /* the other's end */
	if (from[1] >= 0)
		(void)close(from[1]); /* the other's end */
	if (pid < 0) {
		if (to[1] >= 0)
			(void)close(to[1]); /* nobody is there */
		if (from[0] >= 0)
			(void)close(from[0]); /* nobody is there */
		return;
	}
	s->pid = pid;
	s->to = to[1];
	s->from = from[0];
}

/* It ends by itself when TO is closed, or when it has done what it was told. */
void starter_end(struct starter *s)
{
	if (s->pid > 0) {
		(void)close(s->to);
		(void)close(s->from); /* only read */
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	free(s->fault);
	*s = (struct starter)STARTER_INIT;
}

int starter_wants(const struct config *c, enum starter_cause cause)
{
	const struct rotate_limits limits = rotate_limits_of(c);

	if (cause == STARTER_WORK || c->audit_syslog[0] != '\0')
		return 1;
	/* Where that cannot be told, the runner tells why. */
	return rotate_is_due(c->state, &limits, NULL) != 0;
}

/* Tell it, and hear what came of it.  0; -1. */
static int tell(const struct starter *s, struct err *e)
{
	struct str said;
	int result;

	if (files_write_all(s->to, "w", 1) != 0)
		return err_errno(e, errno, "cannot start the runner: the process that starts it");
	str_init(&said);
	result = files_read_fd(s->from, MAX_FAULT, &said, e);
	if (result == 0 && said.len == 0)
		result = err_set(e, "no runner was started: the process that starts it has ended");
	else if (result == 0 && strcmp(said.buf, STARTED) != 0)
		result = err_set(e, "%s", said.buf);
	str_clear(&said);
	return result;
}

int starter_wake(
	struct starter *s, const struct receive *r, enum starter_cause cause, struct err *e)
{
	int result = 0;

	if (!starter_wants(r->config, cause))
		return 0;
	if (s->fault != NULL)
		result = err_set(e, "%s", s->fault);
	if (s->pid > 0)
		result = tell(s, e);
	starter_end(s);
	return result;
}
