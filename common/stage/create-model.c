#include "stage/stage.h"

#include <stdlib.h>

#include "base/mem.h"
#include "stage/facts.h"
#include "stage/promote.h"
#include "stage/registry.h"

int stage_create_model(const struct stage_job *job, struct err *e)
{
	struct registry *r = NULL;
	int64_t version;
	char *text;
	int result = -1;

	if (registry_open(&r, job->config, e) != 0)
		return -1;
	if (promote_register(r, job, &version, e) == 0) {
		text = mem_format("%lld", (long long)version);
		facts_set(job->facts, FACT_MODEL_NAME, job->project);
		facts_set(job->facts, FACT_MODEL_VERSION, text);
		free(text);
		result = 0;
	}
	registry_close(r);
	return result;
}
