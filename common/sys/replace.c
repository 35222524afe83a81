#define _GNU_SOURCE /* O_TMPFILE, mkostemp */
#include "sys/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "sys/rename.h"

/* The mode that the new file is to have.  0, or -1 and *E. */
static int find_mode(const char *path, mode_t *mode, struct err *e)
{
	struct stat st;

	*mode = 0600;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: not a regular file", path);
	/* One that somebody else put there, or could write to, does not say who may read ours. */
	if (st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		*mode = st.st_mode & 0777;
	return 0;
}

/* A new file in DIR, with or without a name.  The descriptor, or -1 with errno set. */
static int make_file(struct replace *r, const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	free(r->beside);
	r->beside = mem_format("%s/.%s.XXXXXX", dir, path_base(r->path));
	fd = mkostemp(r->beside, O_CLOEXEC);
	r->is_named = fd >= 0;
	return fd;
}

/* As root, give FD to the owner of DIR.  0, or -1 with errno set. */
static int give_to_owner(int fd, const char *dir)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	return stat(dir, &st) != 0 ? -1 : fchown(fd, st.st_uid, st.st_gid);
}

int replace_begin(struct replace *r, const char *path, struct err *e)
{
	char *dir = path_dir(path), id[CLOCK_ID_SIZE];
	mode_t mode;
	int fd = -1, status = -1;

	memset(r, 0, sizeof(*r));
	r->path = mem_strdup(path);
	if (find_mode(path, &mode, e) != 0)
		goto out;
	if (clock_new_id(clock_now(), id) != 0) {
		(void)err_set(e, "the kernel has no random bytes");
		goto out;
	}
	r->beside = mem_format("%s/.%s.%s", dir, path_base(path), id);
	fd = make_file(r, dir);
	if (fd >= 0 && fchmod(fd, mode) == 0 && give_to_owner(fd, dir) == 0)
		r->file = fdopen(fd, "w");
	if (r->file == NULL) {
		(void)err_errno(e, errno, "%s: cannot make a file beside it", path);
		goto out;
	}
	fd = -1;
	status = 0;
out:
	if (fd >= 0)
		(void)close(fd); /* empty */
	free(dir);
	return status;
}

/* Give the file the name that it is renamed from.  0, or -1 with errno set. */
static int name(struct replace *r)
{
	char *path;
	int status;

	if (r->is_named)
		return 0;
	path = mem_format("/proc/self/fd/%d", fileno(r->file));
	status = linkat(AT_FDCWD, path, AT_FDCWD, r->beside, AT_SYMLINK_FOLLOW);
	r->is_named = status == 0;
	free(path);
	return status;
}

int replace_commit(struct replace *r, struct err *e)
{
	int fault = 0;

	if (fflush(r->file) != 0 || fsync(fileno(r->file)) != 0 || name(r) != 0)
		fault = errno;
	if (fclose(r->file) != 0 && fault == 0)
		fault = errno;
	r->file = NULL;
	if (fault != 0)
		return err_errno(e, fault, "%s", r->path);
	if (rename_durably(r->beside, r->path, e) != 0)
		return -1;
	r->is_named = 0;
	return 0;
}

void replace_clear(struct replace *r)
{
	if (r->file != NULL)
		(void)fclose(r->file); /* not wanted any more */
	if (r->is_named)
		(void)unlink(r->beside); /* the fault before is what counts */
	free(r->beside);
	free(r->path);
	memset(r, 0, sizeof(*r));
}
