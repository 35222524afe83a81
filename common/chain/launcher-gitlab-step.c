/* A pipeline on GitLab: one step of it, and when it is looked at again (chain/launcher-internal.h). */
#include "chain/launcher-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/gitlab-create.h"
#include "chain/gitlab-log.h"
#include "chain/gitlab.h"
#include "chain/progress.h"
#include "chain/report.h"
#include "data/config.h"

/* Seconds between looks: at a pipeline that is at work, and at one that waits for a hand. */
#define WORK_PAUSE 10
#define HAND_PAUSE 60
/* A failed pipeline may be run again on GitLab's page; for so long that is looked for. */
#define FAILED_FOR (24 * 3600 * CLOCK_SECOND)

/* ---- when to look again ---- */

enum visit_result visit_save(struct visit *v, struct err *e)
{
	return remote_save(v->l->s, &v->r, e) == 0 ? VISIT_DONE : VISIT_FAULT;
}

void visit_set_message(struct visit *v, const char *text)
{
	free(v->r.message);
	v->r.message = mem_strdup(text);
}

void visit_set_time(struct visit *v, int64_t retry_after, int64_t max)
{
	v->r.next_at = clock_now() + CLOCK_SECOND * creation_pause(v->r.tries, retry_after, max);
	v->r.tries++;
}

/* 1: ours has ended so long ago that nothing of GitLab's is waited for. */
static int is_over(const struct visit *v)
{
	return status_is_final(v->p.status) && v->p.finished_at + FAILED_FOR < clock_now();
}

/* 1: nothing goes on by itself: a hand is waited for, if only one that mends what does not PASS. */
static int is_awaiting(const struct visit *v, int passing)
{
	return !passing || v->p.status == STATUS_MANUAL || v->p.status == STATUS_FAILED;
}

/* *WHY stands in the way, for now or until somebody changes something; it is cleared. */
enum visit_result visit_put_off(struct visit *v, struct err *why, struct err *e)
{
	if (!str_same(v->r.message, err_text(why)))
		v->r.tries = 0;
	visit_set_message(v, err_text(why));
	v->r.watch = is_over(v)                     ? REMOTE_CLOSED
		     : is_awaiting(v, why->passing) ? REMOTE_AWAITING
						    : REMOTE_ACTIVE;
	visit_set_time(v, v->l->g != NULL ? gitlab_pause(v->l->g) : -1, CREATION_MAX_PAUSE);
	err_clear(why);
	return visit_save(v, e);
}

/* Nothing stands in the way, but that the pipeline is of no use. */
static void clear_message(struct visit *v)
{
	if (v->r.fit != REMOTE_UNFIT)
		visit_set_message(v, "");
}

/* Nothing is to be done: until when? */
enum visit_result visit_rest(struct visit *v, const struct gitlab_jobs *jobs, struct err *e)
{
	int is_settled = follow_is_settled(jobs);

	clear_message(v);
	switch (v->p.status) {
	case STATUS_SUCCESS:
		v->r.watch =
			is_settled && v->r.doubt != REMOTE_DOUBTFUL ? REMOTE_CLOSED : REMOTE_ACTIVE;
		break;
	case STATUS_CANCELED:
	case STATUS_SKIPPED:
		/* GitLab's cancel leaves the buttons: what is pressed there is canceled again. */
		if (!is_settled || v->r.doubt == REMOTE_DOUBTFUL)
			v->r.watch = REMOTE_ACTIVE;
		else
			v->r.watch = follow_has_buttons(jobs) && !is_over(v) ? REMOTE_AWAITING
									     : REMOTE_CLOSED;
		break;
	case STATUS_FAILED:
		v->r.watch = is_settled && v->r.doubt != REMOTE_DOUBTFUL && is_over(v)
				     ? REMOTE_CLOSED
				     : REMOTE_AWAITING;
		break;
	case STATUS_MANUAL:
		v->r.watch = REMOTE_AWAITING;
		break;
	default:
		v->r.watch = REMOTE_ACTIVE;
		break;
	}
	/* Ours may be manual while GitLab's job, just played, is pending already: see follow(). */
	visit_set_time(v, -1, v->r.watch == REMOTE_AWAITING ? HAND_PAUSE : WORK_PAUSE);
	return visit_save(v, e);
}

/* ---- steps ---- */

/* The awaited stage fails for *WHY, which lasts, and which is cleared. */
enum visit_result visit_fail(struct visit *v, struct err *why, struct err *e)
{
	const struct pipeline_stage *stage = lifecycle_awaited(&v->p);
	const struct lifecycle_outcome outcome = {LIFECYCLE_FAILED, err_text(why), 0};
	enum visit_result result = VISIT_AGAIN;
	int64_t attempt;

	if (stage == NULL || (stage->status != STATUS_PENDING && stage->status != STATUS_RUNNING)) {
		/* It waits for a hand, or has ended: told by `status`, and looked at again. */
		v->r.watch = REMOTE_AWAITING;
		return visit_put_off(v, why, e);
	}
	visit_set_message(v, err_text(why));
	if (remote_save(v->l->s, &v->r, e) != 0 ||
		(stage->status == STATUS_PENDING &&
			progress_start(v->l->s, v->p.id, stage->name, &attempt, e) < 0) ||
		progress_end(v->l->s, v->p.id, stage->name, &outcome, e) != 0)
		result = VISIT_FAULT;
	err_clear(why);
	return result;
}

/* Is what goes on there to go on? */
enum follow_wanted visit_is_wanted(const struct visit *v)
{
	return v->r.fit == REMOTE_UNFIT || v->p.status == STATUS_CANCELED ||
			       v->p.status == STATUS_SKIPPED ||
			       v->p.cancel == PIPELINE_CANCEL_REQUESTED
		       ? FOLLOW_UNWANTED
		       : FOLLOW_WANTED;
}

/* What a request that carries out a step came to. */
static enum visit_result sort(
	struct visit *v, enum gitlab_result result, struct err *why, struct err *e)
{
	if (result == GITLAB_DONE) {
		/* Whoever has asked for it has woken the pipeline, so this begins with a second. */
		clear_message(v);
		visit_set_time(v, -1, WORK_PAUSE);
		return visit_save(v, e);
	}
	/* Not refused but come too late is what the job has done by itself: the next look shows it. */
	if (result == GITLAB_REFUSED && !gitlab_is_state(v->l->g) &&
		visit_is_wanted(v) == FOLLOW_WANTED)
		return visit_fail(v, why, e);
	return visit_put_off(v, why, e);
}

static enum visit_result record_start(
	struct visit *v, const struct follow_step *step, struct err *e)
{
	const struct remote_job job = {
		.stage = step->stage->name, .job = step->job->id, .web_url = step->job->web_url};

	if (progress_start_job(v->l->s, v->p.id, &job, e) < 0)
		return VISIT_FAULT;
	gitlab_log_begin(v->l->state, &v->p, step->stage, step->job);
	return VISIT_AGAIN;
}

/* The job that has ended, which may be none of GitLab's list any more. */
static struct gitlab_job find_ended(const struct follow_step *step)
{
	struct gitlab_job job = *step->job;

	if (step->replaced != NULL) {
		job.id = step->replaced->job;
		job.web_url = step->replaced->web_url;
		job.status = STATUS_CANCELED; /* or whatever */
	}
	return job;
}

/* What GitLab's job has left says whether a failure is a passing one; its facts are stored first. */
static enum visit_result record_end(struct visit *v, const struct follow_step *step, struct err *e)
{
	const struct gitlab_job ended = find_ended(step);
	const struct remote_job job = {
		.stage = step->stage->name, .job = ended.id, .web_url = ended.web_url, .ended = 1};
	struct lifecycle_outcome outcome = {step->ending, NULL, v->l->config->retries};
	struct report report = {0};
	struct err why = ERR_INIT;
	enum gitlab_result got = GITLAB_DONE;
	enum visit_result result = VISIT_AGAIN;

	if (step->ending != LIFECYCLE_CANCELED)
		got = gitlab_log_report(&report, v->l->g, &ended, step->stage, &why);
	/* A success without facts is one still, and says so. */
	if (got == GITLAB_REFUSED && report.message == NULL)
		report.message = mem_strdup(err_text(&why));
	if (got != GITLAB_LATER && got != GITLAB_UNCLEAR)
		got = gitlab_log_fetch(v->l->state, v->l->g, &v->p, step->stage, &ended, &why);
	if (got == GITLAB_LATER || got == GITLAB_UNCLEAR) {
		result = visit_put_off(v, &why, e);
		goto out;
	}
	if (step->ending == LIFECYCLE_FAILED && report.is_passing)
		outcome.ending = LIFECYCLE_AGAIN;
	if (report.is_refused) /* it waits for its turn, as long as that takes */
		outcome.retries = INT64_MAX;
	outcome.message = report.message;
	if (outcome.message == NULL && step->replaced != NULL)
		outcome.message = "GitLab has run it again";
	if (report_save(&report, v->l->s, &v->p, step->stage->name, e) != 0 ||
		progress_end_job(v->l->s, v->p.id, &job, &outcome, e) != 0)
		result = VISIT_FAULT;
out:
	err_clear(&why);
	report_clear(&report);
	return result;
}

/* Somebody did it on GitLab's page. */
static enum visit_result record_wish(
	struct visit *v, const struct follow_step *step, enum progress_wish wish, struct err *e)
{
	/* Of a job that was canceled GitLab tells who had started it, and not who has canceled it. */
	int is_known = wish != PROGRESS_CANCEL && step->job->user_id != 0;
	char *id = is_known ? mem_format("user-%lld", (long long)step->job->user_id)
			    : mem_strdup("unknown");
	char *name = mem_strdup(is_known ? step->job->username : "");
	char protocol[] = "gitlab";
	struct actor actor = {.id = id, .name = name, .protocol = protocol};
	struct err refused = ERR_INIT;
	const char *stage = wish == PROGRESS_CANCEL ? NULL : step->stage->name;
	int done = progress_ask(v->l->s, wish, v->p.id, stage, &actor, &refused);
	enum visit_result result = VISIT_AGAIN;

	if (done < 0) {
		(void)err_set(e, "%s", err_text(&refused));
		e->passing = refused.passing;
		result = VISIT_FAULT;
	} else if (done == 0) {
		/* A newer pipeline has started: GitLab's job finds that out by itself, and fails. */
		result = visit_put_off(v, &refused, e);
	}
	err_clear(&refused);
	free(name);
	free(id);
	return result;
}

/* A job that is to wait for a hand was started by none: its user is still the one that made the pipeline. */
static enum visit_result refuse_automatic(
	struct visit *v, const struct follow_step *step, struct err *e)
{
	struct err why = ERR_INIT;

	v->r.fit = REMOTE_UNFIT;
	(void)err_set(&why,
		"GitLab has started the job %s by itself, which is to be started by hand: the "
		"project does not include config/gitlab-ci.yml as it is; pipeline %lld is canceled",
		step->job->name, (long long)v->r.number);
	return visit_fail(v, &why, e);
}

enum visit_result visit_carry_out(struct visit *v, const struct follow_step *step, struct err *e)
{
	struct err why = ERR_INIT;
	enum gitlab_result asked;
	int64_t job;

	switch (step->action) {
	case FOLLOW_PLAYED:
		if (v->r.maker != 0 && step->job->user_id == v->r.maker)
			return refuse_automatic(v, step, e);
		return record_wish(v, step, PROGRESS_PLAY, e);
	case FOLLOW_RETRIED:
		return record_wish(v, step, PROGRESS_RETRY, e);
	case FOLLOW_CANCELED:
		return record_wish(v, step, PROGRESS_CANCEL, e);
	case FOLLOW_STARTED:
		return record_start(v, step, e);
	case FOLLOW_ENDED:
		return record_end(v, step, e);
	case FOLLOW_LOST:
		(void)err_set(&why,
			"GitLab's pipeline %lld has no job %s:%s; is config/gitlab-ci.yml "
			"included?",
			(long long)v->r.number, v->p.chain, step->stage->name);
		return visit_fail(v, &why, e);
	case FOLLOW_SKIPPED:
		(void)err_set(&why,
			"GitLab skips the job %s: one before it in pipeline %lld has failed, or "
			"waits for a hand",
			step->job->name, (long long)v->r.number);
		return visit_fail(v, &why, e);
	case FOLLOW_PLAY:
		asked = gitlab_play(v->l->g, step->job->id, &why);
		return sort(v, asked, &why, e);
	case FOLLOW_RETRY:
		asked = gitlab_retry(v->l->g, step->job->id, &job, &why);
		return sort(v, asked, &why, e);
	case FOLLOW_CANCEL:
		asked = gitlab_cancel(v->l->g, v->r.number, &why);
		return sort(v, asked, &why, e);
	case FOLLOW_NOTHING:
		break;
	}
	return VISIT_DONE;
}
