#include "stage/inside.h"

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
#include "sys/files.h"

/*
 * Open the folder below ROOT that PATH lies in, made where it is missing.  *NAME is the last part of PATH, a
 * pointer into it.
 */
static int open_folder(const char *root, const char *path, const char **name, struct err *e)
{
	int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	const char *part = path;
	size_t n;

	for (; dir >= 0 && part[n = strcspn(part, "/")] == '/'; part += n + 1) {
		char *folder = mem_strndup(part, n);

		next = mkdirat(dir, folder, 0755) == 0 || errno == EEXIST
			       ? openat(dir, folder,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			       : -1;
		free(folder);
		(void)close(dir); /* only a place to open files in */
		dir = next;
	}
	*name = part;
	if (dir < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e,
			"%s cannot be made: in the commit, a part of this path is no folder", path);
	return dir >= 0 ? dir : err_errno(e, errno, "%s cannot be made", path);
}

int inside_put(const char *root, const char *path, const char *from, struct err *e)
{
	const char *name;
	int dir = open_folder(root, path, &name, e), result = 0;

	if (dir < 0)
		return -1;
	if (renameat(AT_FDCWD, from, dir, name) != 0)
		result = errno == EISDIR
				 ? err_set(e, "%s cannot be made: the commit has a folder there",
					   path)
				 : err_errno(e, errno, "%s cannot be made", path);
	(void)close(dir); /* only a place to open files in */
	return result;
}

int inside_make_empty(const char *root, const char *path, struct err *e)
{
	const char *name;
	char *full = path_join(root, path);
	int dir = open_folder(root, path, &name, e), result = -1;

	if (dir < 0)
		goto out;
	/* The folders above were looked at; nobody but this process works in the tree. */
	if (files_remove_tree(full, e) != 0)
		goto out;
	result = mkdirat(dir, name, 0755) == 0 ? 0 : err_errno(e, errno, "%s cannot be made", path);
out:
	if (dir >= 0)
		(void)close(dir); /* only a place to open files in */
	free(full);
	return result;
}
