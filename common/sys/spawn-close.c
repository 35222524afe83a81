/* Close what is open; only what is safe after a fork of a threaded program. */
#define _GNU_SOURCE /* close_range, syscall */
#include "sys/spawn.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The number that TEXT is; ~0: none. */
static unsigned descriptor(const char *text)
{
	unsigned fd = 0;

	if (*text < '0' || *text > '9')
		return ~0U;
	for (; *text >= '0' && *text <= '9'; text++)
		fd = 10 * fd + (unsigned)(*text - '0');
	return fd;
}

/* Close what of FIRST to LAST is open, as the kernel lists it.  0; -1: it does not. */
static int close_listed(unsigned first, unsigned last)
{
	/* As the kernel has them (getdents64(2)): opendir() would allocate. */
	struct dirent entries[16], *d;
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n = -1;

	if (dir < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n; at += d->d_reclen) {
			unsigned fd;

			d = (struct dirent *)((char *)entries + at);
			fd = descriptor(d->d_name);
			if (fd >= first && fd <= last && fd != (unsigned)dir && fd != ~0U)
				(void)close((int)fd); /* whatever it is, it is gone */
		}
	(void)close(dir); /* only read */
	return n == 0 ? 0 : -1;
}

/* Close FIRST to LAST. */
static void close_from_to(unsigned first, unsigned last)
{
	long max;

	if (first > last || close_range(first, last, 0) == 0)
		return;
	/* A kernel before 5.9.  The limit can be a billion, or less than what is open. */
	if (close_listed(first, last) == 0)
		return;
	max = sysconf(_SC_OPEN_MAX);
	for (unsigned fd = first; fd <= last && (long)fd < max; fd++)
		(void)close((int)fd); /* most are not open */
}

void spawn_close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;
	unsigned next = 3;

	if (low >= 3) {
		close_from_to(next, (unsigned)low - 1);
		next = (unsigned)low + 1;
	}
	if (high >= 3) {
		close_from_to(next, (unsigned)high - 1);
		next = (unsigned)high + 1;
	}
	close_from_to(next, ~0U);
}
