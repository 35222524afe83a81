/*
 * Any bytes are no tree object that Git writes, or what was read of them makes the same bytes.
 *
 * About: common/git/merge-items.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "git/merge-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Git's order: as strcmp, with a slash behind the name of a folder. */
static int in_order(const void *a, const void *b)
{
	const struct merge_item *x = a, *y = b;
	struct str first, second;
	int order;

	str_init(&first);
	str_init(&second);
	str_addf(&first, "%s%s", x->name, x->leaf.mode == MERGE_MODE_FOLDER ? "/" : "");
	str_addf(&second, "%s%s", y->name, y->leaf.mode == MERGE_MODE_FOLDER ? "/" : "");
	order = strcmp(first.buf, second.buf);
	str_clear(&first);
	str_clear(&second);
	return order;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* A copy without a byte behind its end, so that a look there is seen. */
	char *copy = malloc(len > 0 ? len : 1);
	struct merge_items items;
	struct str again;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	str_init(&again);
	if (merge_items_parse(&items, copy, len)) {
		for (size_t i = 1; i < items.n; i++)
			if (strcmp(items.v[i - 1].name, items.v[i].name) >= 0)
				abort();
		if (items.n > 0)
			qsort(items.v, items.n, sizeof(*items.v), in_order);
		for (size_t i = 0; i < items.n; i++) {
			str_addf(&again, "%o %s", items.v[i].leaf.mode, items.v[i].name);
			str_addc(&again, '\0');
			str_addn(&again, (const char *)items.v[i].leaf.oid.raw, OID_RAW_SIZE);
		}
		if (again.len != len || (len > 0 && memcmp(again.buf, copy, len) != 0))
			abort();
	}
	str_clear(&again);
	merge_items_clear(&items);
	free(copy);
	return 0;
}
