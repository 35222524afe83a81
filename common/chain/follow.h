/*
 * What is to be done next about a pipeline of ours that runs on GitLab, told from how both stand; without
 * network, store or clock.  chain/launcher-gitlab.c carries it out, one step at a time, and looks again.
 */
#ifndef MODELGATE_CHAIN_FOLLOW_H
#define MODELGATE_CHAIN_FOLLOW_H

#include <stdint.h>

#include "chain/lifecycle.h"

struct gitlab_job;
struct gitlab_jobs;
struct pipeline;
struct pipeline_stage;
struct remote_job;
struct remote_jobs;

enum follow_action {
	FOLLOW_NOTHING, /* until something changes there or here */
	/* Somebody has done it on GitLab's page: it is done here too, in the name of the job's user. */
	FOLLOW_PLAYED,
	FOLLOW_RETRIED,
	FOLLOW_CANCELED,
	/* It has come about on GitLab, and is recorded. */
	FOLLOW_STARTED,
	FOLLOW_ENDED,
	FOLLOW_LOST,    /* GitLab has no job for the stage that is awaited */
	FOLLOW_SKIPPED, /* it will not run that job: one before it has failed, of ours or not */
	/* It was asked for here, and is asked of GitLab. */
	FOLLOW_PLAY,
	FOLLOW_RETRY,
	FOLLOW_CANCEL
};

struct follow_step {
	enum follow_action action;
	const struct pipeline_stage *stage; /* NULL: with FOLLOW_NOTHING and FOLLOW_CANCEL */
	const struct gitlab_job *job;       /* NULL: the same, and with FOLLOW_LOST */
	enum lifecycle_ending ending;       /* of FOLLOW_ENDED; a failure may be a passing one */
	const struct remote_job *replaced; /* it was this one that has ended: JOB is in its place */
};

/* Is the pipeline on GitLab to come to its end, whatever ours says? */
enum follow_wanted { FOLLOW_WANTED, FOLLOW_UNWANTED };

/*
 * The next step for P at NOW, whose stage NAME is GitLab's job "<chain>:NAME" among JOBS; KNOWN is what was
 * recorded of earlier jobs.  The result points into P, JOBS and KNOWN.
 */
struct follow_step follow(const struct pipeline *p, const struct gitlab_jobs *jobs,
	const struct remote_jobs *known, enum follow_wanted wanted, int64_t now);

/* 1: a job waits for a button there; 0. */
int follow_has_buttons(const struct gitlab_jobs *jobs);
/* 1: on GitLab nothing goes on any more unless somebody presses a button; 0. */
int follow_is_settled(const struct gitlab_jobs *jobs);

#endif
