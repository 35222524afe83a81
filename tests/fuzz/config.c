/*
 * Any bytes are a configuration or a fault in words: never a crash, a leak or silence.
 *
 * About: common/data/config.c common/data/config-check.c common/data/config-fits.c common/data/config-keys.c
 *        common/data/config-layer.c common/data/config-values.c common/data/ini.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "data/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct config *c = NULL;
	struct err e = ERR_INIT;
	int result = config_parse(&c, (const char *)bytes, len, "fuzz.ini", &e);

	if ((result == 0) != (c != NULL) || (result == 0) != (e.text == NULL))
		abort();
	config_free(c);
	err_clear(&e);
	return 0;
}
