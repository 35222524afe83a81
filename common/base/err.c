#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int err_set(struct err *e, const char *format, ...)
{
	va_list ap;
	char *text;

	if (e == NULL)
		return -1;
	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	free(e->text);
	e->text = text;
	return -1;
}

int err_errno(struct err *e, int number, const char *format, ...)
{
	va_list ap;
	char *what;

	if (e == NULL)
		return -1;
	va_start(ap, format);
	what = mem_vformat(format, ap);
	va_end(ap);
	free(e->text);
	e->text = mem_format("%s: %s", what, strerror(number));
	e->passing = err_number_passes(number);
	free(what);
	return -1;
}

int err_number_passes(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EAGAIN || number == ENOMEM ||
	       number == ENFILE;
}

int err_wrap(struct err *e, const char *format, ...)
{
	va_list ap;
	char *what, *inner;

	if (e == NULL)
		return -1;
	va_start(ap, format);
	what = mem_vformat(format, ap);
	va_end(ap);
	inner = e->text;
	e->text = mem_format("%s: %s", what, err_text(e));
	free(inner);
	free(what);
	return -1;
}

const char *err_text(const struct err *e)
{
	return e != NULL && e->text != NULL ? e->text : "unknown fault";
}

void err_clear(struct err *e)
{
	if (e == NULL)
		return;
	free(e->text);
	e->text = NULL;
	e->passing = 0;
}
