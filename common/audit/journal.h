/*
 * The audit folder opened: log, head and lock, to append to or to look at.  And where the chain
 * goes on from there.
 */
#ifndef MODELGATE_AUDIT_JOURNAL_H
#define MODELGATE_AUDIT_JOURNAL_H

#include <stdint.h>

#include "audit/head.h"

struct err;

enum journal_use {
	JOURNAL_APPEND, /* made if it is not there; locked until it is closed */
	JOURNAL_READ    /* nothing is made; locked only while size and head are read */
};

struct journal {
	int lock;
	int log; /* -1: there is none, with JOURNAL_READ */
	int head_fd;
	int64_t size; /* bytes of the log */
	struct head head;
	enum head_state head_state;
};

/*
 * Open the audit folder of the state directory STATE, which must exist.  0, or -1 and *E.  The
 * caller calls journal_close() in either case.
 */
int journal_open(struct journal *j, const char *state, enum journal_use use, struct err *e);
void journal_close(struct journal *j);
/* Make the entries of audit folder and files last, once after they were made.  0, or -1. */
int journal_flush_folder(const char *state, struct err *e);

/*
 * Write and flush the head NEXT, which tells what is about to be done to the log of STATE.  0; or -1, *E, and
 * the head is as it was.
 */
int journal_announce(
	const struct journal *j, const char *state, const struct head *next, struct err *e);

/* The end of the log, and how it fits the head. */
struct journal_tail {
	enum audit_found found;
	int64_t seq;                /* of the last whole record */
	char hash[SHA256_HEX_SIZE]; /* of the last line, whole or torn */
	/* See struct audit_recovered.  Not set if FOUND is AUDIT_FOUND_WHOLE. */
	char record_hash[SHA256_HEX_SIZE];
	int64_t torn_size;
	char torn_hash[SHA256_HEX_SIZE];
	int is_open; /* 1: the last line has no newline */
};

/*
 * Find the end of J.  If the log ends where the append that was being made would have ended, J's
 * head becomes what that append would have made it.  0, or -1 and *E.
 */
int journal_find_tail(struct journal *j, struct journal_tail *t, struct err *e);
/* The same, but only how the end fits the head: what stands behind the head is not searched, however much it is. */
int journal_find_end(struct journal *j, enum audit_found *found, struct err *e);

#endif
