/*
 * common/base/mem: zeroed, grown, copied; and the end of the process where there is none to be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_zalloc(void **state)
{
	char *p = mem_zalloc(1000, 3), *none = mem_zalloc(0, 8);

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(p[i], 0);
	assert_non_null(none);
	free(none);
	free(p);
}

static void test_grow(void **state)
{
	struct pair {
		int a;
		char b;
	} *array = NULL;
	size_t cap = 0;

	(void)state;
	for (size_t used = 0; used < 1000; used++) {
		mem_grow(&array, used, &cap, sizeof(*array));
		assert_true(cap > used);
		assert_int_equal(array[used].a, 0); /* new room is zeroed */
		assert_int_equal(array[used].b, 0);
		array[used].a = (int)used;
		array[used].b = 'x';
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(array[i].a, i);
	free(array);
}

static void test_copies(void **state)
{
	char *copy = mem_strdup("text"), *part = mem_strndup("text", 2),
	     *none = mem_strndup(NULL, 0);
	char *formatted = mem_format("%s-%d", "a", 7);
	char *bytes = mem_strndup("a\0b", 3);

	(void)state;
	assert_string_equal(copy, "text");
	assert_string_equal(part, "te");
	assert_string_equal(none, "");
	assert_string_equal(formatted, "a-7");
	assert_memory_equal(bytes, "a\0b", 4);
	assert_null(mem_strdup(NULL));
	assert_ptr_equal(mem_given(copy), copy);
	free(bytes);
	free(formatted);
	free(none);
	free(part);
	free(copy);
}

static void given_nothing(void)
{
	(void)mem_given(NULL);
}

static void grow_beyond(void)
{
	void *array = NULL;
	size_t cap = SIZE_MAX / 2;

	mem_grow(&array, cap, &cap, 4); /* the number of bytes would not fit */
}

static void test_exhausted(void **state)
{
	static void (*const cases[])(void) = {given_nothing, grow_beyond};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			(void)dup2(open("/dev/null", O_WRONLY), 2);
			cases[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), MEM_EXIT_STATUS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zalloc),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_exhausted),
	};

	return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
