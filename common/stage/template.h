/*
 * Templates of DAG files and manifests: @NAME@ becomes a value.  Values end up inside quotes of
 * Python and YAML, and Airflow renders them with Jinja: what could break out of either is refused.
 */
#ifndef MODELGATE_STAGE_TEMPLATE_H
#define MODELGATE_STAGE_TEMPLATE_H

struct err;
struct str;

enum template_empty { TEMPLATE_NOT_EMPTY, TEMPLATE_MAY_BE_EMPTY };

struct template_value {
	const char *name; /* of capitals, digits and underscores, without its at-signs */
	const char *value;
	enum template_empty empty;
};

/*
 * Add TEXT to *OUT with every @NAME@ replaced by its value out of VALUES, which ends
 * with a NULL name.  0, or -1 and *E: a NAME that is not among them (which line), or a value that
 * is used and cannot be.
 */
int template_fill(
	struct str *out, const char *text, const struct template_value *values, struct err *e);

#endif
