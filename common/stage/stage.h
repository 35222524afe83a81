/*
 * A stage of a chain: one function each, in a process of its own.  Every stage is idempotent:
 * killed at any instruction and run again, it leaves what one run leaves.
 */
#ifndef MODELGATE_STAGE_STAGE_H
#define MODELGATE_STAGE_STAGE_H

#include <stdint.h>

struct config;
struct err;
struct facts;
struct retrainings;

#define STAGE_RETRAIN_REF "refs/heads/retrain"   /* whose pipelines retrain */
#define STAGE_RETRAIN_REFS "refs/heads/retrain-" /* how the branches of retrainings start */
#define STAGE_RETRAIN_SUFFIX "_retrain"          /* of the DAG that the chain retrain deploys */

struct stage_job {
	const struct config *config; /* of the repository */
	int64_t pipeline;
	const char *project;
	const char *chain;
	const char *repository;  /* Git directory, absolute */
	const char *owner;       /* GL_REPOSITORY, else the repository path (contract, section 7) */
	const char *ref;         /* full name of the branch that moved */
	const char *sha;         /* what it moved to, hexadecimal */
	const char *source;      /* full name of the source branch, or "" */
	const char *user;        /* name of who pushed, or "" */
	const char *description; /* of the merge request; NULL or "": the commit's message is it */
	const struct retrainings *retrained; /* of the repository */
	int64_t created_at;                  /* of the pipeline, microseconds */
	const char *work;                    /* an empty folder that is removed afterwards */
	struct facts *facts; /* of the earlier stages; what this one found out is added */
};

/*
 * Standard output and standard error are the stage's log.  0, or -1 and *E; e->passing says that
 * another try may help.
 */
typedef int stage_function(const struct stage_job *job, struct err *e);

stage_function stage_build, stage_create_model, stage_deploy, stage_stage_model;

/* The id of the DAG or manifest that JOB's deploy stage writes; the caller's to free(). */
char *deploy_id(const struct stage_job *job);

/* The function of the stage NAME; NULL: there is no such stage. */
stage_function *stage_find(const char *name);

#endif
