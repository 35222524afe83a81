#include "stage/promote.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "git/repository.h"
#include "git/walk.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/model.h"
#include "stage/owner.h"
#include "stage/registry.h"
#include "stage/retraining.h"
#include "stage/stage.h"

#define MAX_DESCRIPTION 4000 /* bytes of a commit message kept with a version */
#define CREATE_MODEL "create-model"

/* What a job's commit brings. */
struct candidate {
	struct repository *r;
	struct oid oid;
	struct commit commit;
	struct model model;
};

static void candidate_clear(struct candidate *c)
{
	model_clear(&c->model);
	commit_clear(&c->commit);
	repository_free(c->r);
}

/* 0; the caller calls candidate_clear() whatever is returned. */
static int candidate_read(struct candidate *c, const struct stage_job *job, struct err *e)
{
	int found;

	memset(c, 0, sizeof(*c));
	if (oid_parse(&c->oid, job->sha) != 0)
		return err_set(e, "\"%s\" is no commit id", job->sha);
	if (repository_open(&c->r, job->repository, REPOSITORY_OBJECTS, e) != 0 ||
		commit_read(&c->commit, c->r, &c->oid, e) != 0)
		return -1;
	found = model_read(&c->model, c->r, &c->oid, job->config, e);
	if (found == 0)
		return err_set(e,
			"commit %.*s has no %s, so there is no model to register or promote",
			OID_SHORT, job->sha, job->config->model_file);
	return found < 0 ? -1 : 0;
}

static char *fact(const struct stage_job *job, const char *name)
{
	const char *value = facts_get(job->facts, name);

	return mem_strdup(value != NULL ? value : "");
}

/*
 * A commit's message made harmless line by line, without blanks at its end; the caller's to free().
 */
static char *describe(const char *message)
{
	struct str s;

	str_init(&s);
	while (*message != '\0' && s.len < MAX_DESCRIPTION) {
		size_t n = strcspn(message, "\n");
		char *line = mem_strndup(message, n);
		char *safe = str_safe(line, MAX_DESCRIPTION - s.len);

		str_add(&s, safe);
		str_addc(&s, '\n');
		free(safe);
		free(line);
		message += n + (message[n] == '\n');
	}
	while (s.len > 0 && (s.buf[s.len - 1] == '\n' || s.buf[s.len - 1] == ' '))
		s.buf[--s.len] = '\0';
	return str_steal(&s);
}

static int register_candidate(struct registry *r, const struct stage_job *job, struct candidate *c,
	enum registry_way way, int64_t *version, struct err *e)
{
	struct registry_version v = {.pipeline = job->pipeline,
		.way = way,
		.model_description = job->config->project_description};
	int result = -1;

	/* Where models are not fetched, nobody needs to know where they lie. */
	if (job->config->model_fetch != CONFIG_FETCH_NONE &&
		model_locate(&c->model, c->r, &c->oid, job->config, e) != 0)
		return -1;
	if (owner_claim(job, OWNER_MODEL, job->project, e) != 0)
		return -1;
	v.model = mem_strdup(job->project);
	v.source = mem_strdup(c->model.address != NULL ? c->model.address : c->model.pointer_file);
	v.description =
		describe(job->description != NULL && *job->description != '\0' ? job->description
									       : c->commit.message);
	v.commit = mem_strdup(job->sha);
	v.image = fact(job, FACT_IMAGE);
	v.image_digest = fact(job, FACT_IMAGE_DIGEST);
	v.md5 = mem_strdup(c->model.pointer.md5);
	if (registry_create(r, &v, job->owner, version, e) == 0) {
		log_line("model %s version %lld: md5 %s, commit %s, pipeline %lld", job->project,
			(long long)*version, v.md5, job->sha, (long long)job->pipeline);
		result = 0;
	}
	free(v.model);
	free(v.source);
	free(v.description);
	free(v.commit);
	free(v.image);
	free(v.image_digest);
	free(v.md5);
	return result;
}

int promote_register(
	struct registry *r, const struct stage_job *job, int64_t *version, struct err *e)
{
	struct candidate c;
	int result = -1;

	*version = 0;
	if (candidate_read(&c, job, e) == 0)
		result = register_candidate(r, job, &c, REGISTRY_THROUGH_DEV, version, e);
	candidate_clear(&c);
	return result;
}

/*
 * Does the candidate's commit hold COMMIT (hexadecimal)?  One that is no longer in the repository: no.
 */
static int holds(const struct candidate *c, const char *commit)
{
	struct err ignored = ERR_INIT;
	struct oid oid;
	int held = oid_parse(&oid, commit) == 0 ? walk_holds(c->r, &c->oid, 1, &oid, &ignored) : 0;

	err_clear(&ignored);
	return held == 1;
}

/* Does COMMIT have the candidate's model?  One that is no longer in the repository: no. */
static int has_model(const struct candidate *c, const struct stage_job *job, const char *commit)
{
	struct err ignored = ERR_INIT;
	struct model model = {0};
	struct oid oid;
	int same = oid_parse(&oid, commit) == 0 &&
		   model_read(&model, c->r, &oid, job->config, &ignored) == 1 &&
		   str_same(model.pointer.md5, c->model.pointer.md5);

	model_clear(&model);
	err_clear(&ignored);
	return same;
}

/* Is COMMIT (hexadecimal, perhaps "") in the repository?  1 and *OUT, the caller's to commit_clear(). */
static int read_commit(struct commit *out, const struct candidate *c, const char *commit)
{
	struct err ignored = ERR_INIT;
	struct oid oid;
	int read = oid_parse(&oid, commit) == 0 && commit_read(out, c->r, &oid, &ignored) == 0;

	err_clear(&ignored);
	return read;
}

/*
 * Was the candidate's model not there before T?  A retrain branch may bring none, and stand on a commit whose
 * model has to pass through DEV.
 */
static int is_new(
	const struct candidate *c, const struct stage_job *job, const struct retraining *t)
{
	struct commit before = {0}, commit = {0};
	char parent[OID_HEX_SIZE];
	int result;

	if (read_commit(&before, c, t->before)) {
		result = !has_model(c, job, t->before);
		commit_clear(&before);
		return result;
	}
	result = read_commit(&commit, c, t->commit) && commit.n_parents > 0;
	for (size_t i = 0; result && i < commit.n_parents; i++) {
		oid_hex(&commit.parents[i], parent);
		result = !has_model(c, job, parent);
	}
	commit_clear(&commit);
	return result;
}

/*
 * Is the candidate's model the result of a retraining that this commit holds?  The merge that took it may
 * be an earlier one, whose own pipeline has not come so far.
 */
static int is_retrained(const struct candidate *c, const struct stage_job *job)
{
	for (size_t i = 0; i < job->retrained->n; i++) {
		const struct retraining *t = &job->retrained->v[i];

		if (has_model(c, job, t->result) && has_model(c, job, t->commit) &&
			is_new(c, job, t) && holds(c, t->commit))
			return 1;
	}
	return 0;
}

static int is_worthy(const struct registry_version *v)
{
	return v->history == REGISTRY_ONCE_STAGED || v->way == REGISTRY_STRAIGHT;
}

/* The version among VERSIONS, newest first, that C promotes; NULL: none of them may be. */
static const struct registry_version *choose(
	const struct registry_versions *versions, const struct candidate *c)
{
	const struct registry_version *highest = NULL;

	for (size_t i = 0; i < versions->n; i++) {
		const struct registry_version *v = &versions->v[i];

		if (!is_worthy(v))
			continue;
		if (holds(c, v->commit))
			return v;
		if (highest == NULL)
			highest = v;
	}
	return highest;
}

static int find_registered(struct registry *r, const struct stage_job *job, struct candidate *c,
	const struct registry_versions *versions, int64_t *version, struct err *e)
{
	const struct registry_version *chosen = choose(versions, c);

	if (chosen != NULL) {
		*version = chosen->version;
		log_line("model %s version %lld has this commit's model (md5 %s); it was made from "
			 "%s",
			job->project, (long long)chosen->version, chosen->md5, chosen->commit);
		return 0;
	}
	if (versions->n > 0)
		return err_set(e,
			"version %lld of model %s has this commit's model (md5 %s), but was never "
			"in %s: "
			"let it pass through the chain dev first",
			(long long)versions->v[0].version, job->project, c->model.pointer.md5,
			REGISTRY_STAGING);
	if (!is_retrained(c, job))
		return err_set(e,
			"no version of model %s has this commit's model (md5 %s): let it pass "
			"through the "
			"chain dev first",
			job->project, c->model.pointer.md5);
	log_line("a retraining has brought this model, which was never in DEV: it is registered "
		 "now");
	return register_candidate(r, job, c, REGISTRY_STRAIGHT, version, e);
}

/* The version that an earlier stage of JOB's pipeline has made or chosen; 0: none. */
static int64_t known_version(const struct stage_job *job)
{
	const char *text = facts_get(job->facts, FACT_MODEL_VERSION);
	long long number;

	return text != NULL && str_number(text, INT64_MAX, &number) == 0 ? number : 0;
}

/* One that KNOWN before is meant further on, whatever came into the registry since. */
static int find_known(int64_t known, const struct stage_job *job, const struct candidate *c,
	const struct registry_versions *versions, int64_t *version, struct err *e)
{
	for (size_t i = 0; i < versions->n; i++)
		if (versions->v[i].version == known) {
			*version = known;
			return 0;
		}
	return err_set(e,
		"version %lld of model %s, which an earlier stage of this pipeline has chosen, is "
		"gone "
		"or no longer has this commit's model (md5 %s)",
		(long long)known, job->project, c->model.pointer.md5);
}

enum promote_way promote_way(const struct config_chain *chain)
{
	return strlist_has(&chain->stages, CREATE_MODEL) ? PROMOTE_OWN : PROMOTE_REGISTERED;
}

static int find_by_content(
	struct registry *r, const struct stage_job *job, int64_t *version, struct err *e)
{
	struct registry_versions versions = {0};
	struct candidate c;
	int64_t known = known_version(job);
	int result = -1;

	if (candidate_read(&c, job, e) == 0 &&
		registry_check_owner(r, job->project, job->owner, e) == 0 &&
		owner_claim(job, OWNER_MODEL, job->project, e) == 0 &&
		registry_find(r, job->project, c.model.pointer.md5, &versions, e) == 0)
		result = known != 0 ? find_known(known, job, &c, &versions, version, e)
				    : find_registered(r, job, &c, &versions, version, e);
	registry_versions_clear(&versions);
	candidate_clear(&c);
	return result;
}

int promote_find(struct registry *r, const struct stage_job *job, const struct config_chain *chain,
	int64_t *version, struct err *e)
{
	*version = 0;
	if (promote_way(chain) == PROMOTE_REGISTERED)
		return find_by_content(r, job, version, e);
	*version = known_version(job);
	if (*version == 0)
		return err_set(e, "the stage " CREATE_MODEL " of pipeline %lld has made no version",
			(long long)job->pipeline);
	return 0;
}

void promote_note(const struct stage_job *job, int64_t version)
{
	char *text = mem_format("%lld", (long long)version);

	facts_set(job->facts, FACT_MODEL_NAME, job->project);
	facts_set(job->facts, FACT_MODEL_VERSION, text);
	free(text);
}
