/* The configuration of a stage that runs in a job of GitLab CI (chain/ci-job.h). */
#include "chain/ci-job.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "stage/log.h"
#include "sys/files.h"
#include "sys/secret.h"

#define MAX_CONFIG 262144
#define SECRETS "secrets" /* below the state directory */

static size_t name_length(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* The name in "$NAME" or "${NAME}", which is all of the LEN bytes at VALUE; NULL; the caller's. */
static char *variable_in(const char *value, size_t len)
{
	int braces = len > 2 && value[1] == '{' && value[len - 1] == '}';
	const char *name = value + 1 + braces;
	size_t n = len > 1 ? len - 1 - 2 * (size_t)braces : 0;

	if (n == 0 || value[0] != '$' || name_length(name) < n)
		return NULL;
	return mem_strndup(name, n);
}

/*
 * 1: VALUE may be the path of a file.  What a variable of another type holds is the secret itself, perhaps,
 * which no message is to show.
 */
static int is_path(const char *value)
{
	return value[0] == '/' && value[strcspn(value, "\r\n")] == '\0';
}

static void expand_line(
	struct str *out, const char *line, size_t len, const char *(*look_up)(const char *name))
{
	const char *equals = memchr(line, '=', len), *value, *found;
	size_t key = equals != NULL ? (size_t)(equals - line) : 0, left;
	char *name = NULL;

	while (key > 0 && (line[key - 1] == ' ' || line[key - 1] == '\t'))
		key--;
	if (key > 5 && strncmp(line + key - 5, "-file", 5) == 0) {
		value = equals + 1 + strspn(equals + 1, " \t");
		left = value < line + len ? (size_t)(line + len - value) : 0;
		while (left > 0 && strchr(" \t\r", value[left - 1]) != NULL)
			left--;
		name = variable_in(value, left);
	}
	found = name != NULL ? look_up(name) : NULL;
	if (name == NULL || (found != NULL && *found != '\0' && !is_path(found))) {
		str_addn(out, line, len);
	} else {
		str_addn(out, line, key);
		str_addf(out, " = %s", found != NULL ? found : "");
	}
	free(name);
}

char *ci_config_expand(const char *text, const char *(*look_up)(const char *name))
{
	struct str s;

	str_init(&s);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		expand_line(&s, text, len, look_up);
		text += len;
		if (*text == '\n') {
			str_addc(&s, '\n');
			text++;
		}
	}
	return str_steal(&s);
}

static const char *look_up(const char *name)
{
	return getenv(name);
}

/* The text of the configuration: the variable's value, or of the file that it names. */
static int read_text(struct str *out, struct err *e)
{
	const char *value = getenv(CI_CONFIG);
	int got;

	if (value == NULL || *value == '\0')
		return err_set(e, "the variable " CI_CONFIG " is not there: it holds the "
				  "configuration of the stages, as config/gitlab-ci.yml shows");
	if (value[0] != '/') {
		str_add(out, value);
		return 0;
	}
	/* GitLab's runner has written it, for this job alone. */
	got = files_read(value, MAX_CONFIG, out, e);
	if (got == 0)
		(void)err_set(e, CI_CONFIG ": there is no file %s", value);
	return got == 1 ? 0 : -1;
}

/* Have *PATH, the value of KEY, name a copy of the secret that it names.  NAME: of the copy. */
static int keep_secret(
	char **path, const char *folder, const char *name, const char *key, struct err *e)
{
	struct str text;
	char *copy;
	int result = -1, got;

	if (**path == '\0')
		return 0;
	str_init(&text);
	copy = path_join(folder, name);
	got = files_read(*path, SECRET_MAX, &text, e);
	if (got == 0)
		(void)err_set(e,
			CI_CONFIG
			": %s: there is no such file; is its variable one of the type File?",
			key);
	if (got == 1)
		result = files_replace(copy, text.buf, text.len, 0600, e);
	if (result == 0) {
		free(*path);
		*path = copy;
		copy = NULL;
	}
	secret_wipe(&text);
	free(copy);
	return result;
}

/* Those of number N of the Airflows. */
static int keep_airflow(struct config_airflow *a, size_t n, const char *folder, struct err *e)
{
	char *token = mem_format("airflow-%zu-token", n), *key = mem_format("airflow-%zu-key", n);
	char *token_key = mem_format("[airflow \"%s\"] token-file", a->name);
	char *key_key = mem_format("[airflow \"%s\"] key-file", a->name);
	int result = keep_secret(&a->token_file, folder, token, token_key, e);

	if (result == 0)
		result = keep_secret(&a->key_file, folder, key, key_key, e);
	free(token);
	free(key);
	free(token_key);
	free(key_key);
	return result;
}

static int keep_secrets(struct config *c, const char *state, struct err *e)
{
	char *folder = path_join(state, SECRETS);
	const struct {
		char **path;
		const char *name, *key;
	} secrets[] = {
		{&c->launcher_token_file, "launcher-token", "[launcher] token-file"},
		{&c->registry_token_file, "registry-token", "[registry] token-file"},
		{&c->image_credentials_file, "images.json", "[build] credentials-file"},
		{&c->model_credentials_file, "models", "[build] model-credentials-file"},
	};
	int result = files_make_folder(folder, 0700, e);

	for (size_t i = 0; result == 0 && i < sizeof(secrets) / sizeof(secrets[0]); i++)
		result = keep_secret(secrets[i].path, folder, secrets[i].name, secrets[i].key, e);
	for (size_t i = 0; result == 0 && i < c->n_airflows; i++)
		result = keep_airflow(&c->airflows[i], i, folder, e);
	free(folder);
	return result;
}

void ci_config_forget(const char *state)
{
	char *folder = path_join(state, SECRETS);
	struct err e = ERR_INIT;

	if (files_remove_tree(folder, &e) != 0)
		log_line("warning: %s", err_text(&e));
	err_clear(&e);
	free(folder);
}

/* What would be kept in a state directory, which ends with the job here. */
static int check_nothing_embedded(const struct config *c, const struct ci_job *j, struct err *e)
{
	const struct config_chain *chain = config_chain(c, j->chain);
	const struct config_airflow *a = chain != NULL ? config_airflow(c, chain->airflow) : NULL;

	if (c->registry == CONFIG_REGISTRY_EMBEDDED && strcmp(j->stage, "build") != 0)
		return err_set(e, CI_CONFIG
			": [registry] backend = embedded keeps models on the machine of the local "
			"runner; a job needs backend = mlflow and url");
	if (a != NULL && a->repository[0] == '\0' && strcmp(j->stage, "deploy") == 0)
		return err_set(e,
			CI_CONFIG
			": [airflow \"%s\"] has no repository; the embedded one is for the local "
			"runner",
			a->name);
	return 0;
}

int ci_config_load(struct config **out, const struct ci_job *j, const char *state, struct err *e)
{
	struct config *c = NULL;
	struct str text;
	char *expanded = NULL;
	int result = -1;

	*out = NULL;
	str_init(&text);
	if (read_text(&text, e) == 0) {
		expanded = ci_config_expand(text.buf, look_up);
		result = config_parse(&c, expanded, strlen(expanded), CI_CONFIG, e);
	}
	if (result == 0) {
		free(c->state);
		c->state = mem_strdup(state);
		if (c->repository_url[0] == '\0') {
			free(c->repository_url);
			c->repository_url = mem_strdup(j->url);
		}
		if (c->launcher_url[0] == '\0') {
			free(c->launcher_url);
			c->launcher_url = mem_strdup(j->server);
		}
		result = check_nothing_embedded(c, j, e) == 0 ? keep_secrets(c, state, e) : -1;
	}
	if (result == 0)
		*out = c;
	else
		config_free(c);
	free(expanded);
	str_clear(&text);
	return result;
}
