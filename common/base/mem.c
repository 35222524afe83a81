#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
	fputs("modelgate: out of memory\n", stderr);
	exit(MEM_EXIT_STATUS);
}

void *mem_given(void *p)
{
	if (p == NULL)
		out_of_memory();
	return p;
}

void *mem_zalloc(size_t count, size_t size)
{
	return mem_given(calloc(count ? count : 1, size ? size : 1));
}

void mem_grow(void *array, size_t used, size_t *capacity, size_t size)
{
	size_t wanted;
	void *old, *new;

	if (used < *capacity)
		return;
	wanted = *capacity ? *capacity * 2 : 8;
	if (wanted > SIZE_MAX / size)
		out_of_memory();
	/*
	 * ARRAY is a pointer to some object pointer: memcpy reads and writes it without aliasing.
	 */
	memcpy(&old, array, sizeof(old));
	new = mem_given(realloc(old, wanted * size));
	memset((char *)new + *capacity *size, 0, (wanted - *capacity) * size);
	memcpy(array, &new, sizeof(new));
	*capacity = wanted;
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t len)
{
	char *copy = mem_zalloc(len + 1, 1);

	if (len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *mem_format(const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	return text;
}

char *mem_vformat(const char *format, va_list ap)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		out_of_memory();
	text = mem_zalloc((size_t)len + 1, 1);
	if (vsnprintf(text, (size_t)len + 1, format, ap) != len)
		out_of_memory();
	return text;
}
