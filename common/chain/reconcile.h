/* Landings that post-receive did not see, because git does not run it when the client is gone. */
#ifndef MODELGATE_CHAIN_RECONCILE_H
#define MODELGATE_CHAIN_RECONCILE_H

#include <stdint.h>

#include "base/clock.h"

struct err;
struct store;

/*
 * When post-receive does not come any more: at once where the git that served the push is gone; where it
 * lives, references may move yet, and it is waited for; where that cannot be seen, an intent of some age
 * counts as left.
 */
#define RECONCILE_AGE (5 * CLOCK_SECOND)
#define RECONCILE_PATIENCE (60 * CLOCK_SECOND) /* with a git that lives */
/* After this an intent whose ref never moved is closed: its push was refused after pre-receive. */
#define RECONCILE_LAPSE (24 * 3600 * CLOCK_SECOND)

/*
 * Record the landings that open intents name whose post-receive does not come any more: the ref holds the intent's commit, or a later landing
 * began there.  SYSTEM_FILE: as for config_load.  A repository or configuration that cannot be read
 * is passed over and told by the -1, after the others.  0, or -1 and *E.
 */
int reconcile(struct store *s, const char *system_file, int64_t now, struct err *e);

/* 1: there is an open intent that is left to its post-receive; 0; -1. */
int reconcile_awaits(struct store *s, int64_t now, struct err *e);

#endif
