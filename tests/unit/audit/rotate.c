#define _DEFAULT_SOURCE /* syscall */
/*
 * common/audit/rotate: when it is time, what it leaves, killed at each step, on a full disk, beside others
 * that append.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/entry.h"
#include "base/clock.h"
#include "data/json.h"
#include "volumes.h"

#define NEXT_PATH "audit/audit.jsonl.next"
#define FIRST_PATH "audit/audit-000001.jsonl"

/* That of the C library, in its place: so many calls on, one fails, as on a disk that fails. */
static int fsync_fails_in;

int fsync(int fd)
{
	if (fsync_fails_in > 0 && --fsync_fails_in == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static struct head read_head(void)
{
	struct str text;
	struct head h;

	read_whole(HEAD_PATH, &text);
	assert_int_equal(head_parse(&h, text.buf, text.len), 0);
	str_clear(&text);
	return h;
}

static void test_rotates(void **state)
{
	struct str before, after, old;
	struct entry entry;
	struct stat st;
	struct head h;

	(void)state;
	add_records(1, 3);
	read_whole(LOG_PATH, &before);
	assert_int_equal(rotate_log(), 1);
	read_whole(FIRST_PATH, &old);
	assert_string_equal(old.buf, before.buf);
	read_whole(LOG_PATH, &after);
	assert_int_equal(entry_parse(&entry, after.buf, after.len - 1), 1);
	assert_true(entry.is_rotated);
	assert_int_equal(entry.seq, 4);
	assert_int_equal(entry.rotated.number, 1);
	assert_int_equal(entry.rotated.size, before.len);
	assert_int_equal(entry.rotated.tree.n, 3);
	entry_clear(&entry);
	h = read_head();
	assert_int_equal(h.size, after.len);
	assert_int_equal(h.seq, 4);
	assert_int_equal(h.pending_size, 0);
	assert_int_equal(stat(LOG_PATH, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(files_exists(NEXT_PATH));
	expect_valid("rotated", 4);
	assert_int_equal(rotate_log(), 2);
	assert_int_equal(rotate_log(), 3);
	expect_valid("thrice", 6);
	str_clear(&before);
	str_clear(&after);
	str_clear(&old);
}

static void test_nothing_to_rotate(void **state)
{
	const struct rotate_limits limits = {1, 1};
	struct err e = ERR_INIT;
	int64_t number = 9;

	(void)state;
	assert_int_equal(rotate_is_due(".", &limits, &e), 0);
	assert_int_equal(rotate_now(".", &number, &e), 0);
	assert_int_equal(number, 0);
	assert_false(files_exists("audit"));
	assert_int_equal(rotate_now("nowhere", &number, &e), -1);
	err_clear(&e);
	assert_int_equal(mkdir("audit", 0700), 0);
	write_whole(LOG_PATH, "", 0);
	assert_int_equal(rotate_is_due(".", &limits, &e), 0);
	assert_int_equal(rotate_now(".", &number, &e), 0);
	assert_false(files_exists(FIRST_PATH));
}

/* What is not in order is for the next append to tell. */
static void test_not_in_order(void **state)
{
	struct err e = ERR_INIT;
	int64_t number;

	(void)state;
	add_records(1, 3);
	tear_log();
	assert_int_equal(rotate_now(".", &number, &e), 0);
	assert_false(files_exists(FIRST_PATH));
	add_records(4, 1);
	rotate_log();
	expect_valid("torn and rotated", 6);
	assert_int_equal(unlink(HEAD_PATH), 0);
	assert_int_equal(rotate_now(".", &number, &e), 0);
	assert_false(files_exists("audit/audit-000002.jsonl"));
	assert_null(e.text);
}

static void test_is_due(void **state)
{
	static const struct {
		const char *name;
		int64_t size, age; /* in bytes more than the log has, and µs */
		int expected;
	} rows[] = {
		{"no limit", -1, 0, 0},
		{"just as large", 0, 0, 1},
		{"a byte too small", 1, 0, 0},
		{"young", -1, 3600 * CLOCK_SECOND, 0},
		{"old", -1, 1, 1},
		{"small and old", 1, 1, 1},
		{"large and young", 0, 3600 * CLOCK_SECOND, 1},
	};
	struct err e = ERR_INIT;
	struct str log;

	(void)state;
	add_records(1, 2);
	read_whole(LOG_PATH, &log);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rotate_limits limits = {
			rows[i].size < 0 ? 0 : (int64_t)log.len + rows[i].size, rows[i].age};
		int got = rotate_is_due(".", &limits, &e);

		if (got != rows[i].expected)
			fail_msg("%s: expected %d, got %d %s", rows[i].name, rows[i].expected, got,
				err_text(&e));
	}
	str_clear(&log);
}

/* A file in which nothing is but what the rotation wrote is left alone: else there would be no end. */
static void test_not_again(void **state)
{
	static const struct rotate_limits by_size = {1, 0}, by_age = {0, 1};
	struct err e = ERR_INIT;

	(void)state;
	add_records(1, 1);
	assert_int_equal(rotate_is_due(".", &by_size, &e), 1);
	rotate_log();
	assert_int_equal(rotate_is_due(".", &by_size, &e), 0);
	assert_int_equal(rotate_is_due(".", &by_age, &e), 0);
	add_records(3, 1);
	assert_int_equal(rotate_is_due(".", &by_size, &e), 1);
	assert_int_equal(rotate_is_due(".", &by_age, &e), 1);
	assert_null(e.text);
}

/* Age is that of the first record, over a line that is none. */
static void test_age_of_torn(void **state)
{
	const struct rotate_limits limits = {0, 3600 * CLOCK_SECOND};
	struct audit_record record = {.event = "push.accepted", .time = CLOCK_SECOND};
	struct err e = ERR_INIT;
	struct str log;

	(void)state;
	assert_int_equal(audit_append(".", &record, 1, &e), 0);
	read_whole(LOG_PATH, &log);
	assert_int_equal(rotate_is_due(".", &limits, &e), 1);
	write_whole(LOG_PATH, "torn\n", 5);
	assert_int_equal(rotate_is_due(".", &limits, &e), 0);
	assert_int_equal(unlink(LOG_PATH), 0);
	assert_int_equal(mkdir(LOG_PATH, 0700), 0);
	assert_int_equal(rotate_is_due(".", &limits, &e), -1);
	assert_non_null(strstr(err_text(&e), LOG_PATH));
	err_clear(&e);
	str_clear(&log);
}

/* ---- a disk that fails ---- */

/* Whichever flush fails, what is said is what was done. */
static void test_not_flushed(void **state)
{
	enum { NEXT_FILE = 1, FOLDERS = 2, FOLDERS_AGAIN = 4, N_FLUSHES = 5 };
	struct rotate_limits limits = {1, 0};

	(void)state;
	for (int n = NEXT_FILE; n <= N_FLUSHES; n++) {
		int is_rotated = n >= FOLDERS_AGAIN, got;
		struct err e = ERR_INIT;
		int64_t number = 9;

		add_records(1, 2);
		fsync_fails_in = n;
		got = rotate_now(".", &number, &e);
		if (got != -1 || fsync_fails_in != 0 || number != is_rotated ||
			str_starts(err_text(&e), "rotated, but ") != is_rotated ||
			strstr(err_text(&e), "error") == NULL)
			fail_msg("flush %d: %d, number %" PRId64 ", %s", n, got, number,
				err_text(&e));
		err_clear(&e);
		assert_int_equal(rotate_is_due(".", &limits, &e), !is_rotated);
		add_records(3, 1);
		expect_valid("not flushed", is_rotated ? 4 : 3);
		assert_int_equal(files_remove_tree("audit", NULL), 0);
	}
}

/* ---- killed ---- */

enum step { NEXT_BEGUN, NEXT_WRITTEN, ANNOUNCED, LINKED, BACKED_UP, RENAMED, DONE, N_STEPS };

/* The folder as a rotation leaves it that is killed behind STEP. */
static void leave_at(enum step step)
{
	struct str log, next, before;
	struct head old, announced, done;

	old = read_head();
	read_whole(LOG_PATH, &log);
	read_whole(HEAD_PATH, &before);
	rotate_log();
	done = read_head();
	read_whole(LOG_PATH, &next);
	announced = old;
	announced.pending_size = done.size;
	announced.pending_seq = done.seq;
	memcpy(announced.pending_hash, done.hash, sizeof(announced.pending_hash));
	write_head(step >= DONE ? &done : step >= ANNOUNCED ? &announced : &old);
	if (step < RENAMED) {
		assert_int_equal(rename(LOG_PATH, NEXT_PATH), 0);
		assert_int_equal(rename(FIRST_PATH, LOG_PATH), 0);
	}
	if (step == NEXT_BEGUN)
		write_whole(NEXT_PATH, next.buf, next.len / 2);
	if (step == LINKED)
		assert_int_equal(link(LOG_PATH, FIRST_PATH), 0);
	/* Linked, and copied as two files by a backup that was put back. */
	if (step == BACKED_UP)
		write_whole(FIRST_PATH, log.buf, log.len);
	str_clear(&log);
	str_clear(&next);
	str_clear(&before);
}

static int count_one(void *context, const char *line, const struct json *record)
{
	int *n = context;

	(void)line;
	*n += strcmp(json_get_text(record, "event"), "push.accepted") == 0;
	return 0;
}

static void expect_pushes(const char *what, int expected)
{
	const struct audit_filter all = {.user = NULL};
	int n = 0;

	assert_int_equal(audit_each(".", &all, count_one, &n, NULL), 0);
	if (n != expected)
		fail_msg("%s: expected %d records of ours, got %d", what, expected, n);
}

static void test_killed(void **state)
{
	(void)state;
	for (enum step step = NEXT_BEGUN; step < N_STEPS; step++)
		for (int append_first = 0; append_first < 2; append_first++) {
			char *what = mem_format("killed behind step %d, %s", (int)step,
				append_first ? "added to" : "rotated");
			int rotated = step >= RENAMED;

			assert_int_equal(files_remove_tree("audit", NULL), 0);
			add_records(1, 3);
			leave_at(step);
			expect_valid(what, 3 + rotated);
			expect_pushes(what, 3);
			if (append_first) {
				add_records(4, 2);
				expect_valid(what, 5 + rotated);
			}
			assert_int_equal(rotate_log(), 1 + rotated);
			expect_valid(what, 4 + rotated + 2 * append_first);
			add_records(6, 1);
			expect_valid(what, 5 + rotated + 2 * append_first);
			expect_pushes(what, 4 + 2 * append_first);
			assert_false(files_exists(NEXT_PATH));
			free(what);
		}
}

/* Killed, and then an append is killed too, in the old file or in the new one. */
static void test_killed_twice(void **state)
{
	(void)state;
	for (enum step step = NEXT_BEGUN; step < N_STEPS; step++) {
		char *what = mem_format("killed behind step %d, and again", (int)step);
		struct audit_report r;

		assert_int_equal(files_remove_tree("audit", NULL), 0);
		add_records(1, 3);
		leave_at(step);
		if (step !=
			RENAMED) /* where the append would have made the head what it is to be */
			tear_log();
		r = expect_verdict(what, 0, NULL);
		audit_report_clear(&r);
		add_records(4, 1);
		rotate_log();
		r = expect_verdict(what, 0, NULL);
		audit_report_clear(&r);
		expect_pushes(what, 4);
		free(what);
	}
}

/* Between link and rename, the log has two names: it is read once. */
static void test_two_names(void **state)
{
	struct audit_report r;

	(void)state;
	add_records(1, 2);
	rotate_log();
	add_records(4, 1);
	assert_int_equal(link(LOG_PATH, "audit/audit-000002.jsonl"), 0);
	expect_valid("two names", 4);
	expect_pushes("two names", 3);
	r = expect_verdict("two names", 0, NULL);
	assert_int_equal(r.tree.n, 4);
	audit_report_clear(&r);
}

/* ---- what fails ---- */

/* Files and head as they were. */
static void expect_unchanged(const char *what, const struct str *log, const struct str *head)
{
	struct str now;

	read_whole(LOG_PATH, &now);
	if (strcmp(now.buf, log->buf) != 0)
		fail_msg("%s: the log is another", what);
	str_clear(&now);
	read_whole(HEAD_PATH, &now);
	if (strcmp(now.buf, head->buf) != 0)
		fail_msg("%s: expected head %s, got %s", what, head->buf, now.buf);
	str_clear(&now);
	if (files_exists(NEXT_PATH))
		fail_msg("%s: a file is left", what);
}

static void test_name_is_taken(void **state)
{
	struct err e = ERR_INIT;
	struct str log, head;
	int64_t number;

	(void)state;
	add_records(1, 3);
	read_whole(LOG_PATH, &log);
	read_whole(HEAD_PATH, &head);
	write_whole(FIRST_PATH, "mine\n", 5);
	assert_int_equal(rotate_now(".", &number, &e), -1);
	assert_non_null(strstr(err_text(&e), FIRST_PATH));
	assert_int_equal(number, 0);
	expect_unchanged("a file of that name", &log, &head);
	err_clear(&e);
	assert_int_equal(unlink(FIRST_PATH), 0);
	assert_int_equal(symlink("audit.jsonl", FIRST_PATH), 0);
	assert_int_equal(rotate_now(".", &number, &e), -1);
	expect_unchanged("a link of that name", &log, &head);
	err_clear(&e);
	assert_int_equal(unlink(FIRST_PATH), 0);
	/* And a folder where the new file is to be written. */
	assert_int_equal(mkdir(NEXT_PATH, 0700), 0);
	assert_int_equal(rotate_now(".", &number, &e), -1);
	assert_non_null(strstr(err_text(&e), NEXT_PATH));
	err_clear(&e);
	assert_int_equal(rmdir(NEXT_PATH), 0);
	add_records(4, 1);
	rotate_log();
	expect_valid("after all that", 5);
	str_clear(&log);
	str_clear(&head);
}

/* Rotate where no file can grow beyond LIMIT bytes; the result. */
static int rotate_within(rlim_t limit)
{
	const struct rlimit r = {limit, limit};
	int64_t number;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &r) != 0)
			_exit(9);
		_exit(rotate_now(".", &number, NULL) == 1 ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static void keep_file(const char *path, const char *as)
{
	struct str text;

	read_whole(path, &text);
	write_whole(as, text.buf, text.len);
	str_clear(&text);
}

static void test_full_disk(void **state)
{
	struct str log, head;
	int rotated = 0, records = 3;

	(void)state;
	add_records(1, 3);
	for (int limit = 0; limit < 1000; limit += 90) {
		int got;
		char *what;

		keep_file(LOG_PATH, "log");
		keep_file(HEAD_PATH, "head");
		got = rotate_within((rlim_t)limit);
		what = mem_format("%d bytes", limit);
		read_whole("log", &log);
		read_whole("head", &head);
		if (got == 0)
			expect_unchanged(what, &log, &head);
		rotated += got;
		expect_valid(what, records + rotated);
		str_clear(&log);
		str_clear(&head);
		free(what);
	}
	assert_true(rotated > 0 && rotated < 11);
}

/* ---- beside others ---- */

#define CROWD 8
#define TURNS 12
#define ROTATIONS 8

static void add_many(int who)
{
	struct audit_record record = {.event = "push.accepted"};

	for (int i = 0; i < TURNS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "push-%d-%d", who, i);
		record.push_id = id;
		if (audit_append(".", &record, 1, NULL) != 0)
			_exit(2);
	}
	_exit(0);
}

static void rotate_many(void)
{
	int64_t number;

	for (int i = 0; i < ROTATIONS;) {
		int got = rotate_now(".", &number, NULL);

		if (got < 0)
			_exit(3);
		i += got;
	}
	_exit(0);
}

static void verify_many(void)
{
	enum audit_verdict verdict;
	struct audit_report r;

	for (int i = 0; i < ROTATIONS; i++) {
		if (audit_verify(".", &verdict, &r, NULL) != 0)
			_exit(4);
		if (verdict != AUDIT_VALID) {
			(void)fprintf(stderr, "%s:%" PRId64 " %s\n", r.file, r.line, r.fault);
			_exit(5);
		}
		audit_report_clear(&r);
	}
	_exit(0);
}

static void test_beside_others(void **state)
{
	pid_t children[CROWD + 2];
	int status;

	(void)state;
	add_records(1, 1);
	for (int i = 0; i < CROWD + 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0 && i < CROWD)
			add_many(i);
		if (children[i] == 0 && i == CROWD)
			rotate_many();
		if (children[i] == 0)
			verify_many();
	}
	for (int i = 0; i < CROWD + 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		if (status != 0)
			fail_msg("child %d: %x", i, (unsigned)status);
	}
	expect_valid("all", 1 + CROWD * TURNS + ROTATIONS);
	expect_pushes("all", 1 + CROWD * TURNS);
	assert_true(files_exists("audit/audit-000008.jsonl"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_rotates),
		scratch_test(test_nothing_to_rotate),
		scratch_test(test_not_in_order),
		scratch_test(test_is_due),
		scratch_test(test_not_again),
		scratch_test(test_age_of_torn),
		scratch_test(test_not_flushed),
		scratch_test(test_killed),
		scratch_test(test_killed_twice),
		scratch_test(test_two_names),
		scratch_test(test_name_is_taken),
		scratch_test(test_full_disk),
		scratch_test(test_beside_others),
	};

	return cmocka_run_group_tests_name("audit/rotate", tests, NULL, NULL);
}
