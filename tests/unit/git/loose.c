/*
 * A loose object that a disk has damaged is refused, at once: cut at every byte, changed in every
 * one.
 */
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
#include "git/repository.h"
#include "git/walk.h"
#include "history.h"
#include "sys/files.h"

static char *object_path(const struct history *h, const struct oid *oid)
{
	char hex[OID_HEX_SIZE];

	oid_hex(oid, hex);
	return mem_format("%s/objects/%.2s/%s", history_dir(h), hex, hex + 2);
}

/* 0 if the commit can be read and walked from, as a repository just opened sees it. */
static int try_read(const struct history *h, const struct oid *oid, const struct oid *below)
{
	struct repository *r = NULL;
	struct commit c;
	int result;

	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, NULL), 0);
	result = commit_read(&c, r, oid, NULL);
	if (result == 0) {
		commit_clear(&c);
		result = walk_holds(r, oid, 1, below, NULL) == 1 ? 0 : -1;
	}
	repository_free(r);
	return result;
}

static void put(const char *path, const char *bytes, size_t len)
{
	assert_int_equal(files_replace(path, bytes, len, 0444, NULL), 0);
}

static void test_damaged(void **state)
{
	struct history *h = history_new("a b:a ");
	struct oid a = history_oid(h, "a"), b = history_oid(h, "b");
	char *path = object_path(h, &b);
	struct str whole;

	(void)state;
	str_init(&whole);
	assert_int_equal(files_read(path, 1 << 20, &whole, NULL), 1);
	assert_int_equal(try_read(h, &b, &a), 0);
	for (size_t cut = 0; cut < whole.len; cut++) {
		put(path, whole.buf, cut);
		if (try_read(h, &b, &a) != -1)
			fail_msg("cut at byte %zu of %zu: read", cut, whole.len);
	}
	for (size_t i = 0; i < whole.len; i++) {
		whole.buf[i] ^= 0x55;
		put(path, whole.buf, whole.len);
		whole.buf[i] ^= 0x55;
		if (try_read(h, &b, &a) != -1)
			fail_msg("byte %zu of %zu changed: read", i, whole.len);
	}
	put(path, whole.buf, whole.len);
	assert_int_equal(try_read(h, &b, &a), 0);
	str_clear(&whole);
	free(path);
	history_free(h);
}

/* Objects that only an alternate holds, named from the object folder as git writes it. */
static void test_alternates(void **state)
{
	struct history *h = history_new("a b:a "), *other = history_new("x ");
	struct oid a = history_oid(h, "a"), b = history_oid(h, "b");
	char *info = mem_format("%s/objects/info/alternates", history_dir(other));
	char *line = mem_format("# where the rest is\n%s/objects\n", history_dir(h));

	(void)state;
	assert_int_equal(try_read(other, &b, &a), -1);
	put(info, line, strlen(line));
	assert_int_equal(try_read(other, &b, &a), 0);
	free(line);
	free(info);
	history_free(h);
	history_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_alternates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
