/*
 * Ancestry.  Exact whatever the commit dates say: dates only choose the order in which commits are
 * read.
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

#endif
