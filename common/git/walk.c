#include "git/walk.h"

#include <stdlib.h>

#include "base/mem.h"
#include "git/internal.h"
#include "git/walk-internal.h"

/*
 * Commits are painted from both ends, newest first: the ancestors of what is held or asked for with
 * BELOW, those of the tips with ABOVE.
 */
enum { HELD = 2, PROVEN = 4, BELOW = 8, ABOVE = 16, STALE = 32, FOUND = 64 };

_Static_assert((HELD | PROVEN) == WALK_KEPT, "what is found out of a commit stays");

/*
 * Does a commit with ABOVE lead to GOAL?  Every commit on a way from a tip down to GOAL is a proper
 * descendant of GOAL and so never gets BELOW; hence when no commit waits that has ABOVE alone, GOAL
 * cannot be reached any more, and the answer is no, whatever the dates.  Where GOAL descends from
 * the tips' line, as when a merge is asked for among its own parents' histories, that is after a
 * handful of commits.
 */
static int reaches(
	struct walk *w, const struct oid *tips, size_t n, const struct oid *oid, struct err *e)
{
	const struct walk_node *goal;

	for (size_t i = 0; i < n; i++)
		if (walk_paint(w, &tips[i], ABOVE, e) != 0)
			return -1;
	if (walk_paint(w, oid, BELOW, e) != 0)
		return -1;
	goal = walk_load(w, oid, e);
	while (w->waiting > 0 && !(goal->flags & ABOVE)) {
		const struct walk_node *node = walk_pop(w);

		if (walk_paint_parents(w, node, node->flags & (ABOVE | BELOW), e) != 0)
			return -1;
	}
	return goal->flags & ABOVE ? 1 : 0;
}

int walk_holds(struct repository *r, const struct oid *tips, size_t n, const struct oid *oid,
	struct err *e)
{
	struct walk *w;

	for (size_t i = 0; i < n; i++)
		if (oid_equal(&tips[i], oid))
			return 1;
	if (n == 0)
		return 0;
	w = repository_walk(r, e);
	if (w == NULL)
		return -1;
	walk_restart(w, ABOVE | BELOW, ABOVE);
	return reaches(w, tips, n, oid, e);
}

/* ---- what is new ---- */

/* Commits in the order in which they were met. */
struct line {
	struct walk_node **v;
	size_t n;
	size_t cap;
};

static void add(struct line *l, struct walk_node *node)
{
	mem_grow(&l->v, l->n, &l->cap, sizeof(struct walk_node *));
	l->v[l->n++] = node;
}

/* Paint from both ends until no commit waits that only a tip is known to lead to. */
static int paint_range(struct walk *w, const struct walk_range *range, struct err *e)
{
	for (size_t i = 0; i < range->n_tips; i++)
		if (walk_paint(w, &range->tips[i], ABOVE, e) != 0)
			return -1;
	for (size_t i = 0; i < range->n_held; i++)
		if (walk_paint(w, &range->held[i], BELOW, e) != 0)
			return -1;
	while (w->waiting > 0) {
		const struct walk_node *node = walk_pop(w);

		if (walk_paint_parents(w, node, node->flags & (ABOVE | BELOW), e) != 0)
			return -1;
	}
	return 0;
}

/* What is now known to be held. */
static void note_held(struct walk *w)
{
	for (size_t i = 0; i < w->table_size; i++)
		if (w->table[i] != NULL && w->table[i]->flags & BELOW)
			w->table[i]->flags |= HELD;
}

/* The tips' commits that are not known to be held, newest first. */
static int list_new(struct line *out, struct walk *w, const struct walk_range *range, struct err *e)
{
	int result = 0;

	out->n = 0;
	walk_restart(w, ABOVE, ABOVE);
	for (size_t i = 0; result == 0 && i < range->n_tips; i++)
		result = walk_paint(w, &range->tips[i], ABOVE, e);
	while (result == 0 && w->waiting > 0) {
		struct walk_node *node = walk_pop(w);

		if (node->flags & HELD)
			continue;
		add(out, node);
		result = walk_paint_parents(w, node, ABOVE, e);
	}
	return result;
}

/* 1 if NODE is among the lowest of what seems new: all of its parents, if any, are held. */
static int is_bottom(struct walk *w, const struct walk_node *node)
{
	for (size_t i = 0; i < node->n_parents; i++) {
		const struct walk_node *parent = walk_load(w, &node->parents[i], NULL);

		if (parent == NULL || !(parent->flags & HELD))
			return 0;
	}
	return 1;
}

/*
 * Is the lowest of what seems new really not held?  Where dates are wrong the painting may have
 * stopped too early.  What holds a commit holds all below it, so if none of the lowest is held
 * nothing of NEW is.  1: all of that is so; 0: no, and more is known to be held than before; -1.
 */
static int prove(
	struct walk *w, const struct line *new, const struct walk_range *range, struct err *e)
{
	int proven = 1;

	for (size_t i = 0; i < new->n; i++) {
		struct walk_node *node = new->v[i];
		int held;

		if (node->flags & PROVEN || !is_bottom(w, node))
			continue;
		walk_restart(w, ABOVE | BELOW, ABOVE);
		held = reaches(w, range->held, range->n_held, &node->oid, e);
		if (held < 0)
			return -1;
		node->flags |= held ? HELD : PROVEN;
		proven &= !held;
	}
	return proven;
}

static int find_new(struct line *out, struct walk *w, const struct walk_range *range, struct err *e)
{
	int proven = 0;

	if (paint_range(w, range, e) != 0)
		return -1;
	note_held(w);
	while (proven == 0) {
		if (list_new(out, w, range, e) != 0)
			return -1;
		proven = prove(w, out, range, e);
	}
	return proven > 0 ? 0 : -1;
}

int walk_new(struct repository *r, const struct walk_range *range,
	int (*each)(void *context, const struct oid *oid), void *context, struct err *e)
{
	struct line new = {0};
	struct walk w;
	int result;

	if (walk_init(&w, r, ABOVE | BELOW, ABOVE, e) != 0)
		return -1;
	result = find_new(&new, &w, range, e);
	for (size_t i = 0; result == 0 && i < new.n; i++)
		result = each(context, &new.v[i]->oid);
	free(new.v);
	walk_clear(&w);
	return result;
}

/* ---- where two lines part ---- */

/*
 * Add to *OUT the commits that both A and B hold and that were met so; all merge bases are among
 * them.  What lies below one of them is STALE, and goes on being painted until nothing else waits.
 */
static int paint_common(
	struct line *out, struct walk *w, const struct oid *a, const struct oid *b, struct err *e)
{
	if (walk_paint(w, a, ABOVE, e) != 0 || walk_paint(w, b, BELOW, e) != 0)
		return -1;
	while (w->waiting > 0) {
		struct walk_node *node = walk_pop(w);
		unsigned flags = node->flags & (ABOVE | BELOW | STALE);

		if (flags == (ABOVE | BELOW)) {
			if (!(node->flags & FOUND))
				add(out, node);
			node->flags |= FOUND;
			flags |= STALE;
		}
		if (walk_paint_parents(w, node, flags, e) != 0)
			return -1;
	}
	return 0;
}

/*
 * Leave in FOUND what no other one of FOUND holds.  Where commit dates are in order that is what is
 * not STALE by now, and one commit or a few.
 */
static int reduce(struct line *found, struct walk *w, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->n; i++)
		if (!(found->v[i]->flags & STALE))
			found->v[kept++] = found->v[i];
	found->n = kept;
	for (size_t i = 0; found->n > 1 && i < found->n;) {
		struct walk_node *node = found->v[i];
		int held = 0;

		for (size_t k = 0; held == 0 && k < found->n; k++) {
			if (k == i)
				continue;
			walk_restart(w, ABOVE | BELOW, ABOVE);
			held = reaches(w, &found->v[k]->oid, 1, &node->oid, e);
		}
		if (held < 0)
			return -1;
		if (held > 0)
			found->v[i] = found->v[--found->n];
		else
			i++;
	}
	return 0;
}

int walk_base(
	struct oid *out, struct walk *w, const struct oid *a, const struct oid *b, struct err *e)
{
	struct line found = {0};
	int result = -1;

	walk_restart(w, STALE, 0);
	if (paint_common(&found, w, a, b, e) == 0 && reduce(&found, w, e) == 0)
		result = found.n == 1;
	if (result > 0)
		*out = found.v[0]->oid;
	free(found.v);
	return result;
}

int walk_merge_base(struct oid *out, struct repository *r, const struct oid *a, const struct oid *b,
	struct err *e)
{
	struct walk w;
	int result;

	if (walk_init(&w, r, STALE, 0, e) != 0)
		return -1;
	result = walk_base(out, &w, a, b, e);
	walk_clear(&w);
	return result;
}
