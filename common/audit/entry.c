#include "audit/entry.h"

#include <string.h>

#include "base/clock.h"
#include "data/json.h"

int entry_is_hash(const char *text)
{
	return text != NULL && strlen(text) == SHA256_HEX_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == SHA256_HEX_SIZE - 1;
}

static int parse_recovered(struct audit_recovered *out, const struct json *o)
{
	const char *found = json_get_text(o, "found");
	const char *head_hash = json_get_text(o, "head_hash");
	const char *record_hash = json_get_text(o, "record_hash");
	const char *torn_hash = json_get_text(o, "torn_hash");

	out->head_size = json_get_number(o, "head_size", -1);
	out->head_seq = json_get_number(o, "head_seq", -1);
	out->torn_size = json_get_number(o, "torn_size", -1);
	if (found == NULL || audit_found_parse(&out->found, found) != 0 ||
		out->found == AUDIT_FOUND_WHOLE)
		return 0;
	if (out->head_size < 0 || out->head_seq < 0 || out->head_seq > ENTRY_MAX_SEQ ||
		out->torn_size < 0)
		return 0;
	if (!entry_is_hash(head_hash) || !entry_is_hash(record_hash) ||
		(out->torn_size > 0 && !entry_is_hash(torn_hash)))
		return 0;
	memcpy(out->head_hash, head_hash, SHA256_HEX_SIZE);
	memcpy(out->record_hash, record_hash, SHA256_HEX_SIZE);
	if (out->torn_size > 0)
		memcpy(out->torn_hash, torn_hash, SHA256_HEX_SIZE);
	return 1;
}

static int parse_rotated(struct audit_rotated *out, const struct json *o)
{
	const char *file = json_get_text(o, "file");
	const struct json *peaks = json_get(o, "tree");
	size_t at = 0;

	memset(out, 0, sizeof(*out));
	out->number = file == NULL ? 0 : audit_file_number(file);
	out->size = json_get_number(o, "size", -1);
	out->tree.n = json_get_number(o, "lines", -1);
	if (out->number < 1 || out->size < 1 || out->tree.n < 1 || out->tree.n > ENTRY_MAX_SEQ)
		return 0;
	for (int level = MERKLE_LEVELS - 1; level >= 0; level--)
		if ((out->tree.n >> level & 1) != 0 &&
			sha256_parse(json_string(json_at(peaks, at++)), out->tree.peaks[level]) !=
				0)
			return 0;
	return json_length(peaks) == at;
}

static int read_members(struct entry *out)
{
	const char *when = json_get_text(out->json, "time");

	out->seq = json_get_number(out->json, "seq", 0);
	out->prev = json_get_text(out->json, "prev");
	out->event = json_get_text(out->json, "event");
	if (out->seq < 1 || out->seq > ENTRY_MAX_SEQ || !entry_is_hash(out->prev))
		return 0;
	if (out->event == NULL || *out->event == '\0')
		return 0;
	if (when == NULL || clock_parse(when, &out->time) != 0)
		return 0;
	out->is_recovered = strcmp(out->event, ENTRY_RECOVERED) == 0;
	if (out->is_recovered)
		return parse_recovered(&out->recovered, json_get(out->json, "recovered"));
	out->is_rotated = strcmp(out->event, ENTRY_ROTATED) == 0;
	return !out->is_rotated || parse_rotated(&out->rotated, json_get(out->json, "rotated"));
}

int entry_parse(struct entry *out, const char *line, size_t len)
{
	memset(out, 0, sizeof(*out));
	if (json_parse(&out->json, line, len, NULL) == 0 && read_members(out))
		return 1;
	entry_clear(out);
	return 0;
}

void entry_clear(struct entry *entry)
{
	json_free(entry->json);
	memset(entry, 0, sizeof(*entry));
}
