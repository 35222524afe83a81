/*
 * common/data/json: what is written stays one line of valid UTF-8; what is read is JSON and no
 * more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "data/json.h"

static void test_text(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"plain", "plain"},
		{"a/b", "a/b"},
		{"quote \" and \\", "quote \\\" and \\\\"},
		{"line\nline\r\t", "line\\nline\\r\\t"},
		{"\x01\x1f", "\\u0001\\u001f"},
		{"\x7f", "\\u007f"},
		{"\\\x7f", "\\\\\\u007f"},
		{"\xc2\x85\xc2\x9b", "\\u0085\\u009b"},
		{"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
		{"\xe2\x80\xae\xe2\x81\xa6", "\\u202e\\u2066"}, /* turn the text around */
		{"\xf3\xa0\x81\xa1", "\\udb40\\udc61"},         /* beyond U+FFFF */
		{"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"bad \xff end", "bad \xef\xbf\xbd end"},
		{"cut \xd0", "cut \xef\xbf\xbd"},
		{"cut \xe2\x80", "cut \xef\xbf\xbd\xef\xbf\xbd"},
		{"overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd"},
		{"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"beyond \xf4\x90\x80\x80",
			"beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json *j = json_new_object();
		char expected[128], *text;

		json_put_text(j, "v", cases[i].text);
		text = json_text(j, JSON_ONE_LINE);
		snprintf(expected, sizeof(expected), "{\"v\":\"%s\"}", cases[i].expected);
		assert_string_equal(text, expected);
		free(text);
		json_free(j);
	}
}

static void test_members(void **state)
{
	struct json *j = json_new_object(), *list = json_new_array(), *inner = json_new_object();
	char *text;

	(void)state;
	json_put_number(j, "big", INT64_MIN);
	json_put_known(j, "absent", NULL);
	json_put_known(j, "empty", "");
	json_put_known(j, "known", "x");
	json_put_null(j, "null");
	json_put_text(j, "none", NULL);
	json_put_time(j, "never", 0);
	json_put_time(j, "when", INT64_C(1795465309123456));
	json_append_text(list, "b");
	json_append(list, inner);
	json_put(j, "list", list);
	json_put_text(j, "bad\xff", "key");
	text = json_text(j, JSON_ONE_LINE);
	assert_string_equal(text,
		"{\"big\":-9223372036854775808,\"known\":\"x\",\"null\":null,\"none\":null,"
		"\"never\":null,\"when\":\"2026-11-23T20:21:49.123456Z\",\"list\":[\"b\",{}],"
		"\"bad\xef\xbf\xbd\":\"key\"}");
	free(text);
	json_free(j);
	json_free(NULL);
}

static void test_pretty(void **state)
{
	struct json *j = json_new_object();
	char *text;

	(void)state;
	json_put_text(j, "a", "/\x7f");
	json_put_number(j, "b", 1);
	text = json_text(j, JSON_PRETTY);
	assert_string_equal(text, "{\n  \"a\": \"/\\u007f\",\n  \"b\": 1\n}");
	free(text);
	json_free(j);
}

static void assert_parse(const char *text, size_t len, int expected)
{
	struct err e = ERR_INIT;
	struct json *j = NULL;
	int status = json_parse(&j, text, len, &e);

	if (status != expected)
		fail_msg("\"%.60s\": %d instead of %d: %s", text, status, expected, err_text(&e));
	assert_int_equal(status == 0, j != NULL);
	assert_int_equal(status == 0, e.text == NULL);
	json_free(j);
	err_clear(&e);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{"{}", 0},
		{"{\"a\":1}\n", 0},
		{" [1, 2.5e3, true, null, \"\\u00e9\"] ", 0},
		{"12", 0},
		{"\"text\"", 0},
		{"", -1},
		{"  \n", -1},
		{"null", -1},
		{"{", -1},
		{"{\"a\":}", -1},
		{"{\"a\":1}}", -1},
		{"{} {}", -1},
		{"[1,]", -1},
		{"[1] // said", -1},
		{"[NaN]", -1},
		{"[-Infinity]", -1},
		{"{'a':1}", -1},
		{"[\"It's NaN \\\" 'I'\"]", 0},
		{"[\"a\nb\"]", -1},
		{"[\"a\\\nb\"]", -1},
		{"[\"a\\\\\", 'b']", -1},
		{"[TRUE]", -1},
		{"tru", -1},
		{"12 13", -1},
		{"[\"bad \xff\"]", -1},
		{"[\"overlong \xc0\xaf\"]", -1},
		{"[\"surrogate \xed\xa0\x80\"]", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_parse(cases[i].text, strlen(cases[i].text), cases[i].expected);
	assert_parse("[1]garbage", 3, 0); /* only the length counts */
	assert_parse("[1]\0", 4, -1);
	assert_parse("[\"a\0b\"]", 7, -1);
}

static void test_depth(void **state)
{
	char text[2 * 40 + 1];

	(void)state;
	for (int depth = 1; depth <= 40; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		text[2 * depth] = '\0';
		assert_parse(text, (size_t)depth * 2, depth <= 32 ? 0 : -1);
	}
}

static void test_get(void **state)
{
	static const char text[] =
		"{\"t\":\"x\",\"n\":9007199254740993,\"min\":-9223372036854775808,"
		"\"large\":9223372036854775808,\"real\":1.5,\"nul\":\"a\\u0000b\","
		"\"lone\":\"\\ud800\",\"list\":[\"a\",2,null],\"null\":null}";
	struct err e = ERR_INIT;
	struct json *j = NULL;
	const struct json *list;

	(void)state;
	assert_int_equal(json_parse(&j, text, strlen(text), &e), 0);
	assert_string_equal(json_get_text(j, "t"), "x");
	assert_null(json_get_text(j, "n"));
	assert_null(json_get_text(j, "nul"));
	assert_null(json_get_text(j, "absent"));
	assert_string_equal(json_get_text(j, "lone"), "\xef\xbf\xbd");
	assert_int_equal(json_get_number(j, "n", -1), INT64_C(9007199254740993));
	assert_int_equal(json_get_number(j, "min", -1), INT64_MIN);
	assert_int_equal(json_get_number(j, "large", -7), -7);
	assert_int_equal(json_get_number(j, "real", -7), -7);
	assert_int_equal(json_get_number(j, "t", -7), -7);
	assert_int_equal(json_get_number(j, "absent", -7), -7);
	assert_null(json_get(j, "null"));
	list = json_get(j, "list");
	assert_int_equal(json_length(list), 3);
	assert_string_equal(json_string(json_at(list, 0)), "a");
	assert_null(json_string(json_at(list, 1)));
	assert_null(json_at(list, 2));
	assert_null(json_at(list, 3));
	assert_null(json_get(list, "t"));
	assert_int_equal(json_length(j), 0);
	assert_int_equal(json_length(NULL), 0);
	assert_null(json_get(NULL, "t"));
	json_free(j);
}

static void test_flag(void **state)
{
	static const struct {
		const char *text;
		int otherwise, expected;
	} rows[] = {
		{"{\"f\":true}", 0, 1},
		{"{\"f\":false}", 1, 0},
		{"{\"f\":true,\"f\":false}", 1, 0}, /* the last counts */
		{"{}", 7, 7},
		{"{\"F\":true}", 7, 7},
		{"{\"f\":null}", 7, 7},
		{"{\"f\":1}", 7, 7},
		{"{\"f\":0}", 7, 7},
		{"{\"f\":\"true\"}", 7, 7},
		{"{\"f\":[true]}", 7, 7},
		{"[true]", 7, 7},
		{"true", 7, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = NULL;
		int got;

		assert_int_equal(json_parse(&j, rows[i].text, strlen(rows[i].text), NULL), 0);
		got = json_get_flag(j, "f", rows[i].otherwise);
		if (got != rows[i].expected)
			fail_msg("%s, else %d: %d, not %d", rows[i].text, rows[i].otherwise, got,
				rows[i].expected);
		json_free(j);
	}
	assert_int_equal(json_get_flag(NULL, "f", 7), 7);
}

/* The names of an object's members, in their order. */
static void test_names(void **state)
{
	static const struct {
		const char *text, *expected; /* each name and a blank */
		size_t n;
	} rows[] = {
		{"{}", "", 0},
		{"{\"b\":1,\"a\":null,\"\":{\"x\":1}}", "b a  ", 3},
		{"{\"a\":1,\"b\":2,\"a\":3}", "a b ", 2},
		{"[\"a\"]", "", 0},
		{"\"a\"", "", 0},
		{"7", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = NULL;
		char got[64] = "";
		size_t n = 0;
		const char *name;

		assert_int_equal(json_parse(&j, rows[i].text, strlen(rows[i].text), NULL), 0);
		while ((name = json_name_at(j, n)) != NULL) {
			size_t used = strlen(got);

			snprintf(got + used, sizeof(got) - used, "%s ", name);
			n++;
		}
		if (strcmp(got, rows[i].expected) != 0 || n != rows[i].n || json_members(j) != n)
			fail_msg("%s: %zu of %zu names, \"%s\", not \"%s\"", rows[i].text, n,
				json_members(j), got, rows[i].expected);
		assert_null(json_name_at(j, n + 1));
		assert_null(json_name_at(j, (size_t)-1));
		json_free(j);
	}
	assert_int_equal(json_members(NULL), 0);
	assert_null(json_name_at(NULL, 0));
}

/* What is written is read. */
static void test_put_flag(void **state)
{
	struct json *j = json_new_object();
	char *text;

	(void)state;
	json_put_flag(j, "no", 0);
	json_put_flag(j, "yes", 1);
	json_put_flag(j, "two", 2);
	text = json_text(j, JSON_ONE_LINE);
	assert_string_equal(text, "{\"no\":false,\"yes\":true,\"two\":true}");
	free(text);
	json_free(j);
}

/* [X,X,...] of N; whether it is read. */
static int reads_many(const char *x, int n)
{
	struct json *j;
	struct str s;
	int status;

	str_init(&s);
	str_addc(&s, '[');
	for (int i = 0; i < n; i++)
		str_addf(&s, "%s%s", i > 0 ? "," : "", x);
	str_addc(&s, ']');
	status = json_parse(&j, s.buf, s.len, NULL);
	json_free(j);
	str_clear(&s);
	return status == 0;
}

static void test_many_values(void **state)
{
	(void)state;
	assert_true(reads_many("{}", 100000));
	assert_false(reads_many("{}", 1500000));
	assert_true(reads_many("\"{,[\\\"{,[\"", 100000));
	assert_false(reads_many("[]", 2500000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_flag),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_put_flag),
		cmocka_unit_test(test_many_values),
	};

	return cmocka_run_group_tests_name("data/json", tests, NULL, NULL);
}
