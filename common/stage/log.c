#include "stage/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "sys/files.h"

void log_line(const char *format, ...)
{
	struct str line;
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	str_init(&line);
	str_add_safe(&line, text);
	str_addc(&line, '\n');
	/* A stage whose log cannot be written still does its work. */
	(void)files_write_all(STDOUT_FILENO, line.buf, line.len);
	str_clear(&line);
	free(text);
}
