/* What GitLab's answers mean (chain/gitlab.h). */
#include "chain/gitlab.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"

#define MAX_WORDS 300 /* bytes of the server's words that are passed on */

void gitlab_pipeline_clear(struct gitlab_pipeline *p)
{
	free(p->sha);
	free(p->ref);
	free(p->source);
	free(p->word);
	free(p->web_url);
	memset(p, 0, sizeof(*p));
}

void gitlab_pipelines_clear(struct gitlab_pipelines *l)
{
	for (size_t i = 0; i < l->n; i++)
		gitlab_pipeline_clear(&l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

static void job_clear(struct gitlab_job *j)
{
	free(j->name);
	free(j->word);
	free(j->failure_reason);
	free(j->web_url);
	free(j->username);
	memset(j, 0, sizeof(*j));
}

void gitlab_jobs_clear(struct gitlab_jobs *l)
{
	for (size_t i = 0; i < l->n; i++)
		job_clear(&l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

const struct gitlab_job *gitlab_jobs_find(const struct gitlab_jobs *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

void gitlab_merge_request_clear(struct gitlab_merge_request *m)
{
	free(m->title);
	free(m->description);
	strlist_clear(&m->labels);
	memset(m, 0, sizeof(*m));
}

int64_t gitlab_project(const char *gl_repository)
{
	long long number;

	if (!str_starts(gl_repository, "project-") ||
		str_number(gl_repository + strlen("project-"), INT64_MAX, &number) != 0)
		return 0;
	return number;
}

int gitlab_status(enum status *out, const char *word)
{
	/* doc/api/pipelines.md, doc/api/jobs.md: all that are not words of ours as well. */
	static const struct {
		const char *word;
		enum status status;
	} words[] = {
		{"waiting_for_resource", STATUS_PENDING},
		{"waiting_for_callback", STATUS_RUNNING},
		{"preparing", STATUS_PENDING},
		{"scheduled", STATUS_PENDING},
		{"canceling", STATUS_RUNNING},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0) {
			*out = words[i].status;
			return 0;
		}
	return status_parse(out, word);
}

/* ---- refusals ---- */

/* Add the texts in J, whatever its shape: GitLab's "message" is a text, a list, or lists by name. */
static void add_texts(struct str *out, const struct json *j)
{
	static const char *const names[] = {"base", "error", "message", NULL};
	const char *text = json_string(j);

	if (text != NULL)
		str_addf(out, "%s%s", out->len > 0 ? "; " : "", text);
	for (size_t i = 0; i < json_length(j); i++)
		add_texts(out, json_at(j, i));
	for (size_t i = 0; names[i] != NULL; i++)
		if (json_get(j, names[i]) != NULL)
			add_texts(out, json_get(j, names[i]));
}

static int holds_secret(const struct gitlab_refusal *r, const char *words)
{
	return r->secret != NULL && *r->secret != '\0' && strstr(words, r->secret) != NULL;
}

/* The server's words in one line, the caller's to free(). */
static char *words_of(const struct gitlab_refusal *r, const struct json *j)
{
	const char *description = json_get_text(j, "error_description");
	struct str text;
	char *safe;

	str_init(&text);
	add_texts(&text, j);
	if (description != NULL)
		str_addf(&text, ": %s", description);
	if (text.len == 0)
		str_add(&text, r->len == 0 || memchr(r->text, '<', r->len) != NULL
				       ? "no reason given"
				       : r->text);
	if (holds_secret(r, text.buf)) {
		str_reset(&text);
		str_add(&text, "in words that hold the token");
	}
	for (char *p = text.buf; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	safe = str_safe(text.buf, MAX_WORDS);
	str_clear(&text);
	return safe;
}

/* GitLab says 400 and 403 also of what cannot be done in the state that a job or pipeline is in. */
static int is_about_state(const char *words)
{
	return str_holds(words, "unplayable job") || str_holds(words, "not retryable") ||
	       str_holds(words, "not cancelable") || str_holds(words, "not playable");
}

static void tell_denied(
	const struct gitlab_refusal *r, const struct json *j, const char *words, struct err *e)
{
	const char *scope = json_get_text(j, "scope");
	char *safe = str_safe(scope == NULL || holds_secret(r, scope) ? "api" : scope, MAX_WORDS);

	if (r->status == 401)
		(void)err_set(e,
			"GitLab, %s: the token in %s is not valid, or not any more (status 401: "
			"%s); put one there with the scope api",
			r->what, r->key, words);
	else if (str_same(json_get_text(j, "error"), "insufficient_scope"))
		(void)err_set(e, "GitLab, %s: the token in %s lacks the scope %s (status 403: %s)",
			r->what, r->key, safe, words);
	else
		(void)err_set(e,
			"GitLab, %s: the user of the token in %s may not do this (status %ld: %s); "
			"it needs: %s",
			r->what, r->key, r->status, words, r->right);
	free(safe);
}

/* An answer other than 401 and 403. */
static enum gitlab_result sort_other(const struct gitlab_refusal *r, const char *words)
{
	if (r->status == 404)
		return GITLAB_MISSING;
	if (r->status == 429)
		return GITLAB_LATER;
	if (r->status >= 500 || r->status == 408 || r->status == 409)
		return strcmp(r->method, "POST") == 0 ? GITLAB_UNCLEAR : GITLAB_LATER;
	if (str_holds(words, "reference not found"))
		return GITLAB_NO_REF;
	return GITLAB_REFUSED;
}

enum gitlab_result gitlab_sort(const struct gitlab_refusal *r, int *is_state, struct err *e)
{
	struct err untold = ERR_INIT;
	enum gitlab_result result = GITLAB_REFUSED;
	struct json *j = NULL;
	char *words;

	if (json_parse(&j, r->text, r->len, &untold) != 0)
		j = NULL;
	words = words_of(r, j);
	*is_state = (r->status == 400 || r->status == 403) && is_about_state(words);
	/* GitLab says the last of these with 400. */
	if (((r->status == 401 || r->status == 403) && !*is_state) ||
		(r->status == 400 && str_holds(words, "insufficient permission"))) {
		tell_denied(r, j, words, e);
	} else {
		result = sort_other(r, words);
		*is_state = *is_state && result == GITLAB_REFUSED;
		(void)err_set(e, "GitLab, %s: status %ld: %s%s", r->what, r->status, words,
			r->status >= 300 && r->status < 400 ? "; [launcher] url leads elsewhere: "
							      "give the address that it leads to"
							    : "");
	}
	if (e != NULL)
		e->passing = result != GITLAB_REFUSED && result != GITLAB_MISSING;
	free(words);
	json_free(j);
	err_clear(&untold);
	return result;
}

/* ---- JSON ---- */

/* The text of member NAME, which may be null; the caller's to free(). */
static char *text_of(const struct json *j, const char *name)
{
	const char *text = json_get_text(j, name);

	return mem_strdup(text != NULL ? text : "");
}

static int is_oid(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return text[n] == '\0' && (n == 40 || n == 64);
}

int gitlab_parse_pipeline(struct gitlab_pipeline *out, const struct json *j, struct err *e)
{
	enum status status;

	memset(out, 0, sizeof(*out));
	out->id = json_get_number(j, "id", 0);
	out->sha = text_of(j, "sha");
	out->ref = text_of(j, "ref");
	out->source = text_of(j, "source");
	out->word = text_of(j, "status");
	out->web_url = text_of(j, "web_url");
	out->user_id = json_get_number(json_get(j, "user"), "id", 0);
	if (out->id > 0 && is_oid(out->sha) && gitlab_status(&status, out->word) == 0)
		return 0;
	gitlab_pipeline_clear(out);
	return err_set(e, "GitLab's answer is no pipeline as doc/api/pipelines.md has it");
}

int gitlab_parse_job(struct gitlab_job *out, const struct json *j, struct err *e)
{
	const struct json *user = json_get(j, "user");

	memset(out, 0, sizeof(*out));
	out->id = json_get_number(j, "id", 0);
	out->name = text_of(j, "name");
	out->word = text_of(j, "status");
	out->has_started = json_get_text(j, "started_at") != NULL;
	out->failure_reason = text_of(j, "failure_reason");
	out->web_url = text_of(j, "web_url");
	out->user_id = json_get_number(user, "id", 0);
	if (out->user_id < 0)
		out->user_id = 0;
	out->username = text_of(user, "username");
	if (out->id > 0 && *out->name != '\0' && gitlab_status(&out->status, out->word) == 0)
		return 0;
	job_clear(out);
	return err_set(e, "GitLab's answer is no job as doc/api/jobs.md has it");
}

static void take_merge_request(struct gitlab_merge_request *out, const struct json *j)
{
	const struct json *labels = json_get(j, "labels");

	gitlab_merge_request_clear(out);
	out->iid = json_get_number(j, "iid", 0);
	out->title = text_of(j, "title");
	out->description = text_of(j, "description");
	for (size_t i = 0; i < json_length(labels); i++)
		if (json_string(json_at(labels, i)) != NULL)
			strlist_add(&out->labels, json_string(json_at(labels, i)));
}

/*
 * How much says that this one has brought the commit; 0: nothing.  GitLab moves the branch before it says
 * "merged"; but whoever opens another one with the same commit must not have it taken for that.
 */
static int rank_of(const struct json *j, const char *target)
{
	const char *state = json_get_text(j, "state");

	if (!str_same(json_get_text(j, "target_branch"), target) || str_same(state, "closed"))
		return 0;
	return str_same(state, "merged") ? 3 : str_same(state, "locked") ? 2 : 1;
}

int gitlab_parse_merge_requests(
	struct gitlab_merge_request *out, const struct json *j, const char *target, struct err *e)
{
	int64_t newest = 0;
	int best = 1;

	memset(out, 0, sizeof(*out));
	if (!json_is_array(j))
		return err_set(e, "GitLab's answer is no list of merge requests as "
				  "doc/api/commits.md has it");
	for (size_t i = 0; i < json_length(j); i++) {
		const struct json *one = json_at(j, i);
		int64_t iid = json_get_number(one, "iid", 0);
		int rank = rank_of(one, target);

		if (iid > 0 && (rank > best || (rank == best && iid > newest))) {
			best = rank;
			newest = iid;
			take_merge_request(out, one);
		}
	}
	return 0;
}
