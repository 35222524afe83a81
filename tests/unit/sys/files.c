/* common/sys/files: whole or not at all, nothing followed that is not a plain file or folder. */
#define _GNU_SOURCE /* mkdtemp, realpath */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "base/str.h"

static void write_file(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	if (files_replace(path, text, strlen(text), 0644, &e) != 0)
		fail_msg("%s", err_text(&e));
}

static void assert_content(const char *path, const char *expected)
{
	struct err e = ERR_INIT;
	struct str s;

	str_init(&s);
	if (files_read(path, 1 << 20, &s, &e) != 1)
		fail_msg("%s: %s", path, err_text(&e));
	assert_string_equal(s.buf, expected);
	str_clear(&s);
}

/* The folder must hold exactly N entries: nothing was left beside the file. */
static void assert_entries(const char *dir, nlink_t n)
{
	struct str out;
	DIR *d = opendir(dir);
	nlink_t found = 0;
	struct dirent *entry;

	assert_non_null(d);
	str_init(&out);
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
			found++;
			str_addf(&out, " %s", entry->d_name);
		}
	closedir(d);
	if (found != n)
		fail_msg("%s holds%s, not %u entries", dir, out.buf, (unsigned)n);
	str_clear(&out);
}

static void assert_refused(int result, struct err *e, const char *why)
{
	if (result != -1 || strstr(err_text(e), why) == NULL)
		fail_msg("%d, \"%s\" instead of -1, \"... %s ...\"", result, err_text(e), why);
	err_clear(e);
}

static void test_read(void **state)
{
	const char *path = "f";
	struct err e = ERR_INIT;
	struct str s;
	char *large = mem_zalloc(100001, 1);

	(void)state;
	str_init(&s);
	assert_int_equal(files_read(path, 10, &s, &e), 0);
	assert_int_equal(files_read("f/below", 10, &s, &e), 0);
	write_file(path, "");
	assert_int_equal(files_read("f/below", 10, &s, &e), 0);
	assert_int_equal(files_read(path, 0, &s, &e), 1);
	assert_int_equal(s.len, 0);
	write_file(path, "0123456789");
	assert_int_equal(files_read(path, 10, &s, &e), 1);
	assert_string_equal(s.buf, "0123456789");
	assert_refused(files_read(path, 9, &s, &e), &e, "more than 9 bytes");
	str_reset(&s);
	memset(large, 'x', 100000);
	write_file(path, large);
	assert_int_equal(files_read(path, 100000, &s, &e), 1);
	assert_string_equal(s.buf, large);
	assert_refused(files_read(path, 99999, &s, &e), &e, "more than");
	free(large);
	str_clear(&s);
}

static void test_odd_kinds(void **state)
{
	const char *fifo = "fifo", *link = "link", *file = "file";
	const char *kinds[] = {fifo, *state, "/dev/null"};
	static const int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_APPEND};
	struct err e = ERR_INIT;
	struct str s;

	str_init(&s);
	write_file(file, "x");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("file", link), 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			assert_refused(
				files_open(kinds[k], flags[i], 0600, &e), &e, "not a regular file");
		assert_refused(files_open(link, flags[i], 0600, &e), &e, "is a symbolic link");
	}
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		assert_refused(files_read(kinds[k], 10, &s, &e), &e, "not a regular file");
	assert_refused(files_read(link, 10, &s, &e), &e, "is a symbolic link");
	str_clear(&s);
}

static void test_open(void **state)
{
	const char *path = "f";
	struct err e = ERR_INIT;
	struct stat st;
	mode_t before = umask(077);
	int fd;

	(void)state;
	assert_refused(files_open(path, O_RDWR, 0, &e), &e, "No such file");
	fd = files_open(path, O_RDWR | O_CREAT | O_EXCL, 0640, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDWR);
	assert_int_equal(files_write_all(fd, "abc", 3), 0);
	close(fd);
	assert_refused(files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &e), &e, "File exists");
	fd = files_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600, &e);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND), O_APPEND);
	assert_int_equal(files_write_all(fd, "def", 3), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640); /* was there before: its mode stays */
	close(fd);
	assert_content(path, "abcdef");
	fd = files_open(path, O_WRONLY | O_TRUNC, 0, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_content(path, "");
	umask(before);
}

static void test_replace(void **state)
{
	const char *path = "f", *link = "link";
	mode_t before = umask(077);
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(files_replace(path, "one", 3, 0644, &e), 0);
	assert_content(path, "one");
	assert_int_equal(files_replace(path, "two", 3, 0600, &e), 0);
	assert_content(path, "two");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A link is replaced, not followed. */
	assert_int_equal(symlink("f", link), 0);
	assert_int_equal(files_replace(link, "three", 5, 0644, &e), 0);
	assert_content(link, "three");
	assert_content(path, "two");
	assert_entries(*state, 2);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_refused(files_replace("d", "x", 1, 0600, &e), &e, "Is a directory");
	assert_refused(files_replace("no/f", "x", 1, 0600, &e), &e, "No such file");
	assert_entries(*state, 3);
	umask(before);
}

static void test_make_folder(void **state)
{
	const char *path = "a//b/c/";
	mode_t before = umask(077);
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(files_make_folder(path, 0750, &e), 0);
	assert_int_equal(files_make_folder(path, 0700, &e), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(files_make_folder("link/d", 0700, &e), 0);
	assert_true(files_exists("a/d"));
	write_file("file", "x");
	assert_refused(files_make_folder("file", 0700, &e), &e, "Not a directory");
	assert_refused(files_make_folder("file/x", 0700, &e), &e, "Not a directory");
	umask(before);
}

static void test_remove_tree(void **state)
{
	const char *tree = "tree", *keep = "keep";
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(files_remove_tree(tree, &e), 0);
	write_file(tree, "a file is a tree too");
	assert_int_equal(files_remove_tree(tree, &e), 0);
	assert_false(files_exists(tree));
	assert_int_equal(files_make_folder(keep, 0700, &e), 0);
	write_file("keep/f", "kept");
	assert_int_equal(symlink("keep", tree), 0);
	assert_int_equal(files_remove_tree(tree, &e), 0);
	assert_content("keep/f", "kept");
	assert_int_equal(files_make_folder("tree/a/b", 0700, &e), 0);
	assert_int_equal(files_make_folder("tree/c/d/e", 0700, &e), 0);
	assert_int_equal(symlink("../../../keep", "tree/a/b/link"), 0);
	assert_int_equal(mkfifo("tree/c/fifo", 0600), 0);
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tree/c/d/file-%d", i);
		write_file(name, "x");
	}
	assert_int_equal(chmod("tree/c/d", 0500), 0);
	if (files_remove_tree(tree, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_false(files_exists(tree));
	assert_content("keep/f", "kept");
}

/* Deeper than a process may have descriptors, and than a path may be long. */
static void test_remove_deep(void **state)
{
	const char *tree = "deep";
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(mkdir(tree, 0700), 0);
	fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		int below;

		assert_int_equal(mkdirat(fd, "ddd", 0700), 0);
		below = openat(fd, "ddd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	close(fd);
	if (files_remove_tree(tree, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_false(files_exists(tree));
}

static void assert_owner(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	if (st.st_uid != uid || st.st_gid != gid)
		fail_msg("%s: owned by %u:%u instead of %u:%u", path, (unsigned)st.st_uid,
			(unsigned)st.st_gid, (unsigned)uid, (unsigned)gid);
}

static void test_owner(void **state)
{
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(".", 12345, 12346), 0);
	assert_int_equal(files_replace("replaced", "x", 1, 0600, &e), 0);
	assert_owner("replaced", 12345, 12346);
	assert_int_equal(files_make_folder("a/b", 0700, &e), 0);
	assert_owner("a", 12345, 12346);
	assert_owner("a/b", 12345, 12346);
	fd = files_open("a/b/opened", O_RDWR | O_CREAT, 0600, &e);
	assert_true(fd >= 0);
	assert_owner("a/b/opened", 12345, 12346);
	assert_int_equal(fchown(fd, 0, 0), 0);
	close(fd);
	/* One that was there keeps its owner. */
	fd = files_open("a/b/opened", O_RDWR | O_CREAT, 0600, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_owner("a/b/opened", 0, 0);
}

static void test_real_path(void **state)
{
	struct err e = ERR_INIT;
	char *real, *expected = realpath(*state, NULL);

	assert_int_equal(symlink(".", "self"), 0);
	real = files_real_path("self/self/", &e);
	assert_string_equal(real, expected);
	free(real);
	free(expected);
	assert_null(files_real_path("none", &e));
	assert_non_null(e.text);
	err_clear(&e);
	assert_int_equal(symlink("none", "dangling"), 0);
	assert_true(files_exists("dangling"));
	assert_false(files_exists("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_read),
		scratch_test(test_odd_kinds),
		scratch_test(test_open),
		scratch_test(test_replace),
		scratch_test(test_make_folder),
		scratch_test(test_remove_tree),
		scratch_test(test_remove_deep),
		scratch_test(test_owner),
		scratch_test(test_real_path),
	};

	return cmocka_run_group_tests_name("sys/files", tests, NULL, NULL);
}
