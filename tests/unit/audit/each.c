/* common/audit/each: what the filters let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "data/json.h"
#include "volumes.h"

#define SECOND(n) ((n)*CLOCK_SECOND)

static void add(const char *id, const char *event, int64_t when, const char *user, const char *name,
	const char *ref)
{
	char *actor_id = mem_strdup(user), *actor_name = mem_strdup(name);
	struct audit_ref refs[] = {{.ref = "refs/tags/v1"}, {.ref = ref}};
	struct audit_record record = {.event = event,
		.time = when,
		.push_id = id,
		.actor = {.id = actor_id, .name = actor_name},
		.refs = ref != NULL ? refs : NULL,
		.n_refs = ref != NULL ? 2 : 0};
	struct err e = ERR_INIT;

	if (audit_append(".", &record, 1, &e) != 0)
		fail_msg("%s", err_text(&e));
	free(actor_id);
	free(actor_name);
}

static void add_all(void)
{
	add("a", "push.accepted", SECOND(10), "user-1", "ivanov", "refs/heads/main");
	add("b", "push.rejected", SECOND(20), "user-2", "petrova", "refs/heads/main");
	add("c", "push.accepted", SECOND(30), "user-1", "ivanov", "refs/heads/retrain-4-20261123");
	add("d", "pipeline.created", SECOND(40), NULL, NULL, NULL);
	add("e", "push.accepted", SECOND(50), "key-3", "", "refs/heads/x/main");
}

static int collect(void *context, const char *line, const struct json *record)
{
	const char *id = json_get_text(record, "push_id");

	assert_non_null(strstr(line, "\"seq\""));
	str_add(context, id != NULL ? id : "-");
	return 0;
}

static void test_filters(void **state)
{
	static const struct {
		struct audit_filter filter;
		const char *expected;
	} cases[] = {
		{{.user = NULL}, "abcde"},
		{{.user = "ivanov"}, "ac"},
		{{.user = "user-2"}, "b"},
		{{.user = "ivan"}, ""},
		{{.user = "key-3"}, "e"},
		{{.ref = "main"}, "ab"},
		{{.ref = "refs/heads/main"}, "ab"},
		{{.ref = "refs/tags/*"}, "abce"},
		{{.ref = "retrain-*"}, "c"},
		{{.ref = "*/main"}, "abe"},
		{{.ref = "v1"}, ""},
		{{.event = "push.*"}, "abce"},
		{{.event = "push.accepted"}, "ace"},
		{{.event = "push"}, ""},
		{{.since = SECOND(20)}, "bcde"},
		{{.since = SECOND(20) + 1}, "cde"},
		{{.until = SECOND(20)}, "a"},
		{{.until = SECOND(20) + 1}, "ab"},
		{{.user = "ivanov",
			 .ref = "main",
			 .event = "push.*",
			 .since = SECOND(5),
			 .until = SECOND(15)},
			"a"},
	};

	(void)state;
	add_all();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct str got;

		str_init(&got);
		assert_int_equal(audit_each(".", &cases[i].filter, collect, &got, &e), 0);
		if (strcmp(got.buf, cases[i].expected) != 0)
			fail_msg("case %zu: expected %s, got %s", i, cases[i].expected, got.buf);
		str_clear(&got);
	}
}

static int stop_at_second(void *context, const char *line, const struct json *record)
{
	(void)line;
	(void)record;
	return ++*(int *)context == 2 ? 7 : 0;
}

static void test_stop_and_torn(void **state)
{
	const struct audit_filter all = {.since = 0};
	struct err e = ERR_INIT;
	struct str text, got;
	int n = 0;

	(void)state;
	str_init(&got);
	assert_int_equal(audit_each(".", &all, collect, &got, &e), 0); /* no log yet */
	assert_string_equal(got.buf, "");
	add_all();
	assert_int_equal(audit_each(".", &all, stop_at_second, &n, &e), 7);
	assert_int_equal(n, 2);
	read_whole(LOG_PATH, &text);
	str_add(&text, "torn\nmore");
	write_whole(LOG_PATH, text.buf, text.len);
	assert_int_equal(audit_each(".", &all, collect, &got, &e), 0);
	assert_string_equal(got.buf, "abcde");
	assert_int_equal(audit_each("nowhere", &all, collect, &got, &e), -1);
	assert_non_null(strstr(err_text(&e), "nowhere"));
	err_clear(&e);
	str_clear(&text);
	str_clear(&got);
}

static int pass(void *context, const char *line, const struct json *record)
{
	(void)line;
	(void)record;
	++*(int *)context;
	return 0;
}

/* What was verified is what is read, though more may have come behind it. */
static void test_verified(void **state)
{
	const struct audit_filter all = {.user = NULL};
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	add_records(1, 3);
	assert_int_equal(audit_verify(".", &verdict, &r, NULL), 0);
	add_records(4, 1);
	assert_int_equal(audit_each_verified(".", &all, &r, pass, &n, &e), 0);
	assert_int_equal(n, 4);
	assert_int_equal(files_remove_tree("audit", NULL), 0);
	add_records(2, 4);
	assert_int_equal(audit_each_verified(".", &all, &r, pass, &n, &e), -1);
	assert_non_null(strstr(err_text(&e), "changed while it was read"));
	err_clear(&e);
	audit_report_clear(&r);
}

/* The same where the oldest files were taken away before it, or meanwhile. */
static void test_verified_late(void **state)
{
	const struct audit_filter all = {.user = NULL};
	const struct audit_expected late = {.may_begin_late = 1};
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	add_records(1, 3);
	rotate_log();
	add_records(5, 2);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	assert_int_equal(audit_verify_expected(".", &late, &verdict, &r, &e), 0);
	assert_int_equal(verdict, AUDIT_VALID);
	add_records(7, 1);
	if (audit_each_verified(".", &all, &r, pass, &n, &e) != 0)
		fail_msg("behind files that are gone: %s", err_text(&e));
	assert_int_equal(n, 4);
	rotate_log();
	assert_int_equal(unlink("audit/audit-000002.jsonl"), 0);
	assert_int_equal(audit_each_verified(".", &all, &r, pass, &n, &e), -1);
	assert_non_null(strstr(err_text(&e), "changed while it was read"));
	err_clear(&e);
	audit_report_clear(&r);
}

/* A hole of any size is not read through. */
static void test_too_long(void **state)
{
	const struct audit_filter all = {.user = NULL};
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	add_records(1, 2);
	assert_int_equal(truncate(LOG_PATH, 3 * (off_t)AUDIT_MAX_LINE), 0);
	assert_int_equal(audit_each(".", &all, pass, &n, &e), -1);
	assert_int_equal(n, 2);
	assert_string_equal(err_text(&e), "line 3 of audit.jsonl is longer than 67108864 bytes");
	err_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_filters),
		scratch_test(test_stop_and_torn),
		scratch_test(test_verified),
		scratch_test(test_verified_late),
		scratch_test(test_too_long),
	};

	return cmocka_run_group_tests_name("audit/each", tests, NULL, NULL);
}
