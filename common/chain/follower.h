/*
 * The process that looks after the pipelines on GitLab, as the runner sees it: so the network holds up no
 * stage that runs here.
 */
#ifndef MODELGATE_CHAIN_FOLLOWER_H
#define MODELGATE_CHAIN_FOLLOWER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct runner_options;
struct store;

/* Zeroed to begin with. */
struct follower {
	pid_t pid;          /* 0: none runs */
	int64_t not_before; /* by clock_monotonic(): after one that failed */
	int failures;       /* in a row */
};

/*
 * Start one if there is something to look after and none runs; take note of its end.  *ACTIVE: how many
 * pipelines on GitLab do not wait for a hand.  0, or -1.
 */
int follower_watch(struct follower *f, struct store *s, const struct runner_options *o,
	size_t *active, struct err *e);
/* 1: one runs; 0. */
int follower_is_at_work(const struct follower *f);
/* Tell it to end: whatever it was at, the next one goes on. */
void follower_stop(const struct follower *f);
/* End it now. */
void follower_end(struct follower *f);

#endif
