/* The files of config/ that are compiled in, so that an installed program needs none of them. */
#ifndef MODELGATE_STAGE_TEMPLATES_H
#define MODELGATE_STAGE_TEMPLATES_H

#include <stddef.h>

/* For template_fill, where a project has none of its own. */
extern const char templates_dag[];         /* config/dag.py.template */
extern const char templates_dag_retrain[]; /* config/dag-retrain.py.template */
extern const char templates_serving[];     /* config/serving.yaml.template */

/* What python_check() has python3 do: config/check-dag.py. */
extern const char templates_check_dag[];

/* The model that a new project starts with: a pickle of protocol 0, which is text. */
extern const char templates_first_model[]; /* config/project/model.pkl */

enum templates_use {
	TEMPLATES_COPY, /* as it stands: its placeholders are for the stage deploy */
	TEMPLATES_FILL  /* filled in when the project is made */
};

struct templates_file {
	const char *path; /* in the new project */
	enum templates_use use;
	const char *text;
};

/* The files of a new project, ended by a NULL path. */
extern const struct templates_file templates_project[];

#endif
