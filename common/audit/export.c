#include "audit/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/str.h"
#include "data/json.h"

/* One reference of a record, or the record where it has none. */
struct item {
	const struct json *record;
	const struct json *actor;
	const struct json *repository;
	const struct json *ref; /* NULL: it has none */
	char *codes;            /* with blanks between; "" */
	char *reason;           /* of the reference and of the record; "" */
	char hash[SHA256_HEX_SIZE];
};

static char *codes_of(const struct json *ref)
{
	const struct json *codes = json_get(ref, "codes");
	struct strlist list = {0};
	char *text;

	for (size_t i = 0; i < json_length(codes); i++)
		if (json_string(json_at(codes, i)) != NULL)
			strlist_add(&list, json_string(json_at(codes, i)));
	if (list.n == 0 && json_get_text(ref, "code") != NULL)
		strlist_add(&list, json_get_text(ref, "code"));
	text = strlist_join(&list, " ");
	strlist_clear(&list);
	return text;
}

static char *reason_of(const struct json *record, const struct json *ref)
{
	const char *one = json_get_text(ref, "reason"), *other = json_get_text(record, "reason");

	if (one != NULL && other != NULL)
		return mem_format("%s; %s", one, other);
	return mem_strdup(one != NULL ? one : other != NULL ? other : "");
}

/* Call EACH with every item of R until it returns other than 0, which is returned; else 0. */
static int each_item(const struct export_record *r,
	int (*each)(void *context, const struct item *item), void *context)
{
	const struct json *refs = json_get(r->json, "refs");
	size_t n = json_length(refs), i = 0;
	struct item item = {.record = r->json};
	int status;

	item.actor = json_get(r->json, "actor");
	item.repository = json_get(r->json, "repository");
	sha256_of(r->line, strlen(r->line), item.hash);
	do {
		item.ref = json_at(refs, i);
		item.codes = codes_of(item.ref);
		item.reason = reason_of(r->json, item.ref);
		status = each(context, &item);
		free(item.codes);
		free(item.reason);
	} while (status == 0 && ++i < n);
	return status;
}

/* ---- CSV ---- */

struct cell {
	const char *name;
	enum { OF_RECORD, OF_ACTOR, OF_REPOSITORY, OF_REF, NUMBER, CODES, REASON, HASH } from;
	const char *member;
};

static const struct cell cells[] = {
	{"seq", NUMBER, "seq"},
	{"time", OF_RECORD, "time"},
	{"event", OF_RECORD, "event"},
	{"push_id", OF_RECORD, "push_id"},
	{"actor_id", OF_ACTOR, "id"},
	{"actor_name", OF_ACTOR, "name"},
	{"protocol", OF_ACTOR, "protocol"},
	{"repository", OF_REPOSITORY, "path"},
	{"project", OF_REPOSITORY, "project"},
	{"gl_repository", OF_REPOSITORY, "gl_repository"},
	{"ref", OF_REF, "ref"},
	{"old", OF_REF, "old"},
	{"new", OF_REF, "new"},
	{"source", OF_REF, "source"},
	{"method", OF_REF, "method"},
	{"codes", CODES, NULL},
	{"reason", REASON, NULL},
	{"pipeline", NUMBER, "pipeline"},
	{"stage", OF_RECORD, "stage"},
	{"status", OF_RECORD, "status"},
	{"policy", OF_RECORD, "policy"},
	{"build", OF_RECORD, "build"},
	{"correlation_id", OF_RECORD, "correlation_id"},
	{"prev", OF_RECORD, "prev"},
	{"hash", HASH, NULL},
};

#define N_CELLS (sizeof(cells) / sizeof(cells[0]))

/* Spreadsheets run what begins so (OWASP, CSV injection), some of them in full width too. */
static int is_formula(const char *text)
{
	static const char *const begins[] = {
		"=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (str_starts(text, begins[i]))
			return 1;
	return 0;
}

/*
 * In some countries cells end at a semicolon, also between our quotes, which do not begin a cell then: 1 if C is one,
 * and what follows it would be run.
 */
static int begins_formula(const char *c)
{
	return *c == ';' && is_formula(c + 1 + strspn(c + 1, " \""));
}

/* TEXT made harmless, in quotes where it needs them. */
static void add_csv(struct str *out, const char *text)
{
	struct str safe;
	int is_quoted;

	str_init(&safe);
	str_add_safe(&safe, text);
	is_quoted = is_formula(safe.buf) || strpbrk(safe.buf, "\",;") != NULL;
	if (is_quoted)
		str_addc(out, '"');
	if (is_formula(safe.buf))
		str_addc(out, '\'');
	for (const char *c = safe.buf; *c != '\0'; c++) {
		if (*c == '"')
			str_addc(out, '"');
		str_addc(out, *c);
		if (begins_formula(c))
			str_addc(out, '\'');
	}
	if (is_quoted)
		str_addc(out, '"');
	str_clear(&safe);
}

static const char *cell_text(const struct cell *c, const struct item *item)
{
	switch (c->from) {
	case OF_ACTOR:
		return json_get_text(item->actor, c->member);
	case OF_REPOSITORY:
		return json_get_text(item->repository, c->member);
	case OF_REF:
		return json_get_text(item->ref, c->member);
	case CODES:
		return item->codes;
	case REASON:
		return item->reason;
	case HASH:
		return item->hash;
	default:
		return json_get_text(item->record, c->member);
	}
}

static void add_cell(struct str *out, const struct cell *c, const struct item *item)
{
	const char *text;
	int64_t number;

	if (c->from == NUMBER) {
		number = json_get_number(item->record, c->member, 0);
		if (number != 0)
			str_addf(out, "%" PRId64, number);
	} else {
		text = cell_text(c, item);
		if (text != NULL)
			add_csv(out, text);
	}
}

static int add_row(void *context, const struct item *item)
{
	struct str *out = context;

	add_cell(out, &cells[0], item);
	for (size_t i = 1; i < N_CELLS; i++) {
		str_addc(out, ',');
		add_cell(out, &cells[i], item);
	}
	str_add(out, "\r\n");
	return 0;
}

void export_csv_header(struct str *out)
{
	for (size_t i = 0; i < N_CELLS; i++)
		str_addf(out, "%s%s", i > 0 ? "," : "", cells[i].name);
	str_add(out, "\r\n");
}

void export_csv(struct str *out, const struct export_record *r)
{
	(void)each_item(r, add_row, out); /* add_row has nothing to fail with */
}

/* ---- what an event is worth ---- */

struct weight {
	const char *event; /* a glob */
	int cef;           /* 0 to 10 */
	int syslog;        /* severity of RFC 5424: 7 debug ... 0 emergency */
	const char *title;
};

enum { ALERT = 1, ERROR = 3, WARNING = 4, NOTICE = 5, INFORMATIONAL = 6 };

static const struct weight weights[] = {
	{"push.accepted", 1, INFORMATIONAL, "Push accepted"},
	{"push.rejected", 5, NOTICE, "Push rejected"},
	{"push.overridden", 8, WARNING, "Rejection overridden"},
	{"push.shadowed", 5, NOTICE, "Push accepted in shadow mode"},
	{"ref.updated", 2, INFORMATIONAL, "Reference updated"},
	{"ref.unsourced", 7, WARNING, "Reference updated without a source"},
	{"ref.drifted", 8, WARNING, "Reference moved past the hooks"},
	{"pipeline.*", 2, INFORMATIONAL, "Pipeline"},
	{"stage.*", 2, INFORMATIONAL, "Stage"},
	{"model.rolledback", 6, NOTICE, "Model version rolled back"},
	{"policy.changed", 7, NOTICE, "Policy changed"},
	{"audit.recovered", 9, WARNING, "Audit log recovered"},
	{"audit.rotated", 2, INFORMATIONAL, "Audit log rotated"},
	{"*", 5, NOTICE, "Event"},
};

static const struct weight *weight_of(const char *event)
{
	const struct weight *w = weights;

	while (!str_glob(w->event, event))
		w++;
	return w;
}

static const char *text_or(const struct json *o, const char *name, const char *fallback)
{
	const char *text = json_get_text(o, name);

	return text != NULL && *text != '\0' ? text : fallback;
}

/* ---- CEF ---- */

/* TEXT made harmless, then each of SPECIAL behind a backslash. */
static void add_escaped(struct str *out, const char *text, const char *special)
{
	struct str safe;

	str_init(&safe);
	str_add_safe(&safe, text);
	for (const char *c = safe.buf; *c != '\0'; c++) {
		if (strchr(special, *c) != NULL)
			str_addc(out, '\\');
		str_addc(out, *c);
	}
	str_clear(&safe);
}

static void add_extension(struct str *out, const char *key, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	str_addf(out, " %s=", key);
	add_escaped(out, text, "\\=");
}

static void add_labelled(struct str *out, int number, const char *label, const char *text)
{
	if (text != NULL && *text != '\0') {
		char *key = mem_format("cs%d", number);

		str_addf(out, " cs%dLabel=%s", number, label);
		add_extension(out, key, text);
		free(key);
	}
}

static int add_event(void *context, const struct item *item)
{
	const char *event = text_or(item->record, "event", "");
	const struct weight *w = weight_of(event);
	struct str *out = context;
	int64_t time = 0, pipeline = json_get_number(item->record, "pipeline", 0);

	(void)clock_parse(text_or(item->record, "time", ""), &time); /* each record has one */
	str_add(out, "CEF:0|modelgate|modelgate|");
	add_escaped(out, text_or(item->record, "build", "-"), "\\|");
	str_addc(out, '|');
	add_escaped(out, event, "\\|");
	str_addf(out, "|%s|%d|rt=%" PRId64 " externalId=%" PRId64, w->title, w->cef, time / 1000,
		json_get_number(item->record, "seq", 0));
	add_extension(out, "act", event);
	add_extension(out, "suser", json_get_text(item->actor, "name"));
	add_extension(out, "suid", json_get_text(item->actor, "id"));
	add_extension(out, "app", json_get_text(item->actor, "protocol"));
	add_extension(out, "filePath", json_get_text(item->repository, "path"));
	add_extension(out, "destinationServiceName", json_get_text(item->repository, "project"));
	add_extension(out, "fname", json_get_text(item->ref, "ref"));
	add_extension(out, "oldFileHash", json_get_text(item->ref, "old"));
	add_extension(out, "fileHash", json_get_text(item->ref, "new"));
	add_extension(out, "outcome", json_get_text(item->record, "status"));
	add_extension(out, "reason", item->reason);
	if (pipeline != 0)
		str_addf(out, " cn1Label=pipeline cn1=%" PRId64, pipeline);
	add_labelled(out, 1, "codes", item->codes);
	add_labelled(out, 2, "pushId", json_get_text(item->record, "push_id"));
	add_labelled(out, 3, "source", json_get_text(item->ref, "source"));
	add_labelled(out, 4, "method", json_get_text(item->ref, "method"));
	add_labelled(out, 5, "stage", json_get_text(item->record, "stage"));
	add_labelled(out, 6, "recordHash", item->hash);
	str_addc(out, '\n');
	return 0;
}

void export_cef(struct str *out, const struct export_record *r)
{
	(void)each_item(r, add_event, out); /* add_event has nothing to fail with */
}

/* ---- syslog ---- */

#define FACILITY 13                    /* log audit */
#define STRUCTURE_ID "modelgate@32473" /* 32473: the number for examples (RFC 5612): we have none */
#define VALUE_MAX 500                  /* bytes of one value: 15 of them leave room for the rest */
#define ID_MAX 32

struct messages {
	const char *host;
	int (*each)(void *context, const char *message, size_t len);
	void *context;
};

/* What needs a \ in front: RFC 5424, section 6.3.3. */
static const char special[] = "\"\\]";

/* The bytes of SAFE that stay, so that with all escapes they are at most MAX and no character is cut. */
static size_t find_cut(const char *safe, size_t max)
{
	size_t at = 0, room = 0, n;
	unsigned long c;

	for (; safe[at] != '\0'; at += n) {
		n = str_utf8(safe + at, strnlen(safe + at, 4), &c); /* is never 0 */
		room += n + (strchr(special, safe[at]) != NULL);
		if (room > max)
			break;
	}
	return at;
}

/* A value is UTF-8, of at most VALUE_MAX bytes with its escapes: all of them leave room for the rest. */
static void add_parameter(struct str *out, const char *name, const char *text)
{
	struct str safe;
	size_t cut;

	if (text == NULL || *text == '\0')
		return;
	str_init(&safe);
	str_add_safe(&safe, text);
	cut = find_cut(safe.buf, VALUE_MAX);
	if (cut < safe.len)
		cut = find_cut(safe.buf, VALUE_MAX - 3);
	str_addf(out, " %s=\"", name);
	for (size_t i = 0; i < cut; i++) {
		if (strchr(special, safe.buf[i]) != NULL)
			str_addc(out, '\\');
		str_addc(out, safe.buf[i]);
	}
	str_addf(out, "%s\"", cut < safe.len ? "..." : "");
	str_clear(&safe);
}

static void add_structure(struct str *out, const struct item *item)
{
	int64_t pipeline = json_get_number(item->record, "pipeline", 0);

	str_addf(out, "[" STRUCTURE_ID " seq=\"%" PRId64 "\" hash=\"%s\"",
		json_get_number(item->record, "seq", 0), item->hash);
	add_parameter(out, "push_id", json_get_text(item->record, "push_id"));
	add_parameter(out, "actor_id", json_get_text(item->actor, "id"));
	add_parameter(out, "actor_name", json_get_text(item->actor, "name"));
	add_parameter(out, "protocol", json_get_text(item->actor, "protocol"));
	add_parameter(out, "project", json_get_text(item->repository, "project"));
	add_parameter(out, "repository", json_get_text(item->repository, "path"));
	add_parameter(out, "ref", json_get_text(item->ref, "ref"));
	add_parameter(out, "old", json_get_text(item->ref, "old"));
	add_parameter(out, "new", json_get_text(item->ref, "new"));
	add_parameter(out, "source", json_get_text(item->ref, "source"));
	add_parameter(out, "method", json_get_text(item->ref, "method"));
	add_parameter(out, "codes", item->codes);
	if (pipeline != 0)
		str_addf(out, " pipeline=\"%" PRId64 "\"", pipeline);
	add_parameter(out, "stage", json_get_text(item->record, "stage"));
	add_parameter(out, "status", json_get_text(item->record, "status"));
	str_addc(out, ']');
}

/* As MSGID, which is printable ASCII: the log may hold what we have not written. */
static void add_id(struct str *out, const char *event)
{
	size_t n = 0;

	for (; n < ID_MAX && event[n] != '\0'; n++)
		str_addc(out, event[n] > ' ' && event[n] <= '~' ? event[n] : '-');
	if (n == 0)
		str_addc(out, '-');
}

static int give_message(void *context, const struct item *item)
{
	const struct messages *m = context;
	const char *event = text_or(item->record, "event", "");
	char *reason = str_safe(item->reason, VALUE_MAX), when[CLOCK_TEXT_SIZE];
	int64_t time = 0;
	struct str s;
	int status;

	(void)clock_parse(text_or(item->record, "time", ""), &time); /* each record has one */
	clock_text(time, when);
	str_init(&s);
	str_addf(&s, "<%d>1 %s %s modelgate %ld ", FACILITY * 8 + weight_of(event)->syslog, when,
		m->host, (long)getpid());
	add_id(&s, event);
	str_addc(&s, ' ');
	add_structure(&s, item);
	str_addf(&s, " %s%s%s", weight_of(event)->title, *reason != '\0' ? ": " : "", reason);
	status = m->each(m->context, s.buf, s.len);
	str_clear(&s);
	free(reason);
	return status;
}

int export_syslog(const struct export_record *r, const char *host,
	int (*each)(void *context, const char *message, size_t len), void *context)
{
	struct messages m = {host, each, context};

	return each_item(r, give_message, &m);
}
