/* Which version comes back: by the order in which they came to Production, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/rollback.h"

#include "fixture.h"
#include "stage/registry.h"

/* Newest first, as a registry gives them; version 0 ends them. */
struct row {
	struct {
		int64_t version;
		const char *stage;
		int64_t since; /* in Production for the first time */
		int64_t rolled_back;
	} v[5];
	int64_t to;
	int64_t version; /* 0: refused */
	int64_t current;
	const char *said;
};

#define P REGISTRY_PRODUCTION
#define A REGISTRY_ARCHIVED
#define S REGISTRY_STAGING

static const struct row rows[] = {
	/* the one before; twice goes further back, and to nothing from the first one */
	{{{3, P, 30, 0}, {2, A, 20, 0}, {1, A, 10, 0}}, 0, 2, 3, NULL},
	{{{3, A, 30, 40}, {2, P, 20, 0}, {1, A, 10, 0}}, 0, 1, 2, NULL},
	{{{3, A, 30, 40}, {2, A, 20, 50}, {1, P, 10, 0}}, 0, 0, 1,
		"no version was in Production before the one that is there; --to takes 3, 2"},
	/* by time, not by number */
	{{{3, A, 10, 0}, {2, P, 30, 0}, {1, A, 20, 0}}, 0, 1, 2, NULL},
	{{{3, A, 40, 0}, {2, P, 30, 0}, {1, A, 20, 0}}, 0, 1, 2, NULL},
	{{{3, A, 20, 0}, {2, P, 20, 0}, {1, A, 20, 0}}, 0, 1, 2, NULL},
	/* what was in Staging alone is none */
	{{{4, P, 40, 0}, {3, S, 0, 0}, {2, A, 0, 0}, {1, A, 10, 0}}, 0, 1, 4, NULL},
	{{{2, P, 20, 0}, {1, S, 10, 0}}, 0, 1, 2, NULL},
	/* 2 was bad, and rolled back before 3 came */
	{{{3, P, 30, 0}, {2, A, 20, 25}, {1, A, 10, 0}}, 0, 1, 3, NULL},
	{{{3, P, 30, 0}, {2, A, 20, 25}, {1, A, 10, 0}}, 2, 2, 3, NULL},
	{{{3, P, 30, 0}, {2, A, 20, 25}}, 0, 0, 3,
		"no version was in Production before the one that is there; --to takes 2"},
	/* killed between the mark and the move */
	{{{3, P, 30, 40}, {2, A, 20, 0}, {1, A, 10, 0}}, 0, 2, 3, NULL},
	/* by number, forth too */
	{{{3, P, 30, 0}, {2, A, 20, 0}, {1, A, 10, 0}}, 1, 1, 3, NULL},
	{{{3, A, 30, 40}, {2, A, 20, 40}, {1, P, 10, 0}}, 3, 3, 1, NULL},
	{{{3, A, 30, 0}, {2, A, 20, 0}, {1, A, 10, 0}}, 2, 2, 0, NULL},
	/* refused, with what is possible */
	{{{3, P, 30, 0}, {2, A, 20, 0}, {1, A, 10, 0}}, 3, 0, 3,
		"that version is in Production; --to takes 2, 1"},
	{{{3, P, 30, 0}, {2, A, 0, 0}, {1, A, 10, 0}}, 2, 0, 3,
		"that version was never in Production; --to takes 1"},
	{{{3, P, 30, 0}, {2, A, 20, 0}}, 9, 0, 3, "there is no such version; --to takes 2"},
	{{{3, A, 30, 0}, {2, A, 20, 0}}, 0, 0, 0, "no version is in Production; --to takes 3, 2"},
	{{{1, P, 10, 0}}, 0, 0, 1,
		"no version was in Production before the one that is there; no other version was "
		"ever there"},
	{{{1, S, 0, 0}}, 0, 0, 0, "no version is in Production; no other version was ever there"},
	{{{0, NULL, 0, 0}}, 0, 0, 0,
		"no version is in Production; no other version was ever there"},
	{{{0, NULL, 0, 0}}, 1, 0, 0, "there is no such version; no other version was ever there"},
};

static void test_choose(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct registry_versions l = {0};
		struct err e = ERR_INIT;
		int64_t current = -1, version = -1;
		int result;

		for (size_t k = 0; k < 5 && row->v[k].version != 0; k++) {
			mem_grow(&l.v, l.n, &l.cap, sizeof(*l.v));
			l.v[l.n++] = (struct registry_version){.version = row->v[k].version,
				.stage = mem_strdup(row->v[k].stage),
				.production_since = row->v[k].since,
				.rolled_back = row->v[k].rolled_back};
		}
		result = rollback_choose(&l, row->to, &current, &version, &e);
		if (result != (row->version != 0) || version != row->version ||
			current != row->current)
			fail_msg("row %zu: %d, version %lld in place of %lld: %s", i, result,
				(long long)version, (long long)current, err_text(&e));
		if (row->said != NULL)
			assert_string_equal(err_text(&e), row->said);
		err_clear(&e);
		registry_versions_clear(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_choose)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
