#include "chain/launcher-gitlab.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/follow.h"
#include "chain/gitlab-create.h"
#include "chain/gitlab-log.h"
#include "chain/gitlab.h"
#include "chain/pipeline.h"
#include "chain/progress.h"
#include "chain/remote.h"
#include "chain/report.h"
#include "chain/schedule.h"
#include "chain/store.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"

#define FOLLOW_LOCK "follow.lock"
#define MAX_STEPS 40 /* of one pipeline in one pass: a retry of each stage needs fewer */
/* Seconds between looks: at a pipeline that is at work, and at one that waits for a hand. */
#define WORK_PAUSE 10
#define HAND_PAUSE 60
/* A failed pipeline may be run again on GitLab's page; for so long that is looked for. */
#define FAILED_FOR (24 * 3600 * CLOCK_SECOND)

struct launcher {
	const char *state;
	const char *system_file;
	struct store *s;
	/* Of the pipeline before, since the next is often of the same repository. */
	char *repository;
	int64_t project;
	struct config *config;
	struct gitlab *g;
	char *dead; /* url of a GitLab that did not answer in this pass, */
	char *why;  /* and what was told of it */
};

/* One pipeline. */
struct visit {
	struct launcher *l;
	struct pipeline p;
	struct remote r;
};

enum visit_result {
	VISIT_AGAIN, /* something has changed: look again at once */
	VISIT_DONE,  /* R is up to date, its time included */
	VISIT_FAULT  /* *E: of the store */
};

static void launcher_clear(struct launcher *l)
{
	gitlab_close(l->g);
	config_free(l->config);
	free(l->repository);
	store_close(l->s);
	free(l->dead);
	free(l->why);
}

/* Load L's configuration and connection for V's pipeline.  0, or -1 and *E: neither can be used. */
static int connect_for(struct visit *v, struct err *e)
{
	struct launcher *l = v->l;
	const struct config_sources from = {l->system_file, v->p.repository};
	struct gitlab_settings settings = {
		.key = "[launcher] token-file", .project = gitlab_project(v->p.gl_repository)};

	if (l->g != NULL && str_same(l->repository, v->p.repository) &&
		l->project == settings.project)
		return 0;
	gitlab_close(l->g);
	l->g = NULL;
	config_free(l->config);
	l->config = NULL;
	free(l->repository);
	l->repository = mem_strdup(v->p.repository);
	l->project = settings.project;
	if (settings.project == 0)
		return err_set(e,
			"the push did not say which project of GitLab it was for (GL_REPOSITORY is "
			"\"%s\")",
			v->p.gl_repository);
	if (config_load(&l->config, &from, e) != 0)
		return -1;
	if (strcmp(l->config->state, l->state) != 0)
		return err_set(e, "%s: its configuration names another state directory by now: %s",
			v->p.repository, l->config->state);
	if (l->config->launcher_url[0] == '\0')
		return err_set(e, "%s: [launcher] url is not configured any more", v->p.repository);
	settings.url = l->config->launcher_url;
	settings.token_file = l->config->launcher_token_file;
	settings.ca_file = l->config->launcher_ca_file;
	return gitlab_open(&l->g, &settings, e);
}

/* ---- when to look again ---- */

static enum visit_result save(struct visit *v, struct err *e)
{
	return remote_save(v->l->s, &v->r, e) == 0 ? VISIT_DONE : VISIT_FAULT;
}

static void set_message(struct visit *v, const char *text)
{
	free(v->r.message);
	v->r.message = mem_strdup(text);
}

static void set_time(struct visit *v, int64_t retry_after, int64_t max)
{
	v->r.next_at = clock_now() + CLOCK_SECOND * creation_pause(v->r.tries, retry_after, max);
	v->r.tries++;
}

/* 1: ours has ended so long ago that nothing of GitLab's is waited for. */
static int is_over(const struct visit *v)
{
	return status_is_final(v->p.status) && v->p.finished_at + FAILED_FOR < clock_now();
}

/* 1: what stands in the way, for a PASSING reason or not, stands in the way of nothing that goes on here. */
static int is_awaiting(const struct visit *v, int passing)
{
	return v->p.status == STATUS_MANUAL || v->p.status == STATUS_FAILED ||
	       (status_is_final(v->p.status) && !passing);
}

/* *WHY stands in the way, for now or until somebody changes something; it is cleared. */
static enum visit_result put_off(struct visit *v, struct err *why, struct err *e)
{
	if (!str_same(v->r.message, err_text(why)))
		v->r.tries = 0;
	set_message(v, err_text(why));
	v->r.watch = is_over(v)                     ? REMOTE_CLOSED
		     : is_awaiting(v, why->passing) ? REMOTE_AWAITING
						    : REMOTE_ACTIVE;
	set_time(v, v->l->g != NULL ? gitlab_pause(v->l->g) : -1, CREATION_MAX_PAUSE);
	err_clear(why);
	return save(v, e);
}

/* Nothing stands in the way, but that the pipeline is of no use. */
static void clear_message(struct visit *v)
{
	if (v->r.fit != REMOTE_UNFIT)
		set_message(v, "");
}

/* Nothing is to be done: until when? */
static enum visit_result rest(struct visit *v, const struct gitlab_jobs *jobs, struct err *e)
{
	int is_settled = follow_is_settled(jobs);

	clear_message(v);
	switch (v->p.status) {
	case STATUS_SUCCESS:
	case STATUS_CANCELED:
	case STATUS_SKIPPED:
		v->r.watch =
			is_settled && v->r.doubt != REMOTE_DOUBTFUL ? REMOTE_CLOSED : REMOTE_ACTIVE;
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
	set_time(v, -1, v->r.watch == REMOTE_AWAITING ? HAND_PAUSE : WORK_PAUSE);
	return save(v, e);
}

/* ---- steps ---- */

/* The awaited stage fails for *WHY, which lasts, and which is cleared. */
static enum visit_result fail(struct visit *v, struct err *why, struct err *e)
{
	const struct pipeline_stage *stage = lifecycle_awaited(&v->p);
	const struct lifecycle_outcome outcome = {LIFECYCLE_FAILED, err_text(why), 0};
	enum visit_result result = VISIT_AGAIN;
	int64_t attempt;

	if (stage == NULL || (stage->status != STATUS_PENDING && stage->status != STATUS_RUNNING)) {
		/* It waits for a hand, or has ended: told by `status`, and looked at again. */
		v->r.watch = REMOTE_AWAITING;
		return put_off(v, why, e);
	}
	set_message(v, err_text(why));
	if (remote_save(v->l->s, &v->r, e) != 0 ||
		(stage->status == STATUS_PENDING &&
			progress_start(v->l->s, v->p.id, stage->name, &attempt, e) < 0) ||
		progress_end(v->l->s, v->p.id, stage->name, &outcome, e) != 0)
		result = VISIT_FAULT;
	err_clear(why);
	return result;
}

/* Is what goes on there to go on? */
static enum follow_wanted is_wanted(const struct visit *v)
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
		set_time(v, -1, WORK_PAUSE);
		return save(v, e);
	}
	/* Not refused but come too late is what the job has done by itself: the next look shows it. */
	if (result == GITLAB_REFUSED && !gitlab_is_state(v->l->g) && is_wanted(v) == FOLLOW_WANTED)
		return fail(v, why, e);
	return put_off(v, why, e);
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
	if (got != GITLAB_LATER && got != GITLAB_UNCLEAR)
		got = gitlab_log_fetch(v->l->state, v->l->g, &v->p, step->stage, &ended, &why);
	if (got == GITLAB_LATER || got == GITLAB_UNCLEAR) {
		result = put_off(v, &why, e);
		goto out;
	}
	if (step->ending == LIFECYCLE_FAILED && report.is_passing)
		outcome.ending = LIFECYCLE_AGAIN;
	outcome.message = report.message;
	if (outcome.message == NULL && step->replaced != NULL)
		outcome.message = "GitLab has run it again";
	if ((got == GITLAB_DONE &&
		    report_save(&report, v->l->s, &v->p, step->stage->name, e) != 0) ||
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
	char *id = mem_format("user-%lld", (long long)step->job->user_id);
	char protocol[] = "gitlab";
	struct actor actor = {.id = id, .name = step->job->username, .protocol = protocol};
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
		result = put_off(v, &refused, e);
	}
	err_clear(&refused);
	free(id);
	return result;
}

static enum visit_result carry_out(struct visit *v, const struct follow_step *step, struct err *e)
{
	struct err why = ERR_INIT;
	enum gitlab_result asked;
	int64_t job;

	switch (step->action) {
	case FOLLOW_PLAYED:
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
		return fail(v, &why, e);
	case FOLLOW_SKIPPED:
		(void)err_set(&why,
			"GitLab skips the job %s: one before it in pipeline %lld has failed, or "
			"waits for a hand",
			step->job->name, (long long)v->r.number);
		return fail(v, &why, e);
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

/* ---- a visit ---- */

/* GitLab does not know the pipeline any more: a retry makes another one. */
static enum visit_result give_up(struct visit *v, struct err *why, struct err *e)
{
	(void)err_set(why,
		"GitLab's pipeline %lld is gone: somebody has deleted it, or the token's "
		"user does not see it",
		(long long)v->r.number);
	if (status_is_final(v->p.status)) {
		v->r.watch = REMOTE_CLOSED;
		set_message(v, err_text(why));
		err_clear(why);
		return save(v, e);
	}
	v->r.number = 0;
	v->r.asked_at = 0;
	return fail(v, why, e);
}

static enum visit_result look(struct visit *v, struct err *e)
{
	struct gitlab_jobs jobs = {0};
	struct remote_jobs known = {0};
	struct err why = ERR_INIT;
	struct follow_step step;
	enum visit_result result = VISIT_FAULT;
	enum gitlab_result got = gitlab_list_jobs(v->l->g, v->r.number, &jobs, &why);

	if (got == GITLAB_MISSING) {
		result = give_up(v, &why, e);
	} else if (got != GITLAB_DONE) {
		/* It goes on there whatever we are told here, a token that has expired included. */
		result = put_off(v, &why, e);
	} else if (remote_jobs(v->l->s, v->p.id, &known, e) == 0) {
		step = follow(&v->p, &jobs, &known, is_wanted(v), clock_now());
		result = step.action == FOLLOW_NOTHING ? rest(v, &jobs, e) : carry_out(v, &step, e);
	}
	err_clear(&why);
	gitlab_jobs_clear(&jobs);
	remote_jobs_clear(&known);
	return result;
}

static enum visit_result create(struct visit *v, const struct creation *c, struct err *e)
{
	const struct pipeline_stage *stage = lifecycle_awaited(&v->p);
	struct schedule q = {0};
	struct err why = ERR_INIT;
	enum creation_result made;
	int is_held;

	if (status_is_final(v->p.status) && v->r.asked_at == 0) {
		v->r.watch = REMOTE_CLOSED;
		return save(v, e);
	}
	if (schedule_load(&q, v->l->s, e) != 0)
		return VISIT_FAULT;
	is_held = schedule_is_held(&q, v->p.id);
	schedule_clear(&q);
	if (is_held && v->r.asked_at == 0) {
		set_message(v, "");
		v->r.tries = 0;
		set_time(v, -1, 1);
		return save(v, e);
	}
	v->r.watch =
		stage != NULL && stage->status == STATUS_MANUAL ? REMOTE_AWAITING : REMOTE_ACTIVE;
	made = creation_try(c, &why);
	if (made == CREATION_FAULT) {
		(void)err_set(e, "%s", err_text(&why));
		e->passing = why.passing;
		err_clear(&why);
		return VISIT_FAULT;
	}
	if (made == CREATION_FAILED)
		return fail(v, &why, e);
	err_clear(&why);
	return made == CREATION_DONE ? VISIT_AGAIN : VISIT_DONE;
}

/* Does the commit that GitLab took hold ours?  The branch may have moved on before it came to it. */
static enum visit_result check_fit(struct visit *v, struct err *e)
{
	struct err why = ERR_INIT;
	char *base = NULL;
	enum gitlab_result got = GITLAB_DONE;

	if (strcmp(v->r.sha, v->p.sha) != 0)
		got = gitlab_merge_base(v->l->g, v->p.sha, v->r.sha, &base, &why);
	if (got != GITLAB_DONE && got != GITLAB_MISSING)
		return put_off(v, &why, e);
	v->r.fit = strcmp(v->r.sha, v->p.sha) == 0 || str_same(base, v->p.sha) ? REMOTE_FIT
									       : REMOTE_UNFIT;
	free(base);
	if (v->r.fit == REMOTE_FIT) {
		err_clear(&why);
		return remote_save(v->l->s, &v->r, e) == 0 ? VISIT_AGAIN : VISIT_FAULT;
	}
	(void)err_set(&why,
		"GitLab made pipeline %lld for %.7s, which does not hold %.7s: the branch was "
		"moved by force or made anew; the pipeline is canceled",
		(long long)v->r.number, v->r.sha, v->p.sha);
	return fail(v, &why, e);
}

/* One look at V's pipeline, or one step. */
static enum visit_result go_on(struct visit *v, struct err *e)
{
	const struct creation c = {
		.s = v->l->s, .config = v->l->config, .g = v->l->g, .p = &v->p, .r = &v->r};
	const struct pipeline_stage *stage = lifecycle_awaited(&v->p);
	struct err why = ERR_INIT;
	enum creation_result ended;

	/* Asked for again after a pipeline that could not be used; what waits for a hand was not. */
	if (v->r.fit == REMOTE_UNFIT && stage != NULL && stage->status == STATUS_PENDING) {
		v->r.number = 0;
		v->r.asked_at = 0;
		v->r.fit = REMOTE_UNSEEN;
	}
	if (v->r.number == 0)
		return create(v, &c, e);
	if (v->r.fit == REMOTE_UNSEEN)
		return check_fit(v, e);
	ended = creation_end_doubles(&c, &why);
	if (ended == CREATION_FAULT) {
		(void)err_set(e, "%s", err_text(&why));
		err_clear(&why);
		return VISIT_FAULT;
	}
	err_clear(&why); /* else it is tried again with the next look */
	return look(v, e);
}

static int read_both(struct visit *v, int64_t id, struct err *e)
{
	pipeline_clear(&v->p);
	remote_clear(&v->r);
	return pipeline_read(&v->p, v->l->s, id, e) == 1 && remote_read(&v->r, v->l->s, id, e) == 1
		       ? 0
		       : -1;
}

/* 1: the pipeline's GitLab did not answer in this pass. */
static int is_dead(const struct launcher *l)
{
	return l->dead != NULL && l->config != NULL && str_same(l->dead, l->config->launcher_url);
}

static void note_dead(struct launcher *l, const char *why)
{
	l->dead = mem_strdup(l->config->launcher_url);
	l->why = mem_strdup(why);
}

/* Who asks for another pipeline would wait in vain, too. */
static enum visit_result skip(struct visit *v, struct err *e)
{
	set_message(v, v->l->why);
	set_time(v, -1, CREATION_MAX_PAUSE);
	return save(v, e);
}

static int visit(struct launcher *l, int64_t id, struct err *e)
{
	struct visit v = {.l = l};
	struct err why = ERR_INIT;
	enum visit_result result = VISIT_AGAIN;

	for (int i = 0; i < MAX_STEPS && result == VISIT_AGAIN; i++) {
		if (read_both(&v, id, e) != 0)
			result = VISIT_FAULT;
		else if (connect_for(&v, &why) != 0)
			/* What runs there goes on, whether we can follow it or not. */
			result = why.passing || v.p.status == STATUS_RUNNING ? put_off(&v, &why, e)
									     : fail(&v, &why, e);
		else if (is_dead(l))
			result = skip(&v, e);
		else
			result = go_on(&v, e);
	}
	if (result == VISIT_DONE && l->g != NULL && l->dead == NULL && *v.r.message != '\0' &&
		gitlab_is_away(l->g))
		note_dead(l, v.r.message);
	pipeline_clear(&v.p);
	remote_clear(&v.r);
	err_clear(&why);
	return result == VISIT_FAULT ? -1 : 0;
}

int launcher_gitlab_follow(const char *state, const char *system_file, struct err *e)
{
	struct launcher l = {.state = state, .system_file = system_file};
	char *folder = path_join(state, CONFIG_STATE_RUN), *path = path_join(folder, FOLLOW_LOCK);
	struct pipeline_ids ids = {0};
	int lock = -1, got = files_make_folder(folder, 0700, e), result;

	if (got == 0)
		got = lock_take(&lock, path, LOCK_TRY, 0, e);
	result = got < 0 ? -1 : 0;
	if (got == 1)
		result = store_open(&l.s, state, e);
	if (got == 1 && result == 0)
		result = remote_due(l.s, clock_now(), &ids, e);
	for (size_t i = 0; result == 0 && i < ids.n; i++)
		result = visit(&l, ids.v[i], e);
	free(ids.v);
	launcher_clear(&l);
	lock_drop(lock);
	free(path);
	free(folder);
	return result;
}
