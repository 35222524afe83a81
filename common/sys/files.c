#define _GNU_SOURCE /* realpath, mkostemp */
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

int files_read_fd(int fd, size_t max, struct str *out, struct err *e)
{
	char buf[16384];
	size_t total = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "cannot read");
		if (n == 0)
			return 0;
		if ((size_t)n > max - total)
			return err_set(e, "more than %zu bytes", max);
		str_addn(out, buf, (size_t)n);
		total += (size_t)n;
	}
}

/*
 * Open PATH, which must be a regular file.  Without O_NONBLOCK, a FIFO that somebody put there
 * would hold us until its other end is opened.  The descriptor, or -1 with errno set: 0 where it is
 * no regular file.
 */
static int open_regular(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		goto fail;
	if (!S_ISREG(st.st_mode)) {
		errno = 0;
		goto fail;
	}
	if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags & (O_APPEND | O_SYNC)) != 0)
		goto fail;
	return fd;
fail:
	(void)close(fd); /* nothing was written */
	return -1;
}

static int open_fault(struct err *e, int number, const char *path)
{
	switch (number) {
	case 0:
	case ENXIO: /* a FIFO that nobody reads, a socket */
	case EISDIR:
		return err_set(e, "%s: not a regular file", path);
	case ELOOP:
		return err_set(e, "%s: is a symbolic link", path);
	default:
		return err_errno(e, number, "%s", path);
	}
}

int files_read(const char *path, size_t max, struct str *out, struct err *e)
{
	int fd = open_regular(path, O_RDONLY, 0);
	int status;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return open_fault(e, errno, path);
	status = files_read_fd(fd, max, out, e);
	(void)close(fd); /* only read */
	return status != 0 ? err_wrap(e, "%s", path) : 1;
}

/* As root, give FD, made in the folder DIR, to that folder's owner.  0, or -1 with errno set. */
static int give_to_owner(int fd, const char *dir)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(dir, &st) != 0)
		return -1;
	return fchown(fd, st.st_uid, st.st_gid);
}

int files_open(const char *path, int flags, mode_t mode, struct err *e)
{
	char *dir = NULL;
	int fd = -1;

	/* Tried both ways, so that it is known whether this made the file. */
	while (fd < 0) {
		if (!(flags & O_EXCL))
			fd = open_regular(path, flags & ~O_CREAT, 0);
		if (fd >= 0)
			return fd;
		if (!(flags & O_CREAT) || (!(flags & O_EXCL) && errno != ENOENT))
			return open_fault(e, errno, path);
		fd = open_regular(path, flags | O_EXCL, mode);
		if (fd < 0 && ((flags & O_EXCL) || errno != EEXIST))
			return open_fault(e, errno, path);
	}
	dir = path_dir(path);
	if (fchmod(fd, mode) != 0 || give_to_owner(fd, dir) != 0) {
		(void)err_errno(e, errno, "%s", path);
		(void)close(fd); /* empty */
		fd = -1;
	}
	free(dir);
	return fd;
}

int files_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Write, flush and close FD, a new file in DIR.  0, or -1 with errno set; closed in any case. */
static int fill(int fd, const char *dir, const void *bytes, size_t len, mode_t mode)
{
	int fault = 0;

	if (files_write_all(fd, bytes, len) != 0 || fchmod(fd, mode) != 0 ||
		give_to_owner(fd, dir) != 0 || fsync(fd) != 0)
		fault = errno;
	if (close(fd) != 0 && fault == 0)
		fault = errno;
	errno = fault;
	return fault == 0 ? 0 : -1;
}

int files_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	char *dir = path_dir(path);
	char *beside = mem_format("%s/.%s.XXXXXX", dir, path_base(path));
	int folder = -1, fd, status = -1;

	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		(void)err_errno(e, errno, "%s", dir);
		goto out;
	}
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0) {
		(void)err_errno(e, errno, "%s: cannot make a file beside it", path);
		goto out;
	}
	if (fill(fd, dir, bytes, len, mode) != 0 || rename(beside, path) != 0) {
		(void)err_errno(e, errno, "%s", path);
		(void)unlink(beside); /* the first fault is what counts */
		goto out;
	}
	if (fsync(folder) != 0) {
		(void)err_errno(e, errno, "%s", dir);
		goto out;
	}
	status = 0;
out:
	if (folder >= 0)
		(void)close(folder); /* only flushed */
	free(beside);
	free(dir);
	return status;
}

/* Flush the folder DIR, so that what was made in it lasts.  0, or -1 with errno set. */
static int flush_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fault = 0;

	if (fd < 0)
		return errno == EACCES ? 0 : -1; /* one may make things where one cannot look */
	if (fsync(fd) != 0)
		fault = errno;
	(void)close(fd); /* only flushed */
	errno = fault;
	return fault == 0 ? 0 : -1;
}

/* Make the folder PATH unless it is there.  0, or -1 with errno set. */
static int make_one(const char *path, mode_t mode)
{
	struct stat st;
	char *dir = NULL;
	int fd, fault = 0;

	if (stat(path, &st) == 0) {
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? 0 : -1;
	}
	if (errno != ENOENT)
		return -1;
	if (mkdir(path, mode) != 0)
		return errno == EEXIST ? 0 : -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	dir = path_dir(path);
	if (fchmod(fd, mode) != 0 || give_to_owner(fd, dir) != 0 || flush_folder(dir) != 0)
		fault = errno;
	free(dir);
	(void)close(fd); /* nothing was written */
	errno = fault;
	return fault == 0 ? 0 : -1;
}

int files_make_folder(const char *path, mode_t mode, struct err *e)
{
	size_t len = strlen(path);
	int status = 0;
	char *part;

	for (size_t i = 1; status == 0 && i <= len; i++) {
		if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
			continue;
		part = mem_strndup(path, i);
		if (make_one(part, mode) != 0)
			status = err_errno(e, errno, "%s: cannot make the folder", part);
		free(part);
	}
	return status;
}

struct level {
	char *name; /* in the folder above */
	dev_t dev;  /* of the folder above */
	ino_t ino;
};

/* The way down from the tree's own folder to the one that is being emptied. */
struct way {
	struct level *v;
	size_t n;
	size_t cap;
};

/*
 * Remove what the folder FD holds but folders.  1 and *NAME, the caller's to free(): the first
 * folder found; 0: there is none; -1 with errno set.
 */
static int remove_plain(int fd, char **name)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int result = 0, fault;

	if (d == NULL) {
		fault = errno;
		if (copy >= 0)
			(void)close(copy); /* nothing was written */
		errno = fault;
		return -1;
	}
	rewinddir(d); /* FD may have been read before */
	while (result == 0 && (errno = 0, entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		result = errno == EISDIR ? 1 : -1;
		if (result == 1)
			*name = mem_strdup(entry->d_name);
	}
	fault = errno;
	if (entry == NULL && fault != 0)
		result = -1;
	(void)closedir(d); /* only read */
	errno = fault;
	return result;
}

/* Go from *FD down into its folder NAME, which is W's from now on.  0, or -1 with errno set. */
static int step_down(int *fd, char *name, struct way *w)
{
	int above = *fd, below;
	struct stat st;

	mem_grow(&w->v, w->n, &w->cap, sizeof(*w->v));
	w->v[w->n++].name = name;
	if (fstat(above, &st) != 0)
		return -1;
	w->v[w->n - 1].dev = st.st_dev;
	w->v[w->n - 1].ino = st.st_ino;
	below = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return -1;
	*fd = below;
	(void)close(above); /* only read */
	/* A tool may have left folders that even their owner cannot empty. */
	(void)fchmod(below, 0700); /* not ours to change: removing tells */
	return 0;
}

/* Go up from the folder *FD and remove it.  0, or -1 with errno set. */
static int step_up(int *fd, struct way *w)
{
	struct level *l = &w->v[--w->n];
	int above = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = -1;
	struct stat st;

	if (above >= 0) {
		(void)close(*fd); /* only read */
		*fd = above;
		if (fstat(above, &st) == 0) {
			errno = ESTALE; /* unless nobody moved the folder while it was emptied */
			if (st.st_dev == l->dev && st.st_ino == l->ino)
				status = unlinkat(above, l->name, AT_REMOVEDIR);
		}
	}
	free(l->name);
	return status;
}

/*
 * Empty the folder *FD.  One descriptor is enough however deep it goes: a pushed tree may be deeper
 * than descriptors are many.  0, or -1 with errno set.
 */
static int empty_folder(int *fd)
{
	struct way w = {0};
	char *name = NULL;
	int status, fault;

	do {
		status = remove_plain(*fd, &name);
		if (status > 0)
			status = step_down(fd, name, &w);
		else if (status == 0 && w.n > 0)
			status = step_up(fd, &w);
		else
			break;
	} while (status == 0);
	fault = errno;
	while (w.n > 0)
		free(w.v[--w.n].name);
	free(w.v);
	errno = fault;
	return status;
}

int files_remove_tree(const char *path, struct err *e)
{
	int fd, fault = 0;

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_errno(e, errno, "%s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	if (empty_folder(&fd) != 0)
		fault = errno;
	(void)close(fd); /* only read */
	if (fault != 0)
		return err_errno(e, fault, "%s: cannot empty the folder", path);
	if (rmdir(path) != 0 && errno != ENOENT)
		return err_errno(e, errno, "%s", path);
	return 0;
}

int files_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

char *files_real_path(const char *path, struct err *e)
{
	char *real = realpath(path, NULL);

	if (real == NULL)
		(void)err_errno(e, errno, "%s", path);
	return real;
}
