#include "audit/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/entry.h"
#include "audit/lines.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"

/* 1: PATH is there, 0: it is not, -1: that cannot be told, which is not the same. */
static int find(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(e, errno, "%s", path);
}

/* 1: the audit folder is there, 0: it is not, -1. */
static int find_folder(const char *state, const char *folder, enum journal_use use, struct err *e)
{
	struct stat st;
	int there;

	if (stat(state, &st) != 0)
		return err_errno(e, errno, "state directory %s", state);
	if (use == JOURNAL_APPEND)
		return files_make_folder(folder, 0700, e) == 0 ? 1 : -1;
	there = find(folder, e);
	if (there != 1)
		return there;
	/* A link to nowhere is not the same as nothing. */
	if (stat(folder, &st) != 0)
		return err_errno(e, errno, "%s", folder);
	return S_ISDIR(st.st_mode) ? 1 : err_set(e, "%s is no folder", folder);
}

static int take_lock(struct journal *j, const char *folder, enum journal_use use, struct err *e)
{
	char *path = path_join(folder, AUDIT_LOCK);
	int got = lock_take(
		&j->lock, path, use == JOURNAL_READ ? LOCK_SHARE : LOCK_WAIT, AUDIT_LOCK_MS, e);

	if (got == 0) {
		(void)err_set(e, "%s: held by another process for %d seconds", path,
			AUDIT_LOCK_MS / 1000);
		if (e != NULL)
			e->passing = 1;
	}
	free(path);
	return got == 1 ? 0 : -1;
}

/* Open the file NAME.  *FD stays -1 where there is none and FLAGS make none.  0, or -1. */
static int open_file(int *fd, const char *folder, const char *name, int flags, struct err *e)
{
	char *path = path_join(folder, name);
	int there = flags & O_CREAT ? 1 : find(path, e);

	if (there == 1)
		*fd = files_open(path, flags, 0600, e);
	free(path);
	return there < 0 || (there == 1 && *fd < 0) ? -1 : 0;
}

static int open_files(struct journal *j, const char *folder, enum journal_use use, struct err *e)
{
	int flags = use == JOURNAL_APPEND ? O_RDWR | O_CREAT : O_RDONLY;
	int append = use == JOURNAL_APPEND ? O_APPEND : 0; /* never for the head: it is rewritten */
	struct stat st;

	if (take_lock(j, folder, use, e) != 0 ||
		open_file(&j->log, folder, AUDIT_LOG, flags | append, e) != 0 ||
		open_file(&j->head_fd, folder, AUDIT_HEAD, flags, e) != 0)
		return -1;
	if (j->log >= 0) {
		if (fstat(j->log, &st) != 0)
			return err_errno(e, errno, "%s/%s", folder, AUDIT_LOG);
		j->size = (int64_t)st.st_size;
	}
	return head_read(j->head_fd, &j->head, &j->head_state, e);
}

int journal_open(struct journal *j, const char *state, enum journal_use use, struct err *e)
{
	char *folder = path_join(state, CONFIG_STATE_AUDIT);
	int there, status = 0;

	memset(j, 0, sizeof(*j));
	j->lock = j->log = j->head_fd = -1;
	head_init(&j->head);
	there = find_folder(state, folder, use, e);
	if (there < 0 || (there == 1 && open_files(j, folder, use, e) != 0))
		status = -1;
	if (use == JOURNAL_READ) {
		lock_drop(j->lock);
		j->lock = -1;
	}
	free(folder);
	return status;
}

void journal_close(struct journal *j)
{
	/* What was written has been flushed, so that closing has nothing left to fail with. */
	if (j->log >= 0)
		(void)close(j->log);
	if (j->head_fd >= 0)
		(void)close(j->head_fd);
	lock_drop(j->lock);
	j->lock = j->log = j->head_fd = -1;
}

static int flush_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;

	if (fd < 0 || fsync(fd) != 0)
		status = err_errno(e, errno, "%s", path);
	if (fd >= 0)
		(void)close(fd); /* only flushed */
	return status;
}

int journal_flush_folder(const char *state, struct err *e)
{
	char *folder = path_join(state, CONFIG_STATE_AUDIT);
	int status = 0;

	if (flush_folder(folder, e) != 0 || flush_folder(state, e) != 0)
		status = -1;
	free(folder);
	return status;
}

int journal_announce(
	const struct journal *j, const char *state, const struct head *next, struct err *e)
{
	if (head_write(j->head_fd, next, e) != 0)
		goto fail;
	/* A damaged one may have been longer. */
	if (j->head_state == HEAD_DAMAGED && ftruncate(j->head_fd, HEAD_SIZE) != 0) {
		(void)err_errno(e, errno, "cannot mend the head of the audit log");
		goto fail;
	}
	if (fdatasync(j->head_fd) != 0) {
		(void)err_errno(e, errno, "cannot flush the head of the audit log");
		goto fail;
	}
	if (j->head_state == HEAD_ABSENT && journal_flush_folder(state, e) != 0)
		goto fail;
	return 0;
fail:
	/* What cannot be put back announces an append that never began: as good as none. */
	if (j->head_state == HEAD_ABSENT)
		(void)!ftruncate(j->head_fd, 0);
	else if (j->head_state == HEAD_THERE)
		(void)head_write(j->head_fd, &j->head, NULL);
	return -1;
}

/*
 * How far behind the head an append that was broken off may reach: the append that tells of it may have been
 * broken off as well.
 */
#define MAX_PENDING (2 * (int64_t)AUDIT_MAX_APPEND)

/* 1: the log ends as the append that was being made would have ended; 0; -1. */
static int pending_fits(const struct journal *j, struct err *e)
{
	char hash[SHA256_HEX_SIZE], last = '\0';
	int64_t start;

	if (j->head.pending_size == 0 || j->size != j->head.pending_size)
		return 0;
	/* Nobody is to be kept busy with a line that no append writes. */
	if (j->size - j->head.size > MAX_PENDING)
		return 0;
	if (lines_read(j->log, j->size - 1, j->size, &last, e) != 0 ||
		lines_start(j->log, j->size - 1, &start, e) != 0 ||
		lines_hash(j->log, start, j->size - 1, hash, e) != 0)
		return -1;
	return last == '\n' && strcmp(hash, j->head.pending_hash) == 0;
}

/* Read the line START to END (without its newline).  1: it is a record, 0: it is none, -1. */
static int read_record(
	const struct journal *j, int64_t start, int64_t end, struct journal_tail *t, struct err *e)
{
	struct entry entry;
	char *text;
	int status;

	if (end - start >= (int64_t)AUDIT_MAX_LINE)
		return 0;
	text = mem_zalloc((size_t)(end - start) + 1, 1);
	status = lines_read(j->log, start, end, text, e);
	if (status == 0 && entry_parse(&entry, text, (size_t)(end - start))) {
		status = 1;
		t->seq = entry.seq;
		sha256_of(text, (size_t)(end - start), t->hash);
		entry_clear(&entry);
	}
	free(text);
	return status;
}

/*
 * Find the last whole record: T's seq and hash, and in *END the place after it.  A record that
 * lacks nothing but its newline is whole.
 */
static int find_record(const struct journal *j, struct journal_tail *t, int64_t *end, struct err *e)
{
	int64_t to, next, start;
	int got = 0;

	*end = 0;
	/* The first time round it is what follows the last newline, often nothing. */
	for (to = next = j->size; got == 0 && next > 0; to = start - 1, next = start) {
		if (lines_start(j->log, to, &start, e) != 0)
			return -1;
		got = start < to ? read_record(j, start, to, t, e) : 0;
		if (got > 0)
			*end = next;
	}
	return got < 0 ? -1 : 0;
}

/* T from the log itself, where the head does not tell. */
static int read_tail(const struct journal *j, struct journal_tail *t, struct err *e)
{
	int64_t torn, end = j->size, start;
	char last = '\0';

	memcpy(t->hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	memcpy(t->record_hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	if (j->size == 0)
		return 0;
	if (find_record(j, t, &torn, e) != 0 ||
		lines_read(j->log, j->size - 1, j->size, &last, e) != 0)
		return -1;
	memcpy(t->record_hash, t->hash, SHA256_HEX_SIZE);
	t->is_open = last != '\n';
	if (torn == j->size)
		return 0;
	if (!t->is_open)
		end--;
	t->torn_size = end - torn;
	if (lines_start(j->log, end, &start, e) != 0 ||
		lines_hash(j->log, torn, end, t->torn_hash, e) != 0 ||
		lines_hash(j->log, start, end, t->hash, e) != 0)
		return -1;
	return 0;
}

/* 1: more stands behind the head than appends that were broken off can have left. */
static int is_far_longer(const struct journal *j)
{
	return j->size - j->head.size > MAX_PENDING;
}

static enum audit_found compare(const struct journal *j, const struct journal_tail *t)
{
	const struct head *h = &j->head;

	if (j->head_state != HEAD_THERE)
		return AUDIT_FOUND_NO_HEAD;
	if (h->recovering != AUDIT_FOUND_WHOLE && h->recovering != AUDIT_FOUND_TORN)
		return h->recovering;
	if (j->size < h->size)
		return AUDIT_FOUND_SHORTER;
	/* No append announces that much: somebody has made the head up. */
	if (is_far_longer(j) || h->pending_size - h->size > MAX_PENDING)
		return AUDIT_FOUND_LONGER;
	/* With its last newline in place nothing was torn off: it is another line. */
	if (j->size < h->pending_size || (j->size == h->pending_size && t->is_open))
		return AUDIT_FOUND_TORN;
	return AUDIT_FOUND_LONGER;
}

/*
 * Take over an append that was done but for the head.  1: J ends where its head says, and T tells it; 0; -1.
 */
static int is_whole(struct journal *j, struct journal_tail *t, struct err *e)
{
	struct head *h = &j->head;
	int fits;

	memset(t, 0, sizeof(*t));
	fits = pending_fits(j, e);
	if (fits < 0)
		return -1;
	if (fits) {
		h->size = h->pending_size;
		h->seq = h->pending_seq;
		memcpy(h->hash, h->pending_hash, SHA256_HEX_SIZE);
		h->recovering = AUDIT_FOUND_WHOLE;
	}
	if (j->size != h->size || h->recovering != AUDIT_FOUND_WHOLE ||
		(j->head_state != HEAD_THERE && (j->head_state != HEAD_ABSENT || j->size != 0)))
		return 0;
	t->seq = h->seq;
	memcpy(t->hash, h->hash, SHA256_HEX_SIZE);
	return 1;
}

int journal_find_tail(struct journal *j, struct journal_tail *t, struct err *e)
{
	int whole = is_whole(j, t, e);

	if (whole != 0)
		return whole < 0 ? -1 : 0;
	if (read_tail(j, t, e) != 0)
		return -1;
	t->found = compare(j, t);
	return 0;
}

int journal_find_end(struct journal *j, enum audit_found *found, struct err *e)
{
	struct journal_tail t;
	int whole = is_whole(j, &t, e);
	char last = '\n';

	*found = AUDIT_FOUND_WHOLE;
	if (whole != 0)
		return whole < 0 ? -1 : 0;
	if (j->size > 0 && lines_read(j->log, j->size - 1, j->size, &last, e) != 0)
		return -1;
	t.is_open = last != '\n';
	*found = compare(j, &t);
	return 0;
}
