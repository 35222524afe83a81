/* What the three hooks are made of: one push, who starts the runner for it, and the limits they put on themselves. */
#ifndef MODELGATE_HOOKS_GATE_H
#define MODELGATE_HOOKS_GATE_H

#include "gate/receive.h"
#include "starter.h"

struct err;

struct gate {
	struct receive receive;
	struct starter starter;
};

enum gate_kind {
	GATE_JUDGES, /* pre-receive, update: what cannot confine itself rejects */
	GATE_FOLLOWS /* post-receive: it says so and goes on, since what has landed has landed */
};

/*
 * As receive_begin(); then, where there is something to judge or to record, the starter is forked off and the
 * process confines itself (confine.h).  The caller calls gate_end() in any case.
 */
enum receive_start gate_begin(struct gate *g, const char *hook, enum gate_kind kind, struct err *e);
void gate_end(struct gate *g);

#endif
