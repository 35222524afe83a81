/*
 * Any bytes are a listing whose paths stay in its folder and do not meet, or a fault in words.
 *
 * About: common/stage/dvc-folder.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "stage/dvc-folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int is_below(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	return strncmp(folder, path, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dvc_folder f;
	struct err e = ERR_INIT;
	int result = dvc_folder_parse(&f, (const char *)bytes, len, &e);

	if ((result == 0) != (e.text == NULL) || (result != 0 && f.n != 0))
		abort();
	for (size_t i = 0; i < f.n; i++) {
		if (!path_is_inside(f.v[i].path) || strlen(f.v[i].md5) != 32)
			abort();
		for (size_t k = 0; k < f.n && f.n < 100; k++)
			if (k != i && is_below(f.v[k].path, f.v[i].path))
				abort();
	}
	dvc_folder_clear(&f);
	err_clear(&e);
	return 0;
}
