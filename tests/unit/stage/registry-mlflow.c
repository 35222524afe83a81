/*
 * The registry of an MLflow server: what it has at the end, undisturbed, and after a fault at each call
 * that changes something.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mlflow-bench.h"

#include <fcntl.h>
#include <unistd.h>

/* STEPS: "1S 2P 1B": version and stage, B being the way back to Production.  What the last one gave. */
static int go(struct bench *b, const char *steps, struct err *e)
{
	static const struct {
		char letter;
		const char *stage;
		enum registry_direction direction;
	} moves[] = {{'S', REGISTRY_STAGING, REGISTRY_FORWARD},
		{'P', REGISTRY_PRODUCTION, REGISTRY_FORWARD},
		{'B', REGISTRY_PRODUCTION, REGISTRY_BACK},
		{'A', REGISTRY_ARCHIVED, REGISTRY_FORWARD}, {'N', REGISTRY_NONE, REGISTRY_FORWARD}};
	int result = 0;

	for (const char *at = steps; *at != '\0'; at += at[2] == ' ' ? 3 : 2)
		for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
			const struct registry_move m = {.model = "churn",
				.version = at[0] - '0',
				.to = moves[i].stage,
				.direction = moves[i].direction,
				.owner = OWNER};

			if (moves[i].letter == at[1])
				result = registry_transition(b->r, &m, e);
		}
	return result;
}

static void prepare(struct bench *b, const char *steps)
{
	struct err e = ERR_INIT;

	for (int i = 1; i <= 3; i++)
		must_create(b, i, i);
	assert_true(go(b, steps, &e) >= 0);
	err_clear(&e);
}

/* ---- transitions ---- */

static const struct {
	const char *promotion;
	const char *before;
	const char *step;
	const char *after;
	int result;
} rows[] = {
	{"stages", "", "1S", "3:None+ 2:None+ 1:Staging+s", 1},
	{"stages", "1S", "1S", "3:None+ 2:None+ 1:Staging+s", 0},
	{"stages", "1S", "2S", "3:None+ 2:Staging+s 1:Archived+s", 1},
	{"stages", "1S 1P 2S", "2P", "3:None+ 2:Production+sp 1:Archived+sp", 1},
	{"stages", "1S 1P", "1A", "3:None+ 2:None+ 1:Archived+sp", 1},
	{"stages", "1S 1P", "1N", "3:None+ 2:None+ 1:None+sp", 1},
	{"aliases", "", "1S", "staging=1 3:None+ 2:None+ 1:None+s", 1},
	{"aliases", "1S", "1S", "staging=1 3:None+ 2:None+ 1:None+s", 0},
	{"aliases", "1S", "2S", "staging=2 3:None+ 2:None+s 1:None+s", 1},
	{"aliases", "1S 1P 2S", "2P", "production=2 3:None+ 2:None+sp 1:None+sp", 1},
	{"aliases", "1S 1P 2S", "3P", "production=3 staging=2 3:None+p 2:None+s 1:None+sp", 1},
	{"aliases", "1S 1P 2S", "1A", "staging=2 3:None+ 2:None+s 1:None+sp", 1},
	{"both", "", "1S", "staging=1 3:None+ 2:None+ 1:Staging+s", 1},
	{"both", "1S 1P 2S", "2P", "production=2 3:None+ 2:Production+sp 1:Archived+sp", 1},
	/* back, and what lies in between is rolled back, too; forth again, and it is no more */
	{"stages", "1P 2P 3P", "1B", "3:Archived+pr 2:Archived+pr 1:Production+p", 1},
	{"stages", "1P 2P 3P 1B", "3P", "3:Production+p 2:Archived+pr 1:Archived+p", 1},
	{"stages", "1P 2P 1B", "2B", "3:None+ 2:Production+p 1:Archived+p", 1},
	{"aliases", "1P 2P 3P", "1B", "production=1 3:None+pr 2:None+pr 1:None+p", 1},
	{"aliases", "1P 2P 1B", "2P", "production=2 3:None+ 2:None+p 1:None+p", 1},
	/* what was promoted anew is the last one; brought back, it keeps its place */
	{"stages", "1P 2P 1P", "2B", "3:None+ 2:Production+p 1:Archived+pr", 1},
	{"stages", "1P 2P 1B", "2B", "3:None+ 2:Production+p 1:Archived+p", 1},
	{"aliases", "1P 2P 3P 2P", "1B", "production=1 3:None+pr 2:None+pr 1:None+p", 1},
	{"both", "1P 2P", "1B", "production=1 3:None+ 2:Archived+pr 1:Production+p", 1},
};

static void test_transition(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *where = mem_format("row %zu", i);
		struct err e = ERR_INIT;
		struct bench b;

		bench_open(&b, state, rows[i].promotion);
		prepare(&b, rows[i].before);
		assert_result(go(&b, rows[i].step, &e), rows[i].result, &e);
		assert_shows(&b, rows[i].after, where);
		free(where);
		bench_close(&b);
	}
}

/* Ended before its K-th change, and run again: the same end.  How many changes there are. */
static size_t kill_at(void **state, size_t i, size_t k)
{
	char *where = mem_format("row %zu, ended before change %zu", i, k);
	struct err e = ERR_INIT;
	struct bench b;
	size_t before, n;

	bench_open(&b, state, rows[i].promotion);
	prepare(&b, rows[i].before);
	before = b.d.changes;
	b.d.refused_from = before + k;
	(void)go(&b, rows[i].step, &e); /* how far it came is what is varied */
	n = b.d.changes - before;
	err_clear(&e);
	b.d.refused_from = 0;
	assert_true(go(&b, rows[i].step, &e) >= 0);
	assert_shows(&b, rows[i].after, where);
	free(where);
	bench_close(&b);
	return n;
}

static void test_kill(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = 1;

		while (kill_at(state, i, k) >= k)
			k++;
		/* each row that moves something has been ended somewhere */
		if (rows[i].result == 1 && k < 2)
			fail_msg("row %zu changes nothing", i);
	}
}

/* An answer that is lost is asked for again, at once. */
static void test_lost(void **state)
{
	static const size_t some[] = {2, 3, 9, 13, 14};

	for (size_t n = 0; n < sizeof(some) / sizeof(some[0]); n++)
		for (size_t k = 1; k <= 2; k++) {
			size_t i = some[n];
			char *where = mem_format("row %zu, answer %zu lost", i, k);
			struct err e = ERR_INIT;
			struct bench b;

			bench_open(&b, state, rows[i].promotion);
			prepare(&b, rows[i].before);
			b.d.lost = b.d.changes + k;
			assert_result(go(&b, rows[i].step, &e), 1, &e);
			assert_shows(&b, rows[i].after, where);
			free(where);
			bench_close(&b);
		}
}

static void test_refused(void **state)
{
	static const struct {
		struct registry_move m;
		int result;
		const char *said;
	} moves[] = {
		{{.model = "churn", .version = 9, .to = REGISTRY_STAGING}, -1,
			"model churn has no version 9"},
		{{.model = "other", .version = 1, .to = REGISTRY_STAGING}, -1,
			"model other has no version 1"},
		{{.model = "churn", .version = 2, .to = REGISTRY_STAGING, .owner = "project-8"}, -1,
			"belongs to " OWNER "; this is project-8"},
		{{.model = "churn", .version = 1, .to = REGISTRY_STAGING, .from = REGISTRY_NONE}, 0,
			NULL},
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		struct err e = ERR_INIT;
		struct bench b;
		size_t changes;

		bench_open(&b, state, "stages");
		prepare(&b, "1P");
		changes = b.d.changes;
		assert_result(registry_transition(b.r, &moves[i].m, &e), moves[i].result, &e);
		if (moves[i].said != NULL)
			assert_says(&e, moves[i].said);
		assert_int_equal(b.d.changes, changes);
		bench_close(&b);
	}
}

/* A rollback that was killed has left a mark on what it was to leave: the next release takes it away. */
static void test_forward_after_killed_back(void **state)
{
	struct err e = ERR_INIT;
	struct bench b;

	bench_open(&b, state, "stages");
	prepare(&b, "1P 2P");
	b.d.refused_from = b.d.changes + 2;
	(void)go(&b, "1B", &e); /* how it fails does not matter */
	err_clear(&e);
	b.d.refused_from = 0;
	assert_shows(&b, "3:None+ 2:Production+pr 1:Archived+p", "killed");
	assert_result(go(&b, "3P", &e), 1, &e);
	assert_shows(&b, "3:Production+p 2:Archived+p 1:Archived+p", "then a release");
	bench_close(&b);
}

static void test_owner(void **state)
{
	static const struct {
		const char *model, *owner;
		int result;
	} owners[] = {{"churn", OWNER, 0}, {"churn", "project-8", -1}, {"unknown", "project-8", 0}};
	struct bench b;

	bench_open(&b, state, "stages");
	prepare(&b, "");
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		struct err e = ERR_INIT;

		assert_result(registry_check_owner(b.r, owners[i].model, owners[i].owner, &e),
			owners[i].result, &e);
		if (owners[i].result != 0)
			assert_says(&e, "belongs to " OWNER "; this is project-8");
	}
	bench_close(&b);
}

/* What somebody brought there by hand was there, too: MLflow forgets it, the tag does not. */
static void test_by_hand(void **state)
{
	struct err e = ERR_INIT;
	struct bench b;

	bench_open(&b, state, "stages");
	prepare(&b, "");
	free(b.d.versions[0].stage);
	b.d.versions[0].stage = mem_strdup(REGISTRY_PRODUCTION);
	free(b.d.versions[1].stage);
	b.d.versions[1].stage = mem_strdup(REGISTRY_STAGING);
	assert_result(go(&b, "3P", &e), 1, &e);
	assert_shows(&b, "3:Production+p 2:Staging+ 1:Archived+p", "by hand");
	assert_result(go(&b, "3S", &e), 1, &e);
	assert_shows(&b, "3:Staging+sp 2:Archived+s 1:Archived+p", "by hand");
	bench_close(&b);
}

/* ---- servers of another kind ---- */

/* What CALL prints goes to the file "log". */
static void redirect(int to[1])
{
	int file = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)fflush(stdout);
	to[0] = dup(STDOUT_FILENO);
	assert_true(file >= 0 && to[0] >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	assert_int_equal(close(file), 0);
}

static void restore(const int to[1])
{
	(void)fflush(stdout);
	assert_true(dup2(to[0], STDOUT_FILENO) >= 0);
	assert_int_equal(close(to[0]), 0);
}

static void test_no_stages(void **state)
{
	struct err e = ERR_INIT;
	struct str log;
	struct bench b;
	int to[1];

	bench_open(&b, state, "stages");
	b.d.stages = DOUBLE_NO_STAGES;
	prepare(&b, "");
	redirect(to);
	assert_int_equal(go(&b, "1S 1P 2S", &e), 1);
	restore(to);
	assert_shows(&b, "production=1 staging=2 3:None+ 2:None+s 1:None+sp", "no stages");
	str_init(&log);
	assert_int_equal(files_read("log", 10000, &log, NULL), 1);
	assert_non_null(
		strstr(log.buf, "this MLflow server has no stages any more: aliases are set "
				"instead; [registry] promotion = aliases says so"));
	str_clear(&log);
	assert_int_equal(go(&b, "2P", &e), 1);
	assert_int_equal(go(&b, "2P", &e), 0);
	assert_shows(&b, "production=2 3:None+ 2:None+sp 1:None+sp", "no stages");
	bench_close(&b);
}

/* ---- reading ---- */

/* As registry_find() has them: "3:None 2:Staging+ 1:Archived+". */
static void assert_found(struct bench *b, const char *md5, const char *expected)
{
	struct registry_versions l;
	struct err e = ERR_INIT;
	struct str s;

	str_init(&s);
	assert_result(registry_find(b->r, "churn", md5, &l, &e), 0, &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&s, "%s%lld:%s%s%s", i > 0 ? " " : "", (long long)l.v[i].version,
			l.v[i].stage, l.v[i].history == REGISTRY_ONCE_STAGED ? "+" : "",
			l.v[i].rolled_back != 0 ? "-" : "");
	assert_string_equal(s.buf, expected);
	str_clear(&s);
	registry_versions_clear(&l);
}

static void test_find(void **state)
{
	static const struct {
		const char *promotion;
		const char *steps;
		const char *expected;
	} finds[] = {
		{"stages", "1S 1P 2S 2P", "3:None 2:Production+ 1:Archived+"},
		{"aliases", "1S 1P 2S 2P", "3:None 2:Production+ 1:Archived+"},
		{"both", "1S 1P 2S 2P", "3:None 2:Production+ 1:Archived+"},
		{"stages", "1S 1P 2S 3S", "3:Staging+ 2:Archived+ 1:Production+"},
		{"aliases", "1S 1P 2S 3S", "3:Staging+ 2:Archived+ 1:Production+"},
		{"stages", "1P 2P 3P 1B", "3:Archived- 2:Archived- 1:Production"},
		{"aliases", "1P 2P 3P 2B", "3:Archived- 2:Production 1:Archived"},
	};

	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++)
		for (size_t page = 0; page < 3; page++) {
			struct bench b;

			bench_open(&b, state, finds[i].promotion);
			assert_found(&b, NULL, "");
			prepare(&b, finds[i].steps);
			b.d.page = page;
			assert_found(&b, NULL, finds[i].expected);
			assert_found(&b, "aa", finds[i].expected);
			assert_found(&b, "bb", "");
			bench_close(&b);
		}
}

/* A server that never comes to an end is not followed for ever. */
static void test_endless(void **state)
{
	struct registry_versions l;
	struct err e = ERR_INIT;
	struct bench b;

	bench_open(&b, state, "stages");
	prepare(&b, "");
	b.d.is_endless = 1;
	assert_int_equal(registry_find(b.r, "churn", NULL, &l, &e), -1);
	assert_says(&e, "model_versions has no end after 1000 pages");
	registry_versions_clear(&l);
	b.d.is_endless = 0;
	assert_found(&b, NULL, "3:None 2:None 1:None");
	bench_close(&b);
}

static void test_list(void **state)
{
	static const char *const promotions[] = {"stages", "aliases", "both"};
	static const struct {
		struct registry_page page;
		size_t n;
		int64_t total;
	} pages[] = {
		{{NULL, 10, 1}, 1, 1},
		{{"HUR", 10, 1}, 1, 1},
		{{"x", 10, 1}, 0, 0},
		{{NULL, 10, 2}, 0, 1},
	};

	for (size_t i = 0; i < 3; i++) {
		struct bench b;

		bench_open(&b, state, promotions[i]);
		prepare(&b, "3S");
		for (size_t k = 0; k < sizeof(pages) / sizeof(pages[0]); k++) {
			struct registry_models l;
			struct err e = ERR_INIT;

			assert_result(registry_list(b.r, &pages[k].page, &l, &e), 0, &e);
			assert_int_equal(l.n, pages[k].n);
			assert_int_equal(l.total, pages[k].total);
			if (l.n == 1) {
				assert_string_equal(l.v[0].name, "churn");
				assert_int_equal(l.v[0].latest, 3);
				assert_int_equal(l.v[0].staging, 3);
				assert_int_equal(l.v[0].production, 0);
				assert_string_equal(l.v[0].tags[0].value, OWNER);
			}
			registry_models_clear(&l);
		}
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_transition),
		scratch_test(test_kill),
		scratch_test(test_lost),
		scratch_test(test_refused),
		scratch_test(test_forward_after_killed_back),
		scratch_test(test_owner),
		scratch_test(test_by_hand),
		scratch_test(test_no_stages),
		scratch_test(test_find),
		scratch_test(test_endless),
		scratch_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
