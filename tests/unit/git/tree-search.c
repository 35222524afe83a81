/* What commits bring: forged and endless trees, and sizes without reading. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <git2.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"
#include "git/tree.h"
#include "history.h"
#include "sys/files.h"

static struct repository *open_history(const struct history *h)
{
	struct repository *r = NULL;
	struct err e = ERR_INIT;

	if (repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e) != 0)
		fail_msg("%s", err_text(&e));
	return r;
}

static int collect(void *context, const char *path, const struct oid *blob)
{
	struct str *s = context;

	assert_false(oid_is_zero(blob));
	str_addf(s, "%s%s", s->len > 0 ? " " : "", path);
	return 0;
}

/* ---- against parents and against nothing ---- */

static void test_search(void **state)
{
	static const struct {
		const char *history; /* the last commit is looked at: x */
		const char *brings;
		const char *holds;
	} rows[] = {
		{"x", "", ""},
		{"x+b+a/d/c", "a/d/c b", "a/d/c b"},
		{"a+f x:a", "", "f"},
		{"a+f x:a+g", "g", "f g"},
		{"a+f x:a+f=2", "f", "f"},
		{"a+f x:a!f", "", ""},
		{"a+d/f=1+d/g=1 x:a+d/f=2", "d/f", "d/f d/g"},
		{"a+f=1 x:a+*f=1", "", "f"},
		{"a+f=1 x:a+>f=1", "", "f"},
		{"a+f=1 x:a!f+f/f=1", "f/f", "f/f"},
		{"a+f/f=1 x:a!f/f+f=1", "f", "f"},
		{"a+f b:a+g c:a+h x:b,c", "", "f g h"},
		{"a+f b:a+g c:a+h x:b,c+i", "i", "f g h i"},
		{"a+f=1 b:a+f=2 c:a+f=3 x:b,c+f=3", "", "f"},
		{"a+f=1 b:a+f=2 c:a+f=3 x:b,c+f=4", "f", "f"},
		{"a+f=1 b:a+f=2 c:a+f=3 x:b,c+f=1", "f", "f"},
		{"a+d/f=1 b:a+d/g=1 c:a+d/h=1 x:b,c", "", "d/f d/g d/h"},
		{"a b:a+g c:a+h d:a+i x:b,c,d+d/j", "d/j", "d/j g h i"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new(rows[i].history);
		struct repository *r = open_history(h);
		struct oid x = history_oid(h, "x");
		struct str found;
		struct tree_search s = {.repository = r, .each = collect, .context = &found};
		struct err e = ERR_INIT;

		str_init(&found);
		if (tree_search(&s, &x, TREE_AGAINST_PARENTS, &e) != 0 ||
			strcmp(found.buf, rows[i].brings) != 0)
			fail_msg("%s brings \"%s\", not \"%s\" %s", rows[i].history, found.buf,
				rows[i].brings, err_text(&e));
		str_reset(&found);
		if (tree_search(&s, &x, TREE_AGAINST_NOTHING, &e) != 0 ||
			strcmp(found.buf, rows[i].holds) != 0)
			fail_msg("%s holds \"%s\", not \"%s\" %s", rows[i].history, found.buf,
				rows[i].holds, err_text(&e));
		str_clear(&found);
		repository_free(r);
		history_free(h);
	}
}

static int stop(void *context, const char *path, const struct oid *blob)
{
	collect(context, path, blob);
	return 7;
}

static void test_stop(void **state)
{
	struct history *h = history_new("x+f+g");
	struct repository *r = open_history(h);
	struct oid x = history_oid(h, "x");
	struct str found;
	struct tree_search s = {.repository = r, .each = stop, .context = &found};

	(void)state;
	str_init(&found);
	assert_int_equal(tree_search(&s, &x, TREE_AGAINST_PARENTS, NULL), 7);
	assert_string_equal(found.buf, "f");
	str_clear(&found);
	repository_free(r);
	history_free(h);
}

/* ---- trees that no git would write ---- */

struct forge {
	struct history *history;
	struct repository *repository;
	git_odb *odb;
};

static void open_forge(struct forge *f)
{
	f->history = history_new("a+f=1");
	f->repository = open_history(f->history);
	assert_int_equal(git_repository_odb(&f->odb, repository_handle(f->repository)), 0);
}

static void close_forge(struct forge *f)
{
	git_odb_free(f->odb);
	repository_free(f->repository);
	history_free(f->history);
}

static void add_entry(struct str *tree, const char *mode, const char *name, const git_oid *id)
{
	str_addf(tree, "%s %s", mode, name);
	str_addc(tree, '\0');
	str_addn(tree, (const char *)id->id, GIT_OID_RAWSZ);
}

static git_oid write_object(struct forge *f, struct str *raw, git_object_t type)
{
	git_oid id;

	assert_int_equal(git_odb_write(&id, f->odb, raw->buf, raw->len, type), 0);
	str_clear(raw);
	return id;
}

static git_oid write_blob(struct forge *f, const char *content)
{
	struct str raw;

	str_init(&raw);
	str_add(&raw, content);
	return write_object(f, &raw, GIT_OBJECT_BLOB);
}

/* A commit of TREE on PARENT (NULL: none). */
static struct oid write_commit(struct forge *f, const git_oid *tree, const struct oid *parent)
{
	char tree_hex[GIT_OID_HEXSZ + 1], parent_hex[OID_HEX_SIZE];
	struct oid out;
	struct str raw;
	git_oid id;

	str_init(&raw);
	str_addf(&raw, "tree %s\n", git_oid_tostr(tree_hex, sizeof(tree_hex), tree));
	if (parent != NULL) {
		oid_hex(parent, parent_hex);
		str_addf(&raw, "parent %s\n", parent_hex);
	}
	str_add(&raw, "author A <a@example.com> 0 +0000\ncommitter A <a@example.com> 0 +0000\n\nx");
	id = write_object(f, &raw, GIT_OBJECT_COMMIT);
	oid_from_git(&out, &id);
	return out;
}

/* The root of DEPTH folders below one another, each holding the next one WIDTH times, and a file. */
static git_oid write_bomb(struct forge *f, int depth, int width, const char *content)
{
	git_oid id = write_blob(f, content);

	for (int level = 0; level < depth; level++) {
		struct str raw;
		char name[8];

		str_init(&raw);
		for (int i = 0; i < width; i++) {
			(void)snprintf(name, sizeof(name), "%03d", i % 1000);
			add_entry(&raw, level == 0 ? "100644" : "40000", name, &id);
		}
		id = write_object(f, &raw, GIT_OBJECT_TREE);
	}
	return id;
}

static int ignore(void *context, const char *path, const struct oid *blob)
{
	(void)context;
	(void)path;
	(void)blob;
	return 0;
}

static int ignore_path(void *context, const char *path)
{
	(void)context;
	(void)path;
	return 0;
}

/* Ten by ten to the power of ten files in eleven small objects: told, and soon. */
static void test_bomb(void **state)
{
	static const struct {
		int depth, width;
		const char *expected; /* NULL: it is searched to its end */
	} rows[] = {
		{10, 10, "more than 2000000 files and folders differ"},
		{3, 100, NULL},
		{4, 100, "more than 2000000 files and folders differ"},
		{129, 1, NULL},
		{130, 1, "folders are more than 128 deep"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forge f;
		struct tree_search s = {.each = ignore};
		struct err e = ERR_INIT;
		struct oid commit;
		git_oid tree;
		int result;

		open_forge(&f);
		tree = write_bomb(&f, rows[i].depth, rows[i].width, "x");
		commit = write_commit(&f, &tree, NULL);
		s.repository = f.repository;
		alarm(300); /* a search that does not end fails the test */
		result = tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e);
		if (result != (rows[i].expected != NULL ? -1 : 0) ||
			(result != 0 && strstr(err_text(&e), rows[i].expected) == NULL))
			fail_msg("%d by %d: %d %s", rows[i].depth, rows[i].width, result,
				err_text(&e));
		err_clear(&e);
		result = tree_changes(f.repository, NULL, &commit, ignore_path, NULL, &e);
		if (result != (rows[i].expected != NULL ? -1 : 0) ||
			(result != 0 && strstr(err_text(&e), rows[i].expected) == NULL))
			fail_msg("%d by %d, changes: %d %s", rows[i].depth, rows[i].width, result,
				err_text(&e));
		err_clear(&e);
		alarm(0);
		close_forge(&f);
	}
}

/* The limit stands for all commits of one search. */
static void test_many_commits(void **state)
{
	struct tree_search s = {.each = ignore};
	struct err e = ERR_INIT;
	struct forge f;
	int n = 0;

	(void)state;
	open_forge(&f);
	s.repository = f.repository;
	for (int result = 0; result == 0 && n < 10; n++) {
		char content[2] = {(char)('a' + n), '\0'};
		git_oid tree = write_bomb(&f, 3, 90, content);
		struct oid commit = write_commit(&f, &tree, NULL);

		result = tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e);
	}
	assert_int_equal(n, 3);
	assert_non_null(strstr(err_text(&e), "more than 2000000"));
	err_clear(&e);
	close_forge(&f);
}

/* So does the one of entries read, also where they are the same. */
static void test_read(void **state)
{
	static const struct {
		size_t read;
		int result;
	} rows[] = {{TREE_MAX_READ - 2, 0}, {TREE_MAX_READ - 1, -1}};
	struct history *h = history_new("a+f x:a");
	struct repository *r = open_history(h);
	struct oid x = history_oid(h, "x");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree_search s = {.repository = r, .each = ignore, .read = rows[i].read};

		assert_int_equal(tree_search(&s, &x, TREE_AGAINST_PARENTS, NULL), rows[i].result);
	}
	repository_free(r);
	history_free(h);
}

/* A tree whose entries stand in no order, or twice, or under names of paths, hides nothing. */
static void test_forged(void **state)
{
	struct forge f;
	struct str raw, found;
	struct tree_search s = {.each = collect, .context = &found};
	git_oid one, two, before, after;
	struct oid parent, commit;

	(void)state;
	open_forge(&f);
	one = write_blob(&f, "1");
	two = write_blob(&f, "2");
	str_init(&raw);
	add_entry(&raw, "100644", "z", &one);
	add_entry(&raw, "160000", "m", &two); /* a submodule with the id of a file to come */
	add_entry(&raw, "100644", "a", &one);
	add_entry(&raw, "100644", "a", &two);
	before = write_object(&f, &raw, GIT_OBJECT_TREE);
	str_init(&raw);
	add_entry(&raw, "100644", "a", &one);
	add_entry(&raw, "100644", "m", &two);
	add_entry(&raw, "100644", "z", &two);
	add_entry(&raw, "100644", "x/y", &two);
	add_entry(&raw, "160000", "q", &two);
	add_entry(&raw, "100644", "z", &one);
	after = write_object(&f, &raw, GIT_OBJECT_TREE);
	parent = write_commit(&f, &before, NULL);
	commit = write_commit(&f, &after, &parent);
	s.repository = f.repository;
	str_init(&found);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_PARENTS, NULL), 0);
	if (strstr(found.buf, "m z x/y") == NULL)
		fail_msg("found: %s", found.buf);
	str_reset(&found);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_NOTHING, NULL), 0);
	assert_string_equal(found.buf, "a m z x/y z");
	str_clear(&found);
	close_forge(&f);
}

static void test_long_path(void **state)
{
	static const size_t lengths[] = {4096, 4097, 1000000};
	struct forge f;

	(void)state;
	open_forge(&f);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct tree_search s = {.repository = f.repository, .each = ignore};
		char *name = mem_zalloc(lengths[i] + 1, 1);
		git_oid blob = write_blob(&f, "1"), tree;
		struct err e = ERR_INIT;
		struct oid commit;
		struct str raw;

		memset(name, 'n', lengths[i]);
		str_init(&raw);
		add_entry(&raw, "100644", name, &blob);
		tree = write_object(&f, &raw, GIT_OBJECT_TREE);
		commit = write_commit(&f, &tree, NULL);
		assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e),
			lengths[i] > 4096 ? -1 : 0);
		err_clear(&e);
		free(name);
	}
	close_forge(&f);
}

/* ---- what is not there ---- */

static void test_missing(void **state)
{
	struct tree_search s = {.each = ignore};
	struct err e = ERR_INIT;
	struct forge f;
	git_oid gone = {{1}}, tree;
	struct oid commit, none;
	struct str raw;

	(void)state;
	open_forge(&f);
	s.repository = f.repository;
	oid_from_git(&none, &gone);
	assert_int_equal(tree_search(&s, &none, TREE_AGAINST_PARENTS, &e), -1);
	assert_non_null(e.text);
	err_clear(&e);
	commit = write_commit(&f, &gone, NULL);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e), -1);
	err_clear(&e);
	str_init(&raw);
	add_entry(&raw, "40000", "d", &gone);
	tree = write_object(&f, &raw, GIT_OBJECT_TREE);
	commit = write_commit(&f, &tree, NULL);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e), -1);
	assert_non_null(strstr(err_text(&e), "folder d"));
	err_clear(&e);
	str_init(&raw);
	add_entry(&raw, "160000", "m", &gone);
	tree = write_object(&f, &raw, GIT_OBJECT_TREE);
	commit = write_commit(&f, &tree, &none);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_PARENTS, &e), -1); /* its parent */
	err_clear(&e);
	assert_int_equal(tree_search(&s, &commit, TREE_AGAINST_NOTHING, &e), 0);
	close_forge(&f);
}

/* ---- sizes ---- */

static void put(const struct forge *f, const struct oid *oid, const char *bytes, size_t len)
{
	char hex[OID_HEX_SIZE], *path, *folder;

	oid_hex(oid, hex);
	folder = mem_format("%s/objects/%.2s", history_dir(f->history), hex);
	path = mem_format("%s/%s", folder, hex + 2);
	assert_int_equal(files_make_folder(folder, 0755, NULL), 0);
	assert_int_equal(files_replace(path, bytes, len, 0444, NULL), 0);
	free(path);
	free(folder);
}

/* "blob <size>" in one stored block of a zlib stream (RFC 1950, RFC 1951) that ends there. */
static void put_header(const struct forge *f, const struct oid *oid, const char *header)
{
	size_t n = strlen(header) + 1;
	struct str raw;

	str_init(&raw);
	str_addn(&raw, "\x78\x01\x00", 3);
	str_addc(&raw, (char)n);
	str_addc(&raw, '\0');
	str_addc(&raw, (char)~n);
	str_addc(&raw, '\xff');
	str_addn(&raw, header, n);
	put(f, oid, raw.buf, raw.len);
	str_clear(&raw);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *header;
		uint64_t size;
		int result;
	} rows[] = {
		{"blob 0", 0, 0},
		{"blob 5", 5, 0},
		{"blob 1073741825", 1073741825, 0}, /* larger than what is read */
		{"blob 5000000000", 5000000000, 0},
		{"tree 5", 0, -1},
		{"commit 5", 0, -1},
		{"blob", 0, -1},
		{"blob ", 0, -1},
		{"blob -1", 0, -1},
		{"blob 5x", 0, -1},
		{"blob 99999999999999999999", 0, -1},
		{"blob 0000000000000000000000000000005", 0, -1},
		{"what 5", 0, -1},
		{"", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct oid oid = {{0xab, 1, 2, 3}};
		struct err e = ERR_INIT;
		struct forge f;
		uint64_t size;
		int result;

		open_forge(&f);
		put_header(&f, &oid, rows[i].header);
		result = tree_blob_size(f.repository, &oid, &size, &e);
		if (result != rows[i].result || size != rows[i].size ||
			(result != 0) != (e.text != NULL))
			fail_msg("%s: %d, %llu %s", rows[i].header, result,
				(unsigned long long)size, err_text(&e));
		err_clear(&e);
		close_forge(&f);
	}
}

/* Cut off at every byte: told at once, or, with the whole header there, as it says. */
static void test_damaged(void **state)
{
	char *path = NULL;
	struct forge f;
	struct str whole;
	struct oid blob;
	git_oid id;
	uint64_t size;

	(void)state;
	open_forge(&f);
	id = write_blob(&f, "some content");
	oid_from_git(&blob, &id);
	path = mem_format("%s/objects/%.2s/%s", history_dir(f.history), git_oid_tostr_s(&id),
		git_oid_tostr_s(&id) + 2);
	str_init(&whole);
	assert_int_equal(files_read(path, 1 << 20, &whole, NULL), 1);
	alarm(300);
	for (size_t cut = 0; cut <= whole.len; cut++) {
		struct repository *fresh = NULL;
		int result;

		put(&f, &blob, whole.buf, cut);
		assert_int_equal(
			repository_open(&fresh, history_dir(f.history), REPOSITORY_OBJECTS, NULL),
			0);
		result = tree_blob_size(fresh, &blob, &size, NULL);
		if (result == 0 && size != strlen("some content"))
			fail_msg("cut at %zu: %llu", cut, (unsigned long long)size);
		if (cut < 10)
			assert_int_equal(result, -1);
		if (cut == whole.len)
			assert_int_equal(result, 0);
		repository_free(fresh);
	}
	alarm(0);
	str_clear(&whole);
	free(path);
	close_forge(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_many_commits),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
