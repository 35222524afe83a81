#include "git/loose.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/odb_backend.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/internal.h"
#include "sys/files.h"

#define PRIORITY 100                   /* before libgit2's own, which have 1 and 2 */
#define MAX_HEADER 32                  /* "commit 18446744073709551615" and its NUL fit */
#define HEADER_FILE 4096               /* bytes of a file that the header is surely in */
#define MAX_ALTERNATES_FILE (1U << 20) /* bytes of info/alternates */
#define MAX_ALTERNATES_DEPTH 5         /* as git */

struct loose {
	git_odb_backend backend; /* first, so that libgit2's pointer is ours too */
	struct strlist dirs;
};

struct object {
	git_object_t type;
	size_t size;
	void *data; /* of libgit2's allocator */
	enum { FITS, TOO_LARGE } room;
};

/* A file that cannot be inflated for want of memory is not damaged. */
static int inflate_or_exit(z_stream *z, int flush)
{
	int status = inflate(z, flush);

	if (status == Z_MEM_ERROR)
		(void)mem_given(NULL);
	return status;
}

static int start_inflating(z_stream *z)
{
	int status = inflateInit(z);

	if (status == Z_MEM_ERROR)
		(void)mem_given(NULL);
	return status == Z_OK ? 0 : -1;
}

/* "commit 123", at most MAX: 0, or -1. */
static int parse_header(struct object *out, const char *header, long long max)
{
	static const struct {
		const char *name;
		git_object_t type;
	} types[] = {{"commit ", GIT_OBJECT_COMMIT}, {"tree ", GIT_OBJECT_TREE},
		{"blob ", GIT_OBJECT_BLOB}, {"tag ", GIT_OBJECT_TAG}};
	long long size;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *digits;

		if (!str_starts(header, types[i].name))
			continue;
		digits = header + strlen(types[i].name);
		/* As git has it: no zeros in front. */
		if (str_number(digits, max, &size) != 0 || (digits[0] == '0' && digits[1] != '\0'))
			return -1;
		out->type = types[i].type;
		out->size = (size_t)size;
		return 0;
	}
	return -1;
}

/*
 * Inflate the first bytes, into HEAD, which is zeroed: 0, *STATUS is zlib's, the header is a text in
 * HEAD, and *BODY is how much of the content follows it; or -1.
 */
static int inflate_head(unsigned char head[MAX_HEADER + 1], size_t *body, int *status, z_stream *z)
{
	size_t header;

	z->next_out = head;
	z->avail_out = MAX_HEADER;
	*status = inflate_or_exit(z, Z_SYNC_FLUSH);
	if (*status != Z_OK && *status != Z_STREAM_END)
		return -1;
	header = strlen((char *)head) + 1;
	*body = MAX_HEADER - z->avail_out;
	if (header > *body)
		return -1;
	*body -= header;
	return 0;
}

/* Inflate the header and then, into a buffer of the size it names, the content.  0, or -1. */
static int inflate_object(struct object *out, git_odb_backend *b, z_stream *z)
{
	unsigned char head[MAX_HEADER + 1] = "";
	size_t body;
	int status;

	if (inflate_head(head, &body, &status, z) != 0 ||
		parse_header(out, (char *)head, LOOSE_MAX_SIZE) != 0)
		return -1;
	if (body > out->size)
		return -1;
	out->data = git_odb_backend_data_alloc(b, out->size + 1);
	if (out->data == NULL) {
		out->room = TOO_LARGE; /* libgit2 has said so */
		return -1;
	}
	memcpy(out->data, head + strlen((char *)head) + 1, body);
	z->next_out = (unsigned char *)out->data + body;
	z->avail_out = (unsigned)(out->size - body + 1); /* one more: a longer stream is seen */
	if (status != Z_STREAM_END)
		status = inflate_or_exit(z, Z_FINISH);
	return status == Z_STREAM_END && z->avail_out == 1 ? 0 : -1;
}

static int inflate_file(struct object *out, git_odb_backend *b, const struct str *file)
{
	z_stream z = {0};
	int result;

	if (start_inflating(&z) != 0)
		return -1;
	z.next_in = (unsigned char *)file->buf;
	z.avail_in = (unsigned)file->len; /* at most LOOSE_MAX_SIZE */
	result = inflate_object(out, b, &z);
	(void)inflateEnd(&z); /* complains of streams that were not read to their end */
	if (result != 0 && out->data != NULL)
		git_odb_backend_data_free(b, out->data);
	return result;
}

static int read_object(
	void **data, size_t *size, git_object_t *type, git_odb_backend *b, const git_oid *id)
{
	const struct loose *l = (const struct loose *)b;
	char hex[GIT_OID_HEXSZ + 1];
	int result = GIT_ENOTFOUND;

	(void)git_oid_tostr(hex, sizeof(hex), id); /* the buffer is large enough */
	for (size_t i = 0; result == GIT_ENOTFOUND && i < l->dirs.n; i++) {
		char *path = mem_format("%s/%.2s/%s", l->dirs.v[i], hex, hex + 2);
		struct object object = {0};
		struct str file;
		int found;

		str_init(&file);
		found = files_read(path, LOOSE_MAX_SIZE, &file, NULL);
		if (found != 0)
			result = found > 0 && inflate_file(&object, b, &file) == 0 ? 0 : GIT_ERROR;
		if (result == GIT_ERROR && object.room == FITS)
			git_error_set_str(GIT_ERROR_ODB, "the loose object is damaged");
		str_clear(&file);
		free(path);
		*data = object.data;
		*size = object.size;
		*type = object.type;
	}
	return result;
}

/* The header in the first bytes of a file: 0, or -1. */
static int inflate_header(struct object *out, unsigned char *bytes, size_t len)
{
	unsigned char head[MAX_HEADER + 1] = "";
	z_stream z = {0};
	size_t body;
	int result = -1, status;

	if (start_inflating(&z) != 0)
		return -1;
	z.next_in = bytes;
	z.avail_in = (unsigned)len; /* at most HEADER_FILE */
	if (inflate_head(head, &body, &status, &z) == 0)
		result = parse_header(out, (char *)head, LLONG_MAX);
	(void)inflateEnd(&z); /* complains of streams that were not read to their end */
	return result;
}

/* 0; GIT_ENOTFOUND: there is no file PATH; GIT_ERROR. */
static int read_header_file(struct object *out, const char *path)
{
	unsigned char bytes[HEADER_FILE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? GIT_ENOTFOUND : GIT_ERROR;
	n = read(fd, bytes, sizeof(bytes));
	(void)close(fd); /* only read from */
	return n > 0 && inflate_header(out, bytes, (size_t)n) == 0 ? 0 : GIT_ERROR;
}

/* Type and size alone, of an object of any size, whatever follows the header. */
static int read_header(size_t *size, git_object_t *type, git_odb_backend *b, const git_oid *id)
{
	const struct loose *l = (const struct loose *)b;
	struct object object = {0};
	char hex[GIT_OID_HEXSZ + 1];
	int result = GIT_ENOTFOUND;

	(void)git_oid_tostr(hex, sizeof(hex), id); /* the buffer is large enough */
	for (size_t i = 0; result == GIT_ENOTFOUND && i < l->dirs.n; i++) {
		char *path = mem_format("%s/%.2s/%s", l->dirs.v[i], hex, hex + 2);

		result = read_header_file(&object, path);
		free(path);
	}
	if (result == GIT_ERROR)
		git_error_set_str(GIT_ERROR_ODB, "the loose object is damaged");
	*size = object.size;
	*type = object.type;
	return result;
}

static void free_backend(git_odb_backend *b)
{
	struct loose *l = (struct loose *)b;

	strlist_clear(&l->dirs);
	free(l);
}

/* Add DIR and what its info/alternates names (gitrepository-layout(5)). */
static int add_dir(struct strlist *dirs, const char *dir, int depth, struct err *e)
{
	char *path = path_join(dir, "info/alternates");
	struct strlist lines = {0};
	struct str text;
	int result = 0;

	str_init(&text);
	if (!strlist_has(dirs, dir)) {
		strlist_add(dirs, dir);
		result = files_read(path, MAX_ALTERNATES_FILE, &text, e) < 0 ? -1 : 0;
		if (result == 0)
			strlist_split(&lines, text.buf, '\n');
	}
	for (size_t i = 0; result == 0 && depth < MAX_ALTERNATES_DEPTH && i < lines.n; i++) {
		char *other =
			lines.v[i][0] == '/' ? mem_strdup(lines.v[i]) : path_join(dir, lines.v[i]);

		if (lines.v[i][0] != '#')
			result = add_dir(dirs, other, depth + 1, e);
		free(other);
	}
	strlist_clear(&lines);
	str_clear(&text);
	free(path);
	return result;
}

int loose_check_alternates(const char *dir, struct err *e)
{
	struct strlist dirs = {0};
	int result = add_dir(&dirs, dir, 0, e);

	strlist_clear(&dirs);
	return result;
}

int loose_dirs(struct strlist *out, const struct strlist *dirs, struct err *e)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (add_dir(out, dirs->v[i], 0, e) != 0)
			return -1;
	return 0;
}

int loose_add(git_odb *odb, const struct strlist *dirs, struct err *e)
{
	struct loose *l = mem_zalloc(1, sizeof(*l));

	if (git_odb_init_backend(&l->backend, GIT_ODB_BACKEND_VERSION) < 0) {
		free_backend(&l->backend);
		return git_err(e, "loose objects cannot be read");
	}
	l->backend.read = read_object;
	l->backend.read_header = read_header;
	l->backend.free = free_backend;
	if (loose_dirs(&l->dirs, dirs, e) != 0) {
		free_backend(&l->backend);
		return -1;
	}
	if (git_odb_add_backend(odb, &l->backend, PRIORITY) < 0) {
		free_backend(&l->backend);
		return git_err(e, "loose objects cannot be read");
	}
	return 0;
}
