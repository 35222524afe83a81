#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "audit/entry.h"
#include "audit/proof.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "sys/files.h"

/* The number of the record TEXT; 0: it is none, or holds what the log has escaped and a terminal obeys. */
static int64_t number_of(const char *text)
{
	size_t len = strlen(text);
	char *safe = str_safe(text, 4 * len + 1); /* each byte is four, at most */
	struct entry entry;
	int64_t seq = 0;

	if (strcmp(safe, text) == 0 && entry_parse(&entry, text, len)) {
		seq = entry.seq;
		entry_clear(&entry);
	}
	free(safe);
	return seq;
}

/* What is wrong with P, in words; NULL: nothing. */
static const char *fault_of(const struct proof *p, const struct audit_signed *s)
{
	unsigned char root[SHA256_SIZE];

	if (number_of(p->record) == 0)
		return "what it is for is no record of an audit log";
	if (s->trust == CHECKPOINT_FORGED)
		return "the checkpoint was not signed with this key";
	if (proof_root(p, root) != 0)
		return "the hashes are not as many as lead from this record to a root";
	if (p->path.n != s->checkpoint.lines)
		return "it is a proof for another number of lines than the checkpoint has: make it "
		       "with "
		       "audit prove SEQ --checkpoint FILE";
	if (memcmp(root, s->checkpoint.root, SHA256_SIZE) != 0)
		return "the record is not in the log that the checkpoint was made for";
	return NULL;
}

static int make(const struct command *c, int64_t seq, struct audit_signed *s, struct err *e)
{
	struct proof proof;
	int got = proof_make(&proof, c->config->state, seq, s != NULL ? s->checkpoint.lines : 0, e);
	const char *fault = got == 1 && s != NULL ? fault_of(&proof, s) : NULL;
	char *text;

	if (fault != NULL) {
		(void)err_set(e, "there is no proof for record %" PRId64 ": %s", seq, fault);
		got = 0;
	} else if (got == 1) {
		if (s != NULL) {
			proof.checkpoint = s->text;
			s->text = NULL;
		}
		text = proof_render(&proof);
		printf("%s\n", text);
		free(text);
	} else if (got == 0) {
		(void)err_set(e, "there is no record %" PRId64 "%s", seq,
			s != NULL ? " among the lines of the checkpoint" : "");
	}
	proof_clear(&proof);
	if (got < 0)
		return COMMAND_CANNOT_TELL;
	return got == 1 ? COMMAND_DONE : COMMAND_NO;
}

static int prove(struct command *c, int argc, char **argv)
{
	const char *checkpoint = NULL;
	const struct command_option options[] = {{"--checkpoint=", &checkpoint}, {NULL, NULL}};
	struct audit_signed s = {.text = NULL};
	struct err e = ERR_INIT;
	long long seq;
	int n = command_options(&audit_verb_prove, argc, argv, options, 1, 1), status;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (command_number(argv[1], "record's number", &seq) != 0)
		return COMMAND_USAGE;
	if (command_prepare(c, COMMAND_READS, &e) != 0 ||
		(checkpoint != NULL && audit_signed_read(&s, checkpoint, NULL, c->config, &e) != 0))
		status = COMMAND_CANNOT_TELL;
	else
		status = make(c, seq, checkpoint != NULL ? &s : NULL, &e);
	audit_signed_clear(&s);
	return e.text != NULL ? command_err(status, &e) : status;
}

const struct verb audit_verb_prove = {
	.name = "audit prove",
	.run = prove,
	.arguments = "SEQ [--checkpoint FILE]",
	.summary = "Print a proof that record SEQ is in the log, for somebody who sees nothing "
		   "else of it",
	.options = "  --checkpoint FILE  the checkpoint that the proof leads to, which it then "
		   "holds\n",
};

/* ---- audit check-proof ---- */

/* The checkpoint of P: the one in FILE, else the one that P holds.  0, or -1 and *E. */
static int read_checkpoint(struct audit_signed *out, const struct proof *p, const char *file,
	const char *key, struct err *e)
{
	if (file != NULL)
		return audit_signed_read(out, file, key, NULL, e);
	if (p->checkpoint == NULL)
		return err_set(e, "the proof comes without a checkpoint: give --checkpoint FILE");
	return audit_signed_parse(out, p->checkpoint, key, e);
}

static int judge(const struct proof *p, const struct audit_signed *s)
{
	const char *fault = fault_of(p, s);
	char *text;

	if (fault != NULL)
		return command_fail(COMMAND_NO, "proof does NOT hold: %s", fault);
	text = audit_signed_text(s);
	(void)command_fail(0, "proof holds%s: record %" PRId64 ", line %" PRId64 " of %" PRId64,
		s->trust == CHECKPOINT_UNKNOWN ? ", but nobody vouches for the key" : "",
		number_of(p->record), p->path.index + 1, p->path.n);
	(void)command_fail(0, "  %s", text);
	if (s->trust == CHECKPOINT_UNKNOWN)
		(void)command_fail(0, "  whose key that is, is not known here: give --public-key");
	printf("%s\n", p->record); /* what it is worth was said before */
	free(text);
	return COMMAND_DONE;
}

static int check_proof(struct command *c, int argc, char **argv)
{
	const char *checkpoint = NULL, *key = NULL;
	const struct command_option options[] = {
		{"--checkpoint=", &checkpoint}, {"--public-key=", &key}, {NULL, NULL}};
	struct audit_signed s = {.text = NULL};
	struct proof proof = {.record = NULL};
	struct err e = ERR_INIT;
	struct str text;
	int n = command_options(&audit_verb_check_proof, argc, argv, options, 1, 1), got;
	int status = COMMAND_CANNOT_TELL;

	(void)c; /* whoever checks a proof has no log, and no configuration */
	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	str_init(&text);
	got = files_read(argv[1], PROOF_MAX, &text, &e);
	if (got == 0)
		(void)err_set(&e, "%s: there is no such file", argv[1]);
	if (got == 1 && proof_parse(&proof, text.buf, text.len, &e) != 0)
		(void)err_wrap(&e, "%s", argv[1]);
	else if (got == 1 && read_checkpoint(&s, &proof, checkpoint, key, &e) == 0)
		status = judge(&proof, &s);
	str_clear(&text);
	proof_clear(&proof);
	audit_signed_clear(&s);
	return e.text != NULL ? command_err(status, &e) : status;
}

const struct verb audit_verb_check_proof = {
	.name = "audit check-proof",
	.run = check_proof,
	.arguments = "FILE [--checkpoint FILE] [--public-key FILE]",
	.summary = "Check such a proof, and print the record that it is for",
	.options = "  --checkpoint FILE  the checkpoint, where the proof does not hold it or is "
		   "not believed\n"
		   "  --public-key FILE  of the key that the checkpoint has to be signed with\n",
};
