#include "stage/engine-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "stage/engine.h"
#include "stage/log.h"
#include "sys/files.h"

#define MAX_LIST 65536 /* bytes; some hundred builds that were killed in a row */

/* Write the line NAME to PATH, opened with FLAGS too. */
static int write_name(const char *path, int flags, const char *name, struct err *e)
{
	/* A line that was torn by a kill must not grow together with this one. */
	char *line = mem_format("\n%s\n", name);
	int fd = files_open(path, O_WRONLY | O_CREAT | flags, 0644, e), result = -1;

	if (fd >= 0) {
		result = files_write_all(fd, line, strlen(line)) == 0
				 ? 0
				 : err_errno(e, errno, "%s cannot be written", path);
		if (close(fd) != 0 && result == 0)
			result = err_errno(e, errno, "%s cannot be written", path);
	}
	free(line);
	return result;
}

int engine_earlier_note(const struct engine_fill *f, struct err *e)
{
	char *folder = path_dir(f->order->earlier);
	int result = files_make_folder(folder, 0755, e);

	if (result == 0)
		result = write_name(f->order->earlier, O_APPEND, f->reference, e);
	free(folder);
	return result;
}

/* From now on the list holds this order's image alone. */
static int forget(const struct engine_fill *f, struct err *e)
{
	char *temporary = mem_format("%s.new", f->order->earlier);
	int result = write_name(temporary, O_TRUNC, f->reference, e);

	if (result == 0 && rename(temporary, f->order->earlier) != 0)
		result = err_errno(e, errno, "%s cannot be renamed", temporary);
	free(temporary);
	return result;
}

void engine_earlier_remove(struct engine_fill *f)
{
	struct strlist images = {0}, seen = {0};
	struct err e = ERR_INIT;
	struct str text;

	str_init(&text);
	if (files_read(f->order->earlier, MAX_LIST, &text, &e) < 0)
		str_reset(&text);
	strlist_split(&images, text.buf, '\n');
	strlist_add(&seen, f->reference);
	for (size_t i = 0; i < images.n; i++) {
		if (strlist_has(&seen, images.v[i])) /* once for each attempt */
			continue;
		strlist_add(&seen, images.v[i]);
		log_line("removing the earlier image %s", images.v[i]);
		engine_remove(f, images.v[i]);
	}
	if (forget(f, &e) != 0 || e.text != NULL)
		log_line("warning: earlier images on this machine: %s", err_text(&e));
	err_clear(&e);
	strlist_clear(&seen);
	strlist_clear(&images);
	str_clear(&text);
}
