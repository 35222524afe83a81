/*
 * Break glass: `git push -o modelgate.override="reason"` (contract, section 3), asked for with a push
 * option, granted to members of the roles in [override] role; and what the verdicts of one push come
 * to with it, or in shadow mode.
 */
#ifndef MODELGATE_GATE_OVERRIDE_H
#define MODELGATE_GATE_OVERRIDE_H

#include <stddef.h>

#include "base/str.h"
#include "gate/code.h"

struct actor;
struct config;
struct verdict;

#define OVERRIDE_OPTIONS "modelgate." /* what our push options start with, in any case */
#define OVERRIDE_OPTION OVERRIDE_OPTIONS "override"
#define OVERRIDE_MAX_REASON 500 /* characters */

struct override {
	enum override_state {
		OVERRIDE_NOT_ASKED,
		OVERRIDE_GRANTED, /* the pusher may, and gave a reason */
		OVERRIDE_REFUSED  /* MG402 */
	} state;
	char *reason; /* of OVERRIDE_GRANTED: as given; of OVERRIDE_REFUSED: why it is refused */
	char *fix;    /* of OVERRIDE_REFUSED: what to do next */
	struct strlist unknown; /* options that start like ours and are none; harmless to print */
};

/*
 * Look at the push options in the environment (GIT_PUSH_OPTION_COUNT, githooks(5)).  Filled in, the
 * caller's to override_clear().
 */
void override_find(struct override *out, const struct config *c, const struct actor *actor);
void override_clear(struct override *o);

/* 1 if a granted override lifts findings of CODE, else 0. */
int override_lifts(enum code code);

/*
 * What the verdicts of one push come to:
 * with findings that nothing lifts (MG9xx; MG201 to MG207, MG401 and MG402 in an override) it is
 * rejected.
 */
enum override_outcome {
	OVERRIDE_ACCEPTED,   /* no findings */
	OVERRIDE_OVERRIDDEN, /* findings, all lifted by a granted override */
	OVERRIDE_SHADOWED,   /* findings, all let pass by mode = shadow */
	OVERRIDE_REJECTED
};
/*
 * A refused override adds MG402 to each verdict that has findings: where the push is rejected, and
 * where it would be but for shadow mode.
 */
enum override_outcome override_decide(
	const struct override *o, const struct config *c, struct verdict *verdicts, size_t n);

#endif
