/* A folder as a .tar.gz: the same bytes each time, and what tar makes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/archive.h"

#include <fcntl.h>
#include <unistd.h>
#include <utime.h>

#include "base/sha256.h"
#include "fixture.h"
#include "sys/spawn.h"

#define LONG                                                                                       \
	"a-name-of-more-than-one-hundred-bytes-which-the-old-header-of-tar-has-no-room-for-"       \
	"and-which-goes-on-and-on.txt"

static void make_file(const char *path, const char *content, mode_t mode)
{
	char *dir = path_dir(path);

	assert_int_equal(files_make_folder(dir, 0755, NULL), 0);
	assert_int_equal(files_replace(path, content, strlen(content), mode, NULL), 0);
	free(dir);
}

static void make_folder(const char *root)
{
	static const struct {
		const char *path;
		const char *content;
		mode_t mode;
	} files[] = {
		{"score.py", "print(1)\n", 0644},
		{"bin/run", "#!/bin/sh\n", 0755},
		{"Dockerfile", "FROM scratch\n", 0600},
		{"empty", "", 0644},
		{"deep/" LONG "/" LONG, "deep\n", 0644},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = path_join(root, files[i].path);

		make_file(path, files[i].content, files[i].mode);
		free(path);
	}
	assert_int_equal(chdir(root), 0);
	assert_int_equal(symlink("score.py", "link"), 0);
	assert_int_equal(symlink(LONG "/" LONG, "long-link"), 0);
	assert_int_equal(chdir(".."), 0);
}

static void must_write(const char *dir, const char *path, char sha256[SHA256_HEX_SIZE])
{
	struct err e = ERR_INIT;

	assert_result(archive_write(dir, path, "temporary", 1767225600, sha256, &e), 0, &e);
	assert_false(files_exists("temporary"));
}

static void read_file(const char *path, struct str *out)
{
	struct err e = ERR_INIT;

	str_init(out);
	assert_result(files_read(path, 1 << 20, out, &e), 1, &e);
}

static void tar(const char *mode, const char *root, const char *archive, struct str *out)
{
	const char *argv[] = {
		"tar", mode, archive, "-C", root, "--full-time", "--numeric-owner", NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	int status = -1;

	s.argv = argv;
	assert_result(spawn_capture(&s, 1 << 20, out, &status, &e), 0, &e);
	assert_int_equal(status, 0);
}

/* Made twice, in another order, at another time, with other modes that come to the same. */
static void test_reproducible(void **state)
{
	char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE], file[SHA256_HEX_SIZE];
	struct utimbuf old = {.actime = 1, .modtime = 1};
	struct str a, b;

	(void)state;
	make_folder("one");
	make_file("two/score.py", "print(1)\n", 0666);
	make_folder("two");
	assert_int_equal(utime("two/score.py", &old), 0);
	must_write("one", "one.tar.gz", first);
	must_write("two", "two.tar.gz", second);
	assert_string_equal(first, second);
	read_file("one.tar.gz", &a);
	read_file("two.tar.gz", &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.buf, b.buf, a.len);
	sha256_of(a.buf, a.len, file);
	assert_string_equal(file, first);
	str_clear(&a);
	str_clear(&b);
	make_file("two/score.py", "print(2)\n", 0644);
	must_write("two", "two.tar.gz", second);
	assert_string_not_equal(first, second);
}

static void test_listing(void **state)
{
	static const char *const lines[] = {
		"-rw-r--r-- 0/0              13 2026-01-01 00:00:00 Dockerfile\n",
		"drwxr-xr-x 0/0               0 2026-01-01 00:00:00 bin/\n",
		"-rwxr-xr-x 0/0              10 2026-01-01 00:00:00 bin/run\n",
		" deep/" LONG "/" LONG "\n",
		"-rw-r--r-- 0/0               0 2026-01-01 00:00:00 empty\n",
		" link -> score.py\n",
		" long-link -> " LONG "/" LONG "\n",
		"-rw-r--r-- 0/0               9 2026-01-01 00:00:00 score.py\n",
	};
	char sha256[SHA256_HEX_SIZE], *path = path_join(*state, "a.tar.gz");
	const char *at;
	struct str list;

	make_folder("in");
	must_write("in", path, sha256);
	str_init(&list);
	tar("-tvzf", *state, path, &list);
	at = list.buf;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(at, lines[i]);

		if (found == NULL)
			fail_msg("\"%s\" is not there, or not after its predecessor:\n%s", lines[i],
				list.buf);
		at = found;
	}
	str_clear(&list);
	free(path);
}

static void test_round_trip(void **state)
{
	char before[SHA256_HEX_SIZE], after[SHA256_HEX_SIZE];
	char *path = path_join(*state, "a.tar.gz"), *out = path_join(*state, "out");
	struct str big, nothing;

	make_folder("in");
	str_init(&big);
	while (big.len < 200000)
		str_addf(&big, "%zu,", big.len * 7919);
	make_file("in/big", big.buf, 0644);
	must_write("in", path, before);
	assert_int_equal(mkdir("out", 0755), 0);
	str_init(&nothing);
	tar("-xzf", out, path, &nothing);
	must_write("out", "b.tar.gz", after);
	assert_string_equal(before, after);
	str_clear(&nothing);
	str_clear(&big);
	free(out);
	free(path);
}

static void test_refused(void **state)
{
	char sha256[SHA256_HEX_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	make_file("in/x", "x", 0644);
	must_write("in", "a.tar.gz", sha256);
	assert_int_equal(mkfifo("in/fifo", 0600), 0);
	assert_result(archive_write("in", "a.tar.gz", "temporary", 0, sha256, &e), -1, &e);
	assert_says(&e, "fifo is no file, folder or symbolic link");
	assert_false(files_exists("temporary"));
	assert_true(files_exists("a.tar.gz"));
	assert_result(archive_write("none", "b.tar.gz", "temporary", 0, sha256, &e), -1, &e);
	assert_says(&e, "none");
	assert_false(files_exists("b.tar.gz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_reproducible),
		scratch_test(test_listing),
		scratch_test(test_round_trip),
		scratch_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
