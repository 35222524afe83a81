/* common/audit/head: written in place, and anything else is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "audit/entry.h"
#include "journals.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_round_trip(void **state)
{
	static const struct head cases[] = {
		{.size = 0, .hash = HASH, .pending_hash = HASH},
		{1, 2, HASH, 3, 4, ENTRY_NO_HASH, AUDIT_FOUND_LONGER},
		{INT64_MAX, ENTRY_MAX_SEQ, HASH, INT64_MAX, ENTRY_MAX_SEQ, HASH,
			AUDIT_FOUND_NO_HEAD},
	};
	char text[HEAD_SIZE + 1];
	struct head got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		head_render(&cases[i], text);
		assert_int_equal(strlen(text), HEAD_SIZE);
		assert_ptr_equal(strchr(text, '\n'), text + HEAD_SIZE - 1);
		assert_int_equal(head_parse(&got, text, HEAD_SIZE), 0);
		assert_memory_equal(&got, &cases[i], sizeof(got));
	}
}

/* Replace FROM, which must be there, by TO of the same length. */
static void change(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from);

	assert_int_equal(strlen(from), strlen(to));
	if (at == NULL)
		fail_msg("no %s in %s", from, text);
	memcpy(at, to, strlen(to));
}

static void test_damage(void **state)
{
	static const struct {
		const char *from, *to;
		int status;
	} cases[] = {
		{"\"size\":55", "\"size\":56", 0},
		{"\"size\":55", "\"size\":-5", -1},
		{"\"size\":55", "\"size\":\"5", -1},
		{"\"seq\":66", "\"seq\":6x", -1},
		{"\"seq\":66", "\"seq\":-6", -1},
		{"\"seq\":66", "\"sec\":66", -1},
		{"\"hash\":\"0", "\"hash\":\"f", 0},
		{"\"hash\":\"0", "\"hash\":\"F", -1},
		{"\"pending_size\":77", "\"pending_size\":-7", -1},
		{"\"pending_seq\":88", "\"pending_seq\":-8", -1},
		{"\"pending_hash\":\"0", "\"pending_hash\":\"g", -1},
		{"\"torn\"", "\"born\"", -1},
		{"}", " ", -1},
		{"\n", " ", -1},
		{"} ", "}}", -1},
	};
	const struct head good = {55, 66, HASH, 77, 88, HASH, AUDIT_FOUND_TORN};
	char text[HEAD_SIZE + 1];
	struct head got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;

		head_render(&good, text);
		change(text, cases[i].from, cases[i].to);
		status = head_parse(&got, text, HEAD_SIZE);
		if (status != cases[i].status)
			fail_msg("%s -> %s: expected %d, got %d", cases[i].from, cases[i].to,
				cases[i].status, status);
	}
	head_render(&good, text);
	assert_int_equal(head_parse(&got, text, HEAD_SIZE - 1), -1);
	assert_int_equal(head_parse(&got, text, 0), -1);
}

static void test_file(void **state)
{
	struct head h = {1, 2, HASH, 3, 4, HASH, AUDIT_FOUND_WHOLE}, got;
	enum head_state there;
	struct err e = ERR_INIT;
	int fd = open("head", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(head_read(-1, &got, &there, &e), 0);
	assert_int_equal(there, HEAD_ABSENT);
	assert_int_equal(head_read(fd, &got, &there, &e), 0);
	assert_int_equal(there, HEAD_ABSENT);
	for (h.seq = 2; h.seq < 5; h.seq++) {
		assert_int_equal(head_write(fd, &h, &e), 0);
		assert_int_equal(head_read(fd, &got, &there, &e), 0);
		assert_int_equal(there, HEAD_THERE);
		assert_int_equal(got.seq, h.seq);
	}
	assert_int_equal(lseek(fd, 0, SEEK_END), HEAD_SIZE);
	assert_int_equal(ftruncate(fd, HEAD_SIZE + 1), 0);
	assert_int_equal(head_read(fd, &got, &there, &e), 0);
	assert_int_equal(there, HEAD_DAMAGED);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		scratch_test(test_file),
	};

	return cmocka_run_group_tests_name("audit/head", tests, NULL, NULL);
}
