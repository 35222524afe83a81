/*
 * common/audit/proof: of each record of a log in one file and in several, with torn lines; and none that
 * was tampered with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "audit/proof.h"
#include "audit/rotate.h"
#include "data/json.h"
#include "volumes.h"

/* The root that a checkpoint of the log would sign. */
static int64_t root_of_log(unsigned char root[SHA256_SIZE])
{
	struct audit_report r = expect_verdict("the log", 0, NULL);
	int64_t n = r.tree.n;

	merkle_root(&r.tree, root);
	audit_report_clear(&r);
	return n;
}

/* 1: the text of LEN bytes proves a record of N lines with ROOT. */
static int proves(const char *text, size_t len, int64_t n, const unsigned char root[SHA256_SIZE])
{
	unsigned char got[SHA256_SIZE];
	struct proof p;
	int is = proof_parse(&p, text, len, NULL) == 0 && proof_root(&p, got) == 0 &&
		 p.path.n == n && memcmp(got, root, SHA256_SIZE) == 0;

	proof_clear(&p);
	return is;
}

static void expect_proofs(const char *what, int64_t records)
{
	unsigned char root[SHA256_SIZE];
	int64_t n = root_of_log(root);
	struct err e = ERR_INIT;
	struct proof p;

	for (int64_t seq = 1; seq <= records; seq++) {
		char *text, *word = mem_format("\"seq\":%" PRId64 ",", seq);

		if (proof_make(&p, ".", seq, 0, &e) != 1)
			fail_msg("%s, record %" PRId64 ": %s", what, seq, err_text(&e));
		assert_non_null(strstr(p.record, word));
		text = proof_render(&p);
		if (!proves(text, strlen(text), n, root))
			fail_msg("%s: record %" PRId64 " is not proved: %s", what, seq, text);
		free(text);
		free(word);
		proof_clear(&p);
	}
	assert_int_equal(proof_make(&p, ".", records + 1, 0, &e), 0);
	assert_null(p.record);
	assert_int_equal(proof_make(&p, ".", 0, 0, &e), 0);
	assert_null(e.text);
}

static void test_each_record(void **state)
{
	(void)state;
	add_records(1, 1);
	expect_proofs("one", 1);
	add_records(2, 4);
	expect_proofs("five", 5);
	rotate_log(); /* which adds one */
	expect_proofs("rotated", 6);
	tear_log();
	add_records(7, 2); /* and the audit.recovered */
	expect_proofs("torn", 9);
	rotate_log();
	add_records(11, 3);
	expect_proofs("rotated again", 13);
}

/* Among the first lines, as a checkpoint counts them, whatever came after. */
static void test_first_lines(void **state)
{
	unsigned char root[SHA256_SIZE], got[SHA256_SIZE];
	struct err e = ERR_INIT;
	struct proof p;
	int64_t n;

	(void)state;
	add_records(1, 3);
	rotate_log();
	add_records(5, 2);
	n = root_of_log(root);
	add_records(7, 5);
	assert_int_equal(proof_make(&p, ".", 2, n, &e), 1);
	assert_int_equal(proof_root(&p, got), 0);
	assert_memory_equal(got, root, sizeof(root));
	assert_int_equal(p.path.n, n);
	proof_clear(&p);
	assert_int_equal(proof_make(&p, ".", n + 1, n, &e), 0);
	assert_int_equal(proof_make(&p, ".", 2, 100, &e), -1);
	assert_string_equal(err_text(&e),
		"the log has 11 lines, and the checkpoint was made for 100: "
		"see modelgate audit verify --checkpoint");
	err_clear(&e);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	assert_int_equal(proof_make(&p, ".", 5, n, &e), -1);
	assert_non_null(strstr(err_text(&e), "oldest files"));
	err_clear(&e);
	assert_int_equal(proof_make(&p, "nowhere", 5, n, &e), -1);
	err_clear(&e);
}

/* An append that was broken off is not in a checkpoint, and not in what is proved without one. */
static void test_broken_off(void **state)
{
	unsigned char root[SHA256_SIZE], got[SHA256_SIZE];
	struct proof p;
	int64_t n;

	(void)state;
	add_records(1, 3);
	break_off("whole lines\nof an append\n");
	n = root_of_log(root);
	assert_int_equal(n, 3);
	assert_int_equal(proof_make(&p, ".", 2, 0, NULL), 1);
	assert_int_equal(proof_root(&p, got), 0);
	assert_int_equal(p.path.n, n);
	assert_memory_equal(got, root, sizeof(root));
	proof_clear(&p);
}

/* No byte can be another without the proof failing, but where a text of JSON has several forms. */
static void test_each_byte(void **state)
{
	unsigned char root[SHA256_SIZE];
	struct proof p;
	char *text;
	size_t len;
	int64_t n;

	(void)state;
	add_records(1, 5);
	n = root_of_log(root);
	assert_int_equal(proof_make(&p, ".", 3, 0, NULL), 1);
	text = proof_render(&p);
	len = strlen(text);
	for (size_t at = 0; at < len; at++) {
		static const char changes[] = {1, 2, 32, 64};
		char was = text[at];

		for (size_t i = 0; i < sizeof(changes); i++) {
			text[at] = (char)(was ^ changes[i]);
			if (strchr(" \n\t", was) == NULL && proves(text, len, n, root))
				fail_msg("byte %zu, %02x: %s", at, (unsigned char)was, text);
		}
		text[at] = was;
		if (at < len && proves(text, at, n, root))
			fail_msg("cut to %zu", at);
	}
	free(text);
	proof_clear(&p);
}

#define H "0000000000000000000000000000000000000000000000000000000000000000"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int expected;
	} rows[] = {
		{"{\"record\":\"x\",\"index\":0,\"lines\":1,\"path\":[]}", 0},
		{"{\"record\":\"x\",\"index\":0,\"lines\":2,\"path\":[\"" H
		 "\"],\"checkpoint\":\"c\"}",
			0},
		{"", -1},
		{"{}", -1},
		{"[]", -1},
		{"{\"index\":0,\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":5,\"index\":0,\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"a\\u0000b\",\"index\":0,\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":\"0\",\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":-1,\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":1,\"lines\":1,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":0,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":9007199254740993,\"path\":[]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":1}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":1,\"path\":{}}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":2,\"path\":[5]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":2,\"path\":[\"00\"]}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":1,\"path\":[],\"checkpoint\":5}", -1},
		{"{\"record\":\"x\",\"index\":0,\"lines\":1,\"path\":[]} x", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proof p;
		struct err e = ERR_INIT;
		int got = proof_parse(&p, rows[i].text, strlen(rows[i].text), &e);

		if (got != rows[i].expected || (got != 0) != (e.text != NULL))
			fail_msg("%s: expected %d, got %d", rows[i].text, rows[i].expected, got);
		proof_clear(&p);
		err_clear(&e);
	}
}

/* More hashes than any tree has. */
static void test_long_path(void **state)
{
	struct proof p;
	struct str s;

	(void)state;
	str_init(&s);
	str_add(&s, "{\"record\":\"x\",\"index\":0,\"lines\":2,\"path\":[\"" H "\"");
	for (int i = 1; i < MERKLE_LEVELS; i++)
		str_add(&s, ",\"" H "\"");
	str_add(&s, "]}");
	assert_int_equal(proof_parse(&p, s.buf, s.len, NULL), 0);
	proof_clear(&p);
	s.len -= 2;
	str_add(&s, ",\"" H "\"]}");
	assert_int_equal(proof_parse(&p, s.buf, s.len, NULL), -1);
	proof_clear(&p);
	str_clear(&s);
}

/* What a record holds comes through as it stands, and so does the checkpoint. */
static void test_texts(void **state)
{
	struct audit_record record = {.event = "push.rejected",
		.reason = "quote \" backslash \\ newline \n bidi \xe2\x80\xae e \xc3\xa9"};
	unsigned char root[SHA256_SIZE];
	struct proof p, again;
	char *text;

	(void)state;
	assert_int_equal(audit_append(".", &record, 1, NULL), 0);
	(void)root_of_log(root);
	assert_int_equal(proof_make(&p, ".", 1, 0, NULL), 1);
	p.checkpoint = mem_strdup("a\n1\n\n\xe2\x80\x94 b c\n");
	text = proof_render(&p);
	assert_true(proves(text, strlen(text), 1, root));
	assert_int_equal(proof_parse(&again, text, strlen(text), NULL), 0);
	assert_string_equal(again.record, p.record);
	assert_string_equal(again.checkpoint, p.checkpoint);
	free(text);
	proof_clear(&p);
	proof_clear(&again);
}

/* What stands behind the head is not searched, however much it is. */
static void test_huge_tail(void **state)
{
	struct err e = ERR_INIT;
	struct proof p;

	(void)state;
	add_records(1, 3);
	if (truncate(LOG_PATH, (off_t)1 << 42) != 0)
		assert_int_equal(
			truncate(LOG_PATH, (off_t)1 << 38), 0); /* as much as there may be */
	(void)alarm(60);
	assert_int_equal(proof_make(&p, ".", 2, 0, &e), 1);
	(void)alarm(0);
	assert_int_equal(p.path.n, 3);
	proof_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_each_record),
		scratch_test(test_first_lines),
		scratch_test(test_broken_off),
		scratch_test(test_each_byte),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_long_path),
		scratch_test(test_texts),
		scratch_test(test_huge_tail),
	};

	return cmocka_run_group_tests_name("audit/proof", tests, NULL, NULL);
}
