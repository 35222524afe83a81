/* What was made under another name is put into its place, and is there after a power cut too. */
#ifndef MODELGATE_SYS_RENAME_H
#define MODELGATE_SYS_RENAME_H

struct err;

/* Rename FROM, a flushed file or a folder, to TO in one step and flush TO's folder.  0, or -1. */
int rename_durably(const char *from, const char *to, struct err *e);

#endif
