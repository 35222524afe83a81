/* A folder of its own for each test, which is where the test runs. */
#ifndef MODELGATE_TESTS_SCRATCH_H
#define MODELGATE_TESTS_SCRATCH_H

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/files.h"

/* *STATE becomes the folder's absolute path. */
static inline int scratch_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = path_join(tmp != NULL ? tmp : "/tmp", "modelgate-test.XXXXXX");

	if (mkdtemp(dir) == NULL || chdir(dir) != 0) {
		free(dir);
		return -1;
	}
	*state = dir;
	return 0;
}

static inline int scratch_remove(void **state)
{
	int status = chdir("/");

	if (status == 0)
		status = files_remove_tree(*state, NULL);
	free(*state);
	return status;
}

#define scratch_test(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

#endif
