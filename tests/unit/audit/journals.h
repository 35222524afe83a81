/* Audit logs for tests: made, read whole, put back changed, verified. */
#ifndef MODELGATE_TESTS_JOURNALS_H
#define MODELGATE_TESTS_JOURNALS_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/scratch.h"
#include "audit/chain.h"
#include "audit/head.h"
#include "audit/record.h"
#include "base/err.h"
#include "base/str.h"

#define LOG_PATH "audit/" AUDIT_LOG
#define HEAD_PATH "audit/" AUDIT_HEAD

/* Add N records, numbered from FIRST in their push id, to the log in the current folder. */
static inline void add_records(int first, int n)
{
	struct err e = ERR_INIT;

	for (int i = first; i < first + n; i++) {
		char id[32];
		struct audit_record record = {.event = "push.accepted", .push_id = id};

		snprintf(id, sizeof(id), "push-%d", i);
		if (audit_append(".", &record, 1, &e) != 0)
			fail_msg("append %d: %s", i, err_text(&e));
	}
}

static inline void read_whole(const char *path, struct str *out)
{
	struct err e = ERR_INIT;

	str_init(out);
	if (files_read(path, 1U << 30, out, &e) < 0)
		fail_msg("%s: %s", path, err_text(&e));
}

static inline void write_whole(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || files_write_all(fd, bytes, len) != 0 || close(fd) != 0)
		fail_msg("cannot write %s", path);
}

static inline void write_head(const struct head *h)
{
	char text[HEAD_SIZE + 1];

	head_render(h, text);
	write_whole(HEAD_PATH, text, HEAD_SIZE);
}

/* Verify, which must find LINE wrong in these WORDS; NULL: the log is valid. */
static inline struct audit_report expect_verdict(const char *what, int64_t line, const char *words)
{
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;

	if (audit_verify(".", &verdict, &r, &e) != 0)
		fail_msg("%s: cannot verify: %s", what, err_text(&e));
	if (words == NULL && verdict != AUDIT_VALID)
		fail_msg("%s: expected valid, got line %" PRId64 " %s", what, r.line, r.fault);
	if (words != NULL && verdict == AUDIT_VALID)
		fail_msg("%s: expected line %" PRId64 " %s, got valid", what, line, words);
	if (words != NULL && (r.line != line || strstr(r.fault, words) == NULL))
		fail_msg("%s: expected line %" PRId64 " %s, got line %" PRId64 " %s", what, line,
			words, r.line, r.fault);
	return r;
}

static inline void expect_valid(const char *what, int64_t records)
{
	struct audit_report r = expect_verdict(what, 0, NULL);

	if (r.records != records)
		fail_msg(
			"%s: expected %" PRId64 " records, got %" PRId64, what, records, r.records);
	audit_report_clear(&r);
}

static inline void expect_fault(const char *what, int64_t line, const char *words)
{
	struct audit_report r = expect_verdict(what, line, words);

	audit_report_clear(&r);
}

#endif
