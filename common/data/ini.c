#include "data/ini.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define BLANKS " \t"

struct reading {
	const char *text;
	size_t len;
	size_t at;  /* start of the next line */
	int line;   /* the one that inih is given now, or the one that failed */
	int failed; /* 1: *E is set; nothing more is read */
	const char *file;
	struct ini *out;
	struct err *e;
};

static int fail(struct reading *r, const char *what)
{
	r->failed = 1;
	return err_set(r->e, "%s:%d: %s", r->file, r->line, what);
}

/* 1 if TEXT, which holds no control character, can be shown: UTF-8 without anything invisible. */
static int is_visible(const char *text)
{
	const char *p = text;
	struct str safe;
	int same;

	while (*p != '\0' && (unsigned char)*p < 0x7f)
		p++;
	if (*p == '\0')
		return strchr(text, '\t') == NULL;
	str_init(&safe);
	str_add_safe(&safe, text);
	same = strcmp(safe.buf, text) == 0;
	str_clear(&safe);
	return same;
}

static struct ini_entry *add_entry(struct reading *r)
{
	struct ini *i = r->out;

	mem_grow(&i->v, i->n, &i->cap, sizeof(*i->v));
	i->v[i->n].line = r->line;
	return &i->v[i->n++];
}

/* Split TEXT, `section` or `section "name"`, into *ENTRY.  0, or -1 and nothing is set. */
static int split_heading(struct ini_entry *entry, const char *text)
{
	size_t kind = strcspn(text, BLANKS "\"");
	const char *name = text + kind + strspn(text + kind, BLANKS);
	size_t len;

	if (kind == 0)
		return -1;
	if (text[kind] == '\0') {
		entry->section = mem_strdup(text);
		return 0;
	}
	if (name == text + kind || *name++ != '"')
		return -1;
	len = strcspn(name, "\"\\");
	if (len == 0 || strcmp(name + len, "\"") != 0)
		return -1;
	entry->section = mem_strndup(text, kind);
	entry->name = mem_strndup(name, len);
	return 0;
}

/* TEXT is what stands between a section's brackets. */
static int refuse_heading(struct reading *r, const char *text)
{
	size_t kind = strcspn(text, BLANKS), len = strlen(text);
	const char *name = text + kind + strspn(text + kind, BLANKS);
	char *what;

	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	if (kind == 0 || name[0] == '\0' || strpbrk(text, "\"'\\") != NULL || !is_visible(text))
		return fail(r, "not a section; write [section] or [section \"name\"]");
	what = mem_format("[%s]: a name stands in quotes; write [%.*s \"%.*s\"]", text, (int)kind,
		text, (int)(text + len - name), name);
	(void)fail(r, what);
	free(what);
	return -1;
}

/* inih tells of a section with its first key only, and passes over what follows the bracket. */
static int add_heading(struct reading *r, const char *line)
{
	size_t len = strcspn(line + 1, "];");
	const char *rest = line + 1 + len;
	struct ini_entry *entry;
	char *text;
	int split;

	if (*rest++ != ']')
		return fail(r, "a section without its closing bracket; write [section] or "
			       "[section \"name\"]");
	if (*rest != '\0' && rest[strspn(rest, BLANKS)] != '\0' &&
		(strchr(BLANKS, *rest) == NULL || rest[strspn(rest, BLANKS)] != ';'))
		return fail(
			r, "text after the section's bracket; keys stand on lines of their own");
	if (len > INI_NAME_SIZE)
		return fail(r, "a section of more than 48 bytes");
	entry = add_entry(r);
	text = mem_strndup(line + 1, len);
	split = split_heading(entry, text);
	if (split != 0 || !is_visible(entry->section) ||
		(entry->name != NULL && !is_visible(entry->name)))
		(void)refuse_heading(r, text);
	free(text);
	return r->failed ? -1 : 0;
}

static int check_line(struct reading *r, const char *line, size_t n)
{
	size_t blanks = 0;

	if (n > INI_LINE_SIZE)
		return fail(r,
			"a line of more than 190 bytes; a long list goes on in a second key, "
			"such as members.2 =");
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return fail(r, "a control character; this is a text file of plain lines");
	while (blanks < n && strchr(BLANKS, line[blanks]) != NULL)
		blanks++;
	if (blanks > 0 && blanks < n && strchr(";#", line[blanks]) == NULL)
		return fail(r,
			"a line that starts with a blank; lines cannot be continued, and keys "
			"stand at the margin");
	if (r->out->n >= INI_ENTRIES)
		return fail(r, "more than 4096 sections and keys");
	return 0;
}

/* The ini_reader of inih: one whole line, or NULL at the end and after a fault. */
static char *next_line(char *buf, int size, void *stream)
{
	static const char mark[] = "\xef\xbb\xbf"; /* what some editors put before UTF-8 */
	struct reading *r = stream;
	const char *line = r->text + r->at, *end;
	size_t n;

	if (r->failed || r->at >= r->len)
		return NULL;
	r->line++;
	end = memchr(line, '\n', r->len - r->at);
	n = end != NULL ? (size_t)(end - line) : r->len - r->at;
	r->at += n + (end != NULL);
	if (r->line == 1 && n >= sizeof(mark) - 1 && memcmp(line, mark, sizeof(mark) - 1) == 0) {
		line += sizeof(mark) - 1;
		n -= sizeof(mark) - 1;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (check_line(r, line, n) != 0)
		return NULL;
	if (size < 1 || n >= (size_t)size) {
		(void)fail(r, "a line that is longer than this inih reads");
		return NULL;
	}
	memcpy(buf, line, n);
	buf[n] = '\0';
	return buf[0] == '[' && add_heading(r, buf) != 0 ? NULL : buf;
}

/* The ini_handler of inih: 1, or 0 after a fault. */
static int add_key(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;
	struct ini_entry *entry;

	(void)section; /* the heading was read by add_heading */
	if (r->failed)
		return 0;
	if (r->out->n == 0)
		return fail(r, "a key before the first [section]") == 0;
	if (key[0] == '\0')
		return fail(r, "no key before the =") == 0;
	if (strlen(key) > INI_NAME_SIZE)
		return fail(r, "a key of more than 48 bytes") == 0;
	if (value[0] == ';')
		return fail(r, "a comment after the = needs a blank before its ;") == 0;
	entry = add_entry(r);
	entry->section = mem_strdup(entry[-1].section);
	entry->name = mem_strdup(entry[-1].name);
	entry->key = mem_strdup(key);
	entry->value = mem_strdup(value);
	for (char *tab = entry->value; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	if (!is_visible(key) || !is_visible(entry->value))
		return fail(r, "bytes that are no visible UTF-8 text") == 0;
	return 1;
}

int ini_read(struct ini *out, const char *text, size_t len, const char *file, struct err *e)
{
	struct reading r = {.text = text, .len = len, .file = file, .out = out, .e = e};
	int line;

	ini_clear(out);
	line = ini_parse_stream(next_line, &r, add_key, &r);
	/*
	 * inih reads on after a line it does not understand, so a fault found here may be a later
	 * one.
	 */
	if (line > 0 && (!r.failed || line < r.line)) {
		r.line = line;
		return fail(&r, "neither a [section] nor a key = value");
	}
	if (line < 0)
		return err_set(e, "%s: inih could not read it", file);
	return r.failed ? -1 : 0;
}

void ini_clear(struct ini *i)
{
	for (size_t n = 0; n < i->n; n++) {
		free(i->v[n].section);
		free(i->v[n].name);
		free(i->v[n].key);
		free(i->v[n].value);
	}
	free(i->v);
	memset(i, 0, sizeof(*i));
}
