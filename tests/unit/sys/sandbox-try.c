/* common/sys/sandbox-try: which programs start in a sandbox. */
#define _GNU_SOURCE /* syscall */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/mem.h"
#include "support.h"
#include "sys/sandbox.h"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* What comes of a script in the folder bin that reads HERE/NAME. */
static int try_reading(const char *here, const char *name)
{
	char *script = mem_format("%s/bin/script", here);
	char *text = mem_format("#!/bin/sh\nread line <'%s/%s'\n", here, name);
	int result;

	put(script, text);
	result = sandbox_try(script, NULL);
	free(text);
	free(script);
	return result;
}

/* A program starts, or needs what is out of reach. */
static void test_try(void **state)
{
	struct sandbox_support has;
	char *here = getcwd(NULL, 0);

	(void)state;
	find_support(&has);
	assert_non_null(here);
	assert_int_equal(mkdir("bin", 0700), 0);
	put("bin/beside", "line\n");
	put("aside", "line\n");
	assert_int_equal(sandbox_try("/usr/bin/true", NULL), 0);
	assert_int_equal(sandbox_try("/usr/bin/false", NULL), -1);
	assert_int_equal(try_reading(here, "bin/beside"), 0);
	assert_int_equal(try_reading(here, "aside"), has.landlock > 0 ? -1 : 0);
	free(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_try),
	};

	return cmocka_run_group_tests_name("sys/sandbox-try", tests, scratch_make, scratch_remove);
}
