#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void table_init(struct table *t, const char *const *titles)
{
	memset(t, 0, sizeof(*t));
	for (; titles[t->columns] != NULL; t->columns++)
		strlist_add(&t->cells, titles[t->columns]);
}

void table_clear(struct table *t)
{
	strlist_clear(&t->cells);
}

void table_add(struct table *t, const char *text)
{
	struct str safe;

	str_init(&safe);
	str_add_safe(&safe, text[0] != '\0' ? text : "-");
	strlist_add(&t->cells, safe.buf);
	str_clear(&safe);
}

void table_add_number(struct table *t, long long value)
{
	char *text = mem_format("%lld", value);

	table_add(t, text);
	free(text);
}

/* Characters, taking each UTF-8 sequence (str_add_safe lets only whole ones through) for one. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_row(const struct table *t, char *const *row, const size_t *widths)
{
	for (size_t i = 0; i < t->columns; i++) {
		if (i + 1 == t->columns)
			printf("%s\n", row[i]);
		else
			printf("%s%*s", row[i], (int)(widths[i] - width(row[i]) + 2), "");
	}
}

void table_print(const struct table *t)
{
	size_t rows = t->cells.n / t->columns;
	size_t *widths = mem_zalloc(t->columns, sizeof(*widths));

	for (size_t i = 0; i < rows * t->columns; i++) {
		size_t w = width(t->cells.v[i]);

		if (w > widths[i % t->columns])
			widths[i % t->columns] = w;
	}
	for (size_t r = 0; r < rows; r++)
		print_row(t, &t->cells.v[r * t->columns], widths);
	free(widths);
}
