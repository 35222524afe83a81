#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "chain/place.h"
#include "chain/schedule.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "gate/identity.h"
#include "stage/owner.h"
#include "stage/registry.h"
#include "stage/rollback.h"
#include "stage/stage.h"

#define LOCK_TIMEOUT_MS 60000 /* for a stage that is at work in production */
#define EVENT "model.rolledback"

struct request {
	struct command *c;
	struct store *s;
	const char *project;
	int64_t to; /* 0: the previous one */
	/* What the newest pipeline of the project says of it: */
	struct pipeline p;
	const struct config *config; /* of its repository */
	const char *owner;
};

/*
 * The first chain that brings models to Production, NULL: none does.  ROLES: those of all such chains, so
 * that one which anybody may play opens no door that another one has closed.
 */
static const struct config_chain *find_chain(const struct config *config, struct strlist *roles)
{
	const struct config_chain *first = NULL;

	for (size_t i = 0; i < config->n_chains; i++) {
		const struct config_chain *chain = &config->chains[i];

		if (strcmp(chain->model_stage, REGISTRY_PRODUCTION) != 0)
			continue;
		if (first == NULL)
			first = chain;
		for (size_t k = 0; k < chain->roles.n; k++)
			if (!strlist_has(roles, chain->roles.v[k]))
				strlist_add(roles, chain->roles.v[k]);
	}
	return first;
}

static int record(const struct request *r, const char *status, const char *reason, struct err *e)
{
	struct audit_record record = {.event = EVENT,
		.actor = r->c->actor,
		.repository = {r->p.repository, r->project, r->p.gl_repository},
		.status = status,
		.reason = reason,
		.policy = r->config->sha256};

	return audit_append(r->config->state, &record, 1, e);
}

/*
 * Told before it is done: it may be told and not done, where this is killed between, but never be done
 * and not told.  What then fails is told as well.
 */
static int bring_back(
	const struct request *r, struct registry *registry, int64_t current, int64_t version)
{
	const struct registry_move m = {.model = r->project,
		.version = version,
		.to = REGISTRY_PRODUCTION,
		.direction = REGISTRY_BACK,
		.owner = r->owner};
	struct err e = ERR_INIT, untold = ERR_INIT;
	char *reason = current != 0 ? mem_format("version %lld in place of version %lld",
					      (long long)version, (long long)current)
				    : mem_format("version %lld", (long long)version);
	int status = COMMAND_DONE;

	if (record(r, NULL, reason, &e) != 0) {
		status = command_err(COMMAND_CANNOT_TELL, &e);
	} else if (registry_transition(registry, &m, &e) < 0) {
		(void)record(r, "failed", err_text(&e), &untold); /* there is the first record */
		status = command_err(COMMAND_CANNOT_TELL, &e);
	} else {
		printf("model %s: version %lld is in Production again", r->project,
			(long long)version);
		if (current != 0)
			printf("; version %lld is archived", (long long)current);
		printf("\nWhat was deployed last keeps naming the version it was deployed with, "
		       "until "
		       "the next deploy.\n");
	}
	err_clear(&untold);
	free(reason);
	return status;
}

/* What a rollback to VERSION that was killed has left undone, as an alias that still names another. */
static int settle(
	const struct request *r, struct registry *registry, int64_t version, struct err *e)
{
	const struct registry_move m = {.model = r->project,
		.version = version,
		.to = REGISTRY_PRODUCTION,
		.owner = r->owner};

	return registry_transition(registry, &m, e);
}

static int choose_and_bring(const struct request *r, struct registry *registry)
{
	struct registry_versions versions;
	struct err e = ERR_INIT, why = ERR_INIT;
	int64_t current, version;
	int status;

	if (registry_find(registry, r->project, NULL, &versions, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (rollback_choose(&versions, r->to, &current, &version, &e) == 1) {
		status = bring_back(r, registry, current, version);
	} else if (r->to != 0 && r->to == current && settle(r, registry, current, &why) < 0) {
		status = command_err(COMMAND_CANNOT_TELL, &why);
	} else {
		(void)err_wrap(&e, "model %s", r->project);
		status = command_err(COMMAND_NO, &e);
	}
	err_clear(&e);
	registry_versions_clear(&versions);
	return status;
}

/* With the lock of the project in production: no stage promotes anything meanwhile. */
static int with_lock(const struct request *r, const struct config_chain *chain)
{
	const struct place place = {
		r->config->state, r->project, place_environment(r->config, chain)};
	const struct stage_job job = {.config = r->config, .owner = r->owner};
	struct registry *registry = NULL;
	struct err e = ERR_INIT;
	int fd = -1, status, got, busy;

	got = place_lock(&fd, &place, LOCK_WAIT, LOCK_TIMEOUT_MS, &e);
	if (got == 1) {
		busy = schedule_is_busy_there(r->s, r->project, place.environment, &e);
		got = busy < 0 ? -1 : !busy;
	}
	if (got <= 0)
		lock_drop(fd);
	if (got < 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (got == 0)
		return command_fail(COMMAND_CANNOT_TELL,
			"a stage of %s is at work in production; try again when it has ended",
			r->project);
	if (owner_claim(&job, OWNER_MODEL, r->project, &e) != 0)
		status = command_err(COMMAND_NO, &e);
	else if (registry_open(&registry, r->config, &e) != 0)
		status = command_err(COMMAND_CANNOT_TELL, &e);
	else
		status = choose_and_bring(r, registry);
	registry_close(registry);
	lock_drop(fd);
	return status;
}

static int check_role(const struct request *r)
{
	const struct actor *actor = &r->c->actor;
	struct strlist roles = {0};
	const struct config_chain *chain = find_chain(r->config, &roles);
	char *list;
	int status;

	if (chain == NULL) {
		status = command_fail(
			COMMAND_NO, "no chain brings models of %s to Production", r->project);
	} else if (identity_may(r->config, actor, &roles)) {
		status = with_lock(r, chain);
	} else {
		list = strlist_join(&roles, ", ");
		status = command_fail(COMMAND_NO, "%s may not roll back %s: that takes the role %s",
			actor->name[0] != '\0' ? actor->name : actor->id, r->project, list);
		free(list);
	}
	strlist_clear(&roles);
	return status;
}

static int carry_out(struct request *r)
{
	const struct config_sources from = {r->c->system_file, r->p.repository};
	struct config *config = NULL;
	struct err e = ERR_INIT;
	int status;

	if (config_load(&config, &from, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	r->config = config;
	r->owner = pipeline_owner(&r->p);
	status = check_role(r);
	config_free(config);
	return status;
}

/* There is no pipeline: of whom, and what would find one. */
static int tell_none(const struct request *r, const char *owner)
{
	if (r->c->repository != NULL)
		return command_fail(COMMAND_NO, "there is no pipeline of project %s in %s",
			r->project, r->c->repository);
	if (owner != NULL)
		return command_fail(COMMAND_NO,
			"there is no pipeline of project %s in %s, to which the model belongs",
			r->project, owner);
	return command_fail(COMMAND_NO, "there is no pipeline of project %s", r->project);
}

/*
 * What the newest pipeline says: of the repository that --repo names, else of the model's owner, if it has
 * one yet, as another repository may bear the project's name.
 */
static int find_and_carry_out(struct request *r)
{
	struct store *s = NULL;
	struct err e = ERR_INIT;
	char *owner = NULL;
	int found = -1, status;

	if (owner_find(&owner, r->c->config, OWNER_MODEL, r->project, &e) >= 0 &&
		store_open(&s, r->c->config->state, &e) == 0)
		found = pipeline_newest(&r->p, s, r->project, r->c->repository,
			r->c->repository == NULL ? owner : NULL, &e);
	r->s = s;
	if (found < 0)
		status = command_err(COMMAND_CANNOT_TELL, &e);
	else
		status = found == 1 ? carry_out(r) : tell_none(r, owner);
	pipeline_clear(&r->p);
	store_close(s);
	free(owner);
	return status;
}

static int rollback(struct command *c, int argc, char **argv)
{
	const char *to = NULL;
	const struct command_option options[] = {{"--to=", &to}, {NULL, NULL}};
	struct request r = {.c = c};
	long long number = 0;
	int n = command_options(&verb_rollback, argc, argv, options, 1, 1);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (to != NULL && command_number(to, "version", &number) != 0)
		return COMMAND_USAGE;
	r.project = argv[1];
	r.to = number;
	return find_and_carry_out(&r);
}

const struct verb verb_rollback = {
	.name = "rollback",
	.run = rollback,
	.needs_config = 1,
	.arguments = "PROJECT [--to VERSION]",
	.summary = "Bring the previous version of a project's model back to Production",
	.options = "  --to VERSION  that version, which was in Production before\n",
};
