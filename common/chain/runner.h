/*
 * The runner: starts pending stages as processes of their own, one project and environment at a
 * time, and moves their pipelines on.  There is one for each state directory.  It holds
 * <state>/run/runner.lock, which dies with it; the next one resumes what it left.
 */
#ifndef MODELGATE_CHAIN_RUNNER_H
#define MODELGATE_CHAIN_RUNNER_H

#include <stdint.h>

#include "chain/upkeep.h"

struct err;

enum runner_mode {
	RUNNER_SERVICE, /* until SIGTERM or SIGINT */
	RUNNER_DRAIN    /* until nothing is left that does not wait for a hand */
};
enum runner_lock {
	RUNNER_WAIT,    /* where another runner is at work, wait for its end */
	RUNNER_NO_WAIT, /* leave the work to it */
};

#define RUNNER_MAX_PROGRAM 4 /* words */

struct runner_options {
	const char *state;            /* state directory, absolute */
	const char *system_file;      /* as for config_load; passed on to the stages */
	const char *repository;       /* whose configuration named STATE; NULL: the system's did */
	int64_t parallel;             /* stages at once */
	struct upkeep_options upkeep; /* of the audit log */
	enum runner_mode mode;
	enum runner_lock lock;
	/*
	 * What is started for a stage, at most RUNNER_MAX_PROGRAM words and NULL, followed by
	 * "[--config FILE] --repo PATH run --stage ID NAME", or for the pipelines on GitLab by
	 * "[--config FILE] [--repo PATH] run --follow"; NULL: this program.
	 */
	const char *const *program;
	/* Called with what happens, a line without newline each; may be NULL. */
	void (*tell)(void *context, const char *line);
	void *context;
};

/*
 * Run.  Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD meanwhile: the first two end it after its stages,
 * which are pending again then, a second one at once; SIGHUP does nothing, as each stage reads the
 * configuration.  What happens is also told to a service manager (chain/pulse.h).
 *
 * 0, or -1 and *E: the store, the audit log or the locks failed.  A service goes on as long as that is
 * for a passing reason; any other gives up after some time.
 */
int runner_run(const struct runner_options *o, struct err *e);

#endif
