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

/*
 * What the push makes of REF: 1 and *TIP; 0: it is no source in this push; -1; 2: not in the push.
 */
static int tip_pushed(
	const struct provenance_view *view, const char *ref, struct oid *tip, struct err *e)
{
	int result = 2;

	for (size_t i = 0; view->push != NULL && i < view->push->n; i++) {
		const struct push_update *u = &view->push->v[i];

		if (strcmp(u->target, ref) != 0)
			continue;
		if (oid_is_zero(&u->new))
			return 0;
		if (!oid_is_zero(&u->old)) {
			int forward = walk_holds(view->repository, &u->new, 1, &u->old, e);

			if (forward <= 0)
				return forward;
		}
		*tip = u->new;
		result = 1;
	}
	return result;
}

static int add_branch(
	struct sources *out, const struct provenance_view *view, const char *name, struct err *e)
{
	char *ref = mem_format("%s%s", NAMES_HEADS, name);
	struct oid tip;
	int found = tip_pushed(view, ref, &tip, e);

	if (found == 2)
		found = repository_tip(view->repository, ref, &tip, e);
	if (found > 0)
		add_source(out, ref, &tip);
	free(ref);
	return found < 0 ? -1 : 0;
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
	int found;

	if (!names_retrain(&parts, names_branch(ref)))
		return 0;
	found = tip_pushed(view, ref, &ignored, search->e);
	if (found < 0)
		return -1;
	if (found != 2)
		return 0; /* moved by this push: see add_pushed_retrain */
	if (view->config->known_pipeline == CONFIG_KNOWN_REQUIRE) {
		int landed = view->landed(view->context, ref, tip, search->e);

		if (landed <= 0)
			return landed;
	}
	add_source(search->out, ref, tip);
	return 0;
}

/* A retrain branch that this push creates is judged in it, and so lands under these rules or not at
 * all. */
static void add_pushed_retrain(struct sources *out, const struct push *push)
{
	struct names_retrain parts;

	for (size_t i = 0; push != NULL && i < push->n; i++) {
		const struct push_update *u = &push->v[i];
		const char *branch = names_branch(u->target);

		if (branch != NULL && names_retrain(&parts, branch) && oid_is_zero(&u->old) &&
			!oid_is_zero(&u->new))
			add_source(out, u->target, &u->new);
	}
}

int sources_find(struct sources *out, const struct provenance_view *view,
	const struct config_branch *branch, struct err *e)
{
	struct retrain_search search = {out, view, e};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < branch->merge_from.n; i++) {
		const char *name = branch->merge_from.v[i];

		if (strcmp(name, NAMES_RETRAIN_GLOB) != 0) {
			if (add_branch(out, view, name, e) != 0)
				goto fail;
			continue;
		}
		if (repository_each(view->repository, NAMES_HEADS NAMES_RETRAIN_PREFIX, add_retrain,
			    &search, e) != 0)
			goto fail;
		add_pushed_retrain(out, view->push);
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
};

/* Is COMMIT an end?  1 and STEP's class and source, 0, -1. */
static int class_end(
	struct step *step, const struct walker *w, const struct commit *commit, struct err *e)
{
	const struct source *source;
	int held;

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
		/* The branch's own commits do not come from elsewhere, even on the wrong side of a
		 * merge. */
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
	const struct walker w = {r, sources, old};
	struct oid at = *new;

	memset(out, 0, sizeof(*out));
	while (out->n < PROVENANCE_MAX_COMMITS) {
		struct commit commit;
		struct step *step;
		int end;

		if (commit_read(&commit, r, &at, e) != 0)
			goto fail;
		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		step = &out->v[out->n++];
		step->oid = at;
		step->subject = commit_subject(&commit);
		if (commit.n_parents > 0)
			step->first_parent = commit.parents[0];
		end = class_end(step, &w, &commit, e);
		if (end == 0 && class_commit(step, &w, &commit, e) != 0)
			end = -1;
		at = step->first_parent;
		commit_clear(&commit);
		if (end > 0)
			return 0;
		if (end < 0)
			goto fail;
	}
	(void)err_set(e, "more than %d commits along first parents; push them in smaller parts",
		PROVENANCE_MAX_COMMITS);
fail:
	trail_clear(out);
	return -1;
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
