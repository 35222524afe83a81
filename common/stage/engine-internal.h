/* How an engine's commands are put together and run; for the files of engine.h alone. */
#ifndef MODELGATE_STAGE_ENGINE_INTERNAL_H
#define MODELGATE_STAGE_ENGINE_INTERNAL_H

#include "base/str.h"
#include "stage/engine-cause.h"

struct engine_order;
struct err;

/*
 * Commands and environments are NULL-terminated.  What starts with "@" is filled in:
 *	@reference @dockerfile @context @idfile @digestfile @time
 *	@image    the image that engine_remove() is called for
 *	@labels   a pair of arguments a label
 *	@auth     --authfile and the credentials file; nothing without one
 *	@tls      what lets an engine speak plain HTTP to a registry on this machine, else nothing
 *	@config   DOCKER_CONFIG=, a folder with the credentials file; nothing without one
 *	@epoch    SOURCE_DATE_EPOCH=, of the commit
 */
struct engine {
	const char *name;
	int kind;                   /* enum config_engine */
	const char *const *env;     /* more than HOME; NULL: none */
	const char *const *probe;   /* NULL: always there */
	const char *const *build;   /* writes the id of the image to @idfile */
	const char *const *push;    /* may write the digest of the manifest to @digestfile */
	const char *const *digests; /* prints NAME@DIGEST lines after a push that wrote no file */
	const char *const *created; /* prints when the image says it was made; NULL: @time */
	const char *const *remove;
};

/* What the arguments of one order become, and the engine that is to do it. */
struct engine_fill {
	const struct engine *engine;
	const struct engine_order *order;
	int log;          /* descriptor for what is printed; -1: nobody reads it */
	char *repository; /* NAME, with the registry in front where one is set */
	char *reference;  /* REPOSITORY:TAG */
	const char *image;
	char *idfile;
	char *digestfile;
	char *time;
	char *config; /* docker's folder of settings; NULL: its own */
	char *home;   /* "HOME=..." */
};
void engine_fill_init(struct engine_fill *f, const struct engine_order *o);
void engine_fill_clear(struct engine_fill *f);

/*
 * See that the credentials file, if there is one, is a secret, and make CONFIG for docker, which takes
 * logins from a folder alone; engine_fill_clear() removes it.  0, or -1 and *E.
 */
int engine_fill_login(struct engine_fill *f, struct err *e);

/*
 * Run TEMPLATE, one of the engine's commands, for at most SECONDS, and add what it prints to *ANSWER.
 * 0: it succeeded.  -1: *E, which is passing: these are questions that an engine at work can answer.
 */
int engine_ask(const struct engine_fill *f, const char *const *template, unsigned seconds,
	struct str *answer, struct err *e);
/* Do what COMMAND says, its output to the log.  0, or -1 and *E says why and what to do. */
int engine_do(const struct engine_fill *f, enum engine_command command, struct err *e);
/* Remove IMAGE from what the engine keeps; a failure is told in the log. */
void engine_remove(struct engine_fill *f, const char *image);

/*
 * engine-earlier.c: the images that builds of one project and chain have left on this machine, in a file
 * of their names.  Once a newer one is in the registry they only take room.  note() before the build, so
 * that one that was killed is known too; 0, or -1 and *E.  remove() after the push; what fails is told in
 * the log, and forgotten.
 */
int engine_earlier_note(const struct engine_fill *f, struct err *e);
void engine_earlier_remove(struct engine_fill *f);

#endif
