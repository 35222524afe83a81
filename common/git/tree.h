/* Trees: which paths differ, one file's content, a whole tree written into a folder. */
#ifndef MODELGATE_GIT_TREE_H
#define MODELGATE_GIT_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "git/oid.h"

struct err;
struct repository;
struct str;

#define TREE_MAX_CHANGES 2000000 /* entries that differ, looked at in one search */
#define TREE_MAX_READ 200000000  /* entries read in one search to find them */

/*
 * Call EACH with every path that differs between the trees of commits A and B (A NULL: the empty
 * tree) until it returns other than 0, which is returned.  Renames count as a deletion and an
 * addition.  More than TREE_MAX_CHANGES entries: -1.
 */
int tree_changes(struct repository *r, const struct oid *a, const struct oid *b,
	int (*each)(void *context, const char *path), void *context, struct err *e);

/* One search for the files that commits bring; zeroed but for the first three. */
struct tree_search {
	struct repository *repository;
	/* Called with each file or symbolic link until it returns other than 0, which is returned. */
	int (*each)(void *context, const char *path, const struct oid *blob);
	void *context;
	size_t changes; /* of all commits so far: more than TREE_MAX_CHANGES, */
	size_t read;    /* or TREE_MAX_READ, is -1 */
};

enum tree_against {
	TREE_AGAINST_PARENTS, /* files that none of the parents has at this path; of a root, all */
	TREE_AGAINST_NOTHING  /* all files */
};

/* Search the tree of COMMIT.  Submodules are passed over.  0, what EACH returned, or -1 and *E. */
int tree_search(
	struct tree_search *s, const struct oid *commit, enum tree_against against, struct err *e);

/* The size of BLOB in bytes, from its header; it is not read.  0, or -1 and *E: no such blob. */
int tree_blob_size(struct repository *r, const struct oid *blob, uint64_t *size, struct err *e);

/*
 * Add the content of the regular file PATH in the tree of COMMIT, at most MAX bytes, to *OUT.
 * 1; 0: no such path, or no regular file; -1: larger than MAX, or not readable.
 */
int tree_file(struct repository *r, const struct oid *commit, const char *path, size_t max,
	struct str *out, struct err *e);

/* 1 if PATH is a regular file (executable or not) in the tree of COMMIT; 0; -1. */
int tree_has_file(struct repository *r, const struct oid *commit, const char *path, struct err *e);

/* What stands at a path of a tree. */
struct tree_entry {
	enum tree_kind {
		TREE_NOTHING,
		TREE_FILE,
		TREE_EXECUTABLE,
		TREE_LINK, /* symbolic */
		TREE_FOLDER,
		TREE_SUBMODULE
	} kind;
	size_t size; /* bytes of a file, executable or link; else 0 */
};
/* Look at PATH in the tree of COMMIT.  0; -1: not readable. */
int tree_look(struct tree_entry *out, struct repository *r, const struct oid *commit,
	const char *path, struct err *e);

/*
 * Write the tree of COMMIT into the existing empty folder DIR: files 0644 or 0755, symbolic links
 * as links, submodules as empty folders.  Attributes and filters of the repository are not applied.
 */
int tree_export(struct repository *r, const struct oid *commit, const char *dir, struct err *e);

#endif
