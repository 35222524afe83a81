/* What the modules of common/git share and nobody else sees: libgit2's types. */
#ifndef MODELGATE_GIT_INTERNAL_H
#define MODELGATE_GIT_INTERNAL_H

#include <git2.h>

struct err;
struct oid;
struct repository;
struct size;
struct walk;

/* libgit2's object, borrowed. */
git_repository *repository_handle(struct repository *r);
/* What is to be said, behind what cannot be read, of a repository without the beginning of its history. */
const char *repository_cut(const struct repository *r);
/* Size and type of the object ID, remembered (git/sizes-internal.h): libgit2's result and message. */
int repository_size(struct size *out, struct repository *r, const git_oid *id);
/*
 * The tree or commit ID may be read: 0; -1: it is too large, as git_check_size() says.  What cannot be found
 * is left to who reads it.
 */
int repository_check_size(struct repository *r, const git_oid *id, struct err *e);
/*
 * The repository's own walk (git/walk-internal.h), made when it is first asked for: what one question
 * has read of commits, the next one has.  To be restarted by who uses it.  NULL: *E.
 */
struct walk *repository_walk(struct repository *r, struct err *e);
/* Set *E to the formatted text, ": " and libgit2's last message.  Always returns -1. */
int git_err(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The tree or commit S may be read: 0; -1: it is larger than MEMORY_MAX_OBJECT. */
int git_check_size(const struct size *s, struct err *e);

void oid_to_git(git_oid *out, const struct oid *o);
void oid_from_git(struct oid *out, const git_oid *o);

/*
 * Start libgit2 with every outside configuration switched off; each call is undone by one
 * git_libgit2_shutdown().  0, or -1.
 */
int git_start(struct err *e);

#endif
