/*
 * What play, retry and cancel have in common: the role is checked, the wish recorded, the runner
 * woken.
 */
#ifndef MODELGATE_ASK_H
#define MODELGATE_ASK_H

#include "chain/progress.h"

struct command;

/* STAGE is NULL for PROGRESS_CANCEL.  The exit status. */
int ask(struct command *c, enum progress_wish wish, const char *id, const char *stage);

#endif
