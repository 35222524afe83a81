/*
 * Signatures with Ed25519 (RFC 8032), by libsodium, and keys as OpenSSL keeps them: PEM (RFC 7468) of
 * PKCS #8 and SubjectPublicKeyInfo (RFC 8410).
 */
#ifndef MODELGATE_DATA_ED25519_H
#define MODELGATE_DATA_ED25519_H

#include <stddef.h>

struct err;

#define ED25519_PUBLIC_SIZE 32
#define ED25519_SIGNATURE_SIZE 64
#define ED25519_MAX_PEM 4096 /* bytes of a file with a key */

/* A private key and its public one: to be wiped after use. */
struct ed25519_key {
	unsigned char secret[64]; /* as libsodium has it: the seed and the public key */
	unsigned char public[ED25519_PUBLIC_SIZE];
};

/* A new key from the system's random numbers.  0, or -1 and *E: there are none. */
int ed25519_make(struct ed25519_key *out, struct err *e);
void ed25519_wipe(struct ed25519_key *key);

/* The key as PEM, the caller's to free() (the private one: secret_free()). */
char *ed25519_private_pem(const struct ed25519_key *key);
char *ed25519_public_pem(const unsigned char public[ED25519_PUBLIC_SIZE]);
/* Parse LEN bytes of PEM with one such key, and any text around it.  0, or -1 and *E, which holds nothing of it. */
int ed25519_parse_private(struct ed25519_key *out, const char *pem, size_t len, struct err *e);
int ed25519_parse_public(
	unsigned char out[ED25519_PUBLIC_SIZE], const char *pem, size_t len, struct err *e);

void ed25519_sign(unsigned char out[ED25519_SIGNATURE_SIZE], const void *bytes, size_t len,
	const struct ed25519_key *key);
/* 1: SIGNATURE of these bytes was made with the private key of PUBLIC; else 0. */
int ed25519_is_signed(const unsigned char signature[ED25519_SIGNATURE_SIZE], const void *bytes,
	size_t len, const unsigned char public[ED25519_PUBLIC_SIZE]);

#endif
