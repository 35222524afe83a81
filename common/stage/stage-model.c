#include "stage/stage.h"

#include "base/err.h"
#include "data/config.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/owner.h"
#include "stage/promote.h"
#include "stage/registry.h"

static int bring(struct registry *r, const struct stage_job *job, const struct config_chain *chain,
	struct err *e)
{
	struct registry_move m = {.model = job->project,
		.to = chain->model_stage,
		.pipeline = job->pipeline,
		.owner = job->owner};
	int moved;

	/*
	 * A version leaves None once: a second run must not take it back out of the stage that a
	 * chain of PROD has given it meanwhile.
	 */
	if (promote_way(chain) == PROMOTE_OWN)
		m.from = REGISTRY_NONE;
	if (owner_claim(job, OWNER_MODEL, job->project, e) != 0 ||
		promote_find(r, job, chain, &m.version, e) != 0)
		return -1;
	moved = registry_transition(r, &m, e);
	if (moved < 0)
		return -1;
	log_line("model %s version %lld: %s %s", m.model, (long long)m.version,
		moved ? "is now in" : "nothing to do, it was brought before to", m.to);
	promote_note(job, m.version);
	facts_set(job->facts, FACT_MODEL_STAGE, m.to);
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
