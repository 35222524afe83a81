/*
 * Who starts the runner for a hook that has given up the right to start anything (confine.h): a process that
 * is forked off before, waits for one byte, and holds nothing of the pusher's connection.  It ends with the
 * hook, however that ends.
 */
#ifndef MODELGATE_HOOKS_STARTER_H
#define MODELGATE_HOOKS_STARTER_H

#include <sys/types.h>

struct config;
struct err;
struct receive;

struct starter {
	pid_t pid;   /* 0: there is none */
	int to;      /* takes the byte */
	int from;    /* says that a runner was started, or why not */
	char *fault; /* why there is none where there should be one; NULL */
};

#define STARTER_INIT                                                                               \
	{                                                                                          \
		0, -1, -1, NULL                                                                    \
	}

/* Fork it off where R's configuration says wake = spawn.  What fails is told by starter_wake(). */
void starter_begin(struct starter *s, const struct receive *r);
/* Have it end, if it was told nothing. */
void starter_end(struct starter *s);

/* What a hook has done that a runner may have to go on with. */
enum starter_cause {
	STARTER_WORK,    /* something lands, or may have */
	STARTER_RECORDED /* nothing but a record in the audit log */
};
/* The rule: is a runner to be started for CAUSE?  1 or 0. */
int starter_wants(const struct config *c, enum starter_cause cause);

/* Have a runner started, once, if starter_wants() says so.  0; or -1: it could not be. */
int starter_wake(
	struct starter *s, const struct receive *r, enum starter_cause cause, struct err *e);

#endif
