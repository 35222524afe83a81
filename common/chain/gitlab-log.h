/* What a job of GitLab leaves: its log, put into the stage's, and its report (chain/report.h). */
#ifndef MODELGATE_CHAIN_GITLAB_LOG_H
#define MODELGATE_CHAIN_GITLAB_LOG_H

#include "chain/gitlab.h"

struct err;
struct pipeline;
struct pipeline_stage;
struct report;

/* Say in the log of P's STAGE that it runs as JOB, and where to look.  A log stops no stage. */
void gitlab_log_begin(const char *state, const struct pipeline *p,
	const struct pipeline_stage *stage, const struct gitlab_job *job);
/*
 * Put GitLab's log of JOB behind that, in place of what stands there already.  GITLAB_DONE: also where this
 * disk does not take it; or what gitlab_read_trace() said, and *E.
 */
enum gitlab_result gitlab_log_fetch(const char *state, struct gitlab *g, const struct pipeline *p,
	const struct pipeline_stage *stage, const struct gitlab_job *job, struct err *e);

/*
 * The report of JOB: GITLAB_DONE and *OUT, the caller's to report_clear(); empty, with a message, where the
 * job has left none, or none that can be believed.  Else as gitlab_read_artifact(), and *E.
 */
enum gitlab_result gitlab_log_report(struct report *out, struct gitlab *g,
	const struct gitlab_job *job, const struct pipeline_stage *stage, struct err *e);

#endif
