/*
 * Any bytes are a document or a fault in words; what is written of it is one line and reads back.
 *
 * About: common/data/json.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void write_and_read(const struct json *j)
{
	char *text = json_text(j, JSON_ONE_LINE), *again;
	struct json *copy = NULL;

	if (strpbrk(text, "\n\r\x7f") != NULL || json_parse(&copy, text, strlen(text), NULL) != 0)
		abort();
	again = json_text(copy, JSON_ONE_LINE);
	if (strcmp(text, again) != 0)
		abort();
	free(again);
	json_free(copy);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct json *j = NULL;
	struct err e = ERR_INIT;
	int result = json_parse(&j, (const char *)bytes, len, &e);

	if ((result == 0) != (j != NULL) || (result == 0) != (e.text == NULL))
		abort();
	if (result == 0)
		write_and_read(j);
	json_free(j);
	err_clear(&e);
	return 0;
}
