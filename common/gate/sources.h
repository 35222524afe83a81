/* The sources of a branch, as one push leaves them. */
#ifndef MODELGATE_GATE_SOURCES_H
#define MODELGATE_GATE_SOURCES_H

#include <stddef.h>

#include "git/oid.h"

struct config_branch;
struct err;
struct provenance_view;
struct repository;

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

#endif
