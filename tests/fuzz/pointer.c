/*
 * Any bytes are a DVC pointer whose fields can be relied on, or a fault in words.
 *
 * About: common/data/pointer.c common/data/yaml.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "data/pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct pointer p;
	struct err e = ERR_INIT;
	int result = pointer_parse(&p, (const char *)bytes, len, &e);

	if ((result == 0) != (p.path != NULL) || (result == 0) != (e.text == NULL))
		abort();
	if (result == 0 &&
		(strspn(p.md5, "0123456789abcdef") != 32 || p.size < 0 || !path_is_inside(p.path)))
		abort();
	pointer_clear(&p);
	err_clear(&e);
	return 0;
}
