#include "audit/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/lines.h"
#include "audit/record.h"
#include "audit/volumes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "sys/files.h"

#define NEXT_NAME "audit.jsonl.next" /* the new file before it takes its place */

/* The file at hand, as far as it was read. */
struct past {
	int64_t number; /* it will have */
	int64_t at;     /* place behind the last line that is in TREE */
	struct merkle tree;
};

/*
 * The time of the first record of FD, 0 if there is none, or none behind what a rotation wrote: such a file is
 * new, and to rotate it would go on for ever.  -1 and *E.
 */
static int64_t first_time(int fd, int64_t size, struct err *e)
{
	struct lines lines;
	struct line line;
	struct entry entry;
	int64_t time = 0;
	int got;

	lines_init(&lines, fd, 0, size, AUDIT_MAX_LINE);
	while (time == 0 && (got = lines_next(&lines, &line, e)) > 0 && line.end != LINES_TOO_LONG)
		if (entry_parse(&entry, line.text, line.len)) {
			time = entry.is_rotated && line.next >= size ? 0 : entry.time;
			entry_clear(&entry);
		}
	lines_clear(&lines);
	return time == 0 && got < 0 ? -1 : time;
}

struct rotate_limits rotate_limits_of(const struct config *c)
{
	const struct rotate_limits limits = {
		c->rotate_size, c->rotate_age * 24 * 60 * 60 * CLOCK_SECOND};

	return limits;
}

static int is_large(const struct rotate_limits *limits, int64_t size)
{
	return limits->size > 0 && size >= limits->size;
}

int rotate_is_due(const char *state, const struct rotate_limits *limits, struct err *e)
{
	char *folder = path_join(state, CONFIG_STATE_AUDIT), *path = path_join(folder, AUDIT_LOG);
	int64_t time = 0;
	struct stat st;
	int due = 0, fd = -1;

	if (lstat(path, &st) != 0) {
		due = errno == ENOENT ? 0 : err_errno(e, errno, "%s", path);
	} else if (st.st_size > 0 && (is_large(limits, (int64_t)st.st_size) || limits->age > 0)) {
		fd = files_open(path, O_RDONLY, 0, e);
		time = fd < 0 ? -1 : first_time(fd, (int64_t)st.st_size, e);
		due = time > 0 && (is_large(limits, (int64_t)st.st_size) ||
					  (limits->age > 0 && clock_now() - time >= limits->age));
		if (time < 0)
			due = -1;
	}
	if (fd >= 0)
		(void)close(fd); /* only read from */
	free(path);
	free(folder);
	return due;
}

/* Add the lines from P->at up to SIZE. */
static int read_on(struct past *p, int fd, int64_t size, struct err *e)
{
	unsigned char hash[SHA256_SIZE];
	struct lines lines;
	struct line line;
	struct entry entry;
	int got;

	lines_init(&lines, fd, p->at, size, AUDIT_MAX_LINE);
	while ((got = lines_next(&lines, &line, e)) > 0 && line.end == LINES_NEWLINE) {
		if (line.start == 0 && entry_parse(&entry, line.text, line.len)) {
			if (entry.is_rotated) {
				p->number = entry.rotated.number + 1;
				p->tree = entry.rotated.tree;
			}
			entry_clear(&entry);
		}
		merkle_leaf(line.text, line.len, hash);
		merkle_add(&p->tree, hash);
		p->at = line.next;
	}
	lines_clear(&lines);
	return got < 0 ? -1 : 0;
}

/*
 * Most of the file is read before its lock is taken, so that no push waits for that.  P->at stays 0 where it is
 * of no use.
 */
static int read_without_lock(struct past *p, const char *state, struct stat *st, struct err *e)
{
	enum audit_found found;
	struct journal j;
	int status = -1;

	memset(p, 0, sizeof(*p));
	p->number = 1;
	if (journal_open(&j, state, JOURNAL_READ, e) == 0 && journal_find_end(&j, &found, e) == 0)
		status = j.log < 0 || found != AUDIT_FOUND_WHOLE ? 0 : read_on(p, j.log, j.size, e);
	if (status == 0 && j.log >= 0 && fstat(j.log, st) != 0)
		status = err_errno(e, errno, "cannot look at the audit log");
	journal_close(&j);
	return status;
}

/* The first line of the new file, with its newline, and in *NEXT the head once it is there. */
static void make_line(
	struct str *out, struct head *next, const struct past *p, const struct journal *j)
{
	const struct audit_rotated rotated = {p->number, j->size, p->tree};
	const struct audit_record record = {.event = ENTRY_ROTATED, .rotated = &rotated};
	char *line = audit_record_line(&record, j->head.seq + 1, j->head.hash);

	head_init(next);
	next->size = (int64_t)strlen(line) + 1;
	next->seq = j->head.seq + 1;
	sha256_of(line, strlen(line), next->hash);
	str_init(out);
	str_add(out, line);
	str_addc(out, '\n');
	free(line);
}

static int write_next(const char *path, const struct str *line, struct err *e)
{
	int fd, status = 0;

	/* What a rotation that was killed has left. */
	if (unlink(path) != 0 && errno != ENOENT)
		return err_errno(e, errno, "%s", path);
	fd = files_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return -1;
	if (files_write_all(fd, line->buf, line->len) != 0 || fsync(fd) != 0)
		status = err_errno(e, errno, "%s", path);
	(void)close(fd); /* it is flushed */
	if (status != 0)
		(void)unlink(path);
	return status;
}

/*
 * Give the file LOG, which is J's, its other name.  It may have it from a rotation that was killed; or what has
 * it is a copy that a backup made of that.
 */
static int keep(
	const char *folder, const char *log, const struct journal *j, int64_t number, struct err *e)
{
	char name[AUDIT_FILE_NAME_SIZE], *path;
	int fault = 0;

	audit_file_name(number, name);
	path = path_join(folder, name);
	if (link(log, path) != 0)
		fault = errno;
	if (fault == EEXIST && volumes_is_other_name(j->log, j->size, path))
		fault = unlink(path) == 0 && link(log, path) == 0 ? 0 : errno;
	if (fault != 0)
		(void)err_errno(e, fault, "%s", path);
	free(path);
	return fault == 0 ? 0 : -1;
}

/* With all in order: the steps that the header tells.  J->head is that of the old file.  Once done, *NUMBER is set. */
static int change_files(const char *state, const struct journal *j, const struct past *p,
	int64_t *number, struct err *e)
{
	char *folder = path_join(state, CONFIG_STATE_AUDIT), *log = path_join(folder, AUDIT_LOG);
	char *path = path_join(folder, NEXT_NAME);
	struct head announced = j->head, next;
	struct str line;
	int status = -1;

	make_line(&line, &next, p, j);
	announced.pending_size = next.size;
	announced.pending_seq = next.seq;
	memcpy(announced.pending_hash, next.hash, SHA256_HEX_SIZE);
	announced.recovering = AUDIT_FOUND_WHOLE;
	if (write_next(path, &line, e) != 0)
		goto out;
	if (journal_announce(j, state, &announced, e) != 0)
		goto take_back;
	if (keep(folder, log, j, p->number, e) != 0 || journal_flush_folder(state, e) != 0)
		goto take_back;
	if (rename(path, log) != 0) {
		(void)err_errno(e, errno, "%s", log);
		goto take_back;
	}
	*number = p->number;
	status = journal_flush_folder(state, e);
	if (status != 0)
		(void)err_wrap(e, "rotated, but a loss of power may undo that");
	/* Should it fail: the head that announces the new file fits. */
	(void)head_write(j->head_fd, &next, NULL);
	goto out;
take_back:
	/* Should this fail, all is as if the rotation had been killed: in order, and ended by the next. */
	(void)head_write(j->head_fd, &j->head, NULL);
	(void)unlink(path);
out:
	str_clear(&line);
	free(path);
	free(log);
	free(folder);
	return status;
}

int rotate_now(const char *state, int64_t *number, struct err *e)
{
	enum audit_found found;
	struct journal j;
	struct stat before = {.st_ino = 0}, now;
	struct past p;
	int result = -1;

	*number = 0;
	if (read_without_lock(&p, state, &before, e) != 0)
		return -1;
	if (p.at == 0)
		return 0;
	if (journal_open(&j, state, JOURNAL_APPEND, e) != 0 || journal_find_end(&j, &found, e) != 0)
		goto out;
	result = 0;
	/* Another has rotated meanwhile, or something is to be accounted for first. */
	if (found != AUDIT_FOUND_WHOLE || fstat(j.log, &now) != 0 || now.st_ino != before.st_ino ||
		now.st_dev != before.st_dev)
		goto out;
	result = read_on(&p, j.log, j.size, e);
	if (result == 0 && p.at == j.size)
		result = change_files(state, &j, &p, number, e) == 0 ? 1 : -1;
out:
	journal_close(&j);
	return result;
}
