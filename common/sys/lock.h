/* Locks between processes that die with their holder: flock(2) on a file that stays. */
#ifndef MODELGATE_SYS_LOCK_H
#define MODELGATE_SYS_LOCK_H

struct err;

enum lock_wait {
	LOCK_TRY,
	LOCK_WAIT,
	/* As LOCK_WAIT, beside others that do the same: for who reads, and may have no right to write. */
	LOCK_SHARE
};

/*
 * Take the lock on PATH, made with mode 0600 if it is not there.  With LOCK_WAIT, wait at most
 * TIMEOUT_MS milliseconds (polled, so that no signal is needed).
 * With LOCK_SHARE nothing is made: where there is no such file, nobody has held the lock yet, and 1 is
 * returned with *FD -1.
 * 1: *FD holds the lock until it and every copy that a child inherited is closed.  0: somebody else
 * holds it.  -1: *E.  *FD is close-on-exec and -1 unless 1 is returned.
 */
int lock_take(int *fd, const char *path, enum lock_wait wait, int timeout_ms, struct err *e);
/* Give the lock back; FD may be -1. */
void lock_drop(int fd);

#endif
