#include "audit/chain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/merkle.h"
#include "audit/volumes.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"

#define BRANCHES "refs/heads/"

static int is_of_user(const struct json *record, const char *user)
{
	const struct json *actor = json_get(record, "actor");

	return str_same(json_get_text(actor, "name"), user) ||
	       str_same(json_get_text(actor, "id"), user);
}

static int is_of_project(const struct json *record, const char *pattern)
{
	const struct json *repository = json_get(record, "repository");
	const char *project = json_get_text(repository, "project");
	const char *path = json_get_text(repository, "path");

	return (project != NULL && str_glob(pattern, project)) ||
	       (path != NULL && str_glob(pattern, path));
}

static int has_ref(const struct json *record, const char *pattern)
{
	const struct json *refs = json_get(record, "refs");
	const char *ref;

	for (size_t i = 0; i < json_length(refs); i++) {
		ref = json_get_text(json_at(refs, i), "ref");
		if (ref == NULL)
			continue;
		if (str_glob(pattern, ref))
			return 1;
		if (str_starts(ref, BRANCHES) && str_glob(pattern, ref + strlen(BRANCHES)))
			return 1;
	}
	return 0;
}

static int passes(const struct audit_filter *f, const struct entry *entry)
{
	if (f->since != 0 && entry->time < f->since)
		return 0;
	if (f->until != 0 && entry->time >= f->until)
		return 0;
	if (f->event != NULL && !str_glob(f->event, entry->event))
		return 0;
	if (f->user != NULL && !is_of_user(entry->json, f->user))
		return 0;
	if (f->project != NULL && !is_of_project(entry->json, f->project))
		return 0;
	return f->ref == NULL || has_ref(entry->json, f->ref);
}

/* ENTRY, the first line, tells of those before it that are not here: VERIFIED took them from there too. */
static void begin_seen(
	struct merkle *seen, const struct audit_report *verified, const struct entry *entry)
{
	if (verified != NULL && entry->is_rotated &&
		entry->rotated.tree.n == verified->lines_before)
		*seen = entry->rotated.tree;
}

/* LINE is the next of those that VERIFIED, if it is not NULL, is compared with. */
static void add_seen(
	struct merkle *seen, const struct audit_report *verified, const struct line *line)
{
	unsigned char hash[SHA256_SIZE];

	if (verified == NULL || seen->n >= verified->tree.n)
		return;
	merkle_leaf(line->text, line->len, hash);
	merkle_add(seen, hash);
}

/* What follows may be a hole of any size, which nobody is to be kept busy with. */
static int tell_too_long(const struct reader *r, struct err *e)
{
	char *name = volumes_name(r->volumes, r->file);

	(void)err_set(e, "line %" PRId64 " of %s is longer than %u bytes", r->number, name,
		AUDIT_MAX_LINE);
	free(name);
	return -1;
}

int audit_each(const char *state, const struct audit_filter *filter,
	int (*each)(void *context, const char *line, const struct json *record), void *context,
	struct err *e)
{
	return audit_each_verified(state, filter, NULL, each, context, e);
}

int audit_each_verified(const char *state, const struct audit_filter *filter,
	const struct audit_report *verified,
	int (*each)(void *context, const char *line, const struct json *record), void *context,
	struct err *e)
{
	struct volumes volumes = {.n = 0};
	struct reader reader;
	struct entry entry;
	struct merkle seen;
	struct journal j;
	struct line line;
	char *text;
	int status = -1, got = 1, is_first = 1, is_record;

	merkle_init(&seen);
	reader_init(&reader, &volumes, 0);
	if (journal_open(&j, state, JOURNAL_READ, e) != 0 ||
		volumes_find(&volumes, state, &j, e) != 0)
		goto out;
	for (status = 0; status == 0 && (got = reader_next(&reader, &line, e)) > 0;) {
		if (line.end == LINES_TOO_LONG) {
			status = tell_too_long(&reader, e);
			goto out;
		}
		is_record = entry_parse(&entry, line.text, line.len);
		if (is_first && is_record)
			begin_seen(&seen, verified, &entry);
		is_first = 0;
		add_seen(&seen, verified, &line);
		if (!is_record)
			continue;
		if (passes(filter, &entry)) {
			text = mem_strndup(line.text, line.len);
			status = each(context, text, entry.json);
			free(text);
		}
		entry_clear(&entry);
	}
	if (got < 0)
		status = -1;
	else if (verified != NULL && !merkle_equal(&seen, &verified->tree))
		status = err_set(e, "the audit log changed while it was read");
out:
	reader_clear(&reader);
	volumes_clear(&volumes);
	journal_close(&j);
	return status;
}
