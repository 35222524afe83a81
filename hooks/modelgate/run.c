#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/str.h"
#include "chain/job.h"
#include "chain/launcher-gitlab.h"
#include "chain/runner.h"
#include "command.h"
#include "data/config.h"

/* A line a time, at once: somebody, or a journal, follows it. */
static void print_line(void *context, const char *line)
{
	struct str safe;

	(void)context;
	str_init(&safe);
	str_add_safe(&safe, line);
	printf("%s\n", safe.buf);
	(void)fflush(stdout); /* main() looks at ferror(stdout) */
	str_clear(&safe);
}

/*
 * The runner sends SIGTERM to the whole group.  The end of this process would kill its tools before
 * they have heeded it: it waits for them, until the runner's patience ends, and only then ends by
 * the signal as it would have.  Nothing else of the stage is done meanwhile.
 */
static void end_after_tools(int number)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	(void)raise(number); /* held back until we return */
}

/* The runner is dead, and nobody else ends what the tools have started. */
static void end_all(int number)
{
	(void)number;
	(void)kill(0, SIGKILL); /* of which this process is one */
}

/* What the runner starts for one stage; its output is the stage's log. */
static int run_stage(const struct command *c, const char *id, const char *stage)
{
	struct sigaction action = {.sa_handler = end_after_tools, .sa_flags = (int)SA_RESETHAND};
	struct sigaction abandoned = {.sa_handler = end_all};
	struct err e = ERR_INIT;
	long long number;
	int passing;

	if (command_number(id, "pipeline number", &number) != 0)
		return COMMAND_USAGE;
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&abandoned.sa_mask);
	(void)sigaction(SIGTERM, &action, NULL); /* these cannot fail with these arguments */
	(void)sigaction(JOB_ABANDONED, &abandoned, NULL);
	if (job_run(c->config, number, stage, &e) == 0)
		return JOB_SUCCEEDED;
	passing = e.passing;
	return command_err(passing ? JOB_FAILED_PASSING : JOB_FAILED, &e);
}

static int run(struct command *c, int argc, char **argv)
{
	const char *drain = NULL, *no_wait = NULL, *stage = NULL, *follow = NULL;
	const struct command_option options[] = {{"--drain", &drain}, {"--no-wait", &no_wait},
		{"--stage", &stage}, {"--follow", &follow}, {NULL, NULL}};
	struct runner_options o = {.tell = print_line};
	struct err e = ERR_INIT;
	int n = command_options(&verb_run, argc, argv, options, 0, 2);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (n != (stage != NULL ? 2 : 0))
		return command_fail(COMMAND_USAGE, "run: only --stage takes ID and NAME");
	if (stage != NULL)
		return run_stage(c, argv[1], argv[2]);
	if (follow != NULL) /* what the runner starts for the pipelines on GitLab */
		return launcher_gitlab_follow(c->config->state, c->system_file, &e) == 0
			       ? COMMAND_DONE
			       : command_err(COMMAND_CANNOT_TELL, &e);
	/* Stages go on whoever reads what is told of them; main() looks at ferror(stdout). */
	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this signal */
	o.state = c->config->state;
	o.system_file = c->system_file;
	o.repository = c->repository;
	o.parallel = c->config->parallel;
	o.upkeep.limits = rotate_limits_of(c->config);
	o.upkeep.syslog = c->config->audit_syslog;
	o.mode = drain != NULL ? RUNNER_DRAIN : RUNNER_SERVICE;
	o.lock = no_wait != NULL ? RUNNER_NO_WAIT : RUNNER_WAIT;
	if (runner_run(&o, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	return COMMAND_DONE;
}

const struct verb verb_run = {
	.name = "run",
	.run = run,
	.needs_config = 1,
	.arguments = "[--drain] [--no-wait]",
	.summary = "Run the stages of pipelines, as a service or until nothing is left to do",
	.options = "  --drain    end when nothing is left that does not wait for a hand\n"
		   "  --no-wait  end at once if another runner is at work\n",
};
