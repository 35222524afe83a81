/* What the parts of common/git/merge*.c share. */
#ifndef MODELGATE_GIT_MERGE_INTERNAL_H
#define MODELGATE_GIT_MERGE_INTERNAL_H

#include <stddef.h>

#include "base/str.h"
#include "git/merge.h"
#include "git/oid.h"

struct err;
struct repository;

#define MERGE_MAX_PATHS 100 /* conflicting paths that are kept of one merge */

/* What the automatic merge of two commits is. */
struct merge_answer {
	enum { MERGE_CLEAN, MERGE_CONFLICTS, MERGE_UNCERTAIN } outcome;
	struct oid tree; /* MERGE_CLEAN */
	/* else: the first MERGE_MAX_PATHS of the paths that conflict, and how many there are */
	struct strlist paths;
	size_t n_paths;
};

void merge_answer_clear(struct merge_answer *a);
/*
 * Parse the answer to one pair out of what `git merge-tree --stdin -z --name-only --no-messages`
 * writes (git-merge-tree(1), OUTPUT), at *AT, before END.  0 and *AT is behind it; or -1 and *E.
 */
int merge_answer_parse(struct merge_answer *out, const char **at, const char *end, struct err *e);

/* Two commits whose merge was asked for. */
struct merge_pair {
	struct oid ours;
	struct oid theirs;
	struct merge_answer answer;
};

/* ---- decided without Git ---- */

#define MERGE_MAX_CHANGES 50000 /* paths in which two trees differ; more are left to Git */

#define MERGE_CACHE_SLOTS 8

/* A file, link or submodule in a tree, as Git writes its mode; 0: there is none. */
struct merge_leaf {
	unsigned mode;
	struct oid oid;
};

#define MERGE_MODE_FOLDER 040000

/* One item of a tree object; NAME lies in the bytes of the object. */
struct merge_item {
	const char *name;
	struct merge_leaf leaf; /* or a folder */
};

/* Those of one tree, by name as strcmp() has it. */
struct merge_items {
	struct merge_item *v;
	size_t n;
};

/*
 * Parse a tree object (gitformat: "<octal mode> SP <name> NUL <20 bytes>" each).  1; 0: it is not
 * as Git writes it, which may write it anew, as another.  Either way the caller calls
 * merge_items_clear().
 */
int merge_items_parse(struct merge_items *out, const char *bytes, size_t len);
void merge_items_clear(struct merge_items *items);

struct merge_change {
	char *path;
	struct merge_leaf old;
	struct merge_leaf new;
};

/* What differs between two trees, by merge_path_compare(). */
struct merge_changes {
	struct merge_change *v;
	size_t n;
	/*
	 * 1: a tree that was read is not as Git writes it, or the changes are too many or too deep.
	 * They may be incomplete, and of the merge nothing is known.
	 */
	int is_odd;
};

/* The changes from tree A to tree B.  0, the caller calls merge_changes_clear(); or -1. */
int merge_changes_read(struct merge_changes *out, struct repository *r, const struct oid *a,
	const struct oid *b, struct err *e);
void merge_changes_clear(struct merge_changes *c);
int merge_leaf_equal(const struct merge_leaf *a, const struct merge_leaf *b); /* 1 or 0 */
/* As strcmp, but a slash comes before all else: what is in a folder follows its name. */
int merge_path_compare(const char *a, const char *b);

/* What can be said of the merge of two sides from their changes alone. */
enum merge_trivial {
	MERGE_TRIVIAL_NOT,  /* nothing */
	MERGE_TRIVIAL_PART, /* each path but those that both sides changed, each in its way */
	MERGE_TRIVIAL_WHOLE /* each path: the merge is clean */
};

enum merge_trivial merge_trivial(
	const struct merge_changes *ours, const struct merge_changes *theirs);

/* The changes from the one merge base to both sides, and to what is compared with their merge. */
struct merge_sides {
	const struct merge_changes *ours;
	const struct merge_changes *theirs;
	const struct merge_changes *result;
};

/*
 * Call EACH with every path in which RESULT is not what merge_trivial() can say of it, until it
 * returns other than 0, which is returned; else 0.
 */
int merge_each_difference(
	const struct merge_sides *s, int (*each)(void *context, const char *path), void *context);

/* Changes that were read lately: many merges are asked for that have a side in common. */
struct merge_cache {
	struct {
		struct oid a;
		struct oid b;
		struct merge_changes changes;
		size_t used; /* when it was asked for last; 0: never */
	} slots[MERGE_CACHE_SLOTS];
	size_t clock;
};

/*
 * As merge_changes_read(); the cache's, until MERGE_CACHE_SLOTS - 1 others were asked for.  NULL:
 * *E.
 */
const struct merge_changes *merge_cache_get(struct merge_cache *c, struct repository *r,
	const struct oid *a, const struct oid *b, struct err *e);
void merge_cache_clear(struct merge_cache *c);

/* ---- by Git ---- */

/* A bare repository of our own into which Git writes; gone with its owner. */
struct merge_scratch {
	char *dir;
	int lock; /* held while it is in use */
};

/* Make one below PARENT, and remove those there that a killed process left.  0, or -1. */
int merge_scratch_make(struct merge_scratch *s, const char *parent, struct err *e);
void merge_scratch_clear(struct merge_scratch *s);

enum merge_git {
	MERGE_GIT_FAILED = -1, /* *E says why */
	MERGE_GIT_NONE,        /* there is no Git here that has such a merge-tree */
	MERGE_GIT_CRASHED,     /* over one of the pairs: ort has asserts that can fail */
	MERGE_GIT_DONE
};

/* Answer the N PAIRS with one run of Git; only after MERGE_GIT_DONE they have answers. */
enum merge_git merge_git_run(struct merge_pair *const *pairs, size_t n, struct repository *r,
	const struct merge_scratch *s, struct err *e);
/* Answer them with libgit2's merge, which knows no ort: where it sees a conflict, MERGE_UNCERTAIN.
 * 0, or -1. */
int merge_libgit_run(struct merge_pair *const *pairs, size_t n, struct repository *r,
	const struct merge_scratch *s, struct err *e);

#endif
