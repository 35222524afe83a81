/*
 * MD5 (RFC 1321), because DVC names the content of a model by it (dvc.org, "hash: md5").  It tells
 * a damaged model from a whole one; it is no protection against a forged one, and is used for none.
 */
#ifndef MODELGATE_BASE_MD5_H
#define MODELGATE_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_HEX_SIZE 33 /* lower-case digits and a NUL */

struct md5 {
	uint32_t state[4];
	uint64_t length; /* bytes so far */
	unsigned char block[64];
};

void md5_init(struct md5 *h);
void md5_add(struct md5 *h, const void *bytes, size_t len);
void md5_hex(struct md5 *h, char out[MD5_HEX_SIZE]); /* ends the computation */

#endif
