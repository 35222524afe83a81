/*
 * The way from a branch's new tip back along first parents, each commit classed (contract, section 3).
 */
#ifndef MODELGATE_GATE_TRAIL_H
#define MODELGATE_GATE_TRAIL_H

#include <stddef.h>

#include "git/merge.h"
#include "git/oid.h"

struct err;
struct repository;
struct sources;

#define TRAIL_MAX_COMMITS 5000 /* first-parent commits of one update */

enum step_class {
	/* commits before the end */
	STEP_MERGE,   /* of a source */
	STEP_SQUASH,  /* what a source brings, as one commit, or a merge of such a commit */
	STEP_DIRECT,  /* made on the branch itself, or a merge that brings nothing */
	STEP_FOREIGN, /* a merge of what no source holds */
	STEP_OCTOPUS, /* more than two parents */
	/* ends, all after STEP_OLD */
	STEP_OLD,    /* the branch's old tip */
	STEP_SOURCE, /* a commit that a source and that the old tip lead to: a fast-forward */
	STEP_LEFT,   /* a commit of a source that is not on the branch's line */
	STEP_BEHIND, /* a commit that the old tip holds: the line has passed the old tip by */
	STEP_ROOT    /* the first commit of a history */
};

struct step {
	enum step_class class;
	struct oid oid;
	struct oid first_parent; /* zeros: none */
	struct oid merged;       /* the second parent; zeros: none, or more than one */
	struct oid held; /* of STEP_MERGE, STEP_SQUASH, STEP_SOURCE, STEP_LEFT: the commit that
				    the source holds */
	/*
	 * Of STEP_MERGE and of a STEP_SQUASH with a second parent: is its tree the automatic merge?
	 * MERGES_PENDING: not asked, or not answered yet.
	 */
	enum merges_answer content;
	char *subject;
	char *source; /* reference of the source; NULL: none */
};

struct trail {
	struct step *v; /* newest first; the last one is an end */
	size_t n;
	size_t cap;
};

struct trail_range {
	struct repository *repository;
	struct merges *merges;
	const struct sources *sources;
	struct oid old;
	struct oid new;
	/*
	 * So many commits that were made on the branch itself decide: it is refused, and in what lies
	 * above them squashes are not looked for.  0: such commits decide nothing.
	 */
	size_t max_direct;
	enum trail_content {
		TRAIL_CONTENT_ANY,
		TRAIL_CONTENT_AUTOMATIC
	} content; /* is it asked? */
};

/*
 * Walk from NEW, which must hold OLD, and class each commit.  0, the caller calls trail_clear(); or
 * -1: objects are missing, or the way is longer than TRAIL_MAX_COMMITS.  Where merges are then
 * pending, what is a squash may still be classed as another thing: the walk is to be made again.
 */
int trail_walk(struct trail *out, const struct trail_range *range, struct err *e);
void trail_clear(struct trail *t);

#endif
