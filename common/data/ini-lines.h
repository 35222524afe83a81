/*
 * INI text that other programs write (DVC, the AWS tools), key by key, with lines of any length.  Our
 * own configuration is read by data/ini.h, which is stricter.
 */
#ifndef MODELGATE_DATA_INI_LINES_H
#define MODELGATE_DATA_INI_LINES_H

#include <stddef.h>

struct err;

/* One `key = value`; the texts are borrowed, without the blanks around them, quotes left as they are. */
struct ini_line {
	int number;      /* from 1 */
	int is_indented; /* 1: the line starts with a blank */
	char *section;   /* what stands between the brackets; "" before the first section */
	char *key;
	char *value;
};

/*
 * Give each key of the LEN bytes at TEXT, which a NUL follows and which is cut in place, to EACH until
 * that returns other than 0, with *E set.  Empty lines and those that start with # or ; are passed over.
 * 0, or -1 and *E: a fault of EACH, or "line 3: ..." for a line that is neither a section nor a key.
 */
int ini_lines_each(char *text, size_t len,
	int (*each)(void *context, const struct ini_line *line, struct err *e), void *context,
	struct err *e);

#endif
