#include "gate/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"
#include "git/reference.h"

void policy_rule(struct policy_rule *out, const struct config *c, const char *ref)
{
	struct names_retrain retrain;

	memset(out, 0, sizeof(*out));
	out->config = c;
	out->name = names_branch(ref);
	if (str_starts(ref, REFERENCE_OWN))
		out->kind = POLICY_OWN;
	if (out->name == NULL)
		return;
	out->branch = config_branch(c, out->name);
	if (out->branch != NULL)
		out->kind = POLICY_BRANCH;
	else if (names_retrain(&retrain, out->name))
		out->kind = POLICY_RETRAIN;
}

/* GitLab runs the hooks for wikis and design repositories too; only "project-<n>" holds models. */
static int is_gitlab_project(const char *gl_repository)
{
	static const char prefix[] = "project-";
	const char *digits = gl_repository + strlen(prefix);

	return str_starts(gl_repository, prefix) && *digits != '\0' &&
	       digits[strspn(digits, "0123456789")] == '\0';
}

enum policy_scope policy_scope(const struct config *c, const char *gitdir, const char *project_path,
	const char *gl_repository)
{
	int gitlab = c->identity == CONFIG_IDENTITY_GITLAB;
	char *stem;
	int in;

	if (gitlab && gl_repository != NULL && *gl_repository != '\0' &&
		!is_gitlab_project(gl_repository))
		return POLICY_OUT_OF_SCOPE;
	if (c->projects.n == 0)
		return POLICY_IN_SCOPE;
	stem = mem_strndup(gitdir, strlen(gitdir) - (str_ends(gitdir, ".git") ? 4 : 0));
	in = str_glob_any(&c->projects, gitdir) || str_glob_any(&c->projects, stem) ||
	     (gitlab && project_path != NULL && str_glob_any(&c->projects, project_path));
	free(stem);
	return in ? POLICY_IN_SCOPE : POLICY_OUT_OF_SCOPE;
}
