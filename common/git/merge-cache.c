#include <string.h>

#include "git/merge-internal.h"

const struct merge_changes *merge_cache_get(struct merge_cache *c, struct repository *r,
	const struct oid *a, const struct oid *b, struct err *e)
{
	size_t oldest = 0;

	c->clock++;
	for (size_t i = 0; i < MERGE_CACHE_SLOTS; i++) {
		if (c->slots[i].used > 0 && oid_equal(&c->slots[i].a, a) &&
			oid_equal(&c->slots[i].b, b)) {
			c->slots[i].used = c->clock;
			return &c->slots[i].changes;
		}
		if (c->slots[i].used < c->slots[oldest].used)
			oldest = i;
	}
	merge_changes_clear(&c->slots[oldest].changes);
	c->slots[oldest].used = 0;
	if (merge_changes_read(&c->slots[oldest].changes, r, a, b, e) != 0)
		return NULL;
	c->slots[oldest].a = *a;
	c->slots[oldest].b = *b;
	c->slots[oldest].used = c->clock;
	return &c->slots[oldest].changes;
}

void merge_cache_clear(struct merge_cache *c)
{
	for (size_t i = 0; i < MERGE_CACHE_SLOTS; i++)
		merge_changes_clear(&c->slots[i].changes);
	memset(c, 0, sizeof(*c));
}
