/*
 * How results of retrainings came to a repository: its retrain branches, and the merges that took one, in
 * whatever way (a squash holds no commit of the branch).
 */
#ifndef MODELGATE_STAGE_RETRAINING_H
#define MODELGATE_STAGE_RETRAINING_H

#include <stddef.h>

/* One move of a branch.  Commits are hexadecimal. */
struct retraining {
	char *commit; /* what it brought the branch to */
	char *result; /* the tip of the retrain branch */
	char *before; /* what there was before: the retraining's own commit, the target's; "": not known */
};

struct retrainings {
	struct retraining *v;
	size_t n;
	size_t cap;
};

void retrainings_clear(struct retrainings *l);
/* The texts are copied. */
void retrainings_add(
	struct retrainings *l, const char *commit, const char *result, const char *before);

#endif
