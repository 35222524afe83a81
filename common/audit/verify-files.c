#include "audit/verify-internal.h"

#include <inttypes.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "base/err.h"

void verify_compare(struct check *c)
{
	const struct checkpoint *k = c->expected->checkpoint;
	unsigned char root[SHA256_SIZE];

	if (k == NULL || c->tree.n != k->lines)
		return;
	merkle_root(&c->tree, root);
	if (memcmp(root, k->root, SHA256_SIZE) != 0 || strcmp(c->tree_head, k->head) != 0)
		c->is_other = 1;
}

static enum audit_verdict missing_file(struct check *c, int64_t number)
{
	char name[AUDIT_FILE_NAME_SIZE];

	audit_file_name(number, name);
	return verify_fault(c, c->line, "follows on the file %s, which is missing", name);
}

/*
 * The line at hand begins a file and counts lines before it, of which the last are not there: the place
 * where they stood is named.
 */
static enum audit_verdict cut_file(struct check *c, const struct entry *entry)
{
	size_t file = c->file - 1;

	if (c->line > 1 && !verify_is_confirmed(c))
		return verify_fault(
			c, c->line, "was changed: it does not tell of the file before it");
	while (file > 0 && c->begin[file] == c->line && c->begin[file - 1] == c->line)
		file--;
	(void)verify_fault(c, 0, "%" PRId64 " lines are missing from here on",
		entry->rotated.tree.n - c->tree.n);
	c->report->line = c->line - c->begin[file] + 1;
	c->report->file = volumes_name(&c->volumes, file);
	return AUDIT_INVALID;
}

/* 1: what ENTRY, the first line of a file, tells of the file before it is more than that holds. */
static int tells_of_more(const struct check *c, const struct entry *entry)
{
	return entry->is_rotated && c->reader.number == 1 && c->file > 0 && c->torn.count == 0 &&
	       entry->rotated.number == c->volumes.numbers[c->file - 1] &&
	       entry->rotated.tree.n > c->tree.n &&
	       (entry->rotated.size > c->size || c->begin[c->file - 1] == c->line);
}

/* The first line that is read, in a rotated file: that it has the name which it says it has. */
static enum audit_verdict check_name(struct check *c, const struct entry *entry)
{
	int64_t number = entry->is_rotated ? entry->rotated.number + 1 : 1;
	char name[AUDIT_FILE_NAME_SIZE];

	if (c->file == c->volumes.n || c->volumes.numbers[c->file] == number)
		return AUDIT_VALID;
	audit_file_name(number, name);
	return verify_fault(
		c, c->line, "begins the file %s, and the file does not have this name", name);
}

/* The first line that is read tells of files before it: go on from there, if they may be missing. */
static enum audit_verdict begin_behind(struct check *c, const struct entry *entry)
{
	if (!c->expected->may_begin_late)
		return tells_of_more(c, entry) ? cut_file(c, entry)
					       : missing_file(c, entry->rotated.number);
	c->seq = entry->seq - 1;
	c->tree = entry->rotated.tree;
	memcpy(c->last, entry->prev, SHA256_HEX_SIZE);
	memcpy(c->tree_head, entry->prev, SHA256_HEX_SIZE);
	c->report->lines_before = entry->rotated.tree.n;
	verify_compare(c);
	return AUDIT_VALID;
}

enum audit_verdict verify_first(struct check *c, const struct entry *entry)
{
	enum audit_verdict v = AUDIT_VALID;

	if (c->line == 1)
		v = check_name(c, entry);
	if (v != AUDIT_VALID || !entry->is_rotated)
		return v;
	if (c->line == 1)
		return begin_behind(c, entry);
	if (tells_of_more(c, entry))
		return cut_file(c, entry);
	if (c->file > 0 && entry->rotated.number > c->volumes.numbers[c->file - 1])
		return missing_file(c, entry->rotated.number);
	return AUDIT_VALID;
}

enum audit_verdict verify_rotated(struct check *c, const struct entry *entry)
{
	const struct audit_rotated *r = &entry->rotated;
	int is_first = c->reader.number == 1 && c->line > 1;

	if (c->line == 1 && entry->is_rotated)
		return AUDIT_VALID; /* see begin_behind */
	if (!entry->is_rotated && is_first)
		return verify_fault(c, c->line, "does not tell of the file before it");
	if (!entry->is_rotated)
		return AUDIT_VALID;
	if (!is_first)
		return verify_fault(
			c, c->line, "tells of a file before it, and is not the first line");
	if (r->number != c->volumes.numbers[c->file - 1] || r->size != c->size ||
		!merkle_equal(&r->tree, &c->tree))
		return verify_fault(
			c, c->line, "was changed: it does not tell of the file before it");
	return AUDIT_VALID;
}

enum audit_verdict verify_begin_file(struct check *c)
{
	int is_first = c->line == 1;

	if (!is_first && c->is_open && c->torn.count == 0)
		return verify_fault(c, c->line - 1, "is cut short: its newline is missing");
	while (c->file < c->reader.file) /* over files without a line */
		c->begin[++c->file] = c->line;
	if (c->file < c->volumes.n && !is_first && c->file > 0 &&
		c->volumes.numbers[c->file] != c->volumes.numbers[c->file - 1] + 1)
		return missing_file(c, c->volumes.numbers[c->file] - 1);
	return AUDIT_VALID;
}

enum audit_verdict verify_signed(struct check *c)
{
	const struct checkpoint *k = c->expected->checkpoint;

	if (k == NULL)
		return AUDIT_VALID;
	if (c->is_other)
		return verify_fault(c, 0,
			"its first %" PRId64
			" lines are not those that the checkpoint was made for: "
			"the log was rewritten",
			k->lines);
	if (c->tree.n < k->lines)
		return verify_fault(c, c->line + 1,
			"%" PRId64
			" lines are missing from here on: the checkpoint counts %" PRId64,
			k->lines - c->tree.n, k->lines);
	return AUDIT_VALID;
}

int verify_covers(const struct check *c, struct err *e)
{
	const struct checkpoint *k = c->expected->checkpoint;

	if (k == NULL || k->lines >= c->report->lines_before)
		return 0;
	return err_set(e,
		"the checkpoint is for the first %" PRId64 " lines, and the log begins here behind "
		"line %" PRId64 ": its older files are needed",
		k->lines, c->report->lines_before);
}
