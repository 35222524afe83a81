/* What a kind of registry must do for registry.c; the functions are those of registry.h. */
#ifndef MODELGATE_STAGE_REGISTRY_BACKEND_H
#define MODELGATE_STAGE_REGISTRY_BACKEND_H

#include "stage/registry.h"

struct registry_backend {
	void *(*open)(const struct config *config, struct err *e); /* NULL: *E */
	void (*close)(void *handle);
	int (*create)(void *handle, const struct registry_version *v, const char *owner,
		int64_t *version, struct err *e);
	/* NULL: names of models are claimed in the store alone. */
	int (*check_owner)(void *handle, const char *model, const char *owner, struct err *e);
	int (*find)(void *handle, const char *model, const char *md5, struct registry_versions *out,
		struct err *e);
	int (*transition)(void *handle, const struct registry_move *m, struct err *e);
	int (*list)(void *handle, const struct registry_page *page, struct registry_models *out,
		struct err *e);
};

#endif
