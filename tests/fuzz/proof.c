/*
 * Any bytes are a proof or none: what is taken for one is the same when it is rendered and parsed again, and
 * shows the same root, or none.
 *
 * About: common/audit/proof.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/proof.h"
#include "base/err.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void render_again(const struct proof *p)
{
	unsigned char root[SHA256_SIZE], again[SHA256_SIZE];
	char *text = proof_render(p);
	struct proof same;

	if (proof_parse(&same, text, strlen(text), NULL) != 0)
		abort();
	if (strcmp(same.record, p->record) != 0 || same.path.n != p->path.n ||
		same.path.index != p->path.index || same.path.length != p->path.length ||
		!str_same(same.checkpoint, p->checkpoint))
		abort();
	if (proof_root(p, root) != proof_root(&same, again))
		abort();
	if (proof_root(p, root) == 0 && memcmp(root, again, sizeof(root)) != 0)
		abort();
	proof_clear(&same);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e = ERR_INIT;
	struct proof p;
	int got = proof_parse(&p, (const char *)bytes, len, &e);

	if ((got == 0) != (e.text == NULL) || (got == 0) != (p.record != NULL))
		abort();
	if (got == 0) {
		if (p.path.index < 0 || p.path.index >= p.path.n || p.path.length > MERKLE_LEVELS)
			abort();
		render_again(&p);
	}
	proof_clear(&p);
	err_clear(&e);
	return 0;
}
