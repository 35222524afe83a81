#include "chain/follower.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "chain/remote.h"
#include "chain/runner.h"
#include "chain/slot.h"
#include "sys/spawn.h"

#define MAX_FAILURE_PAUSE 60 /* seconds */

/* "[--config FILE] [--repo PATH] run --follow" */
static int start(struct follower *f, const struct runner_options *o, struct err *e)
{
	const char *argv[RUNNER_MAX_PROGRAM + 7];
	size_t n = slot_program(argv, o);
	struct spawn child = SPAWN_INIT;

	if (o->repository != NULL) {
		argv[n++] = "--repo";
		argv[n++] = o->repository;
	}
	argv[n++] = "run";
	argv[n++] = "--follow";
	argv[n] = NULL;
	child.argv = argv;
	child.out = STDOUT_FILENO; /* the service's journal */
	child.err = STDERR_FILENO;
	return spawn_start(&child, &f->pid, e);
}

/* After one that could not do its work, longer each time. */
static void pause_after_failure(struct follower *f)
{
	int64_t pause = 1;

	for (int i = 0; i < f->failures && pause < MAX_FAILURE_PAUSE; i++)
		pause *= 2;
	f->failures++;
	f->not_before = clock_monotonic() +
			CLOCK_SECOND * (pause < MAX_FAILURE_PAUSE ? pause : MAX_FAILURE_PAUSE);
}

static void reap(struct follower *f)
{
	int status = 0;
	pid_t got;

	if (f->pid == 0)
		return;
	got = waitpid(f->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return;
	f->pid = 0;
	if (got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		f->failures = 0;
	else
		pause_after_failure(f);
}

int follower_watch(struct follower *f, struct store *s, const struct runner_options *o,
	size_t *active, struct err *e)
{
	struct remote_count count;

	reap(f);
	if (remote_count(s, clock_now(), &count, e) != 0)
		return -1;
	*active = (size_t)count.active;
	if (!count.is_due || f->pid != 0 || clock_monotonic() < f->not_before)
		return 0;
	return start(f, o, e);
}

int follower_is_at_work(const struct follower *f)
{
	return f->pid != 0;
}

void follower_stop(const struct follower *f)
{
	if (f->pid != 0)
		(void)kill(-f->pid, SIGTERM); /* gone already: the better */
}

void follower_end(struct follower *f)
{
	if (f->pid == 0)
		return;
	(void)kill(-f->pid, SIGKILL); /* gone already: the better */
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	f->pid = 0;
}
