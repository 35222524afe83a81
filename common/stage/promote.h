/*
 * Which version of a model a commit promotes (contract, section 7): by the content of the model in
 * its tree, never merely the latest.  deploy names this version and stage-model brings it into its
 * stage, so that both always mean the same one.
 */
#ifndef MODELGATE_STAGE_PROMOTE_H
#define MODELGATE_STAGE_PROMOTE_H

#include <stdint.h>

struct config_chain;
struct err;
struct registry;
struct stage_job;

/*
 * Register the model in the tree of JOB's commit, for JOB's pipeline.  Once or often: one version.
 * 0 and *VERSION, or -1: the commit has no model, the name belongs to another repository, or the
 * registry failed.
 */
int promote_register(
	struct registry *r, const struct stage_job *job, int64_t *version, struct err *e);

/* Does the chain register a version of its own, or promote one that was registered before? */
enum promote_way { PROMOTE_OWN, PROMOTE_REGISTERED };
enum promote_way promote_way(const struct config_chain *chain);

/*
 * The version that JOB brings into the stage of its CHAIN.  PROMOTE_OWN: the one that its
 * create-model made.  PROMOTE_REGISTERED: the one that an earlier stage of the pipeline noted;
 * else, of those with the commit's model that were in Staging, or came from a retrain branch that
 * was merged straight into PROD, the one whose commit the promoted commit holds, else the highest;
 * the model of such a branch that is in no version yet is registered first.  0 and *VERSION, or
 * -1: there is none, and *E says what is missing.
 */
int promote_find(struct registry *r, const struct stage_job *job, const struct config_chain *chain,
	int64_t *version, struct err *e);

/* Add to JOB's facts that VERSION is the one that its pipeline means. */
void promote_note(const struct stage_job *job, int64_t version);

#endif
