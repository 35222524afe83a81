/* Listings of folders: what is one, in which order, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/dvc-folder.h"

#include "fixture.h"

#define MD5 "\"md5\": \"0123456789abcdef0123456789abcdef\""
#define FILE_AT(path) "{" MD5 ", \"relpath\": \"" path "\"}"

/* The paths one after another, the caller's to free(). */
static char *paths_of(const struct dvc_folder *f)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < f->n; i++)
		str_addf(&s, "%s%s", i > 0 ? " " : "", f->v[i].path);
	return str_steal(&s);
}

static void test_listings(void **state)
{
	static const struct {
		const char *text;
		const char *expected; /* the paths, or part of what is said */
		int result;
	} rows[] = {
		{"[]", "", 0},
		{"[" FILE_AT("a") "]", "a", 0},
		{"[" FILE_AT("b") ", " FILE_AT("a") "]", "a b", 0},
		{"[" FILE_AT("a-b") ", " FILE_AT("a.c/d") ", " FILE_AT("a/b") ", " FILE_AT(
			 "a/b.c/d") "]",
			"a/b a/b.c/d a-b a.c/d", 0},
		{"[" FILE_AT("\xc3\xbc/..x/...") "]", "\xc3\xbc/..x/...", 0},
		{"[{" MD5 ", \"relpath\": \"a\", \"size\": 4, \"isexec\": true}]", "a", 0},
		{"[" FILE_AT("a") ", " FILE_AT("b") ", " FILE_AT("a") "]",
			"\"a\" stands there twice", -1},
		{"[" FILE_AT("a") ", " FILE_AT("a-b") ", " FILE_AT("a/c") "]",
			"\"a\" is both a file and a folder", -1},
		{"[" FILE_AT("a/b/c") ", " FILE_AT("a/b") "]", "\"a/b\" is both", -1},
		{"[" FILE_AT("a") ", " FILE_AT("/etc/passwd") "]",
			"entry 1: relpath must be relative", -1},
		{"[" FILE_AT("../a") "]", "entry 0: relpath must be relative", -1},
		{"[" FILE_AT("a/../../b") "]", "must be relative", -1},
		{"[" FILE_AT("a//b") "]", "must be relative", -1},
		{"[" FILE_AT("a/") "]", "must be relative", -1},
		{"[" FILE_AT("./a") "]", "must be relative", -1},
		{"[" FILE_AT("") "]", "must be relative", -1},
		{"[" FILE_AT("a\\u001bb") "]", "holds a control character", -1},
		{"[" FILE_AT("a\\u0000b") "]", "relpath is missing", -1},
		{"[{" MD5 "}]", "entry 0: relpath is missing", -1},
		{"[{\"relpath\": \"a\"}]", "entry 0: md5 must be", -1},
		{"[{\"relpath\": \"a\", \"md5\": 7}]", "md5 must be", -1},
		{"[{\"relpath\": \"a\", \"md5\": \"0123456789ABCDEF0123456789ABCDEF\"}]",
			"md5 must be", -1},
		{"[{\"relpath\": \"a\", \"md5\": \"0123456789abcdef0123456789abcdef.dir\"}]",
			"md5 must be", -1},
		{"[{\"relpath\": \"a\", \"md5\": \"0123456789abcdef0123456789abcde\"}]",
			"md5 must be", -1},
		{"[1]", "entry 0: md5 must be", -1},
		{"{}", "no JSON list", -1},
		{"{" MD5 ", \"relpath\": \"a\"}", "no JSON list", -1},
		{"\"a\"", "no JSON list", -1},
		{"", "", -1},
		{"[" FILE_AT("a"), "", -1},
		{"[" FILE_AT("a") "] x", "", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dvc_folder f;
		struct err e = ERR_INIT;
		char *got;

		assert_result(dvc_folder_parse(&f, rows[i].text, strlen(rows[i].text), &e),
			rows[i].result, &e);
		if (rows[i].result != 0) {
			assert_int_equal(f.n, 0);
			assert_says(&e, rows[i].expected);
			continue;
		}
		got = paths_of(&f);
		assert_string_equal(got, rows[i].expected);
		free(got);
		dvc_folder_clear(&f);
	}
}

/* A path, a listing and a file list that are just as long as they may be, and one more. */
static void test_limits(void **state)
{
	struct dvc_folder f;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct str s;

		str_init(&s);
		str_addf(&s, "[{" MD5 ", \"relpath\": \"%0*d\"}]", (int)(2048 + more), 7);
		assert_result(dvc_folder_parse(&f, s.buf, s.len, &e), more == 0 ? 0 : -1, &e);
		if (more == 1)
			assert_says(&e, "relpath is too long");
		dvc_folder_clear(&f);
		str_reset(&s);
		for (size_t i = 0; i < DVC_FOLDER_MAX_FILES + more; i++)
			str_addf(&s, "%s{" MD5 ", \"relpath\": \"%zu\"}", i > 0 ? "," : "[", i);
		str_add(&s, "]");
		assert_result(dvc_folder_parse(&f, s.buf, s.len, &e), more == 0 ? 0 : -1, &e);
		if (more == 1)
			assert_says(&e, "more than 100000 files");
		dvc_folder_clear(&f);
		str_reset(&s);
		str_add(&s, "[]");
		while (s.len < DVC_FOLDER_MAX_BYTES + more)
			str_addc(&s, ' ');
		assert_result(dvc_folder_parse(&f, s.buf, s.len, &e), more == 0 ? 0 : -1, &e);
		if (more == 1)
			assert_says(&e, "more than 16777216 bytes");
		dvc_folder_clear(&f);
		str_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
