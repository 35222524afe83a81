#include "chain/upkeep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/chain.h"
#include "audit/copy.h"
#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/pulse.h"
#include "data/config.h"

/* What stands in the way of a rotation stays for a while, and each try reads the file. */
#define ROTATE_AGAIN (60 * CLOCK_SECOND)

void upkeep_init(struct upkeep *u, const char *state, const struct upkeep_options *options,
	struct pulse *pulse)
{
	memset(u, 0, sizeof(*u));
	u->state = state;
	u->options = options;
	u->pulse = pulse;
	u->size = -1;
}

void upkeep_clear(struct upkeep *u)
{
	free(u->rotate_fault);
	free(u->copy_fault);
	memset(u, 0, sizeof(*u));
}

static int is_copied(const struct upkeep *u)
{
	return u->options->syslog != NULL && u->options->syslog[0] != '\0';
}

/* 1: the log is not as it was when it was copied last, and *SIZE and *FILE tell how it is; 0. */
static int has_grown(const struct upkeep *u, int64_t *size, int64_t *file)
{
	char *folder = path_join(u->state, CONFIG_STATE_AUDIT),
	     *path = path_join(folder, AUDIT_LOG);
	struct stat st;
	int grown = 0;

	*size = *file = 0;
	/* One that is not there, or cannot be looked at, is for those to tell who append to it. */
	if (lstat(path, &st) == 0) {
		*size = (int64_t)st.st_size;
		*file = (int64_t)st.st_ino;
		grown = *size != u->size || *file != u->file;
	}
	free(path);
	free(folder);
	return grown;
}

/* Tell E, unless it is what *FAULT holds already. */
static void tell(struct upkeep *u, char **fault, struct err *e)
{
	if (!str_same(err_text(e), *fault)) {
		pulse_say(u->pulse, "audit log: %s; tried again", err_text(e));
		free(*fault);
		*fault = mem_strdup(err_text(e));
	}
	err_clear(e);
}

static void forget(char **fault)
{
	free(*fault);
	*fault = NULL;
}

static void rotate(struct upkeep *u)
{
	char name[AUDIT_FILE_NAME_SIZE];
	struct err e = ERR_INIT;
	int64_t number = 0;
	int got;

	if (clock_monotonic() < u->rotate_at)
		return;
	got = rotate_is_due(u->state, &u->options->limits, &e);
	if (got == 1)
		got = rotate_now(u->state, &number, &e);
	if (got < 0) {
		u->rotate_at = clock_monotonic() + ROTATE_AGAIN;
		tell(u, &u->rotate_fault, &e);
	} else {
		forget(&u->rotate_fault);
	}
	if (number > 0) {
		audit_file_name(number, name);
		pulse_say(u->pulse, "audit log: goes on in a new file, behind %s", name);
	}
}

/* 1: there is more to be copied at once; 0. */
static int copy(struct upkeep *u)
{
	struct err e = ERR_INIT;
	int64_t size, file, n;
	int got;

	if (!is_copied(u) || !has_grown(u, &size, &file))
		return 0;
	got = copy_to_syslog(u->state, u->options->syslog, &n, &e);
	/* Looked at before: what comes while it is copied is copied the next time. */
	u->size = got == 0 ? size : -1;
	u->file = file;
	if (got >= 0) {
		forget(&u->copy_fault);
		return got;
	}
	(void)err_wrap(&e, "copy to syslog");
	tell(u, &u->copy_fault, &e);
	return 0;
}

static int has_fault(const struct upkeep *u)
{
	return u->rotate_fault != NULL || u->copy_fault != NULL;
}

static int look(struct upkeep *u)
{
	int had_fault = has_fault(u), more;

	rotate(u);
	more = copy(u);
	if (had_fault && !has_fault(u))
		pulse_say(u->pulse, "audit log: going on");
	u->look_at = clock_monotonic() + (more ? 0 : CLOCK_SECOND);
	return more;
}

void upkeep_look(struct upkeep *u)
{
	if (clock_monotonic() >= u->look_at)
		(void)look(u); /* what more there is, is for the next time */
}

int upkeep_end(struct upkeep *u)
{
	return look(u);
}

int upkeep_is_wanted(const struct upkeep *u)
{
	int64_t size, file;

	/* Where copying failed, ending and beginning anew would not help. */
	return is_copied(u) && u->size >= 0 && has_grown(u, &size, &file);
}
