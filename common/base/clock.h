/*
 * Time: microseconds since 1970-01-01T00:00:00Z in an int64_t everywhere, text only at the edges.
 * Also the ids that sort by time.
 */
#ifndef MODELGATE_BASE_CLOCK_H
#define MODELGATE_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000)

#define CLOCK_TEXT_SIZE 28 /* "2026-11-23T20:21:49.123456Z" and its NUL */
#define CLOCK_ID_SIZE 27   /* a ULID and its NUL */

/* Now, by the system's real-time clock. */
int64_t clock_now(void);
/* A clock that never jumps, for time-outs. */
int64_t clock_monotonic(void);
/* WHEN in RFC 3339, UTC, microseconds. */
void clock_text(int64_t when, char out[CLOCK_TEXT_SIZE]);
/*
 * Parse RFC 3339 in UTC ("Z"), with or without a fraction, or a bare date (midnight).  0, or -1.
 */
int clock_parse(const char *text, int64_t *out);
/*
 * A new ULID (github.com/ulid/spec): 48 bits of milliseconds of WHEN and 80 random bits, in
 * Crockford's base 32.  0, or -1 where the kernel has no random bytes to give.
 */
int clock_new_id(int64_t when, char out[CLOCK_ID_SIZE]);

#endif
