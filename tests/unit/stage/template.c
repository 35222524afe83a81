/* Templates: what is filled in, and what must not be. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/template.h"
#include "fixture.h"

#define V "v = '@VALUE@'"

static void test_fill(void **state)
{
	static const struct {
		const char *text;
		const char *value;    /* of @VALUE@ */
		const char *expected; /* the outcome, or part of what is said */
		int result;
	} rows[] = {
		{"", "x", "", 0},
		{"plain\n", "x", "plain\n", 0},
		{V, "churn", "v = 'churn'", 0},
		{"@VALUE@@VALUE@ @VALUE@", "a", "aa a", 0},
		{"@VALUE@", "@EMPTY@", "@EMPTY@", 0},
		{"[@EMPTY@]", "x", "[]", 0},
		{"@MD5_2@", "x", "digits", 0},
		{"@dag @task\ndef f(): a@b.c, @ @@ @X", "x", "@dag @task\ndef f(): a@b.c, @ @@ @X",
			0},
		{V, "*/5 * * * *", "v = '*/5 * * * *'", 0},
		{V, "https://gitlab.example.com/a/b.git",
			"v = 'https://gitlab.example.com/a/b.git'", 0},
		{V, "Müller (x) %d #", "v = 'Müller (x) %d #'", 0},
		{"a\n\n@UNKNOWN@", "x", "line 3: there is no @UNKNOWN@", -1},
		{"@value@ @VALUES@", "x", "there is no @VALUES@", -1},
		{"\n" V, "it's", "line 2: VALUE \"it's\" holds a quote", -1},
		{V, "\"", "holds a quote", -1},
		{V, "`id`", "holds a quote", -1},
		{V, "a\\b", "holds a quote or a backslash", -1},
		{V, "a\nb", "line break", -1},
		{V, "a\x7f", "control character", -1},
		{V, "a\xc2\x85z", "control character", -1},
		{V, "a\xe2\x80\xa8z", "line break", -1},
		{V, "a\xef\xbf\xbfz", "no characters", -1},
		{V, "a\xf0\x9f\xbf\xbez", "no characters", -1},
		{V, "a\xef\xbf\xbdz", "v = 'a\xef\xbf\xbdz'", 0},
		{V, "a\xff", "is not UTF-8", -1},
		{V, "{{ var.value.token }}", "holds a brace", -1},
		{V, "{% raw", "holds a brace", -1},
		{V, "} {", "holds a brace", -1},
		{V, "{x}", "holds a brace", -1},
		{V, "{# c", "holds a brace", -1},
		{V, "run.sh", "the name of a file", -1},
		{V, "run.bash", "the name of a file", -1},
		{V, "", "VALUE is not known", -1},
		/* what is not used is not judged */
		{"none", "{{", "none", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct template_value values[] = {
			{"VALUE", rows[i].value, TEMPLATE_NOT_EMPTY},
			{"EMPTY", "", TEMPLATE_MAY_BE_EMPTY},
			{"MD5_2", "digits", TEMPLATE_NOT_EMPTY},
			{0},
		};
		struct err e = ERR_INIT;
		struct str out;

		str_init(&out);
		if (template_fill(&out, rows[i].text, values, &e) != rows[i].result)
			fail_msg("row %zu, \"%s\" with \"%s\": \"%s\" (%s)", i, rows[i].text,
				rows[i].value, out.buf, err_text(&e));
		if (rows[i].result == 0)
			assert_string_equal(out.buf, rows[i].expected);
		else
			assert_says(&e, rows[i].expected);
		str_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_fill)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
