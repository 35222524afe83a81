#include "data/base64.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

char *base64_encode(const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = mem_zalloc(size, 1);

	return sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

#define CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* libsodium 1.0.18 takes some bytes from 0x80 on for others: one text would have several forms. */
static int has_others(const char *text, size_t len, const char *ignore)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || (strchr(CHARACTERS, text[i]) == NULL &&
					       (ignore == NULL || strchr(ignore, text[i]) == NULL)))
			return 1;
	return 0;
}

long base64_decode(unsigned char *out, size_t max, const char *text, size_t len, const char *ignore)
{
	const char *end = NULL;
	size_t n = 0;

	/* Without an END, sodium refuses what stands behind the padding. */
	if (has_others(text, len, ignore) ||
		sodium_base642bin(out, max, text, len, ignore, &n, &end,
			sodium_base64_VARIANT_ORIGINAL) != 0 ||
		end != text + len)
		return -1;
	return (long)n;
}
