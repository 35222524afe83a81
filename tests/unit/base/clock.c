/* common/base/clock: text and back, and ids that sort as they were made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"

static void test_text(void **state)
{
	static const struct {
		int64_t when;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{1, "1970-01-01T00:00:00.000001Z"},
		{INT64_C(951782399999999), "2000-02-28T23:59:59.999999Z"},
		{INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
		{INT64_C(1795465309123456), "2026-11-23T20:21:49.123456Z"},
		{INT64_C(2147483648000000), "2038-01-19T03:14:08.000000Z"},
		{INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLOCK_TEXT_SIZE];
		int64_t when;

		clock_text(cases[i].when, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(clock_parse(text, &when), 0);
		assert_int_equal(when, cases[i].when);
	}
}

static void test_text_out_of_range(void **state)
{
	static const int64_t cases[] = {-1, INT64_MIN, INT64_C(253402300800000000), INT64_MAX};
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_text(cases[i], text);
		assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t when; /* -1: refused */
	} cases[] = {
		{"2000-02-29", INT64_C(951782400000000)},
		{"2000-02-29T00:00:01Z", INT64_C(951782401000000)},
		{"2000-02-29T00:00:00.5Z", INT64_C(951782400500000)},
		{"2000-02-29T00:00:00.1234567899Z", INT64_C(951782400123456)},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000000)}, /* a leap second */
		{"", -1},
		{"2000", -1},
		{"2000-2-29", -1},
		{" 2000-02-29", -1},
		{"2000-02-29 ", -1},
		{"2000-02-30", -1},
		{"2001-02-29", -1},
		{"2000-02-00", -1},
		{"2000-00-01", -1},
		{"2000-13-01", -1},
		{"1969-12-31", -1},
		{"2000-02-29T00:00:00", -1},
		{"2000-02-29T00:00:00z", -1},
		{"2000-02-29T00:00:00+00:00", -1},
		{"2000-02-29T0:00:00Z", -1},
		{"2000-02-29T24:00:00Z", -1},
		{"2000-02-29T00:60:00Z", -1},
		{"2000-02-29T00:00:61Z", -1},
		{"2000-02-29T00:00:00.Z", -1},
		{"2000-02-29T00:00:00Z ", -1},
		{"2000-02-29 00:00:00Z", -1},
		{"20260101", -1},
		{"yesterday", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t when = 7;
		int status = clock_parse(cases[i].text, &when);

		if (status != (cases[i].when < 0 ? -1 : 0) ||
			when != (cases[i].when < 0 ? 0 : cases[i].when))
			fail_msg("\"%s\": %d, %lld instead of %lld", cases[i].text, status,
				(long long)when, (long long)cases[i].when);
	}
}

static void test_now(void **state)
{
	int64_t before = clock_monotonic(), after = clock_monotonic();

	(void)state;
	assert_true(before > 0 && after >= before);
	assert_true(clock_now() > INT64_C(1700000000000000));
}

static void test_new_id(void **state)
{
	char id[CLOCK_ID_SIZE], again[CLOCK_ID_SIZE], later[CLOCK_ID_SIZE];

	(void)state;
	/* The example time of the ULID specification: 1469918176385 ms is "01ARYZ6S41". */
	assert_int_equal(clock_new_id(INT64_C(1469918176385000), id), 0);
	assert_memory_equal(id, "01ARYZ6S41", 10);
	assert_int_equal(strlen(id), 26);
	assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	assert_int_equal(clock_new_id(INT64_C(1469918176385999), again), 0);
	assert_memory_equal(again, id, 10);
	assert_string_not_equal(again, id);
	assert_int_equal(clock_new_id(INT64_C(1469918176386000), later), 0);
	assert_true(strcmp(later, id) > 0 && strcmp(later, again) > 0);
	assert_int_equal(clock_new_id(0, id), 0);
	assert_memory_equal(id, "0000000000", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_out_of_range),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_new_id),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
