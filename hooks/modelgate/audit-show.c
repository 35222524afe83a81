#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "data/json.h"
#include "git/oid.h"

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
	const char *const *as_json = context;

	if (*as_json != NULL)
		printf("%s\n", line);
	else
		print_record(record);
	return ferror(stdout) ? 1 : 0; /* which main tells */
}

static int show(struct command *c, int argc, char **argv)
{
	struct audit_choice choice = {.since = NULL};
	const char *as_json = NULL;
	const struct command_option options[] = {
		AUDIT_CHOICE_OPTIONS(choice), {"--json", &as_json}, {NULL, NULL}};
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_show, argc, argv, options, 0, 0);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (audit_choice_read(&choice) != 0)
		return COMMAND_USAGE;
	if (command_prepare(c, COMMAND_READS, &e) != 0 ||
		audit_each(c->config->state, &choice.filter, print_each, &as_json, &e) < 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	return COMMAND_DONE;
}

const struct verb audit_verb_show = {
	.name = "audit show",
	.run = show,
	.arguments = AUDIT_CHOICE_ARGUMENTS " [--json]",
	.summary = "Print the records, oldest first",
	.options = AUDIT_CHOICE_HELP "  --json       the records as they stand in the log\n",
};
