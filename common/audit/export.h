/*
 * Records for other programs: as rows of a table (CSV, RFC 4180), as events of ArcSight's Common Event
 * Format (CEF, version 0), and as messages of syslog (RFC 5424).  One for each reference of a record, or one
 * if it has none.  Whatever a record holds, a row, an event and a message each stay one.
 */
#ifndef MODELGATE_AUDIT_EXPORT_H
#define MODELGATE_AUDIT_EXPORT_H

#include <stddef.h>

struct json;
struct str;

/* A record as it stands in the log, and parsed. */
struct export_record {
	const char *line;
	const struct json *json;
};

/* The names of the columns, as one row. */
void export_csv_header(struct str *out);
/*
 * Add R's rows, each ended by CR and LF.  Texts are made harmless as by str_add_safe(); what a spreadsheet would
 * take for a formula, the text or what follows a semicolon in it, gets a ' in front.
 */
void export_csv(struct str *out, const struct export_record *r);
/* Add R's events, each ended by LF. */
void export_cef(struct str *out, const struct export_record *r);

#define EXPORT_SYSLOG_MAX 8192 /* bytes of a message: what receivers are set to take */

/*
 * Call EACH with R's messages by turns until it returns other than 0, which is returned; else 0.  HOST: the
 * machine's name.  Facility: log audit (13).  Each value that is too long is cut, and ends in "...": what
 * it was can be looked up by the number and the hash of the record.
 */
int export_syslog(const struct export_record *r, const char *host,
	int (*each)(void *context, const char *message, size_t len), void *context);

#endif
