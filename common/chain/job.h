/* One stage, run to its end in this process. */
#ifndef MODELGATE_CHAIN_JOB_H
#define MODELGATE_CHAIN_JOB_H

#include <signal.h>
#include <stdint.h>

struct config;
struct err;

/* Exit statuses of the process that the runner starts for a stage. */
enum { JOB_SUCCEEDED = 0, JOB_FAILED = 1, JOB_FAILED_PASSING = 75 /* sysexits' EX_TEMPFAIL */ };

/*
 * What that process gets when its runner is killed: it is to kill its whole process group, so that nothing
 * that its tools have started lives on beside the next attempt.
 */
#define JOB_ABANDONED SIGHUP

/*
 * Run the stage STAGE of pipeline ID, which the runner has started, with its repository's CONFIG.
 * What it found out, or why it failed, is in the store when this returns.  0, or -1 and *E;
 * e->passing says that another try may help.
 */
int job_run(const struct config *config, int64_t id, const char *stage, struct err *e);

/*
 * The folder that an attempt of a stage works in, <state>/work/<pipeline>-<stage>-<attempt>: job_run()
 * removes it at its end, and whoever killed the process of job_run() does.  No two attempts have one in
 * common: what a tool of a killed one still writes reaches nobody.  The caller's to free().
 */
char *job_folder(const char *state, int64_t pipeline, const char *stage, int64_t attempt);

#endif
