#include "stage/mlflow.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "data/json.h"
#include "net/http.h"
#include "sys/files.h"
#include "sys/secret.h"

#define BASE "/api/2.0/mlflow/"
#define MAX_ANSWER (4U << 20) /* bytes: a page of 100 versions has less than one million */
#define MAX_TOLD 300          /* bytes of the server's words that are passed on */

struct mlflow {
	struct http *http;
	char *base;
	char *user; /* these two are what CREDENTIALS points into */
	char *secret;
	struct http_credentials credentials;
	char *secret_file;
};

int mlflow_open(struct mlflow **out, const struct config *config, struct err *e)
{
	/* So that a request that hangs leaves the stage time for another. */
	long quarter = (long)(config->stage_timeout / 4);
	struct http_settings settings = {.ca_file = config->registry_ca_file,
		.timeout = quarter < 1              ? 1
			   : quarter < HTTP_TIMEOUT ? quarter
						    : HTTP_TIMEOUT};
	struct mlflow *m = mem_zalloc(1, sizeof(*m));
	size_t len = strlen(config->registry_url);

	*out = NULL;
	while (len > 0 && config->registry_url[len - 1] == '/')
		len--;
	m->base = mem_format("%.*s" BASE, (int)len, config->registry_url);
	m->secret_file = mem_strdup(config->registry_token_file);
	if (*m->secret_file != '\0') {
		m->secret = secret_read(m->secret_file, e);
		if (m->secret == NULL)
			goto fail;
		http_credentials_parse(&m->credentials, &m->user, m->secret);
	}
	if (http_new(&m->http, &settings, e) != 0)
		goto fail;
	*out = m;
	return 0;
fail:
	mlflow_close(m);
	return err_wrap(e, "[registry] of MLflow");
}

void mlflow_close(struct mlflow *m)
{
	if (m == NULL)
		return;
	http_free(m->http);
	free(m->base);
	free(m->user);
	secret_free(m->secret);
	free(m->secret_file);
	free(m);
}

/* ---- what an answer means ---- */

static enum mlflow_outcome outcome_of(const char *code)
{
	static const struct {
		const char *code;
		enum mlflow_outcome outcome;
	} codes[] = {{"RESOURCE_DOES_NOT_EXIST", MLFLOW_MISSING},
		{"RESOURCE_ALREADY_EXISTS", MLFLOW_EXISTS},
		{"INVALID_PARAMETER_VALUE", MLFLOW_REFUSED},
		{"ENDPOINT_NOT_FOUND", MLFLOW_NO_ENDPOINT}};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].outcome;
	return MLFLOW_FAILED;
}

/* The server's words in one line: its JSON's code and message, else its text.  The caller's. */
static char *words_of(const struct mlflow_answer *a, const struct json *json)
{
	const char *code = json_get_text(json, "error_code"),
		   *message = json_get_text(json, "message");
	char *text, *safe;

	if (code != NULL)
		text = mem_format("%s: %s", code, message != NULL ? message : "");
	else if (a->len == 0 || (str_same(a->type, "text/html") && memchr(a->text, '<', a->len)))
		text = mem_strdup("no reason given");
	else
		text = mem_strndup(a->text, strnlen(a->text, a->len));
	/* Some proxies say which token they do not like. */
	if (a->secret != NULL && *a->secret != '\0' && strstr(text, a->secret) != NULL) {
		free(text);
		text = mem_strdup("in words that hold the token or password");
	}
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	safe = str_safe(text, MAX_TOLD);
	free(text);
	return safe;
}

/* The server did not want to answer us. */
static void tell_denied(const struct mlflow_answer *a, const char *words, struct err *e)
{
	if (str_holds(words, "invalid host header"))
		(void)err_set(e,
			"%s: MLflow does not answer to that name (status %ld: %s); start it with "
			"--allowed-hosts",
			a->who, a->status, words);
	else if (*a->secret_file == '\0')
		(void)err_set(e,
			"%s: the server refused to answer without [registry] token-file (status "
			"%ld: %s)",
			a->who, a->status, words);
	else
		(void)err_set(e,
			"%s: the server refused the token or password in %s, [registry] "
			"token-file (status %ld: %s)",
			a->who, a->secret_file, a->status, words);
}

/* An answer other than 200. */
static enum mlflow_outcome sort_refusal(
	const struct mlflow_answer *a, const struct json *json, struct err *e)
{
	const char *code = json_get_text(json, "error_code");
	enum mlflow_outcome outcome = code != NULL ? outcome_of(code) : MLFLOW_FAILED;
	char *words = words_of(a, json);

	if (a->status == 401 || a->status == 403) {
		tell_denied(a, words, e);
		outcome = MLFLOW_FAILED;
	} else {
		(void)err_set(e, "%s: status %ld: %s", a->who, a->status, words);
	}
	/* A proxy in front of it answers 404 in words of its own: that is no word of MLflow's. */
	if (a->status == 404 && code == NULL)
		outcome = MLFLOW_FAILED;
	/* Who gave up waiting, or says yes in another way than MLflow does, may have let it through. */
	if (a->status >= 500 || a->status == 408 || a->status < 300)
		outcome = MLFLOW_UNCLEAR;
	if (e != NULL)
		e->passing = outcome == MLFLOW_UNCLEAR || a->status == 429;
	free(words);
	return outcome;
}

enum mlflow_outcome mlflow_sort(const struct mlflow_answer *a, struct json **answer, struct err *e)
{
	struct err untold = ERR_INIT;
	struct json *json = NULL;
	enum mlflow_outcome outcome = MLFLOW_DONE;

	if (answer != NULL)
		*answer = NULL;
	if (json_parse(&json, a->text, a->len, &untold) != 0)
		json = NULL;
	if (a->status != 200) {
		outcome = sort_refusal(a, json, e);
	} else if (!json_is_object(json)) {
		(void)err_set(
			e, "%s: the answer is no JSON object; is [registry] url MLflow's?", a->who);
		if (e != NULL)
			e->passing = 1;
		outcome = MLFLOW_UNCLEAR;
	} else if (answer != NULL) {
		*answer = json;
		json = NULL;
	}
	json_free(json);
	err_clear(&untold);
	return outcome;
}

/* ---- a call ---- */

/* Standard error is the stage's log, and of a verb what a person reads. */
static void tell(const char *line)
{
	char *safe = str_safe(line, 1000), *text = mem_format("%s\n", safe);

	(void)files_write_all(
		STDERR_FILENO, text, strlen(text)); /* there is nowhere else to tell */
	free(text);
	free(safe);
}

enum mlflow_outcome mlflow_call(
	struct mlflow *m, const struct mlflow_call *call, struct json **answer, struct err *e)
{
	char *url = mem_format("%s%s", m->base, call->path), *shown = http_shown(url);
	char *who = mem_format("MLflow, %s %s", call->method, shown);
	char *body = call->body != NULL ? json_text(call->body, JSON_ONE_LINE) : NULL;
	struct http_request r = {.method = call->method,
		.url = url,
		.credentials = &m->credentials,
		.type = "application/json",
		.body = body,
		.len = body != NULL ? strlen(body) : 0,
		.max = MAX_ANSWER,
		.repeat = call->repeat == MLFLOW_ONCE ? HTTP_ONCE : HTTP_REPEATABLE};
	enum mlflow_outcome outcome;
	struct http_answer a;
	enum http_result result;

	if (answer != NULL)
		*answer = NULL;
	result = http_persist(m->http, &r, &a, tell, e);
	if (result == HTTP_ANSWERED) {
		struct mlflow_answer got = {.status = a.status,
			.type = a.type,
			.text = a.body.buf,
			.len = a.body.len,
			.who = who,
			.secret_file = m->secret_file,
			.secret = m->credentials.secret};

		outcome = mlflow_sort(&got, answer, e);
		http_answer_clear(&a);
	} else {
		outcome = result == HTTP_NOT_SENT ? MLFLOW_FAILED : MLFLOW_UNCLEAR;
		(void)err_wrap(e, "MLflow");
	}
	free(body);
	free(who);
	free(shown);
	free(url);
	return outcome;
}

enum mlflow_outcome mlflow_send(
	struct mlflow *m, const char *method, const char *path, struct json *body, struct err *e)
{
	const struct mlflow_call call = {method, path, body, MLFLOW_REPEATABLE};
	enum mlflow_outcome outcome = mlflow_call(m, &call, NULL, e);

	json_free(body);
	return outcome;
}

struct json *mlflow_version_body(const char *model, int64_t version)
{
	struct json *body = json_new_object();
	char *number = mem_format("%lld", (long long)version);

	json_put_text(body, "name", model);
	json_put_text(body, "version", number);
	free(number);
	return body;
}
