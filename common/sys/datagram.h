/* Messages to a datagram socket of this machine (unix(7)): a service manager's, the system log's. */
#ifndef MODELGATE_SYS_DATAGRAM_H
#define MODELGATE_SYS_DATAGRAM_H

#include <stddef.h>

struct err;

/* Open one to the socket NAME: a path, or "@" and an abstract name.  The descriptor, or -1 and *E. */
int datagram_open(const char *name, struct err *e);
/*
 * Send LEN bytes as one message, for which the reader has a second's time.  0, or -1 and *E.
 */
int datagram_send(int fd, const void *bytes, size_t len, struct err *e);

#endif
