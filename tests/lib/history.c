#define _GNU_SOURCE /* mkdtemp, strsep */
#include "history.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "sys/files.h"

#define START 1767225600 /* 2026-01-01T00:00:00Z */

struct history {
	char dir[64];
	git_repository *repo;
	char *names[512];
	git_oid oids[512];
	size_t n;
};

static void must(int ok, const char *what)
{
	const git_error *last = git_error_last();

	if (ok)
		return;
	fprintf(stderr, "history: %s: %s\n", what, last ? last->message : "");
	abort();
}

static const git_oid *find(const struct history *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->names[i], name) == 0)
			return &h->oids[i];
	fprintf(stderr, "history: no commit %s\n", name);
	abort();
}

struct oid history_oid(const struct history *h, const char *name)
{
	struct oid out = {{0}};

	if (strcmp(name, "0") != 0)
		oid_from_git(&out, find(h, name));
	return out;
}

const char *history_dir(const struct history *h)
{
	return h->dir;
}

static git_tree *tree_of(struct history *h, const git_oid *commit)
{
	git_commit *c = NULL;
	git_tree *t = NULL;

	must(git_commit_lookup(&c, h->repo, commit) == 0, "commit");
	must(git_commit_tree(&t, c) == 0, "tree");
	git_commit_free(c);
	return t;
}

static int copy_entry(const char *root, const git_tree_entry *entry, void *payload)
{
	git_index *index = payload;
	git_index_entry e = {0};
	char *path = mem_format("%s%s", root, git_tree_entry_name(entry));

	if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
		git_index_get_bypath(index, path, 0) == NULL) {
		e.path = path;
		e.mode = git_tree_entry_filemode(entry);
		e.id = *git_tree_entry_id(entry);
		must(git_index_add(index, &e) == 0, "index");
	}
	free(path);
	return 0;
}

static void change(struct history *h, git_index *index, char sign, char *text)
{
	git_index_entry e = {0};
	char *content = strchr(text, '=');

	if (sign == '!') {
		must(git_index_remove(index, text, 0) == 0, "remove");
		return;
	}
	e.mode = text[0] == '*'   ? GIT_FILEMODE_BLOB_EXECUTABLE
		 : text[0] == '>' ? GIT_FILEMODE_LINK
				  : GIT_FILEMODE_BLOB;
	if (e.mode != GIT_FILEMODE_BLOB)
		text++;
	if (content != NULL)
		*content++ = '\0';
	else
		content = text;
	must(git_blob_create_from_buffer(&e.id, h->repo, content, strlen(content)) == 0, "blob");
	e.path = text;
	must(git_index_add(index, &e) == 0, "add");
}

static void add_commit(struct history *h, char *word)
{
	const git_commit *parents[8];
	git_commit *owned[8];
	git_index *index = NULL;
	git_signature *who = NULL;
	git_tree *tree = NULL;
	git_oid tree_id;
	char *changes = word + strcspn(word, "+!"), *list, *shift, sign;
	size_t n = 0;

	sign = *changes;
	if (sign != '\0')
		*changes++ = '\0';
	shift = strchr(word, '@');
	if (shift != NULL)
		*shift++ = '\0';
	list = strchr(word, ':');
	if (list != NULL)
		*list++ = '\0';
	must(git_index_new(&index) == 0, "index");
	for (char *p; list != NULL && (p = strsep(&list, ",")) != NULL; n++) {
		git_tree *t = tree_of(h, find(h, p));

		must(git_tree_walk(t, GIT_TREEWALK_PRE, copy_entry, index) == 0, "walk");
		git_tree_free(t);
		must(git_commit_lookup(&owned[n], h->repo, find(h, p)) == 0, "parent");
		parents[n] = owned[n];
	}
	while (sign != '\0') {
		char *next = changes + strcspn(changes, "+!"), after = *next;

		*next = '\0';
		change(h, index, sign, changes);
		changes = next + 1;
		sign = after;
	}
	must(git_index_write_tree_to(&tree_id, index, h->repo) == 0, "write tree");
	must(git_tree_lookup(&tree, h->repo, &tree_id) == 0, "tree");
	must(git_signature_new(&who, "A", "a@example.com",
		     START + 60 * (int)h->n + (shift ? strtol(shift, NULL, 10) : 0), 0) == 0,
		"signature");
	must(git_commit_create(
		     &h->oids[h->n], h->repo, NULL, who, who, NULL, word, tree, n, parents) == 0,
		"commit");
	h->names[h->n++] = mem_strdup(word);
	for (size_t i = 0; i < n; i++)
		git_commit_free(owned[i]);
	git_signature_free(who);
	git_tree_free(tree);
	git_index_free(index);
}

struct history *history_new(const char *text)
{
	struct history *h = mem_zalloc(1, sizeof(*h));
	struct strlist words = {0};

	must(git_start(NULL) == 0, "start");
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/modelgate-test-XXXXXX");
	must(mkdtemp(h->dir) != NULL, "folder");
	must(git_repository_init(&h->repo, h->dir, 1) == 0, "repository");
	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++)
		add_commit(h, words.v[i]);
	strlist_clear(&words);
	return h;
}

void history_free(struct history *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->names[i]);
	git_repository_free(h->repo);
	must(files_remove_tree(h->dir, NULL) == 0, "remove");
	free(h);
	(void)git_libgit2_shutdown();
}

void history_refs(struct history *h, const char *text)
{
	struct strlist words = {0};

	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++) {
		char *target = strchr(words.v[i], '='), *name;
		git_reference *ref = NULL;

		*target++ = '\0';
		name = strchr(words.v[i], '/') ? mem_strdup(words.v[i])
					       : mem_format("refs/heads/%s", words.v[i]);
		must(git_reference_create(&ref, h->repo, name, find(h, target), 1, NULL) == 0,
			name);
		git_reference_free(ref);
		free(name);
	}
	strlist_clear(&words);
}

struct oid history_chain(struct history *h, const char *name, int n)
{
	git_oid at = *find(h, name);
	git_tree *tree = tree_of(h, &at);
	git_signature *who = NULL;
	struct oid out;

	must(git_signature_new(&who, "A", "a@example.com", START, 0) == 0, "signature");
	for (int i = 0; i < n; i++) {
		git_commit *parent = NULL;
		const git_commit *parents[1];

		must(git_commit_lookup(&parent, h->repo, &at) == 0, "parent");
		parents[0] = parent;
		must(git_commit_create(
			     &at, h->repo, NULL, who, who, NULL, "chain", tree, 1, parents) == 0,
			"commit");
		git_commit_free(parent);
	}
	git_signature_free(who);
	git_tree_free(tree);
	oid_from_git(&out, &at);
	return out;
}
