/* common/base/err: texts are set, wrapped and forgotten, and nobody needs to ask for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "base/err.h"

static void test_text(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_string_equal(err_text(&e), "unknown fault");
	assert_int_equal(err_set(&e, "%s is %d", "it", 5), -1);
	assert_string_equal(err_text(&e), "it is 5");
	assert_int_equal(err_set(&e, "not %s", err_text(&e)), -1); /* its own text may be used */
	assert_string_equal(err_text(&e), "not it is 5");
	assert_int_equal(err_wrap(&e, "file %s", "f"), -1);
	assert_int_equal(err_wrap(&e, "open"), -1);
	assert_string_equal(err_text(&e), "open: file f: not it is 5");
	assert_int_equal(err_errno(&e, ENOENT, "%s", "f"), -1);
	assert_string_equal(err_text(&e), "f: No such file or directory");
	err_clear(&e);
	assert_string_equal(err_text(&e), "unknown fault");
	err_clear(&e);
}

static void test_wrap_of_nothing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_wrap(&e, "open"), -1);
	assert_string_equal(err_text(&e), "open: unknown fault");
	err_clear(&e);
}

static void test_passing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, "busy");
	assert_int_equal(e.passing, 0);
	e.passing = 1;
	(void)err_wrap(&e, "begin");
	assert_int_equal(e.passing, 1);
	err_clear(&e);
	assert_int_equal(e.passing, 0);
}

/* Room comes back; a name that is not there does not come by itself. */
static void test_passing_numbers(void **state)
{
	static const struct {
		int number;
		int passes;
	} rows[] = {{ENOSPC, 1}, {EDQUOT, 1}, {EAGAIN, 1}, {ENOMEM, 1}, {ENFILE, 1}, {ENOENT, 0},
		{EACCES, 0}, {EROFS, 0}, {EIO, 0}, {0, 0}};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e.passing = !rows[i].passes;
		(void)err_errno(&e, rows[i].number, "f");
		if (e.passing != rows[i].passes)
			fail_msg("%s: %d", err_text(&e), e.passing);
	}
	err_clear(&e);
}

static void test_nobody_asks(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, "x"), -1);
	assert_int_equal(err_errno(NULL, ENOENT, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	assert_string_equal(err_text(NULL), "unknown fault");
	err_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_wrap_of_nothing),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_passing_numbers),
		cmocka_unit_test(test_nobody_asks),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
