/* Whose a secret's file must be, what it must hold, and that none of it is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/secret.h"

#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"
#include "scratch.h"

#define SECRET "t0ken"

static void put(const char *bytes, size_t len, mode_t mode)
{
	assert_int_equal(files_replace("file", bytes, len, mode, NULL), 0);
	assert_int_equal(chmod("file", mode), 0);
}

static void assert_said(struct err *e, const char *said)
{
	if (strstr(err_text(e), said) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err_text(e), said);
	if (strstr(err_text(e), SECRET) != NULL)
		fail_msg("a secret is told: %s", err_text(e));
	err_clear(e);
}

static void test_content(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *secret; /* NULL: refused */
		const char *said;
	} rows[] = {
		{SECRET, 5, SECRET, NULL},
		{SECRET "\n", 6, SECRET, NULL},
		{SECRET "\r\n", 7, SECRET, NULL},
		{"user:" SECRET " x\n", 13, "user:" SECRET " x", NULL},
		{" " SECRET " \n", 8, " " SECRET " ", NULL},
		{"", 0, NULL, "file is empty; it must hold one line"},
		{"\n", 1, NULL, "file is empty"},
		{SECRET "\n\n", 7, NULL, "file has more than one line"},
		{SECRET "\nmore", 10, NULL, "file has more than one line"},
		{SECRET "\t", 6, NULL, "file holds a control character"},
		{SECRET "\0x", 7, NULL, "file holds a control character"},
		{SECRET "\x7f", 6, NULL, "file holds a control character"},
		{"a\r" SECRET, 7, NULL, "file holds a control character"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct str all;
		char *got;

		put(rows[i].text, rows[i].len, 0600);
		got = secret_read("file", &e);
		if ((got == NULL) != (rows[i].secret == NULL) ||
			(got != NULL && strcmp(got, rows[i].secret) != 0))
			fail_msg("row %zu: \"%s\", %s", i, got ? got : "", err_text(&e));
		if (got == NULL)
			assert_said(&e, rows[i].said);
		secret_free(got);
		/* whatever is in it, it is a file for secrets, and loaded whole */
		assert_int_equal(secret_check("file", &e), 0);
		assert_int_equal(secret_load("file", &all, &e), 0);
		assert_int_equal(all.len, rows[i].len);
		assert_memory_equal(all.buf, rows[i].text, all.len);
		secret_wipe(&all);
	}
}

static void test_mode(void **state)
{
	static const struct {
		mode_t mode;
		int result;
	} rows[] = {
		{0600, 0},
		{0400, 0},
		{0700, 0},
		{0640, -1},
		{0604, -1},
		{0620, -1},
		{0602, -1},
		{0610, -1},
		{0601, -1},
		{0666, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct str all;
		char *got;

		put(SECRET "\n", 6, rows[i].mode);
		if (secret_check("file", &e) != rows[i].result)
			fail_msg("mode %04o: %s", (unsigned)rows[i].mode, err_text(&e));
		if (rows[i].result != 0)
			assert_said(&e, "mend it with: chmod 600 file");
		got = secret_read("file", &e);
		assert_true((got == NULL) == (rows[i].result != 0));
		secret_free(got);
		err_clear(&e);
		assert_int_equal(secret_load("file", &all, &e), rows[i].result);
		secret_wipe(&all);
		err_clear(&e);
	}
}

static void assert_refused(const char *path, const char *said)
{
	struct err e = ERR_INIT;

	assert_int_equal(secret_check(path, &e), -1);
	assert_said(&e, said);
	assert_null(secret_read(path, &e));
	assert_said(&e, said);
}

static void test_kinds(void **state)
{
	(void)state;
	assert_refused("file", "No such file");
	put(SECRET, 5, 0600);
	assert_int_equal(symlink("file", "link"), 0);
	assert_refused("link", "link");
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_refused("folder", "folder");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_refused("pipe", "pipe");
	secret_free(NULL);
}

/* One byte more than may be there. */
static void test_size(void **state)
{
	char *bytes = mem_zalloc(1, SECRET_MAX + 1);
	struct err e = ERR_INIT;
	char *got;

	(void)state;
	memset(bytes, 'a', SECRET_MAX + 1);
	put(bytes, SECRET_MAX, 0600);
	got = secret_read("file", &e);
	assert_non_null(got);
	assert_int_equal(strlen(got), SECRET_MAX);
	secret_free(got);
	put(bytes, SECRET_MAX + 1, 0600);
	assert_null(secret_read("file", &e));
	assert_said(&e, "file: ");
	free(bytes);
}

/* Root's files and our own; those of somebody else are nothing to trust. */
static void test_owner(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0)
		skip();
	put(SECRET, 5, 0600);
	assert_int_equal(chown("file", 1234, 1234), 0);
	assert_int_equal(secret_check("file", &e), -1);
	assert_said(
		&e, "belongs to the user 1234, neither to root nor to the user this runs as (0)");
	assert_int_equal(chown("file", 0, 0), 0);
	assert_int_equal(secret_check("file", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_content),
		scratch_test(test_mode),
		scratch_test(test_kinds),
		scratch_test(test_size),
		scratch_test(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
