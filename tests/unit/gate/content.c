/* Files that a branch must hold, and files that may not come in, on small histories. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/content.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/repository.h"
#include "history.h"
#include "sys/files.h"

#define FORBID "[content]\nforbid = *.pkl, .env, secrets/*\n"
#define SMALL "[content]\nmax-file-size = 5\n"

struct row {
	const char *title;
	const char *history;
	const char *refs;     /* before the push */
	const char *update;   /* "BRANCH:OLD..NEW" */
	const char *merged;   /* "COMMIT=BRANCH ...": what the judge traced */
	const char *expected; /* "PATH@COMMIT ..." of the findings */
	const char *config;
};

static const struct row rows[] = {
	/* what is asked */
	{"nothing is asked", "a b:a+m.pkl", "main=a", "main:a..b", "", "", ""},
	{"nothing that is forbidden", "a b:a+m.py", "main=a", "main:a..b", "", "", FORBID},
	{"forbidden", "a b:a+m.pkl", "main=a", "main:a..b", "", "m.pkl@b", FORBID},
	{"forbidden in a folder", "a b:a+d/e/m.pkl", "main=a", "main:a..b", "", "d/e/m.pkl@b",
		FORBID},
	{"a name without a glob in a folder", "a b:a+d/.env", "main=a", "main:a..b", "", "d/.env@b",
		FORBID},
	{"that name as a part of one", "a b:a+d/my.env+.env.txt+.envs/x", "main=a", "main:a..b", "",
		"", FORBID},
	{"below a folder", "a b:a+secrets/d/x", "main=a", "main:a..b", "", "secrets/d/x@b", FORBID},
	{"the folder in another one", "a b:a+d/secrets/x", "main=a", "main:a..b", "", "", FORBID},
	{"a link", "a b:a+>m.pkl=x", "main=a", "main:a..b", "", "m.pkl@b", FORBID},
	{"an executable", "a b:a+*m.pkl=x", "main=a", "main:a..b", "", "m.pkl@b", FORBID},
	{"just as large as it may be", "a b:a+x=12345", "main=a", "main:a..b", "", "", SMALL},
	{"a byte larger", "a b:a+x=123456", "main=a", "main:a..b", "", "x@b", SMALL},
	{"a long target of a link", "a b:a+>x=123456", "main=a", "main:a..b", "", "x@b", SMALL},
	{"both at once", "a b:a+x=123456+m.pkl=1234567", "main=a", "main:a..b", "", "m.pkl@b x@b",
		FORBID "max-file-size = 5\n"},
	/* what is new */
	{"there already", "a+m.pkl b:a+x", "main=a", "main:a..b", "", "", FORBID},
	{"there already, taken away", "a+m.pkl b:a!m.pkl", "main=a", "main:a..b", "", "", FORBID},
	{"there already, changed", "a+m.pkl b:a+m.pkl=2", "main=a", "main:a..b", "", "m.pkl@b",
		FORBID},
	{"there already, made executable", "a+m.pkl=1 b:a+*m.pkl=1", "main=a", "main:a..b", "", "",
		FORBID},
	{"there already, at a new path", "a+m=1 b:a!m+m.pkl=1", "main=a", "main:a..b", "",
		"m.pkl@b", FORBID},
	{"a folder becomes a file", "a+m.pkl/x=1 b:a!m.pkl/x+m.pkl=1", "main=a", "main:a..b", "",
		"m.pkl@b", FORBID},
	{"in the middle, undone later", "a b:a+m.pkl c:b!m.pkl d:c+x", "main=a", "main:a..d", "",
		"m.pkl@b", FORBID},
	{"large in the middle", "a b:a+x=123456 c:b+x=1", "main=a", "main:a..c", "", "x@b", SMALL},
	{"one finding a path, where it came in", "a b:a+m.pkl c:b+m.pkl=2 d:c+m.pkl=3", "main=a",
		"main:a..d", "", "m.pkl@b", FORBID},
	{"two paths", "a b:a+m.pkl c:b+n.pkl", "main=a", "main:a..c", "", "m.pkl@b n.pkl@c",
		FORBID},
	/* merges: what a merged commit brings is told of that commit */
	{"by a merged commit", "a d:a+m.pkl m:a,d", "main=a dev=d", "main:a..m", "d=dev", "m.pkl@d",
		FORBID},
	{"undone before it is merged", "a d:a+m.pkl d2:d!m.pkl m:a,d2", "main=a dev=d2",
		"main:a..m", "d2=dev", "m.pkl@d", FORBID},
	{"by the merge itself", "a d:a+x m:a,d+m.pkl", "main=a dev=d", "main:a..m", "d=dev",
		"m.pkl@m", FORBID},
	{"a merge of what both parents changed", "a+x=1 d:a+x=3 m1:a+x=2 m:m1,d+x=123456",
		"main=m1 dev=d", "main:m1..m", "d=dev", "x@m", SMALL},
	{"back-merge of what the branch holds", "a b:a+m.pkl d:a+x d2:d,b m:b,d2", "main=b dev=d2",
		"main:b..m", "d2=dev", "", FORBID},
	{"an octopus", "a d:a+m.pkl f:a+n.pkl m:a,d,f", "main=a dev=d", "main:a..m", "d=dev",
		"m.pkl@d n.pkl@f", FORBID},
	{"fast-forward", "a d:a+m.pkl e:d+x", "main=a dev=e", "main:a..e", "e=dev", "m.pkl@d",
		FORBID},
	/* creations */
	{"the first commit of all", "a+m.pkl b:a!m.pkl", "", "main:0..b", "", "m.pkl@a", FORBID},
	{"in the tree of the first tip", "a+m.pkl b:a+x", "", "main:0..b", "", "m.pkl@a", FORBID},
	{"only dev holds the history", "a+m.pkl b:a!m.pkl", "dev=b", "main:0..b", "b=dev",
		"m.pkl@a", FORBID},
	{"a branch with rules holds the history", "a+m.pkl b:a!m.pkl c:b+x", "main=b dev=c",
		"prod:0..b", "b=main", "", FORBID},
	{"which holds the tip, but this is the branch's first tree", "a+m.pkl b:a+x", "main=b",
		"prod:0..b", "b=main", "m.pkl@b", FORBID},
	{"a configured branch that nobody holds", "a+m.pkl b:a!m.pkl", "", "release:0..b", "",
		"m.pkl@a", FORBID "[branch \"release\"]\nmerge-from = main\n"},
	{"a retrain branch holds the history", "a+m.pkl b:a!m.pkl", "retrain-9-20260101=b",
		"prod:0..b", "", "", FORBID},
	{"no branch with rules has that name", "a+m.pkl b:a!m.pkl", "retrain-x=b", "prod:0..b", "",
		"m.pkl@a", FORBID},
	/* retrain branches: pipeline 7 was made for commit p, 8 is not known */
	{"what the retraining brings", "p+n.pkl r:p+m.pkl", "main=p", "retrain-7-20260101:0..r", "",
		"m.pkl@r", FORBID},
	{"what it brings and takes away", "p+n.pkl r:p+m.pkl s:r!m.pkl", "",
		"retrain-7-20260101:0..s", "", "m.pkl@r", FORBID},
	{"what was there before it", "a p:a+n.pkl r:p+x", "main=a", "retrain-7-20260101:0..r", "",
		"", FORBID},
	{"an unknown pipeline, after main", "a p:a+n.pkl r:p+x", "main=a",
		"retrain-8-20260101:0..r", "", "n.pkl@p", FORBID},
	{"an unknown pipeline, on main", "a p:a+n.pkl r:p+x", "main=p", "retrain-8-20260101:0..r",
		"", "", FORBID},
	/* deletions bring nothing */
	{"a deletion", "a+m.pkl", "main=a", "main:a..0", "", "", FORBID},
};

/* ---- a judge by hand, of one update ---- */

struct bench {
	struct history *history;
	struct config *config;
	struct push push;
	struct judge judge;
	struct verdict verdict;
	struct past past;
};

static int is_deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)chain;
	(void)e;
	if (strcmp(id, "7") != 0)
		return 0;
	*commit = history_oid(context, "p");
	return 1;
}

static int is_landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)ref;
	(void)tip;
	(void)e;
	return 0;
}

static int each_used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)prefix;
	(void)each;
	(void)arg;
	(void)e;
	return 0;
}

static void note_merged(struct bench *b, const char *text)
{
	struct strlist words = {0};

	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++) {
		char *branch = strchr(words.v[i], '='), hex[OID_HEX_SIZE], *line;
		struct oid oid;

		*branch++ = '\0';
		oid = history_oid(b->history, words.v[i]);
		oid_hex(&oid, hex);
		line = mem_format("%s refs/heads/%s", hex, branch);
		strlist_add(&b->verdict.merged, line);
		free(line);
	}
	strlist_clear(&words);
}

static void fill_push(struct bench *b, const char *update)
{
	char *text = mem_strdup(update), *old = strchr(text, ':'), *new = strstr(old, "..");
	char old_hex[OID_HEX_SIZE], new_hex[OID_HEX_SIZE], *ref;
	struct oid oid;

	*old++ = '\0';
	*new = '\0';
	oid = history_oid(b->history, old);
	oid_hex(&oid, old_hex);
	oid = history_oid(b->history, new + 2);
	oid_hex(&oid, new_hex);
	ref = mem_format("refs/heads/%s", text);
	assert_int_equal(push_add(&b->push, ref, old_hex, new_hex, NULL), PUSH_OK);
	assert_int_equal(push_resolve(&b->push, history_dir(b->history), NULL), 0);
	free(ref);
	free(text);
}

static void open_bench(struct bench *b, const struct row *row)
{
	struct err e = ERR_INIT;

	memset(b, 0, sizeof(*b));
	if (config_parse(&b->config, row->config, strlen(row->config), "test.ini", &e) != 0)
		fail_msg("%s: %s", row->title, err_text(&e));
	b->history = history_new(row->history);
	history_refs(b->history, row->refs);
	fill_push(b, row->update);
	b->judge.view.config = b->config;
	b->judge.view.push = &b->push;
	b->past = (struct past){is_landed, each_used, is_deployed, b->history};
	b->judge.view.past = &b->past;
	b->judge.gitdir = history_dir(b->history);
	if (repository_open(&b->judge.view.repository, b->judge.gitdir, REPOSITORY_OBJECTS, &e) !=
		0)
		fail_msg("%s: %s", row->title, err_text(&e));
	b->verdict.update = &b->push.v[0];
	policy_rule(&b->verdict.rule, b->config, b->verdict.update->target);
	note_merged(b, row->merged);
}

static void close_bench(struct bench *b)
{
	verdict_clear(&b->verdict);
	judge_clear(&b->judge);
	push_clear(&b->push);
	config_free(b->config);
	history_free(b->history);
}

/* ---- the rows ---- */

/* "PATH@COMMIT" of a reason "PATH in commit 1234567 ...", COMMIT by its name in TEXT. */
static char *short_reason(const struct bench *b, const char *text, const char *reason)
{
	const char *in = strstr(reason, " in commit ");
	struct strlist words = {0};
	char *found = NULL;

	assert_non_null(in);
	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n && found == NULL; i++) {
		char hex[OID_HEX_SIZE];
		struct oid oid;

		words.v[i][strcspn(words.v[i], ":+!@")] = '\0';
		oid = history_oid(b->history, words.v[i]);
		oid_hex(&oid, hex);
		if (strncmp(in + strlen(" in commit "), hex, OID_SHORT) == 0)
			found = mem_format("%.*s@%s", (int)(in - reason), reason, words.v[i]);
	}
	strlist_clear(&words);
	return found != NULL ? found : mem_strdup(reason);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The findings as a row has them, in order of path. */
static char *findings(const struct bench *b, const struct row *row)
{
	struct strlist list = {0};
	char *text;

	for (size_t i = 0; i < b->verdict.n_findings; i++) {
		const struct finding *f = &b->verdict.findings[i];
		char *one = short_reason(b, row->history, f->reason);

		assert_int_equal(f->code, CODE_FORBIDDEN_FILE);
		assert_string_equal(f->section, "content");
		strlist_add(&list, one);
		free(one);
	}
	if (list.n > 0)
		qsort(list.v, list.n, sizeof(*list.v), compare);
	text = strlist_join(&list, " ");
	strlist_clear(&list);
	return text;
}

static void test_blobs(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct err e = ERR_INIT;
		char *found;

		open_bench(&b, &rows[i]);
		if (content_judge_blobs(&b.verdict, &b.judge, &e) != 0)
			fail_msg("%s: %s", rows[i].title, err_text(&e));
		found = findings(&b, &rows[i]);
		if (strcmp(found, rows[i].expected) != 0) {
			print_error("%s: expected [%s], got [%s]\n", rows[i].title,
				rows[i].expected, found);
			wrong++;
		}
		free(found);
		close_bench(&b);
	}
	assert_int_equal(wrong, 0);
}

/* ---- the words ---- */

/* TEXT with what it says of commit b filled in. */
static char *fill_in(const struct bench *b, const char *text)
{
	struct oid oid = history_oid(b->history, "b");
	char hex[OID_HEX_SIZE];
	struct str s;

	oid_hex(&oid, hex);
	str_init(&s);
	for (; *text != '\0'; text++)
		if (str_starts(text, "COMMIT")) {
			str_addn(&s, hex, 7);
			text += strlen("COMMIT") - 1;
		} else if (str_starts(text, "START")) {
			str_addn(&s, hex, 12);
			text += strlen("START") - 1;
		} else {
			str_addc(&s, *text);
		}
	return str_steal(&s);
}

static void test_words(void **state)
{
	static const struct {
		struct row row;
		const char *
			reason; /* COMMIT is the short id of commit b, START its first twelve digits */
		const char *fix;
	} cases[] = {
		{{"forbidden on dev", "a b:a+d/m.pkl m:a,b", "main=a dev=b", "main:a..m", "b=dev",
			 NULL, FORBID},
			"d/m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"take it out of the history: git switch dev && git pull --ff-only "
			"origin dev && git filter-branch -f "
			"--index-filter 'git rm -q --cached --ignore-unmatch -- d/m.pkl' "
			"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
			"git "
			"checkout START -- d/m.pkl && git rm -q --cached -- d/m.pkl && dvc add "
			"d/m.pkl"},
		{{"on the branch itself, the first commit", "b+my=123456", "", "main:0..b", "",
			 NULL, SMALL},
			"my in commit COMMIT \"b\" has 6 bytes; at most 5 bytes may come in",
			"take it out of the history: git switch main && git filter-branch -f "
			"--index-filter 'git rm -q --cached --ignore-unmatch -- my' HEAD && git "
			"push origin main; to keep it with DVC: git checkout START -- my && git rm "
			"-q --cached -- my && dvc add my"},
		{{"a path that a shell would not take", "a b:a+it's.pkl m:a,b", "main=a dev=b",
			 "main:a..m", "b=dev", NULL, FORBID},
			"it's.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"take the file out of commit START and every later one with git "
			"filter-branch, "
			"and push the branch again"},
		{{"a path that a terminal would take", "a b:a+\x1b[2J.pkl m:a,b", "main=a dev=b",
			 "main:a..m", "b=dev", NULL, FORBID},
			"\\x1b[2J.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"take the file out of commit START and every later one with git "
			"filter-branch, "
			"and push the branch again"},
		{{"a path with an ampersand", "a b:a+a&b.pkl m:a,b", "main=a dev=b", "main:a..m",
			 "b=dev", NULL, FORBID},
			"a&b.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"take it out of the history: git switch dev && git pull --ff-only "
			"origin dev && git filter-branch -f "
			"--index-filter 'git rm -q --cached --ignore-unmatch -- \"a&b.pkl\"' "
			"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
			"git "
			"checkout START -- \"a&b.pkl\" && git rm -q --cached -- \"a&b.pkl\" && dvc "
			"add \"a&b.pkl\""},
		{{"three at once", "a b:a+m.pkl+n.pkl+'.pkl m:a,b", "main=a dev=b", "main:a..m",
			 "b=dev", NULL, FORBID},
			"'.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in; nor "
			"may "
			"m.pkl, n.pkl",
			"take the file out of commit START and every later one with git "
			"filter-branch, and push the branch again"},
		{{"so many that not all are named",
			 "a b:a+1.pkl+2.pkl+3.pkl+4.pkl+5.pkl+6.pkl+7.pkl m:a,b", "main=a dev=b",
			 "main:a..m", "b=dev", NULL, FORBID},
			"1.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in; nor "
			"may "
			"2.pkl, 3.pkl, 4.pkl, 5.pkl, 6.pkl and 1 more file",
			"take it out of the history: git switch dev && git pull --ff-only origin "
			"dev && git filter-branch -f --index-filter 'git rm -q --cached "
			"--ignore-unmatch -- 1.pkl 2.pkl 3.pkl 4.pkl 5.pkl 6.pkl 7.pkl' "
			"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
			"git checkout START -- 1.pkl && git rm -q --cached -- 1.pkl && dvc add "
			"1.pkl"},
		{{"main holds it", "a b:a+m.pkl p:a,b", "main=b prod=a", "prod:a..p", "b=main",
			 NULL, FORBID},
			"m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"main holds it already and is not rewritten: ask an admin for another "
			"forbid "
			"in [content]"},
		{{"main holds it, and somebody may override", "a b:a+m=123456 p:a,b",
			 "main=b prod=a", "prod:a..p", "b=main", NULL,
			 SMALL "[role \"r\"]\nmembers = x\n[override]\nrole = r\n"},
			"m in commit COMMIT \"b\" has 6 bytes; at most 5 bytes may come in",
			"main holds it already and is not rewritten: ask a member of the role r "
			"for "
			"git push -o modelgate.override=\"reason\""},
		{{"retraining", "a b:a+m.pkl", "main=a", "retrain-8-20260101:0..b", "", NULL,
			 FORBID},
			"m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
			"let the retraining job keep it out of its commit (a model goes to DVC: "
			"dvc "
			"add), and retrain"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		struct err e = ERR_INIT;
		char *reason, *fix;

		open_bench(&b, &cases[i].row);
		if (content_judge_blobs(&b.verdict, &b.judge, &e) != 0)
			fail_msg("%s: %s", cases[i].row.title, err_text(&e));
		assert_true(b.verdict.n_findings > 0);
		reason = fill_in(&b, cases[i].reason);
		fix = fill_in(&b, cases[i].fix);
		assert_string_equal(b.verdict.findings[0].reason, reason);
		assert_string_equal(b.verdict.findings[0].fix, fix);
		assert_string_equal(b.verdict.findings[0].key,
			strstr(reason, "matches") != NULL ? "forbid" : "max-file-size");
		free(fix);
		free(reason);
		close_bench(&b);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *limit;
		size_t size;
		const char *expected; /* NULL: it may come in */
	} rows_of_sizes[] = {
		{"1k", 1024, NULL},
		{"1k", 1025, "has 1025 bytes; at most 1024 may come in"},
		{"1k", 1127, "has 1.1 kB; at most 1 kB may come in"},
		{"1M", 1048576, NULL},
		{"1M", 1048577, "has 1048577 bytes; at most 1048576 may come in"},
		{"1M", 12897485, "has 12.3 MB; at most 1 MB may come in"},
		{"1500", 3000, "has 2.9 kB; at most 1.4 kB may come in"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows_of_sizes) / sizeof(rows_of_sizes[0]); i++) {
		char *content = mem_zalloc(rows_of_sizes[i].size + 1, 1);
		char *history, *config;
		struct row row = {"sizes", NULL, "main=a", "main:a..b", "", NULL, NULL};
		struct bench b;

		memset(content, 'x', rows_of_sizes[i].size);
		history = mem_format("a b:a+x=%s", content);
		config = mem_format("[content]\nmax-file-size = %s\n", rows_of_sizes[i].limit);
		row.history = history;
		row.config = config;
		open_bench(&b, &row);
		assert_int_equal(content_judge_blobs(&b.verdict, &b.judge, NULL), 0);
		assert_int_equal(b.verdict.n_findings, rows_of_sizes[i].expected != NULL);
		if (rows_of_sizes[i].expected != NULL &&
			strstr(b.verdict.findings[0].reason, rows_of_sizes[i].expected) == NULL)
			fail_msg("%s is not: %s", b.verdict.findings[0].reason,
				rows_of_sizes[i].expected);
		close_bench(&b);
		free(config);
		free(history);
		free(content);
	}
}

/* As many findings as of any code, and no more. */
static void test_many(void **state)
{
	struct row row = {"many", NULL, "main=a", "main:a..b", "", NULL, FORBID};
	struct str history;
	struct bench b;

	(void)state;
	str_init(&history);
	str_add(&history, "a b:a");
	for (int i = 0; i < 200; i++)
		str_addf(&history, "+%d.pkl", i);
	row.history = history.buf;
	open_bench(&b, &row);
	assert_int_equal(content_judge_blobs(&b.verdict, &b.judge, NULL), 0);
	assert_int_equal(b.verdict.n_findings, FINDING_MAX_OF_A_CODE);
	close_bench(&b);
	str_clear(&history);
}

/* ---- what cannot be told ---- */

static void remove_object(const struct bench *b, const struct oid *oid)
{
	char hex[OID_HEX_SIZE], *path;

	oid_hex(oid, hex);
	path = mem_format("%s/objects/%.2s/%s", history_dir(b->history), hex, hex + 2);
	assert_int_equal(files_remove_tree(path, NULL), 0);
	free(path);
}

static void parse(struct oid *out, const char *hex)
{
	assert_int_equal(oid_parse(out, hex), 0);
}

static void test_missing(void **state)
{
	/* git hash-object of "123456" without a newline */
	static const char blob[] = "4632e068d5889f042fe2d9254a9295e5f31a26c7";
	static const struct {
		const char *config;
		const char *update;
		enum { BLOB, COMMIT } what;
		int result;
	} cases[] = {
		{SMALL, "main:a..b", BLOB, -1},
		{FORBID, "main:a..b", BLOB, 0}, /* its name is enough */
		{SMALL, "main:b..c", BLOB, 0},  /* it is not new */
		{FORBID, "main:a..c", COMMIT, -1}, {SMALL, "prod:0..c", COMMIT, -1},
		{"", "main:a..c", COMMIT, 0}, /* nothing is asked, nothing is looked at */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row row = {"missing", "a b:a+x=123456 c:b+y", "", NULL, "", NULL, NULL};
		struct bench b;
		struct err e = ERR_INIT;
		struct oid gone;
		int result;

		row.update = cases[i].update;
		row.config = cases[i].config;
		open_bench(&b, &row);
		if (cases[i].what == BLOB)
			parse(&gone, blob);
		else
			gone = history_oid(b.history, "b");
		remove_object(&b, &gone);
		result = content_judge_blobs(&b.verdict, &b.judge, &e);
		if (result != cases[i].result || (result != 0) != (e.text != NULL))
			fail_msg("case %zu: %d, %s", i, result, err_text(&e));
		err_clear(&e);
		close_bench(&b);
	}
}

/* ---- required files ---- */

static void test_required(void **state)
{
	static const struct row cases[] = {
		{"both are there", "a b:a+retrain.py+dag-retrain.py", "", "retrain:a..b", "", "",
			""},
		{"one is missing", "a b:a+retrain.py", "", "retrain:a..b", "",
			"dag-retrain.py is missing, and retrain must hold it", ""},
		{"both are missing", "a b:a", "", "retrain:a..b", "",
			"retrain.py is missing, and retrain must hold it|dag-retrain.py is "
			"missing, and retrain must hold it",
			""},
		{"of a creation", "a b:a+retrain.py", "", "retrain:0..b", "",
			"dag-retrain.py is missing, and retrain must hold it", ""},
		{"a folder is no file", "a b:a+dag-retrain.py+retrain.py/x", "", "retrain:a..b", "",
			"retrain.py is missing, and retrain must hold it", ""},
		{"a link is no file", "a b:a+dag-retrain.py+>retrain.py=x", "", "retrain:a..b", "",
			"retrain.py is missing, and retrain must hold it", ""},
		{"an executable is one", "a b:a+dag-retrain.py+*retrain.py=x", "", "retrain:a..b",
			"", "", ""},
		{"main asks for none", "a b:a", "", "main:a..b", "", "", ""},
		{"main asks for one in a folder", "a b:a+d/x", "", "main:a..b", "", "",
			"[branch \"main\"]\nrequire-files = d/x\n"},
		{"which is missing", "a b:a+d/y", "", "main:a..b", "",
			"d/x is missing, and main must hold it",
			"[branch \"main\"]\nrequire-files = d/x\n"},
		{"a retrain branch has a rule of its own", "a b:a", "", "retrain-7-20260101:0..b",
			"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		struct err e = ERR_INIT;
		struct strlist reasons = {0};
		char *text;

		open_bench(&b, &cases[i]);
		if (content_judge_required(&b.verdict, &b.judge, &e) != 0)
			fail_msg("%s: %s", cases[i].title, err_text(&e));
		for (size_t f = 0; f < b.verdict.n_findings; f++) {
			assert_int_equal(b.verdict.findings[f].code, CODE_REQUIRED_FILE);
			assert_string_equal(b.verdict.findings[f].section, "branch");
			assert_string_equal(b.verdict.findings[f].key, "require-files");
			strlist_add(&reasons, b.verdict.findings[f].reason);
		}
		text = strlist_join(&reasons, "|");
		if (strcmp(text, cases[i].expected) != 0)
			fail_msg("%s: expected [%s], got [%s]", cases[i].title, cases[i].expected,
				text);
		free(text);
		strlist_clear(&reasons);
		close_bench(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
