/*
 * Any bytes are an answer of MLflow's that means something, or a fault in words without the token.
 *
 * About: common/stage/mlflow.c common/stage/mlflow-view.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "data/json.h"
#include "stage/mlflow-view.h"
#include "stage/mlflow.h"

#define SECRET "s3cret-token"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What is read of an answer that is an object. */
static void look(const struct json *answer)
{
	const struct json *model = json_get(answer, "registered_model");
	struct mlflow_view w = {.production = mlflow_alias(model, MLFLOW_ALIAS_PRODUCTION)};
	struct err e = ERR_INIT;
	int result;

	if (w.production < 0 || mlflow_time(model, "last_updated_timestamp") < 0)
		abort();
	(void)mlflow_tag(model, MLFLOW_TAG_OWNER); /* that it ends */
	result =
		mlflow_view_parse(&w, json_get(answer, "model_versions"), "m", MLFLOW_BY_STAGE, &e);
	if ((result == 0) != (e.text == NULL))
		abort();
	for (size_t i = 0; i < w.versions.n; i++) {
		const struct registry_version *v = &w.versions.v[i];

		if (v->version < 1 || v->version != w.marks[i].version || v->model == NULL ||
			v->source == NULL || v->stage == NULL || v->md5 == NULL ||
			v->commit == NULL || v->pipeline < 0)
			abort();
		if (i > 0 && v->version >= w.versions.v[i - 1].version)
			abort();
	}
	mlflow_view_clear(&w);
	err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const long statuses[] = {200, 201, 302, 400, 401, 404, 429, 503};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct mlflow_answer a = {statuses[i], i % 2 ? "application/json" : "",
			(const char *)bytes, len, "MLflow, GET x", "/token", SECRET};
		struct json *answer = NULL;
		struct err e = ERR_INIT;
		enum mlflow_outcome outcome = mlflow_sort(&a, &answer, &e);

		if ((outcome == MLFLOW_DONE) != (e.text == NULL) ||
			(outcome == MLFLOW_DONE) != (answer != NULL) ||
			(outcome == MLFLOW_DONE && a.status != 200))
			abort();
		for (const char *p = err_text(&e); *p != '\0'; p++)
			if ((unsigned char)*p < ' ')
				abort();
		if (strstr(err_text(&e), SECRET) != NULL)
			abort();
		if (answer != NULL)
			look(answer);
		json_free(answer);
		err_clear(&e);
	}
	return 0;
}
