/* What is read, in order and with lines; what inih would cut, join or pass over, refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/ini.h"

/* Every entry as LINE:SECTION|NAME|KEY|VALUE and a newline, a "-" for what is NULL. */
static char *dump(const struct ini *i)
{
	struct str out;

	str_init(&out);
	for (size_t n = 0; n < i->n; n++) {
		const struct ini_entry *entry = &i->v[n];

		str_addf(&out, "%d:%s|%s|%s|%s\n", entry->line, entry->section,
			entry->name ? entry->name : "-", entry->key ? entry->key : "-",
			entry->value ? entry->value : "-");
	}
	return str_steal(&out);
}

static void expect(const char *text, size_t len, const char *wanted)
{
	struct ini i = {0};
	struct err e = ERR_INIT;
	char *got = ini_read(&i, text, len, "t.ini", &e) == 0 ? dump(&i) : mem_strdup(err_text(&e));

	assert_string_equal(got, wanted);
	free(got);
	ini_clear(&i);
	err_clear(&e);
}

static void reads_entries(void **state)
{
	static const struct {
		const char *text, *entries;
	} rows[] = {
		{"", ""},
		{"\n; remark\n# remark\n  ; indented remark\n \t\n", ""},
		{"[a]", "1:a|-|-|-\n"},
		{"[a]\nk = v\n", "1:a|-|-|-\n2:a|-|k|v\n"},
		{"[a]\r\nk = v \t\r\n", "1:a|-|-|-\n2:a|-|k|v\n"},
		{"[a \"b c\"] ; remark\nk=v\n", "1:a|b c|-|-\n2:a|b c|k|v\n"},
		{"[a\t\"b\"]\n", "1:a|b|-|-\n"},
		{"[a]\nk =\nl = ; remark\n", "1:a|-|-|-\n2:a|-|k|\n3:a|-|l|\n"},
		{"[a]\nk = v ; remark\nl = v;w\nm = # v\n",
			"1:a|-|-|-\n2:a|-|k|v\n3:a|-|l|v;w\n4:a|-|m|# v\n"},
		{"[a]\nk = x = y: z\nl : v\n", "1:a|-|-|-\n2:a|-|k|x = y: z\n3:a|-|l|v\n"},
		{"[a]\nk = x,\ty\n", "1:a|-|-|-\n2:a|-|k|x, y\n"},
		{"[a]\n\n[b]\nk = v\n[a]\nk = w",
			"1:a|-|-|-\n3:b|-|-|-\n4:b|-|k|v\n5:a|-|-|-\n6:a|-|k|w\n"},
		{"\xef\xbb\xbf[a]\nk = v\n", "1:a|-|-|-\n2:a|-|k|v\n"},
		{"[a]\nk = \xc3\xa9t\xc3\xa9\n; \xe9\n", "1:a|-|-|-\n2:a|-|k|\xc3\xa9t\xc3\xa9\n"},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		expect(rows[n].text, strlen(rows[n].text), rows[n].entries);
}

#define BLANK_FAULT                                                                                \
	"a line that starts with a blank; lines cannot be continued, and keys stand at the margin"
#define HEADING_FAULT "not a section; write [section] or [section \"name\"]"
#define BRACKET_FAULT "a section without its closing bracket; write [section] or [section \"name\"]"

static void refuses(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"k = v\n", "t.ini:1: a key before the first [section]"},
		{"[a]\nk\n", "t.ini:2: neither a [section] nor a key = value"},
		{"[a]\nk ;= v\n", "t.ini:2: neither a [section] nor a key = value"},
		{"[a]\nk\n[b\n", "t.ini:2: neither a [section] nor a key = value"},
		{"[a]\n[b\nk\n", "t.ini:2: " BRACKET_FAULT},
		{"[a]\n= v\n", "t.ini:2: no key before the ="},
		{"[a]\nk =;v\n", "t.ini:2: a comment after the = needs a blank before its ;"},
		{"[a]\nk = v\n w\n", "t.ini:3: " BLANK_FAULT},
		{"[a]\n\tk = v\n", "t.ini:2: " BLANK_FAULT},
		{" [a]\n", "t.ini:1: " BLANK_FAULT},
		{"[a]\nk = v\r w\n",
			"t.ini:2: a control character; this is a text file of plain lines"},
		{"[a]\nk = \x1b[2J\n",
			"t.ini:2: a control character; this is a text file of plain lines"},
		{"[a]\nk = \x7f\n",
			"t.ini:2: a control character; this is a text file of plain lines"},
		{"[a]\nk = \xe9t\xe9\n", "t.ini:2: bytes that are no visible UTF-8 text"},
		{"[a]\nk = \xe2\x80\xaey\n", "t.ini:2: bytes that are no visible UTF-8 text"},
		{"[a]\n\xe2\x80\xae = y\n", "t.ini:2: bytes that are no visible UTF-8 text"},
		{"[a] k = v\n", "t.ini:1: text after the section's bracket; keys stand on lines of "
				"their own"},
		{"[a]b\n", "t.ini:1: text after the section's bracket; keys stand on lines of "
			   "their own"},
		{"[a\n", "t.ini:1: " BRACKET_FAULT},
		{"[a ;]\n", "t.ini:1: " BRACKET_FAULT},
		{"[]\n", "t.ini:1: " HEADING_FAULT},
		{"[a b]\n", "t.ini:1: [a b]: a name stands in quotes; write [a \"b\"]"},
		{"[a  b c ]\n", "t.ini:1: [a  b c ]: a name stands in quotes; write [a \"b c\"]"},
		{"[a ]\n", "t.ini:1: " HEADING_FAULT},
		{"[a 'b']\n", "t.ini:1: " HEADING_FAULT},
		{"[a \xe9]\n", "t.ini:1: " HEADING_FAULT},
		{"[a \"b]\n", "t.ini:1: " HEADING_FAULT},
		{"[a \"\"]\n", "t.ini:1: " HEADING_FAULT},
		{"[a \"b\" c]\n", "t.ini:1: " HEADING_FAULT},
		{"[a \"b\\\"c\"]\n", "t.ini:1: " HEADING_FAULT},
		{"[a\"b\"]\n", "t.ini:1: " HEADING_FAULT},
		{"[\"b\"]\n", "t.ini:1: " HEADING_FAULT},
		{"[a \"\xe9\"]\n", "t.ini:1: " HEADING_FAULT},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		expect(rows[n].text, strlen(rows[n].text), rows[n].fault);
}

static void refuses_nul(void **state)
{
	(void)state;
	expect("[a]\nk = v\0w\n", 12,
		"t.ini:2: a control character; this is a text file of plain lines");
	expect("\0", 1, "t.ini:1: a control character; this is a text file of plain lines");
}

/* BEFORE, then COUNT times "x", then AFTER. */
static char *stretched(const char *before, size_t count, const char *after)
{
	struct str s;

	str_init(&s);
	str_add(&s, before);
	while (count-- > 0)
		str_addc(&s, 'x');
	str_add(&s, after);
	return str_steal(&s);
}

static void knows_the_limits(void **state)
{
	static const struct {
		const char *before, *after;
		size_t most;
		const char *fault;
	} rows[] = {
		{"[a]\nk = ", "\r\n", INI_LINE_SIZE - 4,
			"t.ini:2: a line of more than 190 bytes; a long list goes on in a second "
			"key, "
			"such as members.2 ="},
		{"; ", "\n[a]\n", INI_LINE_SIZE - 2,
			"t.ini:1: a line of more than 190 bytes; a long list goes on in a second "
			"key, "
			"such as members.2 ="},
		{"[a]\n", " = v\n", INI_NAME_SIZE, "t.ini:2: a key of more than 48 bytes"},
		{"[", "]\nk = v\n", INI_NAME_SIZE, "t.ini:1: a section of more than 48 bytes"},
		{"[a \"", "\"]\nk = v\n", INI_NAME_SIZE - 4,
			"t.ini:1: a section of more than 48 bytes"},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct ini i = {0};
		struct err e = ERR_INIT;
		char *text = stretched(rows[n].before, rows[n].most, rows[n].after);

		if (ini_read(&i, text, strlen(text), "t.ini", &e) != 0)
			fail_msg("row %zu: %s", n, err_text(&e));
		free(text);
		text = stretched(rows[n].before, rows[n].most + 1, rows[n].after);
		expect(text, strlen(text), rows[n].fault);
		free(text);
		ini_clear(&i);
	}
}

/* The longest names arrive whole, with the value of the longest line. */
static void cuts_nothing(void **state)
{
	char *name = stretched("", INI_NAME_SIZE - 4, ""), *key = stretched("", INI_NAME_SIZE, "");
	char *value = stretched("", INI_LINE_SIZE - INI_NAME_SIZE - 1, "");
	char *text = mem_format("[a \"%s\"]\n%s=%s\n", name, key, value);
	char *wanted = mem_format("1:a|%s|-|-\n2:a|%s|%s|%s\n", name, name, key, value);

	(void)state;
	expect(text, strlen(text), wanted);
	free(name);
	free(key);
	free(value);
	free(text);
	free(wanted);
}

static void counts_entries(void **state)
{
	struct str text;
	struct ini i = {0};
	struct err e = ERR_INIT;

	(void)state;
	str_init(&text);
	str_add(&text, "[a]\n");
	for (int n = 1; n < INI_ENTRIES; n++)
		str_add(&text, "k=v\n");
	assert_int_equal(ini_read(&i, text.buf, text.len, "t.ini", &e), 0);
	assert_int_equal(i.n, INI_ENTRIES);
	str_add(&text, "k=v\n");
	expect(text.buf, text.len, "t.ini:4097: more than 4096 sections and keys");
	ini_clear(&i);
	str_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_entries),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(knows_the_limits),
		cmocka_unit_test(cuts_nothing),
		cmocka_unit_test(counts_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
