#define _DEFAULT_SOURCE /* explicit_bzero */
#include "sys/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/files.h"

/* The file opened for reading, or -1. */
static int open_checked(const char *path, struct err *e)
{
	int fd = files_open(path, O_RDONLY, 0, e);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		(void)err_set(e, "%s cannot be looked at", path);
	else if ((st.st_mode & 077) != 0)
		(void)err_set(e,
			"%s may be read or written by others than its owner (mode %04o); mend it "
			"with: chmod 600 %s",
			path, (unsigned)(st.st_mode & 07777), path);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		(void)err_set(e,
			"%s belongs to the user %lu, neither to root nor to the user this runs as "
			"(%lu)",
			path, (unsigned long)st.st_uid, (unsigned long)geteuid());
	else
		return fd;
	(void)close(fd); /* nothing was written */
	return -1;
}

int secret_check(const char *path, struct err *e)
{
	int fd = open_checked(path, e);

	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return fd >= 0 ? 0 : -1;
}

void secret_wipe(struct str *s)
{
	if (s->buf != NULL)
		explicit_bzero(s->buf, s->len);
	str_clear(s);
}

/* What is wrong with the text of a secret's file, in words that follow its path; NULL: nothing. */
static const char *fault_of(const struct str *s)
{
	if (s->len == 0)
		return "is empty";
	for (size_t i = 0; i < s->len; i++)
		if ((unsigned char)s->buf[i] < ' ' || s->buf[i] == 0x7f)
			return s->buf[i] == '\n' ? "has more than one line"
						 : "holds a control character";
	return NULL;
}

int secret_load(const char *path, struct str *out, struct err *e)
{
	int fd = open_checked(path, e), failed;

	str_init(out);
	if (fd < 0)
		return -1;
	failed = files_read_fd(fd, SECRET_MAX, out, e);
	(void)close(fd); /* nothing was written */
	if (failed == 0)
		return 0;
	secret_wipe(out);
	return err_wrap(e, "%s", path);
}

char *secret_read(const char *path, struct err *e)
{
	const char *fault;
	struct str s;

	if (secret_load(path, &s, e) != 0)
		return NULL;
	if (s.len > 0 && s.buf[s.len - 1] == '\n')
		s.buf[--s.len] = '\0';
	if (s.len > 0 && s.buf[s.len - 1] == '\r')
		s.buf[--s.len] = '\0';
	fault = fault_of(&s);
	if (fault == NULL)
		return str_steal(&s);
	(void)err_set(e, "%s %s; it must hold one line", path, fault);
	secret_wipe(&s);
	return NULL;
}

void secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}
