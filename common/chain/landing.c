#include "chain/landing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "chain/drift.h"
#include "chain/event.h"
#include "chain/lifecycle.h"
#include "chain/pipeline.h"
#include "chain/place.h"
#include "chain/remote.h"
#include "chain/source.h"
#include "chain/store-internal.h"
#include "chain/store.h"
#include "data/config.h"
#include "git/repository.h"

/* Landings that nobody saw, found one before the other behind one that was seen. */
#define LANDING_MAX_UNSEEN 100

/* What one transaction makes.  The audit records point into it. */
struct work {
	struct store *s;
	const struct config *config;
	int64_t now;
	struct pipeline *pipelines;
	size_t n_pipelines;
	struct audit_ref *refs;
	size_t n_refs;
	struct drift {
		char *was;
		struct audit_ref ref;
	} * drifts;
	size_t n_drifts;
	struct events events;
};

void landing_clear(struct landing *l)
{
	free(l->chain);
	l->chain = NULL;
	strlist_clear(&l->stages);
	l->pipeline = 0;
}

static void fill_pipeline(struct pipeline *p, const struct work *w, const struct intent *i,
	const struct config_chain *chain)
{
	p->project = mem_strdup(i->project);
	p->repository = mem_strdup(i->repository);
	p->gl_repository = mem_strdup(i->gl_repository);
	p->chain = mem_strdup(i->chain);
	p->environment = mem_strdup(place_environment(w->config, chain));
	p->ref = mem_strdup(i->ref);
	p->sha = mem_strdup(i->new);
	p->source = mem_strdup(i->source);
	actor_copy(&p->actor, &i->actor);
	p->push_id = mem_strdup(i->push_id);
	p->policy = mem_strdup(i->policy);
	p->correlation_id = mem_strdup(i->correlation_id);
	p->n_stages = chain->stages.n;
	p->stages = mem_zalloc(p->n_stages, sizeof(*p->stages));
	for (size_t k = 0; k < p->n_stages; k++) {
		p->stages[k].name = mem_strdup(chain->stages.v[k]);
		p->stages[k].start = chain->start == CONFIG_START_MANUAL ? PIPELINE_START_MANUAL
									 : PIPELINE_START_AUTOMATIC;
	}
	lifecycle_create(p, w->now);
}

static void tell(struct landing *l, const struct pipeline *p)
{
	l->pipeline = p->id;
	l->chain = mem_strdup(p->chain);
	for (size_t i = 0; i < p->n_stages; i++)
		strlist_add(&l->stages, p->stages[i].name);
}

static struct audit_record *add_event(
	struct work *w, const char *event, const struct intent *i, const struct audit_ref *ref)
{
	struct audit_record *r = events_add(&w->events, event);

	r->push_id = i->push_id;
	r->actor = i->actor;
	r->repository.path = i->repository;
	r->repository.project = i->project;
	r->repository.gl_repository = i->gl_repository;
	r->policy = i->policy;
	r->correlation_id = i->correlation_id;
	r->refs = ref;
	r->n_refs = 1;
	return r;
}

static void add_events(
	struct work *w, const struct landing *l, enum landing_seen seen, const struct pipeline *p)
{
	const struct intent *i = l->intent;
	struct audit_ref *ref = &w->refs[w->n_refs++];
	struct audit_record *r;

	*ref = (struct audit_ref){.ref = i->ref,
		.old = i->old,
		.new = i->new,
		.source = i->source,
		.method = i->method};
	if (l->source == LANDING_SOURCED && i->chain[0] != '\0' && p == NULL)
		ref->reason = "its chain is not configured: no pipeline";
	else if (seen == LANDING_BY_RECONCILER)
		ref->reason = "found by the runner: post-receive did not come to it";
	(void)add_event(w, EVENT_REF_UPDATED, i, ref);
	if (l->source == LANDING_UNSOURCED) {
		r = add_event(w, EVENT_REF_UNSOURCED, i, ref);
		r->reason = "the source does not hold what was merged from it: no chain";
	} else if (p != NULL) {
		r = add_event(w,
			seen == LANDING_BY_RECONCILER ? EVENT_PIPELINE_RECONCILED
						      : EVENT_PIPELINE_CREATED,
			i, ref);
		r->pipeline = p->id;
		r->status = status_text(p->status);
	}
}

/* Where L's ref was moved behind the gates' back since its last landing, that is told before this one. */
static int add_drift(struct work *w, const struct landing *l, struct err *e)
{
	const struct intent *i = l->intent;
	struct drift *d = &w->drifts[w->n_drifts];
	struct audit_record *r;
	int drifted = drift_land(&d->was, w->s, i, e);

	if (drifted <= 0)
		return drifted;
	w->n_drifts++;
	d->ref = (struct audit_ref){
		.ref = i->ref, .old = d->was, .new = i->old, .reason = DRIFT_REASON};
	r = events_add(&w->events, EVENT_REF_DRIFTED);
	r->repository.path = i->repository;
	r->repository.project = i->project;
	r->repository.gl_repository = i->gl_repository;
	r->refs = &d->ref;
	r->n_refs = 1;
	return 0;
}

/* Close every open intent that brings the same ref to the same commit: they name one landing. */
static int close_intents(struct work *w, const struct landing *l, int64_t pipeline, struct err *e)
{
	const struct intent *i = l->intent;

	return sqlite_run(w->s->db, e,
		"UPDATE intent SET state = ?1, pipeline = nullif(?2, 0) WHERE id = ?3 OR"
		" (repository = ?4 AND ref = ?5 AND new = ?6 AND state = 'open')",
		"tiittt", l->source == LANDING_SOURCED ? "landed" : "unsourced", pipeline, i->id,
		i->repository, i->ref, i->new);
}

/* A landing that nobody has recorded. */
static int record_new(struct work *w, struct landing *l, enum landing_seen seen, struct err *e)
{
	const struct config_chain *chain = NULL;
	struct pipeline *p = NULL;

	if (l->source == LANDING_SOURCED && l->intent->chain[0] != '\0')
		chain = config_chain(w->config, l->intent->chain);
	if (chain != NULL) {
		p = &w->pipelines[w->n_pipelines++];
		fill_pipeline(p, w, l->intent, chain);
		if (pipeline_add(w->s, p, e) != 0 ||
			(w->config->launcher == CONFIG_LAUNCHER_GITLAB &&
				remote_add(w->s, p->id, e) != 0))
			return -1;
		tell(l, p);
	}
	if (add_drift(w, l, e) != 0 || close_intents(w, l, l->pipeline, e) != 0)
		return -1;
	add_events(w, l, seen, p);
	return 0;
}

/* A landing that was recorded before, perhaps by another intent: give the pipeline that it has. */
static int recall(struct work *w, struct landing *l, int64_t pipeline, struct err *e)
{
	struct pipeline p;
	int found = pipeline == 0 ? 0 : pipeline_read(&p, w->s, pipeline, e);

	if (found != 1)
		return found;
	tell(l, &p);
	pipeline_clear(&p);
	return 0;
}

/* 1: the intent was closed, and *PIPELINE is what it became or 0; 0: it is open; -1. */
static int is_closed(struct store *s, int64_t id, int64_t *pipeline, struct err *e)
{
	return sqlite_one(s->db, pipeline, e,
		"SELECT ifnull(pipeline, 0) FROM intent"
		" WHERE id = ? AND state IN ('landed', 'unsourced')",
		"i", id);
}

/*
 * Was the landing that I names recorded with another intent?  So if an intent brought the ref to
 * the same commit and nothing has landed since, up to I, that left this commit.  An intent of a
 * push that was refused after pre-receive is told from a landing by this alone.  1 and *PIPELINE,
 * or 0, or -1.
 */
static int is_recorded(struct store *s, const struct intent *i, int64_t *pipeline, struct err *e)
{
	return sqlite_one(s->db, pipeline, e,
		"SELECT ifnull(l.pipeline, 0) FROM intent l"
		" WHERE l.repository = ?1 AND l.ref = ?2 AND l.new = ?3 AND l.id <> ?4"
		" AND l.state IN ('landed', 'unsourced')"
		" AND NOT EXISTS (SELECT 1 FROM intent gone WHERE gone.repository = ?1"
		"  AND gone.ref = ?2 AND gone.old = ?3 AND gone.state IN ('landed', 'unsourced')"
		"  AND gone.id > l.id AND gone.id < ?4)"
		" ORDER BY l.id DESC LIMIT 1",
		"ttti", i->repository, i->ref, i->new, i->id);
}

static int record_one(struct work *w, struct landing *l, enum landing_seen seen, struct err *e)
{
	int64_t pipeline = 0;
	int closed = is_closed(w->s, l->intent->id, &pipeline, e);

	if (closed == 0 && seen == LANDING_BY_RECONCILER) {
		closed = is_recorded(w->s, l->intent, &pipeline, e);
		if (closed == 1 && close_intents(w, l, pipeline, e) != 0)
			closed = -1;
	}
	if (closed < 0)
		return -1;
	return closed == 1 ? recall(w, l, pipeline, e) : record_new(w, l, seen, e);
}

/* The newest open intent that brought I's ref to where I found it: 1 and *OUT, 0, -1. */
static int find_before(struct intent *out, struct store *s, const struct intent *i, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT " STORE_INTENT_COLUMNS " FROM intent WHERE repository = ? AND ref = ?"
		    " AND new = ? AND id < ? AND state = 'open' ORDER BY id DESC LIMIT 1",
		    "ttti", i->repository, i->ref, i->old, i->id) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1)
		store_intent_row(out, q);
	sqlite_end(q);
	return found;
}

/*
 * What is to be recorded, in this order: what the caller saw, each after what it shows to have
 * been.
 */
struct plan_entry {
	struct landing *landing; /* the caller's, or &OWN */
	struct landing own;
	struct intent intent; /* of OWN */
	enum landing_seen seen;
};
struct plan {
	struct plan_entry *v;
	size_t n;
	size_t cap;
};

static void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		landing_clear(&p->v[i].own);
		intent_clear(&p->v[i].intent);
	}
	free(p->v);
}

static struct plan_entry *plan_add(struct plan *p)
{
	mem_grow(&p->v, p->n, &p->cap, sizeof(*p->v));
	return &p->v[p->n++];
}

/*
 * Where L's ref moved on from a commit that an open intent names, that intent landed and nobody saw
 * it (git does not run post-receive when the client is gone): it comes first, so that its pipeline
 * is the older one.  At most LANDING_MAX_UNSEEN are looked for.
 */
static int plan_unseen(struct plan *p, struct store *s, const struct landing *l, struct err *e)
{
	struct repository *r = NULL;
	struct plan_entry *entry;
	struct intent before;
	size_t first = p->n;
	int found = find_before(&before, s, l->intent, e);

	if (found == 1 && repository_open(&r, before.repository, REPOSITORY_OBJECTS, e) != 0) {
		intent_clear(&before);
		found = -1;
	}
	while (found == 1) {
		entry = plan_add(p);
		entry->intent = before;
		entry->seen = LANDING_BY_RECONCILER;
		if (source_look(&entry->own.source, s, r, &entry->intent, e) != 0)
			found = -1;
		else if (p->n - first >= LANDING_MAX_UNSEEN)
			found = 0;
		else
			found = find_before(&before, s, &entry->intent, e);
	}
	repository_free(r);
	for (size_t i = first, j = p->n; i + 1 < j; i++, j--) {
		struct plan_entry swapped = p->v[i];

		p->v[i] = p->v[j - 1];
		p->v[j - 1] = swapped;
	}
	return found;
}

static int plan_make(struct plan *p, struct store *s, struct landing *landings, size_t n,
	enum landing_seen seen, struct err *e)
{
	struct plan_entry *entry;

	for (size_t i = 0; i < n; i++) {
		landing_clear(&landings[i]);
		if (plan_unseen(p, s, &landings[i], e) != 0)
			return -1;
		entry = plan_add(p);
		entry->landing = &landings[i];
		entry->seen = seen;
	}
	/* Now that nothing moves any more. */
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].landing == NULL) {
			p->v[i].own.intent = &p->v[i].intent;
			p->v[i].landing = &p->v[i].own;
		}
	return 0;
}

static int record_all(struct work *w, const struct plan *p, struct err *e)
{
	if (sqlite_begin(w->s->db, e) != 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (record_one(w, p->v[i].landing, p->v[i].seen, e) != 0) {
			sqlite_rollback(w->s->db);
			return -1;
		}
	return events_commit(&w->events, w->s, e);
}

int landing_record(struct store *s, const struct config *config, struct landing *landings, size_t n,
	enum landing_seen seen, struct err *e)
{
	struct work w = {.s = s, .config = config, .now = clock_now()};
	struct plan plan = {0};
	int result = plan_make(&plan, s, landings, n, seen, e);

	if (result == 0) {
		w.pipelines = mem_zalloc(plan.n, sizeof(*w.pipelines));
		w.refs = mem_zalloc(plan.n, sizeof(*w.refs));
		w.drifts = mem_zalloc(plan.n, sizeof(*w.drifts));
		result = record_all(&w, &plan, e);
	}
	for (size_t i = 0; result != 0 && i < n; i++)
		landing_clear(&landings[i]);
	for (size_t i = 0; i < w.n_pipelines; i++)
		pipeline_clear(&w.pipelines[i]);
	free(w.pipelines);
	free(w.refs);
	for (size_t i = 0; i < w.n_drifts; i++)
		free(w.drifts[i].was);
	free(w.drifts);
	events_clear(&w.events);
	plan_clear(&plan);
	return result;
}
