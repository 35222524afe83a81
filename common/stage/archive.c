#include "stage/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/gzip.h"
#include "sys/files.h"
#include "sys/rename.h"

#define BLOCK 512
#define NAME_SIZE 100                     /* of the fields name and linkname */
#define MAX_OCTAL_SIZE (INT64_C(1) << 33) /* eleven octal digits */
#define MAX_DEPTH 256                     /* of folders; what a commit exports has 128 at most */

/* ustar, "Header Block Format" */
struct header {
	char name[NAME_SIZE];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char chksum[8];
	char typeflag;
	char linkname[NAME_SIZE];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char rest[12];
};

struct entry {
	const char *name; /* below the folder; a folder's ends in a slash */
	const char *link; /* target of a symbolic link, or "" */
	char type;        /* '0' file, '2' symbolic link, '5' folder, 'x' pax header */
	unsigned mode;
	int64_t size;
};

struct archive {
	int fd;
	struct sha256 hash;
	struct gzip *gzip;
	int64_t time;
};

static int sink(void *context, const void *bytes, size_t len, struct err *e)
{
	struct archive *a = context;

	sha256_add(&a->hash, bytes, len);
	if (files_write_all(a->fd, bytes, len) != 0)
		return err_errno(e, errno, "archive cannot be written");
	return 0;
}

/* Fill the field OUT of SIZE bytes with VALUE in octal digits and a NUL. */
static void put_octal(char *out, int size, int64_t value)
{
	for (int i = size - 2; i >= 0; i--) {
		out[i] = (char)('0' + (value & 7));
		value >>= 3;
	}
	out[size - 1] = '\0';
}

static void put_checksum(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	put_octal(h->chksum, sizeof(h->chksum) - 1, sum);
}

/* As much of TEXT as fits; the pax header before it holds the whole. */
static void put_text(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len < size ? len : size);
}

static int write_header(struct archive *a, const struct entry *entry, struct err *e)
{
	struct header h;

	_Static_assert(sizeof(h) == BLOCK, "a header is one block");
	memset(&h, 0, sizeof(h));
	put_text(h.name, sizeof(h.name), entry->name);
	put_text(h.linkname, sizeof(h.linkname), entry->link);
	put_octal(h.mode, sizeof(h.mode), entry->mode);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), entry->size < MAX_OCTAL_SIZE ? entry->size : 0);
	put_octal(h.mtime, sizeof(h.mtime), a->time);
	h.typeflag = entry->type;
	memcpy(h.magic, "ustar", sizeof(h.magic));
	memcpy(h.version, "00", sizeof(h.version));
	put_octal(h.devmajor, sizeof(h.devmajor), 0);
	put_octal(h.devminor, sizeof(h.devminor), 0);
	put_checksum(&h);
	return gzip_write(a->gzip, &h, sizeof(h), e);
}

static int write_padding(struct archive *a, int64_t size, struct err *e)
{
	static const char zeros[BLOCK];
	size_t over = (size_t)(size % BLOCK);

	return over == 0 ? 0 : gzip_write(a->gzip, zeros, BLOCK - over, e);
}

/* One pax record: "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too. */
static void add_pax(struct str *s, const char *key, const char *value)
{
	size_t body = strlen(key) + strlen(value) + 3, length = body, before;
	char *text;

	do {
		before = length;
		text = mem_format("%zu", before);
		length = body + strlen(text);
		free(text);
	} while (length != before);
	str_addf(s, "%zu %s=%s\n", length, key, value);
}

static int write_pax(struct archive *a, const struct entry *entry, struct err *e)
{
	struct entry pax = {.name = "pax", .link = "", .type = 'x', .mode = 0644};
	struct str records;
	char *size = mem_format("%lld", (long long)entry->size);
	int result = 0;

	str_init(&records);
	if (strlen(entry->name) > NAME_SIZE)
		add_pax(&records, "path", entry->name);
	if (strlen(entry->link) > NAME_SIZE)
		add_pax(&records, "linkpath", entry->link);
	if (entry->size >= MAX_OCTAL_SIZE)
		add_pax(&records, "size", size);
	pax.size = (int64_t)records.len;
	if (records.len > 0 && (write_header(a, &pax, e) != 0 ||
				       gzip_write(a->gzip, records.buf, records.len, e) != 0 ||
				       write_padding(a, pax.size, e) != 0))
		result = -1;
	str_clear(&records);
	free(size);
	return result;
}

static int write_entry(struct archive *a, const struct entry *entry, struct err *e)
{
	return write_pax(a, entry, e) != 0 || write_header(a, entry, e) != 0 ? -1 : 0;
}

/* ---- what the folder holds ---- */

static int write_content(struct archive *a, int fd, const struct entry *entry, struct err *e)
{
	static const size_t size = 65536;
	char *buffer = mem_zalloc(size, 1);
	int64_t left = entry->size;
	int result = -1;

	while (left > 0) {
		ssize_t n = read(fd, buffer, left < (int64_t)size ? (size_t)left : size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)err_set(e, "%s ended %lld bytes early", entry->name, (long long)left);
			goto out;
		}
		if (gzip_write(a->gzip, buffer, (size_t)n, e) != 0)
			goto out;
		left -= n;
	}
	result = write_padding(a, entry->size, e);
out:
	free(buffer);
	return result;
}

static int add_file(struct archive *a, int dir, const char *name, const char *path, struct err *e)
{
	struct entry entry = {.name = path, .link = "", .type = '0'};
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), result = -1;

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)err_errno(e, errno, "%s cannot be read", path);
		goto out;
	}
	entry.mode = st.st_mode & 0100 ? 0755 : 0644;
	entry.size = st.st_size;
	if (write_entry(a, &entry, e) == 0)
		result = write_content(a, fd, &entry, e);
out:
	if (fd >= 0)
		(void)close(fd); /* only read from */
	return result;
}

static int add_link(struct archive *a, int dir, const char *name, const char *path, struct err *e)
{
	char *target = mem_zalloc(PATH_MAX + 1, 1);
	struct entry entry = {.name = path, .link = target, .type = '2', .mode = 0777};
	int result;

	if (readlinkat(dir, name, target, PATH_MAX) < 0)
		result = err_errno(e, errno, "symbolic link %s cannot be read", path);
	else
		result = write_entry(a, &entry, e);
	free(target);
	return result;
}

static int add_folder(struct archive *a, int parent, const char *name, const char *prefix,
	int depth, struct err *e);

/* Entry NAME of the open folder DIR, whose own path is PREFIX. */
static int add_entry(
	struct archive *a, int dir, const char *name, const char *prefix, int depth, struct err *e)
{
	char *path = mem_format("%s%s", prefix, name), *folder = NULL;
	struct entry entry = {.link = "", .type = '5', .mode = 0755};
	struct stat st;
	int result = -1;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		(void)err_errno(e, errno, "%s cannot be read", path);
	} else if (S_ISDIR(st.st_mode)) {
		folder = mem_format("%s/", path);
		entry.name = folder;
		if (write_entry(a, &entry, e) == 0)
			result = add_folder(a, dir, name, folder, depth + 1, e);
	} else if (S_ISLNK(st.st_mode)) {
		result = add_link(a, dir, name, path, e);
	} else if (S_ISREG(st.st_mode)) {
		result = add_file(a, dir, name, path, e);
	} else {
		(void)err_set(e, "%s is no file, folder or symbolic link", path);
	}
	free(folder);
	free(path);
	return result;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the open folder FD, in order of their bytes whatever the locale.  0, or -1. */
static int list_names(int fd, struct strlist *out, struct err *e)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), result;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *d;

	if (dir == NULL) {
		(void)err_errno(e, errno, "folder cannot be read");
		if (copy >= 0)
			(void)close(copy); /* only read from */
		return -1;
	}
	while (errno = 0, (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			strlist_add(out, d->d_name);
	result = errno == 0 ? 0 : err_errno(e, errno, "folder cannot be read");
	(void)closedir(dir); /* only read from */
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_bytes);
	return result;
}

static int add_folder(struct archive *a, int parent, const char *name, const char *prefix,
	int depth, struct err *e)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result = -1;
	struct strlist names = {0};

	if (fd < 0)
		return err_errno(e, errno, "folder %s cannot be opened", *prefix ? prefix : name);
	if (depth > MAX_DEPTH) {
		(void)err_set(e, "folders are more than %d deep", MAX_DEPTH);
		goto out;
	}
	if (list_names(fd, &names, e) != 0)
		goto out;
	for (size_t i = 0; i < names.n; i++)
		if (add_entry(a, fd, names.v[i], prefix, depth, e) != 0)
			goto out;
	result = 0;
out:
	(void)close(fd); /* only read from */
	strlist_clear(&names);
	return result;
}

/* ---- the whole ---- */

static int write_all(struct archive *a, const char *dir, struct err *e)
{
	static const char end[2 * BLOCK];

	if (gzip_new(&a->gzip, sink, a, e) != 0 || add_folder(a, AT_FDCWD, dir, "", 0, e) != 0 ||
		gzip_write(a->gzip, end, sizeof(end), e) != 0 || gzip_finish(a->gzip, e) != 0)
		return -1;
	return fsync(a->fd) == 0 ? 0 : err_errno(e, errno, "archive cannot be flushed");
}

int archive_write(const char *dir, const char *path, const char *temporary, int64_t time,
	char sha256[SHA256_HEX_SIZE], struct err *e)
{
	struct archive a = {.time = time < 0 ? 0 : time};
	int result = -1;

	sha256_init(&a.hash);
	a.fd = files_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644, e);
	if (a.fd < 0)
		return -1;
	if (write_all(&a, dir, e) == 0)
		result = 0;
	gzip_free(a.gzip);
	if (close(a.fd) != 0 && result == 0)
		result = err_errno(e, errno, "archive cannot be closed");
	if (result != 0 || rename_durably(temporary, path, e) != 0) {
		(void)unlink(temporary); /* the next run would write over it in any case */
		return -1;
	}
	sha256_hex(&a.hash, sha256);
	return 0;
}
