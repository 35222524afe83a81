#include "chain/gitlab-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "chain/report.h"
#include "chain/slot.h"
#include "sys/files.h"

#define MAX_LOG (64U << 20) /* bytes of a stage's log, of all its attempts */

/* The line that JOB's log begins after; the caller's to free(). */
static char *header(const struct gitlab_job *job)
{
	char *safe = str_safe(job->web_url, 1000);
	char *text = mem_format("modelgate: GitLab's job %lld, %s\n", (long long)job->id, safe);

	free(safe);
	return text;
}

/* Where LINE begins in TEXT, which may hold anything; its length: nowhere. */
static size_t find_line(const struct str *text, const char *line)
{
	size_t len = strlen(line), at = 0;

	while (at + len <= text->len && memcmp(text->buf + at, line, len) != 0) {
		const char *next = memchr(text->buf + at, '\n', text->len - at);

		if (next == NULL)
			return text->len;
		at = (size_t)(next - text->buf) + 1;
	}
	return at + len <= text->len ? at : text->len;
}

/*
 * Put TRACE behind JOB's line, which is added if it is not there, in place of what stands behind it.  In the
 * file that is there, for somebody may be following it.  0, or -1.
 */
static int write_behind(
	int fd, const struct gitlab_job *job, const struct str *trace, struct err *e)
{
	char *line = header(job);
	struct str old, new;
	size_t at;
	int result = -1;

	str_init(&old);
	str_init(&new);
	/* One that is too long to be read begins anew. */
	at = files_read_fd(fd, MAX_LOG, &old, e) == 0 ? find_line(&old, line) : 0;
	err_clear(e);
	if (at < old.len && at + strlen(line) <= old.len &&
		memcmp(old.buf + at, line, strlen(line)) == 0)
		at += strlen(line);
	else
		str_add(&new, line);
	if (trace != NULL) {
		str_addn(&new, trace->buf, trace->len);
		if (trace->len > 0 && trace->buf[trace->len - 1] != '\n')
			str_addc(&new, '\n');
	}
	if (ftruncate(fd, (off_t)at) != 0 || lseek(fd, (off_t)at, SEEK_SET) < 0 ||
		files_write_all(fd, new.buf, new.len) != 0)
		(void)err_errno(e, errno, "cannot write the log");
	else
		result = 0;
	str_clear(&old);
	str_clear(&new);
	free(line);
	return result;
}

static int write_log(
	const char *path, const struct gitlab_job *job, const struct str *trace, struct err *e)
{
	char *folder = path_dir(path);
	int fd = files_make_folder(folder, 0700, e) == 0
			 ? files_open(path, O_RDWR | O_CREAT, 0600, e)
			 : -1;
	int result = fd >= 0 ? write_behind(fd, job, trace, e) : -1;

	if (fd >= 0)
		(void)close(fd); /* a log that cannot be written stops no stage */
	free(folder);
	return result;
}

void gitlab_log_begin(const char *state, const struct pipeline *p,
	const struct pipeline_stage *stage, const struct gitlab_job *job)
{
	char *path = slot_log_path(state, p->id, stage->name);
	struct err untold = ERR_INIT;

	(void)write_log(path, job, NULL, &untold);
	err_clear(&untold);
	free(path);
}

enum gitlab_result gitlab_log_fetch(const char *state, struct gitlab *g, const struct pipeline *p,
	const struct pipeline_stage *stage, const struct gitlab_job *job, struct err *e)
{
	char *path = slot_log_path(state, p->id, stage->name);
	struct err untold = ERR_INIT;
	enum gitlab_result result;
	struct str trace;

	str_init(&trace);
	result = gitlab_read_trace(g, job->id, &trace, e);
	if (result == GITLAB_DONE)
		(void)write_log(path, job, &trace, &untold);
	err_clear(&untold);
	str_clear(&trace);
	free(path);
	return result;
}

/* What can be said of a job that has left no report. */
static char *guess(const struct gitlab_job *job)
{
	return mem_format("GitLab's job %lld is %s%s%s", (long long)job->id, job->word,
		*job->failure_reason != '\0' ? ": " : "", job->failure_reason);
}

/* 1: GitLab's runners are to blame, and not what the job did. */
static int is_passing(const struct gitlab_job *job)
{
	static const char *const reasons[] = {"runner_system_failure", "stuck_or_timeout_failure",
		"api_failure", "stale_schedule", "data_integrity_failure", "scheduler_failure",
		NULL};

	for (size_t i = 0; reasons[i] != NULL; i++)
		if (strcmp(job->failure_reason, reasons[i]) == 0)
			return 1;
	return 0;
}

enum gitlab_result gitlab_log_report(struct report *out, struct gitlab *g,
	const struct gitlab_job *job, const struct pipeline_stage *stage, struct err *e)
{
	char *file = mem_format(REPORT_FILE, stage->name);
	enum gitlab_result result;
	struct err why = ERR_INIT;
	struct str text;

	memset(out, 0, sizeof(*out));
	str_init(&text);
	result = gitlab_read_artifact(g, job->id, file, &text, e);
	if (result == GITLAB_DONE &&
		report_parse(out, text.buf, text.len, stage->name, &why) != 0) {
		out->message = mem_strdup(err_text(&why));
	} else if (result == GITLAB_MISSING) {
		err_clear(e);
		result = GITLAB_DONE;
		out->is_passing = is_passing(job);
	}
	if (out->message == NULL && job->status == STATUS_FAILED)
		out->message = guess(job);
	err_clear(&why);
	str_clear(&text);
	free(file);
	return result;
}
