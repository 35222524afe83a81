/*
 * INI text into a list of entries, each with its line.  inih does the reading of a line; what it
 * would cut, join or pass over in silence is refused here with file and line.
 */
#ifndef MODELGATE_DATA_INI_H
#define MODELGATE_DATA_INI_H

#include <stddef.h>

struct err;

#define INI_LINE_SIZE 190 /* bytes of a line, without its end: inih cuts at 200 */
#define INI_NAME_SIZE                                                                              \
	48 /* bytes of a key, or of what stands between the brackets: inih cuts at 49 */
#define INI_ENTRIES 4096 /* headings and keys of one text */

/* `[section "name"]` has no key and no value; `key = value` has all four. */
struct ini_entry {
	char *section;
	char *name;  /* NULL: a heading without one */
	char *key;   /* NULL: this entry is a heading */
	char *value; /* without the blanks around it; a tab in it is a blank */
	int line;    /* from 1 */
};

struct ini {
	struct ini_entry *v; /* in the order of the text */
	size_t n;
	size_t cap;
};

/*
 * Read the LEN bytes at TEXT, called FILE in messages, into *OUT (all zero before the first use;
 * the caller's to ini_clear() in either case).  0, or -1 and *E is "FILE:LINE: what is wrong".
 */
int ini_read(struct ini *out, const char *text, size_t len, const char *file, struct err *e);
void ini_clear(struct ini *i);

#endif
