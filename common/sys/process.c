#include "sys/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "sys/files.h"

#define MAX_STAT 4096    /* bytes of /proc/PID/stat */
#define MAX_NAMESPACE 64 /* bytes of "pid:[4026531836]" */

/* Fields of proc(5), stat, counted as there. */
#define FIELD_STATE 3
#define FIELD_PARENT 4
#define FIELD_STARTED 22

int process_read(struct process *out, pid_t pid)
{
	char *path = mem_format("/proc/%ld/stat", (long)pid);
	const char *open, *at;
	struct str text;

	memset(out, 0, sizeof(*out));
	out->pid = pid;
	str_init(&text);
	/*
	 * The name in parentheses may hold blanks and parentheses; field 3 follows the last of
	 * them.
	 */
	if (files_read(path, MAX_STAT, &text, NULL) > 0 && (at = strrchr(text.buf, ')')) != NULL &&
		(open = strchr(text.buf, '(')) != NULL && at > open) {
		(void)snprintf(
			out->name, sizeof(out->name), "%.*s", (int)(at - open - 1), open + 1);
		for (int field = FIELD_STATE; field <= FIELD_STARTED && at != NULL; field++) {
			at = strchr(at + 1, ' ');
			if (at == NULL)
				break;
			if (field == FIELD_STATE)
				out->state = at[1];
			if (field == FIELD_PARENT)
				out->parent = (pid_t)strtol(at, NULL, 10);
			if (field == FIELD_STARTED)
				out->started = strtoull(at, NULL, 10);
		}
	}
	str_clear(&text);
	free(path);
	return out->started > 0;
}

/* The namespace that our process numbers are of (pid_namespaces(7)); "-": it cannot be told. */
static void find_namespace(char out[MAX_NAMESPACE])
{
	ssize_t n = readlink("/proc/self/ns/pid", out, MAX_NAMESPACE - 1);

	(void)snprintf(out + (n > 0 ? n : 0), MAX_NAMESPACE - (size_t)(n > 0 ? n : 0), "%s",
		n > 0 ? "" : "-");
}

char *process_name(const struct process *p)
{
	char namespace[MAX_NAMESPACE];

	find_namespace(namespace);
	return mem_format("process %ld %llu %s", (long)p->pid, p->started, namespace);
}

enum process_life process_look(const char *name)
{
	char namespace[MAX_NAMESPACE], own[MAX_NAMESPACE];
	unsigned long long started;
	struct process p;
	long pid;

	if (sscanf(name, "process %ld %llu %63s", &pid, &started, namespace) != 3 || pid <= 0 ||
		pid > INT_MAX)
		return PROCESS_UNKNOWN;
	find_namespace(own);
	if (strcmp(own, "-") == 0 || strcmp(own, namespace) != 0)
		return PROCESS_UNKNOWN;
	/* Where /proc hides other users' processes, this tells all the same. */
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		return PROCESS_GONE;
	if (!process_read(&p, (pid_t)pid))
		return PROCESS_UNKNOWN;
	return p.started == started && p.state != 'Z' && p.state != 'X' ? PROCESS_LIVES
									: PROCESS_GONE;
}
