/*
 * The past as the gate asks for it (gate/past.h), told by the store.  It stands beside the programs
 * because it joins two rooms that do not know each other, the gate and the chain.
 */
#ifndef MODELGATE_HOOKS_PAST_H
#define MODELGATE_HOOKS_PAST_H

#include "gate/past.h"

struct err;
struct store;

struct past_teller {
	struct past past;  /* for struct provenance_view; valid as long as this stays where it is */
	const char *state; /* the state directory, borrowed */
	const char *gitdir;  /* the repository, absolute, borrowed */
	struct store *store; /* NULL until it is first needed */
	enum past_state {
		PAST_FINE,
		PAST_FAILED /* the store could not answer, or not be opened */
	} outcome;
};

/* Fill in *OUT; nothing is opened yet.  The caller calls past_clear(). */
void past_init(struct past_teller *out, const char *state, const char *gitdir);
/* The store, opened if it was not; borrowed.  NULL and *E. */
struct store *past_store(struct past_teller *p, struct err *e);
/* 1 if one of the failures since past_init() was the store's (MG905), else 0. */
int past_failed(const struct past_teller *p);
void past_clear(struct past_teller *p);

#endif
