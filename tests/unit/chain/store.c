/*
 * chain/store: intents found again; pipelines of concurrent processes have ids that are unique and
 * in order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static void test_find(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent one = fixture_intent("/r", "main", "1", "2", "dev");
	struct intent other = fixture_intent("/r", "prod", "1", "2", ""), found;
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &one, 1, &e), 0, &e);
	assert_result(store_add_intents(s, &other, 1, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.old, one.new, &found, &e), 1, &e);
	assert_string_equal(found.chain, "dev");
	assert_string_equal(found.project, "r");
	assert_string_equal(found.actor.name, "ivanov");
	assert_string_equal(found.policy, "p");
	assert_true(found.id > 0);
	intent_clear(&found);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.old, one.new, NULL, &e), 1, &e);
	assert_result(
		store_find_intent(s, "other", "/r", one.ref, one.old, one.new, NULL, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/q", one.ref, one.old, one.new, NULL, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.new, one.old, NULL, &e), 0, &e);
	assert_result(store_landed(s, "/r", one.ref, one.new, &e), 1, &e);
	assert_result(store_landed(s, "/r", one.ref, one.old, &e), 0, &e);
	assert_result(store_landed(s, "/r", "refs/heads/x", one.new, &e), 0, &e);
	intent_clear(&one);
	intent_clear(&other);
	store_close(s);
}

/* Of two intents of one push the newest counts: pre-receive ran twice. */
static void test_newest(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct intent again = fixture_intent("/r", "main", "1", "2", "prod"), found;
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	assert_result(store_add_intents(s, &again, 1, &e), 0, &e);
	assert_result(store_find_intent(s, "key", "/r", i.ref, i.old, i.new, &found, &e), 1, &e);
	assert_string_equal(found.chain, "prod");
	intent_clear(&found);
	intent_clear(&i);
	intent_clear(&again);
	store_close(s);
}

/* A push counts once, however many references it had and whatever became of it. */
static void test_pushes(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent i[] = {fixture_intent("/r", "main", "1", "2", "dev"),
		fixture_intent("/r", "prod", "1", "2", ""),
		fixture_intent("/r", "dev", "1", "2", "")};
	struct err e = ERR_INIT;
	int64_t n = -1;

	assert_result(store_pushes(s, &n, &e), 0, &e);
	assert_int_equal(n, 0);
	free(i[2].push_id);
	i[2].push_id = mem_strdup("another");
	assert_result(store_add_intents(s, i, 3, &e), 0, &e);
	assert_result(store_pushes(s, &n, &e), 0, &e);
	assert_int_equal(n, 2);
	for (size_t at = 0; at < 3; at++)
		intent_clear(&i[at]);
	store_close(s);
}

#define WRITERS 4
#define EACH 10

/* One process: EACH landings, the ids told through FD. */
static void write_some(const char *dir, int writer, int fd)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(dir);

	for (int i = 0; i < EACH; i++) {
		char *ref = mem_format("b%d-%d", writer, i);
		int64_t id = fixture_land(s, c, "/r", ref, "1", "2", "dev");

		if (write(fd, &id, sizeof(id)) != (ssize_t)sizeof(id))
			_exit(1);
		free(ref);
	}
	store_close(s);
	config_free(c);
	_exit(0);
}

static void test_concurrent(void **state)
{
	int seen[WRITERS * EACH + 1] = {0}, ends[WRITERS][2], status;
	enum audit_verdict verdict;
	struct audit_report report;
	struct err e = ERR_INIT;

	for (int w = 0; w < WRITERS; w++) {
		pid_t pid;

		assert_int_equal(pipe(ends[w]), 0);
		pid = fork();
		if (pid == 0)
			write_some(*state, w, ends[w][1]);
		assert_true(pid > 0);
		(void)close(ends[w][1]);
	}
	for (int w = 0; w < WRITERS; w++) {
		int64_t id, last = 0;

		while (read(ends[w][0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
			assert_in_range(id, last + 1, WRITERS * EACH);
			assert_int_equal(seen[id]++, 0);
			last = id;
		}
		(void)close(ends[w][0]);
	}
	for (int w = 0; w < WRITERS; w++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (int id = 1; id <= WRITERS * EACH; id++)
		assert_int_equal(seen[id], 1);
	assert_result(audit_verify(*state, &verdict, &report, &e), 0, &e);
	assert_int_equal(verdict, AUDIT_VALID);
	assert_int_equal(report.records, 2 * WRITERS * EACH);
	audit_report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_find), scratch_test(test_newest),
		scratch_test(test_pushes), scratch_test(test_concurrent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
