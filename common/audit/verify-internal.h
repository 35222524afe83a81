/* What audit_verify (audit/chain.h) is made of: the lines in verify.c, files and checkpoint in verify-files.c. */
#ifndef MODELGATE_AUDIT_VERIFY_INTERNAL_H
#define MODELGATE_AUDIT_VERIFY_INTERNAL_H

#include <stdint.h>

#include "audit/chain.h"
#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/merkle.h"
#include "audit/volumes.h"

struct err;

/* A run of lines that are no records. */
struct torn {
	int64_t first; /* line, counted from the first that is read */
	int64_t count; /* 0: there is none */
	int64_t start; /* place in its file */
	int64_t end;   /* without the last newline */
	struct sha256 hash;
};

/* A head that an audit.recovered tells of. */
struct told {
	size_t file;
	int64_t size; /* 0: there is none */
	int64_t seq;
	char hash[SHA256_HEX_SIZE];
};

/* The log as far as it was read. */
struct check {
	const struct journal *journal;
	const struct audit_expected *expected;
	enum audit_found found; /* how the end of the log fits the head */
	struct volumes volumes;
	struct reader reader;
	struct audit_report *report;
	int64_t line;   /* the line at hand, counted from the first that is read */
	size_t file;    /* in which it stands */
	int64_t size;   /* of the file before that one */
	int64_t *begin; /* of each file up to FILE, what LINE was at its first line */
	int is_other;   /* 1: the lines that the checkpoint counts are not those that were signed */
	char hash[SHA256_HEX_SIZE];      /* of the line at hand */
	int64_t seq;                     /* of the last record */
	char record[SHA256_HEX_SIZE];    /* hash of the last record */
	char prev[SHA256_HEX_SIZE];      /* what the last record said of the line before it */
	char last[SHA256_HEX_SIZE];      /* hash of the line before the one at hand */
	int is_open;                     /* 1: that line has no newline */
	struct torn torn;                /* in front of the line at hand */
	struct told told;                /* the last that was one of an append */
	struct merkle tree;              /* of all ended lines before it */
	char tree_head[SHA256_HEX_SIZE]; /* the hash of the last of them */
	int64_t tree_seq;                /* of the last record among them */
};

/* The log is invalid, for the reason that FORMAT tells, by the line LINE; 0: no line is to blame. */
enum audit_verdict verify_fault(struct check *c, int64_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The number that LINE has in its file. */
int64_t verify_in_file(const struct check *c, int64_t line);
/*
 * 1 if the next record, or the head after the last one, holds the hash of the line at hand, or the
 * checkpoint confirms it: then that one is as it was written.  Reads on: only for a check that ends here.
 */
int verify_is_confirmed(struct check *c);

/* The line at hand is the first of another file. */
enum audit_verdict verify_begin_file(struct check *c);
/* It is ENTRY: what that says of files before it, against the files that are there. */
enum audit_verdict verify_first(struct check *c, const struct entry *entry);
/* What ENTRY, a record in order, says about the file before it. */
enum audit_verdict verify_rotated(struct check *c, const struct entry *entry);

/* Where as many lines were read as the checkpoint counts: whether they are those. */
void verify_compare(struct check *c);
/* The checkpoint can be told from the lines that are there: 0; or -1 and *E. */
int verify_covers(const struct check *c, struct err *e);
/* The end against the checkpoint: a log that is in order by itself may be another, or a part. */
enum audit_verdict verify_signed(struct check *c);

#endif
