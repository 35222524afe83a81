#include "audit/verify-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "base/err.h"
#include "base/mem.h"

/* The file in which LINE stands. */
static size_t file_of(const struct check *c, int64_t line)
{
	size_t file = c->file;

	while (file > 0 && c->begin[file] > line)
		file--;
	return file;
}

int64_t verify_in_file(const struct check *c, int64_t line)
{
	return line - c->begin[file_of(c, line)] + 1;
}

enum audit_verdict verify_fault(struct check *c, int64_t line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	c->report->fault = mem_vformat(format, ap);
	va_end(ap);
	if (line > 0) {
		c->report->line = verify_in_file(c, line);
		c->report->file = volumes_name(&c->volumes, file_of(c, line));
	}
	return AUDIT_INVALID;
}

/* The number that the line at hand has among all lines of the log. */
static int64_t in_log(const struct check *c)
{
	return c->report->lines_before + c->line;
}

/* 1 if the lines from the one at hand on, each fitting the one before, lead to the one that is signed. */
static int leads_to_signed(struct check *c)
{
	const struct checkpoint *k = c->expected->checkpoint;
	char hash[SHA256_HEX_SIZE];
	struct entry entry;
	struct line line;

	memcpy(hash, c->hash, SHA256_HEX_SIZE);
	/* Not counted: lines may be missing, or too many, in front of it. */
	while (strcmp(hash, k->head) != 0 && reader_next(&c->reader, &line, NULL) > 0) {
		/* A line that is no record is what the next one says that it is. */
		if (entry_parse(&entry, line.text, line.len)) {
			int fits = strcmp(entry.prev, hash) == 0;

			entry_clear(&entry);
			if (!fits)
				return 0;
		}
		sha256_of(line.text, line.len, hash);
	}
	return strcmp(hash, k->head) == 0;
}

int verify_is_confirmed(struct check *c)
{
	const struct checkpoint *k = c->expected->checkpoint;
	const char *told = c->journal->head.hash;
	char next[SHA256_HEX_SIZE];
	struct entry entry;
	struct line line;
	int is_next = 1;

	if (k != NULL && in_log(c) <= k->lines)
		return leads_to_signed(c);
	for (; reader_next(&c->reader, &line, NULL) > 0; is_next = 0) {
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
		return verify_fault(c, c->line,
			"has the number %" PRId64 " where %" PRId64 " belongs", entry->seq, wanted);
	if (entry->seq == wanted) {
		if (c->line > 1 && verify_is_confirmed(c))
			return verify_fault(c, c->line - 1,
				"was changed: it is not the line that line %" PRId64
				" was chained to",
				verify_in_file(c, c->line));
		return verify_fault(
			c, c->line, "was changed, or put in: it does not follow the line before");
	}
	if (entry->seq == c->seq && strcmp(entry->prev, c->prev) == 0 &&
		strcmp(c->hash, c->last) != 0 && verify_is_confirmed(c))
		return verify_fault(c, c->line - 1,
			"was put in: the record %" PRId64 " of the chain is line %" PRId64,
			entry->seq, verify_in_file(c, c->line));
	/* Where files are missing, nobody but the first line itself has told its number. */
	if (entry->seq <= c->seq && c->line == 2 && c->report->lines_before > 0 &&
		verify_is_confirmed(c))
		return verify_fault(
			c, 1, "was changed: it is not the line that line 2 was chained to");
	if (entry->seq <= c->seq)
		return verify_fault(c, c->line,
			"holds record %" PRId64 " again, where %" PRId64 " belongs", entry->seq,
			wanted);
	return verify_fault(c, c->line,
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
		return verify_fault(
			c, c->line, "tells of a torn line in front of it, and there is none");
	if (strcmp(entry->prev, c->last) == 0 && !verify_is_confirmed(c))
		return verify_fault(c, c->line,
			"was changed: it does not account for line %" PRId64,
			verify_in_file(c, first));
	return verify_fault(c, first, "is no record, and no " ENTRY_RECOVERED " accounts for it");
}

/* The line in which the byte at PLACE of the file at hand lies. */
static int64_t line_at(const struct check *c, int64_t place)
{
	struct lines lines;
	struct line line;
	int64_t number = c->begin[c->file];

	lines_init(&lines, c->file < c->volumes.n ? c->reader.fd : c->journal->log, 0, place,
		AUDIT_MAX_LINE);
	while (lines_next(&lines, &line, NULL) > 0)
		number += line.end == LINES_NEWLINE;
	lines_clear(&lines);
	return number;
}

/* 1: the line that ends at END in the file FD is the record SEQ, and HASH is its hash; 0: it is not. */
static int is_record_at(int fd, int64_t end, int64_t seq, const char *hash)
{
	char own[SHA256_HEX_SIZE], *text;
	int64_t start, len;
	struct entry entry;
	int is_it = 0;

	if (lines_start(fd, end - 1, &start, NULL) != 0 || end - start > (int64_t)AUDIT_MAX_LINE)
		return 0;
	len = end - 1 - start;
	text = mem_zalloc((size_t)len + 2, 1);
	if (lines_read(fd, start, end, text, NULL) == 0 && text[len] == '\n' &&
		entry_parse(&entry, text, (size_t)len)) {
		sha256_of(text, (size_t)len, own);
		is_it = entry.seq == seq && strcmp(own, hash) == 0;
		entry_clear(&entry);
	}
	free(text);
	return is_it;
}

/*
 * 1: the head that R tells of is one that an append has left here: nobody has put back or made up another.  Heads do
 * not go back, so that no line is read again more than once, however many tell of it.
 */
static int is_own_head(struct check *c, const struct audit_recovered *r)
{
	int fd = c->file < c->volumes.n ? c->reader.fd : c->journal->log;
	struct told *told = &c->told;

	if (r->head_size == 0)
		return c->file == 0 && c->report->lines_before == 0 && r->head_seq == 0 &&
		       strcmp(r->head_hash, ENTRY_NO_HASH) == 0;
	if (told->file == c->file && r->head_size <= told->size)
		return r->head_size == told->size && r->head_seq == told->seq &&
		       strcmp(r->head_hash, told->hash) == 0;
	/* What stands up to there was read, and is lines of a size that is allowed. */
	if (r->head_seq > c->seq || r->head_size > c->reader.lines.at ||
		!is_record_at(fd, r->head_size, r->head_seq, r->head_hash))
		return 0;
	*told = (struct told){.file = c->file, .size = r->head_size, .seq = r->head_seq};
	memcpy(told->hash, r->head_hash, SHA256_HEX_SIZE);
	return 1;
}

/* What an audit.recovered, itself in order, says about the lines before it. */
static enum audit_verdict judge_recovered(struct check *c, const struct audit_recovered *r)
{
	/* The line after the last whole record, and how far the head was ahead of that record. */
	int64_t line = c->torn.count > 0 ? c->torn.first : c->line;
	int64_t ahead = r->head_seq - c->seq;

	switch (r->found) {
	case AUDIT_FOUND_WHOLE:
		return AUDIT_VALID;
	case AUDIT_FOUND_TORN:
		return is_own_head(c, r) ? AUDIT_VALID
					 : verify_fault(c, c->line,
						   "tells of a head that no append has left here");
	case AUDIT_FOUND_SHORTER:
		if (ahead > 0)
			return verify_fault(c, line,
				"is where %" PRId64 " records were cut off, as line %" PRId64
				" tells",
				ahead, verify_in_file(c, c->line));
		line -= verify_in_file(c, line) >
			1; /* as many records as there should be: one lost bytes */
		return verify_fault(c, line, "was cut short, as line %" PRId64 " tells",
			verify_in_file(c, c->line));
	case AUDIT_FOUND_LONGER:
		line = line_at(c, r->head_size);
		return verify_fault(c, line < c->line ? line : c->line,
			"was added or changed behind the head, as line %" PRId64 " tells",
			verify_in_file(c, c->line));
	case AUDIT_FOUND_NO_HEAD:
		break;
	}
	return verify_fault(c, c->line,
		"tells that the head was missing or damaged: nobody can say whether lines were cut "
		"off");
}

static enum audit_verdict before_torn(struct check *c)
{
	if (c->torn.count == 0 || c->torn.first == 1 || !verify_is_confirmed(c))
		return verify_fault(
			c, c->line, "was changed: it does not name the record before it");
	return verify_fault(c, c->torn.first - 1,
		"was changed: it is not the record that line %" PRId64 " names",
		verify_in_file(c, c->line));
}

static enum audit_verdict check_record(struct check *c, const struct entry *entry)
{
	enum audit_verdict v = AUDIT_VALID;

	if (c->reader.number == 1)
		v = verify_first(c, entry);
	if (v != AUDIT_VALID)
		return v;
	if (!accounts(c, entry))
		return unaccounted(c, entry);
	if (entry->seq != c->seq + 1 || strcmp(entry->prev, c->last) != 0)
		return misplaced(c, entry);
	/* The torn lines stand between it and `prev`. */
	if (entry->is_recovered && strcmp(entry->recovered.record_hash, c->record) != 0)
		return before_torn(c);
	v = verify_rotated(c, entry);
	if (v == AUDIT_VALID && entry->is_recovered)
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

	if (c->file < c->volumes.n ||
		(c->found != AUDIT_FOUND_TORN && c->found != AUDIT_FOUND_LONGER))
		return AUDIT_VALID;
	if (line->next < h->size)
		return AUDIT_VALID;
	if (line->start >= h->size)
		return c->found == AUDIT_FOUND_TORN
			       ? AUDIT_VALID
			       : verify_fault(c, c->line, "was added behind the head");
	if (line->next == h->size && strcmp(c->hash, h->hash) == 0)
		return AUDIT_VALID;
	return verify_fault(
		c, c->line, "was changed: it is not the line that the head was made for");
}

/* A line that no append has ended is not signed: the next append accounts for it. */
static int is_ended(const struct check *c, const struct line *line)
{
	return c->file < c->volumes.n || c->found != AUDIT_FOUND_TORN ||
	       line->next <= c->journal->head.size;
}

static void add_to_tree(struct check *c, const struct line *line)
{
	unsigned char hash[SHA256_SIZE];

	merkle_leaf(line->text, line->len, hash);
	merkle_add(&c->tree, hash);
	memcpy(c->tree_head, c->hash, SHA256_HEX_SIZE);
	c->tree_seq = c->seq;
	verify_compare(c);
}

static enum audit_verdict check_line(struct check *c, const struct line *line)
{
	enum audit_verdict v = AUDIT_VALID;
	struct entry entry;

	c->line++;
	if (c->reader.number == 1)
		v = verify_begin_file(c);
	if (v != AUDIT_VALID)
		return v;
	if (line->end == LINES_TOO_LONG)
		return verify_fault(c, c->line, "is longer than %u bytes", AUDIT_MAX_LINE);
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
	if (v == AUDIT_VALID && is_ended(c, line))
		add_to_tree(c, line);
	memcpy(c->last, c->hash, SHA256_HEX_SIZE);
	c->size = c->reader.size;
	return v;
}

static enum audit_verdict check_torn_end(struct check *c)
{
	const struct journal *j = c->journal;

	if (c->file == c->volumes.n && c->found == AUDIT_FOUND_TORN &&
		c->torn.start >= j->head.size)
		return AUDIT_VALID;
	if (c->file == c->volumes.n && j->size < j->head.size)
		return verify_fault(c, c->torn.first,
			"is cut short: %" PRId64 " records are missing from here on",
			j->head.seq - c->seq);
	return verify_fault(c, c->torn.first, "is no record");
}

static enum audit_verdict check_head(struct check *c)
{
	const struct journal *j = c->journal;

	if (c->found == AUDIT_FOUND_NO_HEAD)
		return verify_fault(c, 0,
			j->head_state == HEAD_DAMAGED ? "its head is damaged"
						      : "its head is missing");
	if (c->found == AUDIT_FOUND_TORN)
		return AUDIT_VALID;
	if (c->is_open)
		return verify_fault(c, c->line, "is cut short: its newline is missing");
	if (j->head.seq > c->seq && c->found == AUDIT_FOUND_SHORTER)
		return verify_fault(c, c->line + 1, "%" PRId64 " records are missing from here on",
			j->head.seq - c->seq);
	if (c->found != AUDIT_FOUND_WHOLE || strcmp(c->last, j->head.hash) != 0)
		return verify_fault(
			c, c->line, "was changed: it is not the line that the head was made for");
	if (j->head.seq != c->seq)
		return verify_fault(c, 0,
			"its head says %" PRId64 " records, and there are %" PRId64, j->head.seq,
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

	while ((got = reader_next(&c->reader, &line, e)) > 0) {
		*verdict = check_line(c, &line);
		if (*verdict != AUDIT_VALID)
			return 0;
		if (c->line == 1 && verify_covers(c, e) != 0)
			return -1;
	}
	if (got != 0)
		return -1;
	while (c->file < c->volumes.n) /* the last has no line: what is missing, is missing there */
		c->begin[++c->file] = c->line + 1;
	*verdict = check_end(c);
	if (*verdict == AUDIT_VALID)
		*verdict = verify_signed(c);
	return 0;
}

static void report_end(struct check *c)
{
	struct audit_report *r = c->report;

	r->head = mem_strdup(c->last);
	r->seq = c->tree_seq;
	r->tree = c->tree;
	memcpy(r->tree_head, c->tree_head, SHA256_HEX_SIZE);
}

int audit_verify_expected(const char *state, const struct audit_expected *expected,
	enum audit_verdict *verdict, struct audit_report *report, struct err *e)
{
	struct journal j;
	struct check c = {.journal = &j, .expected = expected, .report = report};
	int status = -1;

	*verdict = AUDIT_INVALID;
	memset(report, 0, sizeof(*report));
	merkle_init(&c.tree);
	memcpy(c.last, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	memcpy(c.record, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	memcpy(c.tree_head, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	if (journal_open(&j, state, JOURNAL_READ, e) == 0 &&
		journal_find_end(&j, &c.found, e) == 0 &&
		volumes_find(&c.volumes, state, &j, e) == 0) {
		c.begin = mem_zalloc(c.volumes.n + 1, sizeof(*c.begin));
		c.begin[0] = 1;
		reader_init(&c.reader, &c.volumes, 0);
		status = check_all(&c, verdict, e);
		if (status != 0)
			*verdict = AUDIT_INVALID; /* nobody may take it for valid */
		report_end(&c);
		reader_clear(&c.reader);
		free(c.begin);
	}
	volumes_clear(&c.volumes);
	journal_close(&j);
	return status;
}

int audit_verify(
	const char *state, enum audit_verdict *verdict, struct audit_report *report, struct err *e)
{
	const struct audit_expected nothing = {.checkpoint = NULL};

	return audit_verify_expected(state, &nothing, verdict, report, e);
}

void audit_report_clear(struct audit_report *r)
{
	free(r->fault);
	free(r->file);
	free(r->head);
	memset(r, 0, sizeof(*r));
}
