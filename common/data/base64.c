#include "data/base64.h"

#include <sodium.h>

#include "base/mem.h"

char *base64_encode(const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = mem_zalloc(size, 1);

	return sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

long base64_decode(unsigned char *out, size_t max, const char *text, size_t len, const char *ignore)
{
	const char *end = NULL;
	size_t n = 0;

	/* Without an END, sodium refuses what stands behind the padding. */
	if (sodium_base642bin(
		    out, max, text, len, ignore, &n, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
		end != text + len)
		return -1;
	return (long)n;
}
