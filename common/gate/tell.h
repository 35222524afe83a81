/*
 * What the pusher is told of a push (contract, section 4): one line a fact, harmless on a terminal,
 * each code with its reason and what to do next.
 */
#ifndef MODELGATE_GATE_TELL_H
#define MODELGATE_GATE_TELL_H

#include "gate/code.h"
#include "gate/receive.h"

/* All texts are the caller's to free(). */

/* A push that is rejected: the lowest code of each reference that has any. */
char *tell_rejected_text(const struct receive *r, const struct receive_judged *judged,
	enum receive_recorded recorded);
/*
 * A push that is accepted and recorded: what was overridden, or in shadow mode what would have been
 * rejected.  "" where there is nothing to tell, and on GitLab's web page, which takes every line for a
 * failure.
 */
char *tell_accepted_text(const struct receive *r, const struct receive_judged *judged);
/* A push that could not be judged, or not be recorded. */
char *tell_fault_text(const struct receive *r, enum code code, const char *reason,
	enum receive_recorded recorded);
/* A push that has landed and whose pipelines could not be made now. */
char *tell_unrecorded_text(const struct receive *r, const char *reason);

/* Write TEXT to standard error, each line with the prefix that R's reader is shown. */
void tell_pusher(const struct receive *r, const char *text);

#endif
