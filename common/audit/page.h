/*
 * The audit log as one page of HTML that needs nothing but a browser: what was found when it was
 * verified, pushes and deployments over time, counts by person, project and rule, and every record.
 * The page loads nothing, and its content security policy lets it run no script and use no style
 * but its own (by their hashes).  Whatever stands in the log stays text.
 */
#ifndef MODELGATE_AUDIT_PAGE_H
#define MODELGATE_AUDIT_PAGE_H

#include <stdint.h>
#include <stdio.h>

struct audit_filter;
struct audit_report;
struct err;
struct strlist;

enum page_finding {
	PAGE_VALID,
	PAGE_INVALID,
	PAGE_NOTHING /* nothing has been recorded yet */
};

/* What the page says of the log on its top. */
struct page_verdict {
	enum page_finding finding;
	const char *fault; /* PAGE_INVALID: what is wrong, a sentence without its full stop */
	const char *head;  /* PAGE_VALID: hash of the last line, hexadecimal */
	int64_t records;   /* how many were verified */
	int64_t last_seq; /* records behind it came later and are left out, but with PAGE_INVALID */
	/* More to be said, a line each, such as the checkpoint that was compared; may be NULL. */
	const struct strlist *notes;
};

struct page_request {
	const char *state; /* the state directory */
	const struct audit_filter *filter;
	const struct page_verdict *verdict;
	/* The lines that the verdict is about: with others there is no page.  NULL: not compared. */
	const struct audit_report *verified;
	int64_t now; /* when the page is made */
	/* What a code such as "MG102" rejects, in a few words; NULL: not known.  May be NULL. */
	const char *(*rule)(const char *code);
	/* Called now and then with the number of records read so far; may be NULL. */
	void (*progress)(void *context, int64_t records);
	void *context; /* of PROGRESS */
};

/* Write the page to OUT, which is not flushed.  0, or -1 and *E. */
int page_write(FILE *out, const struct page_request *r, struct err *e);

#endif
