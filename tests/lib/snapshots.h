/*
 * Commits for tests of merges, each written as the whole of its tree: words of the form
 *
 *     PATH=CONTENT  a file          PATH*=CONTENT  one that can be executed
 *     PATH@=TARGET  a link          PATH^=DIGIT    a submodule at the commit DDD...D
 *
 * with each comma of CONTENT a newline, and one more at its end.
 */
#ifndef MODELGATE_TESTS_SNAPSHOTS_H
#define MODELGATE_TESTS_SNAPSHOTS_H

#include <stddef.h>

#include "git/oid.h"

struct snapshots;

/* A bare repository in a temporary folder. */
struct snapshots *snapshots_new(void);
void snapshots_free(struct snapshots *s); /* removes the folder */
const char *snapshots_dir(const struct snapshots *s);
/* A commit of TREE with N PARENTS; each is a minute younger than the one before it. */
struct oid snapshots_commit(
	struct snapshots *s, const char *tree, const struct oid *parents, size_t n);
/* The same of the tree object TREE, which another repository may have. */
struct oid snapshots_commit_tree(
	struct snapshots *s, const struct oid *tree, const struct oid *parents, size_t n);
/* The tree object of the words. */
struct oid snapshots_tree(struct snapshots *s, const char *tree);
/* Write an object of the LEN bytes; TYPE is libgit2's git_object_t. */
struct oid snapshots_write(struct snapshots *s, int type, const void *bytes, size_t len);

#endif
