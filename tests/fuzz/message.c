/*
 * Whatever a commit says that it merged is a branch's name that git would take, or nothing.
 *
 * About: common/gate/message.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gate/message.h"
#include "gate/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *message = mem_strndup((const char *)bytes, len), *branch = message_branch(message);

	if (branch != NULL) {
		char *ref = mem_format("%s%s", NAMES_HEADS, branch);

		if (!names_is_ref(ref) || strlen(branch) > 1000 || strstr(message, branch) == NULL)
			abort();
		free(ref);
	}
	free(branch);
	free(message);
	return 0;
}
