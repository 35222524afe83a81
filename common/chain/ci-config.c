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

static void expand_line(struct str *out, const char *line, size_t len,
	const char *(*look_up)(const char *name))
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
	if (name == NULL) {
		str_addn(out, line, len);
		return;
	}
	found = look_up(name);
	str_addn(out, line, key);
	str_addf(out, " = %s", found != NULL ? found : "");
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

/* Have *PATH name a copy of the secret that it names.  NAME: of the copy. */
static int keep_secret(char **path, const char *folder, const char *name, struct err *e)
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
		(void)err_set(e, "there is no file %s", *path);
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

static int keep_secrets(struct config *c, const char *state, struct err *e)
{
	char *folder = path_join(state, SECRETS), *name;
	int result = files_make_folder(folder, 0700, e);

	if (result == 0 &&
		(keep_secret(&c->launcher_token_file, folder, "launcher-token", e) != 0 ||
			keep_secret(&c->registry_token_file, folder, "registry-token", e) != 0 ||
			keep_secret(&c->image_credentials_file, folder, "images.json", e) != 0 ||
			keep_secret(&c->model_credentials_file, folder, "models", e) != 0))
		result = -1;
	for (size_t i = 0; result == 0 && i < c->n_airflows; i++) {
		name = mem_format("airflow-%zu-token", i);
		result = keep_secret(&c->airflows[i].token_file, folder, name, e);
		free(name);
		name = mem_format("airflow-%zu-key", i);
		if (result == 0)
			result = keep_secret(&c->airflows[i].key_file, folder, name, e);
		free(name);
	}
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
	const struct config_airflow *a =
		chain != NULL ? config_airflow(c, chain->airflow) : NULL;

	if (c->registry == CONFIG_REGISTRY_EMBEDDED && strcmp(j->stage, "build") != 0)
		return err_set(e, CI_CONFIG
			": [registry] backend = embedded keeps models on the machine of the local "
			"runner; a job needs backend = mlflow and url");
	if (a != NULL && a->repository[0] == '\0' && strcmp(j->stage, "deploy") == 0)
		return err_set(e, CI_CONFIG
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
