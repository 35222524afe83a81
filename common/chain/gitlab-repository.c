/* What GitLab's API knows of a project's commits, its merge requests, and the token (chain/gitlab.h). */
#include "chain/gitlab.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/gitlab-internal.h"
#include "data/json.h"

enum gitlab_result gitlab_read_parents(
	struct gitlab *g, const char *sha, struct strlist *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/repository/commits/%s", sha),
		.what = "reading a commit",
		.right = GITLAB_RIGHT_READ};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);
	const struct json *parents = json_get(j, "parent_ids");

	memset(out, 0, sizeof(*out));
	if (result == GITLAB_DONE && !json_is_array(parents)) {
		(void)err_set(e, "no parent_ids");
		result = gitlab_not_understood(&c, e);
	}
	for (size_t i = 0; result == GITLAB_DONE && i < json_length(parents); i++)
		if (json_string(json_at(parents, i)) != NULL)
			strlist_add(out, json_string(json_at(parents, i)));
	json_free(j);
	return result;
}

enum gitlab_result gitlab_merge_base(
	struct gitlab *g, const char *one, const char *other, char **out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format(
			"/repository/merge_base?refs%%5B%%5D=%s&refs%%5B%%5D=%s", one, other),
		.what = "comparing commits",
		.right = GITLAB_RIGHT_READ};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);

	*out = NULL;
	if (result == GITLAB_DONE) {
		*out = mem_strdup(json_get_text(j, "id"));
		if (*out == NULL) {
			(void)err_set(e, "no id");
			result = gitlab_not_understood(&c, e);
		}
	}
	json_free(j);
	return result;
}

enum gitlab_result gitlab_find_merge_request(struct gitlab *g, const char *sha, const char *target,
	struct gitlab_merge_request *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.path = mem_format("/repository/commits/%s/merge_requests", sha),
		.what = "finding a commit's merge request",
		.right = GITLAB_RIGHT_READ};
	struct json *j = NULL;
	enum gitlab_result result;

	memset(out, 0, sizeof(*out));
	result = gitlab_ask(g, &c, &j, e);
	if (result == GITLAB_DONE && gitlab_parse_merge_requests(out, j, target, e) != 0)
		result = gitlab_not_understood(&c, e);
	json_free(j);
	return result;
}

/* ---- the token and its user ---- */

void gitlab_token_clear(struct gitlab_token *t)
{
	strlist_clear(&t->scopes);
	free(t->expires_at);
	memset(t, 0, sizeof(*t));
}

enum gitlab_result gitlab_read_token(struct gitlab *g, struct gitlab_token *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.root = g->api,
		.path = mem_strdup("/personal_access_tokens/self"),
		.what = "reading about the token",
		.right = "the scope api or read_api"};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);
	const struct json *scopes = json_get(j, "scopes");
	const char *expires = json_get_text(j, "expires_at");

	memset(out, 0, sizeof(*out));
	if (result == GITLAB_DONE && !json_is_array(scopes)) {
		(void)err_set(e, "no scopes");
		result = gitlab_not_understood(&c, e);
	}
	if (result == GITLAB_DONE) {
		for (size_t i = 0; i < json_length(scopes); i++)
			if (json_string(json_at(scopes, i)) != NULL)
				strlist_add(&out->scopes, json_string(json_at(scopes, i)));
		out->expires_at = mem_strdup(expires != NULL ? expires : "");
	}
	json_free(j);
	return result;
}

void gitlab_access_clear(struct gitlab_access *a)
{
	free(a->minimum);
	memset(a, 0, sizeof(*a));
}

enum gitlab_result gitlab_read_access(struct gitlab *g, struct gitlab_access *out, struct err *e)
{
	static const char *const ways[] = {"project_access", "group_access", NULL};
	struct gitlab_call c = {.method = "GET",
		.path = mem_strdup(""),
		.what = "reading the project",
		.right = GITLAB_RIGHT_READ};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);
	const struct json *permissions = json_get(j, "permissions");
	const char *minimum = json_get_text(j, "ci_pipeline_variables_minimum_override_role");

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; ways[i] != NULL; i++) {
		int64_t level = json_get_number(json_get(permissions, ways[i]), "access_level", 0);

		if (level > out->level)
			out->level = level;
	}
	out->minimum = mem_strdup(minimum != NULL ? minimum : "");
	json_free(j);
	return result;
}

enum gitlab_result gitlab_read_user(struct gitlab *g, int64_t *out, struct err *e)
{
	struct gitlab_call c = {.method = "GET",
		.root = g->api,
		.path = mem_strdup("/user"),
		.what = "reading about the token's user",
		.right = "the scope api"};
	struct json *j = NULL;
	enum gitlab_result result = gitlab_ask(g, &c, &j, e);

	*out = json_get_number(j, "id", 0);
	if (result == GITLAB_DONE && *out <= 0) {
		(void)err_set(e, "no id");
		result = gitlab_not_understood(&c, e);
	}
	json_free(j);
	return result;
}
