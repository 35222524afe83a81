/*
 * Any bytes are a checkpoint or none, a key or none: what is taken for one is the same text again when it is
 * rendered, but for who signed it; and nothing is trusted that was not signed.
 *
 * About: common/audit/checkpoint.c common/data/ed25519.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "base/err.h"
#include "data/ed25519.h"

#define PRIVATE_PEM                                                                                \
	"-----BEGIN PRIVATE KEY-----\n"                                                            \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                       \
	"-----END PRIVATE KEY-----\n"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Bytes up to the line with the key. */
static size_t before_key(const char *text)
{
	const char *key = strstr(text, "\nkey ");

	return key == NULL ? 0 : (size_t)(key - text) + 1;
}

static void render_again(struct checkpoint *c, const char *text, size_t len)
{
	struct ed25519_key key;
	struct checkpoint same;
	enum checkpoint_trust trust;
	char *again;
	size_t n;

	if (ed25519_parse_private(&key, PRIVATE_PEM, strlen(PRIVATE_PEM), NULL) != 0)
		abort();
	again = checkpoint_render(c, &key);
	n = before_key(again);
	if (n == 0 || n > len || memcmp(again, text, n) != 0)
		abort();
	if (checkpoint_parse(&same, &trust, again, strlen(again), key.public, NULL) != 0 ||
		trust != CHECKPOINT_TRUSTED || same.lines != c->lines || same.seq != c->seq)
		abort();
	checkpoint_clear(&same);
	free(again);
}

static void check_checkpoint(const char *text, size_t len)
{
	const unsigned char nobody[ED25519_PUBLIC_SIZE] = {1};
	enum checkpoint_trust trust;
	struct err e = ERR_INIT;
	struct checkpoint c;
	int got = checkpoint_parse(&c, &trust, text, len, nobody, &e);

	if ((got == 0) != (e.text == NULL) || (got == 0) != (c.origin != NULL) ||
		trust != CHECKPOINT_FORGED)
		abort();
	checkpoint_clear(&c);
	err_clear(&e);
	if (checkpoint_parse(&c, &trust, text, len, NULL, NULL) != got ||
		trust == CHECKPOINT_TRUSTED)
		abort();
	if (got == 0 && (c.lines < 0 || c.seq < 0 || !entry_is_hash(c.head) ||
				!checkpoint_is_origin(c.origin)))
		abort();
	if (got == 0)
		render_again(&c, text, len);
	checkpoint_clear(&c);
}

static void check_key(const char *text, size_t len)
{
	unsigned char public[ED25519_PUBLIC_SIZE], same_public[ED25519_PUBLIC_SIZE];
	struct ed25519_key key, same;
	char *again;

	if (ed25519_parse_private(&key, text, len, NULL) == 0) {
		again = ed25519_private_pem(&key);
		if (ed25519_parse_private(&same, again, strlen(again), NULL) != 0 ||
			memcmp(&key, &same, sizeof(key)) != 0)
			abort();
		free(again);
	}
	if (ed25519_parse_public(public, text, len, NULL) == 0) {
		again = ed25519_public_pem(public);
		if (ed25519_parse_public(same_public, again, strlen(again), NULL) != 0 ||
			memcmp(public, same_public, sizeof(public)) != 0)
			abort();
		free(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_checkpoint((const char *)bytes, len);
	check_key((const char *)bytes, len);
	return 0;
}
