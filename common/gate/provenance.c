#include "gate/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"
#include "gate/push.h"
#include "git/repository.h"
#include "git/walk.h"

#define GUESS_MAX_WALKS 32 /* branches that are searched for a commit, for a message only */

void sources_clear(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].ref);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

static void add_source(struct sources *s, const char *ref, const struct oid *tip)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].ref, ref) == 0)
			return;
	mem_grow(&s->v, s->n, &s->cap, sizeof(*s->v));
	s->v[s->n].ref = mem_strdup(ref);
	s->v[s->n++].tip = *tip;
}

enum pushed { PUSHED_NOT, PUSHED_AWAY, PUSHED_FORWARD };

/*
 * What the push makes of REF, which is at NOW (zeros: nowhere): nothing; no source; or a source at
 * *TIP.  0 and *OUT, or -1.
 */
static int look_pushed(enum pushed *out, struct oid *tip, const struct provenance_view *view,
	const char *ref, const struct oid *now, struct err *e)
{
	*out = PUSHED_NOT;
	for (size_t i = 0; view->push != NULL && i < view->push->n; i++) {
		const struct push_update *u = &view->push->v[i];
		int forward = 1;

		if (strcmp(u->target, ref) != 0)
			continue;
		*out = PUSHED_AWAY;
		if (oid_is_zero(&u->new) || !oid_equal(&u->old, now))
			return 0;
		if (!oid_is_zero(&u->old))
			forward = walk_holds(view->repository, &u->new, 1, &u->old, e);
		if (forward <= 0)
			return forward;
		*tip = u->new;
		*out = PUSHED_FORWARD;
	}
	return 0;
}

#define MAX_BRANCHES_DEEP 32 /* of the search for a circle; a configuration has a handful */

/* 1 if commits of the branch TO reach the branch FROM by merges, as C has it. */
static int leads(const struct config *c, const char *to, const char *from, int depth)
{
	const struct config_branch *b = config_branch(c, from);

	for (size_t i = 0; b != NULL && depth < MAX_BRANCHES_DEEP && i < b->merge_from.n; i++)
		if (strcmp(b->merge_from.v[i], to) == 0 ||
			leads(c, to, b->merge_from.v[i], depth + 1))
			return 1;
	return 0;
}

static int add_branch(struct sources *out, const struct provenance_view *view,
	const struct config_branch *branch, const char *name, struct err *e)
{
	char *ref = mem_format("%s%s", NAMES_HEADS, name);
	enum pushed pushed;
	struct oid tip, now;
	int found = repository_tip(view->repository, ref, &now, e);

	if (found < 0 || look_pushed(&pushed, &tip, view, ref, &now, e) != 0) {
		free(ref);
		return -1;
	}
	if (found > 0 || pushed != PUSHED_NOT)
		out->exist = SOURCES_SOME;
	if (pushed == PUSHED_NOT ||
		(pushed == PUSHED_FORWARD && leads(view->config, branch->name, name, 0)))
		tip = now;
	if (pushed != PUSHED_AWAY && !oid_is_zero(&tip))
		add_source(out, ref, &tip);
	free(ref);
	return 0;
}

struct retrain_search {
	struct sources *out;
	const struct provenance_view *view;
	struct err *e;
};

static int add_retrain(void *context, const char *ref, const struct oid *tip)
{
	struct retrain_search *search = context;
	const struct provenance_view *view = search->view;
	struct names_retrain parts;
	struct oid ignored;
	enum pushed pushed;

	if (!names_retrain(&parts, names_branch(ref)))
		return 0;
	search->out->exist = SOURCES_SOME;
	if (look_pushed(&pushed, &ignored, view, ref, tip, search->e) != 0)
		return -1;
	if (pushed != PUSHED_NOT)
		return 0; /* it is never moved: whatever the push wants with it, it does not count */
	if (view->config->known_pipeline == CONFIG_KNOWN_REQUIRE) {
		int landed = view->landed(view->context, ref, tip, search->e);

		if (landed <= 0)
			return landed;
	}
	add_source(search->out, ref, tip);
	return 0;
}

/* A retrain branch that this push creates is judged in it, and so lands under these rules or not at all. */
static int add_pushed_retrain(
	struct sources *out, const struct provenance_view *view, struct err *e)
{
	for (size_t i = 0; view->push != NULL && i < view->push->n; i++) {
		const struct push_update *u = &view->push->v[i];
		const char *branch = names_branch(u->target);
		struct names_retrain parts;
		enum pushed pushed;
		struct oid now, tip;

		if (branch == NULL || !names_retrain(&parts, branch))
			continue;
		out->exist = SOURCES_SOME;
		if (repository_tip(view->repository, u->target, &now, e) < 0)
			return -1;
		if (!oid_is_zero(&now))
			continue; /* it is not created: see add_retrain */
		if (look_pushed(&pushed, &tip, view, u->target, &now, e) != 0)
			return -1;
		if (pushed == PUSHED_FORWARD)
			add_source(out, u->target, &tip);
	}
	return 0;
}

int sources_find(struct sources *out, const struct provenance_view *view,
	const struct config_branch *branch, struct err *e)
{
	struct retrain_search search = {out, view, e};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < branch->merge_from.n; i++) {
		const char *name = branch->merge_from.v[i];

		if (strcmp(name, NAMES_RETRAIN_GLOB) != 0) {
			if (add_branch(out, view, branch, name, e) != 0)
				goto fail;
			continue;
		}
		if (repository_each(view->repository, NAMES_HEADS NAMES_RETRAIN_PREFIX, add_retrain,
			    &search, e) != 0)
			goto fail;
		if (add_pushed_retrain(out, view, e) != 0)
			goto fail;
	}
	return 0;
fail:
	sources_clear(out);
	return -1;
}

int sources_hold(const struct sources *s, struct repository *r, const struct oid *oid,
	const struct source **which, struct err *e)
{
	struct oid *tips;
	int held;

	*which = NULL;
	for (size_t i = 0; i < s->n; i++)
		if (oid_equal(&s->v[i].tip, oid)) {
			*which = &s->v[i];
			return 1;
		}
	tips = mem_zalloc(s->n, sizeof(*tips));
	for (size_t i = 0; i < s->n; i++)
		tips[i] = s->v[i].tip;
	held = walk_holds(r, tips, s->n, oid, e);
	for (size_t i = 0; held > 0 && *which == NULL && i < s->n; i++) {
		held = s->n == 1 ? 1 : walk_holds(r, &tips[i], 1, oid, e);
		if (held > 0)
			*which = &s->v[i];
		else if (held == 0)
			held = 1; /* another one holds it */
	}
	free(tips);
	return held;
}

void trail_clear(struct trail *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].subject);
	free(t->v);
	memset(t, 0, sizeof(*t));
}

struct walker {
	struct repository *repository;
	const struct sources *sources;
	const struct oid *old;
	struct commit *line; /* from the new tip along first parents, as far as it was read */
	size_t n;
	size_t cap;
};

static void walker_clear(struct walker *w)
{
	for (size_t i = 0; i < w->n; i++)
		commit_clear(&w->line[i]);
	free(w->line);
}

/* The line does not go on below its last commit, or the branch's old tip is reached. */
static int is_last(const struct walker *w)
{
	const struct commit *c = &w->line[w->n - 1];

	return oid_equal(&c->oid, w->old) || c->n_parents == 0;
}

/* Read the line on until it has N commits, or ends. */
static int read_line(struct walker *w, const struct oid *new, size_t n, struct err *e)
{
	while (w->n < n && (w->n == 0 || !is_last(w))) {
		const struct oid *next = w->n == 0 ? new : &w->line[w->n - 1].parents[0];

		mem_grow(&w->line, w->n, &w->cap, sizeof(*w->line));
		if (commit_read(&w->line[w->n], w->repository, next, e) != 0)
			return -1;
		w->n++;
	}
	return 0;
}

/* Is the commit COMMIT an end of the walk?  1 and STEP's class and source; 0; -1. */
static int class_end(
	struct step *step, const struct walker *w, const struct commit *commit, struct err *e)
{
	const struct source *source;
	int held;

	step->source = NULL;
	if (oid_equal(&commit->oid, w->old)) {
		step->class = STEP_OLD;
		return 1;
	}
	held = sources_hold(w->sources, w->repository, &commit->oid, &source, e);
	if (held < 0)
		return -1;
	if (held > 0) {
		int forward = walk_holds(w->repository, &commit->oid, 1, w->old, e);

		step->class = forward > 0 ? STEP_SOURCE : STEP_LEFT;
		step->source = source->ref;
		return forward < 0 ? -1 : 1;
	}
	held = walk_holds(w->repository, w->old, 1, &commit->oid, e);
	if (held != 0) {
		step->class = STEP_BEHIND;
		return held;
	}
	step->class = STEP_ROOT;
	return commit->n_parents == 0;
}

/*
 * Find the first end on the line: *END is its place, *STEP its class.  What holds a commit holds all
 * its ancestors, so once a commit of the line is an end, every later one would be: it is looked for by
 * doubling and halving, not at each commit.
 */
static int find_end(
	struct walker *w, const struct oid *new, size_t *end, struct step *step, struct err *e)
{
	size_t before = 0, last = 0; /* no end at a place below BEFORE */
	struct step here = {0};
	int is_end = 0;

	while (is_end == 0) {
		size_t more = 2 * before + 1;

		if (more > PROVENANCE_MAX_COMMITS)
			more = PROVENANCE_MAX_COMMITS;
		if (read_line(w, new, more, e) != 0)
			return -1;
		last = w->n - 1;
		is_end = class_end(&here, w, &w->line[last], e);
		if (is_end < 0)
			return -1;
		if (is_end == 0)
			before = last + 1;
		if (is_end == 0 && before >= PROVENANCE_MAX_COMMITS)
			return err_set(e,
				"more than %d commits along first parents; push them in smaller "
				"parts",
				PROVENANCE_MAX_COMMITS);
	}
	*step = here;
	while (before < last) {
		size_t middle = before + (last - before) / 2;

		is_end = class_end(&here, w, &w->line[middle], e);
		if (is_end < 0)
			return -1;
		if (is_end > 0) {
			last = middle;
			*step = here;
		} else {
			before = middle + 1;
		}
	}
	*end = last;
	return 0;
}

/* Class a commit that is no end.  0, or -1. */
static int class_commit(
	struct step *step, const struct walker *w, const struct commit *commit, struct err *e)
{
	const struct source *source;
	int held;

	step->class = STEP_DIRECT;
	if (commit->n_parents > 2)
		step->class = STEP_OCTOPUS;
	if (commit->n_parents != 2)
		return 0;
	step->merged = commit->parents[1];
	held = sources_hold(w->sources, w->repository, &step->merged, &source, e);
	if (held < 0)
		return -1;
	if (held == 0) {
		/*
		 * The branch's own commits do not come from elsewhere, even on the wrong side of a
		 * merge.
		 */
		held = walk_holds(w->repository, w->old, 1, &step->merged, e);
		if (held == 0)
			step->class = STEP_FOREIGN;
		return held < 0 ? -1 : 0;
	}
	held = walk_holds(w->repository, &commit->parents[0], 1, &step->merged, e);
	if (held == 0) {
		step->class = STEP_MERGE;
		step->source = source->ref;
	}
	return held < 0 ? -1
			: 0; /* held: the merge brings nothing, so whatever it changes is its own */
}

int trail_walk(struct trail *out, struct repository *r, const struct sources *sources,
	const struct oid *old, const struct oid *new, struct err *e)
{
	struct walker w = {.repository = r, .sources = sources, .old = old};
	struct step last = {0};
	size_t end = 0;
	int result;

	memset(out, 0, sizeof(*out));
	result = find_end(&w, new, &end, &last, e);
	for (size_t i = 0; result == 0 && i <= end; i++) {
		const struct commit *commit = &w.line[i];
		struct step *step;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		step = &out->v[out->n++];
		if (i == end)
			*step = last;
		step->oid = commit->oid;
		step->subject = commit_subject(commit);
		if (commit->n_parents > 0)
			step->first_parent = commit->parents[0];
		if (i < end)
			result = class_commit(step, &w, commit, e);
	}
	walker_clear(&w);
	if (result != 0)
		trail_clear(out);
	return result;
}

struct guess {
	const struct provenance_view *view;
	const struct oid *oid;
	int walks;
	char *exact;
	char *holder;
};

static int guess_branch(void *context, const char *ref, const struct oid *tip)
{
	struct guess *g = context;

	if (oid_equal(tip, g->oid)) {
		g->exact = mem_strdup(ref);
		return 1;
	}
	if (g->holder == NULL && g->walks++ < GUESS_MAX_WALKS &&
		walk_holds(g->view->repository, tip, 1, g->oid, NULL) > 0)
		g->holder = mem_strdup(ref);
	return 0;
}

char *provenance_guess(const struct provenance_view *view, const struct oid *oid)
{
	struct guess g = {.view = view, .oid = oid};
	char *name = NULL;

	for (size_t i = 0; view->push != NULL && i < view->push->n; i++)
		if (oid_equal(&view->push->v[i].new, oid))
			return mem_strdup(view->push->v[i].ref);
	(void)repository_each(view->repository, NAMES_HEADS, guess_branch, &g, NULL);
	name = g.exact != NULL ? g.exact : g.holder;
	if (g.exact != NULL)
		free(g.holder);
	return name;
}
