/* common/base/str: buffers, lists, globs, numbers, and text that cannot hurt a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void test_buffer(void **state)
{
	struct str s;
	char *content;

	(void)state;
	str_init(&s);
	assert_string_equal(s.buf, "");
	str_reset(&s);
	str_add(&s, "");
	assert_string_equal(s.buf, "");
	str_add(&s, "one");
	str_addc(&s, ' ');
	str_addn(&s, "two!", 3);
	str_addf(&s, " %d", 3);
	assert_string_equal(s.buf, "one two 3");
	assert_int_equal(s.len, 9);
	str_addn(&s, "a\0b", 3);
	assert_int_equal(s.len, 12);
	assert_memory_equal(s.buf, "one two 3a\0b", 13);
	str_reset(&s);
	assert_int_equal(s.len, 0);
	assert_string_equal(s.buf, "");
	for (int i = 0; i < 10000; i++)
		str_addc(&s, 'x');
	assert_int_equal(s.len, 10000);
	assert_int_equal(strlen(s.buf), 10000);
	content = str_steal(&s);
	assert_int_equal(strlen(content), 10000);
	free(content);
	assert_string_equal(s.buf, "");
	content = str_steal(&s);
	assert_string_equal(content, "");
	free(content);
	str_clear(&s);
	str_clear(&s);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len, expected;
		unsigned long c;
	} cases[] = {
		{"", 0, 0, 0},
		{"a", 1, 1, 'a'},
		{"\0", 1, 1, 0},
		{"\x7f", 1, 1, 0x7f},
		{"\x80", 1, 0, 0},
		{"\xbf", 1, 0, 0},
		{"\xc1\xbf", 2, 0, 0},
		{"\xc2\x80", 2, 2, 0x80},
		{"\xdf\xbf", 2, 2, 0x7ff},
		{"\xe0\x9f\xbf", 3, 0, 0},
		{"\xe0\xa0\x80", 3, 3, 0x800},
		{"\xed\x9f\xbf", 3, 3, 0xd7ff},
		{"\xed\xa0\x80", 3, 0, 0},
		{"\xed\xbf\xbf", 3, 0, 0},
		{"\xee\x80\x80", 3, 3, 0xe000},
		{"\xef\xbf\xbf", 3, 3, 0xffff},
		{"\xf0\x8f\xbf\xbf", 4, 0, 0},
		{"\xf0\x90\x80\x80", 4, 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
		{"\xf4\x90\x80\x80", 4, 0, 0},
		{"\xf8\x88\x80\x80\x80", 5, 0, 0},
		{"\xff", 1, 0, 0},
		{"\xc2", 1, 0, 0},
		{"\xc2\x80", 1, 0, 0},
		{"\xe2\x82\xac", 2, 0, 0},
		{"\xc2\xc2", 2, 0, 0},
		{"\xe2\x82\x41", 3, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned long c;
		size_t n = str_utf8(cases[i].text, cases[i].len, &c);

		if (n != cases[i].expected || (n > 0 && c != cases[i].c))
			fail_msg("case %zu: %zu, U+%04lX instead of %zu, U+%04lX", i, n, c,
				cases[i].expected, cases[i].c);
	}
}

static void test_safe(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"plain text~", "plain text~"},
		{"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd \xe2\x82\xac \xf0\x9f\x98\x80",
			"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b"
		 "31m",
			"\\xc2\\x9b31m"}, /* CSI as a C1 control */
		{"\xe2\x80\xae"
		 "exe",
			"\\xe2\\x80\\xaeexe"}, /* right to left */
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
		{"\xe2\x80\x8b", "\\xe2\\x80\\x8b"}, /* no width */
		{"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
		{"a\xc2\xad", "a\\xc2\\xad"},                 /* soft hyphen */
		{"\xd8\x9c", "\\xd8\\x9c"},                   /* Arabic letter mark */
		{"\xe3\x85\xa4", "\\xe3\\x85\\xa4"},          /* a filler */
		{"\xf3\xa0\x81\xa1", "\\xf3\\xa0\\x81\\xa1"}, /* a tag */
		{"\xc2\xa0\xc2\xae", "\xc2\xa0\xc2\xae"},     /* around the soft hyphen */
		{"\xe2\x80\x90\xe2\x80\xa7", "\xe2\x80\x90\xe2\x80\xa7"},
		{"\xf3\xa1\x80\x80", "\xf3\xa1\x80\x80"},
		{"\xff\xc0\xaf", "\\xff\\xc0\\xaf"},
		{"\xd0", "\\xd0"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *safe = str_safe(cases[i].text, 1000);

		assert_string_equal(safe, cases[i].expected);
		free(safe);
	}
}

static void test_safe_cut(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *expected;
	} cases[] = {
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc..."},
		{"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", 8, "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd"},
		{"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", 7, "\xd0\xb8\xd0\xb2..."},
		{"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", 6, "\xd0\xb8..."},
		{"abcdef", 3, "..."},
		{"ab\x1b"
		 "defgh",
			9, "ab\\x1b..."},
		{"ab\x1b"
		 "defgh",
			8, "ab..."},
		{"ab\x1b"
		 "defgh",
			6, "ab..."},
		{"ab\x1b"
		 "defgh",
			5, "ab..."},
		{"\x1b\x1b", 5, "..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *safe = str_safe(cases[i].text, cases[i].max);

		assert_string_equal(safe, cases[i].expected);
		free(safe);
	}
}

static void test_list(void **state)
{
	struct strlist l = {0};
	char *joined;

	(void)state;
	joined = strlist_join(&l, ", ");
	assert_string_equal(joined, "");
	free(joined);
	strlist_split(&l, " a, b c ,,d,  ", ',');
	strlist_split(&l, "", ',');
	strlist_add(&l, "e");
	joined = strlist_join(&l, "|");
	assert_string_equal(joined, "a|b c|d|e");
	free(joined);
	assert_int_equal(l.n, 4);
	assert_true(strlist_has(&l, "b c"));
	assert_false(strlist_has(&l, "b"));
	strlist_clear(&l);
	assert_int_equal(l.n, 0);
	strlist_clear(&l);
}

static void test_glob(void **state)
{
	static const struct {
		const char *pattern, *path;
		int expected;
	} cases[] = {
		{"rkl/*", "rkl/model.pkl.dvc", 1},
		{"rkl/*", "rkl/deep/er/x", 1},
		{"rkl/*", "rkl/.hidden", 1},
		{"rkl/*", "rkl", 0},
		{"rkl/*", "other/rkl/x", 0},
		{"*.pkl", "a/b.pkl", 1},
		{"*.pkl", "a/b.pkl.dvc", 0},
		{"retrain.py", "retrain.py", 1},
		{"retrain.py", "Retrain.py", 0},
		{"a?c", "a/c", 1},
		{"[ab].py", "b.py", 1},
		{"", "", 1},
		{"", "a", 0},
	};
	struct strlist l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (str_glob(cases[i].pattern, cases[i].path) != cases[i].expected)
			fail_msg("\"%s\", \"%s\": not %d", cases[i].pattern, cases[i].path,
				cases[i].expected);
	assert_false(str_glob_any(&l, "a"));
	strlist_split(&l, "x,a*", ',');
	assert_true(str_glob_any(&l, "abc"));
	assert_false(str_glob_any(&l, "bc"));
	strlist_clear(&l);
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(str_starts("refs/heads/main", "refs/heads/"));
	assert_true(str_starts("a", ""));
	assert_false(str_starts("ref", "refs"));
	assert_true(str_ends("x.git", ".git"));
	assert_true(str_ends("x", ""));
	assert_false(str_ends("git", ".git"));
	assert_true(str_same(NULL, ""));
	assert_true(str_same(NULL, NULL));
	assert_true(str_same("a", "a"));
	assert_false(str_same("a", NULL));
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		long long max, expected; /* -1: refused */
	} cases[] = {
		{"0", 10, 0},
		{"10", 10, 10},
		{"007", 10, 7},
		{"9223372036854775807", LLONG_MAX, LLONG_MAX},
		{"11", 10, -1},
		{"9223372036854775808", LLONG_MAX, -1},
		{"99999999999999999999", LLONG_MAX, -1},
		{"", 10, -1},
		{"-1", 10, -1},
		{"+1", 10, -1},
		{" 1", 10, -1},
		{"1 ", 10, -1},
		{"1x", 10, -1},
		{"0x1", 10, -1},
		{"1.0", 10, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long long value = 7;
		int status = str_number(cases[i].text, cases[i].max, &value);

		if (status != (cases[i].expected < 0 ? -1 : 0) ||
			value != (cases[i].expected < 0 ? 0 : cases[i].expected))
			fail_msg("\"%s\": %d, %lld instead of %lld", cases[i].text, status, value,
				cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_safe_cut),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
