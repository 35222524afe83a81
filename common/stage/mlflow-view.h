/*
 * What an MLflow server knows of one registered model and its versions, read as a struct
 * registry_versions.  What MLflow has no field for stands in tags of the versions.
 */
#ifndef MODELGATE_STAGE_MLFLOW_VIEW_H
#define MODELGATE_STAGE_MLFLOW_VIEW_H

#include <stdint.h>

#include "stage/registry.h"

struct err;
struct json;
struct mlflow;

/* Of the model, and of each version. */
#define MLFLOW_TAG_OWNER "modelgate.owner"
/* Of a version. */
#define MLFLOW_TAG_COMMIT "modelgate.commit"
#define MLFLOW_TAG_PIPELINE "modelgate.pipeline"
#define MLFLOW_TAG_IMAGE "modelgate.image"
#define MLFLOW_TAG_IMAGE_DIGEST "modelgate.image_digest"
#define MLFLOW_TAG_MD5 "modelgate.md5"
#define MLFLOW_TAG_STRAIGHT "modelgate.straight" /* REGISTRY_STRAIGHT, whatever its value */
#define MLFLOW_TAG_SOURCE                                                                          \
	"modelgate.source" /* the model's address, whatever MLflow takes for one */
/* When it was first there, or promoted there last (RFC 3339): MLflow keeps no history of stages and aliases. */
#define MLFLOW_TAG_STAGED "modelgate.staged"
#define MLFLOW_TAG_PRODUCTION "modelgate.production"
/* When a rollback left it behind; not there once it is promoted anew. */
#define MLFLOW_TAG_ROLLED_BACK "modelgate.rolledback"

/* Aliases, where [registry] promotion has them. */
#define MLFLOW_ALIAS_STAGING "staging"
#define MLFLOW_ALIAS_PRODUCTION "production"

struct mlflow_view {
	char *owner;                       /* the model's tag; NULL: it has none */
	int64_t staging;                   /* version that the alias names; 0: none */
	int64_t production;                /* the same */
	struct registry_versions versions; /* newest first */
	/* Of versions.v[i]: does it have the tag MLFLOW_TAG_STAGED, ...? */
	struct mlflow_mark {
		int64_t version;
		int staged;
		int production;
		int rolled_back;
	} * marks;
};
void mlflow_view_clear(struct mlflow_view *w);

/* By what a version's stage is told: MLflow's stages, or aliases (and then by the tags, too). */
enum mlflow_stages { MLFLOW_BY_STAGE, MLFLOW_BY_ALIAS };
/* By what PROMOTION, an enum config_promotion, tells it. */
enum mlflow_stages mlflow_stages_by(int promotion);

/*
 * Read MODEL.  1 and *OUT; 0: there is no such model; -1.  The caller calls mlflow_view_clear() whatever
 * is returned.
 */
int mlflow_view_load(struct mlflow_view *out, struct mlflow *m, const char *model,
	enum mlflow_stages stages, struct err *e);

/*
 * Read the array VERSIONS of an answer into W, whose aliases are set and which has no versions so far.
 * 0, or -1; the caller calls mlflow_view_clear().
 */
int mlflow_view_parse(struct mlflow_view *w, const struct json *versions, const char *model,
	enum mlflow_stages stages, struct err *e);

/* 0: OWNER's is MODEL, of which W tells; -1: it is not, and *E says whose. */
int mlflow_view_owner(
	const struct mlflow_view *w, const char *model, const char *owner, struct err *e);

/* The value of tag NAME of the model or version J, borrowed; NULL: it has none such. */
const char *mlflow_tag(const struct json *j, const char *name);
/* The version that ALIAS of the registered model J names, 0: none. */
int64_t mlflow_alias(const struct json *j, const char *alias);
/* A number from 1, which MLflow writes as text where it is a version's; 0: J has none such. */
int64_t mlflow_number(const struct json *j, const char *name);
/* A time, which MLflow writes in milliseconds, in microseconds. */
int64_t mlflow_time(const struct json *j, const char *name);

/*
 * Call EACH with every element of the array MEMBER on all pages of the answer to PATH, which has a
 * query already.  0, or -1, also where EACH returned other than 0.
 */
int mlflow_pages(struct mlflow *m, const char *path, const char *member,
	int (*each)(void *context, const struct json *element, struct err *e), void *context,
	struct err *e);

#endif
