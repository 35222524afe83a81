/* What of transport-ssh.c has no need of a server, so that it can be tested. */
#ifndef MODELGATE_GIT_TRANSPORT_SSH_INTERNAL_H
#define MODELGATE_GIT_TRANSPORT_SSH_INTERNAL_H

#include "base/str.h"

struct err;
struct remote;

#define SSH_END 5 /* seconds that ssh may take to end once it was told */

/* Add the arguments of ssh(1) that start SERVICE on R's server: nothing of the user's configuration. */
void transport_ssh_arguments(struct strlist *argv, const struct remote *r, const char *service);
/*
 * Set *E by what ssh SAID before it ended with STATUS (-1: by a signal), and e->passing.  Always -1.
 */
int transport_ssh_tell(const struct remote *r, const char *said, int status, struct err *e);

#endif
