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

/* 1: NAME is another name of the file that is being added to: its rotation has not come to its end. */
static int is_current(const struct volumes *v, const char *name)
{
	char *path = path_join(v->folder, name);
	struct stat current, st;
	int same = v->journal->log >= 0 && fstat(v->journal->log, &current) == 0 &&
		   lstat(path, &st) == 0 && st.st_ino == current.st_ino &&
		   st.st_dev == current.st_dev;

	free(path);
	return same;
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
	int64_t current = 0; /* the number that the file being added to will have */
	size_t cap = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", v->folder);
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		int64_t number = audit_file_number(entry->d_name);

		if (number == 0)
			continue;
		if (is_current(v, entry->d_name)) {
			current = number;
			continue;
		}
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
	while (current != 0 && v->n > 0 && v->numbers[v->n - 1] > current)
		v->n--;
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
