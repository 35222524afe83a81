/* Which rule a reference stands under, and whether a repository stands under any. */
#ifndef MODELGATE_GATE_POLICY_H
#define MODELGATE_GATE_POLICY_H

struct config;
struct config_branch;

enum policy_kind {
	POLICY_FREE,    /* feature work, dev, tags: anything */
	POLICY_BRANCH,  /* a [branch "..."] of the configuration */
	POLICY_RETRAIN, /* retrain-<pipeline_id>-<date> */
	POLICY_OWN /* below refs/modelgate/: an order to play a stage, or nothing (gate/play.h) */
};

struct policy_rule {
	enum policy_kind kind;
	const char *
		name; /* the branch's short name, a pointer into the reference's; NULL: no branch */
	const struct config_branch *branch; /* of POLICY_BRANCH; else NULL */
	const struct config *config;        /* the one that was asked */
};

/* The rule for the reference REF, symbolic references followed already. */
void policy_rule(struct policy_rule *out, const struct config *c, const char *ref);

enum policy_scope { POLICY_IN_SCOPE, POLICY_OUT_OF_SCOPE };

/*
 * Do the gates judge this repository?  PROJECT_PATH is GL_PROJECT_PATH and GL_REPOSITORY that
 * variable; both may be NULL and are believed only where C takes its identity from GitLab.
 */
enum policy_scope policy_scope(const struct config *c, const char *gitdir, const char *project_path,
	const char *gl_repository);

#endif
