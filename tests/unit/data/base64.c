/* common/data/base64: the vectors of RFC 4648, section 10, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "data/base64.h"

static void test_vectors(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "+/+/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].bytes);
		char *text = base64_encode(rows[i].bytes, len);
		unsigned char out[16];

		assert_string_equal(text, rows[i].text);
		assert_int_equal(base64_decode(out, sizeof(out), text, strlen(text), NULL), len);
		assert_memory_equal(out, rows[i].bytes, len);
		/* No more than there is room for. */
		assert_int_equal(base64_decode(out, len, text, strlen(text), NULL), len);
		if (len > 0)
			assert_int_equal(base64_decode(out, len - 1, text, strlen(text), NULL), -1);
		free(text);
	}
}

/* One text for the same bytes: what is signed must not have two. */
static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *ignore;
		long expected;
	} rows[] = {
		{"Zg==", NULL, 1},
		{"Zg", NULL, -1},
		{"Zg=", NULL, -1},
		{"Zg===", NULL, -1},
		{"Zh==", NULL, -1}, /* bits that stand for nothing are set */
		{"Zm9=", NULL, -1},
		{"Zm9v\n", NULL, -1},
		{" Zm9v", NULL, -1},
		{"Zm 9v", NULL, -1},
		{"Zm 9v", " \n", 3},
		{"Zm9v\n", " \n", 3},
		{"Z", NULL, -1},
		{"=", NULL, -1},
		{"====", NULL, -1},
		{"Zm9vZg==Zm9v", NULL, -1},
		{"-_-_", NULL, -1},
		{"Zm9\xc3\xa9", NULL, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char out[16];
		long got = base64_decode(
			out, sizeof(out), rows[i].text, strlen(rows[i].text), rows[i].ignore);

		if (got != rows[i].expected)
			fail_msg("\"%s\": expected %ld, got %ld", rows[i].text, rows[i].expected,
				got);
	}
}

/* No byte that is none of the 65 characters, nor any two, which libsodium takes for others. */
static void test_other_bytes(void **state)
{
	unsigned char out[16];

	(void)state;
	for (int a = 0; a < 256; a++)
		for (int b = 128; b < 256; b++) {
			const char first[] = {'A', 'A', (char)a, (char)b};
			const char second[] = {(char)b, (char)a, 'A', 'A'};

			if (base64_decode(out, sizeof(out), first, 4, NULL) != -1)
				fail_msg("AA%02x%02x", (unsigned)a, (unsigned)b);
			if (base64_decode(out, sizeof(out), second, 4, " \n") != -1)
				fail_msg("%02x%02xAA", (unsigned)b, (unsigned)a);
		}
}

static void test_nul(void **state)
{
	unsigned char out[16];
	char *text = base64_encode("\0\0", 2);

	(void)state;
	assert_string_equal(text, "AAA=");
	assert_int_equal(base64_decode(out, sizeof(out), "AAA\0", 4, NULL), -1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests_name("data/base64", tests, NULL, NULL);
}
