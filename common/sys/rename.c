#include "sys/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"

int rename_durably(const char *from, const char *to, struct err *e)
{
	char *dir = path_dir(to);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	if (fd < 0)
		result = err_errno(e, errno, "folder %s cannot be opened", dir);
	else if (rename(from, to) != 0)
		result = err_errno(e, errno, "%s cannot be renamed to %s", from, to);
	else if (fsync(fd) != 0)
		result = err_errno(e, errno, "folder %s cannot be flushed", dir);
	if (fd >= 0)
		(void)close(fd); /* only flushed */
	free(dir);
	return result;
}
