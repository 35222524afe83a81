#include <stdlib.h>
#include <string.h>

#include "audit/page-parts.h"
#include "base/mem.h"

void page_tally_clear(struct page_tallies *t)
{
	free(t->v);
	free(t->at);
	memset(t, 0, sizeof(*t));
}

static struct page_tally *find(struct page_tallies *t, uint32_t name)
{
	while (name >= t->n_at)
		mem_grow(&t->at, name, &t->n_at, sizeof(*t->at));
	if (t->at[name] == 0) {
		mem_grow(&t->v, t->n, &t->cap, sizeof(*t->v));
		t->v[t->n++].name = name;
		t->at[name] = (uint32_t)t->n;
	}
	return &t->v[t->at[name] - 1];
}

void page_tally_add(struct page_tallies *t, uint32_t name, enum page_kind kind, int64_t when)
{
	struct page_tally *one = find(t, name);

	one->counts[kind]++;
	one->total++;
	if (when > one->last)
		one->last = when;
}

static int compare(const void *a, const void *b)
{
	const struct page_tally *x = a, *y = b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

void page_tally_sort(struct page_tallies *t)
{
	if (t->n > 0)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	free(t->at); /* the places are others now */
	t->at = NULL;
	t->n_at = 0;
}
