/* Names of references: what is taken for one is what git takes, asked of git itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "gate/names.h"
#include "sys/files.h"
#include "sys/spawn.h"

#define CORPUS "tests/fuzz/corpus/ref-names" /* a line with a date format, or none, and a name */

/* 1 if git-check-ref-format(1) takes REF. */
static int git_takes(const char *ref)
{
	const char *const argv[] = {"git", "check-ref-format", ref, NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	int status;

	s.argv = argv;
	if (spawn_run(&s, &status, &e) != 0)
		fail_msg("%s", err_text(&e));
	return status == 0;
}

/* 1 if REF is the same to git and to us: git also takes names outside refs/, which no hook is given. */
static int agrees(const char *ref)
{
	int ours = names_is_ref(ref), its = git_takes(ref) && str_starts(ref, "refs/");

	if (ours != its)
		print_error("%s: we say %d, git says %d\n", ref, ours, its);
	return ours == its;
}

static void test_git(void **state)
{
	static const char *const forms[] = {"refs/heads/%s", "refs/heads/%s/x", "refs/heads/x/%s",
		"refs/heads/x%s", "refs/heads/%sx", "refs/%s", "%s"};
	static const char *const parts[] = {"a", "", ".", "..", ".a", "a.", "a.b", "a..b", "@",
		"@{", "@{a", "a@", "a@b", "a@{b", "{", "}", "lock", ".lock", "a.lock",
		"a.lock.lock", "a.lockb", "a.LOCK", "-", "-a", "--", "~", "a~1", "^", "a^", ":",
		"a:b", "?", "*", "a*b", "[", "]", "[a]", "\\", "a\\b", " ", "a b", "\t", "\n",
		"\x01", "\x1f", "\x7f", "\xc2\x80", "\xc3\xa4", "\xff", "/", "//", "a//b", "/a",
		"a/", "!", "\"", "#", "$", "%", "&", "'", "(", ")", "+", ",", ";", "<", "=", ">",
		"_", "`", "|", "HEAD", "refs"};
	int wrong = 0;

	(void)state;
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
			const char *at = strstr(forms[f], "%s");
			char *ref = mem_format(
				"%.*s%s%s", (int)(at - forms[f]), forms[f], parts[p], at + 2);

			wrong += !agrees(ref);
			free(ref);
		}
	assert_int_equal(wrong, 0);
}

static void test_corpus(void **state)
{
	DIR *dir = opendir(CORPUS);
	struct dirent *entry;
	int wrong = 0, n = 0;

	(void)state;
	if (dir == NULL)
		fail_msg("%s cannot be opened: run this at the top of the source", CORPUS);
	while ((entry = readdir(dir)) != NULL) {
		char *path = path_join(CORPUS, entry->d_name), *ref;
		struct str text;

		str_init(&text);
		if (entry->d_name[0] != '.') {
			assert_int_equal(files_read(path, 1 << 20, &text, NULL), 1);
			ref = strchr(text.buf, '\n');
			wrong += !agrees(ref != NULL ? ref + 1 : text.buf);
			n++;
		}
		str_clear(&text);
		free(path);
	}
	(void)closedir(dir); /* only read */
	assert_int_equal(wrong, 0);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
