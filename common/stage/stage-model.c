#include "stage/stage.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/promote.h"
#include "stage/registry.h"

/* The version that this pipeline's create-model made. */
static int own_version(const struct stage_job *job, int64_t *version, struct err *e)
{
	const char *text = facts_get(job->facts, FACT_MODEL_VERSION);
	long long number;

	if (text == NULL || str_number(text, INT64_MAX, &number) != 0 || number == 0)
		return err_set(e, "the stage create-model of pipeline %lld has made no version",
			(long long)job->pipeline);
	*version = number;
	return 0;
}

/*
 * What is to be done.  A chain that registers models brings its own version out of None, once: a
 * second run must not take it back out of the stage that a chain of PROD has given it meanwhile.
 * The other chains promote what was registered before.
 */
static int plan(struct registry_move *m, struct registry *r, const struct stage_job *job,
	const struct config_chain *chain, struct err *e)
{
	m->model = job->project;
	m->to = chain->model_stage;
	m->pipeline = job->pipeline;
	if (!strlist_has(&chain->stages, "create-model"))
		return promote_find(r, job, &m->version, e);
	m->from = REGISTRY_NONE;
	return own_version(job, &m->version, e);
}

static int bring(struct registry *r, const struct stage_job *job, const struct config_chain *chain,
	struct err *e)
{
	struct registry_move m = {0};
	char *version;
	int moved;

	if (plan(&m, r, job, chain, e) != 0)
		return -1;
	moved = registry_transition(r, &m, e);
	if (moved < 0)
		return -1;
	log_line("model %s version %lld: %s %s", m.model, (long long)m.version,
		moved ? "is now in" : "nothing to do, it was brought before to", m.to);
	version = mem_format("%lld", (long long)m.version);
	facts_set(job->facts, FACT_MODEL_NAME, job->project);
	facts_set(job->facts, FACT_MODEL_VERSION, version);
	facts_set(job->facts, FACT_MODEL_STAGE, m.to);
	free(version);
	return 0;
}

int stage_stage_model(const struct stage_job *job, struct err *e)
{
	const struct config_chain *chain = config_chain(job->config, job->chain);
	struct registry *r = NULL;
	int result;

	if (chain == NULL)
		return err_set(e, "chain %s is no longer configured", job->chain);
	if (registry_open(&r, job->config, e) != 0)
		return -1;
	result = bring(r, job, chain, e);
	registry_close(r);
	return result;
}
