/* The limits of the search for squashes: what happens at each, and just before it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "gate/sources.h"
#include "gate/squash.h"
#include "gate/trail.h"
#include "git/merge.h"
#include "git/repository.h"
#include "history.h"

/* dev: d, with the new file g; on main, x and y are direct commits and s is a squash of d on top of y */
#define HISTORY "a+f d:a+g x:a+1 y:x+2 s:y+g "

struct scene {
	struct history *history;
	struct repository *repository;
	struct source source;
	struct sources sources;
	struct trail_range range;
};

static void make(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->history = history_new(HISTORY);
	assert_int_equal(
		repository_open(&s->repository, history_dir(s->history), REPOSITORY_OBJECTS, NULL),
		0);
	s->source.ref = (char *)"refs/heads/dev";
	s->source.tip = history_oid(s->history, "d");
	s->sources = (struct sources){&s->source, 1, 1, SOURCES_SOME};
	s->range.repository = s->repository;
	s->range.merges = merges_new(s->repository, history_dir(s->history));
	s->range.sources = &s->sources;
	s->range.old = history_oid(s->history, "a");
	s->range.new = history_oid(s->history, "s");
}

static void clear(struct scene *s)
{
	merges_free(s->range.merges);
	repository_free(s->repository);
	history_free(s->history);
}

/* As many commits as decide; the ones above them are taken for direct without a look. */
static void test_max_direct(void **state)
{
	static const struct {
		size_t max_direct;
		enum step_class class; /* of s */
	} rows[] = {{0, STEP_SQUASH}, {3, STEP_SQUASH}, {2, STEP_DIRECT}, {1, STEP_DIRECT}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene s;
		struct trail trail;

		make(&s);
		s.range.max_direct = rows[i].max_direct;
		assert_int_equal(trail_walk(&trail, &s.range, NULL), 0);
		if (trail.v[0].class != rows[i].class)
			fail_msg("after %zu: expected class %d, got %d", rows[i].max_direct,
				(int)rows[i].class, (int)trail.v[0].class);
		trail_clear(&trail);
		clear(&s);
	}
}

/* The last comparison still counts; one more cannot be told, or is direct where that may be. */
static void test_max_compared(void **state)
{
	static const struct {
		size_t compared; /* before */
		size_t max_direct;
		int expected;
	} rows[] = {{0, 50, 1}, {SQUASH_MAX_COMPARED - 1, 50, 1}, {SQUASH_MAX_COMPARED, 50, -1},
		{SQUASH_MAX_COMPARED - 1, 0, 1}, {SQUASH_MAX_COMPARED, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squash_search search = {.compared = rows[i].compared};
		struct err e = ERR_INIT;
		const struct source *which = NULL;
		struct commit commit;
		struct oid held;
		struct scene s;
		int found;

		make(&s);
		s.range.max_direct = rows[i].max_direct;
		search.range = &s.range;
		assert_int_equal(commit_read(&commit, s.repository, &s.range.new, NULL), 0);
		found = squash_find(&which, &held, &search, &commit, &e);
		if (found != rows[i].expected)
			fail_msg("row %zu: expected %d, got %d", i, rows[i].expected, found);
		if (found < 0)
			assert_non_null(strstr(err_text(&e), "push in smaller parts"));
		if (found > 0)
			assert_ptr_equal(which, &s.source);
		commit_clear(&commit);
		squash_clear(&search);
		err_clear(&e);
		clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_max_direct),
		cmocka_unit_test(test_max_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
