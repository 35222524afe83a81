/*
 * Drift: a reference with rules is elsewhere than where its last landing left it, and no push that the
 * gates have seen brought it there: a mirror, a restore, somebody's hand.  Told once, by ref.drifted;
 * from then on it counts as where it was found.
 */
#ifndef MODELGATE_CHAIN_DRIFT_H
#define MODELGATE_CHAIN_DRIFT_H

struct err;
struct intent;
struct store;

#define DRIFT_REASON "it was moved by no push that the hooks have seen"

/*
 * In the caller's transaction, before the intents of this landing are closed: I has landed, and its reference is recorded at I's new commit from now on.
 * 1: it was recorded elsewhere than where that landing began, at *WAS, the caller's to free(); 0; -1.
 */
int drift_land(char **was, struct store *s, const struct intent *i, struct err *e);

/*
 * Look at every reference that is recorded, and tell of those that are elsewhere.  SYSTEM_FILE: as for
 * config_load.  What cannot be read is passed over and told by the -1, after the others.  0, or -1 and *E.
 */
int drift_look(struct store *s, const char *system_file, struct err *e);

#endif
