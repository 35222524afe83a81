/* One running stage, as the runner sees it: a process group, a log, a lock, a deadline. */
#ifndef MODELGATE_CHAIN_SLOT_H
#define MODELGATE_CHAIN_SLOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct err;
struct runner_options;
struct schedule_row;
struct store;

/* Between SIGTERM and SIGKILL. */
#define SLOT_GRACE (2 * CLOCK_SECOND)

enum slot_stop {
	SLOT_GOES_ON,
	SLOT_TIMED_OUT,
	SLOT_CANCELED, /* somebody asked for it */
	SLOT_STOPPED   /* the runner itself is to end */
};

struct slot {
	int64_t pipeline;
	char *stage;
	char *log;        /* path */
	char *work;       /* path of the folder that the stage works in */
	pid_t pid;        /* of the leader of its process group; 0: it has ended */
	int status;       /* of waitpid(), once it has ended */
	int64_t deadline; /* by clock_monotonic() */
	int64_t timeout;  /* seconds, for the message */
	int64_t retries;
	enum slot_stop stop; /* why it was told to end */
	int64_t kill_at;     /* by clock_monotonic(), once it was told */
};
void slot_clear(struct slot *t);

/*
 * Start the pending stage of ROW.  SLOT_STARTED and *OUT; SLOT_ENDED: it could not be started, or
 * is not to be any more, and that is in the store; SLOT_BUSY: a process of another runner is still
 * at work in this project and environment; SLOT_FAULT and *E: the store or the audit log failed.
 */
enum slot_started { SLOT_STARTED, SLOT_ENDED, SLOT_BUSY, SLOT_FAULT };
enum slot_started slot_start(struct slot *out, struct store *s, const struct runner_options *o,
	const struct schedule_row *row, struct err *e);

/* Tell the process group to end; from SLOT_GRACE later on, slot_watch() kills it. */
void slot_stop(struct slot *t, enum slot_stop why);
/* Kill the group now, if it was told to end. */
void slot_kill(struct slot *t);
/* Stop it if it has run for too long; kill it if it was told and goes on. */
void slot_watch(struct slot *t);

/*
 * 1: the stage's process has ended, nothing of its group is left, and what follows is in the store;
 * 0: it runs; -1.
 */
int slot_reap(struct slot *t, struct store *s, struct err *e);

/* Kill what is left of it and record nothing: the next runner finds it running. */
void slot_abandon(struct slot *t);

/*
 * Put this program, as the runner starts it, and its options into ARGV, of RUNNER_MAX_PROGRAM + 2 words at
 * least; how many they are.
 */
size_t slot_program(const char **argv, const struct runner_options *o);

/* <state>/logs/<pipeline>/<stage>.log; the caller's to free(). */
char *slot_log_path(const char *state, int64_t pipeline, const char *stage);

#endif
