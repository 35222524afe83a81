/*
 * Fuzz target: what git gives a receive hook on standard input, and the names in it.
 *
 * About: common/gate/push.c common/gate/names.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"
#include "gate/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken is written again, byte by byte. */
static void check_push(const struct push *push, const uint8_t *data, size_t size)
{
	struct str s;

	if (push->n == 0)
		abort();
	str_init(&s);
	for (size_t i = 0; i < push->n; i++) {
		char old[OID_HEX_SIZE], new[OID_HEX_SIZE];

		oid_hex(&push->v[i].old, old);
		oid_hex(&push->v[i].new, new);
		if (!names_is_ref(push->v[i].ref) || strcmp(old, new) == 0)
			abort();
		str_addf(&s, "%s %s %s\n", old, new, push->v[i].ref);
	}
	if (s.len != size || memcmp(s.buf, data, size) != 0)
		abort();
	str_clear(&s);
}

static void check_names(const struct config *config, const char *ref)
{
	const char *branch = names_branch(ref);
	struct names_retrain parts;

	(void)names_lookalike(config, ref); /* tests/fuzz/ref-names.c looks at what it says */
	if (branch != NULL && names_retrain(&parts, branch))
		(void)names_date(parts.date, &config->date_formats, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config; /* the same defaults for every input */
	struct err e = ERR_INIT;
	struct push push;

	if (config == NULL && config_parse(&config, "", 0, "fuzz", NULL) != 0)
		abort();
	switch (push_parse(&push, (const char *)data, size, &e)) {
	case PUSH_OK:
		check_push(&push, data, size);
		for (size_t i = 0; i < push.n; i++)
			check_names(config, push.v[i].ref);
		break;
	case PUSH_MALFORMED:
		if (e.text == NULL || e.text[0] == '\0')
			abort();
		break;
	case PUSH_SHA256:
		break;
	}
	push_clear(&push);
	err_clear(&e);
	return 0;
}
