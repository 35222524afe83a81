/* A file as it arrives: how much may come, what it is called afterwards, and when the log hears of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/arrival.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"

static void test_arrival(void **state)
{
	static const struct {
		const char *pieces[4];
		int64_t max;
		const char *whole; /* NULL: the last piece is one too many */
	} rows[] = {
		{{"abc", "", "def"}, 6, "abcdef"},
		{{"abc", "def"}, 9, "abcdef"},
		{{NULL}, 0, ""},
		{{""}, 0, ""},
		{{"abc", "defg"}, 6, NULL},
		{{"a"}, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char md5[MD5_HEX_SIZE], expected[MD5_HEX_SIZE];
		struct err e = ERR_INIT;
		struct arrival a;
		struct str text;
		int result = 0;

		assert_result(arrival_begin(&a, "part", rows[i].max, NULL, &e), 0, &e);
		/* what came before a new beginning is forgotten */
		if (rows[i].max >= 3)
			assert_result(arrival_add(&a, "xyz", 3, &e), 0, &e);
		assert_result(arrival_restart(&a, &e), 0, &e);
		for (size_t k = 0; rows[i].pieces[k] != NULL; k++)
			result = arrival_add(&a, rows[i].pieces[k], strlen(rows[i].pieces[k]), &e);
		assert_result(result, rows[i].whole != NULL ? 0 : -1, &e);
		if (rows[i].whole == NULL)
			assert_says(&e, "it has more than the ");
		assert_result(arrival_end(&a, md5, &e), 0, &e);
		if (rows[i].whole == NULL)
			continue;
		fixture_md5(rows[i].whole, expected);
		assert_string_equal(md5, expected);
		str_init(&text);
		assert_int_equal(files_read("part", 100, &text, NULL), 1);
		assert_string_equal(text.buf, rows[i].whole);
		str_clear(&text);
	}
}

/* What the log says when SECONDS have passed and BYTES come. */
static void run_progress(struct progress *p, int64_t seconds, int64_t bytes, struct str *said)
{
	int before = dup(STDOUT_FILENO),
	    file = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(before >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	p->started -= seconds * CLOCK_SECOND;
	p->told -= seconds * CLOCK_SECOND;
	progress_add(p, bytes);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	assert_int_equal(close(before), 0);
	assert_int_equal(close(file), 0);
	str_reset(said);
	assert_int_equal(files_read("log", 1000, said, NULL), 1);
}

static void test_progress(void **state)
{
	static const struct {
		int64_t seconds;
		int64_t bytes;
		const char *said; /* how the line starts; "": none */
	} rows[] = {
		{4, 200000000, ""}, /* too soon */
		{2, 1, "20 % of the model: 200.0 of 1000.0 MB, 33."},
		{60, 90000000, ""}, /* too little */
		{0, 20000000, "31 % of the model: 310.0 of 1000.0 MB, 4.7 MB a second\n"},
		{60, 689999999, ""}, /* all of it: that is told otherwise */
	};
	struct progress p;
	struct str said;

	(void)state;
	str_init(&said);
	progress_init(&p, 1000000000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_progress(&p, rows[i].seconds, rows[i].bytes, &said);
		if (strncmp(said.buf, rows[i].said, strlen(rows[i].said)) != 0 ||
			(rows[i].said[0] == '\0' && said.len > 0))
			fail_msg("row %zu says \"%s\"", i, said.buf);
	}
	str_clear(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_arrival),
		scratch_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
