#include "data/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"

#define GZIP_WINDOW (MAX_WBITS + 16) /* zlib.h: 16 more asks for the header and trailer of gzip */
#define MEMORY_LEVEL 8               /* zlib's default */
#define OUT_SIZE 65536

struct gzip {
	z_stream z;
	int (*sink)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	unsigned char out[OUT_SIZE];
};

int gzip_new(struct gzip **out,
	int (*sink)(void *context, const void *bytes, size_t len, struct err *e), void *context,
	struct err *e)
{
	struct gzip *z = mem_zalloc(1, sizeof(*z));
	int rc = deflateInit2(&z->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
		Z_DEFAULT_STRATEGY);

	*out = NULL;
	if (rc == Z_MEM_ERROR)
		(void)mem_given(NULL);
	if (rc != Z_OK) {
		free(z);
		return err_set(e, "zlib does not start: %s", zError(rc));
	}
	z->sink = sink;
	z->context = context;
	*out = z;
	return 0;
}

/* Let zlib work until it has taken all input and, with Z_FINISH, given all output. */
static int work(struct gzip *z, int flush, struct err *e)
{
	int rc;

	do {
		z->z.next_out = z->out;
		z->z.avail_out = OUT_SIZE;
		rc = deflate(&z->z, flush);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return err_set(e, "compression failed: %s", zError(rc));
		if (z->z.avail_out < OUT_SIZE &&
			z->sink(z->context, z->out, OUT_SIZE - z->z.avail_out, e) != 0)
			return -1;
	} while (z->z.avail_out == 0 || (flush == Z_FINISH && rc != Z_STREAM_END));
	return 0;
}

int gzip_write(struct gzip *z, const void *bytes, size_t len, struct err *e)
{
	const unsigned char *p = bytes;

	while (len > 0) {
		size_t n = len < INT_MAX ? len : INT_MAX;

		z->z.next_in = (unsigned char *)(uintptr_t)p; /* only read; the type is of old */
		z->z.avail_in = (uInt)n;
		if (work(z, Z_NO_FLUSH, e) != 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

int gzip_finish(struct gzip *z, struct err *e)
{
	z->z.avail_in = 0;
	return work(z, Z_FINISH, e);
}

void gzip_free(struct gzip *z)
{
	if (z == NULL)
		return;
	(void)deflateEnd(&z->z); /* Z_DATA_ERROR: the stream was given up before its end */
	free(z);
}
