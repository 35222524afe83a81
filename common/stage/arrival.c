#include "stage/arrival.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "stage/log.h"
#include "sys/files.h"

#define TELL_EVERY (5 * CLOCK_SECOND)
#define MEGABYTE 1e6

void progress_init(struct progress *p, int64_t total)
{
	*p = (struct progress){.total = total, .started = clock_monotonic()};
	p->told = p->started;
}

void progress_add(struct progress *p, int64_t bytes)
{
	int64_t now;
	double seconds;

	p->done += bytes;
	if (p->done - p->told_done < p->total / 10 || p->done >= p->total)
		return;
	now = clock_monotonic();
	if (now - p->told < TELL_EVERY)
		return;
	seconds = (double)(now - p->started) / (double)CLOCK_SECOND;
	log_line("%.0f %% of the model: %.1f of %.1f MB, %.1f MB a second",
		100.0 * (double)p->done / (double)p->total, (double)p->done / MEGABYTE,
		(double)p->total / MEGABYTE, (double)p->done / MEGABYTE / seconds);
	p->told = now;
	p->told_done = p->done;
}

int arrival_begin(
	struct arrival *a, const char *path, int64_t max, struct progress *progress, struct err *e)
{
	*a = (struct arrival){.max = max, .progress = progress};
	a->fd = files_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, e);
	md5_init(&a->hash);
	return a->fd >= 0 ? 0 : -1;
}

int arrival_add(void *context, const void *bytes, size_t len, struct err *e)
{
	struct arrival *a = context;

	if ((uint64_t)len > (uint64_t)(a->max - a->size))
		return err_set(
			e, "it has more than the %lld bytes that it may have", (long long)a->max);
	if (files_write_all(a->fd, bytes, len) != 0)
		return err_errno(e, errno, "the model cannot be written");
	md5_add(&a->hash, bytes, len);
	a->size += (int64_t)len;
	if (a->progress != NULL)
		progress_add(a->progress, (int64_t)len);
	return 0;
}

int arrival_restart(struct arrival *a, struct err *e)
{
	if (ftruncate(a->fd, 0) != 0 || lseek(a->fd, 0, SEEK_SET) != 0)
		return err_errno(e, errno, "the model cannot be written");
	if (a->progress != NULL)
		a->progress->done -= a->size;
	a->size = 0;
	md5_init(&a->hash);
	return 0;
}

int arrival_end(struct arrival *a, char md5[MD5_HEX_SIZE], struct err *e)
{
	md5_hex(&a->hash, md5);
	if (close(a->fd) != 0)
		return err_errno(e, errno, "the model cannot be written");
	return 0;
}
