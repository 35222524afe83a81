#include "stage/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "stage/registry-backend.h"
#include "stage/registry-embedded.h"
#include "stage/registry-mlflow.h"

struct registry {
	const struct registry_backend *backend;
	void *handle;
};

int registry_open(struct registry **out, const struct config *config, struct err *e)
{
	const struct registry_backend *backend =
		config->registry == CONFIG_REGISTRY_MLFLOW ? &registry_mlflow : &registry_embedded;
	void *handle;

	*out = NULL;
	handle = backend->open(config, e);
	if (handle == NULL)
		return err_wrap(e, "the model registry cannot be opened");
	*out = mem_zalloc(1, sizeof(**out));
	(*out)->backend = backend;
	(*out)->handle = handle;
	return 0;
}

void registry_close(struct registry *r)
{
	if (r == NULL)
		return;
	r->backend->close(r->handle);
	free(r);
}

int registry_create(struct registry *r, const struct registry_version *v, const char *owner,
	int64_t *version, struct err *e)
{
	return r->backend->create(r->handle, v, owner, version, e);
}

int registry_check_owner(struct registry *r, const char *model, const char *owner, struct err *e)
{
	if (r->backend->check_owner == NULL)
		return 0;
	return r->backend->check_owner(r->handle, model, owner, e);
}

int registry_find(struct registry *r, const char *model, const char *md5,
	struct registry_versions *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return r->backend->find(r->handle, model, md5, out, e);
}

int registry_transition(struct registry *r, const struct registry_move *m, struct err *e)
{
	return r->backend->transition(r->handle, m, e);
}

int registry_list(struct registry *r, const struct registry_page *page, struct registry_models *out,
	struct err *e)
{
	memset(out, 0, sizeof(*out));
	return r->backend->list(r->handle, page, out, e);
}

void registry_versions_clear(struct registry_versions *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct registry_version *v = &l->v[i];

		free(v->model);
		free(v->source);
		free(v->description);
		free(v->commit);
		free(v->image);
		free(v->image_digest);
		free(v->md5);
		free(v->stage);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

void registry_models_clear(struct registry_models *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct registry_model *m = &l->v[i];

		for (size_t j = 0; j < m->n_tags; j++) {
			free(m->tags[j].name);
			free(m->tags[j].value);
		}
		free(m->tags);
		free(m->name);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}
