/* What a push brings to a branch with rules: required, forbidden and too large files. */
#ifndef MODELGATE_GATE_CONTENT_H
#define MODELGATE_GATE_CONTENT_H

struct err;
struct judge;
struct verdict;

/* MG301: the files of require-files that the new tip of V's branch lacks.  0, or -1 and *E. */
int content_judge_required(struct verdict *v, struct judge *j, struct err *e);
/*
 * MG304: every blob that the update brings to the reference, in any of its new commits, at a path that
 * [content] forbids, or larger than it allows.  0, or -1 and *E.
 */
int content_judge_blobs(struct verdict *v, struct judge *j, struct err *e);

#endif
