/* References written in a repository that is not ours: those alone that nobody else has an interest in. */
#ifndef MODELGATE_GIT_REFERENCE_H
#define MODELGATE_GIT_REFERENCE_H

struct err;
struct oid;
struct repository;

/* What starts so is ours: no gate lets anybody keep anything there. */
#define REFERENCE_OWN "refs/modelgate/"

/*
 * Remove the reference NAME with its reflog, loose or packed, if it is at EXPECTED.  1: it was removed;
 * 0: it is not there, or elsewhere; -1.
 */
int reference_remove(
	struct repository *r, const char *name, const struct oid *expected, struct err *e);

#endif
