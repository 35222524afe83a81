/*
 * A copy of the records to syslog, message by message (audit/export.h), from the file: what has been copied is
 * kept in <state>/audit/copied, so that none is left out whoever copies next, and only a crash repeats some.
 * Each message holds the number and the hash of its record: kept on another machine, the copy tells whether
 * the log was rewritten.
 */
#ifndef MODELGATE_AUDIT_COPY_H
#define MODELGATE_AUDIT_COPY_H

#include <stdint.h>

struct err;

/*
 * Send what has been recorded since the last time to the datagram socket SOCKET ("/dev/log"), for about a second.
 * 0: that was all; 1: there may be more; or -1 and *E; the rest is sent the next time.  *N: the records that were sent.
 * Of a log that does not go on where the copy had come to, that is told by a message of severity alert, and that file
 * is copied from its begin.  A copy that begins does so with the first file that is there.
 */
int copy_to_syslog(const char *state, const char *socket, int64_t *n, struct err *e);

#endif
