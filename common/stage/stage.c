#include "stage/stage.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	stage_function *function;
} stages[] = {
	{"build", stage_build},
	{"create-model", stage_create_model},
	{"deploy", stage_deploy},
	{"stage-model", stage_stage_model},
};

stage_function *stage_find(const char *name)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (strcmp(stages[i].name, name) == 0)
			return stages[i].function;
	return NULL;
}
