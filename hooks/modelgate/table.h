/* A table for people: columns aligned, two blanks between them, a header in capitals. */
#ifndef MODELGATE_TABLE_H
#define MODELGATE_TABLE_H

#include "base/str.h"

struct table {
	size_t columns;
	struct strlist cells; /* row after row, the header first; harmless for a terminal */
};

/* TITLES: one a column, ended by NULL. */
void table_init(struct table *t, const char *const *titles);
void table_clear(struct table *t);
/* Add the next cell; TEXT is made harmless, and "-" if it is empty. */
void table_add(struct table *t, const char *text);
void table_add_number(struct table *t, long long value);
/* Write all whole rows to standard output. */
void table_print(const struct table *t);

#endif
