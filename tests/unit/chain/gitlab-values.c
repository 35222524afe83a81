/* How long creation waits, and what it makes of the values of variables: chain/gitlab-create.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "chain/gitlab-create.h"
#include "chain/remote.h"

static void test_pause(void **state)
{
	static const struct {
		int64_t tries, retry_after, max;
		int expected;
	} rows[] = {
		{0, -1, 60, 1},
		{1, -1, 60, 2},
		{2, -1, 60, 4},
		{5, -1, 60, 32},
		{6, -1, 60, 60},
		{1000, -1, 60, 60},
		{INT64_MAX, -1, 60, 60},
		{-5, -1, 60, 1},
		{0, -1, 1, 1},
		{9, -1, 1, 1},
		{9, -1, 10, 10},
		/* what the server asks for, where that is longer */
		{0, 0, 60, 1},
		{0, 30, 60, 30},
		{6, 30, 60, 60},
		{0, 300, 60, 300},
		{0, 1799, 60, 1799},
		{0, 1800, 60, 1800},
		{0, 1801, 60, 1800},
		{0, INT64_MAX, 60, 1800},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = creation_pause(rows[i].tries, rows[i].retry_after, rows[i].max);

		if (got != rows[i].expected)
			fail_msg("%lld tries, Retry-After %lld, at most %lld: %d, not %d",
				(long long)rows[i].tries, (long long)rows[i].retry_after,
				(long long)rows[i].max, got, rows[i].expected);
		assert_true(got * CLOCK_SECOND < REMOTE_MAX_WAIT);
	}
}

static void test_escape(void **state)
{
	static const struct {
		const char *text, *escaped;
	} rows[] = {
		{"", ""},
		{"plain text, \"quoted\" 'and' \\ so on", "plain text, \"quoted\" 'and' \\ so on"},
		{"$HOME ${X} $$ %", "%24HOME %24{X} %24%24 %25"},
		{"%24", "%2524"},
		{"a\nb\r\n\tc", "a%0Ab%0D%0A%09c"},
		{"\x01\x1f\x7f", "%01%1F%7F"},
		{"\xd0\xb8 \xe2\x80\xa8 \xff", "\xd0\xb8 \xe2\x80\xa8 \xff"},
		{"%", "%25"},
		{"%%", "%25%25"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *escaped = creation_escape(rows[i].text);
		char *back = creation_unescape(escaped);

		if (strcmp(escaped, rows[i].escaped) != 0)
			fail_msg("\"%s\": \"%s\", not \"%s\"", rows[i].text, escaped,
				rows[i].escaped);
		if (strcmp(back, rows[i].text) != 0)
			fail_msg("\"%s\" comes back as \"%s\"", rows[i].text, back);
		free(back);
		free(escaped);
	}
	/* every byte but NUL */
	for (int c = 1; c < 256; c++) {
		char text[] = {'a', (char)c, 'b', '\0'}, *escaped = creation_escape(text);
		char *back = creation_unescape(escaped);

		assert_string_equal(back, text);
		assert_null(strpbrk(escaped, "$\n\r"));
		free(back);
		free(escaped);
	}
}

/* What escape() never writes stays as it is. */
static void test_unescape(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"%", "%"},
		{"%4", "%4"},
		{"%2", "%2"},
		{"%2g", "%2g"},
		{"%g2", "%g2"},
		{"%0a", "%0a"}, /* lower case */
		{"%00", "%00"}, /* would end the text */
		{"%%24", "%$"},
		{"%2%24", "%2$"},
		{"%41", "A"},
		{"%FF", "\xff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = creation_unescape(rows[i].text);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("\"%s\": \"%s\", not \"%s\"", rows[i].text, got, rows[i].expected);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_unescape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
