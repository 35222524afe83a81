/*
 * Pipelines moved on: each function is one transaction that reads the pipeline, checks that its
 * state still allows the step (chain/lifecycle.h), writes what follows, and records it in the audit
 * log.
 */
#ifndef MODELGATE_CHAIN_PROGRESS_H
#define MODELGATE_CHAIN_PROGRESS_H

#include <stdint.h>

#include "chain/lifecycle.h"

struct actor;
struct err;
struct intent;
struct remote_job;
struct store;

/*
 * The runner starts a pending stage; older pipelines of the ref are overtaken.  1 and *ATTEMPT;
 * 0: it is pending no more (canceled, skipped); -1: nothing was changed.
 */
int progress_start(struct store *s, int64_t id, const char *stage, int64_t *attempt, struct err *e);
/* A running stage has ended.  Of one that runs no more nothing is changed.  0, or -1. */
int progress_end(struct store *s, int64_t id, const char *stage,
	const struct lifecycle_outcome *outcome, struct err *e);
/* The same of a stage that is a job on GitLab, which is recorded with it. */
int progress_start_job(struct store *s, int64_t id, const struct remote_job *job, struct err *e);
int progress_end_job(struct store *s, int64_t id, const struct remote_job *job,
	const struct lifecycle_outcome *outcome, struct err *e);
/* Every stage that runs here is taken for one that a dead runner left.  0, or -1. */
int progress_resume(struct store *s, struct err *e);

/* Somebody asks for something: 1 done, 0 refused and *E says why, -1. */
enum progress_wish { PROGRESS_PLAY, PROGRESS_RETRY, PROGRESS_CANCEL };
int progress_ask(struct store *s, enum progress_wish wish, int64_t id, const char *stage,
	const struct actor *actor, struct err *e);

/*
 * The same of a play that the push which recorded I asked for, once: the intent's column `pipeline` says
 * that it was dealt with.  What is refused is recorded, too.  1 done, now or before; 0 refused and *E says
 * why; -1: nothing was changed.
 */
int progress_order(
	struct store *s, int64_t id, const char *stage, const struct intent *i, struct err *e);

/* 1: somebody has asked to cancel pipeline ID; 0; -1. */
int progress_cancel_requested(struct store *s, int64_t id, struct err *e);

#endif
