/* The parts of publish_file(): a commit is made in a repository of this machine, and lands there or on a
 * server. */
#ifndef MODELGATE_GIT_PUBLISH_INTERNAL_H
#define MODELGATE_GIT_PUBLISH_INTERNAL_H

#include <git2.h>

#include "git/publish.h"

#define PUBLISH_ATTEMPTS 20
#define PUBLISH_MAX_HISTORY 20000 /* commits looked at to find whose a file is */

enum outcome { FAILED = -1, UNCHANGED = 0, COMMITTED = 1, RACED = 2 };

struct attempt {
	const struct publish *p;
	const char *name; /* of the repository, for messages */
	git_repository *git;
	char *ref; /* full name of the branch */
	git_oid blob;
	int is_unreadable; /* what went wrong lies in GIT's own objects or references */
	git_oid changed;   /* the last commit that changed the file, if it was looked for */
};

/* Set *E to WHAT and libgit2's reason, and A's is_unreadable.  Returns -1. */
int attempt_unreadable(struct attempt *a, const char *what, struct err *e);

/* Store the content.  0, or -1. */
int attempt_store(struct attempt *a, struct err *e);
/*
 * Make the commit on top of TIP (NULL: the first) without moving anything to it.  COMMITTED and *NEW;
 * UNCHANGED: TIP has it already; FAILED.
 */
enum outcome attempt_commit(struct attempt *a, const git_oid *tip, git_oid *new, struct err *e);
/* Where TIP has the content already: the commit that brought it, where that was looked for. */
const git_oid *attempt_holder(const struct attempt *a, const git_oid *tip);
/* Sleep before another attempt, the longer and the more at random the more there were. */
void attempt_pause(int attempts);
/* Say that all attempts were lost to others: FAILED. */
enum outcome attempt_give_up(const struct attempt *a, struct err *e);

/*
 * 0: PATH of the publication may be written on top of TIP: there is a regular file or nothing, and the
 * file is its owner's.  -1: *E says whose it is, or what stands there.
 */
int publish_check_place(
	struct attempt *a, const git_commit *tip, const git_tree *tree, struct err *e);

/* Both end as publish_file() does. */
int publish_here(struct attempt *a, struct oid *commit, struct err *e);
int publish_there(struct attempt *a, struct oid *commit, struct err *e);

/*
 * Make PATH, which is not there, a bare repository whose HEAD points to BRANCH; DESCRIPTION may be NULL.
 * 0 or -1.
 */
int publish_init_bare(const char *path, const char *branch, const char *description, struct err *e);

#endif
