/* Does a program start in a sandbox? */
#include "sys/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "sys/spawn.h"

#define MAX_SAID 1000 /* bytes, which nobody reads */
#define MAX_WAIT 30   /* seconds: it says its version, and has at most a cold disk to wait for */

static _Noreturn void try(const char *program)
{
	const char *argv[] = {program, "--version", NULL}, *env[] = {"HOME=/nonexistent", NULL};
	struct sandbox s = SANDBOX_INIT;
	struct spawn p = SPAWN_INIT;
	struct str said;
	int status;

	str_init(&said);
	sandbox_add_machine(&s);
	sandbox_add_program(&s, program);
	p.argv = argv;
	p.env = env;
	p.group = SPAWN_GROUP_OURS;
	p.seconds = MAX_WAIT;
	if (sandbox_enter(&s, NULL) != 0)
		_exit(2);
	_exit(spawn_capture(&p, MAX_SAID, &said, &status, NULL) != 0 || status != 0);
}

int sandbox_try(const char *program, struct err *e)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(e, errno, "no process");
	if (pid == 0)
		try(program);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "a process that was started");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return err_set(e, "the limits could not be put on");
	return err_set(e, "%s does not start with the limits that hooks have", program);
}
