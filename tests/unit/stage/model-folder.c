/* A model that is a folder: its listing, its files, and where they may come to lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/model.h"

#include <unistd.h>

#include "fixture.h"

enum layout { MODERN, LEGACY };

/* Put CONTENT into the remote as the object MD5 with SUFFIX. */
static void put_object(enum layout layout, const char *md5, const char *suffix, const char *content)
{
	char *folder = mem_format("remote/%s%.2s", layout == MODERN ? "files/md5/" : "", md5);
	char *path = mem_format("%s/%s%s", folder, md5 + 2, suffix);

	assert_int_equal(files_make_folder(folder, 0755, NULL), 0);
	assert_int_equal(files_replace(path, content, strlen(content), 0644, NULL), 0);
	free(path);
	free(folder);
}

/* LISTING with "@TEXT@" replaced by the md5 of TEXT, each put into the remote; the caller's to free(). */
static char *fill(enum layout layout, const char *listing)
{
	struct str s;

	str_init(&s);
	while (*listing != '\0') {
		size_t n = strcspn(listing, "@");
		char md5[MD5_HEX_SIZE], *content;

		str_addn(&s, listing, n);
		listing += n;
		if (*listing == '\0')
			break;
		n = strcspn(listing + 1, "@");
		content = mem_strndup(listing + 1, n);
		fixture_md5(content, md5);
		put_object(layout, md5, "", content);
		str_add(&s, md5);
		free(content);
		listing += n + 2;
	}
	return str_steal(&s);
}

/* Commit the pointer to the folder rkl/model whose LISTING is given; its md5 is MD5, or with NULL right. */
static void commit_folder(struct fixture *f, enum layout layout, const char *listing, int size,
	const char *more, const char *wrong_md5)
{
	char *text = fill(layout, listing), md5[MD5_HEX_SIZE], *pointer;

	fixture_md5(text, md5);
	put_object(layout, wrong_md5 != NULL ? wrong_md5 : md5, ".dir", text);
	pointer = mem_format("outs:\n- md5: '%s.dir'\n  size: %d\n%s%s  path: model\n",
		wrong_md5 != NULL ? wrong_md5 : md5, size, layout == MODERN ? "  hash: md5\n" : "",
		more);
	fixture_commit(f, "main", "rkl/model.pkl.dvc", pointer);
	free(pointer);
	free(text);
}

/* What stands at PATH in the tree that was built from, the caller's to free(); NULL: no file. */
static char *built(const struct fixture *f, const char *path)
{
	char *full = mem_format("%s/context/%s", f->work, path);
	struct str text;
	int found;

	str_init(&text);
	found = files_read(full, 1 << 20, &text, NULL);
	free(full);
	if (found == 1)
		return str_steal(&text);
	str_clear(&text);
	return NULL;
}

#define FILE_AT(content, path) "{\"md5\": \"@" content "@\", \"relpath\": \"" path "\"}"
#define LISTING "[" FILE_AT("weights", "a/w.bin") ", " FILE_AT("{}", "config.json") "]"

static void assert_built(const struct fixture *f, const char *path, const char *expected)
{
	char *got = built(f, path);

	if ((got == NULL) != (expected == NULL) || !str_same(got, expected))
		fail_msg("%s holds \"%s\", not \"%s\"", path, got ? got : "",
			expected ? expected : "");
	free(got);
}

static void test_folder(void **state)
{
	static const struct {
		enum layout layout;
		const char *listing;
		int size;
		const char *more;  /* of the pointer */
		const char *md5;   /* NULL: the right one */
		const char *fault; /* NULL: it is there */
	} rows[] = {
		{MODERN, LISTING, 9, "", NULL, NULL},
		{MODERN, LISTING, 9, "  nfiles: 2\n", NULL, NULL},
		{LEGACY, LISTING, 9, "  nfiles: 2\n", NULL, NULL},
		{MODERN, "[]", 0, "  nfiles: 0\n", NULL, NULL},
		{MODERN, LISTING, 9, "  nfiles: 3\n", NULL,
			"lists 2 files, but rkl/model.pkl.dvc says 3"},
		{MODERN, LISTING, 8, "", NULL, "it has more than the 1 bytes that it may have"},
		{MODERN, LISTING, 10, "", NULL, "have 9 bytes, but rkl/model.pkl.dvc says 10"},
		{MODERN, LISTING, 9, "", "00000000000000000000000000000000",
			"but rkl/model.pkl.dvc says md5 00000000000000000000000000000000"},
		{MODERN, "[" FILE_AT("x", "../x") "]", 1, "", NULL,
			"is no listing of a folder: entry 0: relpath must be relative"},
		{MODERN, "[{\"md5\": \"11111111111111111111111111111111\", \"relpath\": \"x\"}]", 1,
			"", NULL, "there is no "},
	};
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		int is_whole = rows[i].fault == NULL && rows[i].size > 0;

		commit_folder(&f, rows[i].layout, rows[i].listing, rows[i].size, rows[i].more,
			rows[i].md5);
		assert_result(fixture_run(&f, stage_build, &e), rows[i].fault == NULL ? 0 : -1, &e);
		assert_int_equal(e.passing, 0);
		if (is_whole) {
			assert_built(&f, "rkl/model/a/w.bin", "weights");
			assert_built(&f, "rkl/model/config.json", "{}");
		}
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		assert_false(files_exists("work/context/x"));
		assert_int_equal(files_remove_tree("remote", NULL), 0);
	}
	fixture_clear(&f);
}

/* A listing that names a file, in whose place the remote has another of the same length. */
static void test_swapped(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	char md5[MD5_HEX_SIZE];

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	commit_folder(&f, MODERN, LISTING, 9, "", NULL);
	fixture_md5("weights", md5);
	put_object(MODERN, md5, "", "WEIGHTS");
	assert_result(fixture_run(&f, stage_build, &e), -1, &e);
	assert_says(&e, "lists it with md5");
	put_object(MODERN, md5, "", "weights");
	fixture_must(&f, stage_build);
	fixture_clear(&f);
}

/* What the commit has in the model's place gives way, and nothing of it is left. */
static void test_in_the_way(void **state)
{
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_commit(&f, "main", "rkl/model/old.bin", "old");
	fixture_commit(&f, "main", "rkl/model/a/w.bin", "old");
	commit_folder(&f, MODERN, LISTING, 9, "", NULL);
	fixture_must(&f, stage_build);
	assert_built(&f, "rkl/model/a/w.bin", "weights");
	assert_built(&f, "rkl/model/old.bin", NULL);
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_folder),
		scratch_test(test_swapped),
		scratch_test(test_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
