#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "audit/export.h"
#include "base/err.h"
#include "base/str.h"
#include "data/config.h"

enum format { JSONL, CSV, CEF, N_FORMATS };

static const char *const formats[N_FORMATS] = {"jsonl", "csv", "cef"};

static int print_each(void *context, const char *line, const struct json *json)
{
	const enum format *format = context;
	const struct export_record record = {line, json};
	struct str text;

	str_init(&text);
	if (*format == CSV)
		export_csv(&text, &record);
	else if (*format == CEF)
		export_cef(&text, &record);
	else
		str_addf(&text, "%s\n", line);
	(void)fwrite(text.buf, 1, text.len, stdout); /* main() looks at ferror(stdout) */
	str_clear(&text);
	return ferror(stdout) ? 1 : 0;
}

static int print_all(const struct command *c, const struct audit_filter *filter, enum format format,
	struct err *e)
{
	struct str header;

	str_init(&header);
	if (format == CSV)
		export_csv_header(&header);
	printf("%s", header.buf);
	str_clear(&header);
	return audit_each(c->config->state, filter, print_each, &format, e);
}

static int export(struct command *c, int argc, char **argv)
{
	struct audit_choice choice = {.since = NULL};
	const char *word = formats[JSONL];
	const struct command_option options[] = {
		{"--format=", &word}, AUDIT_CHOICE_OPTIONS(choice), {NULL, NULL}};
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_export, argc, argv, options, 0, 0);
	enum format format = JSONL;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	while (format < N_FORMATS && strcmp(formats[format], word) != 0)
		format++;
	if (format == N_FORMATS)
		return command_fail(
			COMMAND_USAGE, "--format \"%s\" is none of jsonl, csv, cef", word);
	if (audit_choice_read(&choice) != 0)
		return COMMAND_USAGE;
	if (command_prepare(c, COMMAND_READS, &e) != 0 ||
		print_all(c, &choice.filter, format, &e) < 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	return COMMAND_DONE;
}

const struct verb audit_verb_export = {
	.name = "audit export",
	.run = export,
	.arguments = "[--format jsonl|csv|cef] " AUDIT_CHOICE_ARGUMENTS,
	.summary = "Print the records for other programs: a row or an event for each reference",
	.options = "  --format F   jsonl, as they stand in the log; csv (RFC 4180); cef "
		   "(ArcSight)\n" AUDIT_CHOICE_HELP,
};
