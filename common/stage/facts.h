/* What the stages of one pipeline found out: names (image, model_version ...) with text values. */
#ifndef MODELGATE_STAGE_FACTS_H
#define MODELGATE_STAGE_FACTS_H

#include <stddef.h>

struct fact {
	char *name;
	char *value;
};

struct facts {
	struct fact *v;
	size_t n;
	size_t cap;
};

void facts_clear(struct facts *f);
/* Set or replace; NAME and VALUE are copied. */
void facts_set(struct facts *f, const char *name, const char *value);
/* Borrowed; NULL: not known. */
const char *facts_get(const struct facts *f, const char *name);

/* The names, as `status ID --json` shows them. */
#define FACT_IMAGE "image"                 /* reference of the image, or path of the archive */
#define FACT_IMAGE_DIGEST "image_digest"   /* sha256:<64 hex> */
#define FACT_ENGINE "engine"               /* docker, podman, buildah, archive */
#define FACT_MODEL_MD5 "model_md5"         /* of the DVC pointer */
#define FACT_MODEL_SIZE "model_size"       /* bytes */
#define FACT_MODEL_NAME "model_name"       /* registered model */
#define FACT_MODEL_VERSION "model_version" /* decimal */
#define FACT_MODEL_STAGE "model_stage"     /* stage the version is in now */
#define FACT_DAG_ID "dag_id"
#define FACT_DAG_FILE "dag_file"         /* path in the Airflow repository */
#define FACT_DAG_COMMIT "dag_commit"     /* commit id in the Airflow repository */
#define FACT_PYTHON_CHECK "python-check" /* "ok" or "none" */

#endif
