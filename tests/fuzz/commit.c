/*
 * Any bytes that a pusher calls a commit, which git takes unless receive.fsckObjects is on: they are none, or
 * the parents that were read of them stand there.
 *
 * About: common/git/walk-paint.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/walk-internal.h"

#define TABLE 16 /* as walk_init() makes it, but smaller */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

static git_odb *object_base(void)
{
	git_odb_backend *memory = NULL;
	git_odb *odb = NULL;

	must(git_odb_new(&odb) == 0 && git_mempack_new(&memory) == 0);
	must(git_odb_add_backend(odb, memory, 1) == 0);
	return odb;
}

static void check(const struct walk_node *node, const char *text)
{
	struct str lines;

	str_init(&lines);
	for (size_t i = 0; i < node->n_parents; i++) {
		char hex[OID_HEX_SIZE];

		oid_hex(&node->parents[i], hex);
		str_addf(&lines, "\nparent %s", hex);
	}
	must(str_starts(text, "tree "));
	must(strncasecmp(strchr(text, '\n'), lines.buf, lines.len) == 0);
	must(!str_starts(strchr(text, '\n') + lines.len, "\nparent "));
	str_clear(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int is_started; /* libgit2, once */
	struct walk w = {.table_size = TABLE, .mask = 1};
	struct walk_node *node;
	struct err e = ERR_INIT;
	struct oid oid;
	git_oid id;
	char *text = mem_strndup((const char *)bytes, len);

	if (!is_started)
		must(git_start(NULL) == 0);
	is_started = 1;
	w.odb = object_base();
	w.table = mem_zalloc(TABLE, sizeof(struct walk_node *));
	must(git_odb_write(&id, w.odb, bytes, len, GIT_OBJECT_COMMIT) == 0);
	oid_from_git(&oid, &id);
	node = walk_load(&w, &oid, &e);
	must((node != NULL) == (e.text == NULL));
	if (node != NULL)
		check(node, text);
	walk_clear(&w);
	err_clear(&e);
	free(text);
	return 0;
}
