/* The words for files that a branch lacks, and for those that may not come in. */
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
#include "content-bench.h"
#include "gate/content.h"

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

/* A hundred bytes of a name, and what is left of another hundred where a name is cut at two hundred. */
#define TWENTY "abcdefghijklmnopqrst"
#define HUNDRED TWENTY TWENTY TWENTY TWENTY TWENTY
#define HUNDRED_TO_CUT TWENTY TWENTY TWENTY TWENTY "abcdefghijklmnopq"

static const struct words {
	struct row row;
	const char *reason; /* COMMIT is the short id of commit b, START its first twelve digits */
	const char *fix;
} cases[] = {
	{{"forbidden on dev", "a b:a+d/m.pkl m:a,b", "main=a dev=b", "main:a..m", "b=dev", NULL,
		 FORBID},
		"d/m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
		"take it out of the history: git switch dev && git pull --ff-only "
		"origin dev && git filter-branch -f "
		"--index-filter 'git rm -q --cached --ignore-unmatch -- d/m.pkl' "
		"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
		"git "
		"checkout START -- d/m.pkl && git rm -q --cached -- d/m.pkl && dvc add "
		"d/m.pkl"},
	{{"on the branch itself, the first commit", "b+my=123456", "", "main:0..b", "", NULL,
		 SMALL},
		"my in commit COMMIT \"b\" has 6 bytes; at most 5 bytes may come in",
		"take it out of the history: git switch main && git filter-branch -f "
		"--index-filter 'git rm -q --cached --ignore-unmatch -- my' HEAD && git "
		"push origin main; to keep it with DVC: git checkout START -- my && git rm "
		"-q --cached -- my && dvc add my"},
	{{"a path that a shell would not take", "a b:a+it's.pkl m:a,b", "main=a dev=b", "main:a..m",
		 "b=dev", NULL, FORBID},
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
	{{"a path with an ampersand", "a b:a+a&b.pkl m:a,b", "main=a dev=b", "main:a..m", "b=dev",
		 NULL, FORBID},
		"a&b.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
		"take it out of the history: git switch dev && git pull --ff-only "
		"origin dev && git filter-branch -f "
		"--index-filter 'git rm -q --cached --ignore-unmatch -- \"a&b.pkl\"' "
		"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
		"git "
		"checkout START -- \"a&b.pkl\" && git rm -q --cached -- \"a&b.pkl\" && dvc "
		"add \"a&b.pkl\""},
	{{"three at once", "a b:a+m.pkl+n.pkl+'.pkl m:a,b", "main=a dev=b", "main:a..m", "b=dev",
		 NULL, FORBID},
		"'.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in; nor "
		"may "
		"m.pkl, n.pkl",
		"take the file out of commit START and every later one with git "
		"filter-branch, and push the branch again"},
	{{"so many that not all are named", "a b:a+1.pkl+2.pkl+3.pkl+4.pkl+5.pkl+6.pkl+7.pkl m:a,b",
		 "main=a dev=b", "main:a..m", "b=dev", NULL, FORBID},
		"1.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in; nor "
		"may "
		"2.pkl, 3.pkl, 4.pkl, 5.pkl, 6.pkl and 1 more file",
		"take it out of the history: git switch dev && git pull --ff-only origin "
		"dev && git filter-branch -f --index-filter 'git rm -q --cached "
		"--ignore-unmatch -- 1.pkl 2.pkl 3.pkl 4.pkl 5.pkl 6.pkl 7.pkl' "
		"origin/main..HEAD && git push --force origin dev; to keep it with DVC: "
		"git checkout START -- 1.pkl && git rm -q --cached -- 1.pkl && dvc add "
		"1.pkl"},
	{{"a path just short enough",
		 "a b:a+" HUNDRED "23456789012345678901234567890123456789012345.pkl m:a,b",
		 "main=a dev=b", "main:a..m", "b=dev", NULL, FORBID},
		HUNDRED "23456789012345678901234567890123456789012345.pkl in commit COMMIT \"b\" "
			"matches *.pkl, which may not come in",
		"take it out of the history: git switch dev && git pull --ff-only origin dev && "
		"git "
		"filter-branch -f --index-filter 'git rm -q --cached --ignore-unmatch -- " HUNDRED
		"23456789012345678901234567890123456789012345.pkl' origin/main..HEAD && git push "
		"--force origin dev; to keep it with DVC: git checkout START -- " HUNDRED
		"23456789012345678901234567890123456789012345.pkl && git rm -q --cached -- " HUNDRED
		"23456789012345678901234567890123456789012345.pkl && dvc add " HUNDRED
		"23456789012345678901234567890123456789012345.pkl"},
	{{"a path too long", "a b:a+" HUNDRED HUNDRED "23.pkl m:a,b", "main=a dev=b", "main:a..m",
		 "b=dev", NULL, FORBID},
		HUNDRED HUNDRED_TO_CUT
		"... in commit COMMIT \"b\" matches *.pkl, which may not come in",
		"take the file out of commit START and every later one with git filter-branch, and "
		"push the branch again"},
	{{"main holds it", "a b:a+m.pkl p:a,b", "main=b prod=a", "prod:a..p", "b=main", NULL,
		 FORBID},
		"m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
		"main holds it already and is not rewritten: ask an admin for another "
		"forbid "
		"in [content]"},
	{{"main holds it, and somebody may override", "a b:a+m=123456 p:a,b", "main=b prod=a",
		 "prod:a..p", "b=main", NULL,
		 SMALL "[role \"r\"]\nmembers = x\n[override]\nrole = r\n"},
		"m in commit COMMIT \"b\" has 6 bytes; at most 5 bytes may come in",
		"main holds it already and is not rewritten: ask a member of the role r "
		"for "
		"git push -o modelgate.override=\"reason\""},
	{{"retraining", "a b:a+m.pkl", "main=a", "retrain-8-20260101:0..b", "", NULL, FORBID},
		"m.pkl in commit COMMIT \"b\" matches *.pkl, which may not come in",
		"let the retraining job keep it out of its commit (a model goes to DVC: "
		"dvc "
		"add), and retrain"},
};

static void test_words(void **state)
{
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

/* ---- required files ---- */

static const struct row required[] = {
	{"both are there", "a b:a+retrain.py+dag-retrain.py", "", "retrain:a..b", "", "", ""},
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
	{"an executable is one", "a b:a+dag-retrain.py+*retrain.py=x", "", "retrain:a..b", "", "",
		""},
	{"main asks for none", "a b:a", "", "main:a..b", "", "", ""},
	{"main asks for one in a folder", "a b:a+d/x", "", "main:a..b", "", "",
		"[branch \"main\"]\nrequire-files = d/x\n"},
	{"which is missing", "a b:a+d/y", "", "main:a..b", "",
		"d/x is missing, and main must hold it",
		"[branch \"main\"]\nrequire-files = d/x\n"},
	{"a retrain branch has a rule of its own", "a b:a", "", "retrain-7-20260101:0..b", "", "",
		""},
};

static void test_required(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		struct bench b;
		struct err e = ERR_INIT;
		struct strlist reasons = {0};
		char *text;

		open_bench(&b, &required[i]);
		if (content_judge_required(&b.verdict, &b.judge, &e) != 0)
			fail_msg("%s: %s", required[i].title, err_text(&e));
		for (size_t f = 0; f < b.verdict.n_findings; f++) {
			assert_int_equal(b.verdict.findings[f].code, CODE_REQUIRED_FILE);
			assert_string_equal(b.verdict.findings[f].section, "branch");
			assert_string_equal(b.verdict.findings[f].key, "require-files");
			strlist_add(&reasons, b.verdict.findings[f].reason);
		}
		text = strlist_join(&reasons, "|");
		if (strcmp(text, required[i].expected) != 0)
			fail_msg("%s: expected [%s], got [%s]", required[i].title,
				required[i].expected, text);
		free(text);
		strlist_clear(&reasons);
		close_bench(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
