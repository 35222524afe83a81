#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/lifecycle.h"
#include "chain/pipeline.h"
#include "chain/slot.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "sys/files.h"

#define FOLLOW_MS 100
#define MAX_HELD_BACK 65536 /* bytes of a line whose end has not come yet */

struct log {
	struct store *s;
	int64_t pipeline;
	const char *stage;
	char *path;
	int fd;           /* -1: there is no log yet */
	int terminal;     /* 1: standard output is one */
	struct str begun; /* for a terminal: the line that has no end yet */
	char *told_for;   /* the stage whose waiting for a hand was told last; or NULL */
};

/* Whoever follows is told once what the stage waits for, if that is a hand. */
static void tell_waiting(
	struct log *l, const struct pipeline *p, const struct pipeline_stage *stage)
{
	const struct pipeline_stage *first = lifecycle_awaited(p);

	if (first == NULL || first > stage || first->status != STATUS_MANUAL ||
		str_same(l->told_for, first->name))
		return;
	free(l->told_for);
	l->told_for = mem_strdup(first->name);
	(void)command_fail(0, "waiting: stage %s starts with modelgate play %lld %s", first->name,
		(long long)p->id, first->name);
}

/* 1: nothing more will be written by itself; 0; -1: told; -2: there is no such stage, told. */
static int has_ended(struct log *l, int follow, struct err *e)
{
	struct pipeline p;
	const struct pipeline_stage *stage;
	int found = pipeline_read(&p, l->s, l->pipeline, e);

	if (found < 0) {
		(void)command_err(0, e);
		return -1;
	}
	stage = found == 1 ? pipeline_find_stage(&p, l->stage, e) : NULL;
	if (found == 0)
		(void)command_fail(0, "there is no pipeline %lld", (long long)l->pipeline);
	else if (stage == NULL)
		(void)command_err(0, e);
	else if (follow)
		tell_waiting(l, &p, stage);
	found = stage == NULL ? -2 : status_is_final(stage->status) || status_is_final(p.status);
	pipeline_clear(&p);
	return found;
}

/* Add the LEN bytes at TEXT, which is changed, made harmless; ends of lines and tabs stay. */
static void add_harmless(struct str *out, char *text, size_t len)
{
	for (size_t at = 0, end; at < len; at = end + 1) {
		char stop;

		end = at + strcspn(text + at, "\t\n"); /* or at a NUL */
		stop = text[end];
		text[end] = '\0';
		str_add_safe(out, text + at);
		if (end < len && stop == '\0')
			str_add(out, "\\x00");
		else if (end < len)
			str_addc(out, stop);
	}
}

/* A terminal gets whole lines, so that no character is cut, and its last one if ALL is set. */
static int show_lines(struct log *l, int all)
{
	size_t len = l->begun.len;
	struct str out, rest;
	int result;

	while (!all && len > 0 && l->begun.buf[len - 1] != '\n')
		len--;
	if (len == 0 && l->begun.len >= MAX_HELD_BACK)
		len = l->begun.len;
	if (len == 0)
		return 0;
	str_init(&out);
	str_init(&rest);
	str_addn(&rest, l->begun.buf + len, l->begun.len - len);
	l->begun.buf[len] = '\0';
	add_harmless(&out, l->begun.buf, len);
	result = files_write_all(STDOUT_FILENO, out.buf, out.len);
	str_clear(&out);
	str_clear(&l->begun);
	l->begun = rest;
	return result;
}

static int write_out(struct log *l, const char *bytes, size_t len)
{
	if (!l->terminal)
		return files_write_all(STDOUT_FILENO, bytes, len);
	str_addn(&l->begun, bytes, len);
	return show_lines(l, 0);
}

/*
 * Copy what is there and not yet copied to standard output; LAST: nothing follows.  0, or -1 and
 * told.
 */
static int copy(struct log *l, int last)
{
	struct err e = ERR_INIT;
	char buf[65536];
	ssize_t n;

	if (l->fd < 0 && files_exists(l->path))
		l->fd = files_open(l->path, O_RDONLY, 0, &e);
	if (l->fd < 0)
		return e.text != NULL ? command_err(-1, &e) : 0;
	while ((n = read(l->fd, buf, sizeof(buf))) > 0)
		if (write_out(l, buf, (size_t)n) != 0)
			return command_fail(-1, "standard output cannot be written");
	if (last && show_lines(l, 1) != 0)
		return command_fail(-1, "standard output cannot be written");
	return n == 0 ? 0 : command_fail(-1, "%s: cannot be read", l->path);
}

static int show(struct log *l, int follow)
{
	struct err e = ERR_INIT;
	int ended;

	/* Asked before the copy: what was written before the end is in it. */
	for (;;) {
		ended = has_ended(l, follow, &e);
		if (ended < 0)
			return ended == -2 ? COMMAND_NO : COMMAND_CANNOT_TELL;
		if (copy(l, ended || !follow) != 0)
			return COMMAND_CANNOT_TELL;
		if (ended || !follow)
			break;
		(void)poll(NULL, 0, FOLLOW_MS); /* woken early: looked early */
	}
	if (l->fd < 0)
		return command_fail(COMMAND_NO, "stage %s of pipeline %lld has not been started",
			l->stage, (long long)l->pipeline);
	return COMMAND_DONE;
}

static int logs(struct command *c, int argc, char **argv)
{
	const char *follow = NULL;
	const struct command_option options[] = {{"--follow", &follow}, {NULL, NULL}};
	struct log l = {.fd = -1};
	struct err e = ERR_INIT;
	long long id;
	int status, n = command_options(&verb_logs, argc, argv, options, 2, 2);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (command_number(argv[1], "pipeline number", &id) != 0)
		return COMMAND_USAGE;
	if (store_open(&l.s, c->config->state, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	l.pipeline = id;
	l.stage = argv[2];
	l.path = slot_log_path(c->config->state, id, l.stage);
	l.terminal = isatty(STDOUT_FILENO);
	str_init(&l.begun);
	status = show(&l, follow != NULL);
	if (l.fd >= 0)
		(void)close(l.fd); /* only read */
	free(l.path);
	str_clear(&l.begun);
	free(l.told_for);
	store_close(l.s);
	return status;
}

const struct verb verb_logs = {
	.name = "logs",
	.run = logs,
	.needs_config = 1,
	.arguments = "ID STAGE [--follow]",
	.summary = "Print the log of a stage",
	.options = "  --follow  go on until the stage has ended\n",
};
