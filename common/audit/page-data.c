#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/page-parts.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"

#define MAX_UNKNOWN 1000 /* members of a record that are shown though the page does not know them */

/* Members of an object, and how many of them were understood. */
struct members {
	const struct json *object;
	size_t known;
};

void page_data_init(struct page_data *d)
{
	memset(d, 0, sizeof(*d));
	page_strings_init(&d->strings);
	page_strings_init(&d->contexts);
}

void page_data_clear(struct page_data *d)
{
	page_strings_clear(&d->strings);
	page_strings_clear(&d->contexts);
	page_tally_clear(&d->people);
	page_tally_clear(&d->projects);
	page_tally_clear(&d->rules);
	free(d->rows);
	free(d->refs);
	memset(d, 0, sizeof(*d));
}

/* The number of TEXT made visible. */
static uint32_t put(struct page_data *d, const char *text)
{
	struct str s;
	uint32_t number;

	if (text == NULL || *text == '\0')
		return 0;
	str_init(&s);
	page_text_visible(&s, text);
	number = page_strings_put(&d->strings, s.buf);
	str_clear(&s);
	return number;
}

static const char *text_of(struct members *m, const char *name)
{
	const char *text = json_get_text(m->object, name);

	m->known += text != NULL;
	return text;
}

static uint32_t put_text(struct page_data *d, struct members *m, const char *name)
{
	return put(d, text_of(m, name));
}

/* The object NAME; *OUT->object is NULL if there is none. */
static struct members object_of(struct members *m, const char *name)
{
	struct members out = {json_get(m->object, name), 0};

	if (!json_is_object(out.object))
		out.object = NULL;
	m->known += out.object != NULL;
	return out;
}

/* 1 if M has members beyond those that were understood. */
static int has_more(const struct members *m)
{
	return m->object != NULL && json_members(m->object) > m->known;
}

static void add_extra(struct str *s, const char *name, const struct json *value)
{
	char *text = json_text(value, JSON_ONE_LINE);

	if (s->len > 0)
		str_add(s, ", ");
	str_addf(s, "%s: %s", name, text);
	free(text);
}

/* 1 if the page shows the member NAME of RECORD elsewhere. */
static int is_shown(const struct json *record, const char *name)
{
	static const char *const texts[] = {"prev", "time", "event", "push_id", "stage", "status",
		"reason", "policy", "build", "correlation_id"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i]) == 0)
			return json_get_text(record, name) != NULL;
	if (strcmp(name, "actor") == 0 || strcmp(name, "repository") == 0)
		return json_is_object(json_get(record, name));
	if (strcmp(name, "refs") == 0)
		return json_is_array(json_get(record, name));
	return strcmp(name, "seq") == 0 ||
	       (strcmp(name, "pipeline") == 0 && json_get_number(record, name, 0) != 0);
}

static void add_unknown(struct str *s, const struct members *m)
{
	size_t n = 0, unknown = json_members(m->object) - m->known;
	const char *name;

	/* The more names there are, the longer each takes to find. */
	for (size_t i = 0; n < MAX_UNKNOWN && (name = json_name_at(m->object, i)) != NULL; i++)
		if (!is_shown(m->object, name)) {
			add_extra(s, name, json_get(m->object, name));
			n++;
		}
	if (unknown > n)
		str_addf(s, " and %zu more", unknown - n);
}

/* The codes of a reference, joined. */
static uint32_t put_codes(struct page_data *d, struct members *m)
{
	const struct json *codes = json_get(m->object, "codes");
	const char *code = text_of(m, "code"), *other;
	struct str s;
	uint32_t number;

	m->known += json_is_array(codes);
	str_init(&s);
	str_add(&s, code != NULL ? code : "");
	for (size_t i = 0; i < json_length(codes); i++) {
		other = json_string(json_at(codes, i));
		if (other == NULL || (i == 0 && str_same(other, code)))
			continue;
		str_addf(&s, "%s%s", s.len > 0 ? ", " : "", other);
	}
	number = put(d, s.buf);
	str_clear(&s);
	return number;
}

static void count_codes(struct page_data *d, const struct page_row *row, uint32_t codes)
{
	struct strlist list = {0};

	strlist_split(&list, d->strings.v[codes], ',');
	for (size_t i = 0; i < list.n; i++)
		page_tally_add(&d->rules, page_strings_put(&d->strings, list.v[i]),
			(enum page_kind)row->kind, row->time);
	strlist_clear(&list);
}

static void add_ref(struct page_data *d, struct page_row *row, struct members *m)
{
	struct page_ref r = {0};

	r.ref = put_text(d, m, "ref");
	r.old = put_text(d, m, "old");
	r.new = put_text(d, m, "new");
	r.source = put_text(d, m, "source");
	r.method = put_text(d, m, "method");
	r.codes = put_codes(d, m);
	r.reason = put_text(d, m, "reason");
	mem_grow(&d->refs, d->n_refs, &d->cap_refs, sizeof(*d->refs));
	d->refs[d->n_refs++] = r;
	row->n_refs++;
	if (r.codes != 0)
		count_codes(d, row, r.codes);
}

static void add_refs(
	struct page_data *d, struct page_row *row, const struct json *record, struct str *extra)
{
	const struct json *refs = json_get(record, "refs");

	row->first = d->n_refs;
	for (size_t i = 0; i < json_length(refs); i++) {
		struct members m = {json_at(refs, i), 0};

		add_ref(d, row, &m);
		if (!json_is_object(m.object) || has_more(&m))
			add_extra(extra, "refs", m.object);
	}
}

static enum page_kind kind_of(const char *event, const char *stage, const char *status)
{
	static const char *const pushes[PAGE_KINDS] = {[PAGE_ACCEPTED] = "push.accepted",
		[PAGE_REJECTED] = "push.rejected",
		[PAGE_OVERRIDDEN] = "push.overridden",
		[PAGE_SHADOWED] = "push.shadowed"};

	for (enum page_kind k = PAGE_ACCEPTED; k <= PAGE_SHADOWED; k++)
		if (str_same(event, pushes[k]))
			return k;
	if (str_same(event, "stage.finished") && str_same(status, "success") &&
		(str_same(stage, "deploy") || str_same(stage, "stage-model")))
		return PAGE_DEPLOYED;
	/* The record of one that has failed comes behind the one that told of it. */
	if (str_same(event, "model.rolledback") && !str_same(status, "failed"))
		return PAGE_DEPLOYED;
	return PAGE_OTHER;
}

/* Who did it, where, and by which policy: much the same in most records. */
static void add_context(
	struct page_data *d, struct page_row *row, struct members *m, struct str *extra)
{
	struct members actor = object_of(m, "actor"), place = object_of(m, "repository");
	uint32_t id = put_text(d, &actor, "id"), name = put_text(d, &actor, "name"),
		 protocol = put_text(d, &actor, "protocol"), path = put_text(d, &place, "path"),
		 project = put_text(d, &place, "project"),
		 gl = put_text(d, &place, "gl_repository"), policy = put_text(d, m, "policy"),
		 build = put_text(d, m, "build");
	char text[128];

	(void)snprintf(text, sizeof(text),
		"%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32
		",%" PRIu32,
		id, name, protocol, path, project, gl, policy, build);
	row->context = page_strings_put(&d->contexts, text);
	if (has_more(&actor))
		add_extra(extra, "actor", actor.object);
	if (has_more(&place))
		add_extra(extra, "repository", place.object);
	if (name != 0 || id != 0)
		page_tally_add(
			&d->people, name != 0 ? name : id, (enum page_kind)row->kind, row->time);
	if (project != 0 || path != 0)
		page_tally_add(&d->projects, project != 0 ? project : path,
			(enum page_kind)row->kind, row->time);
}

/* 1 if PREV is what the page can tell from the row before. */
static int is_chained(const struct page_data *d, const char *prev)
{
	return d->n_rows > 0 && prev != NULL && strcmp(prev, d->rows[d->n_rows - 1].hash) == 0;
}

void page_data_add(struct page_data *d, const char *line, const struct json *record)
{
	struct members m = {record, 0};
	struct page_row row = {0};
	const char *time = text_of(&m, "time"), *prev = text_of(&m, "prev");
	struct str extra;

	str_init(&extra);
	sha256_of(line, strlen(line), row.hash);
	row.seq = json_get_number(record, "seq", 0);
	row.pipeline = json_get_number(record, "pipeline", 0);
	m.known += 1 + (row.pipeline != 0) + json_is_array(json_get(record, "refs"));
	if (time != NULL)
		(void)clock_parse(time, &row.time); /* no record is without */
	row.kind = (uint8_t)kind_of(json_get_text(record, "event"), json_get_text(record, "stage"),
		json_get_text(record, "status"));
	row.event = put_text(d, &m, "event");
	row.stage = put_text(d, &m, "stage");
	row.status = put_text(d, &m, "status");
	row.reason = put_text(d, &m, "reason");
	row.push_id = put_text(d, &m, "push_id");
	row.correlation = put_text(d, &m, "correlation_id");
	row.prev = is_chained(d, prev) ? 0 : put(d, prev);
	add_refs(d, &row, record, &extra);
	add_context(d, &row, &m, &extra);
	if (has_more(&m))
		add_unknown(&extra, &m);
	row.extra = put(d, extra.buf);
	str_clear(&extra);
	d->counts[row.kind]++;
	mem_grow(&d->rows, d->n_rows, &d->cap_rows, sizeof(*d->rows));
	d->rows[d->n_rows++] = row;
}

/* --- as JSON --- */

static void write_strings(const struct page_data *d, FILE *out)
{
	(void)fputs("{\"strings\":[", out);
	for (uint32_t i = 0; i < d->strings.n; i++) {
		(void)fputs(i > 0 ? ",\n" : "", out);
		page_text_json(out, d->strings.v[i]);
	}
	(void)fputs("],\n\"contexts\":[[]", out);
	for (uint32_t i = 1; i < d->contexts.n; i++)
		(void)fprintf(out, ",[%s]", d->contexts.v[i]);
	(void)fputs("],\n\"refs\":[", out);
	for (size_t i = 0; i < d->n_refs; i++) {
		const struct page_ref *r = &d->refs[i];

		(void)fprintf(out,
			"%s%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32
			",%" PRIu32,
			i > 0 ? "," : "", r->ref, r->old, r->new, r->source, r->method, r->codes,
			r->reason);
	}
	(void)fputs("]", out);
}

/* What each row has, as long texts of parts of equal length. */
static void write_texts(const struct page_data *d, FILE *out)
{
	char text[CLOCK_TEXT_SIZE];

	(void)fputs(",\n\"hash\":\"", out);
	for (size_t i = 0; i < d->n_rows; i++)
		(void)fputs(d->rows[i].hash, out);
	(void)fputs("\",\n\"time\":\"", out);
	for (size_t i = 0; i < d->n_rows; i++) {
		clock_text(d->rows[i].time, text);
		(void)fputs(text, out);
	}
	(void)fputs("\",\n\"kind\":\"", out);
	for (size_t i = 0; i < d->n_rows; i++)
		(void)fputc('0' + d->rows[i].kind, out);
	(void)fputs("\"", out);
}

enum column {
	SEQ,
	EVENT,
	CONTEXT,
	FIRST,
	PIPELINE,
	STAGE,
	STATUS,
	REASON,
	PUSH,
	CORRELATION,
	PREV,
	EXTRA,
	COLUMNS
};

static int64_t value_of(const struct page_row *r, enum column c)
{
	switch (c) {
	case SEQ:
		return r->seq;
	case EVENT:
		return r->event;
	case CONTEXT:
		return r->context;
	case FIRST:
		return (int64_t)r->first;
	case PIPELINE:
		return r->pipeline;
	case STAGE:
		return r->stage;
	case STATUS:
		return r->status;
	case REASON:
		return r->reason;
	case PUSH:
		return r->push_id;
	case CORRELATION:
		return r->correlation;
	case PREV:
		return r->prev;
	case EXTRA:
	case COLUMNS:
		break;
	}
	return r->extra;
}

void page_data_write(const struct page_data *d, FILE *out)
{
	static const char *const names[COLUMNS] = {[SEQ] = "seq",
		[EVENT] = "event",
		[CONTEXT] = "context",
		[FIRST] = "first",
		[PIPELINE] = "pipeline",
		[STAGE] = "stage",
		[STATUS] = "status",
		[REASON] = "reason",
		[PUSH] = "push",
		[CORRELATION] = "correlation",
		[PREV] = "prev",
		[EXTRA] = "extra"};

	write_strings(d, out);
	write_texts(d, out);
	for (enum column c = 0; c < COLUMNS; c++) {
		(void)fprintf(out, ",\n\"%s\":[", names[c]);
		for (size_t i = 0; i < d->n_rows; i++)
			(void)fprintf(
				out, "%s%" PRId64, i > 0 ? "," : "", value_of(&d->rows[i], c));
		(void)fputs("]", out);
	}
	(void)fputs("}", out);
}
