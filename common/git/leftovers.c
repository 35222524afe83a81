#define _DEFAULT_SOURCE /* flock */
#include "git/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"

/* libgit2's src/filebuf.c and src/indexer.c: a name, "_git2_" and random digits. */
#define OBJECT "tmp_object_git2_"
#define PACK "pack_git2_"

/* Remove what lies in the folder FD under a name that starts with PREFIX; what stays takes room. */
static void sweep(int fd, const char *prefix)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (dir == NULL) {
		if (copy >= 0)
			(void)close(copy); /* only read */
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (str_starts(entry->d_name, prefix))
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(dir); /* only read */
}

static void sweep_all(int objects)
{
	int packs = openat(objects, "pack", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	sweep(objects, OBJECT);
	if (packs < 0)
		return;
	sweep(packs, PACK);
	(void)close(packs); /* only read */
}

int leftovers_begin(const char *repository)
{
	char *path = path_join(repository, "objects");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), got;

	free(path);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		sweep_all(fd);
	/* Held back by others for as long as they sweep. */
	do
		got = flock(fd, LOCK_SH);
	while (got != 0 && errno == EINTR);
	if (got == 0)
		return fd;
	(void)close(fd); /* only read */
	return -1;
}
