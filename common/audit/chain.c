#include "audit/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/record.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/files.h"

/* Lines to be added, and what the chain will be after them. */
struct addition {
	struct str text;
	int64_t seq;
	char hash[SHA256_HEX_SIZE];
};

static int add_line(struct addition *a, const struct audit_record *record, struct err *e)
{
	char *line = audit_record_line(record, a->seq + 1, a->hash);
	size_t len = strlen(line);
	int status = 0;

	if (len >= AUDIT_MAX_LINE) {
		status = err_set(e, "a record of %zu bytes is more than the audit log takes", len);
	} else {
		sha256_of(line, len, a->hash);
		str_addn(&a->text, line, len);
		str_addc(&a->text, '\n');
		a->seq++;
	}
	free(line);
	return status;
}

/* What an audit.recovered says to a person; the caller's to free(). */
static char *describe(const struct journal *j, const struct journal_tail *t)
{
	int64_t off = j->size - j->head.size;

	switch (t->found) {
	case AUDIT_FOUND_TORN:
		if (t->torn_size > 0)
			return mem_format("torn line of %" PRId64 " bytes", t->torn_size);
		return mem_format(
			"an append was broken off after a whole line, %" PRId64 " bytes", off);
	case AUDIT_FOUND_SHORTER:
		if (off < 0)
			return mem_format(
				"log shorter than the head: %" PRId64 " bytes missing", -off);
		break;
	case AUDIT_FOUND_LONGER:
		if (off > 0)
			return mem_format("log longer than the head by %" PRId64 " bytes", off);
		break;
	case AUDIT_FOUND_NO_HEAD:
		return mem_strdup(j->head_state == HEAD_DAMAGED ? "head damaged" : "no head");
	case AUDIT_FOUND_WHOLE:
		break;
	}
	/* An append that told this was itself broken off, and the log has another length by now. */
	return mem_format("log %s than the head when it was found", audit_found_word(t->found));
}

/* Close what is torn and tell how the log was found. */
static int add_recovered(
	struct addition *a, const struct journal *j, const struct journal_tail *t, struct err *e)
{
	struct audit_recovered recovered = {.found = t->found,
		.head_size = j->head.size,
		.head_seq = j->head.seq,
		.torn_size = t->torn_size};
	struct audit_record record = {.event = ENTRY_RECOVERED, .recovered = &recovered};
	char *reason;
	int status;

	memcpy(recovered.head_hash, j->head.hash, SHA256_HEX_SIZE);
	memcpy(recovered.record_hash, t->record_hash, SHA256_HEX_SIZE);
	memcpy(recovered.torn_hash, t->torn_hash, SHA256_HEX_SIZE);
	if (t->is_open)
		str_addc(&a->text, '\n');
	reason = describe(j, t);
	record.reason = reason;
	status = add_line(a, &record, e);
	free(reason);
	return status;
}

static int prepare(struct addition *a, const struct journal *j, const struct journal_tail *t,
	const struct audit_record *records, size_t n, struct err *e)
{
	a->seq = t->seq;
	memcpy(a->hash, t->hash, SHA256_HEX_SIZE);
	if (t->found != AUDIT_FOUND_WHOLE && add_recovered(a, j, t, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_line(a, &records[i], e) != 0)
			return -1;
	if (a->text.len > AUDIT_MAX_APPEND)
		return err_set(
			e, "%zu bytes at once are more than the audit log takes", a->text.len);
	if (a->seq > ENTRY_MAX_SEQ)
		return err_set(e, "the audit log is full: no more numbers");
	return 0;
}

/* Write and flush the lines.  On failure the log is as it was, or is found torn. */
static int write_lines(const struct journal *j, const struct str *text, struct err *e)
{
	if (files_write_all(j->log, text->buf, text->len) != 0)
		(void)err_errno(e, errno, "cannot write the audit log");
	else if (fdatasync(j->log) != 0)
		(void)err_errno(e, errno, "cannot flush the audit log");
	else
		return 0;
	if (ftruncate(j->log, (off_t)j->size) == 0) {
		(void)fdatasync(j->log); /* the fault that counts is told already */
		if (j->head_state == HEAD_THERE)
			(void)head_write(j->head_fd, &j->head, NULL); /* as in journal_announce */
	}
	return -1;
}

static int write_out(const struct journal *j, const char *state, const struct journal_tail *t,
	const struct addition *a, struct err *e)
{
	struct head next = j->head;

	next.pending_size = j->size + (int64_t)a->text.len;
	next.pending_seq = a->seq;
	memcpy(next.pending_hash, a->hash, SHA256_HEX_SIZE);
	next.recovering = t->found;
	if (journal_announce(j, state, &next, e) != 0 || write_lines(j, &a->text, e) != 0)
		return -1;
	head_init(&next);
	next.size = j->size + (int64_t)a->text.len;
	next.seq = a->seq;
	memcpy(next.hash, a->hash, SHA256_HEX_SIZE);
	/* Should it fail: the records are on disk, and the head that announces them fits. */
	(void)head_write(j->head_fd, &next, NULL);
	return 0;
}

int audit_append(const char *state, const struct audit_record *records, size_t n, struct err *e)
{
	struct journal j;
	struct journal_tail t;
	struct addition a = {.seq = 0};
	int status = -1;

	if (n == 0)
		return 0;
	str_init(&a.text);
	if (journal_open(&j, state, JOURNAL_APPEND, e) == 0 && journal_find_tail(&j, &t, e) == 0 &&
		prepare(&a, &j, &t, records, n, e) == 0 && write_out(&j, state, &t, &a, e) == 0)
		status = 0;
	journal_close(&j);
	str_clear(&a.text);
	return status;
}
