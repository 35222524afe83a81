/* common/audit/entry: which lines are records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "audit/entry.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PREV "\"prev\":\"" HASH "\""
#define TIME "\"time\":\"2026-11-23T20:21:49.123456Z\""
#define RECORD(seq, more) "{\"seq\":" seq "," PREV "," TIME ",\"event\":\"e\"" more "}"
#define RECORD_HASH "\"record_hash\":\"" HASH "\","
#define RECOVERED(inner)                                                                           \
	"{\"seq\":1," PREV "," TIME ",\"event\":\"audit.recovered\",\"recovered\":{" inner "}}"
#define ROTATED(inner)                                                                             \
	"{\"seq\":4," PREV "," TIME ",\"event\":\"audit.rotated\",\"rotated\":{" inner "}}"
#define FILE_1 "\"file\":\"audit-000001.jsonl\","
#define HEAD_HASH "\"head_size\":9,\"head_hash\":\"" HASH "\""

static const struct {
	const char *line;
	int is_record;
} cases[] = {
	{RECORD("1", ""), 1},
	{RECORD("1", ",\"unknown\":{\"a\":[1]}"), 1},
	{RECORD("9007199254740992", ""), 1},
	{RECORD("9007199254740993", ""), 0},
	{RECORD("0", ""), 0},
	{RECORD("-1", ""), 0},
	{RECORD("1.5", ""), 0},
	{RECORD("\"1\"", ""), 0},
	{RECORD("null", ""), 0},
	{RECORD("99999999999999999999999", ""), 0},
	{RECORD("1", "") " ", 1}, /* another line, but a record: its hash tells */
	{RECORD("1", "") RECORD("2", ""), 0},
	{"{" PREV "," TIME ",\"event\":\"e\"}", 0},
	{"{\"seq\":1," TIME ",\"event\":\"e\"}", 0},
	{"{\"seq\":1,\"prev\":\"\"," TIME ",\"event\":\"e\"}", 0},
	{"{\"seq\":1,\"prev\":\"" HASH "0\"," TIME ",\"event\":\"e\"}", 0},
	{"{\"seq\":1," PREV ",\"event\":\"e\"}", 0},
	{"{\"seq\":1," PREV ",\"time\":\"yesterday\",\"event\":\"e\"}", 0},
	{"{\"seq\":1," PREV "," TIME "}", 0},
	{"{\"seq\":1," PREV "," TIME ",\"event\":\"\"}", 0},
	{"{\"seq\":1," PREV "," TIME ",\"event\":3}", 0},
	{"", 0},
	{"null", 0},
	{"[]", 0},
	{"{", 0},
	{"{\"seq\":1," PREV "," TIME ",\"event\":\"e\"", 0},
	{RECOVERED(
		 "\"found\":\"torn\",\"head_seq\":0," HEAD_HASH "," RECORD_HASH "\"torn_size\":0"),
		1},
	{RECOVERED("\"found\":\"longer\",\"head_seq\":5," HEAD_HASH "," RECORD_HASH
		   "\"torn_size\":3,\"torn_hash\":\"" HASH "\""),
		1},
	{RECOVERED("\"found\":\"longer\",\"head_seq\":5," HEAD_HASH "," RECORD_HASH
		   "\"torn_size\":3"),
		0},
	{RECOVERED("\"found\":\"\",\"head_seq\":0," HEAD_HASH "," RECORD_HASH "\"torn_size\":0"),
		0},
	{RECOVERED(
		 "\"found\":\"other\",\"head_seq\":0," HEAD_HASH "," RECORD_HASH "\"torn_size\":0"),
		0},
	{RECOVERED(
		 "\"found\":\"torn\",\"head_seq\":-1," HEAD_HASH "," RECORD_HASH "\"torn_size\":0"),
		0},
	{RECOVERED("\"found\":\"torn\"," HEAD_HASH "," RECORD_HASH "\"torn_size\":0"), 0},
	{RECOVERED("\"found\":\"torn\",\"head_seq\":0," RECORD_HASH "\"torn_size\":0"), 0},
	{RECOVERED(
		 "\"found\":\"torn\",\"head_seq\":0," HEAD_HASH "," RECORD_HASH "\"torn_size\":-1"),
		0},
	{RECOVERED("\"found\":\"torn\",\"head_size\":-1,\"head_seq\":0,\"head_hash\":\"" HASH
		   "\"," RECORD_HASH "\"torn_size\":0"),
		0},
	{RECOVERED("\"found\":\"torn\",\"head_seq\":0," HEAD_HASH ",\"torn_size\":0"), 0},
	{RECOVERED(""), 0},
	{"{\"seq\":1," PREV "," TIME ",\"event\":\"audit.recovered\"}", 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1,\"tree\":[\"" HASH "\"]"), 1},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":2,\"tree\":[\"" HASH "\"]"), 1},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":3,\"tree\":[\"" HASH "\",\"" HASH "\"]"), 1},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":3,\"tree\":[\"" HASH "\"]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1,\"tree\":[\"" HASH "\",\"" HASH "\"]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1,\"tree\":[5]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1,\"tree\":[\"\"]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1,\"tree\":{}"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":1"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":0,\"tree\":[]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":-1,\"tree\":[]"), 0},
	{ROTATED(FILE_1 "\"size\":9,\"lines\":9007199254740993,\"tree\":[]"), 0},
	{ROTATED(FILE_1 "\"size\":0,\"lines\":1,\"tree\":[\"" HASH "\"]"), 0},
	{ROTATED(FILE_1 "\"lines\":1,\"tree\":[\"" HASH "\"]"), 0},
	{ROTATED("\"size\":9,\"lines\":1,\"tree\":[\"" HASH "\"]"), 0},
	{ROTATED("\"file\":\"audit.jsonl\",\"size\":9,\"lines\":1,\"tree\":[\"" HASH "\"]"), 0},
	{ROTATED("\"file\":\"audit-000000.jsonl\",\"size\":9,\"lines\":1,\"tree\":[\"" HASH "\"]"),
		0},
	{"{\"seq\":1," PREV "," TIME ",\"event\":\"audit.rotated\"}", 0},
};

static void test_lines(void **state)
{
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = entry_parse(&entry, cases[i].line, strlen(cases[i].line));

		if (got != cases[i].is_record)
			fail_msg("%s: expected %d, got %d", cases[i].line, cases[i].is_record, got);
		entry_clear(&entry);
	}
}

static void test_members(void **state)
{
	static const char text[] =
		RECOVERED("\"found\":\"longer\",\"head_seq\":5," HEAD_HASH "," RECORD_HASH
			  "\"torn_size\":3,\"torn_hash\":\"" HASH "\"");
	struct entry entry;

	(void)state;
	assert_int_equal(entry_parse(&entry, text, strlen(text)), 1);
	assert_int_equal(entry.seq, 1);
	assert_string_equal(entry.prev, HASH);
	assert_string_equal(entry.event, "audit.recovered");
	assert_int_equal(entry.time, INT64_C(1795465309123456));
	assert_int_equal(entry.is_recovered, 1);
	assert_int_equal(entry.recovered.found, AUDIT_FOUND_LONGER);
	assert_int_equal(entry.recovered.head_size, 9);
	assert_int_equal(entry.recovered.head_seq, 5);
	assert_string_equal(entry.recovered.head_hash, HASH);
	assert_string_equal(entry.recovered.record_hash, HASH);
	assert_int_equal(entry.recovered.torn_size, 3);
	assert_string_equal(entry.recovered.torn_hash, HASH);
	entry_clear(&entry);
}

static void test_nul(void **state)
{
	static const char text[] = RECORD("1", "") "\0";
	struct entry entry;

	(void)state;
	assert_int_equal(entry_parse(&entry, text, sizeof(text) - 1), 0);
	assert_int_equal(entry_parse(&entry, text, sizeof(text) - 2), 1);
	entry_clear(&entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests_name("audit/entry", tests, NULL, NULL);
}
