#include "audit/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"
#include "sys/paths.h"

void actor_clear(struct actor *a)
{
	free(a->id);
	free(a->name);
	free(a->protocol);
	memset(a, 0, sizeof(*a));
}

void actor_copy(struct actor *to, const struct actor *from)
{
	to->id = mem_strdup(from->id);
	to->name = mem_strdup(from->name);
	to->protocol = mem_strdup(from->protocol);
}

const char *const *audit_events(void)
{
	static const char *const events[] = {"push.accepted", "push.rejected", "push.overridden",
		"push.shadowed", "ref.updated", "ref.unsourced", "ref.drifted", "pipeline.created",
		"pipeline.reconciled", "pipeline.finished", "pipeline.canceled", "stage.started",
		"stage.played", "stage.finished", "model.rolledback", "policy.changed",
		"audit.recovered", "audit.rotated", NULL};

	return events;
}

static const char *const found_words[] = {
	[AUDIT_FOUND_WHOLE] = "",
	[AUDIT_FOUND_TORN] = "torn",
	[AUDIT_FOUND_SHORTER] = "shorter",
	[AUDIT_FOUND_LONGER] = "longer",
	[AUDIT_FOUND_NO_HEAD] = "no-head",
};

const char *audit_found_word(enum audit_found f)
{
	return found_words[f];
}

int audit_found_parse(enum audit_found *out, const char *word)
{
	for (size_t i = 0; i < sizeof(found_words) / sizeof(found_words[0]); i++) {
		*out = (enum audit_found)i;
		if (strcmp(word, found_words[i]) == 0)
			return 0;
	}
	*out = AUDIT_FOUND_WHOLE;
	return -1;
}

#define FILE_PREFIX "audit-"
#define FILE_SUFFIX ".jsonl"
#define FILE_MAX_NUMBER 999999999 /* a rotation a second for 31 years */

void audit_file_name(int64_t number, char out[AUDIT_FILE_NAME_SIZE])
{
	/* Never cut: 12 characters and 20 digits at most. */
	(void)snprintf(out, AUDIT_FILE_NAME_SIZE, FILE_PREFIX "%06" PRId64 FILE_SUFFIX,
		number < 0 || number > FILE_MAX_NUMBER ? 0 : number);
}

int64_t audit_file_number(const char *name)
{
	const size_t around = strlen(FILE_PREFIX FILE_SUFFIX);
	char digits[16], again[AUDIT_FILE_NAME_SIZE];
	size_t len = strlen(name);
	long long number;

	if (!str_starts(name, FILE_PREFIX) || !str_ends(name, FILE_SUFFIX) || len <= around ||
		len - around >= sizeof(digits))
		return 0;
	memcpy(digits, name + strlen(FILE_PREFIX), len - around);
	digits[len - around] = '\0';
	if (str_number(digits, FILE_MAX_NUMBER, &number) != 0)
		return 0;
	audit_file_name(number, again);
	return strcmp(again, name) == 0 ? number : 0;
}

static int known(const char *text)
{
	return text != NULL && *text != '\0';
}

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void put_actor(struct json *line, const struct actor *a)
{
	struct json *o;

	if (!known(a->id) && !known(a->name) && !known(a->protocol))
		return;
	o = json_new_object();
	json_put_text(o, "id", text_or_empty(a->id));
	json_put_text(o, "name", text_or_empty(a->name));
	json_put_text(o, "protocol", text_or_empty(a->protocol));
	json_put(line, "actor", o);
}

static void put_repository(struct json *line, const struct audit_repository *r)
{
	struct json *o;

	if (!known(r->path) && !known(r->project) && !known(r->gl_repository))
		return;
	o = json_new_object();
	json_put_text(o, "path", text_or_empty(r->path));
	json_put_text(o, "project", text_or_empty(r->project));
	json_put_known(o, "gl_repository", r->gl_repository);
	json_put(line, "repository", o);
}

static struct json *new_ref(const struct audit_ref *r)
{
	struct json *o = json_new_object(), *codes;

	json_put_known(o, "ref", r->ref);
	json_put_known(o, "old", r->old);
	json_put_known(o, "new", r->new);
	json_put_known(o, "source", r->source);
	json_put_known(o, "method", r->method);
	if (r->n_codes > 0)
		json_put_known(o, "code", r->codes[0]);
	if (r->n_codes > 1) {
		codes = json_new_array();
		for (size_t i = 0; i < r->n_codes; i++)
			json_append_text(codes, r->codes[i]);
		json_put(o, "codes", codes);
	}
	json_put_known(o, "reason", r->reason);
	return o;
}

static void put_refs(struct json *line, const struct audit_record *record)
{
	struct json *array;

	if (record->n_refs == 0)
		return;
	array = json_new_array();
	for (size_t i = 0; i < record->n_refs; i++)
		json_append(array, new_ref(&record->refs[i]));
	json_put(line, "refs", array);
}

static void put_recovered(struct json *line, const struct audit_recovered *r)
{
	struct json *o;

	if (r == NULL)
		return;
	o = json_new_object();
	json_put_text(o, "found", audit_found_word(r->found));
	json_put_number(o, "head_size", r->head_size);
	json_put_number(o, "head_seq", r->head_seq);
	json_put_text(o, "head_hash", r->head_hash);
	json_put_text(o, "record_hash", r->record_hash);
	json_put_number(o, "torn_size", r->torn_size);
	json_put_known(o, "torn_hash", r->torn_hash);
	json_put(line, "recovered", o);
}

static void put_rotated(struct json *line, const struct audit_rotated *r)
{
	char name[AUDIT_FILE_NAME_SIZE], digits[SHA256_HEX_SIZE];
	struct json *o, *peaks;

	if (r == NULL)
		return;
	o = json_new_object();
	audit_file_name(r->number, name);
	json_put_text(o, "file", name);
	json_put_number(o, "size", r->size);
	json_put_number(o, "lines", r->tree.n);
	peaks = json_new_array();
	for (int level = MERKLE_LEVELS - 1; level >= 0; level--) {
		if ((r->tree.n >> level & 1) == 0)
			continue;
		sha256_digits(r->tree.peaks[level], digits);
		json_append_text(peaks, digits);
	}
	json_put(o, "tree", peaks);
	json_put(line, "rotated", o);
}

char *audit_record_line(
	const struct audit_record *record, int64_t seq, const char prev[SHA256_HEX_SIZE])
{
	struct json *line = json_new_object();
	char *text;

	json_put_number(line, "seq", seq);
	json_put_text(line, "prev", prev);
	json_put_time(line, "time", record->time != 0 ? record->time : clock_now());
	json_put_text(line, "event", record->event);
	json_put_known(line, "push_id", record->push_id);
	put_actor(line, &record->actor);
	put_repository(line, &record->repository);
	put_refs(line, record);
	if (record->pipeline != 0)
		json_put_number(line, "pipeline", record->pipeline);
	json_put_known(line, "stage", record->stage);
	json_put_known(line, "status", record->status);
	json_put_known(line, "reason", record->reason);
	put_recovered(line, record->recovered);
	put_rotated(line, record->rotated);
	json_put_known(line, "policy", record->policy);
	json_put_text(line, "build", paths_version());
	json_put_known(line, "correlation_id", record->correlation_id);
	text = json_text(line, JSON_ONE_LINE);
	json_free(line);
	return text;
}
