/*
 * Where commits come from: the sources of a branch as this push leaves them, and the way from a
 * branch's new tip back along first parents, each commit classed (contract, section 3).
 */
#ifndef MODELGATE_GATE_PROVENANCE_H
#define MODELGATE_GATE_PROVENANCE_H

#include <stddef.h>

#include "git/oid.h"

struct config;
struct config_branch;
struct err;
struct push;
struct repository;

#define PROVENANCE_MAX_COMMITS 5000 /* first-parent commits of one update */

/* What is looked at: one snapshot of the references, changed by one push. */
struct provenance_view {
	const struct config *config;
	struct repository *repository;
	const struct push *push; /* resolved; NULL: the references as they are */
	/*
	 * 1 if the reference REF came to TIP under these rules, 0 if not, -1 and *E.  Asked for
	 * retrain branches where the configuration wants their pipeline known.
	 */
	int (*landed)(void *context, const char *ref, const struct oid *tip, struct err *e);
	void *context;
};

struct source {
	char *ref;
	struct oid tip;
};

struct sources {
	struct source *v;
	size_t n;
	size_t cap;
	enum sources_exist {
		SOURCES_NONE, /* no branch that could be a source is there, before or after the push */
		SOURCES_SOME /* one is there, even if this push forces or deletes it */
	} exist;
};

/*
 * The sources of BRANCH that exist.  A branch that the push creates or fast-forwards counts with its
 * new tip, one that it forces or deletes does not count, nor does one whose old value is not where the
 * reference is: git will refuse that update.  A branch that itself takes merges from BRANCH counts with
 * its old tip: else one push to both would make each the other's witness.  0, the caller calls sources_clear();
 * or -1.
 */
int sources_find(struct sources *out, const struct provenance_view *view,
	const struct config_branch *branch, struct err *e);
/* The first source that holds OID, tips before descendants: 1 and *WHICH (borrowed), 0 none, -1. */
int sources_hold(const struct sources *s, struct repository *r, const struct oid *oid,
	const struct source **which, struct err *e);
void sources_clear(struct sources *s);

enum step_class {
	/* commits before the end */
	STEP_MERGE,   /* of a source */
	STEP_DIRECT,  /* made on the branch itself */
	STEP_FOREIGN, /* a merge of what no source holds */
	STEP_OCTOPUS, /* more than two parents */
	/* ends */
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
	struct oid merged;       /* of STEP_MERGE, STEP_FOREIGN: the second parent */
	char *subject;
	const char *source; /* reference of the source, borrowed from the sources; NULL: none */
};

struct trail {
	struct step *v; /* newest first; the last one is an end */
	size_t n;
	size_t cap;
};

/*
 * Walk from NEW, which must hold OLD, and class each commit.  0, the caller calls trail_clear(); or
 * -1: objects are missing, or the way is longer than PROVENANCE_MAX_COMMITS.
 */
int trail_walk(struct trail *out, struct repository *r, const struct sources *sources,
	const struct oid *old, const struct oid *new, struct err *e);
void trail_clear(struct trail *t);

/*
 * The branch where OID comes from, for a message: one that the push or the repository has and that
 * points to it, or one of the first few that hold it.  The caller's to free(); NULL: not known.
 */
char *provenance_guess(const struct provenance_view *view, const struct oid *oid);

#endif
