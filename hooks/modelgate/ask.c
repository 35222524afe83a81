#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/launcher-local.h"
#include "chain/pipeline.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "gate/identity.h"
#include "git/oid.h"

#define BRANCHES "refs/heads/"

struct request {
	struct command *c;
	enum progress_wish wish;
	int64_t id;
	const char *stage;
};

/* COMMAND_DONE: the chain's roles let C's user do this. */
static int check_role(
	const struct request *r, const struct pipeline *p, const struct config *config)
{
	static const char *const what[] = {[PROGRESS_PLAY] = "play stages of",
		[PROGRESS_RETRY] = "retry stages of",
		[PROGRESS_CANCEL] = "cancel pipelines of"};
	const struct config_chain *chain = config_chain(config, p->chain);
	const struct actor *actor = &r->c->actor;
	char *roles;

	if (chain == NULL)
		return command_fail(COMMAND_NO,
			"chain %s is not configured any more: who may play it is not known",
			p->chain);
	if (identity_may(config, actor, &chain->roles))
		return COMMAND_DONE;
	roles = strlist_join(&chain->roles, ", ");
	(void)command_fail(COMMAND_NO, "%s may not %s chain %s: that takes the role %s",
		actor->name[0] != '\0' ? actor->name : actor->id, what[r->wish], p->chain, roles);
	free(roles);
	return COMMAND_NO;
}

/* COMMAND_DONE: P is of the repository that --repo names, if it names one. */
static int check_repository(const struct command *c, const struct pipeline *p)
{
	if (c->repository == NULL || strcmp(c->repository, p->repository) == 0)
		return COMMAND_DONE;
	return command_fail(
		COMMAND_NO, "pipeline %lld belongs to %s", (long long)p->id, p->repository);
}

static int has_running(const struct pipeline *p)
{
	for (size_t i = 0; i < p->n_stages; i++)
		if (p->stages[i].status == STATUS_RUNNING)
			return 1;
	return 0;
}

static void tell(const struct request *r, const struct pipeline *p)
{
	char *what = mem_format("pipeline %lld (%s, %s at %.*s)", (long long)r->id, p->project,
		str_starts(p->ref, BRANCHES) ? p->ref + strlen(BRANCHES) : p->ref, OID_SHORT,
		p->sha);
	char *safe = str_safe(what, 4096);

	if (r->wish != PROGRESS_CANCEL)
		printf("%s: stage %s is queued\n", safe, r->stage);
	else if (has_running(p))
		printf("%s: canceled; a stage that runs is being ended\n", safe);
	else
		printf("%s: canceled\n", safe);
	free(what);
	free(safe);
}

static int carry_out(const struct request *r, struct store *s, const struct pipeline *p)
{
	const struct config_sources from = {r->c->system_file, p->repository};
	struct config *config = NULL;
	struct err e = ERR_INIT;
	int status, done;

	if (config_load(&config, &from, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	status = check_role(r, p, config);
	if (status != COMMAND_DONE)
		goto out;
	done = progress_ask(s, r->wish, r->id, r->stage, &r->c->actor, &e);
	if (done != 1) {
		status = command_err(done == 0 ? COMMAND_NO : COMMAND_CANNOT_TELL, &e);
		goto out;
	}
	tell(r, p);
	/* It is in the store: whichever runner comes next does it. */
	if (launcher_local_wake(config, p->repository, r->c->system_file, &e) != 0)
		(void)command_err(COMMAND_DONE, &e);
out:
	config_free(config);
	return status;
}

int ask(struct command *c, enum progress_wish wish, const char *id, const char *stage)
{
	struct request r = {.c = c, .wish = wish, .stage = stage};
	struct pipeline p = {0};
	struct store *s = NULL;
	struct err e = ERR_INIT;
	long long number;
	int status, found;

	if (command_number(id, "pipeline number", &number) != 0)
		return COMMAND_USAGE;
	r.id = number;
	if (store_open(&s, c->config->state, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	found = pipeline_read(&p, s, r.id, &e);
	if (found == 1) {
		status = check_repository(c, &p);
		if (status == COMMAND_DONE)
			status = carry_out(&r, s, &p);
	} else if (found == 0) {
		status = command_fail(COMMAND_NO, "there is no pipeline %lld", number);
	} else {
		status = command_err(COMMAND_CANNOT_TELL, &e);
	}
	pipeline_clear(&p);
	store_close(s);
	return status;
}
