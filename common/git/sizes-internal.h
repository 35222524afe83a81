/* How large objects are, remembered: a pushed tree may name one object in a million places. */
#ifndef MODELGATE_GIT_SIZES_INTERNAL_H
#define MODELGATE_GIT_SIZES_INTERNAL_H

#include <stddef.h>

#include <git2.h>

struct err;

#define SIZES_N 4096 /* objects that are remembered; each has one place, by its id */

struct sizes {
	struct size {
		git_oid id;
		size_t size;
		git_object_t type; /* GIT_OBJECT_INVALID: none is remembered here */
	} * v;                     /* SIZES_N; NULL: not used yet */
};

void sizes_clear(struct sizes *s);
/* Size and type of the object ID of ODB: libgit2's result and message. */
int sizes_read(struct size *out, struct sizes *s, git_odb *odb, const git_oid *id);

#endif
