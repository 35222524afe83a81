/*
 * A line of the audit log read back: as much of it as the chain is checked by.  What audit/record.h
 * writes, this reads.
 */
#ifndef MODELGATE_AUDIT_ENTRY_H
#define MODELGATE_AUDIT_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"

struct json;

#define ENTRY_MAX_SEQ (INT64_C(1) << 53) /* beyond it, readers of JSON disagree on numbers */
#define ENTRY_NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define ENTRY_RECOVERED "audit.recovered"
#define ENTRY_ROTATED "audit.rotated"

struct entry {
	struct json *json; /* the whole line; what follows is borrowed from it */
	int64_t seq;
	const char *prev; /* 64 lower-case hexadecimal digits */
	const char *event;
	int64_t time;
	int is_recovered; /* 1: an audit.recovered, and RECOVERED holds what it says */
	struct audit_recovered recovered;
	int is_rotated; /* 1: an audit.rotated, and ROTATED holds what it says */
	struct audit_rotated rotated;
};

/*
 * Parse LEN bytes, a line without its newline.  1: it is a record, cleared by the caller; 0: it is
 * none, and *OUT holds nothing.
 */
int entry_parse(struct entry *out, const char *line, size_t len);
void entry_clear(struct entry *entry);

/* 1 if TEXT is a SHA-256 in lower-case hexadecimal; NULL is none. */
int entry_is_hash(const char *text);

#endif
