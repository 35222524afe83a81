/* gate/copy: which of two hooks of ours passes. */
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

#include "base/mem.h"
#include "base/str.h"
#include "gate/copy.h"
#include "scratch.h"
#include "sys/files.h"
#include "sys/paths.h"

#define PIECE ((size_t)64 << 10) /* what copy.c reads at once */
#define OWN "repo.git/custom_hooks/pre-receive.d/50-modelgate"
#define GLOBAL "global/pre-receive.d/50-modelgate"

/* A regular file with TEXT in it. */
static void write_file(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(files_replace(path, text, strlen(text), mode, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void write_bytes(const char *path, const struct str *text, mode_t mode)
{
	assert_int_equal(files_replace(path, text->buf, text->len, mode, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A program of ours for the system file CONFIG. */
static void write_program(const char *path, const char *config, mode_t mode)
{
	struct str text;

	str_init(&text);
	str_add(&text, "x " PATHS_CONFIG_MARKER);
	str_add(&text, config);
	str_addn(&text, "\0" PATHS_MARKER "1.0", sizeof("\0" PATHS_MARKER "1.0"));
	write_bytes(path, &text, mode);
	str_clear(&text);
}

static void write_ours(const char *path, mode_t mode)
{
	write_program(path, paths_system_config(), mode);
}

static void make_folders(const char *const *names)
{
	for (; *names != NULL; names++)
		assert_int_equal(mkdir(*names, 0700), 0);
}

static int set_up(void **state)
{
	static const char *const folders[] = {"repo.git", "repo.git/hooks", "repo.git/custom_hooks",
		"repo.git/custom_hooks/pre-receive.d", "repo.git/custom_hooks/update.d", "global",
		"global/pre-receive.d", "global/update.d", "repo.git2", "repo.git2/pre-receive.d",
		NULL};

	if (scratch_make(state) != 0)
		return -1;
	make_folders(folders);
	return 0;
}

static int asks(const char *executed, const char *program)
{
	return copy_judges_for(executed, program, "repo.git", "pre-receive");
}

static void test_who_passes(void **state)
{
	static const struct {
		const char *executed;
		const char *program;
		int passes;
	} rows[] = {
		{GLOBAL, GLOBAL, 1},
		{GLOBAL, GLOBAL " (deleted)", 1}, /* it was replaced while it ran */
		{"repo.git2/pre-receive.d/50-modelgate", "repo.git2/pre-receive.d/50-modelgate", 1},
		{OWN, OWN, 0},
		{OWN, OWN " (deleted)", 0},
		/* The repository's folder was moved away while its hook ran. */
		{OWN, GLOBAL " (deleted)", 0},
		{GLOBAL, OWN, 0},
		/* How plain Git runs them, or a hook that hands over. */
		{"repo.git/hooks/pre-receive", "repo.git/hooks/pre-receive", 0},
		{"hooks/pre-receive", "repo.git/hooks/pre-receive", 0},
		{"global/pre-receive", "global/pre-receive", 0},
		{"global/pre-receive.d/60-other", "global/pre-receive.d/60-other", 0},
		{"global/update.d/50-modelgate", "global/update.d/50-modelgate", 0},
		{"nowhere/pre-receive.d/50-modelgate", "nowhere/pre-receive.d/50-modelgate", 0},
		{NULL, GLOBAL, 0},
		{GLOBAL, NULL, 0},
		{"", "", 0},
	};

	(void)state;
	write_ours(OWN, 0700);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (asks(rows[i].executed, rows[i].program) != rows[i].passes)
			fail_msg("%s, %s: not %d", rows[i].executed, rows[i].program,
				rows[i].passes);
}

/* What Gitaly would not run, or what is not ours, judges nothing. */
static void test_which_copy_counts(void **state)
{
	char *longer;

	(void)state;
	(void)unlink(OWN);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	write_ours(OWN, 0600);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	/* One that does not say which system file it goes by, or says another. */
	write_file(OWN, "x " PATHS_MARKER "1.0", 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	write_program(OWN, "/elsewhere/etc/modelgate/modelgate.ini", 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	longer = mem_format("%s2", paths_system_config());
	write_program(OWN, longer, 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	free(longer);
	write_file(OWN, "#!/bin/sh\nexit 0\n", 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	write_file(OWN, "", 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	write_ours(GLOBAL, 0700);
	assert_int_equal(unlink(OWN), 0);
	assert_int_equal(symlink("../../../" GLOBAL, OWN), 0);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	assert_int_equal(unlink(OWN), 0);
	assert_int_equal(mkdir(OWN, 0700), 0);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	assert_int_equal(rmdir(OWN), 0);
	write_ours(OWN, 0700);
	assert_int_equal(asks(GLOBAL, GLOBAL), 1);
}

/* Wherever in the program it stands, so across what is read at once as well. */
static void test_where_the_mark_stands(void **state)
{
	size_t len;
	const char *mark = paths_mark(&len);
	struct str text;

	(void)state;
	for (size_t end = PIECE - 1; end <= PIECE + len + 1; end++) {
		str_init(&text);
		for (size_t i = 0; i < end - len; i++)
			str_addc(&text, 'm');
		str_addn(&text, mark, len);
		for (size_t i = 0; i < PIECE + 5; i++)
			str_addc(&text, 'm');
		write_bytes(OWN, &text, 0700);
		str_clear(&text);
		if (asks(GLOBAL, GLOBAL) != 1)
			fail_msg("not found with its end at %zu", end);
	}
	write_ours(OWN, 0700);
}

/* The repository's folder is a link to the global one: that hook is the only one there is. */
static void test_a_shared_folder(void **state)
{
	(void)state;
	write_ours(GLOBAL, 0700);
	assert_int_equal(rename("repo.git/custom_hooks", "aside"), 0);
	assert_int_equal(symlink("../global", "repo.git/custom_hooks"), 0);
	assert_int_equal(asks(GLOBAL, GLOBAL), 0);
	assert_int_equal(asks(OWN, GLOBAL), 0);
	assert_int_equal(unlink("repo.git/custom_hooks"), 0);
	assert_int_equal(rename("aside", "repo.git/custom_hooks"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_passes),
		cmocka_unit_test(test_which_copy_counts),
		cmocka_unit_test(test_where_the_mark_stands),
		cmocka_unit_test(test_a_shared_folder),
	};

	return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
