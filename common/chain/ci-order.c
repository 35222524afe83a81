/*
 * The order of jobs (contract, section 7), told from GitLab's own pipelines: resource groups let no two of
 * an environment run at once, but neither keep their order nor know what has been overtaken.
 */
#include "chain/ci-job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/gitlab.h"
#include "chain/place.h"
#include "chain/report.h"
#include "data/config.h"
#include "net/http.h"
#include "stage/log.h"

#define BRANCHES "refs/heads/"
#define TOKEN "[launcher] token-file in " CI_CONFIG
#define TRIES 4

/*
 * 1: GOT is no answer, and it is to be asked again, after a pause; a GitLab that is away for a moment fails
 * no job.  *TRIED counts.
 */
static int is_to_ask_again(
	const struct gitlab *g, enum gitlab_result got, int *tried, struct err *e)
{
	if ((got != GITLAB_LATER && got != GITLAB_UNCLEAR) || ++*tried >= TRIES)
		return 0;
	log_line("%s; tried again", err_text(e));
	err_clear(e);
	http_sleep_ms(http_pause_ms(*tried + 1, gitlab_pause(g)));
	return 1;
}

/* The chain of a job of ours, whose name is "<chain>:<stage>"; NULL: it is somebody else's. */
static const struct config_chain *chain_of(const struct config *config, const char *name)
{
	size_t n = strcspn(name, ":");

	for (size_t i = 0; name[n] == ':' && i < config->n_chains; i++)
		if (strlen(config->chains[i].name) == n &&
			strncmp(config->chains[i].name, name, n) == 0)
			return &config->chains[i];
	return NULL;
}

struct look {
	const struct ci_job *j;
	const struct config *config;
	const char *environment;
	struct gitlab *g;
};

enum looked_for {
	LOOK_STARTED, /* a job of ours that has run, whatever became of it, but for one that was refused */
	LOOK_AT_WORK, /* one of our environment that runs, or is about to */
	LOOK_CANCELED /* one of our chain that was canceled, and not run again */
};

/* 1: JOB was not let start its stage, as its report says; 0: it was, or has left none; -1. */
static int was_refused(const struct look *l, const struct gitlab_job *job, struct err *e)
{
	const char *stage = strchr(job->name, ':');
	char *file = mem_format(REPORT_FILE, stage != NULL ? stage + 1 : "");
	enum gitlab_result got;
	struct report report = {0};
	struct err untold = ERR_INIT;
	struct str text;
	int tried = 0, refused = 0;

	str_init(&text);
	do
		got = gitlab_read_artifact(l->g, job->id, file, &text, e);
	while (is_to_ask_again(l->g, got, &tried, e));
	/* Whoever is not shown it takes it for one that was let start: so the newer pipeline goes first. */
	if (got == GITLAB_MISSING || got == GITLAB_REFUSED)
		err_clear(e);
	else if (got != GITLAB_DONE)
		refused = -1;
	else if (report_parse(&report, text.buf, text.len, stage + 1, &untold) == 0)
		refused = report.is_refused;
	report_clear(&report);
	err_clear(&untold);
	str_clear(&text);
	free(file);
	return refused;
}

/* 1: JOB, one of CHAIN, is WHAT; 0; -1. */
static int is_such(const struct look *l, const struct config_chain *chain,
	const struct gitlab_job *job, enum looked_for what, struct err *e)
{
	int refused;

	switch (what) {
	case LOOK_CANCELED:
		return job->status == STATUS_CANCELED && strcmp(chain->name, l->j->chain) == 0;
	case LOOK_AT_WORK:
		return (job->status == STATUS_RUNNING || job->status == STATUS_PENDING) &&
		       strcmp(place_environment(l->config, chain), l->environment) == 0;
	case LOOK_STARTED:
		break;
	}
	if (!job->has_started)
		return 0;
	refused = job->status == STATUS_FAILED ? was_refused(l, job, e) : 0;
	return refused < 0 ? -1 : !refused;
}

/* 1: pipeline ID has such a job; 0; -1. */
static int has_job(const struct look *l, int64_t id, enum looked_for what, struct err *e)
{
	struct gitlab_jobs jobs = {0};
	enum gitlab_result got;
	int found = 0, tried = 0;

	do
		got = gitlab_list_jobs(l->g, id, &jobs, e);
	while (is_to_ask_again(l->g, got, &tried, e));
	for (size_t i = 0; i < jobs.n && found == 0; i++) {
		const struct config_chain *chain = chain_of(l->config, jobs.v[i].name);

		if (chain != NULL)
			found = is_such(l, chain, &jobs.v[i], what, e);
	}
	gitlab_jobs_clear(&jobs);
	if (got == GITLAB_MISSING) {
		err_clear(e);
		return 0;
	}
	return got == GITLAB_DONE ? found : -1;
}

/* GitLab's cancel leaves buttons that wait: whoever presses one of them does not bring it back. */
static int check_own(const struct look *l, struct err *e)
{
	int canceled = has_job(l, l->j->pipeline, LOOK_CANCELED, e);

	if (canceled == 1)
		return err_set(e, "this pipeline was canceled: it does not go on");
	return canceled;
}

/*
 * Look among the pipelines of QUERY for one that is NEWER than ours, or older, and has such a job.  1 and
 * *FOUND, the caller's to gitlab_pipeline_clear(); 0: none has; -1.
 */
enum age { OLDER, NEWER };
static int find(const struct look *l, const char *query, enum age age, enum looked_for what,
	struct gitlab_pipeline *found, struct err *e)
{
	struct gitlab_pipelines all = {0};
	enum gitlab_result got;
	int has = 0, tried = 0;

	memset(found, 0, sizeof(*found));
	do
		got = gitlab_list_pipelines(l->g, query, &all, e);
	while (is_to_ask_again(l->g, got, &tried, e));
	for (size_t i = 0; i < all.n && has == 0; i++) {
		int64_t id = all.v[i].id;

		if (age == NEWER ? id > l->j->pipeline : id < l->j->pipeline)
			has = has_job(l, id, what, e);
		if (has == 1) {
			*found = all.v[i];
			memset(&all.v[i], 0, sizeof(all.v[i]));
		}
	}
	gitlab_pipelines_clear(&all);
	return got == GITLAB_DONE ? has : -1;
}

/* Has a newer pipeline of our branch started? */
static int check_newer(const struct look *l, struct err *e)
{
	char *ref = http_escape(l->j->ref + strlen(BRANCHES));
	char *created = http_escape(l->j->created);
	char *query = mem_format("ref=%s&source=api&created_after=%s", ref, created);
	struct gitlab_pipeline found;
	int has = find(l, query, NEWER, LOOK_STARTED, &found, e);

	if (has == 1)
		has = err_set(e,
			"skipped: pipeline %lld of the same branch is newer and has started: %s",
			(long long)found.id, found.web_url);
	gitlab_pipeline_clear(&found);
	free(query);
	free(created);
	free(ref);
	return has;
}

/* Is an older pipeline of our environment at work?  Those that are have one of these states. */
static int check_older(const struct look *l, const char *status, struct err *e)
{
	char *query = mem_format("source=api&status=%s", status);
	struct gitlab_pipeline found;
	int has = find(l, query, OLDER, LOOK_AT_WORK, &found, e);

	if (has == 1) {
		has = err_set(e,
			"pipeline %lld of this project is older and at work in %s: it goes first: "
			"%s",
			(long long)found.id, l->environment, found.web_url);
		e->passing = 1;
	}
	gitlab_pipeline_clear(&found);
	free(query);
	return has;
}

int ci_order_check(const struct ci_job *j, const struct config *config, struct err *e)
{
	static const char *const at_work[] = {
		"running", "pending", "waiting_for_resource", "preparing", NULL};
	const struct gitlab_settings settings = {.url = config->launcher_url,
		.token_file = config->launcher_token_file,
		.ca_file = config->launcher_ca_file,
		.key = TOKEN,
		.project = j->gitlab_project};
	struct look l = {.j = j, .config = config};
	const struct config_chain *chain = config_chain(config, j->chain);
	int64_t created;
	int result;

	if (chain == NULL)
		return err_set(e, "chain %s is not configured in " CI_CONFIG, j->chain);
	if (config->launcher_token_file[0] == '\0')
		return err_set(e,
			TOKEN " is empty: without a token (scope read_api, role Reporter) a job "
			      "cannot tell whether a newer pipeline has overtaken it");
	if (clock_parse(j->created, &created) != 0)
		return err_set(e, "CI_PIPELINE_CREATED_AT is no time in UTC: \"%s\"", j->created);
	l.environment = place_environment(config, chain);
	if (gitlab_open(&l.g, &settings, e) != 0)
		return -1;
	result = check_own(&l, e);
	if (result == 0)
		result = check_newer(&l, e);
	for (size_t i = 0; at_work[i] != NULL && result == 0; i++)
		result = check_older(&l, at_work[i], e);
	gitlab_close(l.g);
	return result != 0 ? err_wrap(e, "order") : 0;
}
