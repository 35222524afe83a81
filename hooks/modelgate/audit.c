#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit-report.h"
#include "audit/chain.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "data/json.h"
#include "git/oid.h"
#include "sys/files.h"

struct request {
	struct audit_filter filter;
	const char *since;
	const char *until;
	const char *as_json;
	const char *html; /* of report: where the page goes */
};

/* The log and, where there is nothing in it, what the store knows. */
struct check {
	enum audit_verdict verdict;
	struct audit_report report;
	int64_t pushes; /* known to the store and missing from the log; 0: none is */
};

static int is_empty(const struct check *k)
{
	return k->verdict == AUDIT_VALID && k->report.records == 0 && k->report.broken_off == 0;
}

/* How many pushes the store of STATE knows of, 0 if there is none.  0 and *N, or -1. */
static int count_pushes(const char *state, int64_t *n, struct err *e)
{
	struct store *s = NULL;
	char *path = path_join(state, CONFIG_STATE_STORE);
	int status = 0;

	*n = 0;
	/* Looked for first: opening would make it. */
	if (files_exists(path) && (store_open(&s, state, e) != 0 || store_pushes(s, n, e) != 0))
		status = -1;
	store_close(s);
	free(path);
	return status;
}

/*
 * A log that holds nothing is in order only where nothing was pushed.  0 and *K, which the caller
 * clears, or -1.
 */
static int check(struct check *k, const char *state, struct err *e)
{
	int64_t pushes;

	memset(k, 0, sizeof(*k));
	if (audit_verify(state, &k->verdict, &k->report, e) != 0)
		return -1;
	if (!is_empty(k))
		return 0;
	if (count_pushes(state, &pushes, e) != 0)
		return -1;
	if (pushes == 0)
		return 0;
	/* The first push may have come between the two. */
	audit_report_clear(&k->report);
	if (audit_verify(state, &k->verdict, &k->report, e) != 0)
		return -1;
	if (!is_empty(k))
		return 0;
	k->verdict = AUDIT_INVALID;
	k->pushes = pushes;
	k->report.fault =
		mem_format("the log is missing, but the store knows of %" PRId64 " push%s", pushes,
			pushes == 1 ? "" : "es");
	return 0;
}

static void print_nothing_yet(const struct command *c)
{
	char *state = str_safe(c->config->state, 4096);

	printf("modelgate: nothing has been recorded yet in %s\n", state);
	free(state);
}

static void print_verdict(const struct check *k)
{
	const struct audit_report *r = &k->report;

	if (k->verdict == AUDIT_VALID) {
		printf("modelgate: audit log is valid: %" PRId64 " records, head %s\n", r->records,
			r->head);
		if (r->recovered > 0)
			printf("modelgate:   torn lines that the log accounts for: %" PRId64 "\n",
				r->recovered);
		if (r->broken_off > 0)
			printf("modelgate:   the last %" PRId64 " bytes are of an append that was "
			       "broken off; the next one accounts for them\n",
				r->broken_off);
	} else if (r->line > 0) {
		printf("modelgate: audit log is NOT valid: line %" PRId64 ": %s\n", r->line,
			r->fault);
	} else {
		printf("modelgate: audit log is NOT valid: %s%s\n",
			k->pushes > 0 ? "" : "its head ", r->fault);
	}
}

static void print_verdict_json(enum audit_verdict verdict, const struct audit_report *r)
{
	struct json *j = json_new_object();
	char *text;

	json_put_text(j, "verdict", verdict == AUDIT_VALID ? "valid" : "invalid");
	json_put_number(j, "records", r->records);
	if (verdict == AUDIT_VALID) {
		json_put_text(j, "head", r->head);
		json_put_number(j, "recovered", r->recovered);
		json_put_number(j, "broken_off", r->broken_off);
	} else {
		json_put_number(j, "line", r->line);
		json_put_text(j, "fault", r->fault);
	}
	text = json_text(j, JSON_ONE_LINE);
	printf("%s\n", text);
	free(text);
	json_free(j);
}

static int verify(const struct command *c, const struct request *r)
{
	struct check k;
	struct err e = ERR_INIT;
	int status;

	if (check(&k, c->config->state, &e) != 0) {
		status = command_err(COMMAND_CANNOT_TELL, &e);
	} else {
		if (r->as_json != NULL)
			print_verdict_json(k.verdict, &k.report);
		else if (is_empty(&k))
			print_nothing_yet(c);
		else
			print_verdict(&k);
		status = k.verdict == AUDIT_VALID ? COMMAND_DONE : COMMAND_NO;
	}
	audit_report_clear(&k.report);
	return status;
}

static const char *or_dash(const char *text)
{
	return text != NULL && *text != '\0' ? text : "-";
}

static void add_word(struct str *s, const char *text)
{
	if (s->len > 0)
		str_addc(s, ' ');
	str_add_safe(s, or_dash(text));
}

static void add_start(struct str *s, const struct json *record)
{
	const struct json *actor = json_get(record, "actor");
	const char *name = json_get_text(actor, "name");
	const char *when = json_get_text(record, "time");
	char text[COMMAND_TIME_SIZE];
	int64_t time = 0;

	if (when != NULL)
		(void)clock_parse(when, &time); /* 0, "-", where it cannot: no record is without */
	command_time(time, text);
	str_add(s, text);
	add_word(s, json_get_text(record, "event"));
	add_word(s, name != NULL && *name != '\0' ? name : json_get_text(actor, "id"));
}

static void add_short(struct str *s, const char *oid)
{
	char *text = mem_strndup(or_dash(oid), strnlen(or_dash(oid), OID_SHORT));

	str_add_safe(s, text);
	free(text);
}

/* The codes of REF with commas; the caller's to free().  NULL: it has none. */
static char *codes_text(const struct json *ref)
{
	const struct json *codes = json_get(ref, "codes");
	const char *code = json_get_text(ref, "code");
	struct str s;

	if (code == NULL)
		return NULL;
	str_init(&s);
	str_add(&s, code);
	for (size_t i = 1; i < json_length(codes); i++) {
		str_addc(&s, ',');
		str_add(&s, or_dash(json_string(json_at(codes, i))));
	}
	return str_steal(&s);
}

static void add_ref(struct str *s, const struct json *ref)
{
	char *codes = codes_text(ref);

	add_word(s, json_get_text(ref, "ref"));
	str_addc(s, ' ');
	add_short(s, json_get_text(ref, "old"));
	str_add(s, "..");
	add_short(s, json_get_text(ref, "new"));
	add_word(s, codes != NULL ? codes : json_get_text(ref, "method"));
	free(codes);
}

/* What an event that is not about references is about. */
static void add_others(struct str *s, const struct json *record)
{
	static const char *const members[] = {"stage", "status"};
	int64_t pipeline = json_get_number(record, "pipeline", 0);
	const char *text;

	if (pipeline != 0)
		str_addf(s, " pipeline %" PRId64, pipeline);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		text = json_get_text(record, members[i]);
		if (text != NULL)
			add_word(s, text);
	}
}

/* The audit id, and the reasons that the reference and the record have. */
static void add_end(struct str *s, const struct json *record, const struct json *ref)
{
	const char *const reasons[] = {
		json_get_text(ref, "reason"), json_get_text(record, "reason")};
	const char *between = ": ";

	add_word(s, json_get_text(record, "push_id"));
	for (size_t i = 0; i < 2; i++)
		if (reasons[i] != NULL) {
			str_add(s, between);
			str_add_safe(s, reasons[i]);
			between = "; ";
		}
}

/* A line for each reference of RECORD, or one if it has none. */
static void print_record(const struct json *record)
{
	const struct json *refs = json_get(record, "refs");
	size_t n = json_length(refs), i = 0;
	struct str s;

	str_init(&s);
	do {
		str_reset(&s);
		add_start(&s, record);
		if (n > 0)
			add_ref(&s, json_at(refs, i));
		add_others(&s, record);
		add_end(&s, record, json_at(refs, i));
		printf("%s\n", s.buf);
	} while (++i < n);
	str_clear(&s);
}

static int print_each(void *context, const char *line, const struct json *record)
{
	const struct request *r = context;

	if (r->as_json != NULL)
		printf("%s\n", line);
	else
		print_record(record);
	return ferror(stdout) ? 1 : 0; /* which main tells */
}

static int show(const struct command *c, struct request *r)
{
	struct err e = ERR_INIT;

	if (audit_each(c->config->state, &r->filter, print_each, r, &e) < 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	return COMMAND_DONE;
}

/* What the page says on its top.  *FAULT is the caller's to free(), after the verdict was used. */
static struct page_verdict page_verdict(const struct check *k, char **fault)
{
	const struct audit_report *r = &k->report;
	struct page_verdict v = {.finding = is_empty(k)                 ? PAGE_NOTHING
					    : k->verdict == AUDIT_VALID ? PAGE_VALID
									: PAGE_INVALID,
		.head = r->head,
		.records = r->records};

	*fault = NULL;
	if (v.finding == PAGE_VALID)
		v.last_seq = r->records;
	if (v.finding == PAGE_INVALID && r->line > 0)
		*fault = mem_format("line %" PRId64 ": %s", r->line, r->fault);
	else if (v.finding == PAGE_INVALID)
		*fault = mem_format("%s%s", k->pushes > 0 ? "" : "its head ", r->fault);
	v.fault = *fault;
	return v;
}

static int report(const struct command *c, const struct request *r)
{
	struct check k;
	struct err e = ERR_INIT;
	struct page_verdict v;
	char *fault = NULL;
	int status;

	if (check(&k, c->config->state, &e) != 0) {
		status = command_err(COMMAND_CANNOT_TELL, &e);
	} else {
		v = page_verdict(&k, &fault);
		status = audit_report_run(c, r->html, &r->filter, &v);
	}
	free(fault);
	audit_report_clear(&k.report);
	return status;
}

/* TEXT may be NULL: not given.  0, or -1 and told. */
static int read_time(const char *text, const char *option, int64_t *out)
{
	if (text == NULL || clock_parse(text, out) == 0)
		return 0;
	return command_fail(-1,
		"%s \"%s\" is no time: 2026-11-23 or 2026-11-23T20:21:49Z (UTC) is one", option,
		text);
}

/* 0: TEXT is NULL, an event, or a glob, which may fit none yet; or -1 and told. */
static int check_event(const char *text)
{
	struct strlist events = {0};
	char *words;
	int status = 0;

	for (const char *const *event = audit_events(); *event != NULL; event++)
		strlist_add(&events, *event);
	if (text != NULL && strpbrk(text, "*?[") == NULL && !strlist_has(&events, text)) {
		words = strlist_join(&events, ", ");
		status = command_fail(-1, "\"%s\" is no event; these are: %s", text, words);
		free(words);
	}
	strlist_clear(&events);
	return status;
}

static int is_verb(const char *word)
{
	return strcmp(word, "verify") == 0 || strcmp(word, "show") == 0 ||
	       strcmp(word, "report") == 0;
}

static int audit(struct command *c, int argc, char **argv)
{
	struct request r = {.as_json = NULL};
	const struct command_option options[] = {{"--user=", &r.filter.user},
		{"--ref=", &r.filter.ref}, {"--event=", &r.filter.event}, {"--since=", &r.since},
		{"--until=", &r.until}, {"--json", &r.as_json}, {"--html=", &r.html}, {NULL, NULL}};
	int n;

	/* Not even --help makes sense of another word. */
	if (argc > 1 && argv[1][0] != '-' && !is_verb(argv[1]))
		return command_fail(
			COMMAND_USAGE, "\"%s\" is neither verify nor show nor report", argv[1]);
	n = command_options(&verb_audit, argc, argv, options, 0, 1);
	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (n == 0)
		return command_fail(COMMAND_USAGE,
			"audit: verify, show or report is missing; modelgate "
			"audit --help shows how it goes");
	if (strcmp(argv[1], "verify") == 0) {
		if (r.filter.user || r.filter.ref || r.filter.event || r.since || r.until || r.html)
			return command_fail(COMMAND_USAGE,
				"audit verify checks the whole log: it takes no "
				"option but --json");
		return verify(c, &r);
	}
	if (!is_verb(argv[1]))
		return command_fail(
			COMMAND_USAGE, "\"%s\" is neither verify nor show nor report", argv[1]);
	if (check_event(r.filter.event) != 0 ||
		read_time(r.since, "--since", &r.filter.since) != 0 ||
		read_time(r.until, "--until", &r.filter.until) != 0)
		return COMMAND_USAGE;
	if (strcmp(argv[1], "report") == 0) {
		if (r.html == NULL || r.as_json != NULL)
			return command_fail(COMMAND_USAGE,
				"audit report takes --html FILE, \"-\" for standard output, and "
				"no --json");
		return report(c, &r);
	}
	if (r.html != NULL)
		return command_fail(COMMAND_USAGE, "audit show prints: --html is for report");
	return show(c, &r);
}

const struct verb verb_audit = {
	.name = "audit",
	.run = audit,
	.needs_config = 1,
	.arguments =
		"verify | show | report --html FILE [--user U] [--ref R] [--event E] [--since T] "
		"[--until T] [--json]",
	.summary = "Check the audit log (verify), print what it says (show), or make a page of it "
		   "(report)",
	.options = "  --html F   of report: the file to write; - is standard output\n"
		   "  --user U   only what this user did, by name or id\n"
		   "  --ref R    only what is about this branch or reference; a glob\n"
		   "  --event E  only events of this name; a glob, such as 'push.*'\n"
		   "  --since T  only from this time on, 2026-11-23 or 2026-11-23T20:21:49Z (UTC)\n"
		   "  --until T  only before this time\n"
		   "  --json     the records as they stand in the log; the verdict as JSON\n",
};
