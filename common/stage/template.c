#include "stage/template.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* What is wrong with VALUE, in words that follow the value's name; NULL: nothing. */
static const char *fault_of(const char *value)
{
	size_t len = strlen(value), n;
	unsigned long c;

	for (const char *p = value; *p != '\0'; p += n) {
		n = str_utf8(p, len - (size_t)(p - value), &c);
		if (n == 0)
			return "is not UTF-8";
		/* Python and YAML end a line at the last three too. */
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
			return "holds a line break or another control character";
		/* No characters at all (Unicode 23.7), and a manifest that holds one is no YAML (YAML 1.1, 5.1). */
		if ((c & 0xfffe) == 0xfffe)
			return "holds U+FFFE, U+FFFF or their like, which are no characters";
		if (strchr("\"'`\\", *p) != NULL)
			return "holds a quote or a backslash";
	}
	if (strpbrk(value, "{}") != NULL)
		return "holds a brace, which Airflow's templates and Python's f-strings take for "
		       "their own";
	if (str_ends(value, ".sh") || str_ends(value, ".bash"))
		return "ends in .sh or .bash, which Airflow would take for the name of a file";
	return NULL;
}

static int check_value(const struct template_value *v, struct err *e)
{
	const char *fault = fault_of(v->value);

	if (fault != NULL)
		return err_set(e, "%s \"%s\" %s", v->name, v->value, fault);
	if (*v->value == '\0' && v->empty == TEMPLATE_NOT_EMPTY)
		return err_set(e, "%s is not known", v->name);
	return 0;
}

/* The value of the LEN bytes at NAME; NULL: there is none such. */
static const struct template_value *find(
	const struct template_value *values, const char *name, size_t len)
{
	for (; values->name != NULL; values++)
		if (strlen(values->name) == len && memcmp(values->name, name, len) == 0)
			return values;
	return NULL;
}

int template_fill(
	struct str *out, const char *text, const struct template_value *values, struct err *e)
{
	int line = 1;

	while (*text != '\0') {
		size_t n = *text == '@' ? strspn(text + 1, NAME_CHARACTERS) : 0;
		const struct template_value *v;

		if (n == 0 || text[n + 1] != '@') {
			line += *text == '\n';
			str_addc(out, *text++);
			continue;
		}
		v = find(values, text + 1, n);
		if (v == NULL)
			return err_set(e, "line %d: there is no @%.*s@", line, n < 60 ? (int)n : 60,
				text + 1);
		if (check_value(v, e) != 0)
			return err_wrap(e, "line %d", line);
		str_add(out, v->value);
		text += n + 2;
	}
	return 0;
}
