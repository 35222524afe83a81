/*
 * How much memory an object may take.  A small pack may hold what is very large once it is inflated, also
 * what nobody asks for: the object that another one is a delta of.
 */
#ifndef MODELGATE_GIT_MEMORY_H
#define MODELGATE_GIT_MEMORY_H

struct err;

/*
 * Bytes that libgit2 gets at once after memory_bound(): an object, or what it is a delta of, or the file
 * packed-refs (that of two million references fits).
 */
#define MEMORY_MAX_AT_ONCE (256U << 20)
/*
 * Bytes of a tree or a commit that is read; a larger one is refused by its header.  A folder of 300,000
 * files fits.
 */
#define MEMORY_MAX_OBJECT (16U << 20)

/*
 * From now on, in this process, what would take more at once cannot be read.  For the gates: who builds an
 * image reads files of any size.  0, or -1.
 */
int memory_bound(struct err *e);

#endif
