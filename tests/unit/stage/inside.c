/* Files put into a tree: never through a symbolic link. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/inside.h"

#include <unistd.h>

#include "fixture.h"

static void put(const char *path, const char *text)
{
	char *dir = path_dir(path);

	assert_int_equal(files_make_folder(dir, 0755, NULL), 0);
	assert_int_equal(files_replace(path, text, strlen(text), 0644, NULL), 0);
	free(dir);
}

/* 1: the file PATH holds TEXT. */
static int holds(const char *path, const char *text)
{
	struct str got;
	int same;

	str_init(&got);
	same = files_read(path, 1 << 20, &got, NULL) == 1 && strcmp(got.buf, text) == 0;
	str_clear(&got);
	return same;
}

/* The tree t, beside what nobody may touch. */
static void make_tree(void)
{
	assert_int_equal(files_remove_tree("t", NULL), 0);
	put("outside/x", "safe");
	put("t/file", "old");
	put("t/folder/x", "old");
	put("from", "new");
	assert_int_equal(symlink("../outside", "t/link"), 0);
	assert_int_equal(symlink("../outside/x", "t/link-to-file"), 0);
	assert_int_equal(symlink("../../outside", "t/folder/link"), 0);
}

static void test_put(void **state)
{
	static const struct {
		const char *path;
		const char *fault; /* NULL: it is there */
	} rows[] = {
		{"new", NULL},
		{"a/b/new", NULL},
		{"folder/new", NULL},
		{"file", NULL},
		{"link-to-file", NULL}, /* the link gives way */
		{"link", NULL},
		{"link/x", "a part of this path is no folder"},
		{"link/new", "a part of this path is no folder"},
		{"folder/link/x", "a part of this path is no folder"},
		{"file/x", "a part of this path is no folder"},
		{"folder", "the commit has a folder there"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *full = path_join("t", rows[i].path);
		struct err e = ERR_INIT;

		make_tree();
		assert_result(inside_put("t", rows[i].path, "from", &e),
			rows[i].fault == NULL ? 0 : -1, &e);
		if (rows[i].fault == NULL && !holds(full, "new"))
			fail_msg("%s is not new", full);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		assert_true(holds("outside/x", "safe"));
		assert_false(files_exists("outside/new"));
		free(full);
	}
}

static void test_make_empty(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {{"new", 0}, {"a/b", 0}, {"folder", 0}, {"file", 0}, {"link", 0}, {"link/x", -1},
		{"file/x", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *full = path_join("t", rows[i].path), *inner = path_join(full, "x");
		struct err e = ERR_INIT;

		make_tree();
		assert_result(inside_make_empty("t", rows[i].path, &e), rows[i].result, &e);
		if (rows[i].result == 0) {
			assert_false(files_exists(inner));
			assert_int_equal(inside_put("t", rows[i].path, "from", NULL), -1);
		}
		assert_true(holds("outside/x", "safe"));
		err_clear(&e);
		free(inner);
		free(full);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_put),
		scratch_test(test_make_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
