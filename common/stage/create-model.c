#include "stage/stage.h"

#include "stage/promote.h"
#include "stage/registry.h"

int stage_create_model(const struct stage_job *job, struct err *e)
{
	struct registry *r = NULL;
	int64_t version;
	int result = -1;

	if (registry_open(&r, job->config, e) != 0)
		return -1;
	if (promote_register(r, job, &version, e) == 0) {
		promote_note(job, version);
		result = 0;
	}
	registry_close(r);
	return result;
}
