/* sys/process: processes that live, have ended, or cannot be told from here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/process.h"

static void test_ourselves(void **state)
{
	struct process p;
	char *name;

	(void)state;
	assert_int_equal(process_read(&p, getpid()), 1);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.parent, getppid());
	assert_string_equal(p.name, "process");
	assert_int_equal(p.state, 'R');
	name = process_name(&p);
	assert_int_equal(process_look(name), PROCESS_LIVES);
	free(name);
	/* Another one that had our number before. */
	p.started--;
	name = process_name(&p);
	assert_int_equal(process_look(name), PROCESS_GONE);
	free(name);
}

static void test_a_child(void **state)
{
	int ends[2], status;
	struct process p;
	siginfo_t info;
	char *name;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(process_read(&p, pid), 1);
	assert_int_equal(p.parent, getpid());
	name = process_name(&p);
	assert_int_equal(process_look(name), PROCESS_LIVES);
	(void)close(ends[1]);
	/* It has ended, and nobody has asked how. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_look(name), PROCESS_GONE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(process_look(name), PROCESS_GONE);
	assert_int_equal(process_read(&p, pid), 0);
	(void)close(ends[0]);
	free(name);
}

static void test_names_that_tell_nothing(void **state)
{
	static const char *const names[] = {"", "push 01JDC6", "correlation 1", "parent 1 1",
		"process", "process 1", "process 1 1", "process x 1 pid:[1]", "process 1 1 pid:[1]",
		"process 0 1 pid:[1]", "process -1 1 pid:[1]", "process 99999999999 1 pid:[1]"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (process_look(names[i]) != PROCESS_UNKNOWN)
			fail_msg("\"%s\" tells something", names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(test_a_child),
		cmocka_unit_test(test_names_that_tell_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
