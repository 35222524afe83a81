#include "stage/model-dvc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "stage/log.h"
#include "stage/model.h"
#include "stage/s3.h"
#include "sys/files.h"
#include "sys/secret.h"
#include "sys/spawn.h"

#define FOLDER "dvc"             /* below the work folder: DVC's repository */
#define CACHE "cache"            /* in it */
#define POINTER_NAME "model.dvc" /* likewise */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/*
 * Keys of a remote that DVC is given.  Others name files of this machine (credentialpath, keyfile), run
 * commands (bearer_token_command), ask at a terminal, or matter for sending alone.
 */
static const char *const harmless[] = {"access_key_id", "account_key", "account_name",
	"allow_anonymous_login", "auth", "client_id", "client_secret", "connect_timeout",
	"connection_string", "custom_auth_header", "endpointurl", "oss_endpoint", "oss_key_id",
	"oss_key_secret", "password", "port", "profile", "projectname", "read_timeout", "region",
	"sas_token", "secret_access_key", "session_token", "sse_customer_algorithm",
	"sse_customer_key", "tenant_id", "timeout", "token", "use_ssl", "user"};

static int is_harmless(const char *key)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(harmless[i], key) == 0)
			return 1;
	return 0;
}

/* ---- DVC's repository ---- */

/* Add `KEY = VALUE` as DVC's reader (ConfigObj) takes it whole.  0, or -1: it cannot be written. */
static int add_key(struct str *out, const char *key, const char *value, struct err *e)
{
	const char *quote = strchr(value, '"') == NULL ? "\"" : "'";

	if (strpbrk(value, "\n\r") != NULL || strchr(value, *quote) != NULL)
		return err_set(e,
			"the value of %s cannot be given to dvc: it has both kinds of quotes", key);
	str_addf(out, "%s = %s%s%s\n", key, quote, value, quote);
	return 0;
}

/* URL, absolute where it is a folder; the caller's to free(). */
static char *absolute(const struct model *m, const char *dir)
{
	char *base = path_join(dir, ".dvc"), *path;

	if (dvc_config_place(m->remote.url, base, &path) != DVC_LOCAL)
		path = mem_strdup(m->remote.url);
	free(base);
	return path;
}

/* The text of DVC's configuration; 0, or -1. */
static int render_config(struct str *out, const struct model *m, const char *dir, struct err *e)
{
	const struct dvc_remote *r = &m->remote;
	char *url = absolute(m, dir);
	int result;

	/* There is no Git above it; what DVC would tell its makers is nobody's to tell here. */
	str_addf(out,
		"[core]\nremote = %s\nno_scm = true\nanalytics = false\ncheck_update = false\n"
		"[cache]\ndir = ../" CACHE "\ntype = copy\n['remote \"%s\"']\n",
		r->name, r->name);
	result = add_key(out, "url", url, e);
	for (size_t i = 0; result == 0 && i < r->n; i++) {
		if (is_harmless(r->v[i].key))
			result = add_key(out, r->v[i].key, r->v[i].value, e);
		else
			log_line("warning: %s of DVC remote %s is not given to dvc", r->v[i].key,
				r->name);
	}
	free(url);
	return result;
}

/* Of our own words: the commit's pointer may hold what DVC would act upon. */
static char *render_pointer(const struct pointer *p)
{
	char *nfiles = p->nfiles >= 0 ? mem_format("  nfiles: %lld\n", (long long)p->nfiles)
				      : mem_strdup("");
	char *text = mem_format("outs:\n- md5: '%s%s'\n  size: %lld\n%s%s  path: model\n", p->md5,
		p->object == POINTER_FOLDER ? ".dir" : "", (long long)p->size, nfiles,
		p->layout == POINTER_FILES_MD5 ? "  hash: md5\n" : "");

	free(nfiles);
	return text;
}

static int write_at(const char *folder, const char *name, const char *text, struct err *e)
{
	char *path = path_join(folder, name);
	int result = files_replace(path, text, strlen(text), 0600, e);

	free(path);
	return result;
}

static int make_repository(
	const char *folder, const struct model *m, const char *dir, struct err *e)
{
	char *inner = path_join(folder, ".dvc"), *pointer = render_pointer(&m->pointer);
	struct str config;
	int result = -1;

	str_init(&config);
	if (render_config(&config, m, dir, e) == 0 && files_make_folder(inner, 0700, e) == 0 &&
		write_at(inner, "config", config.buf, e) == 0)
		result = write_at(folder, POINTER_NAME, pointer, e);
	secret_wipe(&config);
	free(pointer);
	free(inner);
	return result;
}

/* ---- running it ---- */

/* Of AWS it hears from the credentials file alone, not from the machine it runs on. */
static int run(const char *folder, const struct config *c, struct err *e)
{
	const char *const argv[] = {"dvc", "fetch", POINTER_NAME, NULL};
	const char *home = getenv("HOME");
	const int is_given = c->model_credentials_file[0] != '\0';
	char *home_is = mem_format("HOME=%s", home != NULL && *home == '/' ? home : folder);
	char *temporary = mem_format("TMPDIR=%s", folder);
	char *site = mem_format("DVC_SITE_CACHE_DIR=%s/site", folder);
	char *file = mem_format("AWS_SHARED_CREDENTIALS_FILE=%s", c->model_credentials_file);
	const char *const env[] = {home_is, temporary, site, "DVC_NO_ANALYTICS=1", "LC_ALL=C.UTF-8",
		"AWS_EC2_METADATA_DISABLED=true", is_given ? file : NULL, NULL};
	struct spawn s = SPAWN_INIT;
	int status = -1, result;

	s.argv = argv;
	s.env = env;
	s.dir = folder;
	s.out = STDOUT_FILENO;
	s.group = SPAWN_GROUP_OURS; /* what ends the stage ends its tools */
	result = spawn_run(&s, &status, e);
	if (result == 0 && status != 0) {
		result = err_set(e, "dvc fetch ended with status %d; the log says why", status);
		if (e != NULL)
			e->passing = 1; /* a lasting refusal ends with the retries */
	}
	free(file);
	free(site);
	free(temporary);
	free(home_is);
	return result;
}

/* A profile's secrets are for the server that stands beside them, whoever sends them there. */
static int check_s3(const struct model *m, const struct config *c, struct err *e)
{
	char *path;
	enum dvc_place place = dvc_config_place(m->remote.url, "", &path);

	free(path);
	return place == DVC_S3 ? s3_check(&m->remote, c, e) : 0;
}

int model_dvc_fetch(struct dvc_remote *cache, const struct model *m, const struct config *c,
	const char *dir, const char *work, struct err *e)
{
	char *folder = path_join(work, FOLDER), *program = spawn_find("dvc");
	int result = -1;

	memset(cache, 0, sizeof(*cache));
	if (program == NULL)
		(void)err_set(e,
			"[build] model-fetch = dvc, and there is no program dvc on this machine "
			"in %s; install it there, or set auto",
			SPAWN_PATH);
	else if (strspn(m->remote.name, NAME_LETTERS) != strlen(m->remote.name))
		(void)err_set(e, "[build] model-fetch = dvc wants a DVC remote whose name is of "
				 "letters, digits, \".\", \"_\" and \"-\"");
	else if (check_s3(m, c, e) == 0 && make_repository(folder, m, dir, e) == 0)
		result = run(folder, c, e);
	if (result == 0) {
		cache->name = mem_strdup(m->remote.name);
		cache->url = path_join(folder, CACHE);
	}
	free(program);
	free(folder);
	return result;
}
