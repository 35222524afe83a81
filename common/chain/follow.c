#include "chain/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "chain/gitlab.h"
#include "chain/pipeline.h"
#include "chain/remote.h"

struct view {
	const struct pipeline *p;
	const struct gitlab_jobs *jobs;
	const struct remote_jobs *known;
	int64_t now;
};

static const struct follow_step nothing = {.action = FOLLOW_NOTHING};

static struct follow_step step(
	enum follow_action action, const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	return (struct follow_step){.action = action, .stage = stage, .job = job};
}

static struct follow_step ended(const struct pipeline_stage *stage, const struct gitlab_job *job,
	enum lifecycle_ending ending)
{
	return (struct follow_step){
		.action = FOLLOW_ENDED, .stage = stage, .job = job, .ending = ending};
}

static const struct gitlab_job *find_job(const struct view *v, const struct pipeline_stage *stage)
{
	char *name = mem_format("%s:%s", v->p->chain, stage->name);
	const struct gitlab_job *job = gitlab_jobs_find(v->jobs, name);

	free(name);
	return job;
}

/* 1: the end of this very job is in the store. */
static int is_recorded(
	const struct view *v, const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	const struct remote_job *known = remote_jobs_find(v->known, stage->name);

	return known != NULL && known->job == job->id && known->ended;
}

/* The job that the stage was started as, if another one has taken its place, as GitLab's "retry" does. */
static const struct remote_job *find_replaced(
	const struct view *v, const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	const struct remote_job *known = remote_jobs_find(v->known, stage->name);

	return known != NULL && known->job != job->id ? known : NULL;
}

/* It has been set going: by a hand, where it was manual. */
static int is_going(const struct gitlab_job *job)
{
	return job->status == STATUS_PENDING || job->status == STATUS_RUNNING ||
	       job->status == STATUS_SUCCESS || job->status == STATUS_FAILED;
}

/* Our stage waits for a hand. */
static struct follow_step follow_manual(
	const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	if (job == NULL)
		return nothing; /* told when somebody wants it */
	if (job->status == STATUS_CANCELED)
		return step(FOLLOW_CANCELED, stage, job);
	return is_going(job) ? step(FOLLOW_PLAYED, stage, job) : nothing;
}

/* Our stage is to start. */
static struct follow_step follow_pending(
	const struct view *v, const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	int is_due =
		stage->not_before <= v->now || stage->not_before > v->now + LIFECYCLE_MAX_DELAY;

	if (is_recorded(v, stage, job)) /* and it was asked for again since */
		return is_due ? step(FOLLOW_RETRY, stage, job) : nothing;
	switch (job->status) {
	case STATUS_MANUAL:
		return step(FOLLOW_PLAY, stage, job);
	case STATUS_RUNNING:
	case STATUS_SUCCESS:
	case STATUS_FAILED:
		return step(FOLLOW_STARTED, stage, job);
	case STATUS_CANCELED:
		return step(FOLLOW_CANCELED, stage, job);
	case STATUS_SKIPPED: /* while something before it is at work, that may change */
		return follow_is_settled(v->jobs) ? step(FOLLOW_SKIPPED, stage, job) : nothing;
	default: /* it waits for a runner, for a resource, or for GitLab to go on after a retry */
		return nothing;
	}
}

static struct follow_step follow_running(
	const struct view *v, const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	struct follow_step s = ended(stage, job, LIFECYCLE_INTERRUPTED);

	s.replaced = find_replaced(v, stage, job);
	if (s.replaced != NULL)
		return s;
	switch (job->status) {
	case STATUS_SUCCESS:
		return ended(stage, job, LIFECYCLE_SUCCEEDED);
	case STATUS_FAILED:
		return ended(stage, job, LIFECYCLE_FAILED);
	case STATUS_CANCELED:
	case STATUS_SKIPPED:
		/* First the stages after it, in the name of who did it. */
		if (v->p->cancel != PIPELINE_CANCEL_REQUESTED)
			return step(FOLLOW_CANCELED, stage, job);
		return ended(stage, job, LIFECYCLE_CANCELED);
	default:
		return nothing;
	}
}

static struct follow_step follow_stage(const struct view *v, const struct pipeline_stage *stage)
{
	const struct gitlab_job *job = find_job(v, stage);

	if (stage->status == STATUS_MANUAL)
		return follow_manual(stage, job);
	if (stage->status == STATUS_FAILED)
		return job != NULL && !is_recorded(v, stage, job) && is_going(job)
			       ? step(FOLLOW_RETRIED, stage, job)
			       : nothing;
	if (stage->status != STATUS_PENDING && stage->status != STATUS_RUNNING)
		return nothing;
	if (job == NULL)
		return step(FOLLOW_LOST, stage, NULL);
	return stage->status == STATUS_PENDING ? follow_pending(v, stage, job)
					       : follow_running(v, stage, job);
}

int follow_has_buttons(const struct gitlab_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->v[i].status == STATUS_MANUAL)
			return 1;
	return 0;
}

int follow_is_settled(const struct gitlab_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		switch (jobs->v[i].status) {
		case STATUS_CREATED:
		case STATUS_PENDING:
		case STATUS_RUNNING:
			return 0;
		default:
			break;
		}
	return 1;
}

/* 1: something goes on that was not told to end so far. */
static int is_to_cancel(const struct gitlab_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++) {
		const struct gitlab_job *job = &jobs->v[i];

		if (job->status == STATUS_CREATED || job->status == STATUS_PENDING ||
			(job->status == STATUS_RUNNING && !str_same(job->word, "canceling")))
			return 1;
	}
	return 0;
}

struct follow_step follow(const struct pipeline *p, const struct gitlab_jobs *jobs,
	const struct remote_jobs *known, enum follow_wanted wanted, int64_t now)
{
	const struct view v = {p, jobs, known, now};

	if (wanted == FOLLOW_UNWANTED && is_to_cancel(jobs))
		return step(FOLLOW_CANCEL, NULL, NULL);
	for (size_t i = 0; i < p->n_stages; i++) {
		if (p->stages[i].status == STATUS_SUCCESS)
			continue;
		/* What goes on there and is not wanted here is nobody's wish. */
		if (wanted == FOLLOW_UNWANTED && p->stages[i].status != STATUS_RUNNING)
			return nothing;
		/* Whatever comes after it waits for this one. */
		return follow_stage(&v, &p->stages[i]);
	}
	return nothing;
}
