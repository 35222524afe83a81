#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "audit/page.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/code.h"
#include "sys/replace.h"

#define ERASE "\r\033[K" /* the line at hand, on a terminal */

/* Somebody waits at a terminal.  Nothing of it is left when it is done. */
static void tell_progress(void *context, int64_t records)
{
	(void)context;
	(void)fprintf(stderr, ERASE "modelgate: %" PRId64 " records", records);
}

static int write_page(FILE *out, const struct page_request *r, struct err *e)
{
	int status = page_write(out, r, e);

	if (r->progress != NULL)
		(void)fputs(ERASE, stderr);
	return status;
}

static int write_file(const char *path, const struct page_request *r, struct err *e)
{
	struct replace file;
	int status = -1;

	if (replace_begin(&file, path, e) == 0 && write_page(file.file, r, e) == 0)
		status = replace_commit(&file, e);
	replace_clear(&file);
	return status;
}

/* Written to PATH; 0, or -1 and *E. */
static int write_to(const char *path, const struct page_request *r, struct err *e)
{
	return strcmp(path, "-") == 0 ? write_page(stdout, r, e) : write_file(path, r, e);
}

struct request {
	struct audit_choice choice;
	const char *html;
	const char *checkpoint;
	const char *public_key;
	const char *without_oldest;
};

/* What the page says on its top.  FAULT and NOTES live as long as it. */
static struct page_verdict verdict_of(
	const struct audit_check *k, const char *fault, const struct strlist *notes)
{
	return (struct page_verdict){.finding = k->is_empty                 ? PAGE_NOTHING
						: k->verdict == AUDIT_VALID ? PAGE_VALID
									    : PAGE_INVALID,
		.fault = fault,
		.head = k->report.head,
		.records = k->report.records,
		.last_seq = k->report.seq,
		.notes = notes};
}

/* What else there is to say of K. */
static void add_notes(
	struct strlist *notes, const struct audit_check *k, const struct audit_signed *s)
{
	char *text;

	if (k->report.lines_before > 0) {
		text = mem_format("Its first %" PRId64 " lines are in files that are not here.",
			k->report.lines_before);
		strlist_add(notes, text);
		free(text);
	}
	if (s == NULL) {
		strlist_add(notes, "No checkpoint was compared.");
		return;
	}
	text = audit_signed_text(s);
	strlist_add(notes, text);
	free(text);
	if (s->trust == CHECKPOINT_UNKNOWN)
		strlist_add(notes, "Whose key that is, was not known here.");
}

static int write_report(const struct command *c, const struct request *r,
	const struct audit_signed *s, struct err *e)
{
	const struct audit_expected expected = {
		s != NULL ? &s->checkpoint : NULL, r->without_oldest != NULL};
	struct strlist notes = {0};
	struct page_verdict verdict;
	struct page_request page = {.state = c->config->state,
		.filter = &r->choice.filter,
		.verdict = &verdict,
		.now = clock_now(),
		.rule = code_meaning,
		.progress = isatty(STDERR_FILENO) ? tell_progress : NULL};
	struct audit_check k;
	char *fault;
	int status = COMMAND_CANNOT_TELL;

	if (audit_check_log(&k, c->config->state, &expected, e) == 0) {
		fault = k.verdict == AUDIT_INVALID ? audit_fault_text(&k.report) : NULL;
		add_notes(&notes, &k, s);
		verdict = verdict_of(&k, fault, &notes);
		page.verified = fault == NULL ? &k.report : NULL;
		if (write_to(r->html, &page, e) == 0)
			status = fault == NULL
					 ? COMMAND_DONE
					 : command_fail(COMMAND_NO,
						   "audit log is NOT valid: %s; the page says so",
						   fault);
		free(fault);
	}
	audit_check_clear(&k);
	strlist_clear(&notes);
	return status;
}

/* The whole of it, with the configuration loaded. */
static int report_all(const struct command *c, const struct request *r, struct err *e)
{
	struct audit_signed s = {.text = NULL};
	int status = COMMAND_CANNOT_TELL;

	if (r->checkpoint == NULL) {
		status = write_report(c, r, NULL, e);
	} else if (audit_signed_read(&s, r->checkpoint, r->public_key, c->config, e) == 0) {
		if (s.trust == CHECKPOINT_FORGED)
			status = command_fail(COMMAND_NO,
				"%s was not signed with this key: no page was made", r->checkpoint);
		else
			status = write_report(c, r, &s, e);
	}
	audit_signed_clear(&s);
	return status;
}

static int report(struct command *c, int argc, char **argv)
{
	struct request r = {.html = NULL};
	const struct command_option options[] = {{"--html=", &r.html},
		{"--checkpoint=", &r.checkpoint}, {"--public-key=", &r.public_key},
		{"--without-oldest", &r.without_oldest}, AUDIT_CHOICE_OPTIONS(r.choice),
		{NULL, NULL}};
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_report, argc, argv, options, 0, 0), status;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (r.html == NULL)
		return command_fail(
			COMMAND_USAGE, "audit report takes --html FILE, \"-\" for standard output");
	if (r.public_key != NULL && r.checkpoint == NULL)
		return command_fail(COMMAND_USAGE,
			"audit report: --public-key is of use with --checkpoint alone");
	if (audit_choice_read(&r.choice) != 0)
		return COMMAND_USAGE;
	if (command_prepare(c, COMMAND_READS, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	status = report_all(c, &r, &e);
	return e.text != NULL ? command_err(status, &e) : status;
}

const struct verb audit_verb_report = {
	.name = "audit report",
	.run = report,
	.arguments = "--html FILE [--checkpoint FILE [--public-key FILE]] "
		     "[--without-oldest] " AUDIT_CHOICE_ARGUMENTS,
	.summary = "Make a page of the log that needs nothing but a browser",
	.options = "  --html FILE        the file to write; - is standard output\n"
		   "  --checkpoint FILE  a checkpoint that the log is compared with\n"
		   "  --public-key FILE  of the key that the checkpoint has to be signed with\n"
		   "  --without-oldest   the oldest files may have been taken "
		   "away\n" AUDIT_CHOICE_HELP,
};
