#include "chain/progress.h"

#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "chain/event.h"
#include "chain/pipeline.h"
#include "chain/remote.h"
#include "chain/store-internal.h"
#include "chain/store.h"

/* The pipelines of one transaction, and what is to be told of them. */
struct step {
	struct store *s;
	int64_t now;
	struct pipeline p; /* the one it is about */
	enum status before;
	struct pipeline_stage *stage;
	struct pipeline *older; /* those that it overtakes */
	size_t n_older;
	size_t cap_older;
	struct events events;
};

static void step_clear(struct step *t)
{
	for (size_t i = 0; i < t->n_older; i++)
		pipeline_clear(&t->older[i]);
	free(t->older);
	pipeline_clear(&t->p);
	events_clear(&t->events);
	sqlite_rollback(t->s->db); /* nothing to do after a commit */
}

/*
 * Begin a transaction on pipeline ID and its STAGE (NULL: none).  1; 0 and *E: there is none such;
 * -1.
 */
static int step_begin(struct step *t, struct store *s, int64_t id, const char *stage, struct err *e)
{
	int found;

	memset(t, 0, sizeof(*t));
	t->s = s;
	t->now = clock_now();
	if (sqlite_begin(s->db, e) != 0)
		return -1;
	found = pipeline_read(&t->p, s, id, e);
	if (found == 0)
		(void)err_set(e, "there is no pipeline %lld", (long long)id);
	if (found != 1)
		return found;
	t->before = t->p.status;
	if (stage == NULL)
		return 1;
	t->stage = pipeline_find_stage(&t->p, stage, e);
	return t->stage != NULL;
}

/* Write, record and commit. */
static int step_commit(struct step *t, struct err *e)
{
	if (pipeline_save(t->s, &t->p, e) != 0 || remote_wake(t->s, t->p.id, e) != 0)
		return -1;
	if (status_is_final(t->p.status) && !status_is_final(t->before))
		(void)events_add_pipeline(&t->events, EVENT_PIPELINE_FINISHED, &t->p);
	return events_commit(&t->events, t->s, e);
}

/* Skip what an older pipeline of the ref has not started, now that this one starts. */
static int overtake(struct step *t, int64_t id, struct err *e)
{
	struct pipeline *older;
	enum status before;

	mem_grow(&t->older, t->n_older, &t->cap_older, sizeof(*t->older));
	older = &t->older[t->n_older++];
	if (pipeline_read(older, t->s, id, e) != 1)
		return -1;
	before = older->status;
	lifecycle_overtaken(older, t->p.id, t->now);
	if (status_is_final(older->status) && !status_is_final(before))
		(void)events_add_pipeline(&t->events, EVENT_PIPELINE_FINISHED, older);
	if (pipeline_save(t->s, older, e) != 0)
		return -1;
	return remote_wake(t->s, older->id, e);
}

static int overtake_all(struct step *t, struct err *e)
{
	struct pipeline_ids ids = {0};
	int result = pipeline_older_waiting(t->s, &t->p, &ids, e);

	for (size_t i = 0; result == 0 && i < ids.n; i++)
		result = overtake(t, ids.v[i], e);
	free(ids.v);
	return result;
}

/* JOB: that the stage is on GitLab; NULL: it runs here. */
static int start(struct step *t, const struct remote_job *job, struct err *e)
{
	struct audit_record *r;

	lifecycle_start(&t->p, t->stage, t->now);
	r = events_add_stage(&t->events, EVENT_STAGE_STARTED, &t->p, t->stage);
	if (job != NULL) {
		r->reason = job->web_url;
		if (remote_set_job(t->s, t->p.id, job, e) != 0)
			return -1;
	}
	return overtake_all(t, e) == 0 ? step_commit(t, e) : -1;
}

static int begin_and_start(struct store *s, int64_t id, const char *stage,
	const struct remote_job *job, int64_t *attempt, struct err *e)
{
	struct step t;
	int result = step_begin(&t, s, id, stage, e);

	if (result == 0)
		result = -1; /* the runner asks only for what it has read */
	else if (result == 1 && t.stage->status != STATUS_PENDING)
		result = 0;
	if (result == 1 && start(&t, job, e) != 0)
		result = -1;
	*attempt = result == 1 ? t.stage->attempt : 0;
	step_clear(&t);
	return result;
}

int progress_start(struct store *s, int64_t id, const char *stage, int64_t *attempt, struct err *e)
{
	return begin_and_start(s, id, stage, NULL, attempt, e);
}

int progress_start_job(struct store *s, int64_t id, const struct remote_job *job, struct err *e)
{
	int64_t attempt;

	return begin_and_start(s, id, job->stage, job, &attempt, e);
}

static int end(struct step *t, const struct lifecycle_outcome *outcome,
	const struct remote_job *job, struct err *e)
{
	struct audit_record *r;

	lifecycle_end(&t->p, t->stage, outcome, t->now);
	r = events_add_stage(&t->events, EVENT_STAGE_FINISHED, &t->p, t->stage);
	if (outcome->ending == LIFECYCLE_AGAIN && t->stage->status == STATUS_PENDING)
		r->status = status_text(STATUS_FAILED); /* of this attempt */
	if (job != NULL && remote_set_job(t->s, t->p.id, job, e) != 0)
		return -1;
	return step_commit(t, e);
}

static int begin_and_end(struct store *s, int64_t id, const char *stage,
	const struct remote_job *job, const struct lifecycle_outcome *outcome, struct err *e)
{
	struct step t;
	int result = step_begin(&t, s, id, stage, e);

	if (result == 1)
		result = t.stage->status == STATUS_RUNNING ? end(&t, outcome, job, e) : 0;
	else
		result = -1;
	step_clear(&t);
	return result;
}

int progress_end(struct store *s, int64_t id, const char *stage,
	const struct lifecycle_outcome *outcome, struct err *e)
{
	return begin_and_end(s, id, stage, NULL, outcome, e);
}

int progress_end_job(struct store *s, int64_t id, const struct remote_job *job,
	const struct lifecycle_outcome *outcome, struct err *e)
{
	return begin_and_end(s, id, job->stage, job, outcome, e);
}

int progress_resume(struct store *s, struct err *e)
{
	const struct lifecycle_outcome killed = {
		LIFECYCLE_INTERRUPTED, "the runner ended before it did", 0};
	struct sqlite_stmt *q = NULL;
	char *stage = NULL;
	int64_t id = 0;
	int row;

	for (;;) {
		if (sqlite_query(s->db, &q, e,
			    "SELECT pipeline, name FROM stage"
			    " WHERE status IN ('pending', 'running') AND status = 'running'"
			    " AND NOT EXISTS (SELECT 1 FROM remote"
			    "  WHERE remote.pipeline = stage.pipeline) LIMIT 1",
			    "") != 0)
			return -1;
		row = sqlite_next(q, e);
		if (row == 1) {
			id = sqlite_number(q, 0);
			stage = mem_strdup(sqlite_text(q, 1));
		}
		sqlite_end(q);
		if (row != 1)
			return row;
		row = progress_end(s, id, stage, &killed, e);
		free(stage);
		if (row != 0)
			return -1;
	}
}

static int carry_out(struct step *t, enum progress_wish wish, struct err *e)
{
	int64_t newer = 0;

	if (wish == PROGRESS_CANCEL)
		return lifecycle_cancel(&t->p, t->now, e);
	if (pipeline_newer_started(t->s, &t->p, &newer, e) < 0)
		return -1;
	return wish == PROGRESS_PLAY ? lifecycle_play(&t->p, t->stage, newer, e)
				     : lifecycle_retry(&t->p, t->stage, newer, e);
}

static void tell(struct step *t, enum progress_wish wish, const struct actor *actor)
{
	struct audit_record *r;

	if (wish == PROGRESS_CANCEL) {
		r = events_add_pipeline(&t->events, EVENT_PIPELINE_CANCELED, &t->p);
	} else {
		r = events_add_stage(&t->events, EVENT_STAGE_PLAYED, &t->p, t->stage);
		r->status = wish == PROGRESS_PLAY ? "played" : "retried";
		r->reason = NULL;
	}
	r->actor = *actor;
}

int progress_ask(struct store *s, enum progress_wish wish, int64_t id, const char *stage,
	const struct actor *actor, struct err *e)
{
	struct step t;
	int result = step_begin(&t, s, id, stage, e);

	if (result == 1)
		result = carry_out(&t, wish, e);
	if (result == 1) {
		tell(&t, wish, actor);
		if (step_commit(&t, e) != 0)
			result = -1;
	}
	step_clear(&t);
	return result;
}

/* 1: the order that I names was dealt with; 0; -1. */
static int is_dealt_with(struct store *s, const struct intent *i, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE id = ? AND (state <> 'open' OR pipeline IS NOT NULL)",
		"i", i->id);
}

/*
 * Every open intent that brings the same reference to the same object names this one order: where git
 * refused an earlier push after pre-receive, it has one as well.
 */
static int deal_with(struct step *t, const struct intent *i, struct err *e)
{
	return sqlite_run(t->s->db, e,
		"UPDATE intent SET pipeline = ? WHERE repository = ? AND ref = ? AND new = ?"
		" AND state = 'open'",
		"ittt", t->p.id, i->repository, i->ref, i->new);
}

/* WHY: it was refused; NULL: it was not.  REF is filled in, and borrowed until the commit. */
static void tell_order(struct step *t, const char *stage, const struct intent *i, const char *why,
	struct audit_ref *ref)
{
	struct audit_record *r = events_add_pipeline(&t->events, EVENT_STAGE_PLAYED, &t->p);

	*ref = (struct audit_ref){.ref = i->ref, .old = i->old, .new = i->new, .method = i->method};
	r->stage = stage;
	r->status = why == NULL ? "played" : "refused";
	r->reason = why;
	r->actor = i->actor;
	r->push_id = i->push_id;
	r->policy = i->policy;
	r->correlation_id = i->correlation_id;
	r->refs = ref;
	r->n_refs = 1;
}

/* 1: done; 0 and *E: refused; either way recorded, and committed.  -1. */
static int order(struct step *t, const char *stage, const struct intent *i, struct err *e)
{
	struct audit_ref ref;
	char *why = NULL;
	int done = t->stage != NULL ? carry_out(t, PROGRESS_PLAY, e) : 0;

	if (done == 0)
		why = mem_strdup(err_text(e));
	if (done >= 0) {
		tell_order(t, stage, i, why, &ref);
		if (deal_with(t, i, e) != 0 || step_commit(t, e) != 0)
			done = -1;
	}
	free(why);
	return done;
}

int progress_order(
	struct store *s, int64_t id, const char *stage, const struct intent *i, struct err *e)
{
	struct step t;
	int result = step_begin(&t, s, id, stage, e), dealt = 0;

	if (result == 0 && t.p.id == 0)
		result = -1; /* it was there when the push was judged, and none is ever removed */
	if (result >= 0)
		dealt = is_dealt_with(s, i, e);
	if (dealt != 0)
		result = dealt;
	else if (result >= 0)
		result = order(&t, stage, i, e);
	step_clear(&t);
	return result;
}

int progress_cancel_requested(struct store *s, int64_t id, struct err *e)
{
	int64_t one;

	return sqlite_one(
		s->db, &one, e, "SELECT 1 FROM pipeline WHERE id = ? AND cancel = 1", "i", id);
}
