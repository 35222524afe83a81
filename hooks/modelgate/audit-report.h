/* `modelgate audit report`: the log as one page of HTML. */
#ifndef MODELGATE_AUDIT_REPORT_H
#define MODELGATE_AUDIT_REPORT_H

#include "audit/page.h"

struct audit_filter;
struct command;

/*
 * Write the page to PATH, "-" for standard output.  VERDICT is what was found when the log was
 * verified.  The exit status: COMMAND_NO if the log is not valid; the page is written then too.
 */
int audit_report_run(const struct command *c, const char *path, const struct audit_filter *filter,
	const struct page_verdict *verdict);

#endif
