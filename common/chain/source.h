/* Does the branch that a landing was merged from still hold what was merged? */
#ifndef MODELGATE_CHAIN_SOURCE_H
#define MODELGATE_CHAIN_SOURCE_H

#include "chain/landing.h"

struct err;
struct intent;
struct repository;
struct store;

/*
 * Look at the source that the gate recorded in I: it still holds its commit, or it has landed with
 * it under the rules and was deleted since.  0 and *OUT; -1: the repository could not be read.
 */
int source_look(enum landing_source *out, struct store *s, struct repository *r,
	const struct intent *i, struct err *e);

#endif
