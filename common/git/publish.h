/*
 * One file committed to a branch of a bare repository of this machine, or of one on a server, without
 * a work tree.
 */
#ifndef MODELGATE_GIT_PUBLISH_H
#define MODELGATE_GIT_PUBLISH_H

#include <stddef.h>
#include <stdint.h>

#include "git/oid.h"

struct err;
struct remote;
struct str;

/* A line at the end of a commit's message that says whose file it brings. */
#define PUBLISH_OWNER "Owner: "

struct publish {
	const char *repository; /* Git directory; made as a bare repository if it is not there */
	/* Of kind HTTP or SSH: the server's repository instead; NULL. */
	const struct remote *remote;
	const char *branch; /* without refs/heads/; HEAD of a new repository points to it */
	const char *path;   /* of the file, below the root, parts separated by "/" */
	const void *content;
	size_t len;
	const char *author_name;
	const char *author_email;
	int64_t time; /* seconds since 1970, of author and committer */
	const char *message;
	/*
	 * NULL: whatever stands at PATH is replaced.  Else only a file that was last deployed for this
	 * owner: the newest of the commits that changed it and have a line PUBLISH_OWNER names it.
	 */
	const char *owner;
};

/*
 * 1: committed, *COMMIT is the new commit.  0: the branch holds exactly this already, *COMMIT is the one
 * that brought it, if there is an owner, else the tip.  -1 and *E: nothing was committed, or, with
 * e->passing, it is not known.  Called again after that, or after having been killed, it leaves one
 * commit.  A race with another writer is tried again from the new tip (at most 20 times).
 */
int publish_file(const struct publish *p, struct oid *commit, struct err *e);

/*
 * The content of PATH at the tip of BRANCH in the repository of this machine: 1 and added to *OUT, 0
 * there is none, -1.
 */
int publish_read(const char *repository, const char *branch, const char *path, size_t max,
	struct str *out, struct err *e);

#endif
