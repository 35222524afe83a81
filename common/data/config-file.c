#define _GNU_SOURCE /* O_PATH: a folder is looked at, not read */
#include "data/config-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"
#include "sys/files.h"

#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

/*
 * Whoever can write the folder can put another file in the place of this one, so it is held to the
 * same; a sticky bit does not change that, for it leaves a name that is free to anybody.
 */
static int check_safe(
	const char *what, const char *path, const struct stat *st, uint64_t owner, struct err *e)
{
	if (st->st_uid != 0 && st->st_uid != owner)
		return err_set(e,
			"%s: the %s belongs to user %lu; it must belong to root or to user %lu: "
			"chown it",
			path, what, (unsigned long)st->st_uid, (unsigned long)owner);
	if (st->st_mode & WRITABLE_BY_OTHERS)
		return err_set(e,
			"%s: the %s can be written by group or others (mode %04o): chmod go-w",
			path, what, (unsigned)(st->st_mode & 07777));
	return 0;
}

/* Checked on what was opened, so that nothing can change place in between. */
static int check_file(int folder, int fd, const char *path, uint64_t owner, struct err *e)
{
	struct stat st;
	char *dir;
	int result;

	if (fstat(fd, &st) != 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: not a regular file", path);
	if (check_safe("file", path, &st, owner, e) != 0)
		return -1;
	if (fstat(folder, &st) != 0)
		return err_errno(e, errno, "the folder of %s", path);
	dir = path_dir(path);
	result = check_safe("folder", dir, &st, owner, e);
	free(dir);
	return result;
}

int config_file_read(struct str *out, const char *path, uint64_t owner,
	enum config_presence presence, struct err *e)
{
	char *dir = path_dir(path);
	int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1, result = -1;

	if (folder >= 0)
		fd = openat(folder, path_base(path),
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT && presence == CONFIG_MAY_BE_ABSENT)
			result = 0;
		else if (errno == ELOOP)
			(void)err_set(e, "%s: a symbolic link; put the file itself here", path);
		else
			(void)err_errno(e, errno, "%s", path);
		goto out;
	}
	if (check_file(folder, fd, path, owner, e) != 0)
		goto out;
	if (files_read_fd(fd, CONFIG_FILE_SIZE, out, e) != 0) {
		(void)err_wrap(e, "%s", path);
		goto out;
	}
	result = 1;
out:
	if (fd >= 0)
		(void)close(fd); /* only read */
	if (folder >= 0)
		(void)close(folder);
	free(dir);
	return result;
}
