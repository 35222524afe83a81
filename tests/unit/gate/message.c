/* What merge commits say that they merged, in every wording of git and GitLab. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "gate/message.h"

static void test_wordings(void **state)
{
	static const struct {
		const char *message;
		const char *branch; /* NULL: it names none */
	} rows[] = {
		{"Merge branch 'x'", "x"},
		{"Merge branch 'x'\n", "x"},
		{"Merge branch 'x' into y", "x"},
		{"Merge branch 'feature/x-1' into 'y'\n\nTitle\n\nSee merge request "
		 "group/project!12",
			"feature/x-1"},
		{"Merge branch 'x' of gitlab.example.com:group/project into y", "x"},
		{"Merge branch 'x' of https://gitlab.example.com/group/project", "x"},
		{"Merge branch 'x' (early part) into y", "x"},
		{"Merge branch 'x'\r\n\r\nTitle", "x"},
		{"\n  Merge branch 'x'", "x"},
		{"Merge branch 'it's' into y", "it's"},
		{"Merge branch '\xc3\xa4'", "\xc3\xa4"},
		{"Merge branches 'a' and 'b'", "a"},
		{"Merge branches 'a', 'b' and 'c' into y", "a"},
		{"Merge remote-tracking branch 'origin/x'", "x"},
		{"Merge remote-tracking branch 'origin/feature/x' into y", "feature/x"},
		{"Merge remote-tracking branches 'origin/x' and 'origin/y'", "x"},
		{"Merge pull request #1 from owner/branch", "branch"},
		{"Merge pull request #123 from owner/feature/x\n\nTitle", "feature/x"},
		/* no branch */
		{"", NULL},
		{" \n", NULL},
		{"Merge", NULL},
		{"Merge branch", NULL},
		{"Merge branch ", NULL},
		{"Merge branch x", NULL},
		{"Merge branch '", NULL},
		{"Merge branch 'x", NULL},
		{"Merge branch 'x\n'", NULL},
		{"Merge branch ''", NULL},
		{"Merge branch '' into y", NULL},
		{"Merge tag 'v1'", NULL},
		{"Merge tag 'v1' into y", NULL},
		{"Merge commit 'abc'", NULL},
		{"Merge commit '0123456789abcdef0123456789abcdef01234567' into y", NULL},
		{"Merge remote-tracking branch 'origin'", NULL},
		{"Merge remote-tracking branch 'origin/'", NULL},
		{"Merge pull request #1 from branch", NULL},
		{"Merge pull request from owner/branch", NULL},
		{"merge branch 'x'", NULL},
		{"Title\n\nMerge branch 'x' into y", NULL},
		{"Title\n\nSee merge request group/project!12", NULL},
		{"Revert \"Merge branch 'x' into 'y'\"", NULL},
		/* what git would take for no branch */
		{"Merge branch 'a b'", NULL},
		{"Merge branch 'a..b'", NULL},
		{"Merge branch 'a\x1b[31m'", NULL},
		{"Merge branch 'a\x7f'", NULL},
		{"Merge branch 'a\tb'", NULL},
		{"Merge branch '/a'", NULL},
		{"Merge branch 'a.lock'", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *branch = message_branch(rows[i].message);

		if (!str_same(branch, rows[i].branch))
			fail_msg("%s: expected %s, got %s", rows[i].message,
				rows[i].branch ? rows[i].branch : "none", branch ? branch : "none");
		free(branch);
	}
}

static void test_length(void **state)
{
	static const struct {
		int length;
		int is_named;
	} rows[] = {{1, 1}, {900, 1}, {1100, 0}, {1000000, 0}};
	static const char *const forms[] = {"Merge branch '%s' into y",
		"Merge remote-tracking branch 'o/%s'", "Merge pull request #1 from o/%s"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *name = mem_zalloc((size_t)rows[i].length + 1, 1);

		memset(name, 'x', (size_t)rows[i].length);
		for (size_t j = 0; j < sizeof(forms) / sizeof(forms[0]); j++) {
			const char *at = strchr(forms[j], '%');
			char *message = mem_format(
				"%.*s%s%s", (int)(at - forms[j]), forms[j], name, at + 2);
			char *branch = message_branch(message);

			assert_int_equal(branch != NULL, rows[i].is_named);
			free(branch);
			free(message);
		}
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wordings),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
