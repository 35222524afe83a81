/*
 * Calls of MLflow's REST API (mlflow.org, "REST API", base /api/2.0/mlflow/; verified with 2.22 and
 * 3.17), their answers sorted by what a caller can do about them.
 */
#ifndef MODELGATE_STAGE_MLFLOW_H
#define MODELGATE_STAGE_MLFLOW_H

#include <stdint.h>

struct config;
struct err;
struct json;
struct mlflow;

/* A server, as [registry] names it.  0, or -1: its files of token or certificates cannot be used. */
int mlflow_open(struct mlflow **out, const struct config *config, struct err *e);
void mlflow_close(struct mlflow *m); /* NULL is fine */

enum mlflow_outcome {
	MLFLOW_DONE,
	MLFLOW_MISSING,     /* 404 RESOURCE_DOES_NOT_EXIST */
	MLFLOW_EXISTS,      /* 400 RESOURCE_ALREADY_EXISTS */
	MLFLOW_REFUSED,     /* 400 INVALID_PARAMETER_VALUE */
	MLFLOW_NO_ENDPOINT, /* 404 ENDPOINT_NOT_FOUND: this server cannot do it */
	MLFLOW_UNCLEAR,     /* it may have been carried out, or not */
	MLFLOW_FAILED       /* it was not */
};

enum mlflow_repeat { MLFLOW_ONCE, MLFLOW_REPEATABLE };

struct mlflow_call {
	const char *method; /* GET, POST, DELETE */
	/* After the base, with the query of a GET: "registered-models/get?name=churn". */
	const char *path;
	const struct json *body; /* NULL: none */
	/* REPEATABLE: twice leaves what once leaves, so a call that failed is made again at once. */
	enum mlflow_repeat repeat;
};

/*
 * Make the call.  MLFLOW_DONE: *ANSWER is the server's object, the caller's to json_free(); ANSWER may be
 * NULL.  Of all others *E tells, in the server's words, and e->passing says that another try may help.
 */
enum mlflow_outcome mlflow_call(
	struct mlflow *m, const struct mlflow_call *call, struct json **answer, struct err *e);

/* Make a call of which twice leaves what once leaves, and want nothing of its answer.  BODY is freed. */
enum mlflow_outcome mlflow_send(
	struct mlflow *m, const char *method, const char *path, struct json *body, struct err *e);
/* What names a version in the body of a call; the caller's to json_free(). */
struct json *mlflow_version_body(const char *model, int64_t version);

/*
 * Sort an answer of the server as mlflow_call() does: STATUS, media TYPE and the LEN bytes of TEXT.
 * WHO names what was asked, for *E; SECRET_FILE is [registry] token-file, "" without one, and SECRET
 * what stands in it, which *E does not tell even where the server does.
 */
struct mlflow_answer {
	long status;
	const char *type;
	const char *text;
	unsigned long len;
	const char *who;
	const char *secret_file;
	const char *secret; /* NULL: none */
};
enum mlflow_outcome mlflow_sort(const struct mlflow_answer *a, struct json **answer, struct err *e);

#endif
