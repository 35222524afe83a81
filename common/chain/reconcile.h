/* Landings that post-receive did not see, because git does not run it when the client is gone. */
#ifndef MODELGATE_CHAIN_RECONCILE_H
#define MODELGATE_CHAIN_RECONCILE_H

#include <stdint.h>

#include "base/clock.h"

struct err;
struct store;

/* A younger intent is left to the post-receive that may be on its way. */
#define RECONCILE_AGE (5 * CLOCK_SECOND)
/* After this an intent whose ref never moved is closed: its push was refused after pre-receive. */
#define RECONCILE_LAPSE (24 * 3600 * CLOCK_SECOND)

/*
 * Record the landings that open intents name: the ref holds the intent's commit, or a later landing
 * began there.  SYSTEM_FILE: as for config_load.  A repository or configuration that cannot be read
 * is passed over and told by the -1, after the others.  0, or -1 and *E.
 */
int reconcile(struct store *s, const char *system_file, int64_t now, struct err *e);

/*
 * 1: there is an open intent that is too young for reconcile(): its push may still be on its way, or
 * its client gone; 0; -1.
 */
int reconcile_awaits(struct store *s, int64_t now, struct err *e);

#endif
