/*
 * common/audit/chain: appends that end anywhere, many at once, killed, on a full disk, and into
 * folders that hold something else.
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
#include <sys/wait.h>

#include "audit/entry.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "data/json.h"
#include "journals.h"

#define APPENDERS 20
#define EACH 50
#define KILLS 30

static void make_batch(struct audit_record *records, size_t n)
{
	memset(records, 0, n * sizeof(*records));
	for (size_t i = 0; i < n; i++)
		records[i].event = "ref.updated";
}

static void append_batch(size_t n)
{
	struct audit_record records[8];
	struct err e = ERR_INIT;

	make_batch(records, n);
	if (audit_append(".", records, n, &e) != 0)
		fail_msg("%s", err_text(&e));
}

static void test_first(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} made[] = {{"audit", S_IFDIR | 0700}, {LOG_PATH, S_IFREG | 0600},
		{HEAD_PATH, S_IFREG | 0600}, {"audit/" AUDIT_LOCK, S_IFREG | 0600}};
	struct err e = ERR_INIT;
	struct stat st;
	struct str log;

	(void)state;
	assert_int_equal(audit_append(".", NULL, 0, &e), 0);
	assert_int_equal(files_exists("audit"), 0);
	(void)umask(0);
	append_batch(3);
	(void)umask(022);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		assert_int_equal(stat(made[i].path, &st), 0);
		if (st.st_mode != made[i].mode)
			fail_msg("%s: expected mode %o, got %o", made[i].path,
				(unsigned)made[i].mode, (unsigned)st.st_mode);
	}
	read_whole(LOG_PATH, &log);
	assert_int_equal(strncmp(log.buf, "{\"seq\":1,\"prev\":\"" ENTRY_NO_HASH "\"", 82), 0);
	str_clear(&log);
	expect_valid("first", 3);
	append_batch(1);
	expect_valid("second", 4);
}

static void expect_append_fault(const char *what, const char *words)
{
	struct audit_record record = {.event = "e"};
	struct err e = ERR_INIT;

	(void)alarm(60); /* a hang ends the test */
	if (audit_append(what, &record, 1, &e) != -1)
		fail_msg("%s: appended", what);
	(void)alarm(0);
	if (strstr(err_text(&e), words) == NULL)
		fail_msg("%s: expected %s, got %s", what, words, err_text(&e));
	err_clear(&e);
}

static void test_other_things(void **state)
{
	static const char *const names[] = {AUDIT_LOG, AUDIT_HEAD, AUDIT_LOCK};

	(void)state;
	expect_append_fault("nowhere", "nowhere");
	assert_int_equal(files_exists("nowhere"), 0);
	assert_int_equal(mkdir("flat", 0700), 0);
	write_whole("flat/audit", "", 0);
	expect_append_fault("flat", "flat/audit");
	for (size_t i = 0; i < 3; i++) {
		char dir[16], path[64];

		for (int kind = 0; kind < 3; kind++) {
			int made;

			snprintf(dir, sizeof(dir), "%zu-%d", i, kind);
			assert_int_equal(mkdir(dir, 0700), 0);
			snprintf(path, sizeof(path), "%s/audit", dir);
			assert_int_equal(mkdir(path, 0700), 0);
			snprintf(path, sizeof(path), "%s/audit/%s", dir, names[i]);
			if (kind == 0)
				made = mkdir(path, 0700);
			else
				made = kind == 1 ? mkfifo(path, 0600) : symlink("/dev/null", path);
			assert_int_equal(made, 0);
			expect_append_fault(dir, names[i]);
		}
	}
}

/* The head while the log is being brought from BEFORE to AFTER. */
static void announce(
	const struct head *before, const struct str *after, enum audit_found recovering)
{
	struct head h = *before;
	size_t start = after->len - 1;
	struct entry entry;

	while (start > 0 && after->buf[start - 1] != '\n')
		start--;
	assert_int_equal(entry_parse(&entry, after->buf + start, after->len - 1 - start), 1);
	h.pending_size = (int64_t)after->len;
	h.pending_seq = entry.seq;
	sha256_of(after->buf + start, after->len - 1 - start, h.pending_hash);
	h.recovering = recovering;
	write_head(&h);
	entry_clear(&entry);
}

static void load_head(struct head *h)
{
	struct str text;

	read_whole(HEAD_PATH, &text);
	assert_int_equal(head_parse(h, text.buf, text.len), 0);
	str_clear(&text);
}

static int count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

/* Whole records in the first LEN bytes; one that lacks its newline alone counts. */
static int whole_records(const struct str *log, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < log->len; i++)
		n += log->buf[i] == '\n' && i <= len;
	return n;
}

/* The log after another append: valid, N records, of them RECOVERED accounts of something torn. */
static void expect_goes_on(const char *what, int n, int recovered)
{
	struct str log;
	int got;

	append_batch(1);
	expect_valid(what, n);
	read_whole(LOG_PATH, &log);
	got = count(log.buf, "\"event\":\"" ENTRY_RECOVERED "\"");
	if (got != recovered)
		fail_msg("%s: expected %d " ENTRY_RECOVERED ", got %d", what, recovered, got);
	str_clear(&log);
}

/* An append of three records that ends after any number of bytes. */
static void test_each_tear(void **state)
{
	struct str before, after;
	struct head h;

	(void)state;
	append_batch(2);
	read_whole(LOG_PATH, &before);
	load_head(&h);
	append_batch(3);
	read_whole(LOG_PATH, &after);
	for (size_t len = before.len; len <= after.len; len++) {
		int whole = whole_records(&after, len), torn = len > before.len && len < after.len;
		char *what = mem_format("torn after %zu bytes", len - before.len);
		struct audit_report r;

		write_whole(LOG_PATH, after.buf, len);
		announce(&h, &after, AUDIT_FOUND_WHOLE);
		r = expect_verdict(what, 0, NULL);
		assert_int_equal(r.records, whole);
		assert_int_equal(r.broken_off, torn ? len - before.len : 0);
		audit_report_clear(&r);
		expect_goes_on(what, whole + torn + 1, torn);
		free(what);
	}
	str_clear(&before);
	str_clear(&after);
}

/* 1 for places next to the end of a line, and every fifth between. */
static int is_worth_trying(const struct str *log, size_t len)
{
	for (size_t i = len > 2 ? len - 2 : 0; i < log->len && i < len + 2; i++)
		if (log->buf[i] == '\n')
			return 1;
	return len % 5 == 0;
}

/* What is to be recovered from, and the append that does so is torn as well. */
static void test_each_tear_of_recovery(void **state)
{
	static const struct {
		const char *name;
		int cut;          /* bytes off the end */
		const char *more; /* then added */
		int64_t pending;  /* bytes that were announced, 0: none */
		enum audit_found found;
		int64_t line; /* that is wrong; 0: none */
	} cases[] = {
		{"torn", 0, "{\"seq\":3,\"pre", 100, AUDIT_FOUND_TORN, 0},
		{"longer", 0, "{\"seq\":3,\"pre", 0, AUDIT_FOUND_LONGER, 3},
		{"longer by a line", 0, "added\n", 0, AUDIT_FOUND_LONGER, 3},
		{"shorter", 20, "", 0, AUDIT_FOUND_SHORTER, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str log, after;
		struct head h;

		assert_int_equal(files_remove_tree("audit", NULL), 0);
		append_batch(2);
		load_head(&h);
		read_whole(LOG_PATH, &log);
		log.len -= (size_t)cases[i].cut;
		log.buf[log.len] = '\0';
		str_add(&log, cases[i].more);
		write_whole(LOG_PATH, log.buf, log.len);
		if (cases[i].pending > 0)
			h.pending_size = h.size + cases[i].pending;
		write_head(&h);
		append_batch(1);
		read_whole(LOG_PATH, &after);
		for (size_t len = log.len; len <= after.len; len++) {
			const char *words = cases[i].line > 0 ? "" : NULL;
			char *what;

			if (!is_worth_trying(&after, len))
				continue;
			what = mem_format("%s, torn at %zu", cases[i].name, len - log.len);
			write_whole(LOG_PATH, after.buf, len);
			announce(&h, &after, cases[i].found);
			expect_fault(what, cases[i].line, words);
			append_batch(1);
			expect_fault(what, cases[i].line, words);
			free(what);
		}
		str_clear(&log);
		str_clear(&after);
	}
}

static void test_reasons(void **state)
{
	static const struct {
		int cut;
		const char *more;
		int64_t pending;
		const char *expected;
	} cases[] = {
		{0, "{\"seq\":", 100, "\"reason\":\"torn line of 7 bytes\""},
		{0, "{\"seq\":", 0, "\"reason\":\"log longer than the head by 7 bytes\""},
		{5, "", 0, "\"reason\":\"log shorter than the head: 5 bytes missing\""},
	};

	struct str log;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head h;

		assert_int_equal(files_remove_tree("audit", NULL), 0);
		append_batch(2);
		load_head(&h);
		if (cases[i].pending > 0)
			h.pending_size = h.size + cases[i].pending;
		write_head(&h);
		read_whole(LOG_PATH, &log);
		log.len -= (size_t)cases[i].cut;
		log.buf[log.len] = '\0';
		str_add(&log, cases[i].more);
		write_whole(LOG_PATH, log.buf, log.len);
		str_clear(&log);
		append_batch(1);
		read_whole(LOG_PATH, &log);
		if (strstr(log.buf, cases[i].expected) == NULL)
			fail_msg("expected %s, got %s", cases[i].expected, log.buf);
		str_clear(&log);
	}
	assert_int_equal(unlink(HEAD_PATH), 0);
	append_batch(1);
	read_whole(LOG_PATH, &log);
	assert_non_null(strstr(log.buf, "\"reason\":\"no head\""));
	str_clear(&log);
}

static void append_many(int who)
{
	for (int i = 0; i < EACH; i++) {
		char id[32];
		struct audit_record record = {.event = "push.accepted", .push_id = id};

		snprintf(id, sizeof(id), "%d-%d", who, i);
		if (audit_append(".", &record, 1, NULL) != 0)
			_exit(1);
	}
	_exit(0);
}

/* Each appender's records are all there, in its order. */
static int check_order(void *context, const char *line, const struct json *record)
{
	const char *id = json_get_text(record, "push_id");
	int *next = context, who, i;

	(void)line;
	assert_int_equal(sscanf(id, "%d-%d", &who, &i), 2);
	assert_int_equal(i, next[who]);
	next[who]++;
	return 0;
}

static void test_at_once(void **state)
{
	const struct audit_filter all = {.since = 0};
	int next[APPENDERS] = {0}, status;

	(void)state;
	for (int i = 0; i < APPENDERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			append_many(i);
	}
	for (int i = 0; i < APPENDERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	expect_valid("at once", APPENDERS * EACH);
	assert_int_equal(audit_each(".", &all, check_order, next, NULL), 0);
	for (int i = 0; i < APPENDERS; i++)
		assert_int_equal(next[i], EACH);
}

/*
 * Append until killed, a byte to TOLD after each: large records too, whose writing takes a while.
 */
static void append_for_ever(int told)
{
	char *reason = mem_zalloc(100001, 1);
	struct audit_record records[2];

	memset(reason, 'r', 100000);
	for (size_t i = 0;; i++) {
		make_batch(records, 2);
		records[i % 2].reason = reason + (i * 137 % 100000);
		if (audit_append(".", records, 2, NULL) != 0 || write(told, "x", 1) != 1)
			_exit(1);
	}
}

static int64_t drain(int fd)
{
	char buf[4096];
	int64_t n = 0;
	ssize_t got;

	while ((got = read(fd, buf, sizeof(buf))) > 0)
		n += got;
	return n;
}

static void test_kill(void **state)
{
	int64_t told = 0;
	struct audit_report r;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		/* Spread over many appends, a different place in each. */
		int64_t until = clock_monotonic() + 1000 + i * 7919 % 30000;
		int ends[2], status;
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			append_for_ever(ends[1]);
		(void)close(ends[1]);
		while (clock_monotonic() < until)
			;
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		told += drain(ends[0]);
		(void)close(ends[0]);
		expect_fault("killed", 0, NULL);
	}
	append_batch(1);
	r = expect_verdict("after all", 0, NULL);
	if (r.records < 2 * told + 1)
		fail_msg("%" PRId64 " appends were told, and there are %" PRId64 " records", told,
			r.records);
	audit_report_clear(&r);
}

/*
 * In a child: no file may become larger than LIMIT, which is what a full disk looks like from here.
 */
static void append_limited(size_t limit)
{
	struct rlimit l = {limit, limit};
	struct audit_record records[5];
	struct err e = ERR_INIT;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &l) != 0)
		_exit(2);
	make_batch(records, 5);
	if (audit_append(".", records, 5, &e) != -1)
		_exit(3);
	_exit(str_starts(err_text(&e), "cannot write the ") ? 0 : 4);
}

static void test_full_disk(void **state)
{
	static const int rooms[] = {0, 1, 100, 300, 500, -1};
	struct str before, after;
	int status;

	(void)state;
	for (int i = 0; rooms[i] >= 0; i++) {
		pid_t pid;

		append_batch(i == 0 ? 4 : 1); /* more than a head is long */
		read_whole(LOG_PATH, &before);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			append_limited(before.len + (size_t)rooms[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		read_whole(LOG_PATH, &after);
		assert_string_equal(after.buf, before.buf);
		expect_valid("after a full disk", 4 + i);
		str_clear(&before);
		str_clear(&after);
	}
	append_batch(1);
	expect_valid("with room again", 9);
}

static void test_full_disk_at_first(void **state)
{
	static const size_t limits[] = {0, 100, HEAD_SIZE};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			append_limited(limits[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		expect_valid("nothing was written", 0);
	}
	append_batch(1);
	expect_valid("with room again", 1);
}

static void test_too_large(void **state)
{
	struct audit_record record = {.event = "e"};
	struct err e = ERR_INIT;
	char *reason = mem_zalloc(AUDIT_MAX_LINE + 1, 1);

	(void)state;
	append_batch(1);
	memset(reason, 'r', AUDIT_MAX_LINE);
	record.reason = reason;
	assert_int_equal(audit_append(".", &record, 1, &e), -1);
	assert_non_null(strstr(err_text(&e), "more than the audit log takes"));
	err_clear(&e);
	reason[AUDIT_MAX_LINE - 1000] = '\0';
	assert_int_equal(audit_append(".", &record, 1, &e), 0);
	expect_valid("large", 2);
	free(reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_first),
		scratch_test(test_other_things),
		scratch_test(test_each_tear),
		scratch_test(test_each_tear_of_recovery),
		scratch_test(test_reasons),
		scratch_test(test_at_once),
		scratch_test(test_kill),
		scratch_test(test_full_disk),
		scratch_test(test_full_disk_at_first),
		scratch_test(test_too_large),
	};

	return cmocka_run_group_tests_name("audit/chain", tests, NULL, NULL);
}
