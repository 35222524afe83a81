/*
 * What a service tells whoever supervises it: the protocol of sd_notify(3), one datagram of lines
 * "NAME=value" to the socket that NOTIFY_SOCKET names, a path or "@" and an abstract name.
 */
#ifndef MODELGATE_SYS_NOTIFY_H
#define MODELGATE_SYS_NOTIFY_H

#include <stdint.h>

struct err;

#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"
#define NOTIFY_WATCHDOG "WATCHDOG=1"
#define NOTIFY_STATUS "STATUS=" /* and one line of text */

/* Send TEXT.  1: sent; 0: nobody supervises this process; -1 and *E: the socket takes it not. */
int notify_send(const char *text, struct err *e);

/*
 * The time, in microseconds, within which the supervisor expects NOTIFY_WATCHDOG again and again, before
 * it takes this process for dead (WATCHDOG_USEC, if WATCHDOG_PID is this process or not set); 0: it
 * expects none.
 */
int64_t notify_watchdog(void);

#endif
