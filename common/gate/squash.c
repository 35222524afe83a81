#include "gate/squash.h"

#include <string.h>

#include "base/err.h"
#include "gate/sources.h"
#include "gate/trail.h"
#include "git/merge.h"
#include "git/repository.h"
#include "git/walk.h"

struct search {
	const struct trail_range *range;
	struct merges_case c; /* all but THEIRS, which is the candidate */
	int found;
	int seen;
	struct err *e;
};

/* Compare with the automatic merge of the candidate: 1 it is that; 0; -1. */
static int try_candidate(struct search *s, const struct oid *candidate)
{
	enum merges_answer answer;

	s->c.theirs = *candidate;
	if (merges_ask(&answer, s->range->merges, &s->c, s->e) != 0)
		return -1;
	s->found = answer == MERGES_AUTOMATIC;
	return s->found;
}

static int try_newest(void *context, const struct oid *candidate)
{
	struct search *s = context;
	int found = try_candidate(s, candidate);

	if (found != 0)
		return found;
	/* Not an error and not found: 2 ends the walk. */
	return ++s->seen < TRAIL_MAX_CANDIDATES ? 0 : 2;
}

static int try_tip(struct search *s, const struct source *source)
{
	int held = walk_holds(s->range->repository, &s->c.ours, 1, &source->tip, s->e);

	return held != 0 ? (held < 0 ? -1 : 0) : try_candidate(s, &source->tip);
}

static int try_commits(struct search *s, const struct source *source)
{
	struct walk_range new = {&source->tip, 1, &s->c.ours, 1};

	s->seen = 0;
	if (walk_new(s->range->repository, &new, try_newest, s, s->e) < 0)
		return -1;
	return s->found;
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

int squash_find(const struct source **which, struct oid *held, const struct trail_range *range,
	const struct commit *commit, struct err *e)
{
	static int (*const tries[])(struct search *, const struct source *) = {
		try_tip, try_commits};
	const struct sources *sources = range->sources;
	struct search s = {.range = range, .e = e};
	int result = changes_tree(range, commit, e);

	if (result <= 0)
		return result;
	s.c.ours = commit->parents[0];
	s.c.result = commit->oid;
	s.c.mode = MERGES_ONLY_WHETHER;
	for (size_t k = 0; k < sizeof(tries) / sizeof(tries[0]); k++)
		for (size_t i = 0; i < sources->n; i++) {
			result = tries[k](&s, &sources->v[i]);
			if (result < 0)
				return -1;
			if (result > 0) {
				*which = &sources->v[i];
				*held = s.c.theirs;
				return 1;
			}
		}
	return 0;
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

int squash_find_beside(const struct source **which, struct oid *held,
	const struct trail_range *range, const struct commit *commit, struct err *e)
{
	int beside;

	if (commit->n_parents != 1)
		return 0;
	/* Most that are asked about descend from elsewhere: seen without following the line. */
	beside = walk_holds(range->repository, &range->old, 1, &commit->parents[0], e);
	if (beside > 0)
		beside = is_on_line(range->repository, &range->old, &commit->parents[0], e);
	return beside > 0 ? squash_find(which, held, range, commit, e) : beside;
}
