/* common/audit/verify with a checkpoint, over the files of a log that was rotated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "audit/checkpoint.h"
#include "volumes.h"

static struct checkpoint sign(void)
{
	struct audit_report r = expect_verdict("to be signed", 0, NULL);
	struct checkpoint c;

	checkpoint_init(&c, &r, "test");
	audit_report_clear(&r);
	return c;
}

static void test_checkpoints(void **state)
{
	struct checkpoint taken[6];
	int n = 0;
	struct audit_expected expected = {.checkpoint = NULL};

	(void)state;
	taken[n++] = sign();
	add_records(1, 2);
	taken[n++] = sign();
	rotate_log();
	taken[n++] = sign();
	add_records(4, 1);
	taken[n++] = sign();
	rotate_log();
	tear_log();
	taken[n++] = sign();
	add_records(7, 2);
	taken[n++] = sign();
	for (int i = 0; i < n; i++) {
		char *what = mem_format("checkpoint of %" PRId64 " lines", taken[i].lines);

		expected.checkpoint = &taken[i];
		expect_place(what, NULL, 0, NULL, &expected);
		free(what);
	}
	for (int i = 1; i < n; i++) {
		expected.checkpoint = &taken[i];
		taken[i].root[5] ^= 1;
		expect_place("another root", NULL, 0, "was rewritten", &expected);
		taken[i].root[5] ^= 1;
		taken[i].head[5] ^= 1;
		expect_place("another head", NULL, 0, "was rewritten", &expected);
		taken[i].head[5] ^= 1;
	}
	for (int i = 0; i < n; i++)
		checkpoint_clear(&taken[i]);
}

/* A log as long as the other, all of it forged, each part fitting all others. */
static void rewrite(int first_file_lines, int second_file_lines)
{
	assert_int_equal(files_remove_tree("audit", NULL), 0);
	add_records(101, first_file_lines);
	rotate_log();
	add_records(201, second_file_lines);
}

static void test_checkpoint_finds(void **state)
{
	struct audit_expected expected = {.checkpoint = NULL};
	struct audit_expected late = {.checkpoint = NULL, .may_begin_late = 1};
	struct checkpoint c, before;
	struct str log, head, old;

	(void)state;
	add_records(1, 3);
	before = sign();
	rotate_log();
	add_records(5, 1);
	read_whole(LOG_PATH, &log);
	read_whole(HEAD_PATH, &head);
	add_records(6, 3);
	c = sign();
	expected.checkpoint = late.checkpoint = &c;
	expect_place("whole", NULL, 0, NULL, &expected);
	write_whole(LOG_PATH, log.buf, log.len);
	write_whole(HEAD_PATH, head.buf, head.len);
	expect_place("cut, the head too, by itself", NULL, 0, NULL, NULL);
	expect_place("cut, the head too", AUDIT_LOG, 3,
		"3 lines are missing from here on: the checkpoint counts 8", &expected);
	rewrite(3, 4);
	expect_place("rewritten, by itself", NULL, 0, NULL, NULL);
	expect_place("rewritten", NULL, 0,
		"its first 8 lines are not those that the checkpoint was made for", &expected);
	add_records(9, 2);
	expect_place("rewritten and longer", NULL, 0, "was rewritten", &expected);
	expected.checkpoint = &before;
	expect_place("rewritten before the rotation", NULL, 0, "was rewritten", &expected);
	/* What a rewritten log tells of files that are gone is looked at as well. */
	read_whole("audit/audit-000001.jsonl", &old);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	expect_place("and the old file gone", NULL, 0, "was rewritten", &late);
	late.checkpoint = &before;
	expect_place("and a checkpoint that ends with it", NULL, 0, "was rewritten", &late);
	str_clear(&old);
	str_clear(&log);
	str_clear(&head);
	checkpoint_clear(&c);
	checkpoint_clear(&before);
}

/* A checkpoint of lines that are not here can say nothing. */
static void test_checkpoint_too_old(void **state)
{
	struct audit_expected late = {.may_begin_late = 1};
	struct checkpoint first, second;
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;

	(void)state;
	add_records(1, 2);
	first = sign();
	add_records(3, 1);
	second = sign();
	rotate_log();
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	late.checkpoint = &second;
	expect_place("of all that is gone", NULL, 0, NULL, &late);
	late.checkpoint = &first;
	assert_int_equal(audit_verify_expected(".", &late, &verdict, &r, &e), -1);
	assert_non_null(strstr(err_text(&e), "its older files are needed"));
	audit_report_clear(&r);
	err_clear(&e);
	checkpoint_clear(&first);
	checkpoint_clear(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_checkpoints),
		scratch_test(test_checkpoint_finds),
		scratch_test(test_checkpoint_too_old),
	};

	return cmocka_run_group_tests_name("audit/volumes-signed", tests, NULL, NULL);
}
