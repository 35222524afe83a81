/*
 * What the message of a merge commit says that it merged, in the words of git and GitLab.  Anybody may
 * write anything there: it is for messages to people, and decides nothing.
 */
#ifndef MODELGATE_GATE_MESSAGE_H
#define MODELGATE_GATE_MESSAGE_H

/*
 * The branch that MESSAGE says was merged, of several the first, without the name of a remote: a name
 * that git would accept, which may still be anything but harmless on a terminal.  The caller's to free();
 * NULL: it names none.
 */
char *message_branch(const char *message);

#endif
