/*
 * <state>/audit/head: where the log ends, as one line of JSON of HEAD_SIZE bytes, padded with
 * blanks and rewritten in place: it lies within one sector of a disk, so that it is old or new and
 * nothing between, and writing it takes no room on a full one.
 *
 *   {"size":N,"seq":N,"hash":"...","pending_size":N,"pending_seq":N,"pending_hash":"...",
 *    "recovering":"..."}
 */
#ifndef MODELGATE_AUDIT_HEAD_H
#define MODELGATE_AUDIT_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"

struct err;

#define HEAD_SIZE 512 /* bytes, the newline included */

struct head {
	int64_t size;               /* bytes of the log */
	int64_t seq;                /* of its last record */
	char hash[SHA256_HEX_SIZE]; /* of its last line */
	/* What these will be once the append that is being made is done; size 0: none is. */
	int64_t pending_size;
	int64_t pending_seq;
	char pending_hash[SHA256_HEX_SIZE];
	/*
	 * How that append found the log.  Kept here until it is done, because what it has written
	 * so far may hide what it found.
	 */
	enum audit_found recovering;
};

enum head_state {
	HEAD_ABSENT, /* no file, or an empty one: nothing was ever appended */
	HEAD_THERE,
	HEAD_DAMAGED
};

/* The head of a log in which nothing is. */
void head_init(struct head *h);
/* Parse LEN bytes.  0, or -1: damaged, and *H is as after head_init. */
int head_parse(struct head *h, const char *text, size_t len);
void head_render(const struct head *h, char out[HEAD_SIZE + 1]);

/* Read it from FD (-1: there is no file).  0, or -1 and *E: it cannot be read. */
int head_read(int fd, struct head *h, enum head_state *state, struct err *e);
/* Write it in place.  0, or -1 and *E. */
int head_write(int fd, const struct head *h, struct err *e);

#endif
