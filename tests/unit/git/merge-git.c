/* Git as a tool that may be old, missing, broken or lying, and the repository it works in. */
#define _GNU_SOURCE /* flock */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/merge-internal.h"
#include "git/repository.h"
#include "scratch.h"
#include "snapshots.h"
#include "sys/paths.h"
#include "sys/spawn.h"

/*
 * Stands in for the one that was built in: a test runs in a folder of its own, and what lies in
 * "tools" there comes first.
 */
static const char *tools; /* NULL: the usual folders */

const char *paths_tools(void)
{
	return tools != NULL ? tools : "PATH=" SPAWN_PATH;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(files_replace(path, text, strlen(text), mode, NULL), 0);
}

/* A clean merge, one that conflicts, and one that is made of the first after more of ours. */
struct stage {
	struct snapshots *s;
	struct repository *r;
	struct merges *m;
	struct merges_case clean;
	struct merges_case conflict;
	struct merges_case other;
};

#define TEN(x) "1,2,3,4,5,6,7,8," x

static struct merges_case make_case(struct snapshots *s, const char *ours, const char *theirs)
{
	struct oid base = snapshots_commit(s, "f=" TEN("9") " g=1", NULL, 0);
	struct merges_case c = {.mode = MERGES_TELL_APART};

	c.ours = snapshots_commit(s, ours, &base, 1);
	c.theirs = snapshots_commit(s, theirs, &base, 1);
	c.result = snapshots_commit(s, "f=0," TEN("9,10") " g=1", &c.ours, 1);
	return c;
}

/* FAKE is what /bin/sh does in the place of git; NULL: git itself. */
static struct stage stage_new(const char *fake)
{
	struct stage stage = {.s = snapshots_new()};
	char *cwd = mem_given(getcwd(NULL, 0)), *script, *path;

	assert_int_equal(files_make_folder("tools", 0755, NULL), 0);
	assert_int_equal(files_make_folder("state", 0755, NULL), 0);
	path = mem_format("PATH=%s/tools:" SPAWN_PATH, cwd);
	if (fake != NULL) {
		script = mem_format("#!/bin/sh\n%s\n", fake);
		write_text("tools/git", script, 0755);
		free(script);
		tools = path;
	} else {
		free(path);
	}
	free(cwd);
	assert_int_equal(
		repository_open(&stage.r, snapshots_dir(stage.s), REPOSITORY_OBJECTS, NULL), 0);
	stage.m = merges_new(stage.r, "state");
	stage.clean = make_case(stage.s, "f=0," TEN("9") " g=1", "f=" TEN("9,10") " g=1");
	stage.conflict = make_case(stage.s, "f=0," TEN("9") " g=2", "f=" TEN("9,10") " g=3");
	stage.other = make_case(stage.s, "f=0,0," TEN("9") " g=1", "f=" TEN("9,10") " g=1");
	return stage;
}

static void stage_clear(struct stage *stage)
{
	merges_free(stage->m);
	repository_free(stage->r);
	snapshots_free(stage->s);
	if (tools != NULL)
		free((char *)(uintptr_t)tools); /* made by stage_new */
	tools = NULL;
}

static enum merges_answer ask(struct merges *m, const struct merges_case *c)
{
	enum merges_answer answer;

	assert_int_equal(merges_ask(&answer, m, c, NULL), 0);
	return answer;
}

static void ask_all(struct stage *stage)
{
	assert_int_equal(ask(stage->m, &stage->clean), MERGES_PENDING);
	assert_int_equal(ask(stage->m, &stage->conflict), MERGES_PENDING);
	assert_int_equal(ask(stage->m, &stage->other), MERGES_PENDING);
}

/* What makes it fail, and what is said of it. */
static void test_failures(void **state)
{
	static const struct {
		const char *fake;
		const char *expected;
	} rows[] = {
		{"echo boom >&2; exit 1", "git merge-tree ended with status 1: boom"},
		{"exit 3", "git merge-tree ended with status 3"},
		{"echo 'fatal: no object' >&2; exit 128", "status 128: fatal: no object"},
		{"kill -KILL $$", "status 137"},
		{"kill -XCPU $$", "git merge-tree took more than 60 seconds of processor time"},
		{"printf '\\033]0;x\\007' >&2; exit 1", "status 1: \\x1b]0;x\\x07"},
		{"head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "xxx..."},
		{"exit 0", "git merge-tree ended before its answer did"},
		{"cat >&2; exit 0", "git merge-tree ended before its answer did"},
		{"echo hello", "git merge-tree ended before its answer did"},
		{"printf 'hello\\0'", "git merge-tree said hello where 0 or 1 was expected"},
		{"printf '1\\0hello\\0\\0'", "git merge-tree named no tree"},
		{"/usr/bin/git \"$@\" | head -c 45", "git merge-tree ended before its answer did"},
		{"/usr/bin/git \"$@\"; printf '1\\0'",
			"git merge-tree said more than it was asked"},
		{"head -c 70000000 /dev/zero", "git merge-tree wrote more than"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage = stage_new(rows[i].fake);
		struct err e = ERR_INIT;

		ask_all(&stage);
		if (merges_run(stage.m, &e) != -1 || strstr(err_text(&e), rows[i].expected) == NULL)
			fail_msg("%s: \"%.200s\", not \"%s\"", rows[i].fake, err_text(&e),
				rows[i].expected);
		assert_true(strlen(err_text(&e)) < 2200);
		assert_int_equal(ask(stage.m, &stage.clean), MERGES_PENDING);
		err_clear(&e);
		stage_clear(&stage);
	}
}

/* Where Git cannot do it, libgit2 does, and does not know about conflicts. */
static void test_no_merge_tree(void **state)
{
	static const struct {
		const char *title;
		const char *fake;
		enum merges_answer of_conflict;
	} rows[] = {
		{"git itself", NULL, MERGES_CONFLICTS},
		{"a git without --stdin", "echo usage: >&2; exit 129", MERGES_UNCERTAIN},
		{"one that crashes always", "kill -ABRT $$", MERGES_UNCERTAIN},
		{"one that crashes at more than one",
			"[ $(wc -l) -gt 1 ] && kill -SEGV $$; exit 129", MERGES_UNCERTAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage = stage_new(rows[i].fake);
		struct err e = ERR_INIT;
		struct strlist paths = {0};
		size_t total = 0;

		ask_all(&stage);
		if (merges_run(stage.m, &e) != 0)
			fail_msg("%s: %s", rows[i].title, err_text(&e));
		if (ask(stage.m, &stage.clean) != MERGES_AUTOMATIC ||
			ask(stage.m, &stage.conflict) != rows[i].of_conflict ||
			ask(stage.m, &stage.other) != MERGES_DIFFERS)
			fail_msg("%s: %d %d %d", rows[i].title, ask(stage.m, &stage.clean),
				ask(stage.m, &stage.conflict), ask(stage.m, &stage.other));
		assert_int_equal(merges_paths(&paths, 5, &total, stage.m, &stage.conflict, &e), 0);
		assert_int_equal(total, 1);
		assert_string_equal(paths.v[0], "g");
		assert_int_equal(merges_paths(&paths, 5, &total, stage.m, &stage.other, &e), 0);
		assert_int_equal(total, 1);
		assert_string_equal(paths.v[1], "f");
		strlist_clear(&paths);
		stage_clear(&stage);
	}
}

static void test_no_git(void **state)
{
	struct stage stage = stage_new(NULL);

	(void)state;
	tools = mem_strdup("PATH=/nonexistent");
	ask_all(&stage);
	assert_int_equal(merges_run(stage.m, NULL), 0);
	assert_int_equal(ask(stage.m, &stage.clean), MERGES_AUTOMATIC);
	assert_int_equal(ask(stage.m, &stage.conflict), MERGES_UNCERTAIN);
	stage_clear(&stage);
}

/* The one pair that Git crashes at is found, and only that one is put to libgit2. */
static void test_one_crash(void **state)
{
	struct stage stage;
	char hex[OID_HEX_SIZE], *cwd = mem_given(getcwd(NULL, 0));
	char *fake = mem_format("cd %s || exit 1\ncat >pairs\n"
				"grep -q $(cat bad) pairs && kill -ABRT $$\n"
				"exec /usr/bin/git \"$@\" <pairs\n",
		cwd);

	(void)state;
	stage = stage_new(fake);
	oid_hex(&stage.clean.ours, hex);
	write_text("bad", hex, 0644);
	ask_all(&stage);
	assert_int_equal(merges_run(stage.m, NULL), 0);
	assert_int_equal(ask(stage.m, &stage.clean), MERGES_AUTOMATIC);
	assert_int_equal(ask(stage.m, &stage.conflict), MERGES_CONFLICTS);
	assert_int_equal(ask(stage.m, &stage.other), MERGES_DIFFERS);
	stage_clear(&stage);
	free(fake);
	free(cwd);
}

static char *read_text(const char *path)
{
	struct str text;

	str_init(&text);
	assert_int_equal(files_read(path, 1 << 16, &text, NULL), 1);
	return str_steal(&text);
}

/* Nothing of our own environment reaches Git, and what it is told stands as it should. */
static void test_environment(void **state)
{
	static const char *const expected[] = {"\nGIT_CONFIG_NOSYSTEM=1\n",
		"\nGIT_CONFIG_GLOBAL=/dev/null\n", "\nGIT_ATTR_NOSYSTEM=1\n",
		"\nGIT_NO_REPLACE_OBJECTS=1\n", "\nHOME=/nonexistent\n", "/objects\"\n",
		"\ncore.useReplaceRefs=false\n-c\nattr.tree="};
	static const char *const foreign[] = {"GIT_OBJECT_DIRECTORY=", "GIT_WORK_TREE=",
		"GIT_CONFIG_COUNT=", "GIT_CONFIG_PARAMETERS=", "GIT_QUARANTINE_PATH="};
	struct stage stage;
	char *cwd = mem_given(getcwd(NULL, 0)), *seen;
	char *fake = mem_format("{ echo; env; printf '%%s\\n' \"$@\"; } >%s/seen\nexit 129", cwd);

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		char *name = mem_strndup(foreign[i], strlen(foreign[i]) - 1);

		assert_int_equal(setenv(name, "1", 1), 0);
		free(name);
	}
	stage = stage_new(fake);
	ask_all(&stage);
	assert_int_equal(merges_run(stage.m, NULL), 0);
	seen = read_text("seen");
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strstr(seen, expected[i]) == NULL)
			fail_msg("no %s in %s", expected[i], seen);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strstr(seen, foreign[i]) != NULL)
			fail_msg("%s in %s", foreign[i], seen);
	stage_clear(&stage);
	free(seen);
	free(fake);
	free(cwd);
}

/* What HEAD is when GitLab merges is what says which attributes hold. */
static void test_attributes(void **state)
{
	struct stage stage;
	char hex[OID_HEX_SIZE], *cwd = mem_given(getcwd(NULL, 0)), *seen, *expected, *ref;
	char *fake = mem_format("printf '%%s\\n' \"$@\" >%s/seen\nexit 129", cwd);

	(void)state;
	stage = stage_new(fake);
	oid_hex(&stage.clean.ours, hex);
	ref = path_join(snapshots_dir(stage.s), "refs/heads/here");
	write_text(ref, hex, 0644);
	free(ref);
	ref = path_join(snapshots_dir(stage.s), "HEAD");
	write_text(ref, "ref: refs/heads/here\n", 0644);
	ask_all(&stage);
	assert_int_equal(merges_run(stage.m, NULL), 0);
	seen = read_text("seen");
	expected = mem_format("\nattr.tree=%s\n", hex);
	if (strstr(seen, expected) == NULL)
		fail_msg("no %s in %s", expected, seen);
	stage_clear(&stage);
	free(expected);
	free(seen);
	free(ref);
	free(fake);
	free(cwd);
}

static void copy_folder(const char *from, const char *to)
{
	char *cwd = mem_given(getcwd(NULL, 0));
	const char *argv[] = {"cp", "-a", from, to, NULL};
	struct spawn copy = SPAWN_INIT;
	int status;

	copy.argv = argv;
	copy.dir = cwd;
	assert_int_equal(spawn_run(&copy, &status, NULL), 0);
	assert_int_equal(status, 0);
	free(cwd);
}

/* Folders of repositories may have any name that a file system takes. */
static void test_strange_folder(void **state)
{
	static const char *const names[] = {"with:colon", "with \"quotes\"", "with\nnewline",
		"with\\backslash", "with\\n", "#1", "'"};
	struct merges_case c;
	struct snapshots *s = snapshots_new();

	(void)state;
	c = make_case(s, "f=0," TEN("9") " g=1", "f=" TEN("9,10") " g=1");
	assert_int_equal(files_make_folder("state", 0755, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct repository *r = NULL;
		struct merges *m;
		struct err e = ERR_INIT;

		copy_folder(snapshots_dir(s), names[i]);
		assert_int_equal(repository_open(&r, names[i], REPOSITORY_OBJECTS, NULL), 0);
		m = merges_new(r, "state");
		assert_int_equal(ask(m, &c), MERGES_PENDING);
		if (merges_run(m, &e) != 0)
			fail_msg("%s: %s", names[i], err_text(&e));
		assert_int_equal(ask(m, &c), MERGES_AUTOMATIC);
		merges_free(m);
		repository_free(r);
	}
	snapshots_free(s);
}

/* ---- the scratch repository ---- */

/* Make the folder NAME look as if it had been left two hours ago. */
static void make_old(const char *name)
{
	struct timespec then[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};

	assert_int_equal(utimensat(AT_FDCWD, name, then, 0), 0);
}

static void test_scratch(void **state)
{
	struct merge_scratch s;
	struct stat st;
	char *config, *dir;

	(void)state;
	assert_int_equal(merge_scratch_make(&s, ".", NULL), 0);
	dir = mem_strdup(s.dir);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	config = path_join(dir, "config");
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_size, 0);
	merge_scratch_clear(&s);
	assert_int_equal(files_exists(dir), 0);
	merge_scratch_clear(&s); /* harmless */
	free(config);
	free(dir);
}

/* What a killed process left is removed by the next one, and nothing else. */
static void test_left(void **state)
{
	static const struct {
		const char *name;
		int is_old;
		int is_held;
		int stays;
	} rows[] = {
		{".merge-left", 1, 0, 0},
		{".merge-held", 1, 1, 1},
		{".merge-young", 0, 0, 1},
		{"other-left", 1, 0, 1},
	};
	struct merge_scratch s;
	int held = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *below = path_join(rows[i].name, "objects/ab");

		assert_int_equal(files_make_folder(below, 0700, NULL), 0);
		free(below);
		if (rows[i].is_held) {
			held = open(rows[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			assert_int_equal(flock(held, LOCK_EX), 0);
		}
		if (rows[i].is_old)
			make_old(rows[i].name);
	}
	write_text(".merge-file", "", 0644);
	make_old(".merge-file");
	assert_int_equal(symlink("other-left", ".merge-link"), 0);
	assert_int_equal(merge_scratch_make(&s, ".", NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (files_exists(rows[i].name) != rows[i].stays)
			fail_msg("%s: %s", rows[i].name, rows[i].stays ? "gone" : "still there");
	assert_int_equal(files_exists(".merge-file"), 1);
	assert_int_equal(files_exists("other-left/objects/ab"), 1);
	merge_scratch_clear(&s);
	assert_int_equal(close(held), 0);
}

static void test_no_folder(void **state)
{
	static const struct {
		const char *folder;
		const char *expected;
	} rows[] = {
		{"tools/file", "merges need a folder: tools/file"},
		{"tools/file/below", "merges need a folder: tools/file"},
	};
	struct stage stage = stage_new(NULL);
	struct merge_scratch s;

	(void)state;
	write_text("tools/file", "", 0644);
	assert_int_equal(files_exists("state/new"), 0);
	assert_int_equal(merge_scratch_make(&s, "state/new", NULL), 0);
	merge_scratch_clear(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct merges *m = merges_new(stage.r, rows[i].folder);
		struct err e = ERR_INIT;

		assert_int_equal(ask(m, &stage.clean), MERGES_PENDING);
		if (merges_run(m, &e) != -1 || strstr(err_text(&e), rows[i].expected) == NULL)
			fail_msg("\"%s\", not \"%s\"", err_text(&e), rows[i].expected);
		err_clear(&e);
		merges_free(m);
	}
	stage_clear(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_failures),
		scratch_test(test_no_merge_tree),
		scratch_test(test_no_git),
		scratch_test(test_one_crash),
		scratch_test(test_environment),
		scratch_test(test_attributes),
		scratch_test(test_strange_folder),
		scratch_test(test_scratch),
		scratch_test(test_left),
		scratch_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
