/*
 * The configuration in force for one repository: built-in defaults, the system file, the
 * repository's file, later over earlier, parsed once into one struct that everything else is given
 * as const. Keys and meanings: modelgate.ini(5) and config/modelgate.ini.
 */
#ifndef MODELGATE_DATA_CONFIG_H
#define MODELGATE_DATA_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/str.h"

struct config_place;
struct err;

/* Bytes of a project's name: MLflow and Airflow make longer names of it. */
#define CONFIG_PROJECT_NAME_MAX 100

enum config_mode { CONFIG_ENFORCE, CONFIG_SHADOW };
enum config_switch { CONFIG_NO, CONFIG_YES };
enum config_identity { CONFIG_IDENTITY_OS, CONFIG_IDENTITY_HTTP, CONFIG_IDENTITY_GITLAB };
enum config_direct { CONFIG_DIRECT_DENY, CONFIG_DIRECT_ALLOW };
enum config_content { CONFIG_CONTENT_AUTOMATIC, CONFIG_CONTENT_ANY };
enum config_known { CONFIG_KNOWN_REQUIRE, CONFIG_KNOWN_OFF };
enum config_start { CONFIG_START_AUTOMATIC, CONFIG_START_MANUAL };
enum config_launcher { CONFIG_LAUNCHER_LOCAL, CONFIG_LAUNCHER_GITLAB };
enum config_wake { CONFIG_WAKE_SPAWN, CONFIG_WAKE_NONE };
enum config_engine {
	CONFIG_ENGINE_AUTO,
	CONFIG_ENGINE_DOCKER,
	CONFIG_ENGINE_PODMAN,
	CONFIG_ENGINE_BUILDAH,
	CONFIG_ENGINE_ARCHIVE
};
enum config_fetch { CONFIG_FETCH_AUTO, CONFIG_FETCH_DVC, CONFIG_FETCH_NONE };
enum config_registry { CONFIG_REGISTRY_EMBEDDED, CONFIG_REGISTRY_MLFLOW };
enum config_promotion { CONFIG_PROMOTION_STAGES, CONFIG_PROMOTION_ALIASES, CONFIG_PROMOTION_BOTH };

/* Merge methods, as a set. */
enum config_method {
	CONFIG_METHOD_MERGE = 1,
	CONFIG_METHOD_FAST_FORWARD = 2,
	CONFIG_METHOD_SQUASH = 4
};

/* [role "NAME"] */
struct config_role {
	char *name;
	struct strlist members;
};

/* [branch "NAME"]: the branch refs/heads/NAME. */
struct config_branch {
	char *name;
	struct strlist merge_from; /* branch names, and "retrain-*" */
	unsigned merge_methods;    /* enum config_method */
	int direct_push;           /* enum config_direct */
	struct strlist direct_may_change;
	int content; /* enum config_content */
	struct strlist roles;
	struct strlist require_files;
	int launch_on_create; /* enum config_switch */
	char *chain;          /* "": none */
};

/* [chain "NAME"] */
struct config_chain {
	char *name;
	struct strlist stages; /* of build, create-model, deploy, stage-model, in this order */
	int start;             /* enum config_start */
	struct strlist roles;
	char *airflow; /* name of a struct config_airflow; "" only where there is no deploy stage */
	char *model_stage;
};

/* [airflow "NAME"]: a repository of DAG files or serving manifests. */
struct config_airflow {
	char *name;
	char *repository; /* "": <state>/repositories/NAME.git */
	char *branch;
	char *path;
	char *token_file;  /* https: of the token; "": none */
	char *ca_file;     /* https: of the certificates to trust; "": the system's */
	char *key_file;    /* ssh: of the private key; "": none */
	char *known_hosts; /* ssh: of the server's key; "": that of the runner's home */
};

struct config {
	/* [modelgate] */
	int mode; /* enum config_mode */
	char *state;
	int allow_repository_config; /* enum config_switch */
	struct strlist projects;
	/* [identity] */
	int identity; /* enum config_identity */
	/* [project] */
	char *project_name; /* "": from the repository, see config_project */
	char *project_description;
	char *repository_url;
	char *schedule;
	char *retrain_schedule;
	char *push_token_variable;
	/* [retrain-branch] */
	struct strlist date_formats;
	char *model_file;
	struct strlist retrain_may_change;
	int known_pipeline; /* enum config_known */
	struct strlist retrain_roles;
	/* [content] */
	struct strlist forbid;
	int64_t max_file_size; /* bytes; 0: no limit */
	/* [override] */
	struct strlist override_role;
	/* [launcher] */
	int launcher; /* enum config_launcher */
	char *launcher_url;
	char *launcher_token_file;
	char *launcher_ca_file;
	/* [runner] */
	int wake; /* enum config_wake */
	int64_t parallel;
	int64_t stage_timeout; /* seconds */
	int64_t retries;
	/* [audit] */
	int64_t rotate_size;    /* bytes; 0: not for that */
	int64_t rotate_age;     /* days; 0: not for that */
	char *audit_syslog;     /* the socket that records are copied to; "": they are not */
	char *audit_public_key; /* file: what checkpoints are signed with; "": not known */
	/* [build] */
	int engine; /* enum config_engine */
	char *dockerfile;
	char *image_registry;
	char *image_credentials_file; /* containers-auth.json(5); "": the engine's own */
	int model_fetch;              /* enum config_fetch */
	struct strlist model_remotes; /* globs of addresses; empty: any */
	char *model_credentials_file; /* AWS shared credentials; "": those of the runner's home */
	/* [registry] */
	int registry; /* enum config_registry */
	char *registry_url;
	char *registry_token_file;
	char *registry_ca_file;
	int promotion; /* enum config_promotion */

	struct config_role *roles;
	size_t n_roles;
	struct config_branch *branches;
	size_t n_branches;
	struct config_chain *chains;
	size_t n_chains;
	struct config_airflow *airflows;
	size_t n_airflows;

	struct strlist files;        /* the files read, in order */
	struct config_place *places; /* where each key was set last: see config_origin() */
	size_t n_places;
	/*
	 * SHA-256 of the values in force, one "section<TAB>name<TAB>key<TAB>value<LF>" each,
	 * sorted.
	 */
	char sha256[SHA256_HEX_SIZE];
};

struct config_sources {
	/* NULL: the system's file where there is one.  Given: this file, which must be there. */
	const char *system_file;
	/* Git directory whose own file is read too; NULL: none. */
	const char *repository;
};

/*
 * Load and check the configuration.  0 and *OUT, the caller's to config_free(), or -1 and *E with
 * "FILE:LINE: [section] key: what is wrong; what would be right".
 */
int config_load(struct config **out, const struct config_sources *from, struct err *e);
/*
 * Parse defaults, then TEXT as one file named NAME.  For tests and fuzzing; as config_load
 * otherwise.
 */
int config_parse(
	struct config **out, const char *text, size_t len, const char *name, struct err *e);
void config_free(struct config *c); /* NULL is fine */

/* NULL: none of that name. */
const struct config_branch *config_branch(const struct config *c, const char *name);
const struct config_chain *config_chain(const struct config *c, const char *name);
const struct config_airflow *config_airflow(const struct config *c, const char *name);
const struct config_role *config_role(const struct config *c, const char *name);

/*
 * The project's name: the one configured, else the last part of PROJECT_PATH (GL_PROJECT_PATH; NULL
 * or empty: not known), else that of GITDIR without ".git"; bytes outside [A-Za-z0-9_-], which
 * MLflow and Airflow would not take, become "_".  The caller's to free().
 */
char *config_project(const struct config *c, const char *project_path, const char *gitdir);
/* Path or URL of an Airflow repository, its default filled in; the caller's to free(). */
char *config_airflow_repository(const struct config *c, const struct config_airflow *a);

/*
 * Where a key was set last: its file, borrowed from C, and *LINE; NULL: it has its built-in default.
 * NAME is that of the section, "" or NULL where it has none.
 */
const char *config_set_in(
	const struct config *c, const char *section, const char *name, const char *key, int *line);
/* The same for people: "FILE:LINE" or "built-in default"; the caller's to free(). */
char *config_origin(const struct config *c, const char *section, const char *name, const char *key);
/*
 * The value of a key as it could stand in a file, sizes in bytes; the caller's to free().  NULL: there
 * is no such key, or no section of that name.
 */
char *config_value(const struct config *c, const char *section, const char *name, const char *key);

/* File names below the state directory, each used by more than one program. */
#define CONFIG_STATE_STORE "store.db"
#define CONFIG_STATE_AUDIT "audit"
#define CONFIG_STATE_LOGS "logs"
#define CONFIG_STATE_WORK "work"
#define CONFIG_STATE_ARTIFACTS "artifacts"
#define CONFIG_STATE_RUN "run"
#define CONFIG_STATE_REPOSITORIES "repositories"

#endif
