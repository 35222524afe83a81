/*
 * One file as its bytes arrive: written under a temporary name, hashed on the way, stopped at the first
 * byte too many, and told of in the log where it takes long.
 */
#ifndef MODELGATE_STAGE_ARRIVAL_H
#define MODELGATE_STAGE_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/md5.h"

struct err;

/* How far the files of one model are. */
struct progress {
	int64_t total; /* bytes of all of them */
	int64_t done;
	int64_t started; /* by clock_monotonic() */
	int64_t told;    /* the same, when the log last heard of it */
	int64_t told_done;
};
void progress_init(struct progress *p, int64_t total);
/* BYTES more are there.  A line in the log, 5 seconds and a tenth of all after the last at the earliest. */
void progress_add(struct progress *p, int64_t bytes);

struct arrival {
	int fd;
	struct md5 hash;
	int64_t size;
	int64_t max;
	struct progress *progress; /* borrowed; NULL: none */
};

/* Make the file PATH, or empty it, for at most MAX bytes.  0, the caller calls arrival_end(); or -1. */
int arrival_begin(
	struct arrival *a, const char *path, int64_t max, struct progress *progress, struct err *e);
/* Add bytes to the struct arrival CONTEXT.  0; -1 and *E: more than may come, or not written. */
int arrival_add(void *context, const void *bytes, size_t len, struct err *e);
/* Begin again with no byte.  0, or -1. */
int arrival_restart(struct arrival *a, struct err *e);
/* Close the file and tell the md5 of what came.  0, or -1 and *E: it was not written. */
int arrival_end(struct arrival *a, char md5[MD5_HEX_SIZE], struct err *e);

#endif
