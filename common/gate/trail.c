#include "gate/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gate/sources.h"
#include "gate/squash.h"
#include "git/repository.h"
#include "git/walk.h"

void trail_clear(struct trail *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].subject);
		free(t->v[i].source);
	}
	free(t->v);
	memset(t, 0, sizeof(*t));
}

struct walker {
	const struct trail_range *range;
	struct squash_search squashes;
	size_t n_direct;
	struct commit *line; /* from the new tip along first parents, as far as it was read */
	size_t n;
	size_t cap;
};

static void walker_clear(struct walker *w)
{
	for (size_t i = 0; i < w->n; i++)
		commit_clear(&w->line[i]);
	free(w->line);
	squash_clear(&w->squashes);
}

/* The line does not go on below its last commit, or the branch's old tip is reached. */
static int is_last(const struct walker *w)
{
	const struct commit *c = &w->line[w->n - 1];

	return oid_equal(&c->oid, &w->range->old) || c->n_parents == 0;
}

/* Read the line on until it has N commits, or ends. */
static int read_line(struct walker *w, size_t n, struct err *e)
{
	while (w->n < n && (w->n == 0 || !is_last(w))) {
		const struct oid *next = w->n == 0 ? &w->range->new : &w->line[w->n - 1].parents[0];

		mem_grow(&w->line, w->n, &w->cap, sizeof(*w->line));
		if (commit_read(&w->line[w->n], w->range->repository, next, e) != 0)
			return -1;
		w->n++;
	}
	return 0;
}

/* The class and source of an end; FIND_END may look at many, and only the last one's are kept. */
struct end {
	enum step_class class;
	const struct source *source; /* NULL: none */
};

/* Is the commit COMMIT an end of the walk?  1 and *END; 0; -1. */
static int class_end(
	struct end *end, const struct walker *w, const struct commit *commit, struct err *e)
{
	const struct trail_range *range = w->range;
	int held;

	end->source = NULL;
	if (oid_equal(&commit->oid, &range->old)) {
		end->class = STEP_OLD;
		return 1;
	}
	held = sources_hold(range->sources, range->repository, &commit->oid, &end->source, e);
	if (held < 0)
		return -1;
	if (held > 0) {
		int forward = walk_holds(range->repository, &commit->oid, 1, &range->old, e);

		end->class = forward > 0 ? STEP_SOURCE : STEP_LEFT;
		return forward < 0 ? -1 : 1;
	}
	held = walk_holds(range->repository, &range->old, 1, &commit->oid, e);
	if (held != 0) {
		end->class = STEP_BEHIND;
		return held;
	}
	end->class = STEP_ROOT;
	return commit->n_parents == 0;
}

/*
 * Find the first end on the line: *AT is its place, *END its class.  What holds a commit holds all
 * its ancestors, so once a commit of the line is an end, every later one would be: it is looked for by
 * doubling and halving, not at each commit.
 */
static int find_end(struct walker *w, size_t *at, struct end *end, struct err *e)
{
	size_t before = 0, last = 0; /* no end at a place below BEFORE */
	struct end here = {0};
	int is_end = 0;

	while (is_end == 0) {
		size_t more = 2 * before + 1;

		if (more > TRAIL_MAX_COMMITS)
			more = TRAIL_MAX_COMMITS;
		if (read_line(w, more, e) != 0)
			return -1;
		last = w->n - 1;
		is_end = class_end(&here, w, &w->line[last], e);
		if (is_end < 0)
			return -1;
		if (is_end == 0)
			before = last + 1;
		if (is_end == 0 && before >= TRAIL_MAX_COMMITS)
			return err_set(e,
				"more than %d commits along first parents; push them in smaller "
				"parts",
				TRAIL_MAX_COMMITS);
	}
	*end = here;
	while (before < last) {
		size_t middle = before + (last - before) / 2;

		is_end = class_end(&here, w, &w->line[middle], e);
		if (is_end < 0)
			return -1;
		if (is_end > 0) {
			last = middle;
			*end = here;
		} else {
			before = middle + 1;
		}
	}
	*at = last;
	return 0;
}

static void set_source(struct step *step, enum step_class class, const struct source *source,
	const struct oid *held)
{
	step->class = class;
	step->source = mem_strdup(source->ref);
	step->held = *held;
}

/* Class a commit with one parent.  0, or -1. */
static int class_single(
	struct step *step, struct walker *w, const struct commit *commit, struct err *e)
{
	const struct source *source;
	struct oid held;
	int found = 0;

	step->class = STEP_DIRECT;
	if (w->range->max_direct == 0 || w->n_direct < w->range->max_direct)
		found = squash_find(&source, &held, &w->squashes, commit, e);
	w->n_direct += found == 0;
	if (found > 0)
		set_source(step, STEP_SQUASH, source, &held);
	return found < 0 ? -1 : 0;
}

/* Class a merge whose second parent no source holds.  0, or -1. */
static int class_foreign(struct step *step, struct walker *w, struct err *e)
{
	struct repository *r = w->range->repository;
	const struct source *source;
	struct commit second;
	struct oid commit_held;
	int held = walk_holds(r, &w->range->old, 1, &step->merged, e), found;

	/* The branch's own commits come from nowhere else, even on the wrong side of a merge. */
	step->class = held > 0 ? STEP_DIRECT : STEP_FOREIGN;
	if (held == 0)
		held = walk_holds(r, &step->first_parent, 1, &step->merged, e);
	if (held != 0)
		return held < 0 ? -1 : 0;
	if (commit_read(&second, r, &step->merged, e) != 0)
		return -1;
	found = squash_find_beside(&source, &commit_held, &w->squashes, &second, e);
	commit_clear(&second);
	if (found > 0)
		set_source(step, STEP_SQUASH, source, &commit_held);
	return found < 0 ? -1 : 0;
}

/* Class a merge whose second parent SOURCE holds.  0, or -1. */
static int class_sourced(
	struct step *step, struct walker *w, const struct source *source, struct err *e)
{
	int held = walk_holds(w->range->repository, &step->first_parent, 1, &step->merged, e);

	step->class = STEP_DIRECT; /* held: it brings nothing, so whatever it changes is its own */
	if (held == 0)
		set_source(step, STEP_MERGE, source, &step->merged);
	return held < 0 ? -1 : 0;
}

/* Class a commit with two parents.  0, or -1. */
static int class_merge(struct step *step, struct walker *w, struct err *e)
{
	const struct trail_range *range = w->range;
	struct merges_case c = {
		.ours = step->first_parent, .theirs = step->merged, .result = step->oid};
	const struct source *source;
	int held = sources_hold(range->sources, range->repository, &step->merged, &source, e);

	if (held < 0)
		return -1;
	if ((held > 0 ? class_sourced(step, w, source, e) : class_foreign(step, w, e)) != 0)
		return -1;
	if (step->source == NULL || range->content == TRAIL_CONTENT_ANY)
		return 0;
	return merges_ask(&step->content, range->merges, &c, e);
}

/* Class a commit that is no end.  0, or -1. */
static int class_commit(
	struct step *step, struct walker *w, const struct commit *commit, struct err *e)
{
	if (commit->n_parents == 1)
		return class_single(step, w, commit, e);
	if (commit->n_parents == 2)
		return class_merge(step, w, e);
	step->class = STEP_OCTOPUS;
	return 0;
}

static void set_end(struct step *step, const struct end *end)
{
	step->class = end->class;
	if (end->source != NULL)
		set_source(step, end->class, end->source, &step->oid);
}

static void add_step(struct trail *out, const struct commit *commit)
{
	struct step *step;

	mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
	step = &out->v[out->n++];
	step->oid = commit->oid;
	step->subject = commit_subject(commit);
	if (commit->n_parents > 0)
		step->first_parent = commit->parents[0];
	if (commit->n_parents == 2)
		step->merged = commit->parents[1];
}

int trail_walk(struct trail *out, const struct trail_range *range, struct err *e)
{
	struct walker w = {.range = range, .squashes = {.range = range}};
	struct end end = {0};
	size_t at = 0;
	int result;

	memset(out, 0, sizeof(*out));
	result = find_end(&w, &at, &end, e);
	for (size_t i = 0; result == 0 && i <= at; i++)
		add_step(out, &w.line[i]);
	if (result == 0)
		set_end(&out->v[at], &end);
	/* The oldest first: what lies near the old tip is near the sources too, and soon compared. */
	for (size_t i = at; result == 0 && i-- > 0;)
		result = class_commit(&out->v[i], &w, &w.line[i], e);
	walker_clear(&w);
	if (result != 0)
		trail_clear(out);
	return result;
}
