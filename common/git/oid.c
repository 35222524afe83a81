#include "git/oid.h"

#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int oid_parse(struct oid *out, const char *hex)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < OID_RAW_SIZE; i++) {
		int high = digit(hex[2 * i]);
		int low = high < 0 ? -1 : digit(hex[2 * i + 1]);

		if (low < 0)
			return -1;
		out->raw[i] = (unsigned char)(high << 4 | low);
	}
	return hex[OID_HEX_SIZE - 1] == '\0' ? 0 : -1;
}

void oid_hex(const struct oid *o, char out[OID_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < OID_RAW_SIZE; i++) {
		out[2 * i] = digits[o->raw[i] >> 4];
		out[2 * i + 1] = digits[o->raw[i] & 15];
	}
	out[OID_HEX_SIZE - 1] = '\0';
}

int oid_is_zero(const struct oid *o)
{
	static const struct oid zero;

	return oid_equal(o, &zero);
}

int oid_equal(const struct oid *a, const struct oid *b)
{
	return memcmp(a->raw, b->raw, OID_RAW_SIZE) == 0;
}
