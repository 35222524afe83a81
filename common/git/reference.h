/* References written in a repository that is not ours: those alone that nobody else has an interest in. */
#ifndef MODELGATE_GIT_REFERENCE_H
#define MODELGATE_GIT_REFERENCE_H

struct err;
struct oid;
struct repository;

/* What starts so is ours: no gate lets anybody keep anything there. */
#define REFERENCE_OWN "refs/modelgate/"

/*
 * Remove the lock file of the reference NAME of the Git directory GITDIR, if it is older than SECONDS, which
 * is more than any writer that lives takes.  1: it is gone; 0.
 */
int reference_break_lock(const char *gitdir, const char *name, int seconds);

/*
 * Remove the reference NAME with its reflog, loose or packed, if it is at EXPECTED.  1: it was removed;
 * 0: it is not there, or elsewhere; -1.  A lock that a killed writer has left is broken after a minute.
 */
int reference_remove(
	struct repository *r, const char *name, const struct oid *expected, struct err *e);

#endif
