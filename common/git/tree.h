/* Trees: which paths differ, one file's content, a whole tree written into a folder. */
#ifndef MODELGATE_GIT_TREE_H
#define MODELGATE_GIT_TREE_H

#include <stddef.h>

#include "git/oid.h"

struct err;
struct repository;
struct str;

/*
 * Call EACH with every path that differs between the trees of commits A and B (A NULL: the empty
 * tree) until it returns other than 0, which is returned.  Renames count as a deletion and an
 * addition.
 */
int tree_changes(struct repository *r, const struct oid *a, const struct oid *b,
	int (*each)(void *context, const char *path), void *context, struct err *e);

/*
 * Add the content of the regular file PATH in the tree of COMMIT, at most MAX bytes, to *OUT.
 * 1; 0: no such path, or no regular file; -1: larger than MAX, or not readable.
 */
int tree_file(struct repository *r, const struct oid *commit, const char *path, size_t max,
	struct str *out, struct err *e);

/* 1 if PATH is a regular file (executable or not) in the tree of COMMIT; 0; -1. */
int tree_has_file(struct repository *r, const struct oid *commit, const char *path, struct err *e);

/*
 * Write the tree of COMMIT into the existing empty folder DIR: files 0644 or 0755, symbolic links
 * as links, submodules as empty folders.  Attributes and filters of the repository are not applied.
 */
int tree_export(struct repository *r, const struct oid *commit, const char *dir, struct err *e);

#endif
