/* Files that may not come in, on small histories. */
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
#include "gate/content.h"
#include "gate/finding.h"
#include "content-bench.h"
#include "sys/files.h"

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
	{"as if it were not there, for explain", "a+m.pkl b:a!m.pkl", "main=b", "main:0..b", "",
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
	{"one that is there, for explain", "a p:a+n.pkl r:p+x", "retrain-8-20260101=r",
		"retrain-8-20260101:0..r", "", "n.pkl@p", FORBID},
	/* deletions bring nothing */
	{"a deletion", "a+m.pkl", "main=a", "main:a..0", "", "", FORBID},
};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
