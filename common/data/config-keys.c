#include "data/config-parts.h"

#include <ctype.h>
#include <string.h>

#include "data/ini.h"

#define NAMES_SHOWN "letters, digits, _ . and -"
#define ROLE_SHOWN "the name of a [role], of " NAMES_SHOWN
#define GLOB_SHOWN "globs over paths from the top of the tree, such as rkl/*"
#define URL_SHOWN "a URL that starts with https:// or http://"
#define PATH_SHOWN "an absolute path without . or .. or a / at its end"
#define CRON_SHOWN                                                                                 \
	"the five fields of cron, such as 0 5 * * *, or @once, @hourly, @daily, @weekly, "         \
	"@monthly, @quarterly or @yearly"

static const char *const switch_words[] = {"no", "yes", NULL};
static const char *const mode_words[] = {"enforce", "shadow", NULL};
static const char *const identity_words[] = {"os", "http", "gitlab", NULL};
static const char *const method_words[] = {"merge", "fast-forward", "squash", NULL};
static const char *const direct_words[] = {"deny", "allow", NULL};
static const char *const content_words[] = {"automatic", "any", NULL};
static const char *const known_words[] = {"require", "off", NULL};
static const char *const stage_words[] = {"build", "create-model", "deploy", "stage-model", NULL};
static const char *const start_words[] = {"automatic", "manual", NULL};
static const char *const model_stage_words[] = {"None", "Staging", "Production", "Archived", NULL};
static const char *const launcher_words[] = {"local", "gitlab", NULL};
static const char *const wake_words[] = {"spawn", "none", NULL};
static const char *const engine_words[] = {"auto", "docker", "podman", "buildah", "archive", NULL};
static const char *const fetch_words[] = {"auto", "dvc", "none", NULL};
static const char *const registry_words[] = {"embedded", "mlflow", NULL};
static const char *const promotion_words[] = {"stages", "aliases", "both", NULL};

/* One row a key; the order is that of the manual. */
#define IN(member) offsetof(struct config, member)
#define IN_ROLE(member) offsetof(struct config_role, member)
#define IN_BRANCH(member) offsetof(struct config_branch, member)
#define IN_CHAIN(member) offsetof(struct config_chain, member)
#define IN_AIRFLOW(member) offsetof(struct config_airflow, member)

const struct config_key config_keys[] = {
	{"modelgate", "mode", IN(mode), CONFIG_WORD, .words = mode_words},
	{"modelgate", "state", IN(state), CONFIG_TEXT, .min = 1, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN ", such as /var/lib/modelgate"},
	{"modelgate", "allow-repository-config", IN(allow_repository_config), CONFIG_WORD,
		.words = switch_words, .where = CONFIG_SYSTEM_FILE},
	{"modelgate", "projects", IN(projects), CONFIG_LIST, .where = CONFIG_SYSTEM_FILE},

	{"identity", "source", IN(identity), CONFIG_WORD, .words = identity_words},

	{"project", "name", IN(project_name), CONFIG_TEXT, .fits = config_fits_project,
		.wanted = "at most 100 letters, digits, _ and -"},
	{"project", "description", IN(project_description), CONFIG_PROSE, .words = NULL},
	{"project", "repository-url", IN(repository_url), CONFIG_TEXT, .fits = config_fits_address,
		.wanted = "a URL without blanks, quotes, backslashes and braces"},
	{"project", "schedule", IN(schedule), CONFIG_TEXT, .fits = config_fits_schedule,
		.wanted = CRON_SHOWN},
	{"project", "retrain-schedule", IN(retrain_schedule), CONFIG_TEXT,
		.fits = config_fits_schedule, .wanted = CRON_SHOWN},
	{"project", "push-token-variable", IN(push_token_variable), CONFIG_TEXT,
		.fits = config_fits_secret, .wanted = "the secret's name, of " NAMES_SHOWN},

	{"role", "members", IN_ROLE(members), CONFIG_LIST, .words = NULL},

	{"branch", "merge-from", IN_BRANCH(merge_from), CONFIG_LIST, .fits = config_fits_source,
		.wanted = "names of branches, or retrain-*; no other glob is known"},
	{"branch", "merge-methods", IN_BRANCH(merge_methods), CONFIG_SET, .words = method_words,
		.min = 1, .initial = "merge, fast-forward, squash"},
	{"branch", "direct-push", IN_BRANCH(direct_push), CONFIG_WORD, .words = direct_words},
	{"branch", "direct-may-change", IN_BRANCH(direct_may_change), CONFIG_LIST,
		.fits = config_fits_pattern, .wanted = GLOB_SHOWN},
	{"branch", "content", IN_BRANCH(content), CONFIG_WORD, .words = content_words},
	{"branch", "roles", IN_BRANCH(roles), CONFIG_LIST, .fits = config_fits_name,
		.wanted = ROLE_SHOWN},
	{"branch", "require-files", IN_BRANCH(require_files), CONFIG_LIST, .fits = config_fits_file,
		.wanted = "paths from the top of the tree, without . and .."},
	{"branch", "launch-on-create", IN_BRANCH(launch_on_create), CONFIG_WORD,
		.words = switch_words},
	{"branch", "chain", IN_BRANCH(chain), CONFIG_TEXT, .fits = config_fits_name,
		.wanted = "the name of a [chain], of " NAMES_SHOWN},

	{"retrain-branch", "date-formats", IN(date_formats), CONFIG_LIST, .min = 1,
		.fits = config_fits_date,
		.wanted = "%Y, %m and %d once each, and what a branch name may hold, but no /"},
	{"retrain-branch", "model-file", IN(model_file), CONFIG_TEXT, .min = 1,
		.fits = config_fits_file,
		.wanted = "a path from the top of the tree, such as rkl/model.pkl.dvc"},
	{"retrain-branch", "may-change", IN(retrain_may_change), CONFIG_LIST,
		.fits = config_fits_pattern, .wanted = GLOB_SHOWN},
	{"retrain-branch", "known-pipeline", IN(known_pipeline), CONFIG_WORD, .words = known_words},
	{"retrain-branch", "roles", IN(retrain_roles), CONFIG_LIST, .fits = config_fits_name,
		.wanted = ROLE_SHOWN},

	{"content", "forbid", IN(forbid), CONFIG_LIST, .fits = config_fits_pattern,
		.wanted = "globs over paths from the top of the tree, such as *.pkl"},
	{"content", "max-file-size", IN(max_file_size), CONFIG_SIZE, .words = NULL},

	{"override", "role", IN(override_role), CONFIG_LIST, .fits = config_fits_name,
		.wanted = ROLE_SHOWN},

	{"chain", "stages", IN_CHAIN(stages), CONFIG_LIST, .words = stage_words, .min = 1,
		.initial = "build"},
	{"chain", "start", IN_CHAIN(start), CONFIG_WORD, .words = start_words, .initial = "manual"},
	{"chain", "roles", IN_CHAIN(roles), CONFIG_LIST, .fits = config_fits_name,
		.wanted = ROLE_SHOWN},
	{"chain", "airflow", IN_CHAIN(airflow), CONFIG_TEXT, .fits = config_fits_name,
		.wanted = "the name of an [airflow], of " NAMES_SHOWN},
	{"chain", "model-stage", IN_CHAIN(model_stage), CONFIG_TEXT, .words = model_stage_words},

	{"launcher", "kind", IN(launcher), CONFIG_WORD, .words = launcher_words},
	{"launcher", "url", IN(launcher_url), CONFIG_TEXT, .fits = config_fits_url,
		.wanted = URL_SHOWN},
	{"launcher", "token-file", IN(launcher_token_file), CONFIG_TEXT,
		.fits = config_fits_absolute, .wanted = PATH_SHOWN},
	{"launcher", "ca-file", IN(launcher_ca_file), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN},

	{"runner", "wake", IN(wake), CONFIG_WORD, .words = wake_words},
	{"runner", "parallel", IN(parallel), CONFIG_NUMBER, .min = 1, .max = 64},
	{"runner", "stage-timeout", IN(stage_timeout), CONFIG_NUMBER, .min = 1, .max = 604800},
	{"runner", "retries", IN(retries), CONFIG_NUMBER, .min = 0, .max = 20},

	{"audit", "rotate-size", IN(rotate_size), CONFIG_SIZE, .words = NULL},
	{"audit", "rotate-age", IN(rotate_age), CONFIG_NUMBER, .min = 0, .max = 36500},
	{"audit", "syslog", IN(audit_syslog), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN ", such as /dev/log"},
	{"audit", "public-key", IN(audit_public_key), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN, .where = CONFIG_SYSTEM_FILE},

	{"build", "engine", IN(engine), CONFIG_WORD, .words = engine_words},
	{"build", "dockerfile", IN(dockerfile), CONFIG_TEXT, .min = 1, .fits = config_fits_file,
		.wanted = "a path from the top of the tree, such as Dockerfile"},
	{"build", "registry", IN(image_registry), CONFIG_TEXT, .fits = config_fits_images,
		.wanted = "a host, with a dot or a port or localhost, and a path in lower case, "
			  "without "
			  "a scheme, such as registry.example.com/models"},
	{"build", "credentials-file", IN(image_credentials_file), CONFIG_TEXT,
		.fits = config_fits_absolute, .wanted = PATH_SHOWN},
	{"build", "model-fetch", IN(model_fetch), CONFIG_WORD, .words = fetch_words},
	{"build", "model-remotes", IN(model_remotes), CONFIG_LIST, .min = 0},
	{"build", "model-credentials-file", IN(model_credentials_file), CONFIG_TEXT,
		.fits = config_fits_absolute, .wanted = PATH_SHOWN},

	{"registry", "backend", IN(registry), CONFIG_WORD, .words = registry_words},
	{"registry", "url", IN(registry_url), CONFIG_TEXT, .fits = config_fits_url,
		.wanted = URL_SHOWN},
	{"registry", "token-file", IN(registry_token_file), CONFIG_TEXT,
		.fits = config_fits_absolute, .wanted = PATH_SHOWN},
	{"registry", "ca-file", IN(registry_ca_file), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN},
	{"registry", "promotion", IN(promotion), CONFIG_WORD, .words = promotion_words},

	{"airflow", "repository", IN_AIRFLOW(repository), CONFIG_TEXT, .fits = config_fits_remote,
		.wanted = "an absolute path, https://, ssh:// or USER@HOST:PATH"},
	{"airflow", "branch", IN_AIRFLOW(branch), CONFIG_TEXT, .min = 1, .initial = "main",
		.fits = config_fits_branch, .wanted = "the name of a branch"},
	{"airflow", "path", IN_AIRFLOW(path), CONFIG_TEXT, .min = 1, .initial = "dags",
		.fits = config_fits_file, .wanted = "a folder inside the repository, such as dags"},
	{"airflow", "token-file", IN_AIRFLOW(token_file), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN},
	{"airflow", "ca-file", IN_AIRFLOW(ca_file), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN},
	{"airflow", "key-file", IN_AIRFLOW(key_file), CONFIG_TEXT, .fits = config_fits_absolute,
		.wanted = PATH_SHOWN},
	{"airflow", "known-hosts-file", IN_AIRFLOW(known_hosts), CONFIG_TEXT,
		.fits = config_fits_absolute, .wanted = PATH_SHOWN},
	{0},
};

#define ARRAY(elements, type) IN(elements), IN(n_##elements), sizeof(struct type)

const struct config_section config_sections[] = {
	{"modelgate", 0, 0, 0, NULL, NULL},
	{"identity", 0, 0, 0, NULL, NULL},
	{"project", 0, 0, 0, NULL, NULL},
	{"role", ARRAY(roles, config_role), config_fits_name, NAMES_SHOWN},
	{"branch", ARRAY(branches, config_branch), config_fits_ruled,
		"the short name of a branch; those that start with retrain are ruled by "
		"[retrain-branch]"},
	{"retrain-branch", 0, 0, 0, NULL, NULL},
	{"content", 0, 0, 0, NULL, NULL},
	{"override", 0, 0, 0, NULL, NULL},
	{"chain", ARRAY(chains, config_chain), config_fits_name, NAMES_SHOWN},
	{"launcher", 0, 0, 0, NULL, NULL},
	{"runner", 0, 0, 0, NULL, NULL},
	{"audit", 0, 0, 0, NULL, NULL},
	{"build", 0, 0, 0, NULL, NULL},
	{"registry", 0, 0, 0, NULL, NULL},
	{"airflow", ARRAY(airflows, config_airflow), config_fits_name, NAMES_SHOWN},
	{NULL, 0, 0, 0, NULL, NULL},
};

/* The name is the first member, which lets config-values.c find it without knowing the struct. */
_Static_assert(IN_ROLE(name) == 0 && IN_BRANCH(name) == 0, "the name comes first");
_Static_assert(IN_CHAIN(name) == 0 && IN_AIRFLOW(name) == 0, "the name comes first");

const struct config_section *config_section_find(const char *section)
{
	for (const struct config_section *s = config_sections; s->section != NULL; s++)
		if (strcmp(s->section, section) == 0)
			return s;
	return NULL;
}

const struct config_key *config_key_find(const char *section, const char *key)
{
	for (const struct config_key *k = config_keys; k->key != NULL; k++)
		if (k->key[0] == key[0] && strcmp(k->key, key) == 0 &&
			strcmp(k->section, section) == 0)
			return k;
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to add, drop or change (Levenshtein), case aside; of names that ini.h allows. */
static size_t distance(const char *a, const char *b)
{
	size_t row[INI_NAME_SIZE + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= n; j++) {
			int differs =
				tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]);
			size_t changed = diagonal + (size_t)differs;

			diagonal = row[j];
			row[j] = least(changed, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

/* How far a slip of the finger may go. */
static size_t slip(const char *name)
{
	return strlen(name) < 5 ? 1 : 2;
}

static void add_section(struct str *out, const struct config_section *s)
{
	str_addf(out, s->size > 0 ? "[%s \"NAME\"]" : "[%s]", s->section);
}

void config_suggest_section(struct str *out, const char *section)
{
	const struct config_section *near = NULL;
	size_t nearest = slip(section) + 1;

	for (const struct config_section *s = config_sections; s->section != NULL; s++) {
		size_t d = distance(section, s->section);

		if (d < nearest)
			nearest = d, near = s;
	}
	if (near != NULL) {
		str_add(out, "did you mean ");
		add_section(out, near);
		str_addc(out, '?');
		return;
	}
	str_add(out, "there are");
	for (const struct config_section *s = config_sections; s->section != NULL; s++) {
		str_add(out, s == config_sections ? " " : ", ");
		add_section(out, s);
	}
}

void config_suggest_key(struct str *out, const char *section, const char *key)
{
	const char *near = NULL, *between = "it has ";
	size_t nearest = slip(key) + 1;

	for (const struct config_key *k = config_keys; k->key != NULL; k++) {
		size_t d = strcmp(k->section, section) == 0 ? distance(key, k->key) : nearest;

		if (d < nearest)
			nearest = d, near = k->key;
	}
	if (near != NULL) {
		str_addf(out, "did you mean \"%s\"?", near);
		return;
	}
	for (const struct config_key *k = config_keys; k->key != NULL; k++) {
		const struct config_section *home =
			strcmp(k->key, key) == 0 ? config_section_find(k->section) : NULL;

		if (home == NULL)
			continue;
		str_add(out, "it belongs in ");
		add_section(out, home);
		return;
	}
	for (const struct config_key *k = config_keys; k->key != NULL; k++)
		if (strcmp(k->section, section) == 0) {
			str_addf(out, "%s%s", between, k->key);
			between = ", ";
		}
}
