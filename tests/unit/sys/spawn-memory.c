/* common/sys/spawn: a program that takes more memory than it may gets no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/spawn.h"

/* A program that holds so many bytes ends with STATUS, and says SAID. */
static void assert_ends(const char *bytes, int status, const char *said)
{
	const char *argv[] = {"perl", "-e", "$x = 'x' x $ARGV[0]; print length $x", bytes, NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	struct str out;
	int got = -1;

	str_init(&out);
	s.argv = argv;
	s.memory = 64 << 20;
	if (spawn_capture(&s, 100, &out, &got, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(got, status);
	assert_string_equal(out.buf, said);
	str_clear(&out);
}

static void test_memory(void **state)
{
	(void)state;
	assert_ends("1000000", 0, "1000000");
	assert_ends("100000000", 1, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
