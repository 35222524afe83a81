/*
 * The rules of retrain-<pipeline_id>-<date> ([retrain-branch] of the configuration): its name, the
 * pipeline it names, where it comes from, what it changes, the model it brings.
 */
#ifndef MODELGATE_GATE_RETRAIN_H
#define MODELGATE_GATE_RETRAIN_H

struct err;
struct judge;
struct oid;
struct verdict;

/*
 * Judge an update of a retrain branch, whose rule V has: MG202 to MG204, MG206, MG207, MG302,
 * MG303, MG401 and V's method.  The judge's repository is open where the branch is created.  0, or
 * -1 and *E.
 */
int retrain_judge(struct verdict *v, struct judge *j, struct err *e);
/*
 * The commit that the pipeline named by V's retrain branch was made for: 1 and *OUT; 0: it is not
 * known (or need not be, by known-pipeline) or is not there; -1 and *E.
 */
int retrain_base(struct oid *out, const struct verdict *v, struct judge *j, struct err *e);

#endif
