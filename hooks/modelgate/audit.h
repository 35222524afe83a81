/* `modelgate audit`: one file for each of its verbs, or for two that belong together. */
#ifndef MODELGATE_AUDIT_VERBS_H
#define MODELGATE_AUDIT_VERBS_H

#include "audit/chain.h"
#include "audit/checkpoint.h"
#include "command.h"

extern const struct verb audit_verb_check_proof, audit_verb_checkpoint, audit_verb_export,
	audit_verb_keygen, audit_verb_prove, audit_verb_report, audit_verb_rotate, audit_verb_show,
	audit_verb_verify;

/* What narrows which records are looked at, as given on the command line. */
struct audit_choice {
	struct audit_filter filter;
	const char *since;
	const char *until;
};

/* The options for it, to stand in a table of struct command_option; and their lines for --help. */
#define AUDIT_CHOICE_OPTIONS(c)                                                                    \
	{"--user=", &(c).filter.user}, {"--project=", &(c).filter.project},                        \
		{"--ref=", &(c).filter.ref}, {"--event=", &(c).filter.event},                      \
		{"--since=", &(c).since},                                                          \
	{                                                                                          \
		"--until=", &(c).until                                                             \
	}
#define AUDIT_CHOICE_ARGUMENTS                                                                     \
	"[--user U] [--project P] [--ref R] [--event E] [--since T] [--until T]"
#define AUDIT_CHOICE_HELP                                                                          \
	"  --user U     only what this user did, by name or id\n"                                  \
	"  --project P  only what is about this project, or repository path; a glob\n"             \
	"  --ref R      only what is about this branch or reference; a glob\n"                     \
	"  --event E    only events of this name; a glob, such as 'push.*'\n"                      \
	"  --since T    only from this time on, 2026-11-23 or 2026-11-23T20:21:49Z (UTC)\n"        \
	"  --until T    only before this time\n"

/* Check C and fill in its filter.  0, or -1 and told. */
int audit_choice_read(struct audit_choice *c);

/* A checkpoint from a file, and how far it can be believed. */
struct audit_signed {
	struct checkpoint checkpoint;
	enum checkpoint_trust trust;
	char *text;
	char *key_from; /* the file of the configuration that names the key; NULL: it was asked for */
};

/*
 * Read the checkpoint in FILE, checked with the public key in the file KEY; NULL: that of CONFIG, if it
 * names one, which may be NULL too.  0 and *OUT, the caller's to audit_signed_clear(), or -1 and *E.
 */
int audit_signed_read(struct audit_signed *out, const char *file, const char *key,
	const struct config *config, struct err *e);
/* The same of a TEXT at hand, and with no configuration. */
int audit_signed_parse(struct audit_signed *out, const char *text, const char *key, struct err *e);
void audit_signed_clear(struct audit_signed *s);
/* A line that says which checkpoint it is and whose; the caller's to free(). */
char *audit_signed_text(const struct audit_signed *s);

/* The public key in the file PATH.  0, or -1 and *E. */
int audit_public_key_read(unsigned char out[ED25519_PUBLIC_SIZE], const char *path, struct err *e);

/* The log and, where there is nothing in it, what the store knows. */
struct audit_check {
	enum audit_verdict verdict;
	struct audit_report report;
	int is_empty; /* 1: nothing has been recorded yet, and nothing should have been */
};

/*
 * Verify the log of the state directory STATE; one that holds nothing is in order only where nothing was
 * pushed.  0 and *K, which the caller clears; or -1 and *E.
 */
int audit_check_log(struct audit_check *k, const char *state, const struct audit_expected *expected,
	struct err *e);
void audit_check_clear(struct audit_check *k);
/* What is wrong with it: "line 5: was changed"; the caller's to free(). */
char *audit_fault_text(const struct audit_report *r);

#endif
