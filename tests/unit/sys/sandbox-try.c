/* common/sys/sandbox-try: which programs start in a sandbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/mem.h"
#include "sys/sandbox.h"

static void put_script(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* A program starts, or needs what is out of reach. */
static void test_try(void **state)
{
	struct sandbox_support has;
	char *here = getcwd(NULL, 0), *path = mem_format("%s/needs", here);

	(void)state;
	sandbox_support(&has);
	assert_int_equal(sandbox_try("/usr/bin/true", NULL), 0);
	put_script("needs", "#!/bin/sh\nread line </proc/version\n");
	assert_int_equal(sandbox_try(path, NULL), has.landlock > 0 ? -1 : 0);
	put_script("needs", "#!/bin/sh\nread line </etc/passwd\n");
	assert_int_equal(sandbox_try(path, NULL), 0);
	free(path);
	free(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_try),
	};

	return cmocka_run_group_tests_name("sys/sandbox-try", tests, scratch_make, scratch_remove);
}
