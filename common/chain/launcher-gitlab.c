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
#include "chain/gitlab.h"
#include "chain/launcher-internal.h"
#include "chain/pipeline.h"
#include "chain/remote.h"
#include "chain/schedule.h"
#include "chain/store.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"

#define FOLLOW_LOCK "follow.lock"
#define MAX_NOT_FOUND 4 /* looks in a row that do not find a commit */
#define MAX_STEPS 40    /* of one pipeline in one pass: a retry of each stage needs fewer */
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

/* ---- a visit ---- */

/*
 * GitLab answers that there is no such pipeline.  It says so also of a whole project to whom it does not
 * show it, as for a moment it may be.  What is gone is looked for once more before another one is made.
 */
static enum visit_result give_up(struct visit *v, struct err *why, struct err *e)
{
	const struct pipeline_stage *stage = lifecycle_awaited(&v->p);
	struct gitlab_access access;
	enum gitlab_result got = gitlab_read_access(v->l->g, &access, why);

	gitlab_access_clear(&access);
	if (got != GITLAB_DONE)
		return visit_put_off(v, why, e);
	(void)err_set(why, "GitLab's pipeline %lld is gone: somebody has deleted it",
		(long long)v->r.number);
	if (status_is_final(v->p.status)) {
		v->r.watch = REMOTE_CLOSED;
		visit_set_message(v, err_text(why));
		err_clear(why);
		return visit_save(v, e);
	}
	/* Another one is made when somebody asks for it. */
	if (stage != NULL && stage->status != STATUS_MANUAL) {
		v->r.number = 0;
		v->r.asked_at = v->p.created_at;
	}
	return visit_fail(v, why, e);
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
		result = visit_put_off(v, &why, e);
	} else if (remote_jobs(v->l->s, v->p.id, &known, e) == 0) {
		step = follow(&v->p, &jobs, &known, visit_is_wanted(v), clock_now());
		result = step.action == FOLLOW_NOTHING ? visit_rest(v, &jobs, e)
						       : visit_carry_out(v, &step, e);
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
	int is_held, has_older = 0;

	if (status_is_final(v->p.status) && v->r.asked_at == 0) {
		v->r.watch = REMOTE_CLOSED;
		return visit_save(v, e);
	}
	if (schedule_load(&q, v->l->s, e) != 0)
		return VISIT_FAULT;
	is_held = schedule_is_held(&q, v->p.id);
	schedule_clear(&q);
	/* Jobs tell the order by GitLab's numbers: so those of one branch are made in ours. */
	if (!is_held)
		has_older = remote_has_older(v->l->s, &v->p, e);
	if (has_older < 0)
		return VISIT_FAULT;
	if ((is_held || has_older) && v->r.asked_at == 0) {
		visit_set_message(
			v, has_older ? "an older pipeline of the branch is to be made first" : "");
		v->r.tries = 0;
		visit_set_time(v, -1, 1);
		return visit_save(v, e);
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
		return visit_fail(v, &why, e);
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
	/* A commit that is not found may be one that has not got there yet. */
	if (got != GITLAB_DONE && (got != GITLAB_MISSING || v->r.tries < MAX_NOT_FOUND))
		return visit_put_off(v, &why, e);
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
	return visit_fail(v, &why, e);
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
		enum gitlab_result got = gitlab_cancel(v->l->g, v->r.number, &why);

		if (got == GITLAB_LATER || got == GITLAB_UNCLEAR)
			return visit_put_off(v, &why, e);
		err_clear(&why);
		v->r.refused = v->r.number;
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
	/* What cannot be found out is not asked for ever. */
	if (ended == CREATION_FAILED)
		v->r.doubt = REMOTE_CERTAIN;
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
	visit_set_message(v, v->l->why);
	visit_set_time(v, -1, CREATION_MAX_PAUSE);
	return visit_save(v, e);
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
			/* What is there goes on, whether we can follow it or not. */
			result = why.passing || v.r.number != 0 ? visit_put_off(&v, &why, e)
								: visit_fail(&v, &why, e);
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
