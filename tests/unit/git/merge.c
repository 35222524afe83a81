/* merges_*: is a tree the automatic merge of two commits?  What Git says is the measure. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/merge.h"
#include "git/repository.h"
#include "snapshots.h"
#include "sys/files.h"
#include "sys/spawn.h"

static const char *const answers[] = {"pending", "automatic", "differs", "conflicts", "uncertain"};

enum ways { WITHOUT_GIT, WITH_GIT };

/* A repository with its merges; the scratch folder is the repository's own. */
struct stage {
	struct snapshots *s;
	struct repository *r;
	struct merges *m;
};

static struct stage stage_new(void)
{
	struct stage stage = {.s = snapshots_new()};
	struct err e = ERR_INIT;

	if (repository_open(&stage.r, snapshots_dir(stage.s), REPOSITORY_OBJECTS, &e) != 0)
		fail_msg("%s", err_text(&e));
	stage.m = merges_new(stage.r, snapshots_dir(stage.s));
	return stage;
}

static void stage_clear(struct stage *stage)
{
	merges_free(stage->m);
	repository_free(stage->r);
	snapshots_free(stage->s);
}

static enum merges_answer ask(enum ways *how, struct merges *m, const struct merges_case *c)
{
	enum merges_answer answer;
	struct err e = ERR_INIT;

	if (merges_ask(&answer, m, c, &e) != 0)
		fail_msg("%s", err_text(&e));
	*how = answer == MERGES_PENDING ? WITH_GIT : WITHOUT_GIT;
	assert_int_equal(merges_pending(m), *how == WITH_GIT);
	if (*how == WITHOUT_GIT)
		return answer;
	if (merges_run(m, &e) != 0 || merges_ask(&answer, m, c, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(merges_pending(m), 0);
	return answer;
}

/* The answer that `git merge-tree --write-tree` has in the repository DIR. */
static enum merges_answer ask_git(
	const char *dir, struct repository *r, const struct merges_case *c)
{
	char ours[OID_HEX_SIZE], theirs[OID_HEX_SIZE], *gitdir = mem_format("--git-dir=%s", dir);
	const char *argv[] = {"git", gitdir, "merge-tree", "--write-tree",
		"--allow-unrelated-histories", ours, theirs, NULL};
	struct spawn s = SPAWN_INIT;
	struct commit result;
	struct oid tree;
	struct str said;
	int status;

	s.argv = argv;
	str_init(&said);
	oid_hex(&c->ours, ours);
	oid_hex(&c->theirs, theirs);
	assert_int_equal(spawn_capture(&s, 1 << 20, &said, &status, NULL), 0);
	assert_true(status == 0 || status == 1);
	said.buf[OID_HEX_SIZE - 1] = '\0';
	assert_int_equal(oid_parse(&tree, said.buf), 0);
	assert_int_equal(commit_read(&result, r, &c->result, NULL), 0);
	if (status == 0)
		status = oid_equal(&tree, &result.tree) ? MERGES_AUTOMATIC : MERGES_DIFFERS;
	else
		status = MERGES_CONFLICTS;
	commit_clear(&result);
	str_clear(&said);
	free(gitdir);
	return (enum merges_answer)status;
}

static char *paths_of(struct merges *m, const struct merges_case *c, size_t *total)
{
	struct strlist paths = {0};
	struct err e = ERR_INIT;
	char *joined;

	if (merges_paths(&paths, 3, total, m, c, &e) != 0)
		fail_msg("%s", err_text(&e));
	joined = strlist_join(&paths, " ");
	strlist_clear(&paths);
	return joined;
}

#define TEN(x) "1,2,3,4,5,6,7,8," x

struct row {
	const char *title;
	const char *base;
	const char *ours;
	const char *theirs;
	const char *result;
	enum merges_answer expected;
	enum ways how;
	const char *paths;
};

#define OK MERGES_AUTOMATIC, WITHOUT_GIT, ""
#define OK_BY_GIT MERGES_AUTOMATIC, WITH_GIT, ""

static const struct row rows[] = {
	{"ours did nothing", "a=1 b=1", "a=1 b=1", "a=2 c=1", "a=2 c=1", OK},
	{"ours did nothing, and evil", "a=1 b=1", "a=1 b=1", "a=2 c=1", "a=2 c=2", MERGES_DIFFERS,
		WITHOUT_GIT, "c"},
	{"theirs did nothing", "a=1", "a=2", "a=1", "a=2", OK},
	{"theirs did nothing, and all is dropped", "a=1", "a=2", "a=1", "a=1", MERGES_DIFFERS,
		WITHOUT_GIT, "a"},
	{"nobody did anything", "a=1", "a=1", "a=1", "a=1", OK},
	{"nobody did anything, but the merge", "a=1", "a=1", "a=1", "a=1 b=1", MERGES_DIFFERS,
		WITHOUT_GIT, "b"},
	{"different files", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=2", OK},
	{"something added by hand", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=2 c=1", MERGES_DIFFERS,
		WITHOUT_GIT, "c"},
	{"something dropped", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=1", MERGES_DIFFERS,
		WITHOUT_GIT, "b"},
	{"something of ours dropped", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=1 b=2", MERGES_DIFFERS,
		WITHOUT_GIT, "a"},
	{"added and dropped", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=1 c/d=1", MERGES_DIFFERS,
		WITHOUT_GIT, "b c/d"},
	{"an old file gone", "a=1 b=1 o=1", "a=2 b=1 o=1", "a=1 b=2 o=1", "a=2 b=2", MERGES_DIFFERS,
		WITHOUT_GIT, "o"},
	{"many paths", "a=1", "a=1 b=1", "a=1 c=1", "a=2 b=2 c=2 d=1 e=1", MERGES_DIFFERS,
		WITHOUT_GIT, "a b c"},
	{"the same on both sides", "a=1", "a=2 b=1", "a=2 b=1", "a=2 b=1", OK},
	{"additions in one new folder", "a=1", "a=1 d/x=1", "a=1 d/y=1", "a=1 d/x=1 d/y=1", OK},
	{"deletions on both sides", "a=1 b=1 c=1", "b=1 c=1", "a=1 c=1", "c=1", OK},
	{"one deletion on both sides", "a=1 b=1 c=1", "b=2 c=1", "b=1 c=2", "b=2 c=2", OK},
	{"all deleted", "a=1", "a=1", "", "", OK},
	{"a line each", "f=" TEN("9"), "f=0," TEN("9"), "f=" TEN("9,10"), "f=0," TEN("9,10"),
		OK_BY_GIT},
	{"a line each, and evil", "f=" TEN("9"), "f=0," TEN("9"), "f=" TEN("9,10"),
		"f=0," TEN("9,10,x"), MERGES_DIFFERS, WITH_GIT, "f"},
	{"a line each, and evil elsewhere", "f=" TEN("9"), "f=0," TEN("9"), "f=" TEN("9,10"),
		"e=1 f=0," TEN("9,10"), MERGES_DIFFERS, WITH_GIT, "e"},
	{"the same line", "a=1 b=1", "a=2 b=1", "a=3 b=1", "a=3 b=1", MERGES_CONFLICTS, WITH_GIT,
		"a"},
	{"the same line, in four files", "a=1 b=1 c=1 d=1", "a=2 b=2 c=2 d=2", "a=3 b=3 c=3 d=3",
		"a=3 b=3 c=3 d=3", MERGES_CONFLICTS, WITH_GIT, "a b c"},
	{"deleted and modified", "a=1 b=1", "b=1", "a=2 b=1", "a=2 b=1", MERGES_CONFLICTS, WITH_GIT,
		"a"},
	{"two new files of one name", "a=1", "a=1 n=1", "a=1 n=2", "a=1 n=2", MERGES_CONFLICTS,
		WITH_GIT, "n"},
	{"renamed, and nothing else there", "a=" TEN("9") " b=1", "c=" TEN("9") " b=1",
		"a=" TEN("9") " b=2", "c=" TEN("9") " b=2", OK},
	{"renamed, and modified by the other side", "a=" TEN("9") " b=1", "c=" TEN("9") " b=1",
		"a=" TEN("10") " b=1", "b=1 c=" TEN("10"), OK_BY_GIT},
	{"renamed, and the other side's change lost", "a=" TEN("9") " b=1", "c=" TEN("9") " b=1",
		"a=" TEN("10") " b=1", "b=1 c=" TEN("9"), MERGES_DIFFERS, WITH_GIT, "c"},
	{"renamed, and deleted by the other side", "a=" TEN("9") " b=1", "c=" TEN("9") " b=1",
		"b=2", "b=2", MERGES_CONFLICTS, WITH_GIT, "c"},
	{"a renamed folder, and a new file in the old one", "d/a=" TEN("a") " d/b=" TEN("b"),
		"e/a=" TEN("a") " e/b=" TEN("b"), "d/a=" TEN("a") " d/b=" TEN("b") " d/n=1",
		"d/n=1 e/a=" TEN("a") " e/b=" TEN("b"), MERGES_CONFLICTS, WITH_GIT, "e/n"},
	{"a renamed folder, and a file modified in it", "d/a=" TEN("a") " d/b=" TEN("b"),
		"e/a=" TEN("a") " e/b=" TEN("b"), "d/a=" TEN("c") " d/b=" TEN("b"),
		"e/a=" TEN("c") " e/b=" TEN("b"), OK_BY_GIT},
	{"a file here, a folder there", "a=1", "a=1 x=1", "a=1 x/y=1", "a=1 x/y=1",
		MERGES_CONFLICTS, WITH_GIT, "x~"},
	{"a file becomes a folder", "x=1 a=1", "x/y=2 a=1", "x=1 a=2", "x/y=2 a=2", OK_BY_GIT},
	{"mode", "a=1 b=1", "a*=1 b=1", "a=1 b=2", "a*=1 b=2", OK},
	{"mode dropped", "a=1 b=1", "a*=1 b=1", "a=1 b=2", "a=1 b=2", MERGES_DIFFERS, WITHOUT_GIT,
		"a"},
	{"mode here, content there", "a=1", "a*=1", "a=2", "a*=2", OK_BY_GIT},
	{"submodule", "a=1 s^=1", "a=2 s^=1", "a=1 s^=2", "a=2 s^=2", OK},
	{"submodule, and another commit of it", "a=1 s^=1", "a=2 s^=1", "a=1 s^=2", "a=2 s^=3",
		MERGES_DIFFERS, WITHOUT_GIT, "s"},
	{"submodule on both sides", "s^=1", "s^=2", "s^=3", "s^=3", MERGES_CONFLICTS, WITH_GIT,
		"s"},
	{"link", "a=1 l@=x", "a=2 l@=x", "a=1 l@=y", "a=2 l@=y", OK},
	{"link on both sides", "l@=x", "l@=y", "l@=z", "l@=z", MERGES_CONFLICTS, WITH_GIT, "l"},
	{"a file becomes a link", "a=1 l=x", "a=2 l=x", "a=1 l@=x", "a=2 l@=x", OK},
};

static void check_row(const struct row *row)
{
	struct stage stage = stage_new();
	struct oid parents[2], base = snapshots_commit(stage.s, row->base, NULL, 0);
	struct merges_case c = {.mode = MERGES_TELL_APART};
	enum merges_answer got, gits;
	enum ways how;
	size_t total = 0;
	char *paths;

	parents[0] = c.ours = snapshots_commit(stage.s, row->ours, &base, 1);
	parents[1] = c.theirs = snapshots_commit(stage.s, row->theirs, &base, 1);
	c.result = snapshots_commit(stage.s, row->result, parents, 2);
	got = ask(&how, stage.m, &c);
	gits = ask_git(snapshots_dir(stage.s), stage.r, &c);
	if (got != row->expected || gits != row->expected)
		fail_msg("%s: expected %s, got %s; Git says %s", row->title, answers[row->expected],
			answers[got], answers[gits]);
	if (how != row->how)
		fail_msg("%s: Git was %sasked", row->title, how == WITHOUT_GIT ? "not " : "");
	paths = got == MERGES_AUTOMATIC ? mem_strdup("") : paths_of(stage.m, &c, &total);
	/* Git names a file that is in the way after the commit it is of. */
	if (str_ends(row->paths, "~") ? !str_starts(paths, row->paths)
				      : strcmp(paths, row->paths) != 0)
		fail_msg("%s: paths \"%s\", not \"%s\"", row->title, paths, row->paths);
	assert_true(total >= 4 || strchr(paths, ' ') != NULL || total == (*paths != '\0'));
	free(paths);
	stage_clear(&stage);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* Where only whether is asked, what is wrong elsewhere decides without Git. */
static void test_only_whether(void **state)
{
	static const struct {
		const char *result;
		enum merges_answer expected;
		enum ways how;
	} table[] = {
		{"a=2 b=2 f=0," TEN("9,10"), MERGES_AUTOMATIC, WITH_GIT},
		{"a=2 b=2 f=0," TEN("9,10,11"), MERGES_DIFFERS, WITH_GIT},
		{"a=2 b=1 f=0," TEN("9,10"), MERGES_DIFFERS, WITHOUT_GIT},
		{"a=2 b=2 c=1 f=0," TEN("9,10"), MERGES_DIFFERS, WITHOUT_GIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct stage stage = stage_new();
		struct oid base = snapshots_commit(stage.s, "a=1 b=1 f=" TEN("9"), NULL, 0);
		struct merges_case c = {.mode = MERGES_ONLY_WHETHER};
		enum merges_answer got;
		enum ways how;

		c.ours = snapshots_commit(stage.s, "a=2 b=1 f=0," TEN("9"), &base, 1);
		c.theirs = snapshots_commit(stage.s, "a=1 b=2 f=" TEN("9,10"), &base, 1);
		c.result = snapshots_commit(stage.s, table[i].result, &c.ours, 1);
		got = ask(&how, stage.m, &c);
		if (got != table[i].expected || how != table[i].how)
			fail_msg("row %zu: expected %s, got %s, Git was %sasked", i,
				answers[table[i].expected], answers[got],
				how == WITHOUT_GIT ? "not " : "");
		stage_clear(&stage);
	}
}

/* Many results of one merge and many merges are one run of Git. */
static void test_many(void **state)
{
	struct stage stage = stage_new();
	struct oid base = snapshots_commit(stage.s, "f=" TEN("9"), NULL, 0);
	struct merges_case c[30];
	enum merges_answer got;

	(void)state;
	memset(c, 0, sizeof(c));
	for (int i = 0; i < 30; i++) {
		char *ours = mem_format("f=%d," TEN("9"), i / 2);
		char *result = mem_format("f=%d," TEN("9,10") "%s", i / 2, i % 2 ? ",x" : "");

		c[i].mode = MERGES_TELL_APART;
		c[i].ours = snapshots_commit(stage.s, ours, &base, 1);
		if (i % 2)
			c[i].ours = c[i - 1].ours;
		c[i].theirs = i == 0 ? snapshots_commit(stage.s, "f=" TEN("9,10"), &base, 1)
				     : c[0].theirs;
		c[i].result = snapshots_commit(stage.s, result, &c[i].ours, 1);
		assert_int_equal(merges_ask(&got, stage.m, &c[i], NULL), 0);
		assert_int_equal(got, MERGES_PENDING);
		free(result);
		free(ours);
	}
	assert_int_equal(merges_pending(stage.m), 15);
	assert_int_equal(merges_run(stage.m, NULL), 0);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(merges_ask(&got, stage.m, &c[i], NULL), 0);
		assert_int_equal(got, i % 2 ? MERGES_DIFFERS : MERGES_AUTOMATIC);
	}
	assert_int_equal(merges_run(stage.m, NULL), 0); /* nothing to do */
	stage_clear(&stage);
}

/* Each side has merged the other: two merge bases, of which Git makes a virtual one. */
static void test_criss_cross(void **state)
{
	struct stage stage = stage_new();
	struct oid root = snapshots_commit(stage.s, "a=1 b=1 c=1", NULL, 0), bases[2], ends[2];
	struct merges_case c = {.mode = MERGES_TELL_APART};
	enum ways how;

	(void)state;
	bases[0] = snapshots_commit(stage.s, "a=2 b=1 c=1", &root, 1);
	bases[1] = snapshots_commit(stage.s, "a=1 b=2 c=1", &root, 1);
	ends[0] = snapshots_commit(stage.s, "a=2 b=2 c=1", bases, 2);
	ends[1] = snapshots_commit(stage.s, "a=2 b=2 c=1", (struct oid[]){bases[1], bases[0]}, 2);
	c.ours = snapshots_commit(stage.s, "a=3 b=2 c=1", &ends[0], 1);
	c.theirs = snapshots_commit(stage.s, "a=2 b=3 c=1", &ends[1], 1);
	c.result = snapshots_commit(stage.s, "a=3 b=3 c=1", &c.ours, 1);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_AUTOMATIC);
	assert_int_equal(how, WITH_GIT);
	assert_int_equal(ask_git(snapshots_dir(stage.s), stage.r, &c), MERGES_AUTOMATIC);
	c.result = snapshots_commit(stage.s, "a=3 b=2 c=1", &c.ours, 1);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_DIFFERS);
	stage_clear(&stage);
}

static void test_unrelated(void **state)
{
	struct stage stage = stage_new();
	struct merges_case c = {.mode = MERGES_TELL_APART};
	enum ways how;

	(void)state;
	c.ours = snapshots_commit(stage.s, "a=1", NULL, 0);
	c.theirs = snapshots_commit(stage.s, "b=1", NULL, 0);
	c.result = snapshots_commit(stage.s, "a=1 b=1", &c.ours, 1);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_AUTOMATIC);
	assert_int_equal(how, WITH_GIT);
	c.theirs = snapshots_commit(stage.s, "a=2", NULL, 0);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_CONFLICTS);
	stage_clear(&stage);
}

/* ---- what must have no say ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name), *folder = path_dir(path);

	assert_int_equal(files_make_folder(folder, 0755, NULL), 0);
	assert_int_equal(files_replace(path, text, strlen(text), 0644, NULL), 0);
	free(folder);
	free(path);
}

/* A replace ref, a graft or a driver of the repository would each make one merge of another. */
static void test_outside(void **state)
{
	struct stage stage = stage_new();
	const char *dir = snapshots_dir(stage.s);
	char from[OID_HEX_SIZE], to[OID_HEX_SIZE], *text;
	struct oid base = snapshots_commit(
			   stage.s, "f=" TEN("9") " .gitattributes=f merge=evil", NULL, 0),
		   other;
	struct merges_case c = {.mode = MERGES_TELL_APART};
	enum ways how;

	(void)state;
	c.ours =
		snapshots_commit(stage.s, "f=0," TEN("9") " .gitattributes=f merge=evil", &base, 1);
	c.theirs = snapshots_commit(
		stage.s, "f=" TEN("9,10") " .gitattributes=f merge=evil", &base, 1);
	c.result = snapshots_commit(
		stage.s, "f=0," TEN("9,10") " .gitattributes=f merge=evil", &c.ours, 1);
	other = snapshots_commit(stage.s, "f=evil", &base, 1);
	oid_hex(&c.theirs, from);
	oid_hex(&other, to);
	text = mem_format("refs/replace/%s", from);
	write_file(dir, text, to);
	free(text);
	text = mem_format("%s\n", from);
	write_file(dir, "info/grafts", text);
	free(text);
	write_file(dir, "info/attributes", "* merge=evil\n");
	write_file(dir, "config",
		"[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
		"[merge \"evil\"]\n\tdriver = false\n");
	assert_int_not_equal(ask_git(dir, stage.r, &c), MERGES_AUTOMATIC);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_AUTOMATIC);
	assert_int_equal(how, WITH_GIT);
	stage_clear(&stage);
}

/* How many files and folders there are below DIR. */
static int count_below(const char *dir)
{
	const char *argv[] = {"find", dir, NULL};
	struct spawn s = SPAWN_INIT;
	struct str said;
	int status, n = 0;

	s.argv = argv;
	str_init(&said);
	assert_int_equal(spawn_capture(&s, 1 << 20, &said, &status, NULL), 0);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < said.len; i++)
		n += said.buf[i] == '\n';
	str_clear(&said);
	return n;
}

/* New objects are in a quarantine of the push; nothing is written there or in the repository. */
static void test_quarantine(void **state)
{
	struct snapshots *old = snapshots_new(), *new = snapshots_new();
	char *quarantine = path_join(snapshots_dir(new), "objects");
	char *alternate = path_join(snapshots_dir(old), "objects");
	char *scratch = path_join(snapshots_dir(new), "scratch");
	struct oid base = snapshots_commit(old, "f=" TEN("9"), NULL, 0);
	struct merges_case c = {.mode = MERGES_TELL_APART};
	struct repository *r = NULL;
	struct merges *m;
	enum ways how;
	int before;

	(void)state;
	c.ours = snapshots_commit(old, "f=0," TEN("9"), &base, 1);
	c.theirs = snapshots_commit(new, "f=" TEN("9,10"), &base, 1);
	c.result = snapshots_commit(new, "f=0," TEN("9,10"), &c.ours, 1);
	assert_int_equal(files_make_folder(scratch, 0700, NULL), 0);
	before = count_below(snapshots_dir(old)) + count_below(snapshots_dir(new));
	assert_int_equal(setenv("GIT_OBJECT_DIRECTORY", quarantine, 1), 0);
	assert_int_equal(setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternate, 1), 0);
	assert_int_equal(
		repository_open(&r, snapshots_dir(old), REPOSITORY_QUARANTINED_OBJECTS, NULL), 0);
	m = merges_new(r, scratch);
	assert_int_equal(ask(&how, m, &c), MERGES_AUTOMATIC);
	assert_int_equal(how, WITH_GIT);
	assert_true(count_below(scratch) > 1);
	merges_free(m);
	assert_int_equal(count_below(snapshots_dir(old)) + count_below(snapshots_dir(new)), before);
	repository_free(r);
	assert_int_equal(unsetenv("GIT_OBJECT_DIRECTORY"), 0);
	assert_int_equal(unsetenv("GIT_ALTERNATE_OBJECT_DIRECTORIES"), 0);
	snapshots_free(old);
	snapshots_free(new);
	free(scratch);
	free(alternate);
	free(quarantine);
}

/* ---- what is broken ---- */

static void test_missing(void **state)
{
	struct stage stage = stage_new();
	const struct oid nowhere = {{1, 2, 3}};
	struct oid base = snapshots_commit(stage.s, "f=1", NULL, 0);
	struct oid good = snapshots_commit(stage.s, "f=2", &base, 1);
	struct oid bad = snapshots_commit_tree(stage.s, &nowhere, &base, 1);
	const struct merges_case table[] = {
		{good, nowhere, good, MERGES_TELL_APART, {{0}}},
		{nowhere, good, good, MERGES_TELL_APART, {{0}}},
		{good, bad, good, MERGES_TELL_APART, {{0}}},
		{good, good, nowhere, MERGES_TELL_APART, {{0}}},
		{good, good, bad, MERGES_TELL_APART, {{0}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum merges_answer got;
		struct err e = ERR_INIT;

		if (merges_ask(&got, stage.m, &table[i], &e) != -1 ||
			strstr(err_text(&e), "0102030000000000000000000000000000000000") == NULL)
			fail_msg("row %zu: %s (%s)", i, answers[got], err_text(&e));
		err_clear(&e);
	}
	assert_int_equal(merges_pending(stage.m), 0);
	stage_clear(&stage);
}

/* Trees that Git would not write are Git's to judge: it may write them anew, as others. */
static void test_odd_trees(void **state)
{
	static const struct {
		const char *item;
		enum { A_FILE, AN_EMPTY_FOLDER } kind;
		enum ways how;
	} table[] = {
		{"100644 a", A_FILE, WITHOUT_GIT},
		{"0100644 a", A_FILE, WITH_GIT},
		{"100664 a", A_FILE, WITH_GIT},
		{"40000 a", AN_EMPTY_FOLDER, WITH_GIT},
	};
	struct stage stage = stage_new();
	struct oid ids[2], base = snapshots_commit(stage.s, "", NULL, 0);

	(void)state;
	ids[A_FILE] = snapshots_write(stage.s, GIT_OBJECT_BLOB, "1\n", 2);
	ids[AN_EMPTY_FOLDER] = snapshots_write(stage.s, GIT_OBJECT_TREE, "", 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct merges_case c = {.ours = base, .mode = MERGES_TELL_APART};
		struct oid tree;
		struct str raw;
		enum ways how;
		enum merges_answer got;

		str_init(&raw);
		str_addn(&raw, table[i].item, strlen(table[i].item) + 1);
		str_addn(&raw, (const char *)ids[table[i].kind].raw, OID_RAW_SIZE);
		tree = snapshots_write(stage.s, GIT_OBJECT_TREE, raw.buf, raw.len);
		c.theirs = snapshots_commit_tree(stage.s, &tree, &base, 1);
		c.result = snapshots_commit_tree(stage.s, &tree, &base, 1);
		got = ask(&how, stage.m, &c);
		if (how != table[i].how || got != ask_git(snapshots_dir(stage.s), stage.r, &c))
			fail_msg("%s: %s, Git was %sasked", table[i].item, answers[got],
				how == WITHOUT_GIT ? "not " : "");
		str_clear(&raw);
	}
	stage_clear(&stage);
}

/* What is too deep, or too much, to be looked at here is left to Git. */
static void test_bounds(void **state)
{
	struct stage stage = stage_new();
	struct oid base = snapshots_commit(stage.s, "a=1", NULL, 0);
	struct merges_case c = {.mode = MERGES_TELL_APART};
	struct str deep;
	enum ways how;

	(void)state;
	str_init(&deep);
	str_add(&deep, "a=1 ");
	for (int i = 0; i < 200; i++)
		str_add(&deep, "d/");
	str_add(&deep, "f=1");
	c.ours = snapshots_commit(stage.s, "a=1 b=1", &base, 1);
	c.theirs = snapshots_commit(stage.s, deep.buf, &base, 1);
	str_add(&deep, " b=1");
	c.result = snapshots_commit(stage.s, deep.buf, &c.ours, 1);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_AUTOMATIC);
	assert_int_equal(how, WITH_GIT);
	c.theirs = snapshots_commit(stage.s, "a=1 c=1", &base, 1);
	assert_int_equal(ask(&how, stage.m, &c), MERGES_DIFFERS);
	assert_int_equal(how, WITH_GIT);
	str_clear(&deep);
	stage_clear(&stage);
}

/* Paths of what nobody asked about are not made up. */
static void test_paths_unasked(void **state)
{
	struct stage stage = stage_new();
	struct oid base = snapshots_commit(stage.s, "a=1", NULL, 0);
	const struct merges_case c = {base, base, base, MERGES_TELL_APART, {{0}}};
	struct strlist paths = {0};
	struct err e = ERR_INIT;
	size_t total;

	(void)state;
	assert_int_equal(merges_paths(&paths, 3, &total, stage.m, &c, &e), -1);
	assert_string_equal(err_text(&e), "a merge was not asked for");
	err_clear(&e);
	stage_clear(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_only_whether),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_criss_cross),
		cmocka_unit_test(test_unrelated),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_odd_trees),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_paths_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
