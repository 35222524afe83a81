/*
 * What pre-receive and update have in common: judge, record, tell.  It stands beside the programs
 * because it joins two rooms that do not know each other, the gate and the chain.
 */
#ifndef MODELGATE_HOOKS_ADMIT_H
#define MODELGATE_HOOKS_ADMIT_H

#include "gate/code.h"

struct gate;
struct push;

enum admit_by {
	ADMIT_BY_PRE_RECEIVE,
	ADMIT_BY_UPDATE /* git gives it no push options: nothing can be overridden */
};

/*
 * Judge PUSH (resolved) as a whole.  Accepted, also by an override or in shadow mode: an intent for
 * each reference with rules, and for each with findings, is in the store and one push.* event in the
 * audit log, both on disk.  Rejected, or it could not be told: recorded as far as possible.  In either
 * case the pusher is told.  The hook's exit status, 0 or 1.
 */
int admit(struct gate *g, const struct push *push, enum admit_by by);

/*
 * The push could not be judged: record and tell it.  PUSH may be NULL, and G may be half begun.
 * Returns 1, the hook's exit status.
 */
int admit_fault(struct gate *g, const struct push *push, enum code code, const char *reason);

#endif
