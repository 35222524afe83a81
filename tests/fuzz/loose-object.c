/*
 * Any file among a repository's objects is one as it says itself, or damaged.  An input that starts with "z" is
 * compressed first, so that what an object holds is tried too, and not only its compression.
 *
 * About: common/git/loose.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2/sys/odb_backend.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/loose.h"

#define FAN "00" /* the first two digits of the id, and the others */
#define REST "112233445566778899aabbccddeeff00112233"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* An object folder with one file, and its path in the folder. */
struct place {
	char dir[32];
	char fan[48];
	char file[96];
};

static void place_make(struct place *p, const uint8_t *bytes, size_t len)
{
	/* In memory, where it can be: this is done for each input. */
	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	FILE *f;

	(void)snprintf(p->dir, sizeof(p->dir), "%s/modelgate-fuzz.XXXXXX", where); /* fits */
	must(mkdtemp(p->dir) != NULL);
	(void)snprintf(p->fan, sizeof(p->fan), "%s/" FAN, p->dir);    /* fits */
	(void)snprintf(p->file, sizeof(p->file), "%s/" REST, p->fan); /* fits */
	must(mkdir(p->fan, 0700) == 0);
	f = fopen(p->file, "wb");
	must(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static void place_remove(const struct place *p)
{
	must(unlink(p->file) == 0 && rmdir(p->fan) == 0 && rmdir(p->dir) == 0);
}

static git_odb *object_base(const struct place *p)
{
	struct strlist dirs = {0};
	git_odb *odb = NULL;

	strlist_add(&dirs, p->dir);
	must(git_odb_new(&odb) == 0 && loose_add(odb, &dirs, NULL) == 0);
	strlist_clear(&dirs);
	return odb;
}

/* TEXT: what was compressed; NULL: not known. */
static void check(git_odb_object *object, const char *text, size_t len)
{
	size_t size = git_odb_object_size(object), header;
	char *start =
		mem_format("%s %zu", git_object_type2string(git_odb_object_type(object)), size);

	header = strlen(start) + 1;
	if (text != NULL) {
		must(len == header + size && memcmp(text, start, header) == 0);
		must(memcmp(text + header, git_odb_object_data(object), size) == 0);
	}
	free(start);
}

static void look(const struct place *p, const char *text, size_t text_len)
{
	git_odb *odb = object_base(p);
	git_odb_object *object = NULL;
	git_object_t type;
	size_t size;
	git_oid id;
	int head;

	must(git_oid_fromstr(&id, FAN REST) == 0);
	head = git_odb_read_header(&size, &type, odb, &id);
	if (git_odb_read(&object, odb, &id) == 0) {
		must(head == 0 && size == git_odb_object_size(object));
		must(type == git_odb_object_type(object));
		check(object, text, text_len);
	}
	git_odb_object_free(object);
	git_odb_free(odb);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int is_started; /* libgit2, once; it is not to compare with the id, which is none */
	int is_text = len > 0 && bytes[0] == 'z';
	uLongf packed = compressBound((uLong)len);
	uint8_t *buf = mem_zalloc(packed, 1);
	struct place p;

	if (!is_started)
		must(git_start(NULL) == 0 &&
			git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0) == 0);
	is_started = 1;
	if (is_text)
		must(compress2(buf, &packed, bytes + 1, (uLong)len - 1, 1) == Z_OK);
	place_make(&p, is_text ? buf : bytes, is_text ? packed : len);
	look(&p, is_text ? (const char *)bytes + 1 : NULL, is_text ? len - 1 : 0);
	place_remove(&p);
	free(buf);
	return 0;
}
