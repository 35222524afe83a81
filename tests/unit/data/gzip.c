/* gzip: whole, and the same each time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/gzip.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

static int collect(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	str_addn(context, bytes, len);
	return 0;
}

static int refuse(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)context;
	(void)bytes;
	return err_set(e, "no room for %zu bytes", len);
}

/* LEN bytes of TEXT in pieces of PIECE bytes, compressed into *OUT. */
static void compress_text(const char *text, size_t len, size_t piece, struct str *out)
{
	struct gzip *z = NULL;

	assert_int_equal(gzip_new(&z, collect, out, NULL), 0);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(
			gzip_write(z, text + at, len - at < piece ? len - at : piece, NULL), 0);
	assert_int_equal(gzip_finish(z, NULL), 0);
	gzip_free(z);
}

static void assert_expands(const struct str *packed, const char *text, size_t len)
{
	z_stream z = {0};
	char *out = mem_zalloc(len + 1, 1);

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	z.next_in = (unsigned char *)packed->buf;
	z.avail_in = (unsigned)packed->len;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)len + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(out, text, len);
	(void)inflateEnd(&z);
	free(out);
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 300000};
	static const unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = mem_zalloc(sizes[i] + 1, 1);
		struct str packed;
		unsigned long x = 1;

		/* Half of it compresses well, half of it does not. */
		for (size_t j = 0; j < sizes[i]; j++) {
			x = x * 1103515245 + 12345;
			text[j] = j < sizes[i] / 2 ? 'a' : (char)(x >> 16);
		}
		str_init(&packed);
		compress_text(text, sizes[i], sizes[i] + 1, &packed);
		assert_expands(&packed, text, sizes[i]);
		assert_memory_equal(packed.buf, header, sizeof(header));
		str_clear(&packed);
		free(text);
	}
}

static void test_failing_sink(void **state)
{
	struct gzip *z = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(gzip_new(&z, refuse, NULL, &e), 0);
	/* When the first bytes come out is zlib's affair. */
	assert_true(gzip_write(z, "x", 1, &e) == -1 || gzip_finish(z, &e) == -1);
	assert_true(str_starts(err_text(&e), "no room for"));
	err_clear(&e);
	gzip_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_failing_sink)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
