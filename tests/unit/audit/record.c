/* common/audit/record: a record as the line it becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/record.h"
#include "sys/paths.h"

#define PREV "0123456789012345678901234567890123456789012345678901234567890123"
#define OTHER "abcdef6789012345678901234567890123456789012345678901234567890123"
#define START "{\"seq\":7,\"prev\":\"" PREV "\",\"time\":\"2026-11-23T20:21:49.000001Z\","
#define WHEN INT64_C(1795465309000001)

static char user_id[] = "user-17", user_name[] = "ivanov", protocol[] = "ssh", empty[] = "";

static const char *const one_code[] = {"MG102"};
static const char *const two_codes[] = {"MG102", "MG104"};
static const struct audit_ref one_ref[] = {{.ref = "refs/heads/main",
	.old = "3f2a",
	.new = "8b1d",
	.source = "refs/heads/dev",
	.method = "merge"}};
static const struct audit_ref two_refs[] = {{.ref = "refs/heads/main",
						    .old = "3f2a",
						    .new = "8b1d",
						    .codes = one_code,
						    .n_codes = 1,
						    .reason = "made on main"},
	{.ref = "refs/heads/prod", .old = "", .new = "8b1d", .codes = two_codes, .n_codes = 2}};
static const struct audit_recovered torn = {.found = AUDIT_FOUND_TORN,
	.head_size = 99,
	.head_seq = 6,
	.head_hash = PREV,
	.record_hash = OTHER,
	.torn_size = 12,
	.torn_hash = OTHER};
static const struct audit_recovered no_head = {
	.found = AUDIT_FOUND_NO_HEAD, .head_hash = PREV, .record_hash = OTHER};

static const struct {
	struct audit_record record;
	const char *expected; /* between time and build */
	const char *after;    /* behind build */
} cases[] = {
	{{.event = "runner"}, "\"event\":\"runner\",", ""},
	{{.event = "push.accepted",
		 .push_id = "01J",
		 .actor = {user_id, user_name, protocol},
		 .repository = {"/r/a.git", "alliya", "project-3"},
		 .refs = one_ref,
		 .n_refs = 1,
		 .policy = "abc",
		 .correlation_id = "c1"},
		"\"event\":\"push.accepted\",\"push_id\":\"01J\","
		"\"actor\":{\"id\":\"user-17\",\"name\":\"ivanov\",\"protocol\":\"ssh\"},"
		"\"repository\":{\"path\":\"/r/a.git\",\"project\":\"alliya\","
		"\"gl_repository\":\"project-3\"},"
		"\"refs\":[{\"ref\":\"refs/heads/main\",\"old\":\"3f2a\",\"new\":\"8b1d\","
		"\"source\":\"refs/heads/dev\",\"method\":\"merge\"}],\"policy\":\"abc\",",
		",\"correlation_id\":\"c1\""},
	{{.event = "push.rejected",
		 .actor = {.name = user_name},
		 .repository = {.path = "/r"},
		 .refs = two_refs,
		 .n_refs = 2},
		"\"event\":\"push.rejected\",\"actor\":{\"id\":\"\",\"name\":\"ivanov\","
		"\"protocol\":"
		"\"\"},"
		"\"repository\":{\"path\":\"/r\",\"project\":\"\"},"
		"\"refs\":[{\"ref\":\"refs/heads/main\",\"old\":\"3f2a\",\"new\":\"8b1d\","
		"\"code\":\"MG102\",\"reason\":\"made on main\"},"
		"{\"ref\":\"refs/heads/prod\",\"new\":\"8b1d\",\"code\":\"MG102\","
		"\"codes\":[\"MG102\",\"MG104\"]}],",
		""},
	{{.event = "stage.finished",
		 .actor = {empty, empty, empty},
		 .pipeline = 42,
		 .stage = "build",
		 .status = "failed",
		 .reason = "exit 1"},
		"\"event\":\"stage.finished\",\"pipeline\":42,\"stage\":\"build\","
		"\"status\":\"failed\",\"reason\":\"exit 1\",",
		""},
	{{.event = "audit.recovered", .reason = "torn", .recovered = &torn},
		"\"event\":\"audit.recovered\",\"reason\":\"torn\",\"recovered\":{"
		"\"found\":\"torn\",\"head_size\":99,\"head_seq\":6,\"head_hash\":\"" PREV
		"\",\"record_hash\":\"" OTHER "\",\"torn_size\":12,"
		"\"torn_hash\":\"" OTHER "\"},",
		""},
	{{.event = "audit.recovered", .recovered = &no_head},
		"\"event\":\"audit.recovered\",\"recovered\":{\"found\":\"no-head\",\"head_size\":"
		"0,\"head_seq\":0,"
		"\"head_hash\":\"" PREV "\",\"record_hash\":\"" OTHER "\",\"torn_size\":0},",
		""},
	{{.event = "e", .reason = "two\nlines \x1b[31m \xff / \"q\""},
		"\"event\":\"e\",\"reason\":\"two\\nlines \\u001b[31m \xef\xbf\xbd / \\\"q\\\"\",",
		""},
};

static void test_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_record record = cases[i].record;
		char expected[1024], *line;
		struct entry entry;

		record.time = WHEN;
		line = audit_record_line(&record, 7, PREV);
		snprintf(expected, sizeof(expected), START "%s\"build\":\"%s\"%s}",
			cases[i].expected, paths_version(), cases[i].after);
		assert_string_equal(line, expected);
		assert_int_equal(entry_parse(&entry, line, strlen(line)), 1);
		entry_clear(&entry);
		free(line);
	}
}

static void test_now(void **state)
{
	struct audit_record record = {.event = "e"};
	char *line = audit_record_line(&record, 1, PREV);
	struct entry entry;

	(void)state;
	assert_int_equal(entry_parse(&entry, line, strlen(line)), 1);
	assert_true(entry.time > WHEN / 2);
	entry_clear(&entry);
	free(line);
}

static void test_actor(void **state)
{
	char id[] = "user-1", name[] = "n";
	struct actor from = {.id = id, .name = name}, to;

	(void)state;
	actor_copy(&to, &from);
	assert_string_equal(to.id, "user-1");
	assert_ptr_not_equal(to.id, from.id);
	assert_string_equal(to.name, "n");
	assert_null(to.protocol);
	actor_clear(&to);
	assert_null(to.id);
	actor_clear(&to);
}

static void test_file_names(void **state)
{
	static const struct {
		const char *name;
		int64_t number;
	} rows[] = {
		{"audit-000001.jsonl", 1},
		{"audit-000042.jsonl", 42},
		{"audit-999999.jsonl", 999999},
		{"audit-1000000.jsonl", 1000000},
		{"audit-999999999.jsonl", 999999999},
		{"audit-1000000000.jsonl", 0},
		{"audit-000000.jsonl", 0},
		{"audit-1.jsonl", 0},
		{"audit-0000001.jsonl", 0},
		{"audit-00001a.jsonl", 0},
		{"audit--00001.jsonl", 0},
		{"audit-+00001.jsonl", 0},
		{"audit- 00001.jsonl", 0},
		{"audit-.jsonl", 0},
		{"audit-jsonl", 0},
		{"audit.jsonl", 0},
		{"audit-000001.jsonl.gz", 0},
		{"xaudit-000001.jsonl", 0},
		{"audit-000001.json", 0},
		{"audit-00000000000000000000000000000001.jsonl", 0},
		{"", 0},
	};
	char name[AUDIT_FILE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = audit_file_number(rows[i].name);

		if (got != rows[i].number)
			fail_msg("%s: expected %lld, got %lld", rows[i].name,
				(long long)rows[i].number, (long long)got);
		if (got == 0)
			continue;
		audit_file_name(got, name);
		assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_actor),
		cmocka_unit_test(test_file_names),
	};

	return cmocka_run_group_tests_name("audit/record", tests, NULL, NULL);
}
