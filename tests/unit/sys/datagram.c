/* common/sys/datagram: messages to sockets with a path and to abstract ones, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../lib/receiver.h"
#include "../../lib/scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/datagram.h"

static void test_message(void **state)
{
	char *path = path_join(*state, "socket"),
	     *abstract = mem_format("@%s/socket", (char *)*state);
	const char *names[2] = {path, abstract};

	for (size_t i = 0; i < 2; i++) {
		int to = receiver_open(names[i]), fd;
		struct err e = ERR_INIT;
		char got[16] = "";

		fd = datagram_open(names[i], &e);
		if (fd < 0)
			fail_msg("%s: %s", names[i], err_text(&e));
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(datagram_send(fd, "one", 3, &e), 0);
		assert_int_equal(datagram_send(fd, "", 0, &e), 0);
		assert_int_equal(datagram_send(fd, "two\nlines", 9, &e), 0);
		assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 3);
		assert_memory_equal(got, "one", 3);
		assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 0);
		assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 9);
		assert_memory_equal(got, "two\nlines", 9);
		assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), -1);
		close(to);
		/* Who listened is gone. */
		assert_int_equal(datagram_send(fd, "three", 5, &e), -1);
		assert_non_null(e.text);
		err_clear(&e);
		close(fd);
	}
	free(path);
	free(abstract);
}

static void test_refused(void **state)
{
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	const char *const names[] = {"", "socket", "/", "@", "/nowhere/socket",
		"@nobody listens here", "/dev/null", longest};

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct err e = ERR_INIT;

		if (datagram_open(names[i], &e) != -1 || e.text == NULL ||
			strstr(e.text, names[i]) == NULL)
			fail_msg("\"%s\": %s", names[i], err_text(&e));
		err_clear(&e);
	}
}

/* A stream's socket is not ours. */
static void test_stream(void **state)
{
	char *path = path_join(*state, "stream");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e = ERR_INIT;

	memcpy(at.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(datagram_open(path, &e), -1);
	assert_non_null(strstr(err_text(&e), path));
	err_clear(&e);
	close(fd);
	free(path);
}

/* Who does not read is waited for a second, and not for ever. */
static void test_not_read(void **state)
{
	char *path = path_join(*state, "socket");
	int to = receiver_open(path), fd = datagram_open(path, NULL);
	int64_t start = clock_monotonic(), took;
	struct err e = ERR_INIT;
	int n = 0;

	while (n < 100000 && datagram_send(fd, "x", 1, &e) == 0)
		n++;
	took = clock_monotonic() - start;
	if (n == 100000 || took < CLOCK_SECOND * 9 / 10 || took > CLOCK_SECOND * 30)
		fail_msg("%d messages in %lld us", n, (long long)took);
	assert_non_null(strstr(err_text(&e), "could not be sent"));
	err_clear(&e);
	close(fd);
	close(to);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_message),
		cmocka_unit_test(test_refused),
		scratch_test(test_stream),
		scratch_test(test_not_read),
	};

	return cmocka_run_group_tests_name("sys/datagram", tests, NULL, NULL);
}
