/*
 * A Git repository, opened to be read: references, commits, trees, blobs.  Nothing of it is
 * believed beyond the objects themselves: no configuration outside it is read, replace refs and
 * grafts are not followed.
 */
#ifndef MODELGATE_GIT_REPOSITORY_H
#define MODELGATE_GIT_REPOSITORY_H

#include <stddef.h>
#include <stdint.h>

#include "git/oid.h"

struct err;
struct repository;
struct str;
struct strlist;

enum repository_objects {
	REPOSITORY_OBJECTS,            /* those of the repository */
	REPOSITORY_QUARANTINED_OBJECTS /* and those that GIT_OBJECT_DIRECTORY and
					  GIT_ALTERNATE_OBJECT_DIRECTORIES name (githooks(5)) */
};

/*
 * Open the repository whose Git directory is GITDIR.  0, or -1 and *E: not there, not readable, or
 * of a kind that cannot be judged (SHA-256, reftable, a namespace), said in plain words.
 */
int repository_open(struct repository **out, const char *gitdir, enum repository_objects objects,
	struct err *e);
void repository_free(struct repository *r); /* NULL is fine */
/* The absolute paths of the object folders that R reads, but for what their alternates name. */
const struct strlist *repository_object_dirs(const struct repository *r);

/*
 * Add to OUT every object folder that REPOSITORY_QUARANTINED_OBJECTS of GITDIR (as repository_common_dir() has
 * it) would be read from, alternates included, without opening the repository.  0; -1 and *E: not all could
 * be found.
 */
int repository_object_paths(struct strlist *out, const char *gitdir, struct err *e);

/*
 * What the reference NAME points to after symbolic references: 1 and *OUT; 0: there is none such;
 * -1.
 */
int repository_tip(struct repository *r, const char *name, struct oid *out, struct err *e);
/*
 * Follow symbolic references from NAME in the files below GITDIR, without opening the repository.
 * 0 and *TARGET (NAME itself where it is not symbolic), the caller's to free(); -1 and *E.
 */
int repository_resolve(const char *gitdir, const char *name, char **target, struct err *e);
/*
 * The folder where the references, objects, hooks and configuration of GITDIR are: GITDIR itself,
 * or for a linked worktree what its file `commondir` names (gitrepository-layout(5)).  Absolute,
 * the caller's to free(); NULL and *E.
 */
char *repository_common_dir(const char *gitdir, struct err *e);
/*
 * The same of the repository that PATH, a folder, lies in: as `git` started there would find it.  The
 * caller's to free(); NULL and *E: there is none.
 */
char *repository_discover(const char *path, struct err *e);
/* 1 if GITDIR keeps its references as reftable, which nothing here can read. */
int repository_is_reftable(const char *gitdir);
/*
 * Call EACH for every reference whose name starts with PREFIX, in order of name, until it returns
 * other than 0, which is returned; symbolic references are resolved, broken ones left out.  -1 and
 * *E.
 */
int repository_each(struct repository *r, const char *prefix,
	int (*each)(void *context, const char *name, const struct oid *tip), void *context,
	struct err *e);

/*
 * The object that REVISION names (gitrevisions(7): an object id, at least four digits of one, a
 * branch, a tag, HEAD~1 ...), a commit where PEEL asks for that: 1 and *OUT; 0: there is none, or
 * several; -1 and *E.
 */
enum repository_peel { REPOSITORY_OBJECT, REPOSITORY_COMMIT };
int repository_revision(struct repository *r, const char *revision, enum repository_peel peel,
	struct oid *out, struct err *e);
/* 1 if the object OID is there, whatever it is; 0. */
int repository_has(struct repository *r, const struct oid *oid);

struct commit {
	struct oid oid;
	struct oid tree;
	struct oid *parents;
	size_t n_parents;
	int64_t time; /* committer's, seconds since 1970 */
	char *message;
};

/* Read the commit OID.  0; the caller calls commit_clear().  -1: no such object, or no commit. */
int commit_read(struct commit *out, struct repository *r, const struct oid *oid, struct err *e);
void commit_clear(struct commit *c);
/* The first line of the message, the caller's to free(). */
char *commit_subject(const struct commit *c);

#endif
