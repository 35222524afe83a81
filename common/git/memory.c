#include "git/memory.h"

#include <git2.h>
#include <git2/sys/alloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git/internal.h"

/* libgit2 wants to be told why it is given NULL. */
static void *given(void *p)
{
	if (p == NULL)
		git_error_set_oom();
	return p;
}

static int is_too_much(size_t n, size_t size)
{
	if (size == 0 || n <= MEMORY_MAX_AT_ONCE / size)
		return 0;
	git_error_set_str(
		GIT_ERROR_NOMEMORY, "it takes more memory than a gate gives to one object or list");
	return 1;
}

static void *bounded_realloc_array(void *p, size_t n, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (is_too_much(n, size))
		return NULL;
	return given(realloc(p, n * size > 0 ? n * size : 1));
}

static void *bounded_malloc_array(size_t n, size_t size, const char *file, int line)
{
	return bounded_realloc_array(NULL, n, size, file, line);
}

static void *bounded_calloc(size_t n, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return is_too_much(n, size) ? NULL : given(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

static void *bounded_realloc(void *p, size_t size, const char *file, int line)
{
	return bounded_realloc_array(p, size, 1, file, line);
}

static void *bounded_malloc(size_t size, const char *file, int line)
{
	return bounded_realloc_array(NULL, size, 1, file, line);
}

static char *bounded_substrdup(const char *text, size_t n, const char *file, int line)
{
	char *copy = bounded_malloc(n < SIZE_MAX ? n + 1 : n, file, line);

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

static char *bounded_strndup(const char *text, size_t n, const char *file, int line)
{
	return bounded_substrdup(text, strnlen(text, n), file, line);
}

static char *bounded_strdup(const char *text, const char *file, int line)
{
	return bounded_substrdup(text, strlen(text), file, line);
}

int memory_bound(struct err *e)
{
	git_allocator bounded = {
		.gmalloc = bounded_malloc,
		.gcalloc = bounded_calloc,
		.gstrdup = bounded_strdup,
		.gstrndup = bounded_strndup,
		.gsubstrdup = bounded_substrdup,
		.grealloc = bounded_realloc,
		.greallocarray = bounded_realloc_array,
		.gmallocarray = bounded_malloc_array,
		.gfree = free,
	};

	if (git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &bounded) < 0)
		return git_err(e, "libgit2 keeps its memory");
	return 0;
}
