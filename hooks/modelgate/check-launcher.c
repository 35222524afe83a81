#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/gitlab.h"
#include "chain/pipeline.h"
#include "chain/store.h"
#include "data/config.h"
#include "sys/secret.h"

#define KEY "[launcher] token-file"
#define SCOPE "api"
#define SOON (30 * 24 * 3600 * CLOCK_SECOND) /* before a token's end this is told */

/* GitLab's number of the project, which a push tells: the newest pipeline knows.  0: there is none. */
static int64_t find_project(const struct check *c)
{
	struct pipeline_filter filter = {.limit = 100};
	struct pipeline_list list = {0};
	struct store *s = NULL;
	struct err untold = ERR_INIT; /* check-state.c has told it */
	int64_t project = 0;

	if (c->repository != NULL && store_open(&s, c->config->state, &untold) == 0 &&
		pipeline_list(&list, s, &filter, &untold) == 0)
		for (size_t i = 0; i < list.n && project == 0; i++)
			if (str_same(list.v[i].repository, c->repository))
				project = gitlab_project(list.v[i].gl_repository);
	pipeline_list_clear(&list);
	store_close(s);
	err_clear(&untold);
	return project;
}

static char *mend_of(const struct check *c, enum gitlab_result result)
{
	if (result == GITLAB_LATER || result == GITLAB_UNCLEAR)
		return mem_strdup("see whether GitLab runs, and is reached from this machine");
	if (result == GITLAB_MISSING)
		return mem_strdup("see whether [launcher] url is GitLab's, and whether the token's "
				  "user is a member of the project");
	return mem_format("put a project or group access token with the scope " SCOPE
			  " and the role Maintainer into %s",
		c->config->launcher_token_file);
}

static void check_end(struct check *c, const char *expires_at)
{
	int64_t end;

	if (*expires_at != '\0' && clock_parse(expires_at, &end) == 0 && end < clock_now() + SOON)
		check_tell(c, CHECK_NOTE, "servers",
			mem_format("put a new one into %s before that",
				c->config->launcher_token_file),
			"[launcher]: the token ends on %s", expires_at);
}

/* 1: the token is one that can be used. */
static int check_token(struct check *c, struct gitlab *g)
{
	struct gitlab_token token = {0};
	struct err e = ERR_INIT;
	enum gitlab_result result = gitlab_read_token(g, &token, &e);
	int is_good = result == GITLAB_DONE && strlist_has(&token.scopes, SCOPE);

	if (result != GITLAB_DONE) {
		check_wrong(c, "servers", mend_of(c, result), "[launcher]: %s", err_text(&e));
	} else if (!is_good) {
		check_wrong(c, "servers", mend_of(c, GITLAB_REFUSED),
			"[launcher]: the token lacks the scope " SCOPE);
	} else {
		check_ok(c, "servers", "[launcher]: GitLab at %s takes the token",
			c->config->launcher_url);
		check_end(c, token.expires_at);
	}
	gitlab_token_clear(&token);
	err_clear(&e);
	return is_good;
}

static void check_project(struct check *c, struct gitlab *g, int64_t project)
{
	struct err e = ERR_INIT;
	struct gitlab_access access;
	enum gitlab_result result = gitlab_read_access(g, &access, &e);

	if (result != GITLAB_DONE)
		check_wrong(c, "servers", mend_of(c, result), "[launcher]: project %lld: %s",
			(long long)project, err_text(&e));
	else if (access.level < GITLAB_DEVELOPER)
		check_wrong(c, "servers",
			mem_strdup("make the token's user Maintainer of the project, or Developer "
				   "where developers may set pipeline variables and push to the "
				   "branches with chains"),
			"[launcher]: project %lld: the token's user may not run pipelines",
			(long long)project);
	else
		check_ok(c, "servers",
			"[launcher]: project %lld: the token's user has access level %lld",
			(long long)project, (long long)access.level);
	/* GitLab's own default for new projects on a server of one's own. */
	if (str_same(access.minimum, "developer"))
		check_tell(c, CHECK_NOTE, "servers",
			mem_strdup("set Settings > CI/CD > Variables > Minimum role to use "
				   "pipeline variables to Maintainer"),
			"[launcher]: project %lld: developers may set the variables by which jobs "
			"know what they are for",
			(long long)project);
	gitlab_access_clear(&access);
	err_clear(&e);
}

void check_launcher(struct check *c)
{
	int64_t project = find_project(c);
	const struct gitlab_settings settings = {.url = c->config->launcher_url,
		.token_file = c->config->launcher_token_file,
		.ca_file = c->config->launcher_ca_file,
		.key = KEY,
		.project = project};
	struct gitlab *g = NULL;
	struct err e = ERR_INIT;

	if (c->config->launcher != CONFIG_LAUNCHER_GITLAB)
		return;
	check_secret(c, KEY, c->config->launcher_token_file);
	if (secret_check(c->config->launcher_token_file, &e) == 0) {
		if (gitlab_open(&g, &settings, &e) != 0)
			check_wrong(c, "servers", mend_of(c, GITLAB_REFUSED), "[launcher]: %s",
				err_text(&e));
		else if (check_token(c, g) && project != 0)
			check_project(c, g, project);
	}
	gitlab_close(g);
	err_clear(&e);
	if (c->config->wake == CONFIG_WAKE_SPAWN)
		check_tell(c, CHECK_NOTE, "servers",
			mem_strdup("run modelgate run as a service, with [runner] wake = none"),
			"[launcher]: a runner that a push has started ends when all waits for a "
			"hand, and does not see the buttons of GitLab's page");
}
