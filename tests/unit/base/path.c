/* common/base/path: text alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/path.h"

static void test_join(void **state)
{
	static const struct {
		const char *dir, *name, *expected;
	} cases[] = {
		{"a", "b", "a/b"},
		{"a/", "b", "a/b"},
		{"/", "b", "/b"},
		{".", "b/c", "./b/c"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *joined = path_join(cases[i].dir, cases[i].name);

		assert_string_equal(joined, cases[i].expected);
		free(joined);
	}
}

static void test_parts(void **state)
{
	static const struct {
		const char *path, *dir, *base;
	} cases[] = {
		{"a", ".", "a"},
		{"a/b", "a", "b"},
		{"/a", "/", "a"},
		{"/a/b/c", "/a/b", "c"},
		{"", ".", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *dir = path_dir(cases[i].path);

		assert_string_equal(dir, cases[i].dir);
		assert_string_equal(path_base(cases[i].path), cases[i].base);
		free(dir);
	}
}

static void test_is_inside(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} cases[] = {
		{"a", 1},
		{"a/b", 1},
		{".a", 1},
		{"..a", 1},
		{"a..", 1},
		{"...", 1},
		{"a/.../b", 1},
		{"", 0},
		{".", 0},
		{"..", 0},
		{"/", 0},
		{"/a", 0},
		{"a/", 0},
		{"a//b", 0},
		{"./a", 0},
		{"a/.", 0},
		{"a/./b", 0},
		{"../a", 0},
		{"a/..", 0},
		{"a/../b", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (path_is_inside(cases[i].path) != cases[i].expected)
			fail_msg("\"%s\": not %d", cases[i].path, cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_is_inside),
	};

	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
