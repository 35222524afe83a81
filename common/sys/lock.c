#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "sys/files.h"

/* The pauses between two tries: short for a lock that is held for one write, then longer. */
#define SHORTEST_NANOSECONDS 500000
#define LONGEST_NANOSECONDS 16000000

/* 1 taken, 0 held by somebody else, -1 with errno set. */
static int try_once(int fd, enum lock_wait wait)
{
	if (flock(fd, (wait == LOCK_SHARE ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

int lock_take(int *fd, const char *path, enum lock_wait wait, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_monotonic() + timeout_ms * (CLOCK_SECOND / 1000);
	struct timespec pause = {0, SHORTEST_NANOSECONDS};
	struct stat st;
	int file, got;

	*fd = -1;
	if (wait == LOCK_SHARE && lstat(path, &st) != 0 && errno == ENOENT)
		return 1;
	file = files_open(path, wait == LOCK_SHARE ? O_RDONLY : O_RDWR | O_CREAT, 0600, e);
	if (file < 0)
		return -1;
	for (;;) {
		got = try_once(file, wait);
		if (got != 0 || wait == LOCK_TRY || clock_monotonic() >= deadline)
			break;
		(void)nanosleep(&pause, NULL); /* woken early: tried early */
		if (pause.tv_nsec < LONGEST_NANOSECONDS)
			pause.tv_nsec *= 2;
	}
	if (got < 0)
		(void)err_errno(e, errno, "%s: cannot be locked", path);
	if (got == 1)
		*fd = file;
	else
		(void)close(file); /* nothing was written */
	return got;
}

void lock_drop(int fd)
{
	if (fd >= 0)
		(void)close(
			fd); /* not unlocked: a child that was given a copy goes on holding it */
}
