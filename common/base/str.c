#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static void reserve(struct str *s, size_t more)
{
	size_t wanted = s->cap ? s->cap : 64;
	char *bigger;

	if (s->len + more + 1 <= s->cap)
		return;
	while (wanted < s->len + more + 1)
		wanted *= 2;
	bigger = mem_zalloc(wanted, 1);
	memcpy(bigger, s->buf, s->len);
	if (s->cap > 0)
		free(s->buf);
	s->buf = bigger;
	s->cap = wanted;
}

void str_init(struct str *s)
{
	static char empty[1]; /* never written: cap 0 means not ours to write or free */

	s->buf = empty;
	s->len = 0;
	s->cap = 0;
}

void str_clear(struct str *s)
{
	if (s->cap > 0)
		free(s->buf);
	str_init(s);
}

void str_reset(struct str *s)
{
	s->len = 0;
	if (s->cap > 0)
		s->buf[0] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addn(struct str *s, const char *bytes, size_t len)
{
	reserve(s, len);
	if (len > 0)
		memcpy(s->buf + s->len, bytes, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void str_addc(struct str *s, char c)
{
	str_addn(s, &c, 1);
}

void str_addf(struct str *s, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	str_add(s, text);
	free(text);
}

char *str_steal(struct str *s)
{
	char *content = s->cap > 0 ? s->buf : mem_strdup("");

	str_init(s);
	return content;
}

size_t str_utf8(const char *text, size_t len, unsigned long *c)
{
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	*c = 0;
	if (len == 0)
		return 0;
	n = p[0] < 0x80   ? 1
	    : p[0] < 0xc0 ? 0
	    : p[0] < 0xe0 ? 2
	    : p[0] < 0xf0 ? 3
	    : p[0] < 0xf8 ? 4
			  : 0;
	if (n == 0 || n > len)
		return 0;
	*c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fU);
	}
	/* Too long for what it says, a surrogate, beyond Unicode. */
	return *c < least[n] || (*c >= 0xd800 && *c <= 0xdfff) || *c > 0x10ffff ? 0 : n;
}

int str_is_visible(unsigned long c)
{
	/* First and last of each run of characters that are not shown as themselves, in order. */
	static const unsigned long hidden[][2] = {
		{0x0000, 0x001f}, {0x007f, 0x009f}, /* C0, DEL, C1 */
		{0x00ad, 0x00ad}, {0x034f, 0x034f}, /* soft hyphen, grapheme joiner */
		{0x061c, 0x061c},                   /* Arabic letter mark */
		{0x115f, 0x1160}, {0x17b4, 0x17b5}, /* fillers without a shape */
		{0x180b, 0x180e},                   /* Mongolian selectors */
		{0x200b, 0x200f}, {0x2028, 0x202e}, /* no width, ends of line, directions */
		{0x2060, 0x206f}, {0x2800, 0x2800}, /* joiners, isolates; the empty braille cell */
		{0x3164, 0x3164}, {0xfeff, 0xfeff}, /* filler; byte order mark */
		{0xffa0, 0xffa0}, {0xfff0, 0xfffb}, /* filler; annotations */
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, /* controls of shorthand and music */
		{0xe0000, 0xe0fff},                     /* tags: text within text */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && c >= hidden[i][0]; i++)
		if (c <= hidden[i][1])
			return 0;
	return 1;
}

void str_add_safe(struct str *s, const char *text)
{
	size_t len = strlen(text), n;
	unsigned long c;

	for (; len > 0; text += n, len -= n) {
		n = str_utf8(text, len, &c);
		if (n > 0 && str_is_visible(c)) {
			str_addn(s, text, n);
		} else {
			n = 1;
			str_addf(s, "\\x%02x", (unsigned char)*text);
		}
	}
}

/* Where to cut TEXT so that at most MAX bytes stay, and of no character or \xHH a part. */
static size_t find_cut(const char *text, size_t max)
{
	size_t cut = max;

	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	for (size_t back = 1; back <= 3 && back <= cut; back++)
		if (text[cut - back] == '\\')
			return cut - back;
	return cut;
}

char *str_safe(const char *text, size_t max)
{
	struct str s;

	str_init(&s);
	str_add_safe(&s, text);
	if (s.len > max) {
		s.len = find_cut(s.buf, max > 3 ? max - 3 : 0);
		s.buf[s.len] = '\0';
		str_add(&s, "...");
	}
	return str_steal(&s);
}

void strlist_clear(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

void strlist_add(struct strlist *l, const char *s)
{
	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = mem_strdup(s);
}

int strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return 1;
	return 0;
}

void strlist_split(struct strlist *l, const char *text, char separator)
{
	while (*text != '\0') {
		const char *end = strchr(text, separator);
		const char *next = end ? end + 1 : text + strlen(text);
		char *part;

		if (end == NULL)
			end = next;
		while (text < end && isspace((unsigned char)*text))
			text++;
		while (end > text && isspace((unsigned char)end[-1]))
			end--;
		if (end > text) {
			part = mem_strndup(text, (size_t)(end - text));
			strlist_add(l, part);
			free(part);
		}
		text = next;
	}
}

char *strlist_join(const struct strlist *l, const char *glue)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			str_add(&s, glue);
		str_add(&s, l->v[i]);
	}
	return str_steal(&s);
}

int str_glob(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, 0) == 0;
}

int str_glob_any(const struct strlist *patterns, const char *path)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (str_glob(patterns->v[i], path))
			return 1;
	return 0;
}

int str_holds(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s != '\0'; s++)
		if (strncasecmp(s, part, n) == 0)
			return 1;
	return n == 0;
}

int str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

int str_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

int str_number(const char *text, long long max, long long *out)
{
	char *end;
	long long value;

	*out = 0;
	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value > max)
		return -1;
	*out = value;
	return 0;
}
