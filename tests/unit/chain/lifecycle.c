/* chain/lifecycle: what each step leaves, and what may be asked for in each state. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/lifecycle.h"
#include "chain/pipeline.h"

#define NOW INT64_C(1000000000)

/* A pipeline with stages of these statuses, "success running created"; "*" before one: manual. */
static struct pipeline make(const char *statuses)
{
	struct pipeline p = {.id = 7, .ref = mem_strdup("refs/heads/prod")};
	struct strlist words = {0};

	strlist_split(&words, statuses, ' ');
	p.n_stages = words.n;
	p.stages = mem_zalloc(words.n, sizeof(*p.stages));
	for (size_t i = 0; i < words.n; i++) {
		const char *word = words.v[i];

		if (*word == '*')
			p.stages[i].start = PIPELINE_START_MANUAL;
		assert_int_equal(status_parse(&p.stages[i].status, word + (*word == '*')), 0);
		p.stages[i].name = mem_format("s%zu", i);
		p.stages[i].message = mem_strdup("");
	}
	strlist_clear(&words);
	p.status = lifecycle_status(&p);
	return p;
}

static char *show(const struct pipeline *p)
{
	struct str text;

	str_init(&text);
	str_addf(&text, "%s:", status_text(p->status));
	for (size_t i = 0; i < p->n_stages; i++)
		str_addf(&text, " %s", status_text(p->stages[i].status));
	return str_steal(&text);
}

static void check(struct pipeline *p, const char *what, const char *expected)
{
	char *got = show(p);

	if (strcmp(got, expected) != 0)
		fail_msg("%s gave \"%s\", not \"%s\"", what, got, expected);
	free(got);
	pipeline_clear(p);
}

static void test_status(void **state)
{
	static const char *const rows[][2] = {
		{"pending created", "pending"},
		{"manual created", "manual"},
		{"running created", "running"},
		{"success pending", "running"},
		{"success running created", "running"},
		{"success manual created", "manual"},
		{"success success", "success"},
		{"failed created", "failed"},
		{"success failed created", "failed"},
		{"failed skipped", "failed"},
		{"success canceled", "canceled"},
		{"running canceled", "running"},
		{"success skipped skipped", "skipped"},
		{"skipped skipped", "skipped"},
		{"running skipped", "running"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipeline p = make(rows[i][0]);

		if (strcmp(status_text(p.status), rows[i][1]) != 0)
			fail_msg("%s: %s, not %s", rows[i][0], status_text(p.status), rows[i][1]);
		pipeline_clear(&p);
	}
}

static void test_create(void **state)
{
	struct pipeline p = make("created created");
	struct pipeline manual = make("*created *created");

	(void)state;
	lifecycle_create(&p, NOW);
	assert_int_equal(p.created_at, NOW);
	check(&p, "automatic", "pending: pending created");
	lifecycle_create(&manual, NOW);
	check(&manual, "manual", "manual: manual created");
}

struct ending {
	const char *stages; /* the first that runs ends */
	enum lifecycle_ending how;
	int64_t failures; /* before; 2 retries are allowed */
	enum pipeline_cancel cancel;
	const char *expected;
};

static const struct ending endings[] = {
	{"running created", LIFECYCLE_SUCCEEDED, 0, PIPELINE_GOES_ON, "running: success pending"},
	{"running *created", LIFECYCLE_SUCCEEDED, 0, PIPELINE_GOES_ON, "manual: success manual"},
	{"success running", LIFECYCLE_SUCCEEDED, 0, PIPELINE_GOES_ON, "success: success success"},
	{"running created", LIFECYCLE_FAILED, 0, PIPELINE_GOES_ON, "failed: failed created"},
	{"running created", LIFECYCLE_AGAIN, 0, PIPELINE_GOES_ON, "pending: pending created"},
	{"running created", LIFECYCLE_AGAIN, 1, PIPELINE_GOES_ON, "pending: pending created"},
	{"running created", LIFECYCLE_AGAIN, 2, PIPELINE_GOES_ON, "failed: failed created"},
	{"running created", LIFECYCLE_INTERRUPTED, 2, PIPELINE_GOES_ON, "pending: pending created"},
	{"running canceled", LIFECYCLE_CANCELED, 0, PIPELINE_CANCEL_REQUESTED,
		"canceled: canceled canceled"},
	{"running canceled", LIFECYCLE_AGAIN, 0, PIPELINE_CANCEL_REQUESTED,
		"canceled: canceled canceled"},
	{"running canceled", LIFECYCLE_AGAIN, 2, PIPELINE_CANCEL_REQUESTED,
		"canceled: canceled canceled"},
	{"running canceled", LIFECYCLE_FAILED, 0, PIPELINE_CANCEL_REQUESTED,
		"canceled: canceled canceled"},
	{"running canceled", LIFECYCLE_INTERRUPTED, 0, PIPELINE_CANCEL_REQUESTED,
		"canceled: canceled canceled"},
	{"running canceled", LIFECYCLE_SUCCEEDED, 0, PIPELINE_CANCEL_REQUESTED,
		"canceled: success canceled"},
	{"running skipped", LIFECYCLE_SUCCEEDED, 0, PIPELINE_GOES_ON, "skipped: success skipped"},
};

static void test_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct ending *row = &endings[i];
		const struct lifecycle_outcome outcome = {row->how, "why", 2};
		struct pipeline p = make(row->stages);
		struct pipeline_stage *stage = p.stages;

		while (stage->status != STATUS_RUNNING)
			stage++;
		stage->failures = row->failures;
		p.cancel = row->cancel;
		lifecycle_end(&p, stage, &outcome, NOW);
		assert_string_equal(stage->message, "why");
		assert_int_equal(p.finished_at, status_is_final(p.status) ? NOW : 0);
		check(&p, row->stages, row->expected);
	}
}

/* What the stage said itself is worth more than what the runner can say of it. */
static void test_message(void **state)
{
	const struct lifecycle_outcome outcome = {LIFECYCLE_FAILED, "exit status 1", 0};
	struct pipeline p = make("running");

	(void)state;
	free(p.stages[0].message);
	p.stages[0].message = mem_strdup("disk full");
	lifecycle_end(&p, &p.stages[0], &outcome, NOW);
	assert_string_equal(p.stages[0].message, "disk full");
	pipeline_clear(&p);
}

static void test_delays_grow(void **state)
{
	const struct lifecycle_outcome again = {LIFECYCLE_AGAIN, NULL, 100};
	struct pipeline p = make("running");
	int64_t before = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		lifecycle_end(&p, &p.stages[0], &again, NOW);
		assert_true(p.stages[0].not_before - NOW >= before);
		before = p.stages[0].not_before - NOW;
		assert_int_equal(before == LIFECYCLE_DELAY, i == 0);
		assert_true(before <= LIFECYCLE_MAX_DELAY);
		lifecycle_start(&p, &p.stages[0], NOW);
	}
	assert_int_equal(before, LIFECYCLE_MAX_DELAY);
	assert_int_equal(p.stages[0].attempt, 20);
	pipeline_clear(&p);
}

static void test_overtaken(void **state)
{
	static const char *const rows[][2] = {
		{"manual created", "skipped: skipped skipped"},
		{"success manual created", "skipped: success skipped skipped"},
		{"pending created", "skipped: skipped skipped"},
		{"failed created", "failed: failed skipped"},
		{"running created", "running: running skipped"},
		{"success success", "success: success success"},
		{"canceled canceled", "canceled: canceled canceled"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipeline p = make(rows[i][0]);

		lifecycle_overtaken(&p, 9, NOW);
		check(&p, rows[i][0], rows[i][1]);
	}
}

enum asked { PLAY, RETRY, CANCEL };
static const char *const asked_words[] = {"play", "retry", "cancel"};

struct wish {
	enum asked asked;
	const char *stages;
	size_t at; /* the stage it is about */
	int64_t newer;
	const char *expected; /* NULL: refused, and nothing changes */
};

static const struct wish wishes[] = {
	{PLAY, "manual created", 0, 0, "pending: pending created"},
	{PLAY, "success manual", 1, 0, "running: success pending"},
	{PLAY, "success manual", 1, 9, NULL},
	{PLAY, "manual created", 1, 0, NULL},
	{PLAY, "pending created", 0, 0, NULL},
	{PLAY, "running created", 0, 0, NULL},
	{PLAY, "success manual", 0, 0, NULL},
	{PLAY, "failed created", 0, 0, NULL},
	{PLAY, "canceled canceled", 0, 0, NULL},
	{PLAY, "skipped skipped", 0, 0, NULL},
	{RETRY, "failed created", 0, 0, "pending: pending created"},
	{RETRY, "success failed", 1, 0, "running: success pending"},
	{RETRY, "success failed", 1, 9, NULL},
	{RETRY, "failed created", 1, 0, NULL},
	{RETRY, "manual created", 0, 0, NULL},
	{RETRY, "pending created", 0, 0, NULL},
	{RETRY, "running created", 0, 0, NULL},
	{RETRY, "success success", 0, 0, NULL},
	{RETRY, "canceled canceled", 0, 0, NULL},
	{RETRY, "skipped skipped", 0, 0, NULL},
	{CANCEL, "pending created", 0, 0, "canceled: canceled canceled"},
	{CANCEL, "manual created", 0, 0, "canceled: canceled canceled"},
	{CANCEL, "success manual created", 0, 0, "canceled: success canceled canceled"},
	{CANCEL, "running created", 0, 0, "running: running canceled"},
	{CANCEL, "success success", 0, 0, NULL},
	{CANCEL, "failed created", 0, 0, NULL},
	{CANCEL, "canceled canceled", 0, 0, NULL},
	{CANCEL, "success skipped", 0, 0, NULL},
};

static int ask(struct pipeline *p, const struct wish *w, struct err *e)
{
	switch (w->asked) {
	case PLAY:
		return lifecycle_play(p, &p->stages[w->at], w->newer, e);
	case RETRY:
		return lifecycle_retry(p, &p->stages[w->at], w->newer, e);
	default:
		return lifecycle_cancel(p, NOW, e);
	}
}

static void test_wishes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish *w = &wishes[i];
		struct pipeline p = make(w->stages);
		struct err e = ERR_INIT;
		char *before = show(&p);
		char *what = mem_format("%s of %s", asked_words[w->asked], w->stages);
		int done = ask(&p, w, &e);

		if (done != (w->expected != NULL))
			fail_msg("%s: %d, %s", what, done, err_text(&e));
		assert_int_equal(e.text != NULL, done == 0);
		check(&p, what, w->expected != NULL ? w->expected : before);
		free(before);
		free(what);
		err_clear(&e);
	}
}

/* What is refused says what to call instead, ready to be copied. */
static void test_remedies(void **state)
{
	static const struct {
		struct wish wish;
		const char *words;
	} rows[] = {
		{{PLAY, "manual created", 1, 0, NULL},
			"stage s1 is created: the stages before it have not succeeded; next: "
			"modelgate play 7 s0"},
		{{PLAY, "success failed created", 2, 0, NULL},
			"stage s2 is created: the stages before it have not succeeded; next: "
			"modelgate retry 7 s1"},
		{{PLAY, "running created", 1, 0, NULL},
			"stage s1 is created: the stages before it have not succeeded"},
		{{RETRY, "success manual created", 2, 0, NULL},
			"stage s2 is created: the stages before it have not succeeded; next: "
			"modelgate play 7 s1"},
		{{RETRY, "success manual", 1, 0, NULL},
			"stage s1 is manual: start it with modelgate play 7 s1"},
		{{PLAY, "failed created", 0, 0, NULL},
			"stage s0 is failed: run it again with modelgate retry 7 s0"},
		{{RETRY, "running created", 0, 0, NULL},
			"stage s0 is running: it has been started; wait for its end, or stop it "
			"with modelgate cancel 7"},
		{{PLAY, "canceled canceled", 1, 0, NULL},
			"stage s1 is canceled: a canceled pipeline does not go on; for a new one, "
			"merge something new into its source and that into prod"},
		{{RETRY, "canceled canceled", 0, 0, NULL},
			"stage s0 is canceled: a canceled pipeline does not go on; for a new one, "
			"merge something new into its source and that into prod"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipeline p = make(rows[i].wish.stages);
		struct err e = ERR_INIT;

		assert_int_equal(ask(&p, &rows[i].wish, &e), 0);
		if (strcmp(err_text(&e), rows[i].words) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].wish.stages, err_text(&e),
				rows[i].words);
		err_clear(&e);
		pipeline_clear(&p);
	}
}

/* A cancel is remembered only while there is something for the runner to end. */
static void test_cancel_is_remembered(void **state)
{
	struct pipeline p = make("running created"), idle = make("pending created");
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(lifecycle_cancel(&p, NOW, &e), 1);
	assert_int_equal(p.cancel, PIPELINE_CANCEL_REQUESTED);
	assert_int_equal(lifecycle_cancel(&p, NOW, &e), 0);
	assert_non_null(strstr(err_text(&e), "being canceled"));
	assert_int_equal(lifecycle_cancel(&idle, NOW, &e), 1);
	assert_int_equal(idle.cancel, PIPELINE_GOES_ON);
	pipeline_clear(&p);
	pipeline_clear(&idle);
	err_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_status),
		cmocka_unit_test(test_create), cmocka_unit_test(test_end),
		cmocka_unit_test(test_message), cmocka_unit_test(test_delays_grow),
		cmocka_unit_test(test_overtaken), cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_remedies), cmocka_unit_test(test_cancel_is_remembered)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
