/* sys/user: users that /etc/passwd has, and those that nobody knows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/user.h"

static void check_user(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	char *name = user_name(uid), *home = user_home(uid);

	assert_int_equal(pw != NULL, name != NULL);
	assert_int_equal(pw != NULL, home != NULL);
	if (pw != NULL) {
		assert_string_equal(name, pw->pw_name);
		assert_string_equal(home, pw->pw_dir);
	}
	free(home);
	free(name);
}

static void test_as_getpwuid(void **state)
{
	(void)state;
	check_user(0);
	check_user(1);
	check_user(getuid());
	check_user(65534);
}

static void test_nobody_knows(void **state)
{
	(void)state;
	assert_null(getpwuid(3999999999U));
	assert_null(user_name(3999999999U));
	assert_null(user_home(3999999999U));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_getpwuid),
		cmocka_unit_test(test_nobody_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
