/*
 * Ancestry: who holds whom, what is new, where two lines part.  Exact whatever the commit dates
 * say: dates only choose the order in which commits are read.
 */
#ifndef MODELGATE_GIT_WALK_H
#define MODELGATE_GIT_WALK_H

#include <stddef.h>

#include "git/oid.h"

struct err;
struct repository;

/*
 * Does one of the N commits TIPS hold OID, that is: is it OID or a descendant of it?
 * 1, 0, or -1 and *E (an object is missing or broken).
 */
int walk_holds(struct repository *r, const struct oid *tips, size_t n, const struct oid *oid,
	struct err *e);

/* The commits that one of TIPS holds and none of HELD. */
struct walk_range {
	const struct oid *tips;
	size_t n_tips;
	const struct oid *held;
	size_t n_held;
};

/*
 * Call EACH for every commit of RANGE, in the order of `git rev-list TIPS --not HELD` (newest
 * committer date first, as they are found from the tips down), until it returns other than 0, which
 * is returned.  0, or -1 and *E.
 */
int walk_new(struct repository *r, const struct walk_range *range,
	int (*each)(void *context, const struct oid *oid), void *context, struct err *e);

/*
 * The merge base of A and B where there is just one (git-merge-base(1)): 1 and *OUT; 0: there is
 * none, or there are several; -1 and *E.
 */
int walk_merge_base(struct oid *out, struct repository *r, const struct oid *a, const struct oid *b,
	struct err *e);

#endif
