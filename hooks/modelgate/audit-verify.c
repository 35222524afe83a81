#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/store.h"
#include "data/config.h"
#include "data/json.h"
#include "sys/files.h"

struct request {
	const char *checkpoint;
	const char *public_key;
	const char *without_oldest;
	const char *as_json;
};

static int holds_nothing(const struct audit_check *k)
{
	return k->verdict == AUDIT_VALID && k->report.records == 0 && k->report.broken_off == 0;
}

/* How many pushes the store of STATE knows of, 0 if there is none.  0 and *N, or -1. */
static int count_pushes(const char *state, int64_t *n, struct err *e)
{
	char *path = path_join(state, CONFIG_STATE_STORE);
	int status = 0;

	*n = 0;
	if (files_exists(path))
		status = store_count_pushes(state, n, e);
	free(path);
	return status;
}

int audit_check_log(struct audit_check *k, const char *state, const struct audit_expected *expected,
	struct err *e)
{
	int64_t pushes;

	memset(k, 0, sizeof(*k));
	if (audit_verify_expected(state, expected, &k->verdict, &k->report, e) != 0)
		return -1;
	if (!holds_nothing(k))
		return 0;
	if (count_pushes(state, &pushes, e) != 0)
		return -1;
	k->is_empty = pushes == 0;
	if (pushes == 0)
		return 0;
	/* The first push may have come between the two. */
	audit_report_clear(&k->report);
	if (audit_verify_expected(state, expected, &k->verdict, &k->report, e) != 0)
		return -1;
	if (!holds_nothing(k))
		return 0;
	k->verdict = AUDIT_INVALID;
	k->report.fault =
		mem_format("the log is missing, but the store knows of %" PRId64 " push%s", pushes,
			pushes == 1 ? "" : "es");
	return 0;
}

void audit_check_clear(struct audit_check *k)
{
	audit_report_clear(&k->report);
}

char *audit_fault_text(const struct audit_report *r)
{
	if (r->line == 0)
		return mem_strdup(r->fault);
	if (strcmp(r->file, AUDIT_LOG) == 0)
		return mem_format("line %" PRId64 ": %s", r->line, r->fault);
	return mem_format("line %" PRId64 " of %s: %s", r->line, r->file, r->fault);
}

static void print_nothing_yet(const struct command *c)
{
	char *state = str_safe(c->config->state, 4096);

	printf("modelgate: nothing has been recorded yet in %s\n", state);
	free(state);
}

static void print_valid(const struct audit_report *r)
{
	printf("modelgate: audit log is valid: %" PRId64 " records, head %s\n", r->records,
		r->head);
	if (r->lines_before > 0)
		printf("modelgate:   its first %" PRId64 " lines are in files that are not here\n",
			r->lines_before);
	if (r->recovered > 0)
		printf("modelgate:   torn lines that the log accounts for: %" PRId64 "\n",
			r->recovered);
	if (r->broken_off > 0)
		printf("modelgate:   the last %" PRId64 " bytes are of an append that was broken "
		       "off; the next one accounts for them\n",
			r->broken_off);
}

static void print_signed(const struct audit_signed *s)
{
	char *text = audit_signed_text(s);

	printf("modelgate:   %s\n", text);
	if (s->trust == CHECKPOINT_UNKNOWN)
		printf("modelgate:   whose key that is, is not known here: give --public-key, or "
		       "name it as public-key in [audit] of the system's file\n");
	free(text);
}

static void print_verdict(const struct audit_check *k, const struct audit_signed *s)
{
	char *text;

	if (k->verdict == AUDIT_VALID) {
		print_valid(&k->report);
	} else {
		text = audit_fault_text(&k->report);
		printf("modelgate: audit log is NOT valid: %s\n", text);
		free(text);
	}
	if (s != NULL)
		print_signed(s);
}

static struct json *new_signed_json(const struct audit_signed *s)
{
	static const char *const words[] = {[CHECKPOINT_TRUSTED] = "trusted",
		[CHECKPOINT_UNKNOWN] = "unknown",
		[CHECKPOINT_FORGED] = "forged"};
	struct json *o = json_new_object();

	json_put_text(o, "origin", s->checkpoint.origin);
	json_put_number(o, "lines", s->checkpoint.lines);
	json_put_number(o, "seq", s->checkpoint.seq);
	json_put_text(o, "head", s->checkpoint.head);
	json_put_time(o, "time", s->checkpoint.time);
	json_put_text(o, "key", words[s->trust]);
	return o;
}

static void print_verdict_json(const struct audit_check *k, const struct audit_signed *s)
{
	const struct audit_report *r = &k->report;
	struct json *j = json_new_object();
	char *text;

	json_put_text(j, "verdict", k->verdict == AUDIT_VALID ? "valid" : "invalid");
	json_put_number(j, "records", r->records);
	if (k->verdict == AUDIT_VALID) {
		json_put_text(j, "head", r->head);
		json_put_number(j, "recovered", r->recovered);
		json_put_number(j, "broken_off", r->broken_off);
		json_put_number(j, "lines_before", r->lines_before);
	} else {
		json_put_known(j, "file", r->file);
		json_put_number(j, "line", r->line);
		json_put_text(j, "fault", r->fault);
	}
	if (s != NULL)
		json_put(j, "checkpoint", new_signed_json(s));
	text = json_text(j, JSON_ONE_LINE);
	printf("%s\n", text);
	free(text);
	json_free(j);
}

static int verify_against(
	struct command *c, const struct request *r, const struct audit_signed *s, struct err *e)
{
	const struct audit_expected expected = {
		s != NULL ? &s->checkpoint : NULL, r->without_oldest != NULL};
	struct audit_check k;
	int status = COMMAND_CANNOT_TELL;

	if (audit_check_log(&k, c->config->state, &expected, e) == 0) {
		if (r->as_json != NULL)
			print_verdict_json(&k, s);
		else if (k.is_empty && s == NULL)
			print_nothing_yet(c);
		else
			print_verdict(&k, s);
		status = k.verdict == AUDIT_VALID ? COMMAND_DONE : COMMAND_NO;
	}
	audit_check_clear(&k);
	return status;
}

static int verify(struct command *c, int argc, char **argv)
{
	struct request r = {.as_json = NULL};
	const struct command_option options[] = {{"--checkpoint=", &r.checkpoint},
		{"--public-key=", &r.public_key}, {"--without-oldest", &r.without_oldest},
		{"--json", &r.as_json}, {NULL, NULL}};
	struct audit_signed s = {.text = NULL};
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_verify, argc, argv, options, 0, 0), status;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (r.public_key != NULL && r.checkpoint == NULL)
		return command_fail(COMMAND_USAGE,
			"audit verify: --public-key is of use with --checkpoint alone");
	if (command_prepare(c, COMMAND_READS, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (r.checkpoint == NULL) {
		status = verify_against(c, &r, NULL, &e);
	} else if (audit_signed_read(&s, r.checkpoint, r.public_key, c->config, &e) != 0) {
		status = COMMAND_CANNOT_TELL;
	} else if (s.trust == CHECKPOINT_FORGED) {
		(void)err_set(&e, "%s was not signed with this key: it tells nothing of the log",
			r.checkpoint);
		status = COMMAND_NO;
	} else {
		status = verify_against(c, &r, &s, &e);
	}
	audit_signed_clear(&s);
	return e.text != NULL ? command_err(status, &e) : status;
}

const struct verb audit_verb_verify = {
	.name = "audit verify",
	.run = verify,
	.arguments = "[--checkpoint FILE [--public-key FILE]] [--without-oldest] [--json]",
	.summary = "Check every line of the log, and that it is the one that a checkpoint was made "
		   "for",
	.options = "  --checkpoint FILE  also find a log that was cut or rewritten as a whole\n"
		   "  --public-key FILE  of the key that the checkpoint has to be signed with\n"
		   "  --without-oldest   the oldest files may have been taken away\n"
		   "  --json             the verdict as JSON\n",
};
