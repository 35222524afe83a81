/* The objects of a DVC remote, by their path in it: a folder of this machine, http(s), s3. */
#ifndef MODELGATE_STAGE_OBJECT_STORE_H
#define MODELGATE_STAGE_OBJECT_STORE_H

struct arrival;
struct config;
struct dvc_remote;
struct err;
struct object_store;

/*
 * 0 and *OUT, the caller's to object_store_close(), who keeps R that long; or -1 and *E: a kind of remote that
 * this cannot read, or credentials that cannot be had.  BASE: the folder that a relative path is taken from.
 */
int object_store_open(struct object_store **out, const struct dvc_remote *r, const char *base,
	const struct config *c, struct err *e);
void object_store_close(struct object_store *s); /* NULL is fine */

/*
 * Where OBJECT is there, as a person would look for it, without credentials; the caller's to free().
 */
char *object_store_place(const struct object_store *s, const char *object);

enum object_result {
	OBJECT_THERE,   /* all of it has been added to the arrival */
	OBJECT_MISSING, /* there is none such; *E is not set */
	OBJECT_FAILED   /* *E; e->passing where another try may help, after some were made here */
};
/* Add the bytes of OBJECT to A.  An interrupted transfer goes on where it was, or begins again. */
enum object_result object_store_get(
	struct object_store *s, const char *object, struct arrival *a, struct err *e);

#endif
