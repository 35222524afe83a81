#include <stdlib.h>

#include "base/err.h"
#include "chain/ci-job.h"
#include "chain/job.h"
#include "command.h"
#include "stage/stage.h"

/* A job's exit status: config/gitlab-ci.yml has GitLab run a job again that ends with the last one. */
static int stage(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	struct ci_job job = {0};
	struct err e = ERR_INIT;
	int n = command_options(&verb_stage, argc, argv, options, 1, 1), status = JOB_SUCCEEDED;

	(void)c;
	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (stage_find(argv[1]) == NULL)
		return command_fail(COMMAND_USAGE,
			"there is no stage %s; these are: build, create-model, deploy, stage-model",
			argv[1]);
	if (ci_job_read(&job, argv[1], &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (ci_job_run(&job, &e) != 0) {
		status = e.passing ? JOB_FAILED_PASSING : JOB_FAILED;
		status = command_err(status, &e);
	}
	ci_job_clear(&job);
	return status;
}

const struct verb verb_stage = {
	.name = "stage",
	.run = stage,
	.arguments = "NAME",
	.summary = "Run one stage inside a job of GitLab CI, as config/gitlab-ci.yml does",
	.options = "  NAME  build, create-model, deploy or stage-model\n"
		   "What it is about is in the job's variables, its configuration in "
		   "MODELGATE_CONFIG.\n"
		   "Exit status: 0 done, 1 failed, 75 failed for a passing reason.\n",
};
