/* Play by ref (contract, section 6): a push that asks for a stage, and what else comes below refs/modelgate/. */
#ifndef MODELGATE_GATE_PLAY_H
#define MODELGATE_GATE_PLAY_H

struct err;
struct judge;
struct verdict;

/*
 * Judge the update of *V, whose reference is one of our own: may the pusher play that stage, and can it be
 * played now?  0, or -1 and *E.
 */
int play_judge(struct verdict *v, const struct judge *j, struct err *e);

#endif
