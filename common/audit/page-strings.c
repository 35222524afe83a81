#include <stdlib.h>
#include <string.h>

#include "audit/page-parts.h"
#include "base/mem.h"

#define FIRST_SLOTS 1024

/* FNV-1a (Fowler, Noll, Vo), 32 bits. */
static uint32_t hash_of(const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	return h;
}

/* The slot where TEXT is, or is to be. */
static uint32_t *find(const struct page_strings *t, const char *text)
{
	uint32_t i = hash_of(text) & (t->n_slots - 1);

	while (t->slots[i] != 0 && strcmp(t->v[t->slots[i]], text) != 0)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static void grow(struct page_strings *t)
{
	free(t->slots);
	t->n_slots *= 2;
	t->slots = mem_zalloc(t->n_slots, sizeof(*t->slots));
	for (uint32_t i = 1; i < t->n; i++)
		*find(t, t->v[i]) = i;
}

static uint32_t append(struct page_strings *t, const char *text)
{
	mem_grow(&t->v, t->n, &t->cap, sizeof(*t->v));
	t->v[t->n] = mem_strdup(text);
	return t->n++;
}

void page_strings_init(struct page_strings *t)
{
	memset(t, 0, sizeof(*t));
	t->n_slots = FIRST_SLOTS;
	t->slots = mem_zalloc(t->n_slots, sizeof(*t->slots));
	(void)append(t, "");
}

void page_strings_clear(struct page_strings *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->v[i]);
	free(t->v);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

uint32_t page_strings_put(struct page_strings *t, const char *text)
{
	uint32_t *slot;

	if (text == NULL || *text == '\0')
		return 0;
	if (t->n >= t->n_slots / 2)
		grow(t);
	slot = find(t, text);
	if (*slot == 0)
		*slot = append(t, text);
	return *slot;
}
