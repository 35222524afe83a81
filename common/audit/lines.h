/*
 * Lines of a file that only grows: forward with one buffer that is used again, and backward from
 * any place.  All reading is by position, up to a limit, so that what others append is not seen.
 */
#ifndef MODELGATE_AUDIT_LINES_H
#define MODELGATE_AUDIT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

struct err;

enum lines_end {
	LINES_NEWLINE,
	LINES_LIMIT,   /* the limit was reached: it has no newline */
	LINES_TOO_LONG /* cut; the rest comes as the next line */
};

struct lines {
	int fd;
	int64_t limit;
	size_t max; /* bytes of a line with its newline */
	char *buf;
	size_t cap, begin, end; /* what is read and not yet given out lies in buf[begin..end) */
	int64_t at;             /* place in the file of buf[begin] */
};

/* One line, borrowed until the next call. */
struct line {
	const char *text; /* not terminated */
	size_t len;       /* without its newline */
	int64_t start;    /* place of its first byte */
	int64_t next;     /* place of the byte after it and its newline */
	enum lines_end end;
};

/* Read from FROM to LIMIT of FD, which is borrowed (-1: nothing is read). */
void lines_init(struct lines *l, int fd, int64_t from, int64_t limit, size_t max);
/* 1 and *OUT, 0: no more, -1 and *E. */
int lines_next(struct lines *l, struct line *out, struct err *e);
void lines_clear(struct lines *l);

/* Place after the last newline in front of END, 0 if there is none.  0 and *OUT, or -1. */
int lines_start(int fd, int64_t end, int64_t *out, struct err *e);
/* Read the bytes FROM to END into BUF, which has room for them.  0, or -1. */
int lines_read(int fd, int64_t from, int64_t end, char *buf, struct err *e);
/* SHA-256 of the bytes FROM to END.  0, or -1. */
int lines_hash(int fd, int64_t from, int64_t end, char out[SHA256_HEX_SIZE], struct err *e);

#endif
