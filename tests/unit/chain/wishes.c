/*
 * chain/lifecycle: play, retry and cancel, each in every state of pipeline and stage, with and without a
 * newer pipeline that has started.
 */
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
#define ID 7
#define NEWER 9

/*
 * Pipeline 7 with two stages, s0 and s1, of which s0 is asked for; both are in the state of the row.  What
 * each wish gives: after "=", the states it leaves; else why it is refused, and nothing has changed.
 */
struct row {
	enum status first, second;
	const char *play, *play_over_newer, *retry, *retry_over_newer, *cancel;
};

#define OVERTAKEN                                                                                  \
	"pipeline 9 of the same branch is newer and has started: use that one (modelgate status "  \
	"9) instead of 7"

#define NOT_YET "stage s0 is created: the stages before it have not succeeded"
#define COMES "stage s0 is pending: it starts as soon as the runner comes to it"
#define RUNS                                                                                       \
	"stage s0 is running: it has been started; wait for its end, or stop it with modelgate "   \
	"cancel 7"
#define DEAD                                                                                       \
	"stage s0 is canceled: a canceled pipeline does not go on; for a new one, merge "          \
	"something new into its source and that into prod"
#define SKIPPED "stage s0 is skipped: a newer pipeline of the branch has started; "

static const struct row rows[] = {
	{STATUS_CREATED, STATUS_CREATED, NOT_YET, NOT_YET, NOT_YET, NOT_YET,
		"=canceled: canceled canceled"},
	{STATUS_PENDING, STATUS_CREATED, COMES, COMES, COMES, COMES,
		"=canceled: canceled canceled"},
	{STATUS_RUNNING, STATUS_CREATED, RUNS, RUNS, RUNS, RUNS, "=running: running canceled"},
	{STATUS_MANUAL, STATUS_CREATED, "=pending: pending created", OVERTAKEN,
		"stage s0 is manual: start it with modelgate play 7 s0", OVERTAKEN,
		"=canceled: canceled canceled"},
	{STATUS_SUCCESS, STATUS_SUCCESS, "stage s0 is success: it is done",
		"stage s0 is success: it is done",
		"stage s0 is success: only a failed stage is run again",
		"stage s0 is success: only a failed stage is run again",
		"pipeline 7 has ended (success): there is nothing to cancel"},
	{STATUS_FAILED, STATUS_CREATED,
		"stage s0 is failed: run it again with modelgate retry 7 s0", OVERTAKEN,
		"=pending: pending created", OVERTAKEN,
		"pipeline 7 has ended (failed): there is nothing to cancel"},
	{STATUS_CANCELED, STATUS_CANCELED, DEAD, DEAD, DEAD, DEAD,
		"pipeline 7 has ended (canceled): there is nothing to cancel"},
	{STATUS_SKIPPED, STATUS_SKIPPED, SKIPPED "play that one", SKIPPED "play that one",
		SKIPPED "see that one", SKIPPED "see that one",
		"pipeline 7 has ended (skipped): there is nothing to cancel"},
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == STATUS_COUNT, "every state has a row");

enum verb { PLAY, RETRY, CANCEL };
static const char *const verbs[] = {"play", "retry", "cancel"};

static struct pipeline make(const struct row *row)
{
	const enum status statuses[] = {row->first, row->second};
	struct pipeline p = {.id = ID, .ref = mem_strdup("refs/heads/prod"), .n_stages = 2};

	p.stages = mem_zalloc(p.n_stages, sizeof(*p.stages));
	for (size_t i = 0; i < p.n_stages; i++) {
		p.stages[i].status = statuses[i];
		p.stages[i].start = PIPELINE_START_MANUAL;
		p.stages[i].name = mem_format("s%zu", i);
		p.stages[i].message = mem_strdup("");
	}
	p.status = lifecycle_status(&p);
	return p;
}

/* "=pipeline: stage stage". */
static char *show(const struct pipeline *p)
{
	struct str text;

	str_init(&text);
	str_addf(&text, "=%s:", status_text(p->status));
	for (size_t i = 0; i < p->n_stages; i++)
		str_addf(&text, " %s", status_text(p->stages[i].status));
	return str_steal(&text);
}

static int ask(struct pipeline *p, enum verb verb, int64_t newer, struct err *e)
{
	if (verb == PLAY)
		return lifecycle_play(p, &p->stages[0], newer, e);
	if (verb == RETRY)
		return lifecycle_retry(p, &p->stages[0], newer, e);
	return lifecycle_cancel(p, NOW, e);
}

static void check(const struct row *row, enum verb verb, int64_t newer, const char *expected)
{
	struct pipeline p = make(row);
	struct err e = ERR_INIT;
	char *before = show(&p), *after, *got;
	int done = ask(&p, verb, newer, &e);

	after = show(&p);
	got = mem_strdup(done == 1 ? after : err_text(&e));
	if (done != (*expected == '=') || strcmp(got, expected) != 0)
		fail_msg("%s of %s%s gave %d, \"%s\", not \"%s\"", verbs[verb], before,
			newer != 0 ? " over a newer one" : "", done, got, expected);
	if (done != 1 && strcmp(before, after) != 0)
		fail_msg("%s of %s was refused and left %s", verbs[verb], before, after);
	free(got);
	free(after);
	free(before);
	err_clear(&e);
	pipeline_clear(&p);
}

static void test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < STATUS_COUNT; i++) {
		const struct row *row = &rows[i];

		/* The state of the pipeline is that of the row too. */
		struct pipeline p = make(row);

		assert_int_equal(p.status, row->first);
		pipeline_clear(&p);
		check(row, PLAY, 0, row->play);
		check(row, PLAY, NEWER, row->play_over_newer);
		check(row, RETRY, 0, row->retry);
		check(row, RETRY, NEWER, row->retry_over_newer);
		check(row, CANCEL, 0, row->cancel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
