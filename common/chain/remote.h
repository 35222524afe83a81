/*
 * Pipelines that run on GitLab's runners (launcher gitlab), as the store keeps them: what a pipeline of
 * ours is there, when it is to be looked at next, and which job each of its stages is.
 */
#ifndef MODELGATE_CHAIN_REMOTE_H
#define MODELGATE_CHAIN_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct err;
struct pipeline;
struct pipeline_ids;
struct store;

/* Is the pipeline looked at again, and does somebody wait for what comes of it? */
enum remote_watch {
	REMOTE_CLOSED,  /* nothing is expected any more; a verb opens it again */
	REMOTE_ACTIVE,  /* it is at work, or is to be */
	REMOTE_AWAITING /* it waits for a hand */
};

struct remote {
	int64_t pipeline; /* ours */
	int64_t number;   /* GitLab's id; 0: it was not made yet */
	char *sha;        /* that GitLab made it for, or "" */
	char *web_url;    /* or "" */
	enum remote_watch watch;
	int64_t wakes;    /* how often remote_wake() was called when this was read */
	int64_t next_at;  /* not to be looked at earlier; microseconds since 1970 */
	int64_t tries;    /* looks in a row that brought nothing new, or faults */
	int64_t asked_at; /* a request to make it was sent, and what became of it is not known; 0 */
	enum remote_doubt {
		REMOTE_CERTAIN,
		REMOTE_UNANSWERED, /* GitLab may be at work still on that request */
		REMOTE_DOUBTFUL    /* and another was sent: there may be two pipelines for ours */
	} doubt;
	enum remote_fit {
		REMOTE_UNSEEN, /* it was not looked at so far whether SHA holds our commit */
		REMOTE_FIT,
		REMOTE_UNFIT /* it does not: the pipeline is to be canceled */
	} fit;
	int64_t refused; /* GitLab\'s number of one that was made before and was of no use; 0 */
	int64_t maker; /* GitLab\'s number of the user who made it there; 0: GitLab did not tell */
	char *message; /* what stands in the way now; "": nothing */
};
void remote_clear(struct remote *r);

/* The job that a stage is, or was when it ended. */
struct remote_job {
	char *stage;
	int64_t job; /* GitLab's number */
	char *web_url;
	int64_t ended; /* 1: the end of this job was recorded */
};
struct remote_jobs {
	struct remote_job *v;
	size_t n;
	size_t cap;
};
void remote_jobs_clear(struct remote_jobs *l);
const struct remote_job *remote_jobs_find(const struct remote_jobs *l, const char *stage);

/* No wait is longer: a time further off was set before the clock was set back. */
#define REMOTE_MAX_WAIT (3600 * CLOCK_SECOND)

/* Pipeline PIPELINE, just added, is to run on GitLab.  Inside a transaction.  0, or -1. */
int remote_add(struct store *s, int64_t pipeline, struct err *e);
/* 1 and *OUT, the caller's to remote_clear(); 0: the pipeline runs here; -1. */
int remote_read(struct remote *out, struct store *s, int64_t pipeline, struct err *e);
/* 1: an older pipeline of P's branch is to be made on GitLab, and was not so far; 0; -1. */
int remote_has_older(struct store *s, const struct pipeline *p, struct err *e);
/* The pipeline of ours that is GitLab's NUMBER: 1 and *PIPELINE; 0: none is so far; -1. */
int remote_find(int64_t *pipeline, struct store *s, int64_t number, struct err *e);
/*
 * Write what may have changed of R, by itself or inside a transaction.  If somebody has called remote_wake()
 * since R was read, it stays woken: watch, next_at and tries are not written.  0, or -1.
 */
int remote_save(struct store *s, const struct remote *r, struct err *e);
/* Have it looked at now, if it runs on GitLab.  Inside a transaction or not.  0, or -1. */
int remote_wake(struct store *s, int64_t pipeline, struct err *e);

/* Those that are to be looked at by NOW, oldest pipeline first.  0, or -1. */
int remote_due(struct store *s, int64_t now, struct pipeline_ids *out, struct err *e);
/* How many are REMOTE_ACTIVE, and whether any is due by NOW.  0, or -1. */
struct remote_count {
	int64_t active;
	int is_due;
};
int remote_count(struct store *s, int64_t now, struct remote_count *out, struct err *e);

int remote_jobs(struct store *s, int64_t pipeline, struct remote_jobs *out, struct err *e);
/* Set the job of a stage.  0, or -1. */
int remote_set_job(struct store *s, int64_t pipeline, const struct remote_job *job, struct err *e);

#endif
