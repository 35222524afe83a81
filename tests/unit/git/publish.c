/* One file committed to a bare repository: made on first use, raced for, left half done by the dead. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "base/err.h"
#include "base/str.h"
#include "git/leftovers.h"
#include "git/publish.h"
#include "git/repository.h"
#include "scratch.h"
#include "sys/files.h"

#define REPOSITORY "x/dags.git"

static int publish(const char *path, const char *content, struct oid *commit, struct err *e)
{
	const struct publish p = {.repository = REPOSITORY,
		.branch = "main",
		.path = path,
		.content = content,
		.len = strlen(content),
		.author_name = "modelgate",
		.author_email = "m@localhost",
		.time = 1767225600,
		.message = "Deploy\n"};

	return publish_file(&p, commit, e);
}

static void must_publish(const char *path, const char *content, int expected, struct oid *commit)
{
	struct err e = ERR_INIT;
	int result = publish(path, content, commit, &e);

	if (result != expected)
		fail_msg("%s = %s: %d, not %d (%s)", path, content, result, expected, err_text(&e));
	err_clear(&e);
}

static void assert_holds(const char *path, const char *expected)
{
	struct str text;
	int found;

	str_init(&text);
	found = publish_read(REPOSITORY, "main", path, 100, &text, NULL);
	if (found != (expected != NULL) || !str_same(text.buf, expected))
		fail_msg("%s: %d \"%s\"", path, found, text.buf);
	str_clear(&text);
}

/* Commits from the tip of main down to the root. */
static int count_commits(void)
{
	struct repository *r = NULL;
	struct oid at;
	int n = 0, more;

	assert_int_equal(repository_open(&r, REPOSITORY, REPOSITORY_OBJECTS, NULL), 0);
	more = repository_tip(r, "refs/heads/main", &at, NULL);
	for (; more == 1; n++) {
		struct commit c;

		assert_int_equal(commit_read(&c, r, &at, NULL), 0);
		more = c.n_parents > 0;
		if (more)
			at = c.parents[0];
		commit_clear(&c);
	}
	repository_free(r);
	return n;
}

static void test_publish(void **state)
{
	struct oid first, second, again;
	struct str head;

	(void)state;
	assert_holds("dags/a.py", NULL);
	must_publish("dags/a.py", "one", 1, &first);
	must_publish("dags/a.py", "one", 0, &again);
	assert_true(oid_equal(&first, &again));
	must_publish("dags/b.py", "two", 1, &second);
	must_publish("dags/a.py", "three", 1, &second);
	assert_holds("dags/a.py", "three");
	assert_holds("dags/b.py", "two");
	assert_holds("dags/c.py", NULL);
	assert_int_equal(count_commits(), 3);

	str_init(&head);
	assert_int_equal(files_read(REPOSITORY "/HEAD", 100, &head, NULL), 1);
	assert_string_equal(head.buf, "ref: refs/heads/main\n");
	str_clear(&head);
	assert_false(files_exists(REPOSITORY ".new"));
	assert_false(files_exists(REPOSITORY ".lock"));
}

static void publish_owned(const char *path, int expected, struct oid *commit)
{
	const struct publish p = {.repository = REPOSITORY,
		.branch = "main",
		.path = path,
		.content = "x",
		.len = 1,
		.author_name = "modelgate",
		.author_email = "m@localhost",
		.time = 1767225600,
		.message = "Deploy\n\n" PUBLISH_OWNER "me\n",
		.owner = "me"};
	struct err e = ERR_INIT;
	int result = publish_file(&p, commit, &e);

	if (result != expected)
		fail_msg("%s: %d, not %d (%s)", path, result, expected, err_text(&e));
	err_clear(&e);
}

/* What is there already was brought by the commit that changed it last, whatever others came since. */
static void test_brought(void **state)
{
	struct oid first, other, commit;

	(void)state;
	publish_owned("dags/a.py", 1, &first);
	must_publish("dags/b.py", "two", 1, &other);
	publish_owned("dags/a.py", 0, &commit);
	assert_true(oid_equal(&commit, &first));
	must_publish("dags/a.py", "two", 1, &other);
	publish_owned("dags/a.py", 1, &commit);
	must_publish("dags/b.py", "three", 1, &other);
	first = commit;
	publish_owned("dags/a.py", 0, &commit);
	assert_true(oid_equal(&commit, &first));
}

static void test_refused(void **state)
{
	static const char *const paths[] = {"", "/etc/x", "../x", "dags/../x", "dags//x", "dags/"};
	struct oid commit;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		must_publish(paths[i], "x", -1, &commit);
	assert_false(files_exists(REPOSITORY));
	must_publish("dags/x", "file", 1, &commit);
	must_publish("dags/x/y", "below a file", -1, &commit);
	must_publish("dags", "over a folder", -1, &commit);
	assert_int_equal(count_commits(), 1);
}

/*
 * What a writer leaves that was killed while it made the repository, or while it moved the branch.
 */
static void test_after_a_kill(void **state)
{
	struct utimbuf old = {.actime = 1000000, .modtime = 1000000};
	struct oid commit;

	(void)state;
	assert_int_equal(files_make_folder(REPOSITORY ".new/objects", 0755, NULL), 0);
	assert_int_equal(files_replace(REPOSITORY ".lock", "", 0, 0600, NULL), 0);
	must_publish("a", "one", 1, &commit);
	assert_false(files_exists(REPOSITORY ".new"));
	assert_false(files_exists(REPOSITORY ".lock"));

	assert_int_equal(files_replace(REPOSITORY "/refs/heads/main.lock", "", 0, 0644, NULL), 0);
	assert_int_equal(utime(REPOSITORY "/refs/heads/main.lock", &old), 0);
	must_publish("a", "two", 1, &commit);
	assert_holds("a", "two");
}

static void make_file(const char *name, const char *content)
{
	char path[64];

	snprintf(path, sizeof(path), REPOSITORY "%s", name);
	assert_int_equal(files_replace(path, content, strlen(content), 0644, NULL), 0);
}

/* Names beside the repository's own, what they hold, and whether they are there after a publication. */
static const struct {
	const char *name;
	const char *content;
	enum { GONE, STAYS } alone;
	enum { GONE_TOO, STAYS_HERE } beside_another; /* while another writer is at work */
} left[] = {
	{"/objects/tmp_object_git2_0123456789abcdef", "half", GONE, STAYS_HERE},
	{"/objects/pack/pack_git2_0123456789abcdef", "half", GONE, STAYS_HERE},
	{"/objects/tmp_obj_of_git", "half", STAYS, STAYS_HERE},
	{"/objects/pack/pack-1.keep", "", STAYS, STAYS_HERE},
	{".lock", "", GONE, GONE_TOO},
	{".lock", "somebody's own", STAYS, STAYS_HERE},
};

static void check_left(size_t i, int expected, const char *when)
{
	char path[64];

	snprintf(path, sizeof(path), REPOSITORY "%s", left[i].name);
	if (files_exists(path) != expected)
		fail_msg("%s \"%s\" %s: there: %d, not %d", left[i].name, left[i].content, when,
			!expected, expected);
	(void)unlink(path);
}

static void test_left_behind(void **state)
{
	struct oid commit;
	int writer;

	(void)state;
	must_publish("a", "one", 1, &commit);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		make_file(left[i].name, left[i].content);
		must_publish("a", "one", 0, &commit);
		check_left(i, left[i].alone == STAYS, "alone");

		writer = leftovers_begin(REPOSITORY);
		assert_true(writer >= 0);
		make_file(left[i].name, left[i].content);
		must_publish("a", "one", 0, &commit);
		check_left(i, left[i].beside_another == STAYS_HERE, "beside another writer");
		(void)close(writer);
	}
	assert_int_equal(leftovers_begin("x/nothing"), -1);
}

/* Killed when the branch had moved, but before its lock was gone: what is published again is there. */
static void test_lock_of_what_landed(void **state)
{
	struct utimbuf old = {.actime = 1000000, .modtime = 1000000};
	struct oid first, again;

	(void)state;
	must_publish("a", "one", 1, &first);
	make_file("/refs/heads/main.lock", "");
	assert_int_equal(utime(REPOSITORY "/refs/heads/main.lock", &old), 0);
	must_publish("a", "one", 0, &again);
	assert_true(oid_equal(&first, &again));
	assert_false(files_exists(REPOSITORY "/refs/heads/main.lock"));
}

/* Writers that all start at once, on a repository that is not there: every file arrives, once. */
static void test_race(void **state)
{
	enum { WRITERS = 10, FILES = 3 };
	pid_t pids[WRITERS];
	char path[32];

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] > 0)
			continue;
		for (int j = 0; j < FILES; j++) {
			struct err e = ERR_INIT;
			struct oid commit;

			snprintf(path, sizeof(path), "%d/%d", i, j);
			if (publish(path, path, &commit, &e) != 1) {
				fprintf(stderr, "%s: %s\n", path, err_text(&e));
				_exit(1);
			}
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_commits(), WRITERS * FILES);
	for (int i = 0; i < WRITERS * FILES; i++) {
		snprintf(path, sizeof(path), "%d/%d", i / FILES, i % FILES);
		assert_holds(path, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_publish),
		scratch_test(test_brought),
		scratch_test(test_refused),
		scratch_test(test_after_a_kill),
		scratch_test(test_left_behind),
		scratch_test(test_lock_of_what_landed),
		scratch_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
