/* common/sys/replace: a file that takes its place when it is whole, or never was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "base/str.h"
#include "sys/replace.h"

/* How many things are in the current folder. */
static int entries(void)
{
	DIR *d = opendir(".");
	int n = -2; /* itself and the one above */

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	assert_int_equal(closedir(d), 0);
	return n;
}

static void expect_file(const char *path, const char *content, unsigned mode)
{
	struct err e = ERR_INIT;
	struct stat st;
	struct str got;

	str_init(&got);
	assert_int_equal(files_read(path, 1000, &got, &e), 1);
	assert_string_equal(got.buf, content);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	str_clear(&got);
}

static void replace(const char *path, const char *content)
{
	struct err e = ERR_INIT;
	struct replace r;

	if (replace_begin(&r, path, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_true(fputs(content, r.file) >= 0);
	if (replace_commit(&r, &e) != 0)
		fail_msg("%s", err_text(&e));
	replace_clear(&r);
}

static void test_replaced(void **state)
{
	(void)state;
	(void)umask(022);
	replace("page", "one");
	expect_file("page", "one", 0600);
	assert_int_equal(chmod("page", 0644), 0);
	replace("./page", "two");
	expect_file("page", "two", 0644);
	assert_int_equal(entries(), 1);
}

/* A file that others could write to, or that is theirs, does not say who may read the new one. */
static void test_mode_of_others(void **state)
{
	static const unsigned modes[] = {0666, 0664, 0646, 0622};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		replace("page", "one");
		assert_int_equal(chmod("page", modes[i]), 0);
		replace("page", "two");
		expect_file("page", "two", 0600);
	}
	if (geteuid() != 0)
		return; /* only root can give a file away */
	assert_int_equal(chmod("page", 0644), 0);
	assert_int_equal(chown("page", 65534, 65534), 0);
	replace("page", "three");
	expect_file("page", "three", 0600);
}

static void test_given_up(void **state)
{
	struct err e = ERR_INIT;
	struct replace r;

	(void)state;
	replace("page", "one");
	assert_int_equal(replace_begin(&r, "page", &e), 0);
	assert_true(fputs("half", r.file) >= 0);
	assert_int_equal(fflush(r.file), 0);
	/* Whoever is killed here leaves nothing behind. */
	assert_int_equal(entries(), r.is_named ? 2 : 1);
	replace_clear(&r);
	expect_file("page", "one", 0600);
	assert_int_equal(entries(), 1);
}

static void expect_refused(const char *path, const char *words)
{
	struct err e = ERR_INIT;
	struct replace r;

	if (replace_begin(&r, path, &e) != -1 || strstr(err_text(&e), words) == NULL)
		fail_msg("%s: expected %s, got %s", path, words, err_text(&e));
	replace_clear(&r);
	err_clear(&e);
}

static void test_refused(void **state)
{
	(void)state;
	replace("page", "one");
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(symlink("page", "link"), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	expect_refused("folder", "not a regular file");
	expect_refused("link", "not a regular file");
	expect_refused("pipe", "not a regular file");
	expect_refused("none/page", "No such file");
	expect_refused("page/page", "Not a directory");
	expect_refused("/dev/null", "not a regular file");
	expect_file("page", "one", 0600);
	assert_int_equal(entries(), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_replaced),
		scratch_test(test_mode_of_others),
		scratch_test(test_given_up),
		scratch_test(test_refused),
	};

	return cmocka_run_group_tests_name("sys/replace", tests, NULL, NULL);
}
