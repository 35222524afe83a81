/*
 * Squashes: one commit on top of P whose tree is the automatic merge of P and of a commit of a source.
 * GitLab makes them of a merge request ("Squash commits"), which leaves nothing of the source in the
 * commit's parents: the tree is the only witness.
 */
#ifndef MODELGATE_GATE_SQUASH_H
#define MODELGATE_GATE_SQUASH_H

#include <stddef.h>

#include "git/oid.h"

struct commit;
struct err;
struct source;
struct trail_range;

#define SQUASH_MAX_CANDIDATES 50 /* commits of a source that one commit is compared with */
#define SQUASH_MAX_COMPARED                                                                        \
	20000 /* comparisons for one update; with more it cannot be told, or is direct */

/* A commit that a squash is compared with. */
struct squash_candidate {
	const struct source *source;
	struct oid oid;
};

struct squash_candidates {
	struct squash_candidate *v;
	size_t n;
	size_t cap;
};

/*
 * The search for the squashes of one update, all zeros but RANGE at first.  Commits on top of one another
 * have the same candidates, as no source holds them; so these are kept from one to the next.
 */
struct squash_search {
	const struct trail_range *range;
	struct oid last;  /* the commit that was looked at last */
	struct oid basis; /* the parent that the candidates were looked up for */
	struct squash_candidates tips;
	struct squash_candidates newest;
	enum { SQUASH_NEWEST_UNKNOWN, SQUASH_NEWEST_KNOWN } newest_state;
	size_t compared;
};

void squash_clear(struct squash_search *s);

/*
 * Is COMMIT, which has one parent, a squash of a commit that one of the sources holds and that
 * parent does not: the tips first, then SQUASH_MAX_CANDIDATES of the newest of each source?  1, *WHICH
 * (borrowed from the sources) and *HELD; 0: no, or not yet known where merges are pending; -1 and *E.
 */
int squash_find(const struct source **which, struct oid *held, struct squash_search *s,
	const struct commit *commit, struct err *e);

/*
 * Is COMMIT a squash that was made on the branch's old tip or on a first-parent ancestor of it?  So stands
 * the second parent where GitLab merges and squashes at once.  As squash_find().
 */
int squash_find_beside(const struct source **which, struct oid *held, struct squash_search *s,
	const struct commit *commit, struct err *e);

#endif
