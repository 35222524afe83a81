#define _GNU_SOURCE /* mkdtemp */
#include "snapshots.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "sys/files.h"

#define START 1767225600 /* 2026-01-01T00:00:00Z */

struct snapshots {
	char dir[64];
	git_repository *repo;
	git_odb *odb;
	int n;
};

static void must(int ok, const char *what)
{
	const git_error *last = git_error_last();

	if (ok)
		return;
	fprintf(stderr, "snapshots: %s: %s\n", what, last ? last->message : "");
	abort();
}

struct snapshots *snapshots_new(void)
{
	struct snapshots *s = mem_zalloc(1, sizeof(*s));

	must(git_start(NULL) == 0, "start");
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/modelgate-test-XXXXXX");
	must(mkdtemp(s->dir) != NULL, "folder");
	must(git_repository_init(&s->repo, s->dir, 1) == 0, "repository");
	must(git_repository_odb(&s->odb, s->repo) == 0, "objects");
	return s;
}

void snapshots_free(struct snapshots *s)
{
	if (s == NULL)
		return;
	git_odb_free(s->odb);
	git_repository_free(s->repo);
	must(files_remove_tree(s->dir, NULL) == 0, "remove");
	free(s);
	(void)git_libgit2_shutdown();
}

const char *snapshots_dir(const struct snapshots *s)
{
	return s->dir;
}

struct oid snapshots_write(struct snapshots *s, int type, const void *bytes, size_t len)
{
	struct oid out;
	git_oid id;

	must(git_odb_write(&id, s->odb, bytes, len, (git_object_t)type) == 0, "write");
	oid_from_git(&out, &id);
	return out;
}

static void set_content(git_index_entry *entry, struct snapshots *s, const char *content)
{
	struct str text;
	struct oid oid;

	str_init(&text);
	for (; *content != '\0'; content++)
		str_addc(&text, *content == ',' ? '\n' : *content);
	if (entry->mode != GIT_FILEMODE_LINK)
		str_addc(&text, '\n');
	oid = snapshots_write(s, GIT_OBJECT_BLOB, text.buf, text.len);
	oid_to_git(&entry->id, &oid);
	str_clear(&text);
}

static void add_word(struct snapshots *s, git_index *index, char *word)
{
	git_index_entry entry = {.mode = GIT_FILEMODE_BLOB, .path = word};
	char *content = strchr(word, '='), *sign = content - 1;

	*content++ = '\0';
	if (*sign == '*')
		entry.mode = GIT_FILEMODE_BLOB_EXECUTABLE;
	else if (*sign == '@')
		entry.mode = GIT_FILEMODE_LINK;
	else if (*sign == '^')
		entry.mode = GIT_FILEMODE_COMMIT;
	if (entry.mode != GIT_FILEMODE_BLOB)
		*sign = '\0';
	if (entry.mode == GIT_FILEMODE_COMMIT)
		memset(entry.id.id, (*content - '0') * 0x11, sizeof(entry.id.id));
	else
		set_content(&entry, s, content);
	must(git_index_add(index, &entry) == 0, word);
}

struct oid snapshots_tree(struct snapshots *s, const char *tree)
{
	git_index *index = NULL;
	struct strlist words = {0};
	struct oid out;
	git_oid id;

	must(git_index_new(&index) == 0, "index");
	strlist_split(&words, tree, ' ');
	for (size_t i = 0; i < words.n; i++)
		add_word(s, index, words.v[i]);
	must(git_index_write_tree_to(&id, index, s->repo) == 0, "tree");
	oid_from_git(&out, &id);
	strlist_clear(&words);
	git_index_free(index);
	return out;
}

struct oid snapshots_commit_tree(
	struct snapshots *s, const struct oid *tree, const struct oid *parents, size_t n)
{
	char hex[OID_HEX_SIZE];
	struct str text;
	struct oid out;

	str_init(&text);
	oid_hex(tree, hex);
	str_addf(&text, "tree %s\n", hex);
	for (size_t i = 0; i < n; i++) {
		oid_hex(&parents[i], hex);
		str_addf(&text, "parent %s\n", hex);
	}
	s->n++;
	str_addf(&text, "author A <a@example.com> %d +0000\n", START + 60 * s->n);
	str_addf(&text, "committer A <a@example.com> %d +0000\n\n%d\n", START + 60 * s->n, s->n);
	out = snapshots_write(s, GIT_OBJECT_COMMIT, text.buf, text.len);
	str_clear(&text);
	return out;
}

struct oid snapshots_commit(
	struct snapshots *s, const char *tree, const struct oid *parents, size_t n)
{
	struct oid oid = snapshots_tree(s, tree);

	return snapshots_commit_tree(s, &oid, parents, n);
}
