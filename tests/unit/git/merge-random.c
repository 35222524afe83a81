/*
 * Random merges (fixed seed): what is decided without Git is always what Git decides.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/loose.h"
#include "git/merge-internal.h"
#include "git/repository.h"
#include "snapshots.h"

#define N_MERGES 200
#define MAX_FILES 40

/* A tree on its way: files by name, with what they hold. */
struct file {
	char *path;
	char *content; /* behind its sign, as snapshots.h has it */
};

struct files {
	struct file v[MAX_FILES];
	size_t n;
};

struct dice {
	unsigned long long state;
	int serial;
};

static unsigned roll(struct dice *d, unsigned n)
{
	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(d->state >> 33) % n;
}

static const char *const names[] = {"a", "b", "b-", "b.c", "d/a", "d/b", "d/x/y", "d/x/z", "d-",
	"e/a", "e/b", "e/x", "f", "g/h/i/j", "g/h/k", "g/l", "z"};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* A name is only free if nothing of it is a file where the other has a folder. */
static int is_free(const struct files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *a = f->v[i].path;
		size_t n = strlen(a), m = strlen(path);

		if (strncmp(a, path, n < m ? n : m) == 0 &&
			(n == m || (n < m ? path[n] : a[m]) == '/'))
			return 0;
	}
	return 1;
}

/* Enough lines that Git sees what a changed file was. */
static char *new_content(struct dice *d)
{
	unsigned kind = roll(d, 12);
	int k = d->serial++;

	if (kind == 0)
		return mem_format("@=target%d", k);
	if (kind == 1)
		return mem_format("^=%d", 1 + k % 9);
	return mem_format("%s=line%d,%d1,%d2,%d3,%d4,%d5,%d6,%d7,%d8,%d9", kind == 2 ? "*" : "", k,
		k, k, k, k, k, k, k, k, k);
}

static void add_file(struct files *f, const char *path, char *content)
{
	if (f->n < MAX_FILES && is_free(f, path)) {
		f->v[f->n].path = mem_strdup(path);
		f->v[f->n++].content = content;
	} else {
		free(content);
	}
}

static void remove_file(struct files *f, size_t i)
{
	free(f->v[i].path);
	free(f->v[i].content);
	f->v[i] = f->v[--f->n];
}

static void modify(struct files *f, size_t i, struct dice *d)
{
	char *old = f->v[i].content;

	switch (*old == '=' || *old == '*' ? roll(d, 5) : 4) {
	case 0: /* its end */
		f->v[i].content = mem_format("%s,more%d", old, d->serial++);
		break;
	case 1: /* its start */
		f->v[i].content = mem_format(
			"%snew%d,%s", *old == '*' ? "*=" : "=", d->serial++, strchr(old, '=') + 1);
		break;
	case 2: /* its mode */
		f->v[i].content = *old == '*' ? mem_strdup(old + 1) : mem_format("*%s", old);
		break;
	default:
		f->v[i].content = new_content(d);
	}
	free(old);
}

static void move_file(struct files *f, size_t i, const char *to)
{
	char *content = mem_strdup(f->v[i].content);

	remove_file(f, i);
	add_file(f, to, content);
}

/* All that is below "d/" to below "e2/". */
static void move_folder(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_starts(f->v[i].path, "d/")) {
			char *to = mem_format("e2/%s", f->v[i].path + 2);

			free(f->v[i].path);
			f->v[i].path = to;
		}
}

static void change(struct files *f, struct dice *d)
{
	unsigned what = roll(d, 20);
	size_t i = f->n > 0 ? roll(d, (unsigned)f->n) : 0;

	if (f->n == 0 || what < 5)
		add_file(f, names[roll(d, N_NAMES)], new_content(d));
	else if (what < 9)
		remove_file(f, i);
	else if (what < 16)
		modify(f, i, d);
	else if (what < 18)
		move_file(f, i, names[roll(d, N_NAMES)]);
	else if (what == 18)
		move_folder(f);
	else
		modify(f, 0, d); /* a favourite: what both sides change is found more often */
}

static void copy(struct files *out, const struct files *f)
{
	out->n = f->n;
	for (size_t i = 0; i < f->n; i++) {
		out->v[i].path = mem_strdup(f->v[i].path);
		out->v[i].content = mem_strdup(f->v[i].content);
	}
}

static void clear(struct files *f)
{
	while (f->n > 0)
		remove_file(f, f->n - 1);
}

static struct oid tree_of(struct snapshots *s, const struct files *f)
{
	struct str text;
	struct oid oid;

	str_init(&text);
	for (size_t i = 0; i < f->n; i++)
		str_addf(&text, "%s%s ", f->v[i].path, f->v[i].content);
	oid = snapshots_tree(s, text.buf);
	str_clear(&text);
	return oid;
}

struct sample {
	struct merge_pair pair;
	struct oid trees[4]; /* base, ours, theirs, and ours changed once more */
};

static void make_sample(struct sample *out, struct snapshots *s, struct dice *d)
{
	struct files files[4] = {0};
	struct oid base;

	for (unsigned n = roll(d, 14); n > 0; n--)
		add_file(&files[0], names[roll(d, N_NAMES)], new_content(d));
	for (size_t side = 1; side < 3; side++) {
		copy(&files[side], &files[0]);
		for (unsigned n = roll(d, 4); n > 0; n--)
			change(&files[side], d);
	}
	/* What one side does, the other one sometimes does too. */
	if (roll(d, 4) == 0) {
		clear(&files[2]);
		copy(&files[2], &files[1]);
		change(&files[1], d);
		change(&files[2], d);
	}
	copy(&files[3], &files[1]);
	change(&files[3], d);
	for (size_t i = 0; i < 4; i++) {
		out->trees[i] = tree_of(s, &files[i]);
		clear(&files[i]);
	}
	base = snapshots_commit_tree(s, &out->trees[0], NULL, 0);
	out->pair.ours = snapshots_commit_tree(s, &out->trees[1], &base, 1);
	out->pair.theirs = snapshots_commit_tree(s, &out->trees[2], &base, 1);
}

struct tally {
	int asked;
	int decided;
	int automatic;
	int clean;
};

/* TREE as what the merge is said to have given, against what Git's answer makes of that. */
static void check(struct tally *t, struct merges *m, struct snapshots *s,
	const struct sample *sample, const struct oid *tree, size_t number)
{
	const struct merge_answer *answer = &sample->pair.answer;
	const struct oid parents[2] = {sample->pair.ours, sample->pair.theirs};
	struct merges_case c = {parents[0], parents[1], {{0}}, MERGES_TELL_APART, {{0}}};
	enum merges_answer got, expected = MERGES_CONFLICTS;
	struct err e = ERR_INIT;

	if (answer->outcome == MERGE_CLEAN)
		expected = oid_equal(&answer->tree, tree) ? MERGES_AUTOMATIC : MERGES_DIFFERS;
	c.result = snapshots_commit_tree(s, tree, parents, 2);
	for (int mode = MERGES_TELL_APART; mode <= MERGES_ONLY_WHETHER; mode++) {
		c.mode = (enum merges_mode)mode;
		if (c.mode == MERGES_ONLY_WHETHER && expected == MERGES_CONFLICTS)
			expected = MERGES_DIFFERS;
		if (merges_ask(&got, m, &c, &e) != 0)
			fail_msg("merge %zu: %s", number, err_text(&e));
		if (got != MERGES_PENDING && got != expected)
			fail_msg("merge %zu, mode %d: %d, where Git says %d; see %s", number, mode,
				got, expected, snapshots_dir(s));
		t->asked++;
		t->decided += got != MERGES_PENDING;
		t->automatic += got == MERGES_AUTOMATIC;
	}
}

static void read_also(struct repository *r, const char *dir)
{
	struct strlist dirs = {0};
	char *objects = mem_format("%s/objects", dir);
	git_odb *odb = NULL;

	strlist_add(&dirs, objects);
	assert_int_equal(git_repository_odb(&odb, repository_handle(r)), 0);
	assert_int_equal(loose_add(odb, &dirs, NULL), 0);
	git_odb_free(odb);
	strlist_clear(&dirs);
	free(objects);
}

/* What Git makes of all SAMPLES. */
static void ask_git(
	struct sample *samples, struct repository *r, const struct merge_scratch *scratch)
{
	struct merge_pair *pairs[N_MERGES];
	struct err e = ERR_INIT;
	enum merge_git result;

	for (size_t i = 0; i < N_MERGES; i++)
		pairs[i] = &samples[i].pair;
	result = merge_git_run(pairs, N_MERGES, r, scratch, &e);
	if (result != MERGE_GIT_DONE)
		fail_msg("%d: %s", result, err_text(&e));
	read_also(r, scratch->dir);
}

static void test_random(void **state)
{
	struct sample *samples = mem_zalloc(N_MERGES, sizeof(*samples));
	struct snapshots *s = snapshots_new();
	struct dice d = {.state = 20261123};
	struct merge_scratch scratch;
	struct repository *r = NULL;
	struct merges *m;
	struct tally t = {0};

	(void)state;
	for (size_t i = 0; i < N_MERGES; i++)
		make_sample(&samples[i], s, &d);
	assert_int_equal(repository_open(&r, snapshots_dir(s), REPOSITORY_OBJECTS, NULL), 0);
	assert_int_equal(merge_scratch_make(&scratch, snapshots_dir(s), NULL), 0);
	ask_git(samples, r, &scratch);
	m = merges_new(r, snapshots_dir(s));
	for (size_t i = 0; i < N_MERGES; i++) {
		t.clean += samples[i].pair.answer.outcome == MERGE_CLEAN;
		check(&t, m, s, &samples[i], &samples[i].pair.answer.tree, i);
		for (size_t k = 0; k < 4; k++)
			check(&t, m, s, &samples[i], &samples[i].trees[k], i);
		merge_answer_clear(&samples[i].pair.answer);
	}
	/* The dice are good enough to tell something. */
	if (t.clean < N_MERGES / 3 || t.decided < t.asked / 4 || t.automatic < t.asked / 20)
		fail_msg("%d merges, %d clean; asked %d, decided %d, automatic %d", N_MERGES,
			t.clean, t.asked, t.decided, t.automatic);
	merges_free(m);
	merge_scratch_clear(&scratch);
	repository_free(r);
	snapshots_free(s);
	free(samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
