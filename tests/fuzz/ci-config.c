/*
 * Whatever the variable MODELGATE_CONFIG holds: only the values of keys that name files change, no line comes
 * of it, and no secret.  And any text comes back from a variable as it was put there.
 *
 * About: common/chain/ci-config.c common/chain/gitlab-create.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "chain/ci-job.h"
#include "chain/gitlab-create.h"

#define SECRET "s3cret-token"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *look_up(const char *name)
{
	static const char *const values[] = {
		"/builds/x", "", SECRET, "/" SECRET "\n[role \"x\"]", NULL};

	return values[strlen(name) % 5];
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = mem_strndup((const char *)bytes, len);
	char *expanded = ci_config_expand(text, look_up);
	char *escaped = creation_escape(text), *back = creation_unescape(escaped);
	char *odd = creation_unescape(text);

	if (lines(expanded) != lines(text) ||
		(strstr(expanded, SECRET) != NULL && strstr(text, SECRET) == NULL) ||
		(strstr(text, "-file") == NULL && strcmp(expanded, text) != 0) ||
		(strchr(text, '$') == NULL && strcmp(expanded, text) != 0))
		abort();
	if (strcmp(back, text) != 0 || strpbrk(escaped, "$\n\r\t\x7f") != NULL ||
		strlen(odd) > strlen(text))
		abort();
	free(odd);
	free(back);
	free(escaped);
	free(expanded);
	free(text);
	return 0;
}
