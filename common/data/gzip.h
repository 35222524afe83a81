/*
 * Writing gzip (RFC 1952) with zlib: no name and no time in the header, so that the same bytes
 * always give the same file.
 */
#ifndef MODELGATE_DATA_GZIP_H
#define MODELGATE_DATA_GZIP_H

#include <stddef.h>

struct err;
struct gzip;

/*
 * Start a stream whose compressed bytes are handed to SINK with CONTEXT.  SINK returns 0, or -1 and
 * *E. 0 and *OUT, the caller's to gzip_free(), or -1.
 */
int gzip_new(struct gzip **out,
	int (*sink)(void *context, const void *bytes, size_t len, struct err *e), void *context,
	struct err *e);
int gzip_write(struct gzip *z, const void *bytes, size_t len, struct err *e);
/* End the stream; nothing can be written after it.  0, or -1. */
int gzip_finish(struct gzip *z, struct err *e);
void gzip_free(struct gzip *z); /* NULL is fine */

#endif
