/*
 * A walk over commits, newest first, that paints each with flags and hands them down to its
 * parents; what walk.c asks its questions with.
 */
#ifndef MODELGATE_GIT_WALK_INTERNAL_H
#define MODELGATE_GIT_WALK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include <git2.h>

#include "git/oid.h"

struct err;
struct repository;

/*
 * The meaning of the other flags is the question's; those of WALK_KEPT last over walk_restart().
 */
#define WALK_QUEUED 1U
#define WALK_KEPT 6U

struct walk_node {
	struct oid oid;
	int64_t time; /* the committer's, as it is written */
	struct oid *parents;
	size_t n_parents;
	size_t turn; /* when it was queued: of one time, the first comes first */
	unsigned flags;
};

struct walk {
	struct repository *repository;
	git_odb *odb;
	/* The walk goes on while commits wait whose flags, but for other bits than MASK, are VALUE.
	 */
	unsigned mask;
	unsigned value;
	size_t waiting;
	struct walk_node **table; /* open addressing; NULL: free */
	size_t table_size;        /* a power of two */
	size_t n;
	struct walk_node **heap; /* newest first */
	size_t heap_n;
	size_t heap_cap;
	size_t turns;
	struct walk_node **touched; /* have flags that walk_restart() is to forget */
	size_t n_touched;
	size_t touched_cap;
};

/* 0, the caller calls walk_clear(); or -1, nothing is to be cleared. */
int walk_init(struct walk *w, struct repository *r, unsigned mask, unsigned value, struct err *e);
void walk_clear(struct walk *w);
/* Forget queue and flags but for WALK_KEPT, and keep what was read of commits. */
void walk_restart(struct walk *w, unsigned mask, unsigned value);

/*
 * Parse the head of a commit object (git's Documentation/gitformat, "tree, parent, author, committer") into
 * NODE, whose parents the caller frees.  0; or -1: it is none.
 */
int walk_parse(struct walk_node *node, const char *text);
/* The commit OID, the walk's, read if it was not yet; NULL and *E. */
struct walk_node *walk_load(struct walk *w, const struct oid *oid, struct err *e);
/* Give OID the flags; it is queued (again) unless it had them all.  0, or -1. */
int walk_paint(struct walk *w, const struct oid *oid, unsigned flags, struct err *e);
/* As walk_paint, for the parents of NODE.  0, or -1. */
int walk_paint_parents(struct walk *w, const struct walk_node *node, unsigned flags, struct err *e);
/* Take the newest of the commits that wait; there must be one. */
struct walk_node *walk_pop(struct walk *w);

/* walk_merge_base() with what W has read already, for who has many to ask for. */
int walk_base(
	struct oid *out, struct walk *w, const struct oid *a, const struct oid *b, struct err *e);

#endif
