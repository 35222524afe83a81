/* INI text of other programs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/ini-lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Writes what it is given into the struct str CONTEXT; the key "stop" is a fault. */
static int note(void *context, const struct ini_line *l, struct err *e)
{
	if (strcmp(l->key, "stop") == 0)
		return err_set(e, "stopped in line %d", l->number);
	str_addf(context, "%d%s[%s]%s=%s|", l->number, l->is_indented ? "i" : "", l->section,
		l->key, l->value);
	return 0;
}

static void test_lines(void **state)
{
	static const struct {
		const char *text;
		const char *expected; /* what is given; behind "!", what is said */
	} rows[] = {
		{"", ""},
		{"\n# c\n ; c\n\n", ""},
		{"a = b", "1[]a=b|"},
		{"[s]\na=b=c\n[t u]\n d  =\t e f \r\n", "2[s]a=b=c|4i[t u]d=e f|"},
		{"[ s ] ; c\na=\n", "2[s]a=|"},
		{"['remote \"r]\"']\nurl=x", "2['remote \"r]\"']url=x|"},
		{"[s]\na = \"b # c\" # d\n", "2[s]a=\"b # c\" # d|"},
		{"[s\na=b\n", "!line 1: a section without"},
		{"a=b\nc\nd=e\n", "1[]a=b|!line 2: neither a section nor"},
		{"a=b\nstop=1\nd=e\n", "1[]a=b|!stopped in line 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = mem_strdup(rows[i].text);
		struct err e = ERR_INIT;
		struct str got;

		str_init(&got);
		if (ini_lines_each(text, strlen(text), note, &got, &e) != 0)
			str_addf(&got, "!%s", err_text(&e));
		if (strncmp(got.buf, rows[i].expected, strlen(rows[i].expected)) != 0 ||
			(strchr(rows[i].expected, '!') == NULL &&
				strcmp(got.buf, rows[i].expected) != 0))
			fail_msg("row %zu gives %s, not %s", i, got.buf, rows[i].expected);
		str_clear(&got);
		err_clear(&e);
		free(text);
	}
}

static void test_nul(void **state)
{
	char text[] = "a=b\0\nc=d";
	struct err e = ERR_INIT;
	struct str got;

	(void)state;
	str_init(&got);
	assert_int_equal(ini_lines_each(text, sizeof(text) - 1, note, &got, &e), -1);
	assert_string_equal(err_text(&e), "a NUL byte");
	assert_string_equal(got.buf, "");
	err_clear(&e);
	str_clear(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
