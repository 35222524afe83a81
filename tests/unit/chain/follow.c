/* chain/follow: what is to be done next, for every state here and there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/follow.h"
#include "chain/gitlab.h"
#include "chain/pipeline.h"
#include "chain/remote.h"

#define NOW (1000 * CLOCK_SECOND)
#define JOB 70

/* The columns: GitLab's word for the stage's job; "-": it has no such job. */
static const char columns[] = "created pending running canceling manual success failed canceled "
			      "skipped waiting_for_resource waiting_for_callback -";

/* What stands in the table for each step. */
static const char *const step_words[] = {[FOLLOW_NOTHING] = ".",
	[FOLLOW_PLAYED] = "played",
	[FOLLOW_RETRIED] = "retried",
	[FOLLOW_CANCELED] = "canceled",
	[FOLLOW_STARTED] = "started",
	[FOLLOW_LOST] = "lost",
	[FOLLOW_SKIPPED] = "skipped",
	[FOLLOW_PLAY] = "PLAY",
	[FOLLOW_RETRY] = "RETRY",
	[FOLLOW_CANCEL] = "CANCEL"};
static const char *const ending_words[] = {[LIFECYCLE_SUCCEEDED] = "succeeded",
	[LIFECYCLE_FAILED] = "failed",
	[LIFECYCLE_CANCELED] = "ended",
	[LIFECYCLE_INTERRUPTED] = "replaced"};

/* What is recorded of the stage's job. */
#define NONE "none"   /* nothing */
#define BEGUN "begun" /* it began as this one */
#define ENDED "ended" /* this one's end is recorded */
#define OTHER "other" /* it ended as an earlier one */
#define GOES "goes"   /* it began as an earlier one */

struct row {
	const char *stage; /* our status */
	const char *known;
	const char *expected; /* a word a column */
};

static const struct row wanted[] = {
	/* what waits for what is before it, or has ended for good */
	{"created", NONE, ". . . . . . . . . . . ."},
	{"success", NONE, ". . . . . . . . . . . ."},
	{"canceled", NONE, ". . . . . . . . . . . ."},
	{"canceled", ENDED, ". . . . . . . . . . . ."},
	{"skipped", NONE, ". . . . . . . . . . . ."},
	/* what waits for a hand: it may be somebody's on GitLab's page */
	{"manual", NONE, ". played played played . played played canceled . played played ."},
	{"manual", OTHER, ". played played played . played played canceled . played played ."},
	/* what is to start */
	{"pending", NONE,
		". . started started PLAY started started canceled skipped . started lost"},
	{"pending", OTHER,
		". . started started PLAY started started canceled skipped . started lost"},
	{"pending", ENDED,
		"RETRY RETRY RETRY RETRY RETRY RETRY RETRY RETRY RETRY RETRY RETRY lost"},
	/* what runs */
	{"running", BEGUN, ". . . . . succeeded failed canceled canceled . . lost"},
	{"running", GOES,
		"replaced replaced replaced replaced replaced replaced replaced replaced replaced "
		"replaced replaced lost"},
	/* what has failed may be run again there */
	{"failed", NONE, ". retried retried retried . retried retried . . retried retried ."},
	{"failed", OTHER, ". retried retried retried . retried retried . . retried retried ."},
	{"failed", ENDED, ". . . . . . . . . . . ."},
};

/* Nobody wants it any more, here: only the end of what runs is taken note of. */
static const struct row unwanted[] = {
	{"created", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"manual", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"pending", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"failed", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"failed", ENDED, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"canceled", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"skipped", NONE, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"success", ENDED, "CANCEL CANCEL CANCEL . . . . . . CANCEL CANCEL ."},
	{"running", BEGUN,
		"CANCEL CANCEL CANCEL . . succeeded failed ended ended CANCEL CANCEL lost"},
};

/* A pipeline of the chain dev with one stage, build, which is GitLab's job JOB. */
struct world {
	struct pipeline p;
	struct pipeline_stage stage;
	struct gitlab_job job;
	struct remote_job known;
};

static void set_up(struct world *w, const struct row *row, const char *word)
{
	static char chain[] = "dev", build[] = "build", name[] = "dev:build";

	memset(w, 0, sizeof(*w));
	w->stage.name = build;
	assert_int_equal(status_parse(&w->stage.status, row->stage), 0);
	w->p.chain = chain;
	w->p.stages = &w->stage;
	w->p.n_stages = 1;
	w->job.id = JOB;
	w->job.name = name;
	w->job.word = mem_strdup(word);
	if (strcmp(word, "-") != 0)
		assert_int_equal(gitlab_status(&w->job.status, word), 0);
	w->known.stage = build;
	w->known.job =
		strcmp(row->known, OTHER) == 0 || strcmp(row->known, GOES) == 0 ? JOB - 1 : JOB;
	w->known.ended = strcmp(row->known, ENDED) == 0 || strcmp(row->known, OTHER) == 0;
}

static struct follow_step ask(struct world *w, const struct row *row, enum follow_wanted how)
{
	const struct gitlab_jobs jobs = {&w->job, strcmp(w->job.word, "-") != 0, 1};
	const struct remote_jobs known = {&w->known, strcmp(row->known, NONE) != 0, 1};

	return follow(&w->p, &jobs, &known, how, NOW);
}

/* The step says what it is about. */
static void assert_whole(const struct world *w, const struct follow_step *s)
{
	int is_whole = s->action == FOLLOW_NOTHING || s->action == FOLLOW_CANCEL
			       ? s->stage == NULL && s->job == NULL
			       : s->stage == &w->stage &&
					 s->job == (s->action == FOLLOW_LOST ? NULL : &w->job);

	if (!is_whole)
		fail_msg("%s job %s: step %d names another stage or job",
			status_text(w->stage.status), w->job.word, (int)s->action);
}

static void check_row(const struct row *row, enum follow_wanted how)
{
	struct strlist names = {0}, expected = {0};

	strlist_split(&names, columns, ' ');
	strlist_split(&expected, row->expected, ' ');
	assert_int_equal(names.n, expected.n);
	for (size_t i = 0; i < names.n; i++) {
		struct world w;
		struct follow_step s;
		const char *got;

		set_up(&w, row, names.v[i]);
		if (how == FOLLOW_UNWANTED)
			w.p.cancel = PIPELINE_CANCEL_REQUESTED;
		s = ask(&w, row, how);
		got = s.action == FOLLOW_ENDED ? ending_words[s.ending] : step_words[s.action];
		if (strcmp(got, expected.v[i]) != 0)
			fail_msg("%s %s, job %s, %s: %s, not %s",
				how == FOLLOW_WANTED ? "wanted" : "unwanted", row->stage,
				names.v[i], row->known, got, expected.v[i]);
		assert_whole(&w, &s);
		free(w.job.word);
	}
	strlist_clear(&names);
	strlist_clear(&expected);
}

static void test_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		check_row(&wanted[i], FOLLOW_WANTED);
}

static void test_unwanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		check_row(&unwanted[i], FOLLOW_UNWANTED);
}

/* A job that was canceled there is that of a stage whose cancel was asked for, or first is one. */
static void test_cancel(void **state)
{
	static const struct {
		enum pipeline_cancel cancel;
		const char *word;
		enum follow_action expected;
	} rows[] = {
		{PIPELINE_GOES_ON, "canceled", FOLLOW_CANCELED},
		{PIPELINE_GOES_ON, "skipped", FOLLOW_CANCELED},
		{PIPELINE_CANCEL_REQUESTED, "canceled", FOLLOW_ENDED},
		{PIPELINE_CANCEL_REQUESTED, "skipped", FOLLOW_ENDED},
		{PIPELINE_CANCEL_REQUESTED, "success", FOLLOW_ENDED},
	};
	const struct row row = {"running", BEGUN, ""};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct follow_step s;

		set_up(&w, &row, rows[i].word);
		w.p.cancel = rows[i].cancel;
		s = ask(&w, &row, FOLLOW_WANTED);
		if (s.action != rows[i].expected)
			fail_msg("cancel %d, %s: %d, not %d", (int)rows[i].cancel, rows[i].word,
				(int)s.action, (int)rows[i].expected);
		free(w.job.word);
	}
}

/* A retry waits for its time, but for none that no wait can reach. */
static void test_time(void **state)
{
	static const struct {
		int64_t not_before;
		enum follow_action expected;
	} rows[] = {
		{0, FOLLOW_RETRY}, {NOW, FOLLOW_RETRY}, {NOW + 1, FOLLOW_NOTHING},
		{NOW + LIFECYCLE_MAX_DELAY, FOLLOW_NOTHING},
		{NOW + LIFECYCLE_MAX_DELAY + 1, FOLLOW_RETRY}, /* the clock was set back */
	};
	const struct row row = {"pending", ENDED, ""};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct follow_step s;

		set_up(&w, &row, "failed");
		w.stage.not_before = rows[i].not_before;
		s = ask(&w, &row, FOLLOW_WANTED);
		if (s.action != rows[i].expected)
			fail_msg("%lld at %lld: %d, not %d", (long long)rows[i].not_before,
				(long long)NOW, (int)s.action, (int)rows[i].expected);
		free(w.job.word);
	}
}

static size_t make_jobs(struct gitlab_job *out, const char *text, struct strlist *words)
{
	memset(out, 0, 8 * sizeof(*out));
	strlist_split(words, text, ' ');
	assert_true(words->n <= 8);
	for (size_t i = 0; i < words->n; i++) {
		char *at = strchr(words->v[i], '=');

		assert_non_null(at);
		*at = '\0';
		out[i].id = JOB + (int64_t)i;
		out[i].name = words->v[i];
		out[i].word = at + 1;
		assert_int_equal(gitlab_status(&out[i].status, at + 1), 0);
	}
	return words->n;
}

/* Several stages: the first that has not succeeded counts; jobs of others are others'. */
static void test_stages(void **state)
{
	static const struct {
		const char *build, *deploy; /* ours */
		const char *jobs;
		enum follow_action action;
		const char *stage;
	} rows[] = {
		{"success", "pending", "dev:build=success dev:deploy=running", FOLLOW_STARTED,
			"deploy"},
		{"pending", "created", "dev:build=running dev:deploy=created", FOLLOW_STARTED,
			"build"},
		{"pending", "created", "build=running prod:build=running", FOLLOW_LOST, "build"},
		{"success", "success", "dev:build=failed dev:deploy=failed", FOLLOW_NOTHING, NULL},
		{"failed", "created", "dev:build=failed dev:deploy=running", FOLLOW_RETRIED,
			"build"},
		/* skipped, while what is before it is run again */
		{"pending", "created", "test=running dev:build=skipped", FOLLOW_NOTHING, NULL},
		{"pending", "created", "test=pending dev:build=skipped", FOLLOW_NOTHING, NULL},
		{"pending", "created", "test=failed dev:build=skipped", FOLLOW_SKIPPED, "build"},
		{"pending", "created", "test=manual dev:build=skipped", FOLLOW_SKIPPED, "build"},
	};
	static char chain[] = "dev", build[] = "build", deploy[] = "deploy";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipeline_stage stages[] = {{.name = build}, {.name = deploy}};
		const struct pipeline p = {.chain = chain, .stages = stages, .n_stages = 2};
		const struct remote_jobs none = {0};
		struct gitlab_job v[8];
		struct strlist words = {0};
		const struct gitlab_jobs jobs = {v, make_jobs(v, rows[i].jobs, &words), 8};
		struct follow_step s;

		assert_int_equal(status_parse(&stages[0].status, rows[i].build), 0);
		assert_int_equal(status_parse(&stages[1].status, rows[i].deploy), 0);
		s = follow(&p, &jobs, &none, FOLLOW_WANTED, NOW);
		if (s.action != rows[i].action ||
			!str_same(s.stage != NULL ? s.stage->name : NULL, rows[i].stage))
			fail_msg("%s %s, %s: step %d of %s, not %d of %s", rows[i].build,
				rows[i].deploy, rows[i].jobs, (int)s.action,
				s.stage != NULL ? s.stage->name : "none", (int)rows[i].action,
				rows[i].stage != NULL ? rows[i].stage : "none");
		strlist_clear(&words);
	}
}

static void test_settled(void **state)
{
	static const struct {
		const char *jobs;
		int expected;
	} rows[] = {
		{"", 1},
		{"a=success b=failed c=canceled d=skipped e=manual", 1},
		{"a=created", 0},
		{"a=pending", 0},
		{"a=running", 0},
		{"a=canceling", 0},
		{"a=preparing", 0},
		{"a=scheduled", 0},
		{"a=waiting_for_resource", 0},
		{"a=waiting_for_callback", 0},
		{"a=success b=running", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gitlab_job v[8];
		struct strlist words = {0};
		const struct gitlab_jobs jobs = {v, make_jobs(v, rows[i].jobs, &words), 8};
		int got = follow_is_settled(&jobs);

		if (got != rows[i].expected)
			fail_msg("\"%s\": %d, not %d", rows[i].jobs, got, rows[i].expected);
		strlist_clear(&words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
