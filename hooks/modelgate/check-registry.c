#include "check.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "stage/mlflow.h"
#include "sys/secret.h"

/* Whose answer says that the address is MLflow's, and the token one that it takes; it changes nothing. */
#define ASK "registered-models/search?max_results=1"

void check_secret(struct check *c, const char *key, const char *path)
{
	struct err e = ERR_INIT;

	if (*path == '\0')
		return;
	if (secret_check(path, &e) == 0)
		check_ok(c, "servers", "%s: %s", key, path);
	else
		check_wrong(c, "servers",
			mem_format("make it a file of %s's own, mode 600", c->owner_name), "%s: %s",
			key, err_text(&e));
	err_clear(&e);
}

/* How to mend what the server, or the way to it, said with OUTCOME. */
static char *mend_of(const struct check *c, enum mlflow_outcome outcome, const struct err *e)
{
	if (e->passing)
		return mem_strdup("see whether the server runs, and is reached from this machine");
	if (outcome == MLFLOW_FAILED && *c->config->registry_token_file != '\0')
		return mem_format("see whether [registry] url is MLflow's, and %s holds a token or "
				  "user:password that it takes",
			c->config->registry_token_file);
	return mem_strdup("see whether [registry] url is MLflow's, and whether it wants a "
			  "token-file or a ca-file");
}

static void check_server(struct check *c)
{
	const struct mlflow_call call = {"GET", ASK, NULL, MLFLOW_ONCE};
	struct mlflow *m = NULL;
	struct err e = ERR_INIT;
	enum mlflow_outcome outcome = MLFLOW_FAILED;

	if (mlflow_open(&m, c->config, &e) == 0)
		outcome = mlflow_call(m, &call, NULL, &e);
	if (outcome == MLFLOW_DONE)
		check_ok(c, "servers", "[registry]: MLflow at %s answers", c->config->registry_url);
	else
		check_wrong(c, "servers", mend_of(c, outcome, &e), "[registry]: %s", err_text(&e));
	mlflow_close(m);
	err_clear(&e);
}

void check_models(struct check *c)
{
	struct err e = ERR_INIT;

	check_secret(c, "[build] model-credentials-file", c->config->model_credentials_file);
	if (c->config->registry != CONFIG_REGISTRY_MLFLOW)
		return;
	check_secret(c, "[registry] token-file", c->config->registry_token_file);
	/* Without its token nothing is asked: what would be told is that there is none. */
	if (*c->config->registry_token_file == '\0' ||
		secret_check(c->config->registry_token_file, &e) == 0)
		check_server(c);
	err_clear(&e);
}
