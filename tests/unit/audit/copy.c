/*
 * common/audit/copy: each record once, over rotations and restarts; a socket that is away or not read; a log
 * that was cut or rewritten behind the copy's back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/receiver.h"
#include "audit/copy.h"
#include "base/clock.h"
#include "volumes.h"

#define PLACE_PATH "audit/copied"

struct bench {
	char *socket;
	int fd;
};

static void bench_init(struct bench *b, const char *folder)
{
	b->socket = path_join(folder, "log");
	b->fd = receiver_open(b->socket);
}

static void bench_clear(struct bench *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->socket);
}

/* Copy all, which must succeed with N records. */
static void copy(const char *what, const struct bench *b, int64_t n)
{
	struct err e = ERR_INIT;
	int64_t got = 0, more = 0;
	int status;

	do {
		status = copy_to_syslog(".", b->socket, &more, &e);
		got += more;
	} while (status == 1);
	if (status != 0 || got != n)
		fail_msg("%s: expected %" PRId64 " records, got %" PRId64 " %s", what, n, got,
			err_text(&e));
}

static void fail_to_copy(const char *what, const struct bench *b, const char *words)
{
	struct err e = ERR_INIT;
	int64_t got = -1;

	if (copy_to_syslog(".", b->socket, &got, &e) != -1 || strstr(err_text(&e), words) == NULL)
		fail_msg("%s: expected %s, got %" PRId64 " %s", what, words, got, err_text(&e));
	err_clear(&e);
}

/*
 * What came since the last time, in short: the numbers of records, ^ for a begin and ! for an alert: "^ 1 2 ! 3 ".
 */
static void expect_received(const char *what, const struct bench *b, const char *expected)
{
	struct str all, words;
	int n;

	str_init(&all);
	str_init(&words);
	n = receiver_read(b->fd, &all);
	for (const char *line = all.buf; *line != '\0'; line += strcspn(line, "\n") + 1, n--) {
		const char *seq = strstr(line, " seq=\""), *id = strstr(line, " audit.broken "),
			   *begin = strstr(line, " audit.copy-begins ");

		if (seq == NULL)
			fail_msg("%s: no number in %s", what, line);
		if (id != NULL && id < seq && str_starts(line, "<105>1 "))
			str_add(&words, "! ");
		else if (begin != NULL && begin < seq && str_starts(line, "<109>1 "))
			str_add(&words, "^ ");
		else
			str_addf(&words, "%ld ", strtol(seq + strlen(" seq=\""), NULL, 10));
	}
	assert_int_equal(n, 0);
	if (strcmp(words.buf, expected) != 0)
		fail_msg("%s: expected %s, got %s", what, expected, words.buf);
	str_clear(&all);
	str_clear(&words);
}

static void test_each_once(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	copy("nothing yet", &b, 0);
	assert_false(files_exists("audit"));
	add_records(1, 3);
	copy("three", &b, 3);
	expect_received("three", &b, "^ 1 2 3 ");
	copy("no more", &b, 0);
	expect_received("no more", &b, "");
	add_records(4, 1);
	copy("one more", &b, 1);
	expect_received("one more", &b, "4 ");
	rotate_log();
	copy("rotated", &b, 1);
	expect_received("rotated", &b, "5 ");
	add_records(6, 1);
	rotate_log();
	add_records(8, 1);
	rotate_log();
	rotate_log();
	copy("rotated thrice", &b, 5);
	expect_received("rotated thrice", &b, "6 7 8 9 10 ");
	tear_log();
	copy("torn", &b, 0);
	add_records(12, 1);
	copy("recovered", &b, 2);
	expect_received("recovered", &b, "11 12 ");
	bench_clear(&b);
}

/* Files that are copied may go, others not without a word. */
static void test_files_gone(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 2);
	rotate_log();
	copy("two files", &b, 3);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	add_records(4, 1);
	copy("the older one gone", &b, 1);
	expect_received("the older one gone", &b, "^ 1 2 3 4 ");
	add_records(5, 1);
	rotate_log();
	assert_int_equal(unlink("audit/audit-000002.jsonl"), 0);
	copy("gone before it was copied", &b, 1);
	expect_received("gone before it was copied", &b, "! 6 ");
	add_records(7, 1);
	copy("goes on", &b, 1);
	expect_received("goes on", &b, "7 ");
	bench_clear(&b);
}

/* Files that were taken away before anything was copied were not cut off. */
static void test_begins_late(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 2);
	rotate_log();
	add_records(4, 1);
	rotate_log();
	add_records(6, 1);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	copy("the first gone", &b, 4);
	expect_received("the first gone", &b, "^ 3 4 5 6 ");
	copy("no more", &b, 0);
	assert_int_equal(unlink("audit/audit-000002.jsonl"), 0);
	assert_int_equal(unlink(PLACE_PATH), 0);
	copy("one file left", &b, 2);
	expect_received("one file left", &b, "^ 5 6 ");
	bench_clear(&b);
}

static void test_socket_away(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	close(b.fd);
	add_records(1, 2);
	fail_to_copy("nobody listens", &b, b.socket);
	assert_int_equal(unlink(b.socket), 0);
	fail_to_copy("no socket", &b, b.socket);
	assert_false(files_exists(PLACE_PATH));
	b.fd = receiver_open(b.socket);
	copy("there again", &b, 2);
	expect_received("there again", &b, "^ 1 2 ");
	bench_clear(&b);
}

/* Who does not read is not waited for long, and loses nothing but gets no more than it took. */
static void test_not_read(void **state)
{
	struct str all;
	struct bench b;
	struct err e = ERR_INIT;
	int64_t start, n = 0, sent = 0;
	int total = 0;

	bench_init(&b, *state);
	/* As many in one append as no queue holds. */
	{
		struct audit_record records[15];

		for (size_t i = 0; i < 15; i++)
			records[i] = (struct audit_record){.event = "push.accepted"};
		assert_int_equal(audit_append(".", records, 15, &e), 0);
	}
	start = clock_monotonic();
	assert_int_equal(copy_to_syslog(".", b.socket, &sent, &e), -1);
	assert_true(clock_monotonic() - start < 30 * CLOCK_SECOND);
	assert_true(sent < 15);
	err_clear(&e);
	str_init(&all);
	for (int i = 0; i < 15 && total < 16; i++) {
		total += receiver_read(b.fd, &all);
		if (copy_to_syslog(".", b.socket, &n, &e) == 0)
			total += receiver_read(b.fd, &all);
		err_clear(&e);
	}
	assert_int_equal(total, 16); /* with the one that the copy begins */
	for (int seq = 1; seq <= 15; seq++) {
		char *word = mem_format(" seq=\"%d\" ", seq);

		if (strstr(all.buf, word) == NULL)
			fail_msg("record %d is missing", seq);
		free(word);
	}
	str_clear(&all);
	bench_clear(&b);
}

/* Whoever reads slowly is given what he takes in a second, then the rest. */
static void test_read_slowly(void **state)
{
	struct err e = ERR_INIT;
	struct bench b;
	int64_t start = clock_monotonic(), n = 0, sent = 0;
	pid_t reader;

	bench_init(&b, *state);
	add_records(1, 30);
	reader = receiver_slow(b.fd, 31);
	assert_int_equal(copy_to_syslog(".", b.socket, &sent, &e), 1);
	assert_true(sent > 0 && sent < 30);
	assert_true(clock_monotonic() - start < 30 * CLOCK_SECOND);
	for (int status = 1; status == 1; sent += n) {
		status = copy_to_syslog(".", b.socket, &n, &e);
		if (status < 0)
			fail_msg("%s", err_text(&e));
	}
	assert_int_equal(sent, 30);
	receiver_end(reader);
	bench_clear(&b);
}

/* The log as it was, to be put back in part. */
struct before {
	struct str log;
	struct str head;
};

static void keep(struct before *b)
{
	read_whole(LOG_PATH, &b->log);
	read_whole(HEAD_PATH, &b->head);
}

static void bring_back(struct before *b)
{
	write_whole(LOG_PATH, b->log.buf, b->log.len);
	write_whole(HEAD_PATH, b->head.buf, b->head.len);
	str_clear(&b->log);
	str_clear(&b->head);
}

static void test_cut(void **state)
{
	struct before before;
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 2);
	keep(&before);
	add_records(3, 2);
	copy("four", &b, 4);
	expect_received("four", &b, "^ 1 2 3 4 ");
	bring_back(&before);
	copy("cut, the head too", &b, 2);
	expect_received("cut, the head too", &b, "! 1 2 ");
	copy("told", &b, 0);
	add_records(3, 1);
	copy("goes on", &b, 1);
	expect_received("goes on", &b, "3 ");
	bench_clear(&b);
}

/* As long as before or longer, with other records. */
static void test_rewritten(void **state)
{
	struct before before;
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 1);
	keep(&before);
	add_records(2, 1);
	copy("two", &b, 2);
	expect_received("two", &b, "^ 1 2 ");
	bring_back(&before);
	add_records(7, 1);
	copy("another second one", &b, 2);
	expect_received("another second one", &b, "! 1 2 ");
	assert_int_equal(files_remove_tree(LOG_PATH, NULL), 0);
	assert_int_equal(unlink(HEAD_PATH), 0);
	add_records(100, 4);
	copy("another log", &b, 4);
	expect_received("another log", &b, "! 1 2 3 4 ");
	copy("told", &b, 0);
	expect_received("told", &b, "");
	bench_clear(&b);
}

static void test_emptied(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 2);
	copy("two", &b, 2);
	expect_received("two", &b, "^ 1 2 ");
	write_whole(LOG_PATH, "", 0);
	copy("emptied", &b, 0);
	expect_received("emptied", &b, "! ");
	copy("told", &b, 0);
	expect_received("told", &b, "");
	add_records(3, 1);
	copy("goes on", &b, 2);
	expect_received("goes on", &b, "^ 1 2 ");
	bench_clear(&b);
}

/* Rotated files that were cut: the copy does not stop there. */
static void test_rotated_cut(void **state)
{
	struct bench b;
	struct str old;

	bench_init(&b, *state);
	add_records(1, 1);
	copy("one", &b, 1);
	add_records(2, 2);
	rotate_log();
	add_records(5, 1);
	read_whole("audit/audit-000001.jsonl", &old);
	write_whole("audit/audit-000001.jsonl", old.buf, old.len - 20);
	copy("cut", &b, 3);
	expect_received("cut", &b, "^ 1 2 ! 4 5 ");
	copy("told", &b, 0);
	str_clear(&old);
	bench_clear(&b);
}

static void test_damaged_place(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"", "^ 1 2 3 "},
		{"{", "^ 1 2 3 "},
		{"[]", "^ 1 2 3 "},
		{"{\"file\":1}", "^ 1 2 3 "},
		{"{\"file\":0,\"begin\":0,\"offset\":0,\"seq\":0,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"^ 1 2 3 "},
		{"{\"file\":1,\"begin\":5,\"offset\":2,\"seq\":0,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"^ 1 2 3 "},
		{"{\"file\":1,\"begin\":-1,\"offset\":-1,\"seq\":0,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"^ 1 2 3 "},
		/* What makes sense and does not fit. */
		{"{\"file\":1,\"begin\":10,\"offset\":50,\"seq\":1,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"! 1 2 3 "},
		{"{\"file\":9,\"begin\":10,\"offset\":50,\"seq\":1,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"! 1 2 3 "},
		{"{\"file\":1,\"begin\":0,\"offset\":9007199154740992,\"seq\":1,\"hash\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
			"! 1 2 3 "},
	};
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_whole(PLACE_PATH, rows[i].text, strlen(rows[i].text));
		copy(rows[i].text, &b, 3);
		expect_received(rows[i].text, &b, rows[i].expected);
		copy(rows[i].text, &b, 0);
	}
	bench_clear(&b);
}

/* Where the place cannot be kept, nothing is sent: else the same would be sent again and again. */
static void test_place_not_kept(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	add_records(1, 3);
	assert_int_equal(mkdir(PLACE_PATH, 0700), 0);
	fail_to_copy("a folder", &b, PLACE_PATH);
	expect_received("a folder", &b, "");
	assert_int_equal(rmdir(PLACE_PATH), 0);
	copy("kept", &b, 3);
	expect_received("kept", &b, "^ 1 2 3 ");
	bench_clear(&b);
}

static void test_log_not_read(void **state)
{
	struct bench b;

	bench_init(&b, *state);
	assert_int_equal(mkdir("audit", 0700), 0);
	assert_int_equal(mkdir(LOG_PATH, 0700), 0);
	fail_to_copy("a folder", &b, LOG_PATH);
	bench_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_each_once),
		scratch_test(test_files_gone),
		scratch_test(test_begins_late),
		scratch_test(test_socket_away),
		scratch_test(test_not_read),
		scratch_test(test_read_slowly),
		scratch_test(test_cut),
		scratch_test(test_rewritten),
		scratch_test(test_emptied),
		scratch_test(test_rotated_cut),
		scratch_test(test_damaged_place),
		scratch_test(test_place_not_kept),
		scratch_test(test_log_not_read),
	};

	return cmocka_run_group_tests_name("audit/copy", tests, NULL, NULL);
}
