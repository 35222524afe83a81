#define _GNU_SOURCE /* memmem, realpath */
#include "gate/copy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/files.h"
#include "sys/paths.h"

#define MAX_PROGRAM (64U << 20) /* bytes */
#define PIECE (64U << 10)       /* bytes read at once; many times the mark */
#define GONE " (deleted)"       /* what the kernel adds to the name of a file that was replaced */

/* Do the LEN bytes of MARK stand in the file FD?  Read piece by piece: it is some megabytes, at each push. */
static int has_mark(int fd, const char *mark, size_t len)
{
	char *piece = mem_zalloc(PIECE, 1);
	size_t kept = 0, total = 0;
	int found = 0;
	ssize_t n;

	while (!found && total < MAX_PROGRAM && (n = read(fd, piece + kept, PIECE - kept)) > 0) {
		total += (size_t)n;
		kept += (size_t)n;
		found = memmem(piece, kept, mark, len) != NULL;
		/* It may have begun at the end of this piece. */
		n = kept < len ? (ssize_t)kept : (ssize_t)len - 1;
		memmove(piece, piece + kept - n, (size_t)n);
		kept = (size_t)n;
	}
	free(piece);
	return found;
}

/*
 * Would Gitaly run PATH, and is it ours, and goes by the system file that we go by?  A link is not taken for it,
 * wherever it points, nor what somebody else has put under our name, which judges nothing, nor one of ours that
 * was built for another system file: by that it may let pass what we would not, or judge other projects.
 */
static int is_run_and_ours(const char *path)
{
	size_t len;
	const char *mark = paths_mark(&len);
	int fd, yes = 0;

	if (access(path, X_OK) == 0 && (fd = files_open(path, O_RDONLY, 0, NULL)) >= 0) {
		yes = has_mark(fd, mark, len);
		(void)close(fd); /* read only */
	}
	return yes;
}

/*
 * The folder of PATH without symbolic links, if PATH is called as ours are in a folder <HOOK>.d; the
 * caller's to free(), else NULL.
 */
static char *folder_of(const char *path, const char *hook)
{
	size_t len = path != NULL ? strlen(path) : 0;
	char *name, *tail = mem_format("/%s.d/" PATHS_GITLAB_HOOK, hook), *dir, *real = NULL;

	if (len > 0 && str_ends(path, GONE))
		len -= strlen(GONE);
	name = mem_strndup(path != NULL ? path : "", len);
	if (str_ends(name, tail)) {
		dir = path_dir(name);
		real = realpath(dir, NULL);
		free(dir);
	}
	free(name);
	free(tail);
	return real;
}

/* Does PATH lie in a global folder, outside of the repository REAL?  Not known: 0. */
static int is_global(const char *path, const char *real, const char *hook)
{
	char *dir = folder_of(path, hook);
	int outside = dir != NULL && !(str_starts(dir, real) && dir[strlen(real)] == '/');

	free(dir);
	return outside;
}

/*
 * Both names count.  How we were started stays as it was when a folder of hooks is replaced while we run,
 * and what we are does not depend on links on the way.
 */
int copy_judges_for(const char *executed, const char *program, const char *gitdir, const char *hook)
{
	char *real = realpath(gitdir, NULL), *own = NULL, *place = NULL;
	int judges = 0;

	if (real != NULL && is_global(executed, real, hook) && is_global(program, real, hook)) {
		own = mem_format("%s/custom_hooks/%s.d/" PATHS_GITLAB_HOOK, real, hook);
		/* The repository's folder may be a link to the global one: then we are its hook. */
		place = folder_of(own, hook);
		judges = place != NULL && str_starts(place, real) && place[strlen(real)] == '/' &&
			 is_run_and_ours(own);
	}
	free(place);
	free(own);
	free(real);
	return judges;
}

int copy_judges(const char *gitdir, const char *hook)
{
	const char *executed = (const char *)getauxval(AT_EXECFN);
	char program[PATH_MAX + 1];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n < 0 || executed == NULL)
		return 0;
	program[n] = '\0';
	return copy_judges_for(executed, program, gitdir, hook);
}
