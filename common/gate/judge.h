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
#include "gate/trail.h"
#include "git/oid.h"

struct actor;
struct config;
struct err;
struct merges;
struct push;
struct push_update;

/* One reason to reject, in words that are safe on a terminal. */
struct finding {
	enum code code;
	char *reason;
	char *fix; /* what to do next; NULL: the reason says it */
	/*
	 * The key of the configuration that decided, for explain; of a section with names, of the one of
	 * the rule's branch.  NULL: no key did, the rule stands for every branch with rules.
	 */
	const char *section;
	const char *key;
};

struct verdict {
	const struct push_update *update; /* borrowed from the push */
	struct policy_rule rule;          /* points into the configuration and the push */
	struct finding *findings;         /* lowest code first; none: accepted */
	size_t n_findings;
	size_t findings_cap;
	const char *method; /* merge, fast-forward, squash, direct, create, delete; NULL: no rule,
				  not looked at */
	char *source;       /* full name of the source the new tip was traced to; NULL: none */
	struct oid source_oid; /* the commit that the source holds; zeros: none */
	struct strlist
		merged; /* each commit that a source must hold, and its reference: "<oid> <ref>" */
	const char
		*chain; /* chain to launch when it lands, borrowed from the configuration; NULL */
	struct trail trail; /* how each commit was classed, of a branch that moved on; else empty */
};

struct judge {
	struct provenance_view view; /* its repository may be NULL until one is needed */
	const char *gitdir;
	struct merges *merges; /* made with the repository */
	enum judge_objects { JUDGE_OBJECTS, JUDGE_QUARANTINED_OBJECTS } objects;
	const struct actor *actor;
	int64_t now; /* microseconds since 1970 */
	/*
	 * JUDGE_AS_GIVEN, for explain: the old value is taken as the reference's, whatever it is, and the
	 * name of a retrain branch that is there or was counts as unused.
	 */
	enum judge_references { JUDGE_AS_THEY_ARE, JUDGE_AS_GIVEN } references;
};

/*
 * Judge every update of the view's push, in its order, into VERDICTS, as many as the push has.  0: they
 * are set, the caller calls verdict_clear() of each.  -1 and *E: it could not be told, and none is set.
 * Opens the repository when a rule needs it; judge_clear() closes it.
 */
int judge_push(struct verdict *verdicts, struct judge *j, struct err *e);
void verdict_clear(struct verdict *v);
void judge_clear(struct judge *j);

#endif
