/*
 * The automatic merge: what Git itself makes of two commits (merge-ort, git-merge-tree(1)), the
 * same that GitLab runs: unrelated histories allowed, no merge drivers, replace refs or attributes
 * of the server's own configuration.
 *
 * Most merges are decided here, without Git and without reading a file: where only one side has
 * changed anything since the one merge base, the result is that side; and where no path was changed
 * on both sides, and no rename can matter, each path is its changed side's.  What is left is put to
 * one `git merge-tree` a run.
 */
#ifndef MODELGATE_GIT_MERGE_H
#define MODELGATE_GIT_MERGE_H

#include <stddef.h>

#include "base/str.h"
#include "git/oid.h"

struct err;
struct merges;
struct repository;

#define MERGES_MAX_PENDING 20000 /* merges put to one run of Git */

enum merges_answer {
	MERGES_PENDING,   /* not known before merges_run() */
	MERGES_AUTOMATIC, /* the tree is what the automatic merge gives */
	MERGES_DIFFERS,   /* the automatic merge is clean, and gives another tree */
	MERGES_CONFLICTS, /* the automatic merge has conflicts */
	/*
	 * There is no git merge-tree on this machine (Git before 2.39), or it crashes at this merge,
	 * and libgit2, which knows no ort, sees a conflict: whether ort would cannot be told.
	 */
	MERGES_UNCERTAIN
};

/*
 * The git that is asked, an absolute path, the caller's to free(); NULL: there is none.  Nothing else is ever
 * executed.
 */
char *merges_program(void);

/* One question: is the tree of RESULT the automatic merge of OURS and THEIRS, all commits? */
struct merges_case {
	struct oid ours;   /* the first parent */
	struct oid theirs; /* what is merged into it */
	struct oid result;
	enum merges_mode {
		MERGES_TELL_APART, /* all that merges_answer has */
		/*
		 * Only MERGES_AUTOMATIC is asked for: MERGES_DIFFERS then means that it is not that, be
		 * the merge clean or not, which is often known without Git.
		 */
		MERGES_ONLY_WHETHER
	} mode;
	/*
	 * A commit that has the merge bases with THEIRS that OURS has, and may be nearer to it; zeros:
	 * OURS itself.
	 */
	struct oid basis;
};

/*
 * The merges of one judgement.  R is borrowed.  SCRATCH is a folder; merges_run() makes it, if it
 * is not there, and a bare repository below it, into which Git writes, for as long as the merges
 * last.  The caller's to merges_free().
 */
struct merges *merges_new(struct repository *r, const char *scratch);
void merges_free(struct merges *m); /* NULL is fine; removes the scratch repository */

/*
 * Answer C, from memory if it was asked before.  0 and *OUT; or -1 and *E: an object is missing or
 * broken, or too many merges are pending.
 */
int merges_ask(
	enum merges_answer *out, struct merges *m, const struct merges_case *c, struct err *e);
/* How many cases are pending. */
size_t merges_pending(const struct merges *m);
/*
 * Answer all that is pending with one `git merge-tree --stdin -z`, or with libgit2 where Git has no
 * such command.  0, or -1 and *E.
 */
int merges_run(struct merges *m, struct err *e);
/*
 * Add to *OUT at most MAX paths for C, which was answered: those that conflict (MERGES_CONFLICTS,
 * MERGES_UNCERTAIN), or those in which RESULT differs from the automatic merge (MERGES_DIFFERS), by
 * path.  *TOTAL: how many there are, as far as was looked.  0, or -1 and *E.
 */
int merges_paths(struct strlist *out, size_t max, size_t *total, struct merges *m,
	const struct merges_case *c, struct err *e);

#endif
