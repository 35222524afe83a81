/*
 * common/data/yaml: the tree is what was written, and what is not allowed is refused with its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/yaml.h"

static struct yaml *must_parse(const char *text)
{
	struct err e = ERR_INIT;
	struct yaml *y = NULL;

	if (yaml_parse(&y, text, strlen(text), &e) != 0)
		fail_msg("\"%s\": %s", text, err_text(&e));
	assert_non_null(y);
	return y;
}

static void assert_refused(const char *text, size_t len, const char *why)
{
	struct err e = ERR_INIT;
	struct yaml *y = NULL;

	if (yaml_parse(&y, text, len, &e) != -1 || strstr(err_text(&e), why) == NULL)
		fail_msg("\"%.80s\": \"%s\" instead of \"... %s ...\"", text, err_text(&e), why);
	assert_null(y);
	err_clear(&e);
}

static void test_tree(void **state)
{
	struct yaml *y = must_parse("# a pointer\n"
				    "outs:\n"
				    "- md5: 0123\n"
				    "  size: 12\n"
				    "- 'quoted'\n"
				    "- {a: [x, \"y\"], b: ~}\n"
				    "text: |\n"
				    "  two\n"
				    "  lines\n"
				    "empty:\n");
	const struct yaml *outs = yaml_get(y, "outs"), *first, *third;

	(void)state;
	assert_int_equal(yaml_kind(y), YAML_MAPPING);
	assert_int_equal(yaml_length(y), 3);
	assert_int_equal(yaml_line(y), 2);
	assert_string_equal(yaml_text(yaml_key(y, 1)), "text");
	assert_int_equal(yaml_line(yaml_key(y, 1)), 7);
	assert_null(yaml_key(y, 3));
	assert_null(yaml_at(y, 3));
	assert_null(yaml_text(y));
	assert_int_equal(yaml_kind(outs), YAML_SEQUENCE);
	assert_int_equal(yaml_length(outs), 3);
	assert_null(yaml_key(outs, 0));
	assert_null(yaml_get(outs, "md5"));
	first = yaml_at(outs, 0);
	assert_string_equal(yaml_text(yaml_get(first, "md5")), "0123");
	assert_int_equal(yaml_style(yaml_get(first, "md5")), YAML_PLAIN);
	assert_int_equal(yaml_line(yaml_get(first, "size")), 4);
	assert_null(yaml_get(first, "none"));
	assert_string_equal(yaml_text(yaml_at(outs, 1)), "quoted");
	assert_int_equal(yaml_style(yaml_at(outs, 1)), YAML_QUOTED);
	third = yaml_at(outs, 2);
	assert_string_equal(yaml_text(yaml_at(yaml_get(third, "a"), 1)), "y");
	assert_string_equal(yaml_text(yaml_get(third, "b")), "~");
	assert_string_equal(yaml_text(yaml_get(y, "text")), "two\nlines\n");
	assert_int_equal(yaml_style(yaml_get(y, "text")), YAML_QUOTED);
	assert_string_equal(yaml_text(yaml_get(y, "empty")), "");
	assert_int_equal(yaml_style(yaml_get(y, "empty")), YAML_PLAIN);
	yaml_tree_free(y);
}

static void test_types(void **state)
{
	static const struct {
		const char *text;
		enum yaml_type type;
	} cases[] = {
		{"word", YAML_TEXT},
		{"'1'", YAML_TEXT},
		{"\"true\"", YAML_TEXT},
		{"[1]", YAML_TEXT},
		{"yes", YAML_TEXT},
		{"tRUE", YAML_TEXT},
		{"1a", YAML_TEXT},
		{"1e", YAML_TEXT},
		{"-x", YAML_TEXT},
		{"1.2.3", YAML_TEXT},
		{".", YAML_TEXT},
		{"2026-1-1", YAML_TEXT},
		{"1:30", YAML_TEXT},
		{"~a", YAML_TEXT},
		{"0x", YAML_TEXT},
		{"", YAML_NULL},
		{"~", YAML_NULL},
		{"null", YAML_NULL},
		{"NULL", YAML_NULL},
		{"true", YAML_TRUTH},
		{"False", YAML_TRUTH},
		{"0", YAML_INTEGER},
		{"-12", YAML_INTEGER},
		{"+1", YAML_INTEGER},
		{"012", YAML_INTEGER},
		{"0o12", YAML_INTEGER},
		{"0xaF", YAML_INTEGER},
		{"0b1", YAML_INTEGER},
		{"1_000", YAML_INTEGER},
		{"1.5", YAML_OTHER},
		{"1.", YAML_OTHER},
		{".5", YAML_OTHER},
		{"1e5", YAML_OTHER},
		{"-1.5E-3", YAML_OTHER},
		{".inf", YAML_OTHER},
		{"-.INF", YAML_OTHER},
		{".nan", YAML_OTHER},
		{"2026-01-01", YAML_OTHER},
		{"2026-1-1 10:00:00", YAML_OTHER},
		{"2026-01-01T10:00:00Z", YAML_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = mem_format("a: %s\n", cases[i].text);
		struct yaml *y = must_parse(text);
		int type = (int)yaml_type(yaml_get(y, "a"));

		if (type != (int)cases[i].type)
			fail_msg(
				"%s: expected %d, got %d", cases[i].text, (int)cases[i].type, type);
		yaml_tree_free(y);
		free(text);
	}
	assert_int_equal(yaml_type(NULL), YAML_TEXT);
}

static void test_nothing_there(void **state)
{
	(void)state;
	assert_int_equal(yaml_kind(NULL), YAML_SCALAR);
	assert_null(yaml_text(NULL));
	assert_int_equal(yaml_length(NULL), 0);
	assert_int_equal(yaml_line(NULL), 0);
	assert_int_equal(yaml_style(NULL), YAML_QUOTED);
	assert_null(yaml_at(NULL, 0));
	assert_null(yaml_key(NULL, 0));
	assert_null(yaml_get(NULL, "a"));
	yaml_tree_free(NULL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "no document"},
		{"# nothing\n", "no document"},
		{"a: 1\n---\nb: 2\n", "line 2: a second document"},
		{"a: 1\n...\nb: 2\n", "line 3"},
		{"a: &x 1\n", "line 1: a: an anchor"},
		{"a: &x [1]\n", "line 1: a: an anchor"},
		{"a: {b: [c, &x {}]}\n", "line 1: a.b[1]: an anchor"},
		{"&x a: 1\n", "line 1: an anchor"},
		{"a: 1\nb: *x\n", "line 2: b: an alias"},
		{"*x : 1\n", "line 1: an alias"},
		{"a: !!str 1\n", "line 1: a: a tag"},
		{"a: ! 1\n", "line 1: a: a tag"},
		{"a: !x [1]\n", "line 1: a: a tag"},
		{"--- !x {}\n", "line 1: a tag"},
		{"%YAML 1.1\n---\na: 1\n", "a directive"},
		{"%TAG ! tag:x,2000:\n---\na: 1\n", "a directive"},
		{"a: 1\nb: 2\na: 3\n", "line 3: a: a key that is there twice"},
		{"a: 1\n'a': 2\n", "line 2: a: a key that is there twice"},
		{"[1]: 2\n", "line 1: a key that is not a text"},
		{"? {a: 1}\n: 2\n", "line 1: a key that is not a text"},
		{"a: [1\n", "line 2"},
		{"a: b: c\n", "line 1: mapping values are not allowed"},
		{"\ta: 1\n", "line 1: a tab"},
		{"a: 1\nb: \"x\ty\"\n", "line 2: a tab"},
		{"\"\x1b[2J\": *x\n", "byte"},
		{"\"\\e[2J\": *x\n", "line 1: \\x1b[2J: an alias"},
		{"a: \"x\\0y\"\n", "line 1: a: a NUL"},
		{"a: \xff\n", "byte 3"},
		{"a: \xc0\xaf\n", "byte 3"},
		{"a: \x01\n", "byte"},
		{"\xff\xfe\x61\x00", "byte 0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].why);
	assert_refused("a: 1\0b", 6, "byte");
}

/* [[[...]]], as text. */
static char *nested(char open, char close, int depth)
{
	struct str s;

	str_init(&s);
	for (int i = 0; i < depth; i++)
		str_addc(&s, open);
	for (int i = 0; i < depth; i++)
		str_addc(&s, close);
	return str_steal(&s);
}

static void test_depth(void **state)
{
	(void)state;
	for (int depth = 1; depth < 30; depth++) {
		char *text = nested('[', ']', depth);

		if (depth <= YAML_MAX_DEPTH)
			yaml_tree_free(must_parse(text));
		else
			assert_refused(text, strlen(text), ": nested deeper than 8");
		free(text);
	}
}

static void test_nodes(void **state)
{
	(void)state;
	/* The list itself is one; of a pair, the key is one and the value is one. */
	for (int n = YAML_MAX_NODES - 3; n < YAML_MAX_NODES + 3; n++) {
		struct str s;

		str_init(&s);
		for (int i = 0; i < n; i++)
			str_add(&s, "- x\n");
		if (n + 1 <= YAML_MAX_NODES)
			yaml_tree_free(must_parse(s.buf));
		else
			assert_refused(s.buf, s.len, "line 1000: more than 1000 values");
		str_reset(&s);
		for (int i = 0; i < n / 2; i++)
			str_addf(&s, "k%d: x\n", i);
		if (n / 2 * 2 + 1 <= YAML_MAX_NODES)
			yaml_tree_free(must_parse(s.buf));
		else
			assert_refused(s.buf, s.len, "more than 1000 values");
		str_clear(&s);
	}
}

static void test_size(void **state)
{
	char *text = mem_zalloc(YAML_MAX_BYTES + 2, 1);

	(void)state;
	memset(text, 'x', YAML_MAX_BYTES + 1);
	assert_refused(text, YAML_MAX_BYTES + 1, "65537 bytes");
	text[YAML_MAX_BYTES] = '\0';
	yaml_tree_free(must_parse(text));
	free(text);
}

/* Texts that are hard on a scanner must end soon, one way or the other. */
static void test_hard(void **state)
{
	static const char *const parts[] = {"[", "{", "- ", "? ", "a: ", "\"", "'", "&a ", "*a ",
		"!a ", "\n", " ", "[]", "{}", ", ", "#", "|\n", "%a\n", "---\n", "? - ",
		"[a: ", "{a: ", "a\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct yaml *y = NULL;
		struct str s;

		str_init(&s);
		while (s.len + strlen(parts[i]) <= YAML_MAX_BYTES)
			str_add(&s, parts[i]);
		if (yaml_parse(&y, s.buf, s.len, NULL) == 0)
			yaml_tree_free(y);
		else
			assert_null(y);
		str_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_hard),
	};

	return cmocka_run_group_tests_name("data/yaml", tests, NULL, NULL);
}
