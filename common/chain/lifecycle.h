/*
 * What may happen to a pipeline and what follows from it, without store or clock: each function
 * changes *P in memory.  chain/progress.h carries it out.
 */
#ifndef MODELGATE_CHAIN_LIFECYCLE_H
#define MODELGATE_CHAIN_LIFECYCLE_H

#include <stdint.h>

#include "base/clock.h"
#include "chain/status.h"

struct err;
struct pipeline;
struct pipeline_stage;

/* The status of a pipeline with these stages. */
enum status lifecycle_status(const struct pipeline *p);

/* A new pipeline, made at NOW: the first stage waits for the runner or for a hand. */
void lifecycle_create(struct pipeline *p, int64_t now);

/* A pending stage begins.  */
void lifecycle_start(struct pipeline *p, struct pipeline_stage *stage, int64_t now);

/*
 * A stage that failed for a passing reason is tried again after this, then twice this, and so on.
 */
#define LIFECYCLE_DELAY (CLOCK_SECOND / 2)
#define LIFECYCLE_MAX_DELAY (60 * CLOCK_SECOND)

/* How a running stage ended. */
enum lifecycle_ending {
	LIFECYCLE_SUCCEEDED,   /* the next stage becomes pending or manual */
	LIFECYCLE_FAILED,      /* the stages after it stay as they are */
	LIFECYCLE_AGAIN,       /* failed for a passing reason: pending again, so many times */
	LIFECYCLE_CANCELED,    /* ended because somebody asked for it */
	LIFECYCLE_INTERRUPTED, /* the runner ended or was killed: pending again */
};
struct lifecycle_outcome {
	enum lifecycle_ending ending;
	const char *message; /* for a stage that left none itself; NULL: none */
	int64_t retries;     /* with LIFECYCLE_AGAIN: how many times at most */
};
void lifecycle_end(struct pipeline *p, struct pipeline_stage *stage,
	const struct lifecycle_outcome *outcome, int64_t now);

/* What has not started becomes skipped, since pipeline NEWER of the same ref has started. */
void lifecycle_overtaken(struct pipeline *p, int64_t newer, int64_t now);

/* The first stage that has not succeeded: what comes after it waits for it.  NULL: there is none.
 */
const struct pipeline_stage *lifecycle_awaited(const struct pipeline *p);

/*
 * By hand.  NEWER: a newer pipeline of the ref that has started, or 0.  1: done; 0: that cannot be
 * done in this state, and *E says why and what can be, with the command to copy.
 */
int lifecycle_play(struct pipeline *p, struct pipeline_stage *stage, int64_t newer, struct err *e);
int lifecycle_retry(struct pipeline *p, struct pipeline_stage *stage, int64_t newer, struct err *e);
/* Stages that have not started are canceled; one that runs is left for the runner to end. */
int lifecycle_cancel(struct pipeline *p, int64_t now, struct err *e);

#endif
