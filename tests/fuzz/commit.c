/*
 * Any bytes that a pusher calls a commit, which git takes unless receive.fsckObjects is on: they are none, or
 * the parents that were read of them stand there.
 *
 * About: common/git/walk-paint.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/walk-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void check(const struct walk_node *node, const char *text)
{
	struct str lines;

	str_init(&lines);
	for (size_t i = 0; i < node->n_parents; i++) {
		char hex[OID_HEX_SIZE];

		oid_hex(&node->parents[i], hex);
		str_addf(&lines, "\nparent %s", hex);
	}
	must(str_starts(text, "tree "));
	must(strncasecmp(strchr(text, '\n'), lines.buf, lines.len) == 0);
	must(!str_starts(strchr(text, '\n') + lines.len, "\nparent "));
	str_clear(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct walk_node node = {.n_parents = 0};
	char *text = mem_strndup((const char *)bytes, len);

	if (walk_parse(&node, text) == 0)
		check(&node, text);
	free(node.parents);
	free(text);
	return 0;
}
