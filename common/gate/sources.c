#include "gate/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"
#include "gate/past.h"
#include "gate/provenance.h"
#include "gate/push.h"
#include "git/repository.h"
#include "git/walk.h"

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

/* As leads(), past the branches in SEEN, which were looked at before. */
static int leads_past(
	const struct config *c, const char *to, const char *from, struct strlist *seen)
{
	const struct config_branch *b = config_branch(c, from);
	int found = 0;

	if (b == NULL || strlist_has(seen, from))
		return 0;
	strlist_add(seen, from);
	for (size_t i = 0; !found && i < b->merge_from.n; i++)
		found = strcmp(b->merge_from.v[i], to) == 0 ||
			leads_past(c, to, b->merge_from.v[i], seen);
	return found;
}

/* 1 if commits of the branch TO reach the branch FROM by merges, as C has it. */
static int leads(const struct config *c, const char *to, const char *from)
{
	struct strlist seen = {0};
	int found = leads_past(c, to, from, &seen);

	strlist_clear(&seen);
	return found;
}

/* 0 if the branch NAME, which is at NOW, may be moved on to any commit; else 1. */
static int needs_witness(const struct config *c, const char *name, const struct oid *now)
{
	const struct config_branch *b = config_branch(c, name);

	return oid_is_zero(now) ||
	       (b != NULL && (b->direct_push != CONFIG_DIRECT_ALLOW || b->direct_may_change.n > 0));
}

static int add_branch(struct sources *out, const struct provenance_view *view,
	const struct config_branch *branch, const char *name, struct err *e)
{
	char *ref = mem_format("%s%s", NAMES_HEADS, name), *target = NULL;
	const char *target_name;
	enum pushed pushed;
	struct oid tip, now;
	int found, result = -1;

	/* A symbolic reference is its target, also where that is what the push moves. */
	if (repository_resolve(view->gitdir, ref, &target, e) != 0)
		goto out;
	target_name = names_branch(target) != NULL ? names_branch(target) : name;
	found = repository_tip(view->repository, target, &now, e);
	if (found < 0 || look_pushed(&pushed, &tip, view, target, &now, e) != 0)
		goto out;
	if (found > 0 || pushed != PUSHED_NOT)
		out->exist = SOURCES_SOME;
	if (pushed == PUSHED_NOT ||
		(pushed == PUSHED_FORWARD && needs_witness(view->config, target_name, &now) &&
			leads(view->config, branch->name, target_name)))
		tip = now;
	if (pushed != PUSHED_AWAY && !oid_is_zero(&tip))
		add_source(out, ref, &tip);
	result = 0;
out:
	free(target);
	free(ref);
	return result;
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
	struct oid ignored;
	enum pushed pushed;

	if (!names_is_well_formed_retrain(view->config, names_branch(ref)))
		return 0;
	search->out->exist = SOURCES_SOME;
	if (look_pushed(&pushed, &ignored, view, ref, tip, search->e) != 0)
		return -1;
	if (pushed != PUSHED_NOT)
		return 0; /* it is never moved: whatever the push wants with it, it does not count */
	if (view->config->known_pipeline == CONFIG_KNOWN_REQUIRE) {
		int landed = view->past->landed(view->past->context, ref, tip, search->e);

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
		enum pushed pushed;
		struct oid now, tip;

		if (branch == NULL || !names_is_well_formed_retrain(view->config, branch))
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
