/*
 * Any bytes are answers of git merge-tree that can be relied on, or a fault in words.
 *
 * About: common/git/merge-answer.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "git/merge-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct merge_answer *a)
{
	if (a->outcome != MERGE_CLEAN && a->outcome != MERGE_CONFLICTS)
		abort();
	if (a->outcome == MERGE_CLEAN && a->n_paths > 0)
		abort();
	if (a->paths.n > MERGE_MAX_PATHS || a->paths.n > a->n_paths ||
		(a->paths.n < a->n_paths && a->paths.n < MERGE_MAX_PATHS))
		abort();
	for (size_t i = 0; i < a->paths.n; i++)
		if (a->paths.v[i][0] == '\0')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* A copy without a byte behind its end, so that a look there is seen. */
	char *copy = malloc(len > 0 ? len : 1);
	const char *at = copy, *end = copy + len;
	struct err e = ERR_INIT;
	int result = 0;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	while (result == 0 && at < end) {
		const char *before = at;
		struct merge_answer a;

		result = merge_answer_parse(&a, &at, end, &e);
		if ((result == 0) != (e.text == NULL) || at < before || at > end)
			abort();
		if (result == 0 && at == before)
			abort();
		if (result == 0)
			check(&a);
		merge_answer_clear(&a);
	}
	err_clear(&e);
	free(copy);
	return 0;
}
