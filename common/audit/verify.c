#include "audit/chain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/lines.h"
#include "base/mem.h"

/* A run of lines that are no records. */
struct torn {
	int64_t first; /* line number */
	int64_t count; /* 0: there is none */
	int64_t start; /* place in the file */
	int64_t end;   /* without the last newline */
	struct sha256 hash;
};

/* The log as far as it was read. */
struct check {
	const struct journal *journal;
	enum audit_found found; /* how the end of the log fits the head */
	struct lines lines;
	struct audit_report *report;
	int64_t line;                 /* number of the line at hand */
	char hash[SHA256_HEX_SIZE];   /* of the line at hand */
	int64_t seq;                  /* of the last record */
	char record[SHA256_HEX_SIZE]; /* hash of the last record */
	char prev[SHA256_HEX_SIZE];   /* what the last record said of the line before it */
	char last[SHA256_HEX_SIZE];   /* hash of the line before the one at hand */
	int is_open;                  /* 1: that line has no newline */
	struct torn torn;             /* in front of the line at hand */
};

static enum audit_verdict fault(struct check *c, int64_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum audit_verdict fault(struct check *c, int64_t line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	c->report->fault = mem_vformat(format, ap);
	va_end(ap);
	c->report->line = line;
	return AUDIT_INVALID;
}

/*
 * 1 if the next record, or the head after the last one, holds the hash of the line at hand: then
 * that one is as it was written.  Reads on: only for a check that ends here.
 */
static int is_confirmed(struct check *c)
{
	const char *told = c->journal->head.hash;
	char next[SHA256_HEX_SIZE];
	struct entry entry;
	struct line line;
	int is_next = 1;

	for (; lines_next(&c->lines, &line, NULL) > 0; is_next = 0) {
		if (!entry_parse(&entry, line.text, line.len))
			continue;
		/* Over torn lines, what is said of the record before them tells. */
		memcpy(next,
			entry.is_recovered && !is_next ? entry.recovered.record_hash : entry.prev,
			SHA256_HEX_SIZE);
		told = next;
		entry_clear(&entry);
		break;
	}
	return strcmp(told, c->hash) == 0;
}

static enum audit_verdict misplaced(struct check *c, const struct entry *entry)
{
	int64_t wanted = c->seq + 1;
	int follows = strcmp(entry->prev, c->last) == 0;

	if (follows)
		return fault(c, c->line, "has the number %" PRId64 " where %" PRId64 " belongs",
			entry->seq, wanted);
	if (entry->seq == wanted) {
		if (c->line > 1 && is_confirmed(c))
			return fault(c, c->line - 1,
				"was changed: it is not the line that line %" PRId64
				" was chained to",
				c->line);
		return fault(
			c, c->line, "was changed, or put in: it does not follow the line before");
	}
	if (entry->seq == c->seq && strcmp(entry->prev, c->prev) == 0 &&
		strcmp(c->hash, c->last) != 0 && is_confirmed(c))
		return fault(c, c->line - 1,
			"was put in: the record %" PRId64 " of the chain is line %" PRId64,
			entry->seq, c->line);
	if (entry->seq <= c->seq)
		return fault(c, c->line,
			"holds record %" PRId64 " again, where %" PRId64 " belongs", entry->seq,
			wanted);
	return fault(c, c->line,
		"holds record %" PRId64 " where %" PRId64
		" belongs: lines before it were removed or "
		"moved",
		entry->seq, wanted);
}

/* Does ENTRY, the next record, account for the lines in front of it that are none? */
static int accounts(struct check *c, const struct entry *entry)
{
	char hash[SHA256_HEX_SIZE];
	struct sha256 h = c->torn.hash;

	if (c->torn.count == 0)
		return !entry->is_recovered || entry->recovered.torn_size == 0;
	sha256_hex(&h, hash);
	return entry->is_recovered && entry->seq == c->seq + 1 &&
	       entry->recovered.torn_size == c->torn.end - c->torn.start &&
	       strcmp(entry->recovered.torn_hash, hash) == 0;
}

static enum audit_verdict unaccounted(struct check *c, const struct entry *entry)
{
	int64_t first = c->torn.first;

	if (c->torn.count == 0)
		return fault(c, c->line, "tells of a torn line in front of it, and there is none");
	if (strcmp(entry->prev, c->last) == 0 && !is_confirmed(c))
		return fault(
			c, c->line, "was changed: it does not account for line %" PRId64, first);
	return fault(c, first, "is no record, and no " ENTRY_RECOVERED " accounts for it");
}

/* The number of the line in which the byte at PLACE lies. */
static int64_t line_at(const struct check *c, int64_t place)
{
	struct lines lines;
	struct line line;
	int64_t number = 1;

	lines_init(&lines, c->journal->log, 0, place, AUDIT_MAX_LINE);
	while (lines_next(&lines, &line, NULL) > 0)
		number += line.end == LINES_NEWLINE;
	lines_clear(&lines);
	return number;
}

/* What an audit.recovered, itself in order, says about the lines before it. */
static enum audit_verdict judge_recovered(struct check *c, const struct audit_recovered *r)
{
	/* The line after the last whole record, and how far the head was ahead of that record. */
	int64_t line = c->torn.count > 0 ? c->torn.first : c->line;
	int64_t ahead = r->head_seq - c->seq;

	switch (r->found) {
	case AUDIT_FOUND_WHOLE:
	case AUDIT_FOUND_TORN:
		return AUDIT_VALID;
	case AUDIT_FOUND_SHORTER:
		if (ahead > 0)
			return fault(c, line,
				"is where %" PRId64 " records were cut off, as line %" PRId64
				" tells",
				ahead, c->line);
		line -= line > 1; /* as many records as there should be: one lost bytes */
		return fault(c, line, "was cut short, as line %" PRId64 " tells", c->line);
	case AUDIT_FOUND_LONGER:
		line = line_at(c, r->head_size);
		return fault(c, line < c->line ? line : c->line,
			"was added or changed behind the head, as line %" PRId64 " tells", c->line);
	case AUDIT_FOUND_NO_HEAD:
		break;
	}
	return fault(c, c->line,
		"tells that the head was missing or damaged: nobody can say whether lines were cut "
		"off");
}

static enum audit_verdict before_torn(struct check *c)
{
	if (c->torn.count == 0 || c->torn.first == 1 || !is_confirmed(c))
		return fault(c, c->line, "was changed: it does not name the record before it");
	return fault(c, c->torn.first - 1,
		"was changed: it is not the record that line %" PRId64 " names", c->line);
}

static enum audit_verdict check_record(struct check *c, const struct entry *entry)
{
	enum audit_verdict v = AUDIT_VALID;

	if (!accounts(c, entry))
		return unaccounted(c, entry);
	if (entry->seq != c->seq + 1 || strcmp(entry->prev, c->last) != 0)
		return misplaced(c, entry);
	/* The torn lines stand between it and `prev`. */
	if (entry->is_recovered && strcmp(entry->recovered.record_hash, c->record) != 0)
		return before_torn(c);
	if (entry->is_recovered)
		v = judge_recovered(c, &entry->recovered);
	c->report->records++;
	c->report->recovered += c->torn.count;
	c->torn.count = 0;
	c->seq = entry->seq;
	memcpy(c->record, c->hash, SHA256_HEX_SIZE);
	memcpy(c->prev, entry->prev, SHA256_HEX_SIZE);
	return v;
}

static void add_torn(struct torn *t, int64_t number, const struct line *line)
{
	if (t->count++ == 0) {
		t->first = number;
		t->start = line->start;
		sha256_init(&t->hash);
	} else {
		sha256_add(&t->hash, "\n", 1);
	}
	sha256_add(&t->hash, line->text, line->len);
	t->end = line->start + (int64_t)line->len;
}

/*
 * Where there is more than the head knows: the line at hand against the place where the head ends.
 */
static enum audit_verdict check_border(struct check *c, const struct line *line)
{
	const struct head *h = &c->journal->head;

	if (c->found != AUDIT_FOUND_TORN && c->found != AUDIT_FOUND_LONGER)
		return AUDIT_VALID;
	if (line->next < h->size)
		return AUDIT_VALID;
	if (line->start >= h->size)
		return c->found == AUDIT_FOUND_TORN
			       ? AUDIT_VALID
			       : fault(c, c->line, "was added behind the head");
	if (line->next == h->size && strcmp(c->hash, h->hash) == 0)
		return AUDIT_VALID;
	return fault(c, c->line, "was changed: it is not the line that the head was made for");
}

static enum audit_verdict check_line(struct check *c, const struct line *line)
{
	enum audit_verdict v = AUDIT_VALID;
	struct entry entry;

	c->line++;
	if (line->end == LINES_TOO_LONG)
		return fault(c, c->line, "is longer than %u bytes", AUDIT_MAX_LINE);
	sha256_of(line->text, line->len, c->hash);
	/* The newline may be missing at the end of the log, which check_end looks at. */
	c->is_open = line->end == LINES_LIMIT;
	if (entry_parse(&entry, line->text, line->len)) {
		v = check_record(c, &entry);
		entry_clear(&entry);
	} else {
		add_torn(&c->torn, c->line, line);
	}
	if (v == AUDIT_VALID)
		v = check_border(c, line);
	memcpy(c->last, c->hash, SHA256_HEX_SIZE);
	return v;
}

static enum audit_verdict check_torn_end(struct check *c)
{
	const struct journal *j = c->journal;

	if (c->found == AUDIT_FOUND_TORN && c->torn.start >= j->head.size)
		return AUDIT_VALID;
	if (j->size < j->head.size)
		return fault(c, c->torn.first,
			"is cut short: %" PRId64 " records are missing from here on",
			j->head.seq - c->seq);
	return fault(c, c->torn.first, "is no record");
}

static enum audit_verdict check_head(struct check *c)
{
	const struct journal *j = c->journal;

	if (c->found == AUDIT_FOUND_NO_HEAD)
		return fault(c, 0, j->head_state == HEAD_DAMAGED ? "is damaged" : "is missing");
	if (c->found == AUDIT_FOUND_TORN)
		return AUDIT_VALID;
	if (c->is_open)
		return fault(c, c->line, "is cut short: its newline is missing");
	if (j->head.seq > c->seq && c->found == AUDIT_FOUND_SHORTER)
		return fault(c, c->line + 1, "%" PRId64 " records are missing from here on",
			j->head.seq - c->seq);
	if (c->found != AUDIT_FOUND_WHOLE || strcmp(c->last, j->head.hash) != 0)
		return fault(
			c, c->line, "was changed: it is not the line that the head was made for");
	if (j->head.seq != c->seq)
		return fault(c, 0, "says %" PRId64 " records, and there are %" PRId64, j->head.seq,
			c->seq);
	return AUDIT_VALID;
}

static enum audit_verdict check_end(struct check *c)
{
	enum audit_verdict v = AUDIT_VALID;

	if (c->torn.count > 0)
		v = check_torn_end(c);
	if (v == AUDIT_VALID)
		v = check_head(c);
	if (v == AUDIT_VALID && c->found == AUDIT_FOUND_TORN)
		c->report->broken_off = c->journal->size - c->journal->head.size;
	return v;
}

static int check_all(struct check *c, enum audit_verdict *verdict, struct err *e)
{
	struct line line;
	int got;

	while ((got = lines_next(&c->lines, &line, e)) > 0) {
		*verdict = check_line(c, &line);
		if (*verdict != AUDIT_VALID)
			return 0;
	}
	if (got == 0)
		*verdict = check_end(c);
	return got;
}

int audit_verify(
	const char *state, enum audit_verdict *verdict, struct audit_report *report, struct err *e)
{
	struct journal j;
	struct journal_tail t;
	struct check c = {.journal = &j, .report = report};
	int status = -1;

	*verdict = AUDIT_INVALID;
	memset(report, 0, sizeof(*report));
	memcpy(c.last, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	memcpy(c.record, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	if (journal_open(&j, state, JOURNAL_READ, e) == 0 && journal_find_tail(&j, &t, e) == 0) {
		c.found = t.found;
		lines_init(&c.lines, j.log, 0, j.size, AUDIT_MAX_LINE);
		status = check_all(&c, verdict, e);
		report->head = mem_strdup(c.last);
		lines_clear(&c.lines);
	}
	journal_close(&j);
	return status;
}

void audit_report_clear(struct audit_report *r)
{
	free(r->fault);
	free(r->head);
	memset(r, 0, sizeof(*r));
}
