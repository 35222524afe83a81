/*
 * The judge: may these updates land?  The same for the hooks and the command.  "Refused" is a
 * verdict with findings; "could not tell" is -1, and the caller rejects.
 */
#ifndef MODELGATE_GATE_JUDGE_H
#define MODELGATE_GATE_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "gate/code.h"
#include "gate/policy.h"
#include "gate/provenance.h"
#include "git/oid.h"

struct actor;
struct config;
struct err;
struct push;
struct push_update;

/* One reason to reject, in words that are safe on a terminal. */
struct finding {
	enum code code;
	char *reason;
	char *fix; /* what to do next; NULL: the reason says it */
};

struct verdict {
	const struct push_update *update; /* borrowed from the push */
	struct policy_rule rule;          /* points into the configuration and the push */
	struct finding *findings;         /* lowest code first; none: accepted */
	size_t n_findings;
	size_t findings_cap;
	const char *method;    /* merge, fast-forward, direct, create, delete; NULL: no rule, not
				  looked at */
	char *source;          /* full name of the source the new tip was traced to; NULL: none */
	struct oid source_oid; /* the commit that the source holds; zeros: none */
	struct strlist
		merged; /* each commit that a source must hold, and its reference: "<oid> <ref>" */
	const char
		*chain; /* chain to launch when it lands, borrowed from the configuration; NULL */
};

struct judge {
	struct provenance_view view; /* its repository may be NULL until one is needed */
	const char *gitdir;
	enum judge_objects { JUDGE_OBJECTS, JUDGE_QUARANTINED_OBJECTS } objects;
	const struct actor *actor;
	int64_t now; /* microseconds since 1970 */
};

/*
 * Judge the update INDEX of the view's push.  0: *OUT is set, the caller calls verdict_clear().
 * -1 and *E: it could not be told.  Opens the repository when a rule needs it; judge_clear() closes
 * it.
 */
int judge_update(struct verdict *out, struct judge *j, size_t index, struct err *e);
void verdict_clear(struct verdict *v);
void judge_clear(struct judge *j);

#endif
