/* One file committed to a branch of a bare repository, without a work tree. */
#ifndef MODELGATE_GIT_PUBLISH_H
#define MODELGATE_GIT_PUBLISH_H

#include <stddef.h>
#include <stdint.h>

#include "git/oid.h"

struct err;

struct publish {
	const char *repository; /* Git directory; made as a bare repository if it is not there */
	const char *branch;     /* without refs/heads/; HEAD of a new repository points to it */
	const char *path;       /* of the file, below the root, parts separated by "/" */
	const void *content;
	size_t len;
	const char *author_name;
	const char *author_email;
	int64_t time; /* seconds since 1970, of author and committer */
	const char *message;
};

/*
 * 1: committed, *COMMIT is the new tip.  0: the branch holds exactly this already, *COMMIT is its
 * tip. -1 and *E.  A race with another writer is tried again from the new tip (at most 20 times).
 */
int publish_file(const struct publish *p, struct oid *commit, struct err *e);

/* The content of PATH at the tip of BRANCH: 1 and added to *OUT, 0 there is none, -1. */
struct str;
int publish_read(const char *repository, const char *branch, const char *path, size_t max,
	struct str *out, struct err *e);

#endif
