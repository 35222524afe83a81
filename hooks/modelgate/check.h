/*
 * What `modelgate check` looks at, one file a field: each function tells one line a fact, ok or what is
 * wrong and how to mend it.
 */
#ifndef MODELGATE_CHECK_H
#define MODELGATE_CHECK_H

#include <stddef.h>
#include <sys/types.h>

struct config;
struct json;

enum check_status {
	CHECK_OK,
	CHECK_WRONG, /* something does not work, or is open to others */
	CHECK_NOTE   /* works, and may not be what is meant */
};

struct check {
	const char
		*repository; /* Git directory, absolute; NULL: only what all share is looked at */
	const char
		*hooks; /* Gitaly's folder of hooks for all repositories; NULL: none is looked at */
	const struct config *config; /* NULL: it is refused */
	uid_t owner;                 /* whom the hooks run as, and we */
	char *owner_name;
	struct json *lines; /* for --json; NULL: printed as they come */
	size_t n_wrong;
};

/*
 * Tell one line about FIELD, a word of --json; MEND, which may be NULL, says how to mend it and is taken
 * over.
 */
void check_tell(struct check *c, enum check_status status, const char *field, char *mend,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
#define check_ok(c, field, ...) check_tell(c, CHECK_OK, field, NULL, __VA_ARGS__)
#define check_wrong(c, field, mend, ...) check_tell(c, CHECK_WRONG, field, mend, __VA_ARGS__)
#define check_note(c, field, ...) check_tell(c, CHECK_NOTE, field, NULL, __VA_ARGS__)

/* The command that installs here what is checked; the caller's to free(). */
char *check_install_command(const struct check *c);
/* <prefix>/NAME of the prefix that this program was built for; the caller's to free(). */
char *check_installed(const char *name);

/* check-state.c: the state directory, the store; and check_audit(). */
void check_state(struct check *c);
/* check-audit.c: the end of the audit log, where it is copied to, and the key of its checkpoints. */
void check_audit(struct check *c);
/* check-hooks.c: the hooks of the repository or of all repositories, and what of Git's configuration they need. */
void check_hooks(struct check *c);
/* Has the repository hooks of its own that are ours or call ours, or is it to have them by install.sh? */
int check_has_own_hooks(const struct check *c);
void check_git(struct check *c);
/* check-confinement.c: what the kernel has for the limits that hooks put on themselves. */
void check_confinement(struct check *c);
/* check-images.c: what makes images, and the registry that they go to. */
void check_images(struct check *c);
/* check-registry.c: where models come from and are registered: files of secrets, and MLflow's server. */
void check_models(struct check *c);
/* check-launcher.c: GitLab, where chains run there. */
void check_launcher(struct check *c);
/* Is PATH, which is KEY's, a file for secrets?  "": nothing is told. */
void check_secret(struct check *c, const char *key, const char *path);
/* check-policy.c: what the configuration says, where it can be another thing than was meant. */
void check_policy(struct check *c);
/* check-airflow.c: the repositories that deploy writes to, here and on servers, which are asked. */
void check_airflows(struct check *c);
/* check-names.c: names of the project that belong to another repository; of others it says nothing. */
void check_names(struct check *c);

#endif
