#include "gate/squash.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gate/sources.h"
#include "gate/trail.h"
#include "git/merge.h"
#include "git/repository.h"
#include "git/walk.h"

void squash_clear(struct squash_search *s)
{
	free(s->tips.v);
	free(s->newest.v);
	memset(s, 0, sizeof(*s));
}

static void add_candidate(
	struct squash_candidates *c, const struct source *source, const struct oid *oid)
{
	mem_grow(&c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n].source = source;
	c->v[c->n++].oid = *oid;
}

/* The tips that the parent does not hold.  0, or -1. */
static int find_tips(struct squash_search *s, struct err *e)
{
	const struct sources *sources = s->range->sources;

	for (size_t i = 0; i < sources->n; i++) {
		const struct source *source = &sources->v[i];
		int held = walk_holds(s->range->repository, &s->basis, 1, &source->tip, e);

		if (held < 0)
			return -1;
		if (held == 0)
			add_candidate(&s->tips, source, &source->tip);
	}
	return 0;
}

struct newest {
	struct squash_candidates *out;
	const struct source *source;
	size_t n;
};

static int add_newest(void *context, const struct oid *oid)
{
	struct newest *newest = context;

	add_candidate(newest->out, newest->source, oid);
	return ++newest->n >= SQUASH_MAX_CANDIDATES; /* 1 ends the walk */
}

/* The newest commits of each source that has a tip which the parent does not hold.  0, or -1. */
static int find_newest(struct squash_search *s, struct err *e)
{
	for (size_t i = 0; i < s->tips.n; i++) {
		const struct source *source = s->tips.v[i].source;
		struct walk_range new = {&source->tip, 1, &s->basis, 1};
		struct newest newest = {.out = &s->newest, .source = source};

		if (walk_new(s->range->repository, &new, add_newest, &newest, e) < 0)
			return -1;
	}
	s->newest_state = SQUASH_NEWEST_KNOWN;
	return 0;
}

/* Look up the candidates for COMMIT, or keep those of the one below it.  0, or -1. */
static int take_basis(struct squash_search *s, const struct commit *commit, struct err *e)
{
	int is_next = oid_equal(&s->last, &commit->parents[0]);

	s->last = commit->oid;
	if (is_next)
		return 0;
	s->basis = commit->parents[0];
	s->tips.n = s->newest.n = 0;
	s->newest_state = SQUASH_NEWEST_UNKNOWN;
	return find_tips(s, e);
}

/* Compare C with the merges of the candidates: 1 and *WHICH is the one; 0; -1. */
static int compare(const struct squash_candidate **which, struct squash_search *s,
	struct merges_case *c, const struct squash_candidates *candidates, struct err *e)
{
	for (size_t i = 0; i < candidates->n; i++) {
		enum merges_answer answer;

		/* Where direct commits are taken, it is one of those, and judged by what it changes. */
		if (s->compared >= SQUASH_MAX_COMPARED && s->range->max_direct == 0)
			return 0;
		if (s->compared++ >= SQUASH_MAX_COMPARED)
			return err_set(e,
				"more than %d comparisons with what the sources bring; push in "
				"smaller parts",
				SQUASH_MAX_COMPARED);
		c->theirs = candidates->v[i].oid;
		if (merges_ask(&answer, s->range->merges, c, e) != 0)
			return -1;
		if (answer == MERGES_AUTOMATIC) {
			*which = &candidates->v[i];
			return 1;
		}
	}
	return 0;
}

/* 1 if COMMIT changes something, 0, -1. */
static int changes_tree(const struct trail_range *range, const struct commit *commit, struct err *e)
{
	struct commit parent;
	int differs;

	if (commit_read(&parent, range->repository, &commit->parents[0], e) != 0)
		return -1;
	differs = !oid_equal(&parent.tree, &commit->tree);
	commit_clear(&parent);
	return differs;
}

int squash_find(const struct source **which, struct oid *held, struct squash_search *s,
	const struct commit *commit, struct err *e)
{
	struct merges_case c = {.mode = MERGES_ONLY_WHETHER};
	const struct squash_candidate *candidate = NULL;
	int found;

	if (take_basis(s, commit, e) != 0)
		return -1;
	if (s->tips.n == 0)
		return 0;
	found = changes_tree(s->range, commit, e);
	if (found <= 0)
		return found;
	c.ours = commit->parents[0];
	c.result = commit->oid;
	c.basis = s->basis;
	found = compare(&candidate, s, &c, &s->tips, e);
	if (found == 0 && s->newest_state == SQUASH_NEWEST_UNKNOWN)
		found = find_newest(s, e);
	if (found == 0)
		found = compare(&candidate, s, &c, &s->newest, e);
	if (candidate != NULL) {
		*which = candidate->source;
		*held = candidate->oid;
	}
	return found;
}

/* 1 if OID is TIP or on the way from it along first parents, as far as is looked; 0; -1. */
static int is_on_line(
	struct repository *r, const struct oid *tip, const struct oid *oid, struct err *e)
{
	struct oid at = *tip;

	for (int i = 0; i < TRAIL_MAX_COMMITS; i++) {
		struct commit commit;
		int is_root;

		if (oid_equal(&at, oid))
			return 1;
		if (commit_read(&commit, r, &at, e) != 0)
			return -1;
		is_root = commit.n_parents == 0;
		if (!is_root)
			at = commit.parents[0];
		commit_clear(&commit);
		if (is_root)
			return 0;
	}
	return 0;
}

int squash_find_beside(const struct source **which, struct oid *held, struct squash_search *search,
	const struct commit *commit, struct err *e)
{
	const struct trail_range *range = search->range;
	int beside;

	if (commit->n_parents != 1)
		return 0;
	/* Most that are asked about descend from elsewhere: seen without following the line. */
	beside = walk_holds(range->repository, &range->old, 1, &commit->parents[0], e);
	if (beside > 0)
		beside = is_on_line(range->repository, &range->old, &commit->parents[0], e);
	return beside > 0 ? squash_find(which, held, search, commit, e) : beside;
}
