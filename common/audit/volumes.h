/*
 * The log as a whole: the files that rotation has left, "audit-000001.jsonl" and on, and the one that is
 * being added to, read line by line from the oldest on.  A file that was rotated never changes again.
 */
#ifndef MODELGATE_AUDIT_VOLUMES_H
#define MODELGATE_AUDIT_VOLUMES_H

#include <stddef.h>
#include <stdint.h>

#include "audit/lines.h"

struct err;
struct journal;

struct volumes {
	char *folder;
	const struct journal *journal; /* borrowed: the last file, its size and its descriptor */
	int64_t *numbers;              /* of the rotated files, oldest first */
	size_t n;                      /* of them: file N is the one that is being added to */
};

/*
 * Find the files of the log of the state directory STATE; J was opened with JOURNAL_READ.  Files that came
 * to be by a rotation after that are not among them.  0, the caller calls volumes_clear(); or -1 and *E.
 */
int volumes_find(struct volumes *out, const char *state, const struct journal *j, struct err *e);
void volumes_clear(struct volumes *v);
/*
 * 1: PATH is another name of the file LOG that is being added to, as a rotation that has not come to its end
 * leaves it, or the copy that a backup made of that name; 0.  SIZE: bytes of LOG that its head knows.
 */
int volumes_is_other_name(int log, int64_t size, const char *path);
/* The name of file FILE, without its folder; the caller's to free(). */
char *volumes_name(const struct volumes *v, size_t file);

/* A walk over all lines. */
struct reader {
	const struct volumes *volumes;
	struct lines lines;
	size_t file;    /* the one at hand */
	int fd;         /* of it, where it is a rotated one; else -1 */
	int64_t size;   /* of it */
	int64_t from;   /* where the first file is begun */
	int64_t number; /* of the line given out last, in its file, counted from FROM */
	int is_begun;   /* 1: FILE is open */
};

/* Begin at the first line of file FILE. */
void reader_init(struct reader *r, const struct volumes *v, size_t file);
/* Begin at the byte OFFSET of that file instead; before any line was read. */
void reader_seek(struct reader *r, int64_t offset);
/* 1 and *OUT, which is of the file R->file; 0: no more; -1 and *E. */
int reader_next(struct reader *r, struct line *out, struct err *e);
void reader_clear(struct reader *r);

#endif
