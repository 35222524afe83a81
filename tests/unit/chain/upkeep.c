/* common/chain/upkeep: rotation by size and by age, the copy to a socket that comes and goes, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/receiver.h"
#include "../audit/journals.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chain/pulse.h"
#include "chain/upkeep.h"

struct bench {
	struct upkeep upkeep;
	struct upkeep_options options;
	struct pulse pulse;
	struct str told;
	char *socket;
};

static void tell(void *context, const char *line)
{
	struct str *told = context;

	str_addf(told, "%s\n", line);
}

static void bench_init(struct bench *b, const char *folder)
{
	memset(b, 0, sizeof(*b));
	str_init(&b->told);
	b->socket = path_join(folder, "log");
	b->options.syslog = b->socket;
	pulse_init(&b->pulse, tell, &b->told);
	upkeep_init(&b->upkeep, ".", &b->options, &b->pulse);
}

static void bench_clear(struct bench *b)
{
	upkeep_clear(&b->upkeep);
	pulse_clear(&b->pulse);
	str_clear(&b->told);
	free(b->socket);
}

/* Look N times, at once; what is told in between is EXPECTED, or begins so where it ends in "...". */
static void look(const char *what, struct bench *b, int n, const char *expected)
{
	str_reset(&b->told);
	while (n-- > 0)
		upkeep_end(&b->upkeep);
	if (str_ends(expected, "...")
			? strncmp(b->told.buf, expected, strlen(expected) - 3) != 0 ||
				  strchr(b->told.buf, '\n') != b->told.buf + b->told.len - 1
			: strcmp(b->told.buf, expected) != 0)
		fail_msg("%s: expected %s, got %s", what, expected, b->told.buf);
}

static void expect_messages(const char *what, int fd, int expected)
{
	struct str all;
	int n;

	str_init(&all);
	n = receiver_read(fd, &all);
	if (n != expected)
		fail_msg("%s: expected %d messages, got %s", what, expected, all.buf);
	str_clear(&all);
}

static void test_socket_comes_and_goes(void **state)
{
	struct bench b;
	int fd;

	bench_init(&b, *state);
	add_records(1, 2);
	look("no socket", &b, 3, "audit log: copy to syslog: ...");
	look("still none", &b, 3, "");
	assert_false(upkeep_is_wanted(&b.upkeep));
	fd = receiver_open(b.socket);
	look("there", &b, 3, "audit log: going on\n");
	expect_messages("there, with what begins the copy", fd, 3);
	assert_false(upkeep_is_wanted(&b.upkeep));
	add_records(3, 1);
	assert_true(upkeep_is_wanted(&b.upkeep));
	look("one more", &b, 3, "");
	expect_messages("one more", fd, 1);
	close(fd);
	add_records(4, 1);
	look("gone", &b, 3, "audit log: copy to syslog: ...");
	fd = receiver_open(b.socket);
	look("there again", &b, 3, "audit log: going on\n");
	expect_messages("there again", fd, 1);
	close(fd);
	bench_clear(&b);
}

static void test_not_asked_for(void **state)
{
	static const char *const sockets[] = {NULL, ""};

	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		bench_init(&b, *state);
		b.options.syslog = sockets[i];
		look("nothing there", &b, 2, "");
		add_records(1, 1);
		look("a log", &b, 2, "");
		assert_false(upkeep_is_wanted(&b.upkeep));
		assert_false(files_exists("audit/copied"));
		assert_false(files_exists("audit/audit-000001.jsonl"));
		bench_clear(&b);
	}
}

static void test_rotates_by_size(void **state)
{
	struct bench b;
	struct stat st;
	int fd;

	bench_init(&b, *state);
	fd = receiver_open(b.socket);
	add_records(1, 3);
	assert_int_equal(stat(LOG_PATH, &st), 0);
	b.options.limits.size = st.st_size + 1;
	look("small", &b, 3, "");
	expect_messages("small, with what begins the copy", fd, 4);
	add_records(4, 1);
	look("large", &b, 3, "audit log: goes on in a new file, behind audit-000001.jsonl\n");
	expect_messages("the audit.rotated is copied too", fd, 2);
	add_records(6, 1);
	look("small again", &b, 3, "");
	expect_messages("small again", fd, 1);
	expect_valid("rotated", 6);
	close(fd);
	bench_clear(&b);
}

static void test_rotates_by_age(void **state)
{
	struct audit_record old = {.event = "push.accepted"};
	struct bench b;

	bench_init(&b, *state);
	b.options.syslog = NULL;
	b.options.limits.age = 3600 * CLOCK_SECOND;
	old.time = clock_now() - 3500 * CLOCK_SECOND;
	assert_int_equal(audit_append(".", &old, 1, NULL), 0);
	look("young", &b, 2, "");
	b.options.limits.age = 3400 * CLOCK_SECOND;
	look("old", &b, 3, "audit log: goes on in a new file, behind audit-000001.jsonl\n");
	bench_clear(&b);
}

/* A limit that is smaller than what a rotation writes, and nothing that is added. */
static void test_no_end(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	b.options.syslog = NULL;
	b.options.limits.size = 1;
	add_records(1, 1);
	look("once", &b, 5, "audit log: goes on in a new file, behind audit-000001.jsonl\n");
	assert_false(files_exists("audit/audit-000002.jsonl"));
	bench_clear(&b);
}

/* Two faults at a time: each told once, and going on when both are over. */
static void test_two_faults(void **state)
{
	struct bench b;
	int fd;

	bench_init(&b, *state);
	b.options.limits.size = 1;
	add_records(1, 2);
	write_whole("audit/audit-000001.jsonl", "mine\n", 5);
	str_reset(&b.told);
	upkeep_end(&b.upkeep);
	if (strstr(b.told.buf, "audit-000001.jsonl: ") == NULL ||
		strstr(b.told.buf, "audit log: copy to syslog: ") == NULL)
		fail_msg("both: %s", b.told.buf);
	look("told", &b, 3, "");
	fd = receiver_open(b.socket);
	look("one is over", &b, 3, "");
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	look("not tried again at once", &b, 3, "");
	b.upkeep.rotate_at = clock_monotonic();
	look("both are over", &b, 3,
		"audit log: goes on in a new file, behind audit-000001.jsonl\n"
		"audit log: going on\n");
	close(fd);
	bench_clear(&b);
}

static void test_once_a_second(void **state)
{
	struct bench b;
	int fd;

	bench_init(&b, *state);
	fd = receiver_open(b.socket);
	add_records(1, 1);
	upkeep_look(&b.upkeep);
	expect_messages("the first time, with what begins the copy", fd, 2);
	add_records(2, 1);
	upkeep_look(&b.upkeep);
	expect_messages("too soon", fd, 0);
	b.upkeep.look_at = clock_monotonic();
	upkeep_look(&b.upkeep);
	expect_messages("a second later", fd, 1);
	close(fd);
	bench_clear(&b);
}

/* A receiver that takes long has the copy done in parts, of which each ends soon. */
static void test_in_parts(void **state)
{
	int64_t start = clock_monotonic(), last = start;
	struct bench b;
	pid_t reader;
	int fd, n = 1;

	bench_init(&b, *state);
	fd = receiver_open(b.socket);
	add_records(1, 40);
	reader = receiver_slow(fd, 41);
	upkeep_look(&b.upkeep);
	assert_false(upkeep_is_wanted(&b.upkeep)); /* it has to go on itself */
	assert_true(b.upkeep.look_at <= clock_monotonic());
	for (; upkeep_end(&b.upkeep) != 0; n++) {
		if (clock_monotonic() - last > 30 * CLOCK_SECOND)
			fail_msg("part %d took too long", n);
		last = clock_monotonic();
	}
	assert_true(n > 1);
	receiver_end(reader);
	assert_false(upkeep_is_wanted(&b.upkeep));
	assert_true(b.upkeep.look_at > start);
	assert_string_equal(b.told.buf, "");
	close(fd);
	bench_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_socket_comes_and_goes),
		scratch_test(test_not_asked_for),
		scratch_test(test_rotates_by_size),
		scratch_test(test_rotates_by_age),
		scratch_test(test_no_end),
		scratch_test(test_two_faults),
		scratch_test(test_once_a_second),
		scratch_test(test_in_parts),
	};

	return cmocka_run_group_tests_name("chain/upkeep", tests, NULL, NULL);
}
