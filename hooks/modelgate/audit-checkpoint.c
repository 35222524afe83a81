#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "data/config.h"
#include "data/ed25519.h"
#include "sys/files.h"
#include "sys/secret.h"

int audit_public_key_read(unsigned char out[ED25519_PUBLIC_SIZE], const char *path, struct err *e)
{
	struct str pem;
	int got, status = -1;

	str_init(&pem);
	got = files_read(path, ED25519_MAX_PEM, &pem, e);
	if (got == 0)
		(void)err_set(e, "%s: there is no such file", path);
	else if (got == 1 && ed25519_parse_public(out, pem.buf, pem.len, e) != 0)
		(void)err_wrap(e, "%s", path);
	else if (got == 1)
		status = 0;
	str_clear(&pem);
	return status;
}

/* The text of the checkpoint in FILE, added to *OUT.  1; 0: there is no such file; -1. */
static int read_text(struct str *out, const char *file, struct err *e)
{
	int got = files_read(file, CHECKPOINT_MAX, out, e);

	return got < 0 ? err_wrap(e, "%s", file) : got;
}

int audit_signed_parse(struct audit_signed *out, const char *text, const char *key, struct err *e)
{
	unsigned char public[ED25519_PUBLIC_SIZE];

	memset(out, 0, sizeof(*out));
	if (key != NULL && audit_public_key_read(public, key, e) != 0)
		return -1;
	out->text = mem_strdup(text);
	return checkpoint_parse(
		&out->checkpoint, &out->trust, text, strlen(text), key != NULL ? public : NULL, e);
}

int audit_signed_read(struct audit_signed *out, const char *file, const char *key,
	const struct config *config, struct err *e)
{
	const char *key_from = NULL;
	struct str text;
	int got, line, status = -1;

	memset(out, 0, sizeof(*out));
	if (key == NULL && config != NULL && config->audit_public_key[0] != '\0') {
		key = config->audit_public_key;
		key_from = config_set_in(config, "audit", NULL, "public-key", &line);
	}
	str_init(&text);
	got = read_text(&text, file, e);
	if (got == 0)
		(void)err_set(e, "%s: there is no such file", file);
	else if (got == 1 && strlen(text.buf) != text.len)
		(void)err_set(e, "%s: a checkpoint holds no NUL", file);
	else if (got == 1)
		status = audit_signed_parse(out, text.buf, key, e);
	if (got == 1 && status != 0)
		(void)err_wrap(e, "%s", file);
	if (status == 0 && key_from != NULL)
		out->key_from = mem_strdup(key_from);
	str_clear(&text);
	return status;
}

void audit_signed_clear(struct audit_signed *s)
{
	checkpoint_clear(&s->checkpoint);
	free(s->text);
	free(s->key_from);
	memset(s, 0, sizeof(*s));
}

static char *key_text(const struct audit_signed *s)
{
	char *key, *text;

	if (s->trust == CHECKPOINT_TRUSTED)
		return s->key_from == NULL ? mem_strdup("the key that was asked for")
					   : mem_format("the key named in %s", s->key_from);
	key = base64_encode(s->checkpoint.key, sizeof(s->checkpoint.key));
	text = mem_format("the key %s", key);
	free(key);
	return text;
}

char *audit_signed_text(const struct audit_signed *s)
{
	char *key = key_text(s), *text;
	char when[COMMAND_TIME_SIZE];

	command_time(s->checkpoint.time, when);
	text = mem_format("checkpoint of %s UTC by %s: %" PRId64 " lines, signed with %s", when,
		s->checkpoint.origin, s->checkpoint.lines, key);
	free(key);
	return text;
}

/* ---- audit keygen ---- */

/* Half of a pair, the private KEY alone, would stand in the way of the next try.  0, or -1 and *E. */
static int write_public(const char *file, const char *pem, const char *key, struct err *e)
{
	if (files_replace(file, pem, strlen(pem), 0644, e) == 0)
		return 0;
	(void)unlink(key);
	return -1;
}

/* Write the pair to FILE and FILE.pub, neither of which may be there.  0, or -1 and *E. */
static int write_pair(const char *file, const struct ed25519_key *key, struct err *e)
{
	char *public_file = mem_format("%s.pub", file);
	char *private_pem = ed25519_private_pem(key);
	char *public_pem = ed25519_public_pem(key->public);
	int status = -1;

	if (files_exists(file) || files_exists(public_file))
		(void)err_set(e, "%s is there already: it is not overwritten",
			files_exists(file) ? file : public_file);
	else if (files_replace(file, private_pem, strlen(private_pem), 0600, e) == 0)
		status = write_public(public_file, public_pem, file, e);
	if (status == 0)
		printf("modelgate: %s holds the private key: for who signs, and nobody else\n"
		       "modelgate: %s is for whoever verifies: keep a copy where the signer's "
		       "machine is not trusted\n",
			file, public_file);
	secret_free(private_pem);
	free(public_pem);
	free(public_file);
	return status;
}

static int keygen(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	struct ed25519_key key;
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_keygen, argc, argv, options, 1, 1), status;

	(void)c; /* no configuration has a say in it */
	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	status = ed25519_make(&key, &e);
	if (status == 0)
		status = write_pair(argv[1], &key, &e);
	ed25519_wipe(&key);
	return status == 0 ? COMMAND_DONE : command_err(COMMAND_CANNOT_TELL, &e);
}

const struct verb audit_verb_keygen = {
	.name = "audit keygen",
	.run = keygen,
	.arguments = "FILE",
	.summary = "Make a key for checkpoints: FILE, and its public half FILE.pub",
};

/* ---- audit checkpoint ---- */

struct request {
	const char *key;
	const char *output;
	const char *origin;
	const char *without_oldest;
};

/* The private key in the file PATH.  0, or -1 and *E. */
static int read_private(struct ed25519_key *out, const char *path, struct err *e)
{
	struct str pem;
	int status = -1;

	if (secret_load(path, &pem, e) != 0)
		return files_exists(path)
			       ? -1
			       : err_wrap(e,
					 "there is no key yet; modelgate audit keygen %s makes one",
					 path);
	if (ed25519_parse_private(out, pem.buf, pem.len, e) == 0)
		status = 0;
	else
		(void)err_wrap(e, "%s", path);
	secret_wipe(&pem);
	return status;
}

/*
 * The checkpoint that FILE holds, which KEY has made: the log has to go on from there.  1 and *OUT, which the
 * caller clears; 0: there is none yet; -1 and *E.
 */
static int read_last(
	struct checkpoint *out, const char *file, const struct ed25519_key *key, struct err *e)
{
	enum checkpoint_trust trust;
	struct str text;
	int got;

	memset(out, 0, sizeof(*out));
	if (file == NULL)
		return 0;
	str_init(&text);
	got = read_text(&text, file, e);
	if (got == 1 && checkpoint_parse(out, &trust, text.buf, text.len, key->public, e) != 0)
		got = err_wrap(e, "%s", file);
	else if (got == 1 && trust != CHECKPOINT_TRUSTED)
		got = err_set(e,
			"%s was signed with another key: move it away to begin anew, after the log "
			"was "
			"verified with it",
			file);
	str_clear(&text);
	return got;
}

/* Write TEXT to FILE, or to standard output if it is NULL.  0, or -1 and *E. */
static int put(const char *file, const char *text, struct err *e)
{
	if (file != NULL)
		return files_replace(file, text, strlen(text), 0644, e);
	printf("%s", text); /* main() looks at ferror(stdout) */
	return 0;
}

static int sign(const struct request *r, const struct audit_report *report,
	const struct ed25519_key *key, struct err *e)
{
	char *own = r->origin == NULL ? checkpoint_origin() : NULL, *text;
	struct checkpoint next;
	int status;

	checkpoint_init(&next, report, r->origin != NULL ? r->origin : own);
	text = checkpoint_render(&next, key);
	status = put(r->output, text, e) == 0 ? COMMAND_DONE : COMMAND_CANNOT_TELL;
	free(text);
	free(own);
	checkpoint_clear(&next);
	return status;
}

/* Of a log that was looked at, K, what is whole is signed. */
static int sign_checked(const struct request *r, const struct audit_check *k,
	const struct ed25519_key *key, struct err *e)
{
	char *fault;

	if (k->verdict != AUDIT_VALID) {
		fault = audit_fault_text(&k->report);
		(void)err_set(e, "audit log is NOT valid: %s; nothing was signed", fault);
		free(fault);
		return COMMAND_NO;
	}
	if (k->report.broken_off == 0)
		return sign(r, &k->report, key, e);
	/*
	 * Never one that is being made: the head was read under the lock.  Who keeps putting an old head back
	 * could else keep records from being signed, and nobody is told.
	 */
	(void)err_set(e,
		"the last %" PRId64 " bytes of the audit log are of an append that was broken off; "
		"the next push or runner accounts for them; nothing was signed",
		k->report.broken_off);
	return COMMAND_NO;
}

/* What is whole and goes on from the last checkpoint is signed, and nothing else: else a rewritten log would be. */
static int sign_if_valid(const struct command *c, const struct request *r,
	const struct ed25519_key *key, struct err *e)
{
	struct checkpoint last;
	struct audit_check k;
	int got = read_last(&last, r->output, key, e), status = COMMAND_CANNOT_TELL;
	const struct audit_expected expected = {got == 1 ? &last : NULL, r->without_oldest != NULL};

	if (got >= 0) {
		if (audit_check_log(&k, c->config->state, &expected, e) == 0)
			status = sign_checked(r, &k, key, e);
		audit_check_clear(&k);
	}
	checkpoint_clear(&last);
	return status;
}

static int checkpoint(struct command *c, int argc, char **argv)
{
	struct request r = {.key = NULL};
	const struct command_option options[] = {{"--key=", &r.key}, {"--output=", &r.output},
		{"--origin=", &r.origin}, {"--without-oldest", &r.without_oldest}, {NULL, NULL}};
	struct ed25519_key key;
	struct err e = ERR_INIT;
	int n = command_options(&audit_verb_checkpoint, argc, argv, options, 0, 0);
	int status = COMMAND_CANNOT_TELL;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (r.key == NULL)
		return command_fail(COMMAND_USAGE, "audit checkpoint: --key FILE is missing; "
						   "modelgate audit keygen FILE makes one");
	if (r.origin != NULL && !checkpoint_is_origin(r.origin))
		return command_fail(COMMAND_USAGE,
			"audit checkpoint: --origin \"%s\" is no name: at most %d printable ASCII "
			"characters without blanks and +",
			r.origin, CHECKPOINT_MAX_ORIGIN);
	if (r.output != NULL && strcmp(r.output, "-") == 0)
		r.output = NULL;
	if (read_private(&key, r.key, &e) == 0 && command_prepare(c, COMMAND_READS, &e) == 0)
		status = sign_if_valid(c, &r, &key, &e);
	ed25519_wipe(&key);
	return e.text != NULL ? command_err(status, &e) : status;
}

const struct verb audit_verb_checkpoint = {
	.name = "audit checkpoint",
	.run = checkpoint,
	.arguments = "--key FILE [--output FILE] [--origin NAME] [--without-oldest]",
	.summary = "Sign what the log is now: one that is cut or rewritten later is found by it",
	.options = "  --key FILE        the private key (modelgate audit keygen, or openssl)\n"
		   "  --output FILE     where the checkpoint goes; if one is there, the log must "
		   "go on from it; - is standard output\n"
		   "  --origin NAME     what the log is called; HOST/modelgate\n"
		   "  --without-oldest  the oldest files may have been taken away\n",
};
