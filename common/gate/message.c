#include "gate/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "gate/names.h"

#define MAX_NAME 1000 /* bytes; a longer one is of no use to people */

/* How a first line begins (git-fmt-merge-msg(1); GitHub's, which mirrors keep), and what follows. */
static const struct wording {
	const char *start;
	enum { QUOTED, PLAIN } name;
	enum {
		LOCAL,
		AFTER_OWNER
	} form; /* of AFTER_OWNER: what stands before the first slash is none */
} wordings[] = {
	{"Merge branch ", QUOTED, LOCAL},
	{"Merge branches ", QUOTED, LOCAL},
	{"Merge remote-tracking branch ", QUOTED, AFTER_OWNER},
	{"Merge remote-tracking branches ", QUOTED, AFTER_OWNER},
	{"Merge pull request #", PLAIN, AFTER_OWNER},
};

/*
 * The name in quotes that TEXT starts with: 1, *NAME and *LEN.  A name may hold quotes but no blanks, so
 * it ends at the first quote that something else than a name follows.
 */
static int find_quoted(const char *text, const char **name, size_t *len)
{
	if (*text++ != '\'')
		return 0;
	for (size_t i = 0; i <= MAX_NAME && text[i] != '\0'; i++) {
		if (text[i] != '\'' || strchr(" ,\r\n", text[i + 1]) == NULL)
			continue;
		*name = text;
		*len = i;
		return 1;
	}
	return 0;
}

/* "12 from owner/branch": 1, *NAME and *LEN. */
static int find_plain(const char *text, const char **name, size_t *len)
{
	static const char from[] = " from ";

	text += strspn(text, "0123456789");
	if (!str_starts(text, from))
		return 0;
	*name = text + strlen(from);
	*len = strcspn(*name, " \r\n");
	return *len <= MAX_NAME;
}

static int find_name(const struct wording *w, const char *text, const char **name, size_t *len)
{
	const char *slash;

	if (w->name == QUOTED ? !find_quoted(text, name, len) : !find_plain(text, name, len))
		return 0;
	if (w->form == LOCAL)
		return 1;
	slash = memchr(*name, '/', *len);
	if (slash == NULL)
		return 0;
	*len -= (size_t)(slash + 1 - *name);
	*name = slash + 1;
	return 1;
}

/* A copy of NAME where git would have a branch so called; else NULL. */
static char *as_branch(const char *name, size_t len)
{
	char *branch = mem_strndup(name, len), *ref = mem_format("%s%s", NAMES_HEADS, branch);

	if (!names_is_ref(ref)) {
		free(branch);
		branch = NULL;
	}
	free(ref);
	return branch;
}

char *message_branch(const char *message)
{
	const char *line = message + strspn(message, " \t\r\n"), *name;
	size_t len;

	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++)
		if (str_starts(line, wordings[i].start) &&
			find_name(&wordings[i], line + strlen(wordings[i].start), &name, &len))
			return as_branch(name, len);
	return NULL;
}
