/* References that are ours are removed, but no others, and no others' locks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/publish.h"
#include "git/reference.h"
#include "git/repository.h"
#include "scratch.h"
#include "sys/files.h"

#define REPOSITORY "churn.git"
#define NAME REFERENCE_OWN "play/1/build"
#define LOCK REPOSITORY "/" NAME ".lock"

/* The reference is at a commit, and so is the branch main, where OID comes from. */
static struct repository *prepare(struct oid *oid)
{
	const struct publish p = {.repository = REPOSITORY,
		.branch = "main",
		.path = "a",
		.content = "x",
		.len = 1,
		.author_name = "A",
		.author_email = "a@b",
		.message = "Work\n"};
	struct repository *r = NULL;
	char hex[OID_HEX_SIZE], *text;

	assert_true(publish_file(&p, oid, NULL) >= 0);
	oid_hex(oid, hex);
	text = mem_format("%s\n", hex);
	assert_int_equal(files_make_folder(REPOSITORY "/" REFERENCE_OWN "play/1", 0755, NULL), 0);
	assert_int_equal(files_replace(REPOSITORY "/" NAME, text, strlen(text), 0644, NULL), 0);
	free(text);
	assert_int_equal(repository_open(&r, REPOSITORY, REPOSITORY_OBJECTS, NULL), 0);
	return r;
}

static void test_remove(void **state)
{
	struct oid oid, other;
	struct repository *r = prepare(&oid);

	(void)state;
	other = oid;
	other.raw[0] ^= 1;
	assert_int_equal(reference_remove(r, NAME, &other, NULL), 0);
	assert_true(files_exists(REPOSITORY "/" NAME));
	assert_int_equal(reference_remove(r, NAME, &oid, NULL), 1);
	assert_false(files_exists(REPOSITORY "/" NAME));
	assert_int_equal(reference_remove(r, NAME, &oid, NULL), 0);
	repository_free(r);
}

static void lock(long age)
{
	struct utimbuf then = {.actime = time(NULL) - age, .modtime = time(NULL) - age};

	assert_int_equal(files_replace(LOCK, "", 0, 0644, NULL), 0);
	assert_int_equal(utime(LOCK, &then), 0);
}

/* Whoever holds the lock may be at work; after a minute nobody is. */
static void test_lock(void **state)
{
	struct oid oid;
	struct repository *r = prepare(&oid);
	struct err e = ERR_INIT;

	(void)state;
	lock(30);
	assert_int_equal(reference_remove(r, NAME, &oid, &e), -1);
	assert_non_null(strstr(err_text(&e), NAME));
	err_clear(&e);
	assert_true(files_exists(LOCK));
	assert_true(files_exists(REPOSITORY "/" NAME));
	lock(120);
	assert_int_equal(reference_remove(r, NAME, &oid, &e), 1);
	assert_false(files_exists(LOCK));
	assert_false(files_exists(REPOSITORY "/" NAME));
	repository_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_remove), scratch_test(test_lock)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
