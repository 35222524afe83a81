/* common/sys/spawn: that a program has a deadline costs it no time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "sys/spawn.h"

#define RUNS 20
#define MORE INT64_C(25000) /* microseconds */

/* Microseconds that the quickest of some runs takes. */
static int64_t quickest(unsigned seconds)
{
	const char *argv[] = {"true", NULL};
	struct spawn s = SPAWN_INIT;
	int64_t least = INT64_MAX;

	s.argv = argv;
	s.seconds = seconds;
	for (int i = 0; i < RUNS; i++) {
		int64_t start = clock_monotonic(), took;
		struct err e = ERR_INIT;
		struct str out;
		int status;

		str_init(&out);
		if (spawn_capture(&s, 10, &out, &status, &e) != 0)
			fail_msg("%s", err_text(&e));
		assert_int_equal(status, 0);
		took = clock_monotonic() - start;
		if (took < least)
			least = took;
		str_clear(&out);
	}
	return least;
}

static void test_no_delay(void **state)
{
	int64_t without = quickest(0), with = quickest(60);

	(void)state;
	if (with > without + MORE)
		fail_msg("%lld us with a deadline, %lld us without", (long long)with,
			(long long)without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_delay)};

	return cmocka_run_group_tests_name("sys/spawn-deadline", tests, NULL, NULL);
}
