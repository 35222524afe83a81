/* A folder of files made into a Git work tree, as `git init` and a first commit would. */
#ifndef MODELGATE_GIT_SCAFFOLD_H
#define MODELGATE_GIT_SCAFFOLD_H

#include "git/oid.h"

struct err;

struct scaffold {
	const char *dir;             /* of the files; there is no repository in it yet */
	const char *const *branches; /* ended by NULL; the first is checked out */
	const char *message;
};

/*
 * Make the repository, commit every file that no .gitignore leaves out, and let all branches start
 * there.  The author is the one that Git would take: GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL, else the
 * user's configuration; else modelgate.  0 and *COMMIT, or -1 and DIR is in no defined state.
 */
int scaffold_commit(const struct scaffold *s, struct oid *commit, struct err *e);

#endif
