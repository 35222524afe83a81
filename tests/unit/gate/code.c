/* common/gate/code: the codes in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "gate/code.h"

static void test_meanings(void **state)
{
	/* First and last of each run of codes; what is between has a meaning, all else has none. */
	static const int runs[][2] = {{101, 108}, {201, 207}, {301, 304}, {401, 402}, {901, 905}};
	size_t run = 0;

	(void)state;
	for (int n = 0; n < 1000; n++) {
		int is_code = run < 5 && n >= runs[run][0];
		char text[CODE_TEXT_SIZE + 8];

		(void)snprintf(text, sizeof(text), "MG%03d", n);
		if ((code_meaning(text) != NULL) != is_code)
			fail_msg("%s: %s", text, is_code ? "no meaning" : code_meaning(text));
		run += is_code && n == runs[run][1];
	}
	assert_null(code_meaning(""));
	assert_null(code_meaning("mg101"));
	assert_null(code_meaning("MG101 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_meanings)};

	return cmocka_run_group_tests_name("gate/code", tests, NULL, NULL);
}
