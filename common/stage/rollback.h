/* Which version of a model comes back to Production. */
#ifndef MODELGATE_STAGE_ROLLBACK_H
#define MODELGATE_STAGE_ROLLBACK_H

#include <stdint.h>

struct err;
struct registry_versions;

/*
 * By the order in which the versions of L were promoted to Production last: TO, or with 0 the one
 * before the version that is there now, without those that were rolled back.  So a second rollback goes
 * further back, none swings to and fro, and what was once found bad comes back by TO alone.  1: *CURRENT (0: none is there) and *VERSION; 0: *E says why there is none, and what there is.
 */
int rollback_choose(const struct registry_versions *l, int64_t to, int64_t *current,
	int64_t *version, struct err *e);

#endif
