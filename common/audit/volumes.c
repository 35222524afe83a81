#include "audit/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/journal.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "sys/files.h"

/* Number, hash of the line before, time: no two first lines of a log are the same in these. */
#define MOST_OF_A_LINE 256

/* 1 if the first lines of both files are the same, up to MOST_OF_A_LINE bytes; 0. */
static int begin_alike(int a, const char *path)
{
	char one[MOST_OF_A_LINE], other[MOST_OF_A_LINE];
	int b = files_open(path, O_RDONLY, 0, NULL);
	ssize_t n = b < 0 ? 0 : pread(a, one, sizeof(one), 0);
	ssize_t m = b < 0 ? 0 : pread(b, other, sizeof(other), 0);

	if (b >= 0)
		(void)close(b); /* only read from */
	if (n <= 0 || m <= 0)
		return 0;
	if (n > m)
		n = m;
	return memcmp(one, other, (size_t)n) == 0;
}

/* 1: both are the same file. */
static int is_same(int fd, const char *path)
{
	struct stat a, b;

	return fd >= 0 && fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

int volumes_is_other_name(int log, int64_t size, const char *path)
{
	struct stat st;

	if (is_same(log, path))
		return 1;
	if (log < 0 || lstat(path, &st) != 0)
		return 0;
	return S_ISREG(st.st_mode) && st.st_size > 0 && (int64_t)st.st_size <= size &&
	       begin_alike(log, path);
}

/* The path of the rotated file NUMBER; the caller's to free(). */
static char *path_of(const struct volumes *v, int64_t number)
{
	char name[AUDIT_FILE_NAME_SIZE];

	audit_file_name(number, name);
	return path_join(v->folder, name);
}

/*
 * Leave out what is no rotated file: the other name of the file that is being added to, whose rotation has not
 * come to its end, and what was rotated since that one was opened.
 */
static void leave_out(struct volumes *v)
{
	char *path;

	for (size_t i = v->n; i > 0; i--) {
		path = path_of(v, v->numbers[i - 1]);
		if (is_same(v->journal->log, path))
			v->n = i - 1;
		free(path);
	}
	if (v->n == 0)
		return;
	path = path_of(v, v->numbers[v->n - 1]);
	if (volumes_is_other_name(v->journal->log, v->journal->head.size, path))
		v->n--;
	free(path);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int list(struct volumes *v, struct err *e)
{
	DIR *dir = opendir(v->folder);
	const struct dirent *entry;
	size_t cap = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", v->folder);
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		int64_t number = audit_file_number(entry->d_name);

		if (number == 0)
			continue;
		mem_grow(&v->numbers, v->n, &cap, sizeof(*v->numbers));
		v->numbers[v->n++] = number;
	}
	if (errno != 0) {
		(void)err_errno(e, errno, "%s", v->folder);
		(void)closedir(dir); /* only read from */
		return -1;
	}
	(void)closedir(dir); /* only read from */
	if (v->n > 0)
		qsort(v->numbers, v->n, sizeof(*v->numbers), compare);
	leave_out(v);
	return 0;
}

int volumes_find(struct volumes *out, const char *state, const struct journal *j, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->folder = path_join(state, CONFIG_STATE_AUDIT);
	out->journal = j;
	if (list(out, e) == 0)
		return 0;
	volumes_clear(out);
	return -1;
}

void volumes_clear(struct volumes *v)
{
	free(v->folder);
	free(v->numbers);
	memset(v, 0, sizeof(*v));
}

char *volumes_name(const struct volumes *v, size_t file)
{
	char name[AUDIT_FILE_NAME_SIZE];

	if (file >= v->n)
		return mem_strdup(AUDIT_LOG);
	audit_file_name(v->numbers[file], name);
	return mem_strdup(name);
}

void reader_init(struct reader *r, const struct volumes *v, size_t file)
{
	memset(r, 0, sizeof(*r));
	r->volumes = v;
	r->file = file;
	r->fd = -1;
}

void reader_seek(struct reader *r, int64_t offset)
{
	r->from = offset;
}

static int open_rotated(struct reader *r, struct err *e)
{
	char *name = volumes_name(r->volumes, r->file);
	char *path = path_join(r->volumes->folder, name);
	struct stat st;
	int status = -1;

	r->fd = files_open(path, O_RDONLY, 0, e);
	if (r->fd >= 0 && fstat(r->fd, &st) != 0) {
		(void)err_errno(e, errno, "%s", path);
	} else if (r->fd >= 0) {
		r->size = (int64_t)st.st_size;
		lines_init(&r->lines, r->fd, r->from, r->size, AUDIT_MAX_LINE);
		status = 0;
	}
	free(path);
	free(name);
	return status;
}

static int begin(struct reader *r, struct err *e)
{
	const struct journal *j = r->volumes->journal;

	r->is_begun = 1;
	r->number = 0;
	if (r->file < r->volumes->n)
		return open_rotated(r, e);
	r->size = j->size;
	lines_init(&r->lines, j->log, r->from, j->size, AUDIT_MAX_LINE);
	return 0;
}

static void end(struct reader *r)
{
	lines_clear(&r->lines);
	if (r->fd >= 0)
		(void)close(r->fd); /* only read from */
	r->fd = -1;
	r->is_begun = 0;
}

int reader_next(struct reader *r, struct line *out, struct err *e)
{
	int got;

	for (;;) {
		if (!r->is_begun && begin(r, e) != 0)
			return -1;
		got = lines_next(&r->lines, out, e);
		if (got != 0) {
			r->number++;
			return got;
		}
		if (r->file >= r->volumes->n)
			return 0;
		end(r);
		r->from = 0;
		r->file++;
	}
}

void reader_clear(struct reader *r)
{
	end(r);
}
