/*
 * Squashes: one commit on top of P whose tree is the automatic merge of P and of a commit of a source.
 * GitLab makes them of a merge request ("Squash commits"), which leaves nothing of the source in the
 * commit's parents: the tree is the only witness.
 */
#ifndef MODELGATE_GATE_SQUASH_H
#define MODELGATE_GATE_SQUASH_H

struct commit;
struct err;
struct oid;
struct source;
struct trail_range;

/*
 * Is COMMIT, which has one parent, a squash of a commit that one of RANGE's sources holds and that
 * parent does not: the tips first, then TRAIL_MAX_CANDIDATES of the newest of each source?  1, *WHICH
 * (borrowed from the sources) and *HELD; 0: no, or not yet known where merges are pending; -1 and *E.
 */
int squash_find(const struct source **which, struct oid *held, const struct trail_range *range,
	const struct commit *commit, struct err *e);

/*
 * Is COMMIT a squash that was made on RANGE's old tip or on a first-parent ancestor of it?  So stands
 * the second parent where GitLab merges and squashes at once.  As squash_find().
 */
int squash_find_beside(const struct source **which, struct oid *held,
	const struct trail_range *range, const struct commit *commit, struct err *e);

#endif
