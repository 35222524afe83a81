/*
 * The store: <state>/store.db, SQLite.  Intents (what a gate let pass), the pipelines they became,
 * their stages, the facts that stages found out.  Schema and migrations are in store-schema.c.
 * Status words are GitLab's: created pending running manual success failed canceled skipped.
 */
#ifndef MODELGATE_CHAIN_STORE_H
#define MODELGATE_CHAIN_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"

struct err;
struct store;
struct retrainings;

#define STORE_TIMEOUT_MS 10000 /* how long a gate waits for other writers */

/* Open the store of the state directory STATE, which must exist.  0, or -1. */
int store_open(struct store **out, const char *state, struct err *e);
void store_close(struct store *s); /* NULL is fine */

/*
 * A ref update that a gate accepted, recorded before the ref moves.  Strings are borrowed when
 * given to a function and owned when a function filled it in (then intent_clear).  Oids are
 * hexadecimal.
 */
struct intent {
	int64_t id;       /* filled in by store_find_intent */
	char *push_id;    /* ULID */
	char *push_key;   /* what pre-receive, update and post-receive of one push have in common */
	char *repository; /* Git directory, absolute */
	char *project;
	char *gl_repository; /* or "" */
	char *ref;           /* after symbolic references */
	char *old;
	char *new;
	char *source;     /* full name of the source branch; "": none, as of a direct commit */
	char *source_oid; /* the commit that the source held when the gate looked; "" as above */
	char *merged; /* lines "<oid> <ref>", all that sources held; "": as source and source_oid say */
	char *method; /* merge, fast-forward, direct, create, delete */
	char *chain;  /* chain to launch when it lands; "": none */
	struct actor actor;
	char *policy;         /* sha256 of the configuration */
	char *correlation_id; /* or "" */
	/* As it was judged; not filled in by store_find_intent. */
	enum intent_standing {
		INTENT_BY_RULE, /* nothing was found against it, or an override lifted that */
		INTENT_SHADOWED /* it was let pass by mode = shadow alone */
	} standing;
};
void intent_clear(struct intent *i);

/* Record N intents in one transaction, durable when 0 is returned. */
int store_add_intents(struct store *s, const struct intent *intents, size_t n, struct err *e);

/*
 * The newest intent with this push key (NULL: any), repository, ref, old and new: 1 and *OUT (may
 * be NULL), the caller's to intent_clear(); 0: none; -1.
 */
int store_find_intent(struct store *s, const char *push_key, const char *repository,
	const char *ref, const char *old, const char *new, struct intent *out, struct err *e);

/*
 * 1: an intent that was not let pass by mode = shadow alone brought REF of REPOSITORY to exactly the
 * commit TIP; 0: none did; -1.
 */
int store_landed(
	struct store *s, const char *repository, const char *ref, const char *tip, struct err *e);

/*
 * Call EACH, until it returns other than 0, with every reference of REPOSITORY whose name starts
 * with PREFIX (not empty) and that an intent brought to a commit at any time: the intent is known
 * to have landed, or a later one began where it ends.  An intent of a push that git refused
 * afterwards does not count, nor one that nobody has looked at since and that nothing came after:
 * its reference is there, or it was refused.  What EACH returned, or 0; -1 and *E.
 */
int store_used(struct store *s, const char *repository, const char *prefix,
	int (*each)(void *context, const char *ref), void *context, struct err *e);

/*
 * Add to OUT how results of retrainings came to REPOSITORY, the oldest first.  Not what mode = shadow alone let
 * pass, or what is known not to have landed.  0, or -1 and *E.
 */
int store_retrainings(
	struct store *s, const char *repository, struct retrainings *out, struct err *e);

/*
 * The commit of the pipeline ID (decimal digits, as people write it: GitLab's number where it runs on
 * GitLab's runners) of REPOSITORY, if it is one of the chain CHAIN and its deploy stage succeeded: 1 and *SHA, the caller's to free(); 0: there is
 * none such; -1.
 */
int store_deployed(struct store *s, const char *repository, const char *id, const char *chain,
	char **sha, struct err *e);

/* How many pushes left something here, an intent or a pipeline.  0 and *N, or -1. */
int store_pushes(struct store *s, int64_t *n, struct err *e);
/* The same of the store of STATE, asked by whoever may read it: nothing is written there.  0 and *N, or -1. */
int store_count_pushes(const char *state, int64_t *n, struct err *e);

/*
 * The configuration's digest that was last set for REPOSITORY: 1 and *SHA256, the caller's to
 * free(); 0: none was; -1.
 */
int store_policy(struct store *s, const char *repository, char **sha256, struct err *e);
int store_set_policy(struct store *s, const char *repository, const char *sha256, struct err *e);

#endif
