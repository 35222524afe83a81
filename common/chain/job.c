#include "chain/job.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "chain/store.h"
#include "data/config.h"
#include "stage/facts.h"
#include "stage/retraining.h"
#include "stage/stage.h"
#include "sys/files.h"

char *job_folder(const char *state, int64_t pipeline, const char *stage, int64_t attempt)
{
	return mem_format("%s/" CONFIG_STATE_WORK "/%lld-%s-%lld", state, (long long)pipeline,
		stage, (long long)attempt);
}

/* Call the stage with an empty folder of its own, which is removed afterwards. */
static int run_in_folder(stage_function *stage, struct stage_job *job,
	const struct pipeline_stage *row, struct err *e)
{
	char *folder = job_folder(job->config->state, job->pipeline, row->name, row->attempt);
	struct err removal = ERR_INIT;
	int result = -1;

	job->work = folder;
	if (files_remove_tree(folder, e) == 0 && files_make_folder(folder, 0700, e) == 0)
		result = stage(job, e);
	/* What is left here takes room, no more: the next try removes it first. */
	(void)files_remove_tree(folder, &removal);
	err_clear(&removal);
	free(folder);
	return result;
}

static int run_stage(struct store *s, const struct config *config, const struct pipeline *p,
	const char *name, struct err *e)
{
	stage_function *stage = stage_find(name);
	struct facts before = {0}, facts = {0};
	struct retrainings retrained = {0};
	struct stage_job job = {.config = config,
		.pipeline = p->id,
		.project = p->project,
		.chain = p->chain,
		.repository = p->repository,
		.owner = pipeline_owner(p),
		.ref = p->ref,
		.sha = p->sha,
		.source = p->source,
		.user = p->actor.name,
		.retrained = &retrained,
		.created_at = p->created_at,
		.facts = &facts};
	int result = -1;

	if (stage == NULL)
		(void)err_set(e, "there is no stage called %s", name);
	else if (store_retrainings(s, p->repository, &retrained, e) == 0 &&
		 pipeline_facts(s, p->id, name, &before, e) == 0 &&
		 pipeline_facts(s, p->id, name, &facts, e) == 0)
		result = run_in_folder(stage, &job, pipeline_stage(p, name), e);
	if (result == 0)
		result = pipeline_save_facts(s, p->id, name, &before, &facts, e);
	facts_clear(&before);
	facts_clear(&facts);
	retrainings_clear(&retrained);
	return result;
}

static int check(const struct pipeline *p, const char *name, struct err *e)
{
	const struct pipeline_stage *stage = pipeline_stage(p, name);

	if (stage == NULL)
		return err_set(e, "pipeline %lld has no stage %s", (long long)p->id, name);
	if (stage->status != STATUS_RUNNING)
		return err_set(e, "stage %s is %s: it is the runner that starts it", name,
			status_text(stage->status));
	return 0;
}

int job_run(const struct config *config, int64_t id, const char *stage, struct err *e)
{
	struct store *s = NULL;
	struct pipeline p = {0};
	struct err untold = ERR_INIT;
	int result = -1, found;

	if (store_open(&s, config->state, e) != 0)
		goto out;
	found = pipeline_read(&p, s, id, e);
	if (found == 0)
		(void)err_set(e, "there is no pipeline %lld", (long long)id);
	if (found != 1 || check(&p, stage, e) != 0)
		goto out;
	result = run_stage(s, config, &p, stage, e);
	/* The log has it in any case. */
	if (result != 0)
		(void)pipeline_save_message(s, id, stage, err_text(e), &untold);
out:
	err_clear(&untold);
	pipeline_clear(&p);
	store_close(s);
	return result;
}
