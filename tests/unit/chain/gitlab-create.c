/* chain/gitlab-create: one pipeline on GitLab for one of ours, whatever happens to requests and answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/gitlab-create.h"

#include "gitlab-bench.h"

static const char *const result_words[] = {"done", "later", "failed", "fault"};

/* ---- against a server ---- */

/* A pipeline of ours, number 1, and what was read of it. */
struct attempt {
	struct bench b;
	struct gitlab *g;
	struct pipeline p;
	struct remote r;
	struct creation c;
};

static void try_open(struct attempt *t, void **state, const char *const *answers)
{
	struct gitlab_settings settings = {
		.ca_file = "", .key = "[launcher] token-file", .project = 5};
	struct err e = ERR_INIT;

	memset(t, 0, sizeof(*t));
	bench_open(&t->b, *state, answers);
	assert_int_equal(bench_land(&t->b, "dev"), 1);
	settings.url = t->b.c->launcher_url;
	settings.token_file = t->b.c->launcher_token_file;
	assert_result(gitlab_open(&t->g, &settings, &e), 0, &e);
	assert_result(pipeline_read(&t->p, t->b.s, 1, &e), 1, &e);
	t->r = must_read(t->b.s, 1);
	t->c = (struct creation){t->b.s, t->b.c, t->g, &t->p, &t->r};
}

static void try_close(struct attempt *t)
{
	char *store = path_join(t->b.state, "store.db");

	gitlab_close(t->g);
	pipeline_clear(&t->p);
	remote_clear(&t->r);
	bench_close(&t->b);
	assert_int_equal(unlink(store), 0);
	free(store);
}

/* As a new process would find it. */
static void try_again(struct attempt *t)
{
	remote_clear(&t->r);
	t->r = must_read(t->b.s, 1);
}

static void must_try(struct attempt *t, enum creation_result expected, const char *what)
{
	struct err e = ERR_INIT;
	enum creation_result got = creation_try(&t->c, &e);

	if (got != expected)
		fail_msg("%s: %s, not %s: %s", what, result_words[got], result_words[expected],
			err_text(&e));
	err_clear(&e);
}

/* What came of the request is in the store, before anything else is done. */
static void test_answers(void **state)
{
	static const struct {
		const char *answer; /* to POST pipeline */
		enum creation_result result;
		int64_t number;
		int asked; /* what became of it is not known */
		enum remote_doubt doubt;
		int pause; /* seconds, about */
		const char *message;
	} rows[] = {
		{MADE(PIPELINE("61", SHA)), CREATION_DONE, 61, 1, 0, 0, ""},
		{MADE(PIPELINE("61", OTHER_SHA)), CREATION_DONE, 61, 1, 0, 0, ""},
		{"", CREATION_LATER, 0, 1, 1, 1, "creating a pipeline"},
		{"HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n{\"id\":6", CREATION_LATER, 0,
			1, 1, 1, "creating a pipeline"},
		{"garbage\r\n\r\n", CREATION_LATER, 0, 1, 1, 1, "creating a pipeline"},
		{MADE("<html>"), CREATION_LATER, 0, 1, 0, 1, "is [launcher] url GitLab's?"},
		{MADE("{}"), CREATION_LATER, 0, 1, 0, 1, "is [launcher] url GitLab's?"},
		{MADE(""), CREATION_LATER, 0, 1, 0, 1, "is [launcher] url GitLab's?"},
		{ANSWER("500 Error", "", "{\"message\":\"500 Error\"}"), CREATION_LATER, 0, 1, 0, 1,
			"500 Error"},
		{ANSWER("502 Bad Gateway", "", "<html>"), CREATION_LATER, 0, 1, 1, 1, "status 502"},
		{ANSWER("503 Unavailable", "Retry-After: 120\r\n", ""), CREATION_LATER, 0, 1, 0,
			120, "status 503"},
		{ANSWER("504 Time-out", "", ""), CREATION_LATER, 0, 1, 1, 1, "status 504"},
		{ANSWER("429 Too Many", "Retry-After: 7\r\n", "Retry later"), CREATION_LATER, 0, 0,
			0, 7, "status 429: Retry later"},
		{ANSWER("400 Bad", "", "{\"message\":{\"base\":[\"Reference not found\"]}}"),
			CREATION_LATER, 0, 0, 0, 1, "Reference not found"},
		{ANSWER("403 No", "", "{\"message\":\"403 Forbidden\"}"), CREATION_FAILED, 0, 0, 0,
			0, NULL},
		{ANSWER("404 No", "", "{\"message\":\"404 Project Not Found\"}"), CREATION_FAILED,
			0, 0, 0, 0, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const answers[] = {PARENTS, NONE, rows[i].answer, NULL};
		int64_t before = clock_now();
		char *what = mem_format("row %zu: %.40s", i, rows[i].answer);
		struct attempt t;

		try_open(&t, state, answers);
		must_try(&t, rows[i].result, what);
		if (rows[i].result != CREATION_FAILED)
			try_again(&t);
		if (t.r.number != rows[i].number || (t.r.asked_at != 0) != rows[i].asked ||
			t.r.doubt != rows[i].doubt)
			fail_msg("%s: number %lld, asked at %lld, doubt %d; not %lld, %d, %d", what,
				(long long)t.r.number, (long long)t.r.asked_at, (int)t.r.doubt,
				(long long)rows[i].number, rows[i].asked, (int)rows[i].doubt);
		if (rows[i].message != NULL && strstr(t.r.message, rows[i].message) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", what, t.r.message,
				rows[i].message);
		if (rows[i].pause != 0 &&
			(t.r.next_at < before + rows[i].pause * CLOCK_SECOND ||
				t.r.next_at > clock_now() + (rows[i].pause + 1) * CLOCK_SECOND))
			fail_msg("%s: next after %lld us", what, (long long)(t.r.next_at - before));
		assert_requests(&t.b, "commit merge-requests create", what);
		free(what);
		try_close(&t);
	}
}

/* Nobody is there: nothing was asked. */
static void test_away(void **state)
{
	const char *const answers[] = {NULL};
	struct attempt t;

	try_open(&t, state, answers);
	scripted_stop(&t.b.server);
	must_try(&t, CREATION_LATER, "nobody listens");
	try_again(&t);
	assert_int_equal(t.r.number, 0);
	assert_int_equal(t.r.asked_at, 0);
	assert_int_equal(t.r.doubt, REMOTE_CERTAIN);
	assert_int_equal(t.r.tries, 1);
	assert_non_null(strstr(t.r.message, "reading a commit"));
	assert_true(gitlab_is_away(t.g));
	try_close(&t);
}

/* Before the request is sent, it says that it will have been. */
static void test_asks_once(void **state)
{
	const char *const answers[] = {PARENTS, NONE, MADE(PIPELINE("61", SHA)), NULL};
	struct attempt t;

	try_open(&t, state, answers);
	must_try(&t, CREATION_DONE, "first");
	try_again(&t);
	assert_string_equal(t.r.sha, SHA);
	assert_string_equal(t.r.web_url, "http://h/-/pipelines/61");
	assert_int_equal(t.r.fit, REMOTE_UNSEEN);
	assert_int_equal(t.r.tries, 0);
	/* Should anybody ask for it again, it is there. */
	must_try(&t, CREATION_LATER, "nobody answers");
	assert_int_equal(t.r.number, 61);
	assert_requests(&t.b, "commit merge-requests create", "all");
	try_close(&t);
}

#define LIST(more) OK("[" more "]")
#define ERROR_500 ANSWER("500 Error", "", "{\"message\":\"500 Error\"}")
#define MISSING ANSWER("404 No", "", "{\"message\":\"404 Not found\"}")
#define NOT_CANCELABLE                                                                             \
	ANSWER("403 No", "", "{\"message\":\"403 Forbidden - Pipeline is not cancelable\"}")

/* A request was sent, and nothing is known of what became of it. */
static const struct found {
	const char *name;
	const char *answers[12];
	const char *requests;
	enum creation_result result;
	int64_t number; /* that it has in the end */
	int64_t asked;  /* seconds ago */
	enum remote_doubt doubt;
} founds[] = {
	{"made", {LIST(PIPELINE("61", SHA)), OURS}, "of-commit variables:61", CREATION_DONE, 61, 1,
		1},
	{"made of a later commit", {NONE, LIST(PIPELINE("61", OTHER_SHA)), OURS},
		"of-commit of-branch variables:61", CREATION_DONE, 61, 1, 1},
	{"somebody else's",
		{LIST(PIPELINE("61", SHA) "," PIPELINE("60", SHA)), VARIABLES("2", PUSH),
			VARIABLES("1", "01JDC7"), NONE},
		"of-commit variables:60 variables:61 of-branch", CREATION_LATER, 0, 1, 1},
	{"without variables", {LIST(PIPELINE("61", SHA)), NONE, NONE},
		"of-commit variables:61 of-branch", CREATION_LATER, 0, 1, 1},
	{"gone by now", {LIST(PIPELINE("61", SHA)), MISSING, NONE},
		"of-commit variables:61 of-branch", CREATION_LATER, 0, 1, 1},
	{"made twice", {LIST(PIPELINE("62", SHA) "," PIPELINE("61", SHA)), OURS, OURS, MADE("{}")},
		"of-commit variables:61 variables:62 cancel:62", CREATION_DONE, 61, 1, 1},
	{"made twice, and the second has ended",
		{LIST(PIPELINE("62", SHA) "," PIPELINE("61", SHA)), OURS, OURS, NOT_CANCELABLE},
		"of-commit variables:61 variables:62 cancel:62", CREATION_DONE, 61, 1, 1},
	{"made twice, and the second is gone",
		{LIST(PIPELINE("62", SHA) "," PIPELINE("61", SHA)), OURS, OURS, MISSING},
		"of-commit variables:61 variables:62 cancel:62", CREATION_DONE, 61, 1, 1},
	/* not made: another one, once nobody can be at work on the first */
	{"not made so far", {NONE, NONE}, "of-commit of-branch", CREATION_LATER, 0, 60, 1},
	{"not made at all", {NONE, NONE, PARENTS, NONE, MADE(PIPELINE("61", SHA))},
		"of-commit of-branch commit merge-requests create", CREATION_DONE, 61, 71, 1},
	{"not made, as the answer said", {NONE, NONE, PARENTS, NONE, MADE(PIPELINE("61", SHA))},
		"of-commit of-branch commit merge-requests create", CREATION_DONE, 61, 1, 0},
	{"the clock was set back", {NONE, NONE, PARENTS, NONE, MADE(PIPELINE("61", SHA))},
		"of-commit of-branch commit merge-requests create", CREATION_DONE, 61, -7200, 1},
	{"the second is lost, too", {NONE, NONE, PARENTS, NONE, ""},
		"of-commit of-branch commit merge-requests create", CREATION_LATER, 0, 71, 1},
	/* it cannot be told: nothing is sent */
	{"GitLab is away", {ERROR_500}, "of-commit", CREATION_LATER, 0, 500, 0},
	{"GitLab is away then", {NONE, ERROR_500}, "of-commit of-branch", CREATION_LATER, 0, 500,
		0},
	{"half of a list", {OK("[" PIPELINE("61", SHA) ",")}, "of-commit", CREATION_LATER, 0, 500,
		0},
	{"no list", {OK("{}")}, "of-commit", CREATION_LATER, 0, 500, 0},
	{"a list of something else", {OK("[7]")}, "of-commit", CREATION_LATER, 0, 500, 0},
	{"variables cannot be read", {LIST(PIPELINE("61", SHA)), ERROR_500},
		"of-commit variables:61", CREATION_LATER, 0, 500, 0},
	{"variables must not be read",
		{LIST(PIPELINE("61", SHA)), ANSWER("403 No", "", "{\"message\":\"403\"}")},
		"of-commit variables:61", CREATION_FAILED, 0, 500, 0},
};

/* As it was when whoever asked came to its end. */
static void set_asked(
	struct attempt *t, int64_t number, int64_t seconds_ago, enum remote_doubt doubt)
{
	t->r.number = number;
	t->r.asked_at = clock_now() - seconds_ago * CLOCK_SECOND;
	t->r.doubt = doubt;
	must_save(t->b.s, &t->r);
	try_again(t);
}

static void test_found(void **state)
{
	for (size_t i = 0; i < sizeof(founds) / sizeof(founds[0]); i++) {
		const struct found *f = &founds[i];
		struct attempt t;

		try_open(&t, state, f->answers);
		set_asked(&t, 0, f->asked, f->doubt);
		must_try(&t, f->result, f->name);
		try_again(&t);
		if (t.r.number != f->number)
			fail_msg("%s: number %lld, not %lld", f->name, (long long)t.r.number,
				(long long)f->number);
		if (t.r.asked_at == 0)
			fail_msg("%s: the request is forgotten", f->name);
		assert_requests(&t.b, f->requests, f->name);
		try_close(&t);
	}
}

/* Nobody wants it any more: what was made is found, and nothing is made. */
static void test_unwanted(void **state)
{
	static const struct {
		enum status status;
		const char *answers[4];
		int64_t asked;
		const char *requests;
		int64_t number;
		int is_known; /* what became of the request */
	} rows[] = {
		{STATUS_CANCELED, {NONE, NONE}, 500, "of-commit of-branch", 0, 1},
		{STATUS_FAILED, {NONE, NONE}, 500, "of-commit of-branch", 0, 1},
		{STATUS_SKIPPED, {NONE, NONE}, 500, "of-commit of-branch", 0, 1},
		{STATUS_CANCELED, {NONE, NONE}, 5, "of-commit of-branch", 0, 0},
		{STATUS_CANCELED, {LIST(PIPELINE("61", SHA)), OURS}, 500, "of-commit variables:61",
			61, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt t;

		try_open(&t, state, rows[i].answers);
		set_asked(&t, 0, rows[i].asked, REMOTE_UNANSWERED);
		t.p.status = rows[i].status;
		must_try(&t, rows[i].number != 0 ? CREATION_DONE : CREATION_LATER,
			status_text(rows[i].status));
		try_again(&t);
		if (t.r.number != rows[i].number || (t.r.asked_at == 0) != rows[i].is_known ||
			(t.r.doubt == REMOTE_CERTAIN) != (rows[i].is_known || rows[i].number != 0))
			fail_msg("row %zu: number %lld, asked at %lld, doubt %d", i,
				(long long)t.r.number, (long long)t.r.asked_at, (int)t.r.doubt);
		assert_requests(&t.b, rows[i].requests, status_text(rows[i].status));
		try_close(&t);
	}
}

static void test_doubles(void **state)
{
	static const struct {
		const char *name;
		const char *answers[12];
		int64_t asked;
		enum remote_doubt doubt;
		enum creation_result result;
		enum remote_doubt doubt_left;
		const char *requests;
	} rows[] = {
		{"no doubt", {NULL}, 500, REMOTE_CERTAIN, CREATION_DONE, REMOTE_CERTAIN, ""},
		{"one request alone", {NULL}, 500, REMOTE_UNANSWERED, CREATION_DONE,
			REMOTE_UNANSWERED, ""},
		{"too early", {NULL}, 60, REMOTE_DOUBTFUL, CREATION_DONE, REMOTE_DOUBTFUL, ""},
		{"there is none", {LIST(PIPELINE("61", SHA)), NONE}, 71, REMOTE_DOUBTFUL,
			CREATION_DONE, REMOTE_CERTAIN, "of-commit of-branch"},
		{"the clock was set back", {NONE, NONE}, -500, REMOTE_DOUBTFUL, CREATION_DONE,
			REMOTE_CERTAIN, "of-commit of-branch"},
		{"one, seen twice",
			{LIST(PIPELINE("62", SHA) "," PIPELINE("61", SHA)), OURS, MADE("{}"),
				LIST(PIPELINE("62", SHA)), OURS, NOT_CANCELABLE},
			71, REMOTE_DOUBTFUL, CREATION_DONE, REMOTE_CERTAIN,
			"of-commit variables:62 cancel:62 of-branch variables:62 cancel:62"},
		{"an older one",
			{LIST(PIPELINE("61", SHA) "," PIPELINE("60", SHA)), OURS, MADE("{}"), NONE},
			71, REMOTE_DOUBTFUL, CREATION_DONE, REMOTE_CERTAIN,
			"of-commit variables:60 cancel:60 of-branch"},
		{"it cannot be canceled now", {LIST(PIPELINE("62", SHA)), OURS, ERROR_500}, 71,
			REMOTE_DOUBTFUL, CREATION_LATER, REMOTE_DOUBTFUL,
			"of-commit variables:62 cancel:62"},
		{"it cannot be told", {NONE, ERROR_500}, 71, REMOTE_DOUBTFUL, CREATION_LATER,
			REMOTE_DOUBTFUL, "of-commit of-branch"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		enum creation_result got;
		struct attempt t;

		try_open(&t, state, rows[i].answers);
		set_asked(&t, 61, rows[i].asked, rows[i].doubt);
		got = creation_end_doubles(&t.c, &e);
		try_again(&t);
		if (got != rows[i].result || t.r.doubt != rows[i].doubt_left || t.r.number != 61)
			fail_msg("%s: %s, doubt %d, number %lld: %s", rows[i].name,
				result_words[got], (int)t.r.doubt, (long long)t.r.number,
				err_text(&e));
		assert_requests(&t.b, rows[i].requests, rows[i].name);
		err_clear(&e);
		try_close(&t);
	}
}

/* N pipelines, which nobody has made for ours, as a page of a list; the caller's to free(). */
static char *page(int n)
{
	struct str s;

	str_init(&s);
	str_add(&s, ANSWER("200 OK", "", "["));
	for (int i = 0; i < n; i++)
		str_addf(&s, "%s" PIPELINE("61", SHA), i > 0 ? "," : "");
	str_addc(&s, ']');
	return str_steal(&s);
}

/* Pages that are full are followed by others, up to a limit. */
static void test_pages(void **state)
{
	char *full = page(100), *short_one = page(99);
	const char *answers[GITLAB_MAX_PAGES + 2] = {NULL};
	static const struct {
		int full_pages;
		int has_more; /* one that is not full */
		enum gitlab_result result;
		size_t n;
	} rows[] = {
		{0, 1, GITLAB_DONE, 99},
		{1, 1, GITLAB_DONE, 199},
		{2, 0, GITLAB_LATER, 0}, /* the next is not answered */
		{GITLAB_MAX_PAGES - 1, 1, GITLAB_DONE, 1999},
		{GITLAB_MAX_PAGES, 1, GITLAB_REFUSED, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gitlab_pipelines l;
		struct err e = ERR_INIT;
		enum gitlab_result got;
		struct attempt t;

		for (int k = 0; k < rows[i].full_pages; k++)
			answers[k] = full;
		answers[rows[i].full_pages] = rows[i].has_more ? short_one : NULL;
		answers[rows[i].full_pages + 1] = NULL;
		try_open(&t, state, answers);
		got = gitlab_list_pipelines(t.g, "ref=main", &l, &e);
		if (got != rows[i].result || l.n != rows[i].n)
			fail_msg("%d full pages: %d, %zu pipelines, not %d, %zu: %s",
				rows[i].full_pages, (int)got, l.n, (int)rows[i].result, rows[i].n,
				err_text(&e));
		gitlab_pipelines_clear(&l);
		err_clear(&e);
		try_close(&t);
	}
	free(full);
	free(short_one);
}

/* What the jobs are told: escaped, cut, and the runner of the merge request that was merged. */
static void test_variables(void **state)
{
	static const struct {
		const char *parents;
		const char *merge_requests;
		const char *sent; /* part of the request */
	} rows[] = {
		{PARENTS, NONE, "{\"key\":\"MODELGATE_RUNNER_TAG\",\"value\":\"modelgate\","},
		{PARENTS, NONE, "{\"key\":\"MODELGATE_DESCRIPTION\",\"value\":\"\","},
		{PARENTS, NONE, "{\"key\":\"MODELGATE_OWNER\",\"value\":\"project-5\","},
		{PARENTS, NONE, "{\"ref\":\"main\","},
		{PARENTS,
			OK("[{\"iid\":3,\"target_branch\":\"main\",\"state\":\"merged\",\"title\":"
			   "\"Pay $5\",\"description\":\"a\\nb\",\"labels\":[\"x\",\"runner:\","
			   "\"runner:gpu\"]}]"),
			"{\"key\":\"MODELGATE_RUNNER_TAG\",\"value\":\"gpu\","},
		{PARENTS,
			OK("[{\"iid\":3,\"target_branch\":\"main\",\"state\":\"merged\",\"title\":"
			   "\"Pay $5\",\"description\":\"a\\nb\",\"labels\":[]}]"),
			"\"value\":\"Pay %245%0A%0Aa%0Ab (!3)\","},
		{PARENTS, MISSING, "{\"key\":\"MODELGATE_RUNNER_TAG\",\"value\":\"modelgate\","},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const answers[] = {
			rows[i].parents, rows[i].merge_requests, MADE(PIPELINE("61", SHA)), NULL};
		struct str asked;
		struct attempt t;

		try_open(&t, state, answers);
		must_try(&t, CREATION_DONE, "variables");
		str_init(&asked);
		assert_int_equal(files_read(t.b.log, 1 << 20, &asked, NULL), 1);
		if (strstr(asked.buf, rows[i].sent) == NULL)
			fail_msg("row %zu: %s is not in %s", i, rows[i].sent, asked.buf);
		str_clear(&asked);
		try_close(&t);
	}
}

/* The commit's second parent is what a merge request held. */
static void test_merge(void **state)
{
	const char *const answers[] = {OK("{\"parent_ids\":[\"" OTHER_SHA
					  "\",\"4444444444444444444444444444444444444444\"]}"),
		NONE, MADE(PIPELINE("61", SHA)), NULL};
	struct str asked;
	struct attempt t;

	try_open(&t, state, answers);
	must_try(&t, CREATION_DONE, "a merge");
	str_init(&asked);
	assert_int_equal(files_read(t.b.log, 1 << 20, &asked, NULL), 1);
	assert_non_null(
		strstr(asked.buf, "/repository/commits/4444444444444444444444444444444444444444"
				  "/merge_requests"));
	str_clear(&asked);
	try_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_answers),
		scratch_test(test_away),
		scratch_test(test_asks_once),
		scratch_test(test_found),
		scratch_test(test_unwanted),
		scratch_test(test_doubles),
		scratch_test(test_pages),
		scratch_test(test_variables),
		scratch_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
