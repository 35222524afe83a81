/* Trees: which paths differ, one file of them, a whole one written into a folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>

#include "base/err.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"
#include "git/tree.h"
#include "history.h"
#include "scratch.h"
#include "sys/files.h"

static struct repository *open_history(const struct history *h)
{
	struct repository *r = NULL;
	struct err e = ERR_INIT;

	if (repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e) != 0)
		fail_msg("%s", err_text(&e));
	return r;
}

/* ---- tree_changes ---- */

static int collect(void *context, const char *path)
{
	struct str *s = context;

	str_addf(s, "%s%s", s->len > 0 ? " " : "", path);
	return 0;
}

static int stop(void *context, const char *path)
{
	collect(context, path);
	return 7;
}

static void test_changes(void **state)
{
	static const struct {
		const char *history;
		const char *a; /* "": the empty tree */
		const char *b;
		const char *expected;
	} rows[] = {
		{"a+x b:a", "a", "b", ""},
		{"a+x b:a+y", "a", "b", "y"},
		{"a+x b:a+y", "b", "a", "y"},
		{"a+x b:a+x=2", "a", "b", "x"},
		{"a+x b:a+y!x", "a", "b", "x y"},
		{"a+x+d/e/f=1+d/g=1", "", "a", "d/e/f d/g x"},
		{"a+d/e/f=1+d/g=1 b:a+d/e/f=2", "a", "b", "d/e/f"},
		{"a+d/e/f=1+d/g=1 b:a!d/e/f!d/g", "a", "b", "d/e/f d/g"},
		/* a file becomes a folder of its name; "x.y" sorts between "x" and "x/" */
		{"a+x=1+x.y=1 b:a!x+x/z=1", "a", "b", "x x/z"},
		{"a+x/z=1+x.y=1 b:a!x/z+x=1+x.y=2", "a", "b", "x x.y x/z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new(rows[i].history);
		struct repository *r = open_history(h);
		struct oid a = {{0}}, b = history_oid(h, rows[i].b);
		struct err e = ERR_INIT;
		struct str found;
		int result;

		if (*rows[i].a != '\0')
			a = history_oid(h, rows[i].a);
		str_init(&found);
		result = tree_changes(r, *rows[i].a ? &a : NULL, &b, collect, &found, &e);
		if (result != 0 || strcmp(found.buf, rows[i].expected) != 0)
			fail_msg("row %zu, %s: %d, \"%s\", not \"%s\" (%s)", i, rows[i].history,
				result, found.buf, rows[i].expected, err_text(&e));
		str_clear(&found);
		repository_free(r);
		history_free(h);
	}
}

static void test_changes_stop(void **state)
{
	struct history *h = history_new("a+x=1+y=1");
	struct repository *r = open_history(h);
	struct oid a = history_oid(h, "a");
	struct str found;

	(void)state;
	str_init(&found);
	assert_int_equal(tree_changes(r, NULL, &a, stop, &found, NULL), 7);
	assert_string_equal(found.buf, "x");
	str_clear(&found);
	repository_free(r);
	history_free(h);
}

/* ---- trees that history.h cannot say ---- */

struct piece {
	unsigned mode;
	const char *name;
	const char *content; /* of a blob; of a folder: the file "f" in it holds this */
};

static git_oid write_tree(git_odb *odb, const struct piece *pieces, size_t n)
{
	struct str raw;
	git_oid id;

	str_init(&raw);
	for (size_t i = 0; i < n; i++) {
		const struct piece below = {GIT_FILEMODE_BLOB, "f", pieces[i].content};

		if (pieces[i].mode == GIT_FILEMODE_TREE)
			id = write_tree(odb, &below, 1);
		else
			assert_int_equal(git_odb_write(&id, odb, pieces[i].content,
						 strlen(pieces[i].content), GIT_OBJECT_BLOB),
				0);
		str_addf(&raw, "%o %s", pieces[i].mode, pieces[i].name);
		str_addn(&raw, "", 1);
		str_addn(&raw, (const char *)id.id, sizeof(id.id));
	}
	assert_int_equal(git_odb_write(&id, odb, raw.buf, raw.len, GIT_OBJECT_TREE), 0);
	str_clear(&raw);
	return id;
}

/* A commit of exactly these entries, well-formed or not. */
static struct oid commit_pieces(struct repository *r, const struct piece *pieces, size_t n)
{
	git_odb *odb = NULL;
	git_oid id;
	struct oid out;
	char hex[GIT_OID_HEXSZ + 1], *text;

	assert_int_equal(git_repository_odb(&odb, repository_handle(r)), 0);
	id = write_tree(odb, pieces, n);
	git_oid_tostr(hex, sizeof(hex), &id);
	text = mem_format("tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n", hex);
	assert_int_equal(git_odb_write(&id, odb, text, strlen(text), GIT_OBJECT_COMMIT), 0);
	free(text);
	git_odb_free(odb);
	oid_from_git(&out, &id);
	return out;
}

static void test_changes_of_mode(void **state)
{
	static const struct piece plain[] = {{0100644, "x", "1"}},
				  program[] = {{0100755, "x", "1"}}, link[] = {{0120000, "x", "1"}};
	static const struct piece *const rows[] = {program, link};
	struct history *h = history_new("a");
	struct repository *r = open_history(h);
	struct oid before = commit_pieces(r, plain, 1), after;
	struct str found;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		after = commit_pieces(r, rows[i], 1);
		str_init(&found);
		assert_int_equal(tree_changes(r, &before, &after, collect, &found, NULL), 0);
		assert_string_equal(found.buf, "x");
		str_clear(&found);
	}
	repository_free(r);
	history_free(h);
}

/* ---- tree_file ---- */

static void test_file(void **state)
{
	static const struct piece pieces[] = {{0120000, "link", "x"}, {0100755, "run", "program"},
		{0040000, "sub", "below"}, {0100644, "x", "content"}};
	static const struct {
		const char *path;
		size_t max;
		int expected;
		const char *content;
	} rows[] = {
		{"x", 7, 1, "content"},
		{"x", 6, -1, ""},
		{"run", 100, 1, "program"},
		{"sub/f", 100, 1, "below"},
		{"sub", 100, 0, ""},
		{"link", 100, 0, ""},
		{"no", 100, 0, ""},
		{"x/f", 100, 0, ""},
		{"sub/f/g", 100, 0, ""},
	};
	struct history *h = history_new("a");
	struct repository *r = open_history(h);
	struct oid commit = commit_pieces(r, pieces, 4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct str out;
		int result;

		str_init(&out);
		result = tree_file(r, &commit, rows[i].path, rows[i].max, &out, &e);
		if (result != rows[i].expected || strcmp(out.buf, rows[i].content) != 0)
			fail_msg("%s: %d \"%s\", not %d \"%s\" (%s)", rows[i].path, result, out.buf,
				rows[i].expected, rows[i].content, err_text(&e));
		result = tree_has_file(r, &commit, rows[i].path, &e);
		if (result != (rows[i].expected != 0))
			fail_msg("tree_has_file %s: %d", rows[i].path, result);
		str_clear(&out);
		err_clear(&e);
	}
	repository_free(r);
	history_free(h);
}

/* ---- tree_export ---- */

static void assert_content(const char *path, const char *expected, unsigned mode)
{
	struct str text;
	struct stat st;

	str_init(&text);
	assert_int_equal(files_read(path, 100, &text, NULL), 1);
	assert_string_equal(text.buf, expected);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	str_clear(&text);
}

static void test_export(void **state)
{
	static const struct piece pieces[] = {{0120000, "link", "../elsewhere"},
		{0160000, "module", ""}, {0100755, "run", "program"}, {0040000, "sub", "below"},
		{0100644, "x", "content"}};
	struct history *h = history_new("a");
	struct repository *r = open_history(h);
	struct oid commit = commit_pieces(r, pieces, 5);
	struct err e = ERR_INIT;
	char target[100] = "";
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	if (tree_export(r, &commit, "out", &e) != 0)
		fail_msg("%s", err_text(&e));
	umask(old);
	assert_content("out/x", "content", 0644);
	assert_content("out/run", "program", 0755);
	assert_content("out/sub/f", "below", 0644);
	assert_int_equal(rmdir("out/module"), 0);
	assert_true(readlink("out/link", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "../elsewhere");
	repository_free(r);
	history_free(h);
}

/* What no Git would make, and what must not write outside the folder. */
static void test_export_forged(void **state)
{
	static const struct {
		const char *what;
		struct piece pieces[2];
		size_t n;
	} rows[] = {
		{"parent", {{0040000, "..", "x"}}, 1},
		{"itself", {{0100644, ".", "x"}}, 1},
		{"path", {{0100644, "../x", "x"}}, 1},
		{"repository", {{0040000, ".Git", "x"}}, 1},
		{"through a link", {{0120000, "d", "../escape"}, {0040000, "d", "x"}}, 2},
		{"over a link", {{0120000, "f", "../escape/f"}, {0100644, "f", "x"}}, 2},
	};

	(void)state;
	assert_int_equal(mkdir("escape", 0755), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new("a");
		struct repository *r = open_history(h);
		struct oid commit = commit_pieces(r, rows[i].pieces, rows[i].n);
		struct err e = ERR_INIT;

		assert_int_equal(mkdir("out", 0755), 0);
		if (tree_export(r, &commit, "out", &e) != -1 || e.text == NULL)
			fail_msg("%s: was written", rows[i].what);
		assert_false(files_exists("escape/f"));
		assert_false(files_exists("x"));
		assert_int_equal(files_remove_tree("out", NULL), 0);
		err_clear(&e);
		repository_free(r);
		history_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changes_stop),
		cmocka_unit_test(test_changes_of_mode),
		cmocka_unit_test(test_file),
		scratch_test(test_export),
		scratch_test(test_export_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
