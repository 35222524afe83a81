/*
 * A place: one project in one environment, in which one thing at a time goes on.  DEV and PROD are the
 * environments (contract, section 1).
 */
#ifndef MODELGATE_CHAIN_PLACE_H
#define MODELGATE_CHAIN_PLACE_H

#include "sys/lock.h"

struct config;
struct config_chain;
struct err;

struct place {
	const char *state; /* state directory */
	const char *project;
	const char *environment;
};

/*
 * Take the lock of P, as lock_take() does: 1 and *FD, 0 it is taken, -1.  A stage's process inherits it:
 * even where its runner was killed, nobody else works there before it has ended.
 */
int place_lock(int *fd, const struct place *p, enum lock_wait wait, int timeout_ms, struct err *e);

/* The environment that CHAIN belongs to, a constant. */
const char *place_environment(const struct config *config, const struct config_chain *chain);

#endif
