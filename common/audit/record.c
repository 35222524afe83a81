#include "audit/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
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
	json_put_known(line, "policy", record->policy);
	json_put_text(line, "build", paths_version());
	json_put_known(line, "correlation_id", record->correlation_id);
	text = json_text(line, JSON_ONE_LINE);
	json_free(line);
	return text;
}
