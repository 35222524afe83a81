/* common/audit/verify: each byte, each cut, the head, and what is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "audit/entry.h"
#include "base/mem.h"
#include "journals.h"

/*
 * A log with a torn line and its audit.recovered: lines 1 and 2, torn 3, recovered 4, lines 5
 * and 6. The append that was torn was of 2 and 3.
 */
static void make_torn_log(struct str *log)
{
	char hash[SHA256_HEX_SIZE];
	struct head h;
	struct str text;

	add_records(1, 1);
	read_whole(HEAD_PATH, &text);
	assert_int_equal(head_parse(&h, text.buf, text.len), 0);
	add_records(2, 1);
	h.pending_size = h.size + 1000;
	h.pending_seq = 3;
	sha256_of("", 0, hash);
	memcpy(h.pending_hash, hash, sizeof(hash));
	str_clear(&text);
	write_head(&h);
	read_whole(LOG_PATH, &text);
	str_add(&text, "{\"seq\":3,\"prev\":\"01");
	write_whole(LOG_PATH, text.buf, text.len);
	str_clear(&text);
	add_records(3, 2);
	read_whole(LOG_PATH, log);
}

static int64_t line_of(const struct str *log, size_t at)
{
	int64_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += log->buf[i] == '\n';
	return line;
}

/* Every byte of a log, changed in two ways: the line it stands in is named. */
static void test_each_byte(void **state)
{
	static const char changes[] = {1, 0};
	struct str log;

	(void)state;
	make_torn_log(&log);
	expect_valid("torn log", 5);
	for (size_t i = 0; i < 2 * log.len; i++) {
		size_t at = i / 2;
		char was = log.buf[at];
		int64_t line = line_of(&log, at);
		enum audit_verdict verdict;
		struct audit_report r;

		log.buf[at] = changes[i % 2] ? (char)(was ^ 1) : '\n';
		if (log.buf[at] == was)
			continue;
		write_whole(LOG_PATH, log.buf, log.len);
		assert_int_equal(audit_verify(".", &verdict, &r, NULL), 0);
		/*
		 * Broken so far that it is no record, line 4 cannot be told from more torn lines.
		 */
		if (verdict != AUDIT_INVALID || (r.line != line && (line != 4 || r.line != 3)))
			fail_msg("byte %zu of line %" PRId64 ", %02x: got line %" PRId64 " %s", at,
				line, (unsigned)was, r.line, r.fault != NULL ? r.fault : "valid");
		audit_report_clear(&r);
		log.buf[at] = was;
	}
	write_whole(LOG_PATH, log.buf, log.len);
	expect_valid("as it was", 5);
	str_clear(&log);
}

/* Cut anywhere: the line that lost something is named, before and after more is added. */
static void test_each_cut(void **state)
{
	struct str log, head;

	(void)state;
	make_torn_log(&log);
	read_whole(HEAD_PATH, &head);
	for (size_t len = 0; len < log.len; len++) {
		int is_whole = log.buf[len] == '\n'; /* nothing but a newline is lost of the line */
		int64_t line = line_of(&log, len), later;
		char *what = mem_format("cut to %zu bytes", len);

		/* Without its audit.recovered, the torn line is the first that is wrong. */
		if (line == 4 && !is_whole)
			line = 3;
		later = is_whole && line != 3 && line != 6 ? line + 1 : line;
		write_whole(LOG_PATH, log.buf, len);
		write_whole(HEAD_PATH, head.buf, head.len);
		expect_fault(what, line, "");
		/* The newline is put back, the rest is not. */
		add_records(9, 1);
		expect_fault(what, later, "");
		free(what);
	}
	str_clear(&log);
	str_clear(&head);
}

static void test_head(void **state)
{
	static const struct {
		const char *name;
		struct head change; /* members other than 0 are set */
		int64_t line;
		const char *words;
	} cases[] = {
		{"as it was", {.size = 0}, 0, NULL},
		{"larger", {.size = 100000}, 3, "was changed"},
		{"more records", {.seq = 9}, 0, "says 9 records, and there are 3"},
		{"more of both", {.size = 100000, .seq = 9}, 4, "6 records are missing"},
		{"smaller", {.size = 1}, 1, "was changed"},
		{"other hash", {.hash = ENTRY_NO_HASH}, 3, "was changed"},
		/* An append that never began. */
		{"pending", {.pending_size = 100000, .pending_seq = 4}, 0, NULL},
	};
	struct str text;
	struct head h;

	(void)state;
	add_records(1, 3);
	read_whole(HEAD_PATH, &text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct head *change = &cases[i].change;

		assert_int_equal(head_parse(&h, text.buf, text.len), 0);
		h.size = change->size > 0 ? change->size : h.size;
		h.seq = change->seq > 0 ? change->seq : h.seq;
		h.pending_size = change->pending_size;
		h.pending_seq = change->pending_seq;
		if (change->hash[0] != '\0')
			memcpy(h.hash, change->hash, sizeof(h.hash));
		write_head(&h);
		expect_fault(cases[i].name, cases[i].line, cases[i].words);
	}
	write_whole(HEAD_PATH, "", 0);
	expect_fault("empty head", 0, "is missing");
	write_whole(HEAD_PATH, text.buf, text.len - 1);
	expect_fault("short head", 0, "is damaged");
	add_records(4, 1);
	expect_fault("after a damaged head", 4, "nobody can say");
	add_records(5, 1);
	expect_fault("long after a damaged head", 4, "nobody can say");
	str_clear(&text);
}

static void test_no_head(void **state)
{
	struct str log;

	(void)state;
	expect_valid("nothing yet", 0);
	add_records(1, 3);
	read_whole(LOG_PATH, &log);
	assert_int_equal(unlink(HEAD_PATH), 0);
	expect_fault("head removed", 0, "is missing");
	write_whole(LOG_PATH, log.buf, log.len / 2);
	expect_fault("head removed, log cut", 2, "is no record");
	add_records(4, 1);
	expect_fault("and more added", 3, "nobody can say");
	assert_int_equal(unlink(LOG_PATH), 0);
	expect_fault("log removed", 1, "records are missing");
	assert_int_equal(unlink(HEAD_PATH), 0);
	expect_valid("both removed, which a checkpoint finds", 0);
	str_clear(&log);
}

static void test_report(void **state)
{
	struct audit_report r;
	char hash[SHA256_HEX_SIZE];
	struct str log;
	size_t last;

	(void)state;
	r = expect_verdict("empty", 0, NULL);
	assert_string_equal(r.head, ENTRY_NO_HASH);
	audit_report_clear(&r);
	make_torn_log(&log);
	r = expect_verdict("torn log", 0, NULL);
	for (last = log.len - 1; log.buf[last - 1] != '\n';)
		last--;
	sha256_of(log.buf + last, log.len - 1 - last, hash);
	assert_string_equal(r.head, hash);
	assert_int_equal(r.records, 5);
	assert_int_equal(r.recovered, 1);
	assert_int_equal(r.line, 0);
	assert_null(r.fault);
	assert_int_equal(r.broken_off, 0);
	audit_report_clear(&r);
	str_clear(&log);
}

static void test_unreadable(void **state)
{
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(audit_verify("nowhere", &verdict, &r, &e), -1);
	assert_non_null(strstr(err_text(&e), "nowhere"));
	audit_report_clear(&r);
	add_records(1, 1);
	assert_int_equal(rename(LOG_PATH, "elsewhere"), 0);
	assert_int_equal(symlink("../elsewhere", LOG_PATH), 0);
	assert_int_equal(audit_verify(".", &verdict, &r, &e), -1);
	assert_non_null(strstr(err_text(&e), "symbolic link"));
	audit_report_clear(&r);
	err_clear(&e);
}

/* Only what is not there is an empty log; what cannot be looked at is not. */
static void test_not_to_be_looked_at(void **state)
{
	static const char *const states[] = {"file", "folder", "link"};
	static const char *const named[] = {"file/audit", "folder/audit", "link/audit"};
	const struct audit_filter all = {.user = NULL};
	enum audit_verdict verdict;
	struct audit_report r;

	(void)state;
	write_whole("file", "", 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	write_whole("folder/audit", "", 0);
	assert_int_equal(mkdir("link", 0700), 0);
	assert_int_equal(symlink("none", "link/audit"), 0);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct err e = ERR_INIT;

		if (audit_verify(states[i], &verdict, &r, &e) != -1 ||
			strstr(err_text(&e), named[i]) == NULL)
			fail_msg(
				"verify %s: verdict %d, %s", states[i], (int)verdict, err_text(&e));
		audit_report_clear(&r);
		err_clear(&e);
		if (audit_each(states[i], &all, NULL, NULL, &e) != -1 ||
			strstr(err_text(&e), named[i]) == NULL)
			fail_msg("each of %s: %s", states[i], err_text(&e));
		err_clear(&e);
	}
}

/* An audit.recovered that accounts for "torn" behind three records, and tells of HEAD. */
static void recover_from(const struct head *head, const struct str *log)
{
	struct audit_recovered r = {.found = AUDIT_FOUND_TORN, .torn_size = 4};
	struct audit_record record = {.event = ENTRY_RECOVERED, .recovered = &r};
	struct head h;
	struct str text, head_text;
	char *line;

	read_whole(HEAD_PATH, &head_text);
	assert_int_equal(head_parse(&h, head_text.buf, head_text.len), 0);
	r.head_size = head->size;
	r.head_seq = head->seq;
	memcpy(r.head_hash, head->hash, SHA256_HEX_SIZE);
	memcpy(r.record_hash, h.hash, SHA256_HEX_SIZE);
	sha256_of("torn", 4, r.torn_hash);
	line = audit_record_line(&record, 4, r.torn_hash);
	str_init(&text);
	str_addn(&text, log->buf, log->len);
	str_addf(&text, "torn\n%s\n", line);
	write_whole(LOG_PATH, text.buf, text.len);
	h.size = (int64_t)text.len;
	h.seq = 4;
	sha256_of(line, strlen(line), h.hash);
	write_head(&h);
	expect_fault("recovered", head->recovering != AUDIT_FOUND_WHOLE ? 5 : 0,
		head->recovering != AUDIT_FOUND_WHOLE ? "no append has left" : NULL);
	write_whole(HEAD_PATH, head_text.buf, head_text.len);
	str_clear(&head_text);
	str_clear(&text);
	free(line);
}

/* Only a head that an append has left may be told of: RECOVERING marks here those that none has. */
static void test_head_told_of(void **state)
{
	struct head h[4], bad;
	struct str log, text;

	(void)state;
	head_init(&h[0]);
	for (int i = 1; i <= 3; i++) {
		add_records(i, 1);
		read_whole(HEAD_PATH, &text);
		assert_int_equal(head_parse(&h[i], text.buf, text.len), 0);
		str_clear(&text);
	}
	read_whole(LOG_PATH, &log);
	for (int i = 0; i <= 3; i++) {
		recover_from(&h[i], &log);
		bad = h[i];
		bad.recovering = AUDIT_FOUND_TORN;
		bad.seq++;
		recover_from(&bad, &log);
		bad.seq--;
		bad.size++;
		recover_from(&bad, &log);
		bad.size = 100000;
		recover_from(&bad, &log);
		bad.size = h[i].size;
		memset(bad.hash, 'a', SHA256_HEX_SIZE - 1);
		recover_from(&bad, &log);
	}
	str_clear(&log);
}

/* OLD again, as if an append behind it had been broken off; then one that tells of it. */
static void recover_behind(const struct head *old)
{
	struct head h = *old;

	h.pending_size = h.size + AUDIT_MAX_APPEND;
	h.pending_seq = h.seq + 1;
	memcpy(h.pending_hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	write_head(&h);
	add_records(9, 1);
}

static void read_head(struct head *out)
{
	struct str text;

	read_whole(HEAD_PATH, &text);
	assert_int_equal(head_parse(out, text.buf, text.len), 0);
	str_clear(&text);
}

/* No append leaves a head of before one that was told of already. */
static void test_heads_do_not_go_back(void **state)
{
	static const struct {
		int first, second;
		const char *words;
	} cases[] = {
		{1, 1, NULL},
		{1, 2, NULL},
		{2, 2, NULL},
		{2, 1, "no append has left"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head h[4];

		for (int n = 1; n <= 3; n++) {
			add_records(n, 1);
			read_head(&h[n]);
		}
		recover_behind(&h[cases[i].first]);
		expect_valid("once", 5);
		recover_behind(&h[cases[i].second]);
		expect_fault("twice", cases[i].words != NULL ? 6 : 0, cases[i].words);
		assert_int_equal(files_remove_tree("audit", NULL), 0);
	}
}

/* What this process has read so far, in bytes; -1: nobody tells. */
static long long bytes_read(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	long long n = -1;

	if (f == NULL)
		return -1;
	if (fscanf(f, "rchar: %lld", &n) != 1)
		n = -1;
	(void)fclose(f);
	return n;
}

/* A long line is not read again for each record that tells of the head behind it. */
static void test_one_head_told_often(void **state)
{
	struct audit_record record = {.event = "push.accepted"};
	char *reason = mem_zalloc((4 << 20) + 1, 1);
	struct head long_one;
	long long before;

	(void)state;
	memset(reason, 'x', 4 << 20);
	record.reason = reason;
	assert_int_equal(audit_append(".", &record, 1, NULL), 0);
	read_head(&long_one);
	add_records(2, 1);
	for (int n = 0; n < 20; n++)
		recover_behind(&long_one);
	before = bytes_read();
	expect_valid("told often", 42);
	free(reason);
	if (before < 0)
		skip();
	if (bytes_read() - before > 16 << 20)
		fail_msg("read %lld bytes", bytes_read() - before);
}

/* Behind an old head that was put back: no append announces as much as somebody may write there. */
static void test_much_pending(void **state)
{
	static const struct {
		int64_t pending;
		const char *words;
	} cases[] = {
		{1000, NULL},
		{AUDIT_MAX_APPEND, NULL},
		{INT64_C(1000000000000000), "was added behind the head"},
	};
	struct str text;
	struct head h;

	(void)state;
	add_records(1, 1);
	read_whole(HEAD_PATH, &text);
	assert_int_equal(head_parse(&h, text.buf, text.len), 0);
	add_records(2, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		h.pending_size = h.size + cases[i].pending;
		h.pending_seq = 2;
		write_head(&h);
		expect_fault("pending", cases[i].words != NULL ? 2 : 0, cases[i].words);
	}
	str_clear(&text);
}

/* What stands behind the head, or without one, is not searched before it is verified: that would never end. */
static void test_huge_tail(void **state)
{
	static const int64_t sizes[] = {8 << 20, INT64_C(1) << 42};
	struct str blank;

	(void)state;
	str_init(&blank);
	for (int i = 0; i < 8 << 20; i++)
		str_addc(&blank, '\n');
	add_records(1, 1);
	(void)alarm(60);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = open(LOG_PATH, O_WRONLY | O_APPEND | O_CLOEXEC);

		assert_true(fd >= 0);
		if (i == 0)
			assert_int_equal(files_write_all(fd, blank.buf, blank.len), 0);
		else if (ftruncate(fd, (off_t)sizes[i]) != 0)
			assert_int_equal(
				ftruncate(fd, (off_t)1 << 38), 0); /* as much as there may be */
		assert_int_equal(close(fd), 0);
		expect_fault("huge", 2, i == 0 ? "was added behind the head" : "");
	}
	(void)alarm(0);
	str_clear(&blank);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_each_byte),
		scratch_test(test_each_cut),
		scratch_test(test_head),
		scratch_test(test_no_head),
		scratch_test(test_report),
		scratch_test(test_unreadable),
		scratch_test(test_not_to_be_looked_at),
		scratch_test(test_head_told_of),
		scratch_test(test_heads_do_not_go_back),
		scratch_test(test_one_head_told_often),
		scratch_test(test_much_pending),
		scratch_test(test_huge_tail),
	};

	return cmocka_run_group_tests_name("audit/verify", tests, NULL, NULL);
}
