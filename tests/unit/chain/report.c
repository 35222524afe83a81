/* chain/report: what a job leaves for us, written and read; and what is not believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/report.h"

#include "fixture.h"

static void assert_facts(const struct facts *got, const struct facts *expected)
{
	assert_int_equal(got->n, expected->n);
	for (size_t i = 0; i < expected->n; i++)
		if (!str_same(facts_get(got, expected->v[i].name), expected->v[i].value))
			fail_msg("%s is \"%s\", not \"%s\"", expected->v[i].name,
				facts_get(got, expected->v[i].name), expected->v[i].value);
}

static void test_round(void **state)
{
	static const struct {
		const char *message;
		int is_passing;
		const char *name, *value; /* NULL: no facts */
		const char *said;         /* NULL: nothing */
	} rows[] = {
		{NULL, 0, NULL, NULL, NULL},
		{NULL, 0, "image", "h/churn:1", NULL},
		{NULL, 0, "image-digest_2", "", NULL},
		{"no such file", 0, NULL, NULL, "no such file"},
		{"disk full", 1, NULL, NULL, "disk full"},
		{"a \"b\" \\ c", 1, "a", "b \"c\" \\ \n$X %24", "a \"b\" \\ c"},
		{"\xd0\xb8", 0, "a", "\xd0\xb8 \xe2\x80\xa8", "\xd0\xb8"},
		/* harmless on a terminal */
		{"a\x1b[2J\nb", 0, NULL, NULL, "a\\x1b[2J\\x0ab"},
		{"\xe2\x80\xae", 0, NULL, NULL, "\\xe2\\x80\\xae"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report r,
			sent = {.is_passing = rows[i].is_passing, .is_refused = i % 2 == 1};
		struct err e = ERR_INIT;
		char *text;

		sent.message = mem_strdup(rows[i].message);
		if (rows[i].name != NULL)
			facts_set(&sent.facts, rows[i].name, rows[i].value);
		text = report_render(&sent, "build");
		assert_result(report_parse(&r, text, strlen(text), "build", &e), 0, &e);
		if ((r.message == NULL) != (rows[i].said == NULL) ||
			!str_same(r.message, rows[i].said) || r.is_passing != rows[i].is_passing ||
			r.is_refused != sent.is_refused)
			fail_msg("row %zu: \"%s\", passing %d, refused %d", i, r.message,
				r.is_passing, r.is_refused);
		assert_facts(&r.facts, &sent.facts);
		report_clear(&r);
		report_clear(&sent);
		free(text);
	}
}

#define F(facts) "{\"stage\":\"build\",\"facts\":" facts "}"
#define NAME64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		const char *said; /* NULL: it is one; else part of what is wrong */
		size_t facts;
		int is_passing;
		const char *message; /* of the report */
	} rows[] = {
		{"{\"stage\":\"build\"}", NULL, 0, 0, NULL},
		{F("{}"), NULL, 0, 0, NULL},
		{F("{\"a\":\"b\",\"c-d_9\":\"\"}"), NULL, 2, 0, NULL},
		{F("{\"" NAME64 "\":\"x\"}"), NULL, 1, 0, NULL},
		{F("{\"a\":\"1\",\"a\":\"2\"}"), NULL, 1, 0, NULL},
		{"{\"stage\":\"build\",\"status\":\"odd\",\"more\":[1]}", NULL, 0, 0, NULL},
		{"{\"stage\":\"build\",\"passing\":true}", NULL, 0, 1, NULL},
		/* what is not of its type is not there */
		{"{\"stage\":\"build\",\"passing\":1,\"message\":7}", NULL, 0, 0, NULL},
		{"{\"stage\":\"build\",\"passing\":\"true\",\"message\":[\"x\"]}", NULL, 0, 0,
			NULL},
		{"{\"stage\":\"build\",\"message\":\"\"}", NULL, 0, 0, ""},
		{"{\"stage\":\"build\",\"message\":null,\"facts\":null}", NULL, 0, 0, NULL},
		/* of another stage, or of none */
		{"{\"stage\":\"deploy\"}", "the report of stage build: it is one of another stage",
			0, 0, NULL},
		{"{\"stage\":\"Build\"}", "another stage", 0, 0, NULL},
		{"{\"stage\":\"build\\u0000\"}", "another stage", 0, 0, NULL},
		{"{\"stage\":7}", "another stage", 0, 0, NULL},
		{"{}", "another stage", 0, 0, NULL},
		{"[]", "another stage", 0, 0, NULL},
		{"7", "another stage", 0, 0, NULL},
		/* facts that none has */
		{F("[]"), "facts: no object of at most 64 members", 0, 0, NULL},
		{F("\"a\""), "facts: no object", 0, 0, NULL},
		{F("{\"a\":7}"), "facts: a name or value that none has", 0, 0, NULL},
		{F("{\"a\":null}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"a\":{}}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"a\":\"x\\u0000y\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"A\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"a.b\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"a b\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"\\u0430\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		{F("{\"" NAME64 "e\":\"x\"}"), "facts: a name or value", 0, 0, NULL},
		/* no JSON */
		{"", "the report of stage build: ", 0, 0, NULL},
		{"null", "the report of stage build: ", 0, 0, NULL},
		{"{\"stage\":\"build\"", "the report of stage build: ", 0, 0, NULL},
		{"{\"stage\":\"build\"} x", "the report of stage build: ", 0, 0, NULL},
		{"<html>", "the report of stage build: ", 0, 0, NULL},
		{"\xff", "the report of stage build: ", 0, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report r;
		struct err e = ERR_INIT;
		int got = report_parse(&r, rows[i].text, strlen(rows[i].text), "build", &e);

		if (got != (rows[i].said == NULL ? 0 : -1))
			fail_msg("%s: %d: %s", rows[i].text, got, err_text(&e));
		if (rows[i].said != NULL && strstr(err_text(&e), rows[i].said) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, err_text(&e),
				rows[i].said);
		if (r.facts.n != rows[i].facts || r.is_passing != rows[i].is_passing)
			fail_msg(
				"%s: %zu facts, passing %d", rows[i].text, r.facts.n, r.is_passing);
		if ((r.message == NULL) != (rows[i].message == NULL) ||
			!str_same(r.message, rows[i].message))
			fail_msg("%s: says \"%s\"", rows[i].text, r.message);
		report_clear(&r);
		err_clear(&e);
	}
}

/* A report with N facts, whose values have LEN bytes; the caller's to free(). */
static char *large(size_t n, size_t len)
{
	struct str s;

	str_init(&s);
	str_add(&s, "{\"stage\":\"build\",\"facts\":{");
	for (size_t i = 0; i < n; i++) {
		str_addf(&s, "%s\"f%zu\":\"", i > 0 ? "," : "", i);
		for (size_t k = 0; k < len; k++)
			str_addc(&s, 'x');
		str_addc(&s, '"');
	}
	str_add(&s, "}}");
	return str_steal(&s);
}

static void test_limits(void **state)
{
	static const struct {
		size_t n, len;
		int expected;
	} rows[] = {
		{REPORT_MAX_FACTS, 1, 0},
		{REPORT_MAX_FACTS + 1, 1, -1},
		{1, REPORT_MAX_VALUE, 0},
		{1, REPORT_MAX_VALUE + 1, -1},
		{REPORT_MAX_FACTS, REPORT_MAX_VALUE, 0},
	};
	char *message = mem_zalloc(5001, 1), *text;
	struct report none = {0};
	struct report r;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got;

		text = large(rows[i].n, rows[i].len);
		got = report_parse(&r, text, strlen(text), "build", &e);
		if (got != rows[i].expected)
			fail_msg("%zu facts of %zu bytes: %d, not %d", rows[i].n, rows[i].len, got,
				rows[i].expected);
		assert_int_equal(r.facts.n, got == 0 ? rows[i].n : 0);
		report_clear(&r);
		err_clear(&e);
		free(text);
	}
	memset(message, 'm', 5000);
	none.message = message;
	text = report_render(&none, "build");
	assert_result(report_parse(&r, text, strlen(text), "build", &e), 0, &e);
	assert_int_equal(strlen(r.message), 2000);
	assert_true(str_ends(r.message, "m..."));
	report_clear(&r);
	free(text);
	free(message);
}

/* The facts of a stage that is run again are those of its last run, and earlier stages keep theirs. */
static void test_save(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	int64_t id = fixture_land(s, c, "/r", "main", "0", "1", "dev");
	struct report first = {0}, again = {0}, later = {0};
	struct pipeline p;
	struct facts got = {0};
	struct err e = ERR_INIT;

	assert_result(pipeline_read(&p, s, id, &e), 1, &e);
	facts_set(&first.facts, "image", "one");
	facts_set(&first.facts, "odd", "x");
	facts_set(&again.facts, "image", "two");
	facts_set(&later.facts, "model", "3");
	assert_result(report_save(&first, s, &p, "build", &e), 0, &e);
	assert_result(report_save(&later, s, &p, "create-model", &e), 0, &e);
	assert_result(report_save(&again, s, &p, "build", &e), 0, &e);
	assert_result(pipeline_facts(s, id, NULL, &got, &e), 0, &e);
	assert_int_equal(got.n, 2);
	assert_string_equal(facts_get(&got, "image"), "two");
	assert_string_equal(facts_get(&got, "model"), "3");
	facts_clear(&got);
	report_clear(&first);
	report_clear(&again);
	report_clear(&later);
	pipeline_clear(&p);
	config_free(c);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_limits),
		scratch_test(test_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
