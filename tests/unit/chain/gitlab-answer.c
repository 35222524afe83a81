/* chain/gitlab-answer: what GitLab's answers mean, as its documents have them and as they should not be. */
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
#include "chain/gitlab.h"
#include "data/json.h"

#define SHA "50f0acb76a40e34a4ff304f7347dcc6587da8a14"
#define SHA256 SHA "50f0acb76a40e34a4ff304f7"
#define TOKEN "glpat-s3cret"

static void test_status(void **state)
{
	static const struct {
		const char *word;
		int is_one;
		enum status status;
	} rows[] = {
		/* doc/api/pipelines.md and doc/api/jobs.md */
		{"created", 1, STATUS_CREATED},
		{"waiting_for_resource", 1, STATUS_PENDING},
		{"preparing", 1, STATUS_PENDING},
		{"waiting_for_callback", 1, STATUS_RUNNING},
		{"pending", 1, STATUS_PENDING},
		{"running", 1, STATUS_RUNNING},
		{"success", 1, STATUS_SUCCESS},
		{"failed", 1, STATUS_FAILED},
		{"canceling", 1, STATUS_RUNNING},
		{"canceled", 1, STATUS_CANCELED},
		{"skipped", 1, STATUS_SKIPPED},
		{"manual", 1, STATUS_MANUAL},
		{"scheduled", 1, STATUS_PENDING},
		/* no words of GitLab's */
		{"", 0, 0},
		{"Success", 0, 0},
		{"success ", 0, 0},
		{"cancelled", 0, 0},
		{"passed", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum status got = STATUS_COUNT;
		int result = gitlab_status(&got, rows[i].word);

		if (result != (rows[i].is_one ? 0 : -1) ||
			(rows[i].is_one && got != rows[i].status))
			fail_msg("\"%s\": %d, status %d, not %d", rows[i].word, result, (int)got,
				(int)rows[i].status);
	}
}

static void test_project(void **state)
{
	static const struct {
		const char *text;
		int64_t number;
	} rows[] = {
		{"project-17", 17},
		{"project-9223372036854775807", INT64_MAX},
		{"", 0},
		{"project-", 0},
		{"project-0", 0},
		{"project--1", 0},
		{"project-17-wiki", 0},
		{"project-17 ", 0},
		{"project-9223372036854775808", 0},
		{"wiki-17", 0},
		{"snippet-17", 0},
		{"17", 0},
		{"PROJECT-17", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = gitlab_project(rows[i].text);

		if (got != rows[i].number)
			fail_msg("\"%s\": %lld, not %lld", rows[i].text, (long long)got,
				(long long)rows[i].number);
	}
}

/* ---- refusals ---- */

static const char *const results[] = {"done", "later", "unclear", "refused", "missing", "no ref"};

struct refusal {
	long status;
	const char *method;
	const char *text;
	enum gitlab_result result;
	int is_state;
	const char *said; /* all that follows "GitLab, doing: ", or part of it after "*" */
};

#define M(words) "{\"message\":\"" words "\"}"

static const struct refusal refusals[] = {
	/* a text, a list, texts by name, lists by name */
	{400, "POST", M("ref is wrong"), GITLAB_REFUSED, 0, "status 400: ref is wrong"},
	{400, "POST", "{\"message\":[\"one\",\"two\"]}", GITLAB_REFUSED, 0, "status 400: one; two"},
	{400, "POST", "{\"message\":{\"base\":[\"No stages\",\"jobs\"]}}", GITLAB_REFUSED, 0,
		"status 400: No stages; jobs"},
	{400, "POST", "{\"message\":{\"base\":\"No stages\"}}", GITLAB_REFUSED, 0,
		"status 400: No stages"},
	{400, "POST", "{\"error\":\"ref is missing\"}", GITLAB_REFUSED, 0,
		"status 400: ref is missing"},
	{422, "POST", "{\"error\":\"x\",\"error_description\":\"and why\"}", GITLAB_REFUSED, 0,
		"status 422: x: and why"},
	{400, "POST", "{\"message\":{\"ref\":[\"is odd\"]}}", GITLAB_REFUSED, 0,
		"*status 400: {\"message\":{\"ref\":[\"is odd\"]}}"},
	{405, "POST", M("405 Method Not Allowed"), GITLAB_REFUSED, 0, "*405 Method"},
	{413, "POST", "", GITLAB_REFUSED, 0, "status 413: no reason given"},
	{204, "POST", "", GITLAB_REFUSED, 0, "status 204: no reason given"},
	/* the branch */
	{400, "POST", "{\"message\":{\"base\":[\"Reference not found\"]}}", GITLAB_NO_REF, 0,
		"status 400: Reference not found"},
	{400, "POST", "{\"message\":[\"Reference not found\",\"not cancelable\"]}", GITLAB_NO_REF,
		0, "*not cancelable"},
	/* states */
	{400, "POST", M("400 Bad request - Unplayable Job"), GITLAB_REFUSED, 1, "*Unplayable Job"},
	{403, "POST", M("403 Forbidden - Job is not retryable"), GITLAB_REFUSED, 1,
		"status 403: 403 Forbidden - Job is not retryable"},
	{403, "POST", M("403 Forbidden - Pipeline is not cancelable"), GITLAB_REFUSED, 1,
		"*not cancelable"},
	{422, "POST", M("Unplayable Job"), GITLAB_REFUSED, 0, "*Unplayable Job"},
	{401, "POST", M("Unplayable Job"), GITLAB_REFUSED, 0, "*is not valid"},
	/* who may */
	{401, "GET", M("401 Unauthorized"), GITLAB_REFUSED, 0,
		"the token in /token ([launcher] token-file) is not valid, or not any more (status "
		"401: 401 Unauthorized); put one there with the scope api"},
	{401, "GET", "{\"error\":\"invalid_token\",\"error_description\":\"Token is expired.\"}",
		GITLAB_REFUSED, 0, "*(status 401: invalid_token: Token is expired.)"},
	{403, "POST",
		"{\"error\":\"insufficient_scope\",\"error_description\":\"The request requires "
		"higher privileges\",\"scope\":\"api\"}",
		GITLAB_REFUSED, 0,
		"the token in /token ([launcher] token-file) lacks the scope api (status 403: "
		"insufficient_scope: The request requires higher privileges)"},
	{403, "POST", "{\"error\":\"insufficient_scope\",\"scope\":7}", GITLAB_REFUSED, 0,
		"*lacks the scope api (status 403: insufficient_scope)"},
	{403, "POST", "{\"error\":\"insufficient_scope\",\"scope\":\"\\u001b[2J\"}", GITLAB_REFUSED,
		0, "*lacks the scope \\x1b[2J (status"},
	{403, "POST", M("403 Forbidden"), GITLAB_REFUSED, 0,
		"the user of the token in /token ([launcher] token-file) may not do this (status "
		"403: 403 Forbidden); it needs: the role"},
	{400, "POST",
		"{\"message\":{\"base\":[\"Insufficient permissions to set pipeline variables\"]}}",
		GITLAB_REFUSED, 0, "*may not do this (status 400: Insufficient permissions to set"},
	{404, "GET", M("404 Project Not Found"), GITLAB_MISSING, 0,
		"status 404: 404 Project Not Found"},
	{404, "POST", M("404 Project Not Found"), GITLAB_MISSING, 0, "*404 Project"},
	/* later, perhaps; what was asked to be done may have been */
	{429, "GET", "Retry later\n", GITLAB_LATER, 0, "status 429: Retry later "},
	{429, "POST", "Retry later\n", GITLAB_LATER, 0, "*Retry later"},
	{408, "GET", "", GITLAB_LATER, 0, "*408"},
	{408, "POST", "", GITLAB_UNCLEAR, 0, "*408"},
	{409, "GET", M("409 Conflict"), GITLAB_LATER, 0, "*409"},
	{409, "POST", M("409 Conflict"), GITLAB_UNCLEAR, 0, "*409"},
	{500, "GET", M("500 Internal Server Error"), GITLAB_LATER, 0, "*500 Internal"},
	{500, "POST", M("500 Internal Server Error"), GITLAB_UNCLEAR, 0, "*500 Internal"},
	{502, "POST", "<html><body>GitLab is not responding</body></html>", GITLAB_UNCLEAR, 0,
		"status 502: no reason given"},
	{503, "GET", "<!DOCTYPE html>", GITLAB_LATER, 0, "status 503: no reason given"},
	{503, "POST", "Service Unavailable", GITLAB_UNCLEAR, 0, "*Service Unavailable"},
	{504, "POST", "", GITLAB_UNCLEAR, 0, "*504"},
	{599, "GET", "", GITLAB_LATER, 0, "*599"},
	/* another address */
	{301, "GET", "<html>", GITLAB_REFUSED, 0,
		"status 301: no reason given; [launcher] url leads elsewhere: give the address "
		"that "
		"it leads to"},
	{302, "POST", "", GITLAB_REFUSED, 0, "*leads elsewhere"},
	/* no JSON, or none of GitLab's */
	{400, "GET", "what?", GITLAB_REFUSED, 0, "status 400: what?"},
	{400, "GET", "[]", GITLAB_REFUSED, 0, "status 400: []"},
	{400, "GET", "null", GITLAB_REFUSED, 0, "status 400: null"},
	{400, "GET", "{\"message\":null}", GITLAB_REFUSED, 0, "*status 400: "},
	{400, "GET", "{\"message\":{\"message\":{\"error\":\"deep\"}}}", GITLAB_REFUSED, 0,
		"status 400: deep"},
	{400, "GET", "\xff\xfe", GITLAB_REFUSED, 0, "status 400: \\xff\\xfe"},
	/* nothing that a terminal would obey, and one line */
	{400, "GET", M("a\\u001b[2J\\nb\\tc\\r"), GITLAB_REFUSED, 0, "status 400: a\\x1b[2J b c "},
	{400, "GET", M("\\u202e"), GITLAB_REFUSED, 0, "status 400: \\xe2\\x80\\xae"},
	/* nor the token, whoever says it */
	{400, "GET", "you sent " TOKEN, GITLAB_REFUSED, 0,
		"status 400: in words that hold the token"},
	{401, "GET", M("bad " TOKEN "!"), GITLAB_REFUSED, 0,
		"*(status 401: in words that hold the token)"},
	{403, "GET", M("\\u0067lpat-s3cret"), GITLAB_REFUSED, 0,
		"*(status 403: in words that hold the token)"},
	{500, "POST", "{\"x\":\"" TOKEN "\"}", GITLAB_UNCLEAR, 0, "*that hold the token"},
	{403, "GET", "{\"error\":\"insufficient_scope\",\"scope\":\"" TOKEN "\"}", GITLAB_REFUSED,
		0, "*lacks the scope api"},
};

static struct gitlab_refusal given(const struct refusal *r)
{
	return (struct gitlab_refusal){.method = r->method,
		.what = "doing",
		.key = "/token ([launcher] token-file)",
		.right = "the role",
		.secret = TOKEN,
		.status = r->status,
		.text = r->text,
		.len = strlen(r->text)};
}

static void test_sort(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		const struct gitlab_refusal refusal = given(r);
		struct err e = ERR_INIT;
		int is_state = 7;
		enum gitlab_result got = gitlab_sort(&refusal, &is_state, &e);
		const char *rest = err_text(&e) + strlen("GitLab, doing: ");
		int passing = r->result != GITLAB_REFUSED && r->result != GITLAB_MISSING;

		if (got != r->result || is_state != r->is_state || e.passing != passing)
			fail_msg("%s %ld %s: %s, state %d, passing %d; not %s, %d, %d", r->method,
				r->status, r->text, results[got], is_state, e.passing,
				results[r->result], r->is_state, passing);
		if (*r->said == '*' ? strstr(rest, r->said + 1) == NULL
				    : strcmp(rest, r->said) != 0)
			fail_msg("%s %ld %s: says \"%s\", not \"%s\"", r->method, r->status,
				r->text, rest, r->said);
		if (strstr(err_text(&e), TOKEN) != NULL)
			fail_msg("%s is told", err_text(&e));
		err_clear(&e);
		assert_int_equal(gitlab_sort(&refusal, &is_state, NULL), r->result);
	}
}

/* A long page is cut; what holds a NUL ends there. */
static void test_sort_long(void **state)
{
	char *text = mem_zalloc(100001, 1);
	struct refusal r = {400, "GET", text, GITLAB_REFUSED, 0, ""};
	struct gitlab_refusal refusal;
	struct err e = ERR_INIT;
	int is_state;

	(void)state;
	memset(text, 'a', 100000);
	refusal = given(&r);
	assert_int_equal(gitlab_sort(&refusal, &is_state, &e), GITLAB_REFUSED);
	assert_true(strlen(err_text(&e)) < 400);
	assert_non_null(strstr(err_text(&e), "aaa..."));
	text[3] = '\0';
	assert_int_equal(gitlab_sort(&refusal, &is_state, &e), GITLAB_REFUSED);
	assert_string_equal(err_text(&e), "GitLab, doing: status 400: aaa");
	err_clear(&e);
	/* deeper than is read */
	memset(text, '[', 100000);
	refusal = given(&r);
	assert_int_equal(gitlab_sort(&refusal, &is_state, &e), GITLAB_REFUSED);
	err_clear(&e);
	free(text);
}

/* ---- documents ---- */

static struct json *parse(const char *text)
{
	struct json *j = NULL;
	struct err e = ERR_INIT;

	if (json_parse(&j, text, strlen(text), &e) != 0)
		fail_msg("%s: %s", text, err_text(&e));
	return j;
}

#define P(id, sha, status) "{\"id\":" id ",\"sha\":" sha ",\"status\":" status "}"

static void test_pipeline(void **state)
{
	static const struct {
		const char *text;
		int64_t id; /* 0: it is none */
	} rows[] = {
		{P("47", "\"" SHA "\"", "\"pending\""), 47},
		{P("47", "\"" SHA256 "\"", "\"pending\""), 47},
		{P("9223372036854775807", "\"" SHA "\"", "\"canceling\""), INT64_MAX},
		{"{\"id\":47,\"sha\":\"" SHA
		 "\",\"status\":\"manual\",\"ref\":null,\"source\":null,"
		 "\"web_url\":null}",
			47},
		{"{\"id\":47,\"sha\":\"" SHA "\",\"status\":\"manual\",\"ref\":7,\"source\":[],"
		 "\"web_url\":{}}",
			47},
		{P("0", "\"" SHA "\"", "\"pending\""), 0},
		{P("-47", "\"" SHA "\"", "\"pending\""), 0},
		{P("9223372036854775808", "\"" SHA "\"", "\"pending\""), 0},
		{P("4.7", "\"" SHA "\"", "\"pending\""), 0},
		{P("\"47\"", "\"" SHA "\"", "\"pending\""), 0},
		{P("null", "\"" SHA "\"", "\"pending\""), 0},
		{P("47", "\"\"", "\"pending\""), 0},
		{P("47", "null", "\"pending\""), 0},
		{P("47", "7", "\"pending\""), 0},
		{P("47", "\"50f0acb\"", "\"pending\""), 0},
		{P("47", "\"" SHA "0\"", "\"pending\""), 0},
		{P("47", "\"50F0ACB76A40E34A4FF304F7347DCC6587DA8A14\"", "\"pending\""), 0},
		{P("47", "\"../../../../../../../../../../../../../..\"", "\"pending\""), 0},
		{P("47", "\"" SHA "\"", "\"passed\""), 0},
		{P("47", "\"" SHA "\"", "null"), 0},
		{P("47", "\"" SHA "\"", "1"), 0},
		{"{\"sha\":\"" SHA "\",\"status\":\"pending\"}", 0},
		{"{\"id\":47,\"status\":\"pending\"}", 0},
		{"{\"id\":47,\"sha\":\"" SHA "\"}", 0},
		{"{}", 0},
		{"[]", 0},
		{"7", 0},
		{"\"x\"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = parse(rows[i].text);
		struct gitlab_pipeline p;
		struct err e = ERR_INIT;
		int got = gitlab_parse_pipeline(&p, j, &e);

		if (got != (rows[i].id != 0 ? 0 : -1) || p.id != rows[i].id)
			fail_msg("%s: %d, id %lld, not %lld", rows[i].text, got, (long long)p.id,
				(long long)rows[i].id);
		assert_int_equal(got == 0, e.text == NULL);
		/* what is there is never NULL; what is refused holds nothing */
		assert_int_equal(got == 0, p.sha != NULL && p.ref != NULL && p.source != NULL &&
						   p.word != NULL && p.web_url != NULL);
		gitlab_pipeline_clear(&p);
		err_clear(&e);
		json_free(j);
	}
}

/* All members, as doc/api/pipelines.md and jobs.md have them. */
static void test_whole(void **state)
{
	struct json *j = parse("{\"id\":287,\"iid\":144,\"project_id\":21,\"sha\":\"" SHA
			       "\",\"ref\":\"main\",\"status\":\"success\",\"source\":\"push\","
			       "\"web_url\":\"http://h/-/pipelines/287\",\"user\":{\"id\":1}}");
	struct gitlab_jobs l = {mem_zalloc(1, sizeof(*l.v)), 1, 1};
	const struct gitlab_job *job = l.v;
	struct gitlab_pipeline p;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(gitlab_parse_pipeline(&p, j, &e), 0);
	assert_int_equal(p.id, 287);
	assert_string_equal(p.sha, SHA);
	assert_string_equal(p.ref, "main");
	assert_string_equal(p.source, "push");
	assert_string_equal(p.word, "success");
	assert_string_equal(p.web_url, "http://h/-/pipelines/287");
	gitlab_pipeline_clear(&p);
	json_free(j);
	j = parse("{\"id\":6,\"name\":\"dev:build\",\"status\":\"failed\",\"stage\":\"test\","
		  "\"failure_reason\":\"script_failure\",\"web_url\":\"http://h/-/jobs/6\","
		  "\"user\":{\"id\":18,\"username\":\"petrova\",\"name\":\"P\"}}");
	assert_int_equal(gitlab_parse_job(l.v, j, &e), 0);
	assert_int_equal(job->id, 6);
	assert_string_equal(job->name, "dev:build");
	assert_string_equal(job->word, "failed");
	assert_int_equal(job->status, STATUS_FAILED);
	assert_string_equal(job->failure_reason, "script_failure");
	assert_string_equal(job->web_url, "http://h/-/jobs/6");
	assert_int_equal(job->user_id, 18);
	assert_string_equal(job->username, "petrova");
	gitlab_jobs_clear(&l);
	json_free(j);
}

#define J(id, name, status, user)                                                                  \
	"{\"id\":" id ",\"name\":" name ",\"status\":" status ",\"user\":" user "}"

static void test_job(void **state)
{
	static const struct {
		const char *text;
		int64_t id; /* 0: it is none */
		int64_t user;
		const char *username;
	} rows[] = {
		{J("6", "\"b\"", "\"running\"", "{\"id\":1,\"username\":\"u\"}"), 6, 1, "u"},
		{J("6", "\"b\"", "\"running\"", "null"), 6, 0, ""},
		{J("6", "\"b\"", "\"running\"", "[]"), 6, 0, ""},
		{J("6", "\"b\"", "\"running\"", "{\"id\":\"1\",\"username\":7}"), 6, 0, ""},
		{J("6", "\"b\"", "\"running\"", "{\"id\":-5}"), 6, 0, ""},
		{"{\"id\":6,\"name\":\"b\",\"status\":\"manual\"}", 6, 0, ""},
		{J("0", "\"b\"", "\"running\"", "null"), 0, 0, NULL},
		{J("-1", "\"b\"", "\"running\"", "null"), 0, 0, NULL},
		{J("99999999999999999999", "\"b\"", "\"running\"", "null"), 0, 0, NULL},
		{J("true", "\"b\"", "\"running\"", "null"), 0, 0, NULL},
		{J("6", "\"\"", "\"running\"", "null"), 0, 0, NULL},
		{J("6", "null", "\"running\"", "null"), 0, 0, NULL},
		{J("6", "\"b\\u0000c\"", "\"running\"", "null"), 0, 0, NULL},
		{J("6", "\"b\"", "\"odd\"", "null"), 0, 0, NULL},
		{J("6", "\"b\"", "null", "null"), 0, 0, NULL},
		{"{}", 0, 0, NULL},
		{"[6]", 0, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = parse(rows[i].text);
		struct gitlab_jobs l = {mem_zalloc(1, sizeof(*l.v)), 1, 1};
		struct err e = ERR_INIT;
		int got = gitlab_parse_job(l.v, j, &e);

		if (got != (rows[i].id != 0 ? 0 : -1) || l.v->id != rows[i].id ||
			l.v->user_id != rows[i].user || !str_same(l.v->username, rows[i].username))
			fail_msg("%s: %d, id %lld, user %lld %s; not %lld, %lld %s", rows[i].text,
				got, (long long)l.v->id, (long long)l.v->user_id,
				l.v->username != NULL ? l.v->username : "", (long long)rows[i].id,
				(long long)rows[i].user,
				rows[i].username != NULL ? rows[i].username : "");
		assert_int_equal(got == 0, e.text == NULL);
		gitlab_jobs_clear(&l);
		err_clear(&e);
		json_free(j);
	}
}

#define MR(iid, target, state)                                                                     \
	"{\"iid\":" iid ",\"target_branch\":\"" target "\",\"state\":\"" state                     \
	"\",\"title\":\"t" iid "\",\"description\":null,\"labels\":[\"a\",7,\"runner:x\"]}"

static void test_merge_requests(void **state)
{
	static const struct {
		const char *text;
		int64_t iid;
	} rows[] = {
		{"[]", 0},
		{"[" MR("3", "main", "merged") "]", 3},
		{"[" MR("3", "main", "merged") "," MR("5", "main", "merged") "]", 5},
		{"[" MR("5", "main", "merged") "," MR("3", "main", "merged") "]", 5},
		{"[" MR("5", "main", "closed") "," MR("3", "main", "merged") "]", 3},
		{"[" MR("5", "prod", "merged") "," MR("3", "main", "merged") "]", 3},
		{"[" MR("5", "prod", "merged") "]", 0},
		{"[" MR("5", "main", "closed") "]", 0},
		/* GitLab moves the branch before it says "merged" */
		{"[" MR("5", "main", "opened") "]", 5},
		{"[" MR("5", "main", "locked") "]", 5},
		/* which does not let an open one stand in front of what was merged, or is being */
		{"[" MR("9", "main", "opened") "," MR("3", "main", "merged") "]", 3},
		{"[" MR("3", "main", "merged") "," MR("9", "main", "opened") "]", 3},
		{"[" MR("9", "main", "opened") "," MR("3", "main", "locked") "]", 3},
		{"[" MR("9", "main", "locked") "," MR("3", "main", "merged") "]", 3},
		{"[" MR("0", "main", "merged") "]", 0},
		{"[" MR("-3", "main", "merged") "]", 0},
		{"[" MR("null", "main", "merged") "]", 0},
		{"[7,\"x\",[],{}," MR("3", "main", "merged") "]", 3},
		{"[{\"iid\":4,\"target_branch\":\"main\"}]", 4},
		{"[{\"iid\":4,\"target_branch\":null,\"state\":\"merged\"}]", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = parse(rows[i].text);
		struct gitlab_merge_request m;
		struct err e = ERR_INIT;

		assert_int_equal(gitlab_parse_merge_requests(&m, j, "main", &e), 0);
		if (m.iid != rows[i].iid)
			fail_msg("%s: %lld, not %lld", rows[i].text, (long long)m.iid,
				(long long)rows[i].iid);
		if (m.iid != 0 && m.iid != 4) {
			char *title = mem_format("t%lld", (long long)m.iid);

			assert_string_equal(m.title, title);
			assert_string_equal(m.description, "");
			assert_int_equal(m.labels.n, 2);
			assert_string_equal(m.labels.v[1], "runner:x");
			free(title);
		}
		gitlab_merge_request_clear(&m);
		json_free(j);
	}
}

static void test_no_merge_requests(void **state)
{
	static const char *const rows[] = {"{}", "7", "\"x\"", "{\"iid\":3}"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *j = parse(rows[i]);
		struct gitlab_merge_request m;
		struct err e = ERR_INIT;

		if (gitlab_parse_merge_requests(&m, j, "main", &e) != -1 || m.iid != 0)
			fail_msg("%s is a list of merge requests", rows[i]);
		assert_non_null(e.text);
		err_clear(&e);
		json_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_project),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_long),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_merge_requests),
		cmocka_unit_test(test_no_merge_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
