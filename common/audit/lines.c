#define _GNU_SOURCE /* memrchr */
#include "audit/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define CHUNK 65536

void lines_init(struct lines *l, int fd, int64_t from, int64_t limit, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->limit = fd < 0 ? from : limit;
	l->max = max;
	l->at = from;
}

void lines_clear(struct lines *l)
{
	free(l->buf);
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

/* Read up to LEN bytes at AT.  Their number; 0 only at the end of the file; -1. */
static ssize_t read_at(int fd, char *buf, size_t len, int64_t at, struct err *e)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, (off_t)at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, errno, "cannot read the audit log");
	return n;
}

/* Get more bytes of the file into the buffer.  1, 0: the limit is reached, -1. */
static int fill(struct lines *l, struct err *e)
{
	int64_t from = l->at + (int64_t)(l->end - l->begin);
	size_t len;
	ssize_t n;

	if (from >= l->limit)
		return 0;
	if (l->begin > 0 && l->end - l->begin < l->begin) {
		memcpy(l->buf, l->buf + l->begin, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
	}
	if (l->buf == NULL) {
		l->buf = mem_zalloc(CHUNK, 1);
		l->cap = CHUNK;
	}
	mem_grow(&l->buf, l->end, &l->cap, 1);
	len = l->cap - l->end;
	if ((int64_t)len > l->limit - from)
		len = (size_t)(l->limit - from);
	n = read_at(l->fd, l->buf + l->end, len, from, e);
	if (n == 0)
		return err_set(e, "the audit log became shorter while it was read");
	l->end += n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : -1;
}

static int give(struct lines *l, struct line *out, size_t len, enum lines_end end)
{
	size_t used = len + (end == LINES_NEWLINE ? 1 : 0);

	*out = (struct line){l->buf + l->begin, len, l->at, l->at + (int64_t)used, end};
	l->begin += used;
	l->at += (int64_t)used;
	return 1;
}

int lines_next(struct lines *l, struct line *out, struct err *e)
{
	size_t seen = 0; /* bytes in which there is no newline */
	char *newline;
	int more;

	memset(out, 0, sizeof(*out));
	for (;;) {
		size_t have = l->end - l->begin;

		newline = have > seen ? memchr(l->buf + l->begin + seen, '\n', have - seen) : NULL;
		if (newline != NULL && (size_t)(newline - l->buf) - l->begin < l->max)
			return give(l, out, (size_t)(newline - l->buf) - l->begin, LINES_NEWLINE);
		if (newline != NULL || have >= l->max)
			return give(l, out, l->max, LINES_TOO_LONG);
		seen = have;
		more = fill(l, e);
		if (more < 0)
			return -1;
		if (more == 0)
			return have == 0 ? 0 : give(l, out, have, LINES_LIMIT);
	}
}

int lines_start(int fd, int64_t end, int64_t *out, struct err *e)
{
	char buf[CHUNK], *newline;
	int64_t from;

	*out = 0;
	for (; end > 0; end = from) {
		from = end > CHUNK ? end - CHUNK : 0;
		if (lines_read(fd, from, end, buf, e) != 0)
			return -1;
		newline = memrchr(buf, '\n', (size_t)(end - from));
		if (newline != NULL) {
			*out = from + (newline - buf) + 1;
			return 0;
		}
	}
	return 0;
}

int lines_read(int fd, int64_t from, int64_t end, char *buf, struct err *e)
{
	ssize_t n;

	for (; from < end; from += n, buf += n) {
		n = read_at(fd, buf, (size_t)(end - from), from, e);
		if (n == 0)
			return err_set(e, "the audit log became shorter while it was read");
		if (n < 0)
			return -1;
	}
	return 0;
}

int lines_hash(int fd, int64_t from, int64_t end, char out[SHA256_HEX_SIZE], struct err *e)
{
	char buf[CHUNK];
	struct sha256 h;
	int64_t next;

	sha256_init(&h);
	for (; from < end; from = next) {
		next = end - from > CHUNK ? from + CHUNK : end;
		if (lines_read(fd, from, next, buf, e) != 0)
			return -1;
		sha256_add(&h, buf, (size_t)(next - from));
	}
	sha256_hex(&h, out);
	return 0;
}
