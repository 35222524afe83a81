/*
 * A folder as a reproducible .tar.gz: entries in order of their names, one time, no owner, modes
 * reduced to 0644 and 0755, nothing in the header of gzip.  The format is ustar (POSIX.1-2017, pax,
 * "ustar Interchange Format"), with pax headers for what does not fit.
 */
#ifndef MODELGATE_STAGE_ARCHIVE_H
#define MODELGATE_STAGE_ARCHIVE_H

#include <stdint.h>

#include "base/sha256.h"

struct err;

/*
 * Write the content of the folder DIR to the file PATH, every entry with TIME (seconds since 1970):
 * first to TEMPORARY, beside it, then flushed and renamed.  0 and the hash of the file, or -1 and
 * PATH is as it was.
 */
int archive_write(const char *dir, const char *path, const char *temporary, int64_t time,
	char sha256[SHA256_HEX_SIZE], struct err *e);

#endif
