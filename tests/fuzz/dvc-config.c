/*
 * Any bytes are a configuration of DVC with a remote that has a url, or a fault in words.
 *
 * About: common/stage/dvc-config.c common/data/ini-lines.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "stage/dvc-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const wanted[] = {NULL, "r"};

	for (size_t i = 0; i < 2; i++) {
		struct dvc_remote r;
		struct err e = ERR_INIT;
		int result = dvc_config_remote(&r, (const char *)bytes, len, wanted[i], &e);

		if ((result == 0) != (e.text == NULL) || (result == 0) != (r.url != NULL))
			abort();
		if (result == 0 &&
			(r.name == NULL || r.url[0] == '\0' || str_starts(r.url, "remote://")))
			abort();
		for (size_t k = 0; k < r.n; k++)
			if (r.v[k].key == NULL || r.v[k].value == NULL)
				abort();
		dvc_remote_clear(&r);
		err_clear(&e);
	}
	return 0;
}
