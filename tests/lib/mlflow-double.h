/*
 * An MLflow server that only pretends, in this process, on 127.0.0.1: as strict as the real one is about what
 * it is asked, as forgetful about stages, and with faults at the calls that change something.  What it does
 * was seen in MLflow 2.22 and 3.17.
 */
#ifndef MODELGATE_TESTS_MLFLOW_DOUBLE_H
#define MODELGATE_TESTS_MLFLOW_DOUBLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct double_pair {
	char *key;
	char *value;
};

struct double_pairs {
	struct double_pair *v;
	size_t n;
	size_t cap;
};

struct double_version {
	int64_t number;
	int64_t updated; /* ms */
	char *source;
	char *description;
	char *stage;
	struct double_pairs tags;
};

/* It has one registered model at most. */
struct mlflow_double {
	/* To be set between calls: */
	enum double_stages { DOUBLE_STAGES, DOUBLE_NO_STAGES } stages;
	enum double_sources { DOUBLE_ANY_HOST, DOUBLE_NO_HTTP } sources;
	size_t page;         /* elements on one, at most; 0: as many as are asked for */
	int is_endless;      /* each page names another one */
	size_t refused_from; /* number, from 1, of the change that it refuses with all further calls */
	size_t lost;         /* number of the change whose answer is lost; 0: none */
	/* What it has: */
	char *model; /* NULL: none */
	struct double_pairs tags;
	struct double_pairs aliases;
	struct double_version *versions; /* in the order in which they were made */
	size_t n, cap;
	int64_t last;   /* number given */
	size_t changes; /* calls that changed something, or would have */
	size_t calls;
	char *fault; /* of whoever asks: something that the real one would not have understood */
	/* Its own: */
	int fd;
	unsigned port;
	pthread_t thread;
};

void mlflow_double_start(struct mlflow_double *d);
void mlflow_double_end(struct mlflow_double *d);
/* "production=2 2:Production+sp 1:Archived+sp": aliases and versions, newest first; s, p, r are the tags of
 * having been staged, in Production, rolled back.  The caller's to free(). */
char *mlflow_double_show(const struct mlflow_double *d);
const char *double_get(const struct double_pairs *p, const char *key); /* NULL: none */
void double_set(struct double_pairs *p, const char *key, const char *value);

#endif
