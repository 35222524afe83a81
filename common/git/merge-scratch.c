#define _GNU_SOURCE /* flock, mkdtemp */
#include "git/merge-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "sys/files.h"

#define PREFIX ".merge-" /* with a dot: not one of the folders that a runner clears away */
#define MIN_AGE 3600     /* seconds after which a folder that nobody holds was left behind */

/* A descriptor that holds the folder PATH, or -1 with errno set: it is held, or is no folder. */
static int hold(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fault;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	fault = errno;
	(void)close(fd); /* only locked */
	errno = fault;
	return -1;
}

static void remove_if_left(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_mtime > time(NULL) - MIN_AGE)
		return;
	fd = hold(path);
	if (fd < 0)
		return;
	(void)files_remove_tree(path, NULL); /* another user's stays for that user */
	(void)close(fd);                     /* only locked */
}

static void remove_left(const char *parent)
{
	DIR *dir = opendir(parent);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *path;

		if (!str_starts(entry->d_name, PREFIX))
			continue;
		path = path_join(parent, entry->d_name);
		remove_if_left(path);
		free(path);
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read */
}

/* What Git takes for a repository (gitrepository-layout(5)). */
static int fill(const char *dir, struct err *e)
{
	static const char *const folders[] = {"objects", "refs"};
	static const struct {
		const char *name;
		const char *text;
	} files[] = {{"HEAD", "ref: refs/heads/none\n"}, {"config", ""}};

	for (size_t i = 0; i < 2; i++) {
		char *path = path_join(dir, folders[i]);
		int failed = mkdir(path, 0700) != 0;

		if (failed)
			(void)err_errno(e, errno, "%s", path);
		free(path);
		if (failed)
			return -1;
	}
	for (size_t i = 0; i < 2; i++) {
		char *path = path_join(dir, files[i].name);
		int fd = files_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, e), failed = fd < 0;

		if (!failed && files_write_all(fd, files[i].text, strlen(files[i].text)) != 0)
			failed = err_errno(e, errno, "%s", path);
		if (fd >= 0 && close(fd) != 0 && !failed)
			failed = err_errno(e, errno, "%s", path);
		free(path);
		if (failed)
			return -1;
	}
	return 0;
}

int merge_scratch_make(struct merge_scratch *s, const char *parent, struct err *e)
{
	char *above = path_dir(parent), *real;
	int exists = files_exists(above);

	free(above);
	s->lock = -1;
	s->dir = NULL;
	/* Where not even the state directory is there, others have to say so. */
	if (!exists)
		return err_set(e, "merges need a folder, and there is none above %s", parent);
	if (files_make_folder(parent, 0700, e) != 0 || (real = files_real_path(parent, e)) == NULL)
		return err_wrap(e, "merges need a folder");
	remove_left(real);
	s->dir = path_join(real, PREFIX "XXXXXX");
	free(real);
	if (mkdtemp(s->dir) == NULL) {
		(void)err_errno(e, errno, "no folder can be made in %s", parent);
		free(s->dir);
		s->dir = NULL;
		return -1;
	}
	s->lock = hold(s->dir);
	if (s->lock < 0)
		(void)err_errno(e, errno, "%s cannot be locked", s->dir);
	if (s->lock < 0 || fill(s->dir, e) != 0) {
		merge_scratch_clear(s);
		return -1;
	}
	return 0;
}

void merge_scratch_clear(struct merge_scratch *s)
{
	if (s->dir != NULL)
		(void)files_remove_tree(s->dir, NULL); /* the next one removes what stays */
	if (s->lock >= 0)
		(void)close(s->lock); /* only locked */
	free(s->dir);
	s->dir = NULL;
	s->lock = -1;
}
