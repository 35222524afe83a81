/* Base64 (RFC 4648, section 4, with padding). */
#ifndef MODELGATE_DATA_BASE64_H
#define MODELGATE_DATA_BASE64_H

#include <stddef.h>

/* LEN bytes as text; the caller's to free(). */
char *base64_encode(const void *bytes, size_t len);
/*
 * The bytes that the LEN characters of TEXT stand for, at most MAX, in OUT.  Their number; or -1: it is
 * no base64, or more.  IGNORE: characters that may stand between, or NULL.
 */
long base64_decode(
	unsigned char *out, size_t max, const char *text, size_t len, const char *ignore);

#endif
