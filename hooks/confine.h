/*
 * What a hook can do once it knows where it is: read its repository, write its state, run the server's git.
 */
#ifndef MODELGATE_HOOKS_CONFINE_H
#define MODELGATE_HOOKS_CONFINE_H

struct err;
struct receive;

enum confine_writes {
	CONFINE_STATE,    /* nothing but the state directory is written */
	CONFINE_PLAY_REFS /* and the references that ask for a stage are removed */
};

/*
 * Give up all else, for this process and the git it starts (sys/sandbox.h), and clear the environment but for
 * what git says of this push.  The configuration has been read: its files are out of reach from here on.  0;
 * or -1: what holds now is not known.
 */
int confine(const struct receive *r, enum confine_writes writes, struct err *e);

#endif
