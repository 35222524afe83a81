/*
 * What git gives a receive hook on standard input (githooks(5), pre-receive): a line a reference,
 * "<old> SP <new> SP <ref> LF", zeros for an object that is not there.
 */
#ifndef MODELGATE_GATE_PUSH_H
#define MODELGATE_GATE_PUSH_H

#include <stddef.h>

#include "git/oid.h"

struct err;

#define PUSH_MAX_INPUT (64U << 20) /* bytes */
#define PUSH_MAX_REF 4096          /* bytes; git cannot keep a longer one as a file */

struct push_update {
	struct oid old;
	struct oid new;
	char *ref;    /* as pushed */
	char *target; /* after symbolic references, see push_resolve */
};

struct push {
	struct push_update *v;
	size_t n;
	size_t cap;
};

enum push_format {
	PUSH_OK,
	PUSH_MALFORMED, /* *E says where */
	PUSH_SHA256     /* ids of 64 digits: a repository that cannot be judged */
};

/*
 * Parse LEN bytes.  On PUSH_OK *OUT holds at least one update; the caller calls push_clear() in any
 * case.
 */
enum push_format push_parse(struct push *out, const char *text, size_t len, struct err *e);
/* Add one update, as the update hook is given it on its command line. */
enum push_format push_add(
	struct push *out, const char *ref, const char *old, const char *new, struct err *e);
/* Fill in each update's target from the repository GITDIR.  0, or -1 and *E. */
int push_resolve(struct push *p, const char *gitdir, struct err *e);
void push_clear(struct push *p);

#endif
