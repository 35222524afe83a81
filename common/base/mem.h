/*
 * Heap memory that is there or the program is not: a failed allocation ends the process with exit
 * status 3, which makes a gate reject and a stage fail.  What is returned is the caller's to
 * free().
 */
#ifndef MODELGATE_BASE_MEM_H
#define MODELGATE_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Exit status of a process that ran out of memory: "cannot tell" (contract, section 6). */
#define MEM_EXIT_STATUS 3

/* P, which a library allocated; the process ends as above if it is NULL. */
void *mem_given(void *p);

/* COUNT zeroed objects of SIZE bytes. */
void *mem_zalloc(size_t count, size_t size);

/*
 * Make room for one more object in the array *ARRAY of USED objects of SIZE bytes, whose capacity
 * is *CAPACITY; both may change.  New room is zeroed.
 */
void mem_grow(void *array, size_t used, size_t *capacity, size_t size);

/* A copy of S; NULL gives NULL. */
char *mem_strdup(const char *s);

/* A terminated copy of the LEN bytes at S. */
char *mem_strndup(const char *s, size_t len);

/* A formatted string. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vformat(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
