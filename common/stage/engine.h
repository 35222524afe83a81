/* What turns a folder into an image: docker, podman, buildah, or a plain archive. */
#ifndef MODELGATE_STAGE_ENGINE_H
#define MODELGATE_STAGE_ENGINE_H

#include <stdint.h>

#include "base/str.h"

struct config;
struct engine;
struct err;

struct engine_order {
	const struct config *config;
	const char *context;    /* the folder */
	const char *dockerfile; /* absolute path; NULL: the commit has none */
	const char *work;       /* a folder for files of passage */
	const char *archive;    /* where an archive is to be */
	const char *temporary;  /* and what it is called until it is whole */
	const char *earlier;    /* a file of this project's and chain's: images of earlier builds */
	const char *name;       /* of the image, without registry and tag */
	const char *tag;        /* "<sha>-p<pipeline>" */
	int64_t time;           /* of the commit, seconds since 1970 */
	struct strlist labels;  /* "name=value" */
};

struct engine_product {
	char *image;  /* reference that the image is pulled by, or path of the archive */
	char *digest; /* "sha256:<64 hex>" of the manifest, of an image that stays local, of the
			 archive */
};
void engine_product_clear(struct engine_product *p);

/* Is an engine there, and does it work?  One that takes longer than 15 s to say so does not. */
enum engine_answer { ENGINE_ANSWERS, ENGINE_ABSENT, ENGINE_SILENT };
/* Ask the engine KIND, one of enum config_engine but CONFIG_ENGINE_AUTO.  CONFIG's state is there. */
enum engine_answer engine_look(int kind, const struct config *config);

/*
 * The engine that O's configuration names, or with `auto` the first of docker, podman and buildah
 * that is there and answers; else archive, unless a registry waits for an image.  The log says which
 * and why.  NULL: *E.
 */
const struct engine *engine_choose(const struct engine_order *o, struct err *e);
const char *engine_name(const struct engine *engine);
/*
 * Build, and push if a registry is set; then the images that earlier builds of the same kind have left on
 * this machine are removed.  0; the caller calls engine_product_clear(); or -1 and *E, which is passing
 * where the registry or the engine's service may come back.
 */
int engine_run(const struct engine *engine, const struct engine_order *o,
	struct engine_product *out, struct err *e);

/*
 * The image name of PROJECT: lower case and separators as registries want them; the caller's to
 * free().
 */
char *engine_image_name(const char *project);
/* 1 if REGISTRY ("HOST[:PORT][/PATH]") is on this machine, where plain HTTP harms nobody; else 0. */
int engine_is_loopback(const char *registry);

#endif
