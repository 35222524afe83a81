#include "audit-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "command.h"
#include "data/config.h"
#include "gate/code.h"
#include "sys/replace.h"

#define ERASE "\r\033[K" /* the line at hand, on a terminal */

/* Somebody waits at a terminal.  Nothing of it is left when it is done. */
static void tell_progress(void *context, int64_t records)
{
	(void)context;
	(void)fprintf(stderr, ERASE "modelgate: %" PRId64 " records", records);
}

static int write_page(FILE *out, const struct page_request *r, struct err *e)
{
	int status = page_write(out, r, e);

	if (r->progress != NULL)
		(void)fputs(ERASE, stderr);
	return status;
}

static int write_file(const char *path, const struct page_request *r, struct err *e)
{
	struct replace file;
	int status = -1;

	if (replace_begin(&file, path, e) == 0 && write_page(file.file, r, e) == 0)
		status = replace_commit(&file, e);
	replace_clear(&file);
	return status;
}

int audit_report_run(const struct command *c, const char *path, const struct audit_filter *filter,
	const struct page_verdict *verdict)
{
	const struct page_request r = {.state = c->config->state,
		.filter = filter,
		.verdict = verdict,
		.now = clock_now(),
		.rule = code_meaning,
		.progress = isatty(STDERR_FILENO) ? tell_progress : NULL};
	struct err e = ERR_INIT;
	int status = strcmp(path, "-") == 0 ? write_page(stdout, &r, &e) : write_file(path, &r, &e);

	if (status != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (verdict->finding != PAGE_INVALID)
		return COMMAND_DONE;
	return command_fail(
		COMMAND_NO, "audit log is NOT valid: %s; the page says so", verdict->fault);
}
