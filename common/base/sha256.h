/* SHA-256 (FIPS 180-4), for the audit chain, the policy in force and the artifacts of a build. */
#ifndef MODELGATE_BASE_SHA256_H
#define MODELGATE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32     /* bytes */
#define SHA256_HEX_SIZE 65 /* lower-case digits and a NUL */

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	unsigned char block[64];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
/* Either ends the computation. */
void sha256_end(struct sha256 *h, unsigned char out[SHA256_SIZE]);
void sha256_hex(struct sha256 *h, char out[SHA256_HEX_SIZE]);

/* The digits of a hash that is there already. */
void sha256_digits(const unsigned char hash[SHA256_SIZE], char out[SHA256_HEX_SIZE]);
/* The hash that 64 lower-case digits stand for.  0, or -1: TEXT is something else, or NULL. */
int sha256_parse(const char *text, unsigned char out[SHA256_SIZE]);

/* All at once. */
void sha256_of(const void *bytes, size_t len, char out[SHA256_HEX_SIZE]);

#endif
