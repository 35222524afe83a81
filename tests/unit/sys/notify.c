/* common/sys/notify: what arrives at a supervisor's socket, and when nothing is sent. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "sys/notify.h"

/* A socket that listens at NAME; with "@" first it is abstract. */
static int listen_at(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path) + (name[0] == '/');
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)len), 0);
	return fd;
}

static void assert_arrives(const char *name)
{
	int fd = listen_at(name);
	struct err e = ERR_INIT;
	char got[100] = "";

	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	if (notify_send(NOTIFY_STATUS "all is well\n" NOTIFY_READY, &e) != 1)
		fail_msg("%s: %s", name, err_text(&e));
	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, "STATUS=all is well\nREADY=1");
	close(fd);
}

static void test_send(void **state)
{
	char *path = path_join(*state, "socket");
	char *abstract = mem_format("@modelgate-test-%ld", (long)getpid());

	assert_arrives(path);
	assert_arrives(abstract);
	free(abstract);
	free(path);
}

static void test_nobody_listens(void **state)
{
	char *path = path_join(*state, "socket"), *longest = mem_format("/%0200d", 1);
	const char *const names[] = {path, longest, "relative", "@", "/", "vsock:2:1"};
	struct err e = ERR_INIT;

	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(notify_send(NOTIFY_READY, &e), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	assert_int_equal(notify_send(NOTIFY_READY, &e), 0);
	assert_null(e.text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		if (notify_send(NOTIFY_READY, &e) != -1 ||
			strstr(err_text(&e), "NOTIFY_SOCKET") == NULL)
			fail_msg("%s: %s", names[i], err_text(&e));
		err_clear(&e);
	}
	free(longest);
	free(path);
}

static void set(const char *name, const char *value)
{
	assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_watchdog(void **state)
{
	char *me = mem_format("%ld", (long)getpid());
	const struct {
		const char *microseconds, *pid;
		int64_t expected;
	} rows[] = {
		{NULL, NULL, 0},
		{"30000000", NULL, 30000000},
		{"30000000", me, 30000000},
		{"30000000", "1", 0},
		{"30000000", "", 0},
		{"30000000", "x", 0},
		{"", me, 0},
		{"-5", me, 0},
		{"1s", me, 0},
		{"99999999999999999999", me, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set("WATCHDOG_USEC", rows[i].microseconds);
		set("WATCHDOG_PID", rows[i].pid);
		if (notify_watchdog() != rows[i].expected)
			fail_msg("row %zu: %lld, not %lld", i, (long long)notify_watchdog(),
				(long long)rows[i].expected);
	}
	free(me);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_send),
		scratch_test(test_nobody_listens),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests_name("sys/notify", tests, NULL, NULL);
}
