/* Who holds whom, what is new, where two lines part: exact also where commit dates lie. */
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
#include "base/path.h"
#include "base/str.h"
#include "git/repository.h"
#include "git/walk.h"
#include "history.h"
#include "sys/files.h"
#include "sys/spawn.h"

struct row {
	const char *history;
	const char *tips; /* names */
	const char *oid;
	int expected;
};

#define LINE "a b:a c:b d:c "
#define MERGES "a b:a f:a g:f m:b,g h:g n:m,h x:a "

static const struct row rows[] = {
	{LINE, "d", "d", 1},
	{LINE, "d", "a", 1},
	{LINE, "a", "d", 0},
	{LINE, "c", "d", 0},
	{LINE, "a d", "c", 1},
	{LINE, "a b", "c", 0},
	{LINE, "", "a", 0},
	{MERGES, "m", "f", 1},
	{MERGES, "m", "h", 0},
	{MERGES, "n", "h", 1},
	{MERGES, "h", "m", 0},
	{MERGES, "n", "x", 0},
	{MERGES, "x n", "b", 1},
	/* unrelated histories */
	{"a b:a p q:p ", "b", "p", 0},
	{"a b:a p q:p ", "q", "p", 1},
	{"a b:a p q:p m:b,q ", "m", "p", 1},
	/* the descendant is far older than its ancestors, and the other way round */
	{"a b:a@-999999 c:b@-999999 d:c ", "d", "a", 1},
	{"a b:a@-999999 c:b@-999999 d:c ", "c", "d", 0},
	{"a@999999 b:a c:b x:a ", "c", "a", 1},
	{"a@999999 b:a c:b x:a@999999 ", "c", "x", 0},
	{"a b:a@999999 c:b@-999999 m:a,c@-999999 n:m ", "n", "b", 1},
	{"a b:a@-500 c:b@500 s:a@9999 t:s@-9999 m:c,t ", "m", "s", 1},
	{"a b:a@-500 c:b@500 s:a@9999 t:s@-9999 m:c,t ", "c", "s", 0},
	/* criss-cross */
	{"a b:a c:a d:b,c e:c,b ", "d", "e", 0},
	{"a b:a c:a d:b,c e:c,b ", "e", "b", 1},
	/* octopus */
	{"a b:a c:a d:a o:b,c,d ", "o", "d", 1},
};

static int holds(const struct row *row)
{
	struct history *h = history_new(row->history);
	struct repository *r = NULL;
	struct strlist names = {0};
	struct oid tips[4], oid = history_oid(h, row->oid);
	struct err e = ERR_INIT;
	int result;

	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e), 0);
	strlist_split(&names, row->tips, ' ');
	for (size_t i = 0; i < names.n; i++)
		tips[i] = history_oid(h, names.v[i]);
	result = walk_holds(r, tips, names.n, &oid, &e);
	strlist_clear(&names);
	repository_free(r);
	history_free(h);
	err_clear(&e);
	return result;
}

static void test_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = holds(&rows[i]);

		if (got != rows[i].expected)
			fail_msg("%s: [%s] holds %s: expected %d, got %d", rows[i].history,
				rows[i].tips, rows[i].oid, rows[i].expected, got);
	}
}

/* ---- walk_new ---- */

struct seen {
	const struct history *h;
	struct str text;
	int left; /* how many are taken; 0: all */
};

/* The letter of a commit whose name is one. */
static int name_it(void *context, const struct oid *oid)
{
	struct seen *seen = context;

	for (char name[] = "a"; *name <= 'z'; ++*name) {
		struct oid known = history_oid(seen->h, name);

		if (oid_equal(&known, oid)) {
			str_addc(&seen->text, *name);
			return --seen->left == 0 ? 7 : 0;
		}
	}
	return -1;
}

static size_t oids_of(struct oid *out, const struct history *h, const char *text)
{
	struct strlist names = {0};
	size_t n;

	strlist_split(&names, text, ' ');
	for (n = 0; n < names.n; n++)
		out[n] = history_oid(h, names.v[n]);
	strlist_clear(&names);
	return n;
}

/* All letters, so that name_it() finds none missing. */
#define REST "l o p q r s t u v w x y z "

static void test_new(void **state)
{
	static const struct {
		const char *history;
		const char *tips;
		const char *held;
		const char *expected;
	} table[] = {
		{"a b:a c:b d:c e f g h i j k m n ", "d", "b", "dc"},
		{"a b:a c:b d:c e f g h i j k m n ", "d", "", "dcba"},
		{"a b:a c:b d:c e f g h i j k m n ", "b", "d", ""},
		{"a b:a c:b d:c e f g h i j k m n ", "d", "d", ""},
		{"a b:a c:b d:c e f g h i j k m n ", "", "d", ""},
		{"a b:a c:b d:c e f:c g h i j k m n ", "d f d", "b", "fdc"},
		/* by date, not by line */
		{"a b:a c:a d:b e:c f:d,e g h i j k m n ", "f", "a", "fedcb"},
		{"a b:a c:a d:b e:c f:d,e g h i j k m n ", "f", "d", "fec"},
		{"a b:a c:a d:b e:c f:d,e g h i j k m n ", "f", "b c", "fed"},
		/* of one date: as they are found */
		{"a b:a c:a@-60 d:b@-120 e:c@-180 f:d,e@-180 g h i j k m n ", "f", "a", "fdebc"},
		/* the held line is far older than what it holds */
		{"a b:a c:b d:c@-99999 e:d@-99999 f:c g h i j k m n ", "f", "e", "f"},
		{"a b:a c:b d:c@-99999 e:d@-99999 f:c@-99999 g h i j k m n ", "f", "e", "f"},
		{"a@99999 b:a@99999 c:b@-99999 d:c f:b e g h i j k m n ", "f", "d", "f"},
		{"a b:a@9 c:b@8 d:c@-99999 e:d@-99999 f:b,c g:f h i j k m n ", "g", "e", "gf"},
		/* unrelated */
		{"a b:a c d:c e f g h i j k m n ", "b", "d", "ba"},
		{"a b:a c d:c e:b,d f g h i j k m n ", "e", "b", "edc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *text = mem_format("%s%s", table[i].history, REST);
		struct history *h = history_new(text);
		struct seen seen = {.h = h};
		struct repository *r = NULL;
		struct oid tips[4], held[4];
		struct walk_range range = {tips, oids_of(tips, h, table[i].tips), held,
			oids_of(held, h, table[i].held)};

		str_init(&seen.text);
		assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, NULL), 0);
		assert_int_equal(walk_new(r, &range, name_it, &seen, NULL), 0);
		if (strcmp(seen.text.buf, table[i].expected) != 0)
			fail_msg("row %zu, %s: [%s] but [%s]: expected %s, got %s", i,
				table[i].history, table[i].tips, table[i].held, table[i].expected,
				seen.text.buf);
		str_reset(&seen.text);
		seen.left = 1;
		assert_int_equal(
			walk_new(r, &range, name_it, &seen, NULL), *table[i].expected ? 7 : 0);
		assert_int_equal(seen.text.len, *table[i].expected != '\0');
		str_clear(&seen.text);
		repository_free(r);
		history_free(h);
		free(text);
	}
}

/* ---- walk_merge_base ---- */

static void test_merge_base(void **state)
{
	static const struct {
		const char *history;
		const char *a;
		const char *b;
		const char *expected; /* "": none, or several */
	} table[] = {
		{LINE, "d", "d", "d"},
		{LINE, "d", "b", "b"},
		{LINE, "b", "d", "b"},
		{MERGES, "h", "b", "a"},
		{MERGES, "n", "h", "h"},
		{MERGES, "m", "h", "g"},
		{MERGES, "n", "x", "a"},
		{"a b:a p q:p ", "b", "q", ""},
		/* criss-cross: b and c are both the newest */
		{"a b:a c:a d:b,c e:c,b ", "d", "e", ""},
		{"a b:a c:a d:b,c e:c,b f:d g:e ", "f", "g", ""},
		{"a b:a c:a d:b,c e:c,b f:d,e g:e ", "f", "g", "e"},
		/* b is a base of both sides at first sight, until c, which holds it, is found */
		{"a b:a@99999 c:b d:c,b e:c,b ", "d", "e", "c"},
		{"a b:a@99999 c:b@-99999 d:c,b e:c,b ", "d", "e", "c"},
		{"a b:a@9999 c:b@-999 d:c@-9999 x:b,d y:b,d ", "x", "y", "d"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct history *h = history_new(table[i].history);
		struct oid a = history_oid(h, table[i].a), b = history_oid(h, table[i].b), got,
			   base;
		struct repository *r = NULL;
		int found;

		assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, NULL), 0);
		found = walk_merge_base(&got, r, &a, &b, NULL);
		if (found != (*table[i].expected != '\0'))
			fail_msg("row %zu, %s: %d for %s and %s", i, table[i].history, found,
				table[i].a, table[i].b);
		if (found) {
			base = history_oid(h, table[i].expected);
			if (!oid_equal(&base, &got))
				fail_msg("row %zu, %s: not %s for %s and %s", i, table[i].history,
					table[i].expected, table[i].a, table[i].b);
		}
		repository_free(r);
		history_free(h);
	}
}

/* ---- all three on tangled histories, against the obvious answers ---- */

#define TANGLE_N 40

struct tangle {
	struct history *h;
	struct repository *r;
	struct oid oids[TANGLE_N];
	unsigned long long below[TANGLE_N]; /* a bit for each commit that it holds */
};

/* Dates are off by up to SKEW seconds; without skew many commits have one date. */
static void tangle_init(struct tangle *t, unsigned long long seed, int skew)
{
	struct str text;

	memset(t, 0, sizeof(*t));
	str_init(&text);
	for (int i = 0; i < TANGLE_N; i++) {
		unsigned long long parents = 0;

		str_addf(&text, "c%d", i);
		t->below[i] = 1ULL << i;
		for (int k = 0; k < 2 && i > 0; k++) {
			int p;

			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			p = (int)(seed >> 33) % (i < 6 ? i : 6) + (i < 6 ? 0 : i - 6);
			if (parents >> p & 1)
				continue;
			str_addf(&text, "%sc%d", parents ? "," : ":", p);
			parents |= 1ULL << p;
			t->below[i] |= t->below[p];
		}
		str_addf(&text, "@%d ",
			skew > 0 ? (int)(seed >> 40) % (2 * skew) - skew : -60 * (i % 4));
	}
	t->h = history_new(text.buf);
	str_clear(&text);
	for (int i = 0; i < TANGLE_N; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "c%d", i);
		t->oids[i] = history_oid(t->h, name);
	}
	assert_int_equal(repository_open(&t->r, history_dir(t->h), REPOSITORY_OBJECTS, NULL), 0);
}

static void tangle_clear(struct tangle *t)
{
	repository_free(t->r);
	history_free(t->h);
}

static int number_of(const struct tangle *t, const struct oid *oid)
{
	for (int i = 0; i < TANGLE_N; i++)
		if (oid_equal(&t->oids[i], oid))
			return i;
	return -1;
}

struct bits {
	const struct tangle *t;
	unsigned long long set;
};

static int set_bit(void *context, const struct oid *oid)
{
	struct bits *bits = context;
	unsigned long long bit = 1ULL << number_of(bits->t, oid);

	assert_int_equal(bits->set & bit, 0); /* once each */
	bits->set |= bit;
	return 0;
}

/* The one commit of COMMON that no other one of it holds; -1: none or several are so. */
static int only_best(const struct tangle *t, unsigned long long common)
{
	int best = -1;

	for (int i = 0; i < TANGLE_N; i++) {
		int is_held = !(common >> i & 1);

		for (int k = 0; k < TANGLE_N; k++)
			is_held |= k != i && common >> k & 1 && t->below[k] >> i & 1;
		if (is_held)
			continue;
		if (best >= 0)
			return -1;
		best = i;
	}
	return best;
}

static void check_pair(const struct tangle *t, int a, int b)
{
	const struct walk_range range = {&t->oids[a], 1, &t->oids[b], 1};
	struct bits new = {t, 0};
	struct oid base;
	int holds = walk_holds(t->r, &t->oids[a], 1, &t->oids[b], NULL);
	int best = only_best(t, t->below[a] & t->below[b]);
	int found = walk_merge_base(&base, t->r, &t->oids[a], &t->oids[b], NULL);

	if (holds != (int)(t->below[a] >> b & 1))
		fail_msg("c%d holds c%d: %d", a, b, holds);
	if (found != (best >= 0) || (found && number_of(t, &base) != best))
		fail_msg("merge base of c%d and c%d: %d, not %d", a, b,
			found ? number_of(t, &base) : -1, best);
	assert_int_equal(walk_new(t->r, &range, set_bit, &new, NULL), 0);
	if (new.set != (t->below[a] & ~t->below[b]))
		fail_msg("new in c%d, not in c%d: %llx, not %llx", a, b, new.set,
			t->below[a] & ~t->below[b]);
}

static void test_tangles(void **state)
{
	(void)state;
	for (unsigned long long seed = 20260101; seed < 20260104; seed++) {
		struct tangle t;

		tangle_init(&t, seed, 1000);
		for (int a = 0; a < TANGLE_N; a++)
			for (int b = 0; b < TANGLE_N; b++)
				check_pair(&t, a, b);
		tangle_clear(&t);
	}
}

static int add_line(void *context, const struct oid *oid)
{
	char hex[OID_HEX_SIZE];

	oid_hex(oid, hex);
	str_addf(context, "%s\n", hex);
	return 0;
}

/* What is new comes as git rev-list has it. */
static void test_order(void **state)
{
	struct tangle t;

	(void)state;
	tangle_init(&t, 20260105, 0);
	for (int b = 0; b < TANGLE_N - 1; b += 3) {
		char tip[OID_HEX_SIZE], held[OID_HEX_SIZE + 1] = "^";
		char *gitdir = mem_format("--git-dir=%s", history_dir(t.h));
		const char *argv[] = {"git", gitdir, "rev-list", tip, held, NULL};
		const struct walk_range range = {&t.oids[TANGLE_N - 1], 1, &t.oids[b], 1};
		struct spawn s = SPAWN_INIT;
		struct str got, expected;
		int status;

		str_init(&got);
		str_init(&expected);
		oid_hex(&t.oids[TANGLE_N - 1], tip);
		oid_hex(&t.oids[b], held + 1);
		s.argv = argv;
		assert_int_equal(spawn_capture(&s, 1 << 16, &expected, &status, NULL), 0);
		assert_int_equal(status, 0);
		assert_int_equal(walk_new(t.r, &range, add_line, &got, NULL), 0);
		assert_string_equal(got.buf, expected.buf);
		str_clear(&got);
		str_clear(&expected);
		free(gitdir);
	}
	tangle_clear(&t);
}

/* ---- what must have no say ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name), *folder = path_dir(path);

	assert_int_equal(files_make_folder(folder, 0755, NULL), 0);
	assert_int_equal(files_replace(path, text, strlen(text), 0644, NULL), 0);
	free(folder);
	free(path);
}

/* A pusher may push refs/replace/; grafts and the file `shallow` say who has which parents. */
static void test_outside(void **state)
{
	struct history *h = history_new("a b:a c:b x ");
	struct oid a = history_oid(h, "a"), b = history_oid(h, "b"), c = history_oid(h, "c");
	struct oid x = history_oid(h, "x"), base;
	char b_hex[OID_HEX_SIZE], x_hex[OID_HEX_SIZE], *text;
	struct repository *r = NULL;
	struct commit commit;

	(void)state;
	oid_hex(&b, b_hex);
	oid_hex(&x, x_hex);
	text = mem_format("refs/replace/%s", b_hex);
	write_file(history_dir(h), text, x_hex);
	free(text);
	text = mem_format("%s %s\n", b_hex, x_hex);
	write_file(history_dir(h), "info/grafts", text);
	free(text);
	text = mem_format("%s\n", b_hex);
	write_file(history_dir(h), "shallow", text);
	free(text);
	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, NULL), 0);
	assert_int_equal(walk_holds(r, &c, 1, &a, NULL), 1);
	assert_int_equal(walk_holds(r, &c, 1, &x, NULL), 0);
	assert_int_equal(walk_merge_base(&base, r, &c, &a, NULL), 1);
	assert_true(oid_equal(&base, &a));
	assert_int_equal(commit_read(&commit, r, &b, NULL), 0);
	assert_int_equal(commit.n_parents, 1);
	assert_true(oid_equal(&commit.parents[0], &a));
	commit_clear(&commit);
	repository_free(r);
	history_free(h);
}

static void test_missing(void **state)
{
	struct history *h = history_new("a ");
	struct oid tip = history_oid(h, "a"), nowhere = {{1, 2, 3}}, base;
	const struct walk_range range = {&tip, 1, &nowhere, 1};
	struct repository *r = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e), 0);
	assert_int_equal(walk_holds(r, &tip, 1, &nowhere, &e), -1);
	assert_non_null(strstr(e.text, "0102030000000000000000000000000000000000 cannot be read"));
	err_clear(&e);
	assert_int_equal(walk_merge_base(&base, r, &tip, &nowhere, &e), -1);
	assert_non_null(strstr(e.text, "0102030000000000000000000000000000000000 cannot be read"));
	err_clear(&e);
	assert_int_equal(walk_new(r, &range, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.text, "0102030000000000000000000000000000000000 cannot be read"));
	repository_free(r);
	history_free(h);
	err_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_merge_base),
		cmocka_unit_test(test_tangles),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
