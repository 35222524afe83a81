#include "git/merge-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MIN_SIZE 28 /* "40000 a", a NUL and 20 bytes; no mode is longer than that */

/* The mode that the text up to the blank at *AT is, as Git writes it; 0: it is none of those. */
static unsigned parse_mode(const char **at)
{
	static const struct {
		const char *text;
		unsigned mode;
	} modes[] = {{"100644 ", 0100644}, {"100755 ", 0100755}, {"40000 ", MERGE_MODE_FOLDER},
		{"120000 ", 0120000}, {"160000 ", 0160000}};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strncmp(*at, modes[i].text, strlen(modes[i].text)) == 0) {
			*at += strlen(modes[i].text);
			return modes[i].mode;
		}
	return 0;
}

/* The place of A in Git's order, which sees a slash behind the name of a folder, is before B's. */
static int is_in_order(const struct merge_item *a, const struct merge_item *b)
{
	size_t n = strlen(a->name), m = strlen(b->name), common = n < m ? n : m;
	int order = memcmp(a->name, b->name, common);
	unsigned char x, y;

	if (order != 0)
		return order < 0;
	x = (unsigned char)a->name[common];
	y = (unsigned char)b->name[common];
	if (n == common && a->leaf.mode == MERGE_MODE_FOLDER)
		x = '/';
	if (m == common && b->leaf.mode == MERGE_MODE_FOLDER)
		y = '/';
	return x < y;
}

/* 1: all items are as Git writes them; 0. */
static int parse_all(struct merge_items *out, const char *at, const char *end)
{
	size_t cap = 0;

	while (at < end) {
		struct merge_item item = {0};

		if (end - at < MIN_SIZE || (item.leaf.mode = parse_mode(&at)) == 0)
			return 0;
		item.name = at;
		at = memchr(at, '\0', (size_t)(end - at));
		if (at == NULL || at == item.name || end - at < 1 + OID_RAW_SIZE ||
			strchr(item.name, '/') != NULL)
			return 0;
		memcpy(item.leaf.oid.raw, at + 1, OID_RAW_SIZE);
		at += 1 + OID_RAW_SIZE;
		if (out->n > 0 && !is_in_order(&out->v[out->n - 1], &item))
			return 0;
		mem_grow(&out->v, out->n, &cap, sizeof(*out->v));
		out->v[out->n++] = item;
	}
	return 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct merge_item *)a)->name, ((const struct merge_item *)b)->name);
}

int merge_items_parse(struct merge_items *out, const char *bytes, size_t len)
{
	memset(out, 0, sizeof(*out));
	if (!parse_all(out, bytes, bytes + len))
		return 0;
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_names);
	/* A file and a folder of one name are not side by side in Git's order. */
	for (size_t i = 1; i < out->n; i++)
		if (strcmp(out->v[i - 1].name, out->v[i].name) == 0)
			return 0;
	return 1;
}

void merge_items_clear(struct merge_items *items)
{
	free(items->v);
	memset(items, 0, sizeof(*items));
}
