#include "data/ini-lines.h"

#include <string.h>

#include "base/err.h"

#define BLANKS " \t\r\f\v"

/* Cut the blanks off both ends of S, whose end is END, in place; where it starts. */
static char *trim(char *s, char *end)
{
	while (end > s && strchr(BLANKS, end[-1]) != NULL)
		end--;
	*end = '\0';
	return s + strspn(s, BLANKS);
}

static int read_section(struct ini_line *line, char *text, struct err *e)
{
	char *end = strrchr(text, ']');

	if (end == NULL)
		return err_set(e, "line %d: a section without its \"]\"", line->number);
	line->section = trim(text + 1, end);
	return 0;
}

static int read_key(struct ini_line *line, char *text, struct err *e)
{
	char *equals = strchr(text, '=');

	if (equals == NULL)
		return err_set(e, "line %d: neither a section nor \"key = value\"", line->number);
	line->key = trim(text, equals);
	line->value = trim(equals + 1, equals + 1 + strlen(equals + 1));
	return 0;
}

int ini_lines_each(char *text, size_t len,
	int (*each)(void *context, const struct ini_line *line, struct err *e), void *context,
	struct err *e)
{
	static char nothing[] = "";
	struct ini_line line = {.section = nothing};
	char *next;

	if (memchr(text, '\0', len) != NULL)
		return err_set(e, "a NUL byte");
	for (; text != NULL && *text != '\0'; text = next) {
		char *start;

		next = strchr(text, '\n');
		if (next != NULL)
			*next++ = '\0';
		line.number++;
		start = text + strspn(text, BLANKS);
		line.is_indented = start != text;
		if (*start == '\0' || *start == '#' || *start == ';')
			continue;
		if (*start == '[') {
			if (read_section(&line, start, e) != 0)
				return -1;
			continue;
		}
		if (read_key(&line, start, e) != 0 || each(context, &line, e) != 0)
			return -1;
	}
	return 0;
}
