/* common/audit/verify over the files of a log that was rotated: each of them lost, cut, swapped, put in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "volumes.h"

static void lose(int i)
{
	char *path = path_of(i);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static void move(const char *from, const char *to)
{
	char *a = mem_format("audit/%s", from), *b = mem_format("audit/%s", to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

static void lose_oldest(const struct files *f)
{
	(void)f;
	lose(0);
}

static void lose_middle(const struct files *f)
{
	(void)f;
	lose(1);
}

static void lose_newest(const struct files *f)
{
	(void)f;
	lose(2);
}

static void lose_rotated(const struct files *f)
{
	(void)f;
	lose(0);
	lose(1);
	lose(2);
}

static void lose_two(const struct files *f)
{
	(void)f;
	lose(0);
	lose(1);
}

static void lose_last(const struct files *f)
{
	(void)f;
	lose(3);
}

static void empty_oldest(const struct files *f)
{
	(void)f;
	write_file(0, "", 0);
}

static void empty_middle(const struct files *f)
{
	(void)f;
	write_file(1, "", 0);
}

static void empty_newest(const struct files *f)
{
	(void)f;
	write_file(2, "", 0);
}

static void empty_two(const struct files *f)
{
	(void)f;
	write_file(1, "", 0);
	write_file(2, "", 0);
}

static void empty_last(const struct files *f)
{
	(void)f;
	write_file(3, "", 0);
}

static void cut_two_lines(const struct files *f)
{
	write_file(1, f->text[1].buf, line_begin(&f->text[1], 3));
}

static void cut_in_line(const struct files *f)
{
	write_file(1, f->text[1].buf, line_begin(&f->text[1], 4) + 40);
}

static void cut_newline(const struct files *f)
{
	write_file(1, f->text[1].buf, f->text[1].len - 1);
}

static void grow(const struct files *f)
{
	struct str s;

	str_init(&s);
	str_add(&s, f->text[1].buf);
	str_add(&s, "anything\n");
	write_file(1, s.buf, s.len);
	str_clear(&s);
}

static void grow_open(const struct files *f)
{
	struct str s;

	str_init(&s);
	str_add(&s, f->text[1].buf);
	str_add(&s, "anything");
	write_file(1, s.buf, s.len);
	str_clear(&s);
}

/* With a record that fits the line before it. */
static void grow_by_record(const struct files *f)
{
	const char *last = f->text[1].buf + line_begin(&f->text[1], 4);
	struct audit_record record = {.event = "push.accepted", .push_id = "forged"};
	char hash[SHA256_HEX_SIZE], *line;
	struct str s;

	sha256_of(last, strlen(last) - 1, hash);
	line = audit_record_line(&record, 8, hash);
	str_init(&s);
	str_add(&s, f->text[1].buf);
	str_addf(&s, "%s\n", line);
	write_file(1, s.buf, s.len);
	str_clear(&s);
	free(line);
}

static void swap_files(const struct files *f)
{
	write_file(0, f->text[1].buf, f->text[1].len);
	write_file(1, f->text[0].buf, f->text[0].len);
}

static void swap_newer(const struct files *f)
{
	write_file(1, f->text[2].buf, f->text[2].len);
	write_file(2, f->text[1].buf, f->text[1].len);
}

static void rename_newest(const struct files *f)
{
	(void)f;
	move("audit-000003.jsonl", "audit-000007.jsonl");
}

static void shift(const struct files *f)
{
	(void)f;
	move("audit-000003.jsonl", "audit-000004.jsonl");
	move("audit-000002.jsonl", "audit-000003.jsonl");
	move("audit-000001.jsonl", "audit-000002.jsonl");
}

static void extra_copy(const struct files *f)
{
	write_whole("audit/audit-000004.jsonl", f->text[2].buf, f->text[2].len);
}

static void extra_empty(const struct files *f)
{
	(void)f;
	write_whole("audit/audit-000004.jsonl", "", 0);
}

static void extra_text(const struct files *f)
{
	(void)f;
	write_whole("audit/audit-000004.jsonl", "anything\n", 9);
}

static void extra_far(const struct files *f)
{
	write_whole("audit/audit-000009.jsonl", f->text[2].buf, f->text[2].len);
}

static void extra_names(const struct files *f)
{
	write_whole("audit/audit-4.jsonl", f->text[2].buf, f->text[2].len);
	write_whole("audit/audit-0000004.jsonl", f->text[2].buf, f->text[2].len);
	write_whole("audit/audit-000004.jsonl.gz", f->text[2].buf, f->text[2].len);
	write_whole("audit/audit-000000.jsonl", f->text[2].buf, f->text[2].len);
	write_whole("audit/audit.jsonl.next", f->text[2].buf, f->text[2].len);
}

static void replay_last(const struct files *f)
{
	write_file(3, f->text[2].buf, f->text[2].len);
}

static const struct tamper {
	const char *name;
	void (*tamper)(const struct files *f);
	const char *file;
	int64_t line;
	const char *words;
	/* And where the oldest files may be missing. */
	const char *late_file;
	int64_t late_line;
	const char *late_words;
} tampers[] = {
	{"lose oldest", lose_oldest, "audit-000002.jsonl", 1,
		"follows on the file audit-000001.jsonl, which is missing", NULL, 0, NULL},
	{"lose middle", lose_middle, "audit-000003.jsonl", 1,
		"audit-000002.jsonl, which is missing", "audit-000003.jsonl", 1,
		"audit-000002.jsonl, which is missing"},
	{"lose newest", lose_newest, "audit.jsonl", 1, "audit-000003.jsonl, which is missing",
		"audit.jsonl", 1, "audit-000003.jsonl, which is missing"},
	{"lose all but the last", lose_rotated, "audit.jsonl", 1,
		"audit-000003.jsonl, which is missing", NULL, 0, NULL},
	{"lose two", lose_two, "audit-000003.jsonl", 1, "audit-000002.jsonl, which is missing",
		NULL, 0, NULL},
	{"lose last", lose_last, "audit.jsonl", 1, "3 records are missing", "audit.jsonl", 1,
		"3 records are missing"},
	{"empty oldest", empty_oldest, "audit-000001.jsonl", 1, "3 lines are missing", NULL, 0,
		NULL},
	{"empty middle", empty_middle, "audit-000002.jsonl", 1, "4 lines are missing",
		"audit-000002.jsonl", 1, "4 lines are missing"},
	{"empty newest", empty_newest, "audit-000003.jsonl", 1, "4 lines are missing",
		"audit-000003.jsonl", 1, "4 lines are missing"},
	{"empty two", empty_two, "audit-000002.jsonl", 1, "8 lines are missing",
		"audit-000002.jsonl", 1, "8 lines are missing"},
	{"empty last", empty_last, "audit.jsonl", 1, "3 records are missing", "audit.jsonl", 1,
		"3 records are missing"},
	{"cut two lines", cut_two_lines, "audit-000002.jsonl", 3, "2 lines are missing",
		"audit-000002.jsonl", 3, "2 lines are missing"},
	{"cut in line", cut_in_line, "audit-000002.jsonl", 4, "is no record", "audit-000002.jsonl",
		4, "is no record"},
	{"cut newline", cut_newline, "audit-000002.jsonl", 4, "its newline is missing",
		"audit-000002.jsonl", 4, "its newline is missing"},
	{"grow", grow, "audit-000002.jsonl", 5, "is no record", "audit-000002.jsonl", 5,
		"is no record"},
	{"grow open", grow_open, "audit-000002.jsonl", 5, "is no record", "audit-000002.jsonl", 5,
		"is no record"},
	{"grow by a record", grow_by_record, "audit-000002.jsonl", 5, "was put in",
		"audit-000002.jsonl", 5, "was put in"},
	{"swap", swap_files, "audit-000001.jsonl", 1, "", "audit-000001.jsonl", 1, ""},
	{"swap newer", swap_newer, "audit-000002.jsonl", 1, "", "audit-000002.jsonl", 1, ""},
	{"rename newest", rename_newest, "audit-000007.jsonl", 1, "which is missing",
		"audit-000007.jsonl", 1, "which is missing"},
	{"shift", shift, "audit-000002.jsonl", 1, "does not have this name", "audit-000002.jsonl",
		1, "does not have this name"},
	{"extra copy", extra_copy, "audit-000004.jsonl", 1, "again", "audit-000004.jsonl", 1,
		"again"},
	{"extra empty", extra_empty, "audit.jsonl", 1, "", "audit.jsonl", 1, ""},
	{"extra text", extra_text, "audit-000004.jsonl", 1, "is no record", "audit-000004.jsonl", 1,
		"is no record"},
	{"extra far", extra_far, "audit-000009.jsonl", 1, "missing", "audit-000009.jsonl", 1,
		"missing"},
	{"extra of other names", extra_names, NULL, 0, NULL, NULL, 0, NULL},
	{"replay", replay_last, "audit.jsonl", 1, "", "audit.jsonl", 1, ""},
};

static void test_each_file(void **state)
{
	const struct audit_expected late = {.may_begin_late = 1};
	struct files f;

	(void)state;
	make_log(&f);
	for (size_t i = 0; i < sizeof(tampers) / sizeof(tampers[0]); i++) {
		const struct tamper *t = &tampers[i];
		char *what = mem_format("%s, oldest may be missing", t->name);

		t->tamper(&f);
		expect_place(t->name, t->file, t->line, t->words, NULL);
		expect_place(what, t->late_file, t->late_line, t->late_words, &late);
		assert_int_equal(files_remove_tree("audit", NULL), 0);
		assert_int_equal(mkdir("audit", 0700), 0);
		put_back(&f);
		free(what);
	}
	expect_place("as it was", NULL, 0, NULL, NULL);
	files_clear(&f);
}

/* What cannot be read is no verdict, and says what it is about. */
static void test_no_file(void **state)
{
	static const char *const rows[] = {"directory", "symbolic link", "pipe", "dangling link"};
	struct audit_report r;
	enum audit_verdict verdict;
	struct files f;

	(void)state;
	make_log(&f);
	write_whole("elsewhere", f.text[1].buf, f.text[1].len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = "audit/audit-000002.jsonl";
		struct err e = ERR_INIT;

		assert_int_equal(files_remove_tree(path, NULL), 0);
		assert_int_equal(i == 0   ? mkdir(path, 0700)
				 : i == 1 ? symlink("../elsewhere", path)
				 : i == 2 ? mkfifo(path, 0600)
					  : symlink("none", path),
			0);
		if (audit_verify(".", &verdict, &r, &e) != -1 || verdict != AUDIT_INVALID ||
			strstr(err_text(&e), path) == NULL)
			fail_msg("%s: %s", rows[i], err_text(&e));
		audit_report_clear(&r);
		err_clear(&e);
	}
	files_clear(&f);
}

/* What the first line that is there tells of those before it goes on from there. */
static void test_begins_late(void **state)
{
	const struct audit_expected late = {.may_begin_late = 1};
	enum audit_verdict verdict;
	struct audit_report all, r;
	struct files f;

	(void)state;
	make_log(&f);
	all = expect_verdict("all", 0, NULL);
	lose(0);
	lose(1);
	assert_int_equal(audit_verify_expected(".", &late, &verdict, &r, NULL), 0);
	assert_int_equal(verdict, AUDIT_VALID);
	assert_int_equal(r.lines_before, 7);
	assert_int_equal(r.records, 7);
	assert_int_equal(r.seq, 14);
	assert_true(merkle_equal(&r.tree, &all.tree));
	audit_report_clear(&r);
	/* The log goes on, and is rotated, as ever. */
	add_records(15, 1);
	rotate_log();
	expect_place("goes on", NULL, 0, NULL, &late);
	audit_report_clear(&all);
	files_clear(&f);
}

/* Each byte of the line that tells of what is missing. */
static void test_late_line(void **state)
{
	const struct audit_expected late = {.may_begin_late = 1};
	struct files f;
	struct str *s = &f.text[1], *last = &f.text[3];

	(void)state;
	make_log(&f);
	lose(0);
	for (size_t at = 0; at < line_begin(s, 2); at++) {
		char *what = mem_format("byte %zu", at);

		s->buf[at] ^= 1;
		write_file(1, s->buf, s->len);
		expect_place(what, name_of(1), 1, "", &late);
		s->buf[at] ^= 1;
		free(what);
	}
	/* And where it is all that is there, so that the head alone can tell. */
	assert_int_equal(files_remove_tree("audit", NULL), 0);
	add_records(1, 3);
	rotate_log();
	str_clear(last);
	read_whole(LOG_PATH, last);
	lose(0);
	for (size_t at = 0; at < last->len; at++) {
		char *what = mem_format("byte %zu of the only line", at);

		last->buf[at] ^= 1;
		write_whole(LOG_PATH, last->buf, last->len);
		expect_place(what, AUDIT_LOG, 1, "", &late);
		last->buf[at] ^= 1;
		free(what);
	}
	files_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_each_file),
		scratch_test(test_no_file),
		scratch_test(test_begins_late),
		scratch_test(test_late_line),
	};

	return cmocka_run_group_tests_name("audit/volumes-files", tests, NULL, NULL);
}
