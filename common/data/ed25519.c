#include "data/ed25519.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "data/base64.h"

#define SEED_SIZE 32
#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define PRIVATE_LABEL "PRIVATE KEY"
#define PUBLIC_LABEL "PUBLIC KEY"
#define BLANKS " \t\r\n"

/* What stands in front of the 32 bytes: RFC 8410, sections 4 and 7, in DER. */
static const unsigned char private_prefix[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03,
	0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const unsigned char public_prefix[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* 0, or -1: libsodium finds no random numbers. */
static int begin(struct err *e)
{
	return sodium_init() >= 0 ? 0 : err_set(e, "libsodium cannot be used on this machine");
}

static void from_seed(struct ed25519_key *out, const unsigned char seed[SEED_SIZE])
{
	(void)crypto_sign_seed_keypair(out->public, out->secret, seed); /* is always 0 */
}

int ed25519_make(struct ed25519_key *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (begin(e) != 0)
		return -1;
	(void)crypto_sign_keypair(out->public, out->secret); /* is always 0 */
	return 0;
}

void ed25519_wipe(struct ed25519_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

static char *pem(const char *label, const unsigned char *der, size_t len)
{
	char *text = base64_encode(der, len);
	struct str s;

	/* 64 characters at most: one line. */
	str_init(&s);
	str_addf(&s, BEGIN "%s" DASHES "\n%s\n" END "%s" DASHES "\n", label, text, label);
	sodium_memzero(text, strlen(text));
	free(text);
	return str_steal(&s);
}

char *ed25519_private_pem(const struct ed25519_key *key)
{
	unsigned char der[sizeof(private_prefix) + SEED_SIZE];
	char *text;

	memcpy(der, private_prefix, sizeof(private_prefix));
	memcpy(der + sizeof(private_prefix), key->secret, SEED_SIZE);
	text = pem(PRIVATE_LABEL, der, sizeof(der));
	sodium_memzero(der, sizeof(der));
	return text;
}

char *ed25519_public_pem(const unsigned char public[ED25519_PUBLIC_SIZE])
{
	unsigned char der[sizeof(public_prefix) + ED25519_PUBLIC_SIZE];

	memcpy(der, public_prefix, sizeof(public_prefix));
	memcpy(der + sizeof(public_prefix), public, ED25519_PUBLIC_SIZE);
	return pem(PUBLIC_LABEL, der, sizeof(der));
}

/* Where LINE stands in TEXT, at the begin of a line; NULL. */
static const char *find_line(const char *text, const char *line)
{
	const char *at = text;

	while ((at = strstr(at, line)) != NULL && at != text && at[-1] != '\n')
		at++;
	return at;
}

/*
 * The bytes between the lines of LABEL, at most MAX, in OUT.  Their number, or -1; of two, nobody could
 * say which is meant.
 */
static long parse_pem(
	unsigned char *out, size_t max, const char *label, const char *text, size_t len)
{
	char first[64], last[64];
	const char *from, *to;
	char *copy;
	long n = -1;

	if (len > ED25519_MAX_PEM)
		return -1;
	copy = calloc(len + 1, 1);
	if (copy == NULL)
		return -1;
	memcpy(copy, text, len);
	(void)snprintf(first, sizeof(first), BEGIN "%s" DASHES, label); /* both are short */
	(void)snprintf(last, sizeof(last), END "%s" DASHES, label);
	from = find_line(copy, first);
	to = from == NULL ? NULL : find_line(from, last);
	if (to != NULL && find_line(to, first) == NULL) {
		from += strlen(first);
		n = base64_decode(out, max, from, (size_t)(to - from), BLANKS);
	}
	sodium_memzero(copy, len);
	free(copy);
	return n;
}

int ed25519_parse_private(struct ed25519_key *out, const char *text, size_t len, struct err *e)
{
	unsigned char der[sizeof(private_prefix) + SEED_SIZE];
	long n = parse_pem(der, sizeof(der), PRIVATE_LABEL, text, len);
	int status = -1;

	memset(out, 0, sizeof(*out));
	if (begin(e) != 0)
		return -1;
	if (n != (long)sizeof(der) || memcmp(der, private_prefix, sizeof(private_prefix)) != 0) {
		(void)err_set(e,
			"no private Ed25519 key in PEM without a passphrase, as \"modelgate audit "
			"keygen\" and \"openssl genpkey -algorithm ed25519\" make it");
	} else {
		from_seed(out, der + sizeof(private_prefix));
		status = 0;
	}
	sodium_memzero(der, sizeof(der));
	return status;
}

int ed25519_parse_public(
	unsigned char out[ED25519_PUBLIC_SIZE], const char *text, size_t len, struct err *e)
{
	unsigned char der[sizeof(public_prefix) + ED25519_PUBLIC_SIZE];

	memset(out, 0, ED25519_PUBLIC_SIZE);
	if (parse_pem(der, sizeof(der), PUBLIC_LABEL, text, len) != (long)sizeof(der) ||
		memcmp(der, public_prefix, sizeof(public_prefix)) != 0)
		return err_set(e, "no public Ed25519 key in PEM, as \"modelgate audit keygen\" and "
				  "\"openssl pkey -pubout\" make it");
	memcpy(out, der + sizeof(public_prefix), ED25519_PUBLIC_SIZE);
	return 0;
}

void ed25519_sign(unsigned char out[ED25519_SIGNATURE_SIZE], const void *bytes, size_t len,
	const struct ed25519_key *key)
{
	(void)crypto_sign_detached(out, NULL, bytes, len, key->secret); /* is always 0 */
}

int ed25519_is_signed(const unsigned char signature[ED25519_SIGNATURE_SIZE], const void *bytes,
	size_t len, const unsigned char public[ED25519_PUBLIC_SIZE])
{
	return crypto_sign_verify_detached(signature, bytes, len, public) == 0;
}
