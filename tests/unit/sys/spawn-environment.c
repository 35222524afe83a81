/* common/sys/spawn: the environment and the folder that a started program gets. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "base/str.h"
#include "surroundings.h"
#include "sys/paths.h"
#include "sys/spawn.h"

/* Run SCRIPT as S says otherwise; its output must be EXPECTED. */
static void assert_says(struct spawn s, const char *script, const char *expected)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct err e = ERR_INIT;
	struct str out;
	int status;

	str_init(&out);
	s.argv = argv;
	if (spawn_capture(&s, 10000, &out, &status, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(status, 0);
	assert_string_equal(out.buf, expected);
	str_clear(&out);
}

/* The PATH and then REST. */
static void assert_environment(struct spawn s, const char *rest)
{
	char *expected = mem_format("%s%s", paths_tools(), rest);

	assert_says(s, ENVIRONMENT, expected);
	free(expected);
}

static void test_environment(void **state)
{
	static const char *const extra[] = {"HOME=/nowhere", "X=a b\nc", NULL};
	static const char *const instead[] = {"LC_ALL=C.UTF-8", NULL};
	struct spawn s = SPAWN_INIT;

	(void)state;
	assert_int_equal(setenv("GIT_DIR", "/secret", 1), 0);
	assert_environment(s, "\nLC_ALL=C\n");
	s.env = extra;
	assert_environment(s, "\nLC_ALL=C\nHOME=/nowhere\nX=a b\nc\n");
	s.env = instead;
	assert_environment(s, "\nLC_ALL=C.UTF-8\n");
}

/* What says how the network is reached gets through; below a web server not what a client sets. */
static void test_kept_environment(void **state)
{
	static const struct {
		const char *name;
		const char *cgi; /* set meanwhile; NULL: none */
		const char *rest;
	} rows[] = {
		{"http_proxy", NULL, "\nLC_ALL=C\nhttp_proxy=v\n"},
		{"HTTPS_PROXY", NULL, "\nLC_ALL=C\nHTTPS_PROXY=v\n"},
		{"no_proxy", "REQUEST_METHOD", "\nLC_ALL=C\nno_proxy=v\n"},
		{"HTTP_PROXY", NULL, "\nLC_ALL=C\nHTTP_PROXY=v\n"},
		{"HTTP_PROXY", "REQUEST_METHOD", "\nLC_ALL=C\n"},
		{"HTTP_PROXY", "GATEWAY_INTERFACE", "\nLC_ALL=C\n"},
		{"SSL_CERT_FILE", NULL, "\nLC_ALL=C\nSSL_CERT_FILE=v\n"},
		{"SSL_CERT_DIR", NULL, "\nLC_ALL=C\nSSL_CERT_DIR=v\n"},
		{"TZ", NULL, "\nLC_ALL=C\nTZ=v\n"},
		{"HTTP_PROXY_X", NULL, "\nLC_ALL=C\n"},
		{"LD_PRELOAD", NULL, "\nLC_ALL=C\n"},
	};
	static const char *const instead[] = {"TZ=UTC", NULL};
	struct spawn s = SPAWN_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(setenv(rows[i].name, "v", 1), 0);
		if (rows[i].cgi != NULL)
			assert_int_equal(setenv(rows[i].cgi, "POST", 1), 0);
		assert_environment(s, rows[i].rest);
		assert_int_equal(unsetenv(rows[i].name), 0);
		if (rows[i].cgi != NULL)
			assert_int_equal(unsetenv(rows[i].cgi), 0);
	}
	s.env = instead;
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_environment(s, "\nLC_ALL=C\nTZ=UTC\n");
	assert_int_equal(unsetenv("TZ"), 0);
}

static void test_folder(void **state)
{
	struct spawn s = SPAWN_INIT;
	char *real = files_real_path(*state, NULL);
	char *expected = mem_format("%s\n", real);

	assert_says(s, "pwd -P", "/\n");
	s.dir = ".";
	assert_says(s, "pwd -P", expected);
	free(expected);
	free(real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_kept_environment),
		scratch_test(test_folder),
	};

	return cmocka_run_group_tests_name(
		"sys/spawn-environment", tests, forget_surroundings, NULL);
}
