#include "chain/gitlab.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/gitlab-internal.h"
#include "data/json.h"
#include "net/http.h"
#include "sys/secret.h"

#define MAX_ANSWER (8U << 20) /* bytes: a page of 100 jobs has less than one million */
#define PAGE 100
#define TIMEOUT 30 /* seconds: one GitLab that hangs must not hold up the others for long */

/* What the documents ask of the token's user. */
#define RIGHT_CREATE                                                                               \
	"the role Developer, leave to run pipelines on this branch (allowed to merge or push, if " \
	"it is protected), and the role in the project's \"minimum role to use pipeline "          \
	"variables\""
#define RIGHT_PLAY                                                                                 \
	"the role Developer, leave to run pipelines on this branch (allowed to merge or push, if " \
	"it is protected), and to deploy to the job's environment, if that is protected"
#define RIGHT_VARIABLES "the role Developer, to read a pipeline's variables"

struct gitlab_variables {
	struct json *list;
};

int gitlab_open(struct gitlab **out, const struct gitlab_settings *settings, struct err *e)
{
	struct http_settings http = {.ca_file = settings->ca_file, .timeout = TIMEOUT};
	struct gitlab *g = mem_zalloc(1, sizeof(*g));
	size_t len = strlen(settings->url);

	*out = NULL;
	while (len > 0 && settings->url[len - 1] == '/')
		len--;
	g->api = mem_format("%.*s/api/v4", (int)len, settings->url);
	g->base = mem_format("%s/projects/%lld", g->api, (long long)settings->project);
	g->key = mem_format("%s (%s)", settings->token_file, settings->key);
	g->pause = -1;
	g->secret = secret_read(settings->token_file, e);
	/* A project's or personal access token is taken as a bearer token: doc/api/rest/authentication.md */
	g->credentials.kind = HTTP_AUTH_BEARER;
	g->credentials.secret = g->secret;
	if (g->secret == NULL || http_new(&g->http, &http, e) != 0) {
		gitlab_close(g);
		return err_wrap(e, "%s", settings->key);
	}
	*out = g;
	return 0;
}

void gitlab_close(struct gitlab *g)
{
	if (g == NULL)
		return;
	http_free(g->http);
	free(g->api);
	free(g->base);
	free(g->key);
	secret_free(g->secret);
	free(g);
}

int64_t gitlab_pause(const struct gitlab *g)
{
	return g->pause;
}

int gitlab_is_at_work(const struct gitlab *g)
{
	return g->is_at_work;
}

int gitlab_is_away(const struct gitlab *g)
{
	return g->is_away;
}

int gitlab_is_state(const struct gitlab *g)
{
	return g->is_state;
}

/* ---- a request ---- */

static enum gitlab_result sort_answer(struct gitlab *g, const struct gitlab_call *c,
	const struct http_answer *a, struct str *body, struct err *e)
{
	const struct gitlab_refusal refusal = {.method = c->method,
		.what = c->what,
		.key = g->key,
		.right = c->right,
		.secret = g->secret,
		.status = a->status,
		.text = a->body.buf,
		.len = a->body.len};

	g->pause = a->retry_after;
	if (a->status == 200 || a->status == 201) {
		str_addn(body, a->body.buf, a->body.len);
		return GITLAB_DONE;
	}
	/* What stands in front of GitLab says these two, and GitLab may be still at work. */
	g->is_at_work = a->status == 502 || a->status == 504;
	return gitlab_sort(&refusal, &g->is_state, e);
}

/* The answer's body is added to *BODY where the result is GITLAB_DONE.  Frees what is C's. */
static enum gitlab_result send(
	struct gitlab *g, struct gitlab_call *c, struct str *body, struct err *e)
{
	char *url = mem_format("%s%s", c->root != NULL ? c->root : g->base, c->path);
	char *text = c->body != NULL ? json_text(c->body, JSON_ONE_LINE) : NULL;
	int is_post = strcmp(c->method, "POST") == 0;
	struct http_request r = {.method = c->method,
		.url = url,
		.credentials = &g->credentials,
		.type = "application/json",
		.body = text != NULL ? text
			: is_post    ? ""
				     : NULL,
		.len = text != NULL ? strlen(text) : 0,
		.max = c->max != 0 ? c->max : MAX_ANSWER,
		.excess = c->max != 0 ? HTTP_EXCESS_CUT : HTTP_EXCESS_FAULT,
		.repeat = is_post ? HTTP_ONCE : HTTP_REPEATABLE};
	enum gitlab_result result;
	struct err why = ERR_INIT;
	struct http_answer a;
	enum http_result http;

	g->pause = -1;
	g->is_state = 0;
	g->is_at_work = 0;
	http = http_do(g->http, &r, &a, &why);
	if (http == HTTP_ANSWERED) {
		result = sort_answer(g, c, &a, body, e);
		http_answer_clear(&a);
	} else {
		g->is_at_work = http == HTTP_UNCLEAR;
		if (http == HTTP_UNCLEAR && is_post)
			result = GITLAB_UNCLEAR;
		else
			result =
				why.passing || http == HTTP_UNCLEAR ? GITLAB_LATER : GITLAB_REFUSED;
		(void)err_set(e, "GitLab, %s: %s", c->what, err_text(&why));
		if (e != NULL)
			e->passing = result != GITLAB_REFUSED;
	}
	/* A certificate that is not trusted is told to each who asks, and at once. */
	g->is_away = http != HTTP_ANSWERED && result != GITLAB_REFUSED;
	err_clear(&why);
	free(c->path);
	free(text);
	free(url);
	return result;
}

/* What is no JSON comes from something else than GitLab, and may be gone next time. */
enum gitlab_result gitlab_not_understood(const struct gitlab_call *c, struct err *e)
{
	(void)err_wrap(e, "GitLab, %s: the answer is not understood; is [launcher] url GitLab's?",
		c->what);
	if (e != NULL)
		e->passing = 1;
	return strcmp(c->method, "POST") == 0 ? GITLAB_UNCLEAR : GITLAB_LATER;
}

/* The same with an answer of JSON, the caller's to json_free(). */
enum gitlab_result gitlab_ask(
	struct gitlab *g, struct gitlab_call *c, struct json **out, struct err *e)
{
	enum gitlab_result result;
	struct str body;

	*out = NULL;
	str_init(&body);
	result = send(g, c, &body, e);
	if (result == GITLAB_DONE && json_parse(out, body.buf, body.len, e) != 0)
		result = gitlab_not_understood(c, e);
	str_clear(&body);
	return result;
}

/* Call TAKE with each element of a list, page by page.  PATH has its query, and ends in it. */
static enum gitlab_result each(struct gitlab *g, struct gitlab_call *c,
	int (*take)(void *context, const struct json *j, struct err *e), void *context,
	struct err *e)
{
	char *path = c->path;
	enum gitlab_result result = GITLAB_DONE;
	size_t n = PAGE;

	for (int page = 1; result == GITLAB_DONE && n == PAGE; page++) {
		struct json *j = NULL;

		if (page > GITLAB_MAX_PAGES) {
			(void)err_set(e, "GitLab, %s: more than %d of them", c->what,
				GITLAB_MAX_PAGES * PAGE);
			result = GITLAB_REFUSED;
			break;
		}
		c->path = mem_format("%sper_page=%d&page=%d", path, PAGE, page);
		result = gitlab_ask(g, c, &j, e);
		n = json_length(j);
		if (result == GITLAB_DONE && !json_is_array(j)) {
			(void)err_set(e, "no list");
			result = gitlab_not_understood(c, e);
		}
		for (size_t i = 0; result == GITLAB_DONE && i < n; i++)
			if (take(context, json_at(j, i), e) != 0)
				result = gitlab_not_understood(c, e);
		json_free(j);
	}
	free(path);
	return result;
}

/* ---- variables ---- */

struct gitlab_variables *gitlab_variables_new(void)
{
	struct gitlab_variables *v = mem_zalloc(1, sizeof(*v));

	v->list = json_new_array();
	return v;
}

void gitlab_variables_free(struct gitlab_variables *v)
{
	if (v != NULL)
		json_free(v->list);
	free(v);
}

void gitlab_variables_add(struct gitlab_variables *v, const char *key, const char *value)
{
	struct json *one = json_new_object();

	json_put_text(one, "key", key);
	json_put_text(one, "value", value);
	json_put_text(one, "variable_type", "env_var");
	json_append(v->list, one);
}

struct wanted_variables {
	const struct gitlab_variable *v;
	size_t n;
	size_t found;
};

static int take_variable(void *context, const struct json *j, struct err *e)
{
	struct wanted_variables *wanted = context;
	const char *key = json_get_text(j, "key");

	if (key == NULL)
		return err_set(e, "a variable without key");
	for (size_t i = 0; i < wanted->n; i++)
		wanted->found += strcmp(key, wanted->v[i].key) == 0 &&
				 str_same(json_get_text(j, "value"), wanted->v[i].value);
	return 0;
}

enum gitlab_result gitlab_match_variables(struct gitlab *g, int64_t pipeline,
	const struct gitlab_variable *wanted, size_t n, int *match, struct err *e)
{
	struct wanted_variables all = {wanted, n, 0}; /* GitLab has each key once */
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/pipelines/%lld/variables?", (long long)pipeline),
		.what = "reading the variables of a pipeline",
		.right = RIGHT_VARIABLES};
	enum gitlab_result result = each(g, &c, take_variable, &all, e);

	*match = result == GITLAB_DONE && all.found == n;
	return result;
}

/* ---- pipelines ---- */

/* An answer to C that is one pipeline. */
static enum gitlab_result ask_pipeline(
	struct gitlab *g, struct gitlab_call *c, struct gitlab_pipeline *out, struct err *e)
{
	struct json *j = NULL;
	enum gitlab_result result;

	memset(out, 0, sizeof(*out));
	result = gitlab_ask(g, c, &j, e);
	if (result == GITLAB_DONE && gitlab_parse_pipeline(out, j, e) != 0)
		result = gitlab_not_understood(c, e);
	json_free(j);
	return result;
}

enum gitlab_result gitlab_create(struct gitlab *g, const char *ref, struct gitlab_variables *v,
	struct gitlab_pipeline *out, struct err *e)
{
	struct json *body = json_new_object();
	struct gitlab_call c = {.method = "POST",
		.path = mem_strdup("/pipeline"),
		.body = body,
		.what = "creating a pipeline",
		.right = RIGHT_CREATE};
	enum gitlab_result result;

	json_put_text(body, "ref", ref);
	json_put(body, "variables", v->list);
	v->list = NULL;
	gitlab_variables_free(v);
	result = ask_pipeline(g, &c, out, e);
	json_free(body);
	return result;
}

enum gitlab_result gitlab_read_pipeline(
	struct gitlab *g, int64_t id, struct gitlab_pipeline *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/pipelines/%lld", (long long)id),
		.what = "reading a pipeline",
		.right = GITLAB_RIGHT_READ};

	return ask_pipeline(g, &c, out, e);
}

static int take_pipeline(void *context, const struct json *j, struct err *e)
{
	struct gitlab_pipelines *l = context;

	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	if (gitlab_parse_pipeline(&l->v[l->n], j, e) != 0)
		return -1;
	l->n++;
	return 0;
}

enum gitlab_result gitlab_list_pipelines(
	struct gitlab *g, const char *query, struct gitlab_pipelines *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/pipelines?%s&", query),
		.what = "listing pipelines",
		.right = GITLAB_RIGHT_READ};
	enum gitlab_result result;

	memset(out, 0, sizeof(*out));
	result = each(g, &c, take_pipeline, out, e);
	if (result != GITLAB_DONE)
		gitlab_pipelines_clear(out);
	return result;
}

/* The body of the answer says what we see anyway when we look next. */
static enum gitlab_result post(
	struct gitlab *g, char *path, const char *what, const char *right, struct err *e)
{
	struct gitlab_call c = {.method = "POST", .path = path, .what = what, .right = right};
	struct str body;
	enum gitlab_result result;

	str_init(&body);
	result = send(g, &c, &body, e);
	str_clear(&body);
	return result;
}

enum gitlab_result gitlab_cancel(struct gitlab *g, int64_t pipeline, struct err *e)
{
	return post(g, mem_format("/pipelines/%lld/cancel", (long long)pipeline),
		"canceling a pipeline", RIGHT_PLAY, e);
}

/* ---- jobs ---- */

static int take_job(void *context, const struct json *j, struct err *e)
{
	struct gitlab_jobs *l = context;
	struct gitlab_job job;

	if (gitlab_parse_job(&job, j, e) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, job.name) != 0)
			continue;
		/* Listed in between two pages, it is there twice; GitLab before 13.5 has the oldest first. */
		if (l->v[i].id < job.id) {
			struct gitlab_job older = l->v[i];

			l->v[i] = job;
			job = older;
		}
		free(job.name);
		free(job.word);
		free(job.failure_reason);
		free(job.web_url);
		free(job.username);
		return 0;
	}
	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = job;
	return 0;
}

enum gitlab_result gitlab_list_jobs(
	struct gitlab *g, int64_t pipeline, struct gitlab_jobs *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/pipelines/%lld/jobs?", (long long)pipeline),
		.what = "listing the jobs of a pipeline",
		.right = GITLAB_RIGHT_READ};
	enum gitlab_result result;

	memset(out, 0, sizeof(*out));
	result = each(g, &c, take_job, out, e);
	if (result != GITLAB_DONE)
		gitlab_jobs_clear(out);
	return result;
}

enum gitlab_result gitlab_play(struct gitlab *g, int64_t job, struct err *e)
{
	return post(
		g, mem_format("/jobs/%lld/play", (long long)job), "playing a job", RIGHT_PLAY, e);
}

enum gitlab_result gitlab_retry(struct gitlab *g, int64_t job, int64_t *out, struct err *e)
{
	struct gitlab_call c = {.method = "POST",
		.path = mem_format("/jobs/%lld/retry", (long long)job),
		.what = "running a job again",
		.right = RIGHT_PLAY};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);

	*out = json_get_number(j, "id", 0);
	if (result == GITLAB_DONE && *out <= 0) {
		(void)err_set(e, "no job");
		result = gitlab_not_understood(&c, e);
	}
	json_free(j);
	return result;
}

enum gitlab_result gitlab_read_trace(struct gitlab *g, int64_t job, struct str *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/jobs/%lld/trace", (long long)job),
		.what = "reading the log of a job",
		.right = GITLAB_RIGHT_READ,
		.max = GITLAB_MAX_TRACE};

	return send(g, &c, out, e);
}

enum gitlab_result gitlab_read_artifact(
	struct gitlab *g, int64_t job, const char *path, struct str *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/jobs/%lld/artifacts/%s", (long long)job, path),
		.what = "reading an artifact of a job",
		.right = GITLAB_RIGHT_READ,
		.max = GITLAB_MAX_FILE};

	return send(g, &c, out, e);
}
