/* walk_holds: does a tip hold a commit?  Exact also where commit dates lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "git/repository.h"
#include "git/walk.h"
#include "history.h"

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

/* Every pair of a tangled history, against the obvious recursive answer. */
#define TANGLE_N 40

static int reaches(const unsigned long long *parents, int from, int to)
{
	if (from == to)
		return 1;
	for (int p = 0; p < TANGLE_N; p++)
		if (parents[from] >> p & 1 && reaches(parents, p, to))
			return 1;
	return 0;
}

static void test_tangle(void **state)
{
	unsigned long long parents[TANGLE_N] = {0}, seed = 20260101;
	struct repository *r = NULL;
	struct err e = ERR_INIT;
	struct history *h;
	struct str text;

	(void)state;
	str_init(&text);
	for (int i = 0; i < TANGLE_N; i++) {
		str_addf(&text, "c%d", i);
		for (int k = 0; k < 2 && i > 0; k++) {
			int p;

			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			p = (int)(seed >> 33) % (i < 6 ? i : 6) + (i < 6 ? 0 : i - 6);
			if (parents[i] >> p & 1)
				continue;
			str_addf(&text, "%sc%d", parents[i] ? "," : ":", p);
			parents[i] |= 1ULL << p;
		}
		str_addf(&text, "@%d ", (int)(seed >> 40) % 2000 - 1000);
	}
	h = history_new(text.buf);
	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e), 0);
	for (int a = 0; a < TANGLE_N; a++)
		for (int b = 0; b < TANGLE_N; b++) {
			char x[16], y[16];
			struct oid tip, oid;
			int got, expected = reaches(parents, a, b);

			(void)snprintf(x, sizeof(x), "c%d", a);
			(void)snprintf(y, sizeof(y), "c%d", b);
			tip = history_oid(h, x);
			oid = history_oid(h, y);
			got = walk_holds(r, &tip, 1, &oid, &e);
			if (got != expected)
				fail_msg("%s holds %s: expected %d, got %d", x, y, expected, got);
		}
	repository_free(r);
	history_free(h);
	str_clear(&text);
}

static void test_missing(void **state)
{
	struct history *h = history_new("a ");
	struct oid tip = history_oid(h, "a"), nowhere = {{1, 2, 3}};
	struct repository *r = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e), 0);
	assert_int_equal(walk_holds(r, &tip, 1, &nowhere, &e), -1);
	assert_non_null(strstr(e.text, "0102030000000000000000000000000000000000 cannot be read"));
	repository_free(r);
	history_free(h);
	err_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_tangle),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
