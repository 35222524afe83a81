/*
 * The model registry, whatever keeps it: registered models and their versions, each version in one
 * of the stages None, Staging, Production, Archived, as MLflow has them.
 */
#ifndef MODELGATE_STAGE_REGISTRY_H
#define MODELGATE_STAGE_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct registry;

#define REGISTRY_NONE "None"
#define REGISTRY_STAGING "Staging"
#define REGISTRY_PRODUCTION "Production"
#define REGISTRY_ARCHIVED "Archived"

/* Open the registry that CONFIG names.  0, or -1: not reachable, or of a kind that is not there. */
int registry_open(struct registry **out, const struct config *config, struct err *e);
void registry_close(struct registry *r); /* NULL is fine */

/* How a version comes to PROD: a retraining that is merged straight into prod passes no Staging. */
enum registry_way { REGISTRY_THROUGH_DEV, REGISTRY_STRAIGHT };
enum registry_history { REGISTRY_NEVER_STAGED, REGISTRY_ONCE_STAGED };

/*
 * A version.  Strings are borrowed when given to a function, owned when a function filled it in;
 * none of them is NULL.
 */
struct registry_version {
	int64_t version; /* from 1; given by the registry */
	char *model;
	char *source; /* address of the model */
	char *description;
	char *commit;
	char *image;
	char *image_digest;
	char *md5; /* of the model */
	int64_t pipeline;
	enum registry_way way;
	const char *model_description; /* given to a function: of the model, if it is new */
	/* Given by the registry: */
	char *stage;
	enum registry_history history; /* was it ever in Staging? */
	int64_t production_since;      /* promoted there last, microseconds since 1970; 0: never */
	int64_t rolled_back; /* when a rollback left it behind; 0: none has since it was promoted */
	int64_t created;     /* microseconds since 1970 */
	int64_t updated;
};

struct registry_versions {
	struct registry_version *v;
	size_t n;
	size_t cap;
};
void registry_versions_clear(struct registry_versions *l);

/*
 * Register a version of a model, and the model for OWNER if it is new.  A pipeline has one version
 * of a model: the second time it is only looked up.  0 and *VERSION, or -1: also where the model
 * belongs to another owner, whom *E names.
 */
int registry_create(struct registry *r, const struct registry_version *v, const char *owner,
	int64_t *version, struct err *e);
/*
 * 0: MODEL is OWNER's, or the registry does not know of it or of owners.  -1: it is another's, whom *E
 * names.
 */
int registry_check_owner(struct registry *r, const char *model, const char *owner, struct err *e);
/*
 * The versions of MODEL, newest first; with MD5 (else NULL) those of this content alone.  0; the
 * caller calls registry_versions_clear().  A model that is not registered has none.
 */
int registry_find(struct registry *r, const char *model, const char *md5,
	struct registry_versions *out, struct err *e);
/*
 * A way BACK goes to a version that was in Production before: those that came there after it are
 * rolled back from then on, until they are promoted anew.
 */
enum registry_direction { REGISTRY_FORWARD, REGISTRY_BACK };

struct registry_move {
	const char *model;
	int64_t version;
	const char *from; /* stage it must be in; NULL: any */
	const char *to;
	enum registry_direction direction;
	int64_t pipeline;  /* for which it is done; 0: none */
	const char *owner; /* whose the model must be, where the registry knows; NULL: anybody's */
};
/*
 * Bring a version into the stage TO; what was in Staging or Production is archived by its
 * successor. 1: done.  0: nothing to do, it is there already, or no longer in FROM.  -1: no such
 * version or stage.
 */
int registry_transition(struct registry *r, const struct registry_move *m, struct err *e);

/* One line of the models page. */
struct registry_model {
	char *name;
	int64_t latest;     /* version */
	int64_t staging;    /* version; 0: none */
	int64_t production; /* version; 0: none */
	int64_t updated;    /* microseconds since 1970 */
	struct registry_tag {
		char *name;
		char *value;
	} * tags;
	size_t n_tags;
	size_t cap_tags;
};

struct registry_models {
	struct registry_model *v;
	size_t n;
	size_t cap;
	int64_t total; /* that matched, on all pages */
};
void registry_models_clear(struct registry_models *l);

struct registry_page {
	const char *search; /* part of the name, in any case; NULL: all */
	int64_t limit;      /* models on a page */
	int64_t number;     /* from 1 */
};

/* A page of the registered models, by name.  0; the caller calls registry_models_clear(); or -1. */
int registry_list(struct registry *r, const struct registry_page *page, struct registry_models *out,
	struct err *e);

#endif
