/*
 * Rotation: the file that is being added to gets a name of its own and is never changed again, and a new
 * one begins with an audit.rotated that is chained to its last line and tells what was in it.
 *
 * Done under the log's lock, in steps of which each leaves a log that is in order: the new file is
 * written beside the others; the head announces it, as it does an append; the old file gets its other name
 * (link(2)); the new one takes its place (rename(2)).  Killed before the last step, the log goes on in the
 * old file, and the next rotation ends what was begun.
 */
#ifndef MODELGATE_AUDIT_ROTATE_H
#define MODELGATE_AUDIT_ROTATE_H

#include <stdint.h>

struct config;
struct err;

/* When it is time.  0: never for this reason. */
struct rotate_limits {
	int64_t size; /* bytes of the file */
	int64_t age;  /* microseconds since its first record */
};
/* As C's section [audit] has them. */
struct rotate_limits rotate_limits_of(const struct config *c);

/*
 * 1: the log of the state directory STATE has come to one of LIMITS; 0: not, or nothing was added to it since
 * it was rotated; -1 and *E.  Cheap: nothing but the file's size and its first line is looked at, and no lock is
 * taken.
 */
int rotate_is_due(const char *state, const struct rotate_limits *limits, struct err *e);
/*
 * Begin a new file.  1 and the number of the old one in *NUMBER; 0: there is nothing in the log that could
 * be rotated, or it is not in order, which the next append tells; -1 and *E: nothing has changed, unless *NUMBER is
 * not 0: it was rotated, and a loss of power may undo that.
 */
int rotate_now(const char *state, int64_t *number, struct err *e);

#endif
