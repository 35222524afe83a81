/* Hook input: whatever comes, it is parsed or refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "gate/push.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define ZERO "0000000000000000000000000000000000000000"
#define LONG64 "1111111111111111111111111111111111111111111111111111111111111111"

struct row {
	const char *input;
	size_t len; /* 0: strlen */
	enum push_format format;
	size_t n;
	const char *error;
};

static const struct row rows[] = {
	{A " " B " refs/heads/main\n", 0, PUSH_OK, 1, NULL},
	{ZERO " " B " refs/heads/main\n" A " " ZERO " refs/tags/v1\n", 0, PUSH_OK, 2, NULL},
	{A " " B " refs/heads/caf\xc3\xa9\n", 0, PUSH_OK, 1, NULL},
	{"", 0, PUSH_MALFORMED, 0, "git named no reference"},
	{"\n", 0, PUSH_MALFORMED, 0, "a line is not \"old new ref\""},
	{A " " B " refs/heads/main", 0, PUSH_MALFORMED, 0, "its last line has no end"},
	{A " " B "\n", 0, PUSH_MALFORMED, 0, "a line is not \"old new ref\""},
	{A "\n", 0, PUSH_MALFORMED, 0, "a line is not \"old new ref\""},
	{A " " B " refs/heads/a\0b\n", 97, PUSH_MALFORMED, 0, "a NUL byte stands in it"},
	{A " " B " refs/heads/main\n\n", 0, PUSH_MALFORMED, 0, "a line is not \"old new ref\""},
	{"111 " B " refs/heads/main\n", 0, PUSH_MALFORMED, 0,
		"an object id does not have 40 digits"},
	{"G111111111111111111111111111111111111111 " B " refs/heads/main\n", 0, PUSH_MALFORMED, 0,
		"an object id has something else than lower-case hexadecimal digits"},
	{A " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA refs/heads/main\n", 0, PUSH_MALFORMED, 0,
		"an object id has something else than lower-case hexadecimal digits"},
	{LONG64 " " LONG64 " refs/heads/main\n", 0, PUSH_SHA256, 0, NULL},
	{ZERO " " ZERO " refs/heads/main\n", 0, PUSH_MALFORMED, 0,
		"a reference is neither created, moved nor deleted"},
	{A " " A " refs/heads/main\n", 0, PUSH_MALFORMED, 0,
		"a reference is neither created, moved nor deleted"},
	{A " " B " refs/heads/feature./x\n", 0, PUSH_OK, 1, NULL},
	{A " " B " refs/heads/feature.\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " heads/main\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads/../main\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads/a b\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads/a\x1b[31m\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads/x.lock\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads//x\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
	{A " " B " refs/heads/x/\n", 0, PUSH_MALFORMED, 0,
		"a reference name is none that git would accept"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct err e = ERR_INIT;
		struct push push;
		size_t len = row->len ? row->len : strlen(row->input);
		enum push_format format = push_parse(&push, row->input, len, &e);

		if (format != row->format)
			fail_msg("row %zu: expected format %d, got %d: %s", i, row->format, format,
				err_text(&e));
		if (format == PUSH_OK && push.n != row->n)
			fail_msg("row %zu: expected %zu updates, got %zu", i, row->n, push.n);
		if (row->error != NULL && strcmp(row->error, err_text(&e)) != 0)
			fail_msg("row %zu: expected \"%s\", got \"%s\"", i, row->error,
				err_text(&e));
		push_clear(&push);
		err_clear(&e);
	}
}

/* The longest name that is taken, and one byte more. */
static void test_longest_ref(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		struct err e = ERR_INIT;
		struct push push;
		struct str s;
		enum push_format format;

		str_init(&s);
		str_add(&s, A " " B " refs/heads/");
		while (s.len < 82 + PUSH_MAX_REF + (size_t)extra)
			str_addc(&s, 'x');
		str_addc(&s, '\n');
		format = push_parse(&push, s.buf, s.len, &e);
		assert_int_equal(format, extra ? PUSH_MALFORMED : PUSH_OK);
		push_clear(&push);
		str_clear(&s);
		err_clear(&e);
	}
}

static void test_many(void **state)
{
	struct err e = ERR_INIT;
	struct push push;
	struct str s;

	(void)state;
	str_init(&s);
	for (int i = 0; i < 10000; i++)
		str_addf(&s, ZERO " " B " refs/heads/feature-%d\n", i);
	assert_int_equal(push_parse(&push, s.buf, s.len, &e), PUSH_OK);
	assert_int_equal(push.n, 10000);
	assert_string_equal(push.v[9999].ref, "refs/heads/feature-9999");
	push_clear(&push);
	str_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_longest_ref),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
