#include "chain/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/str.h"
#include "data/config.h"

#define ENVIRONMENT_DEV "DEV"
#define ENVIRONMENT_PROD "PROD"
#define MODEL_STAGE_PRODUCTION "Production"

int place_lock(int *fd, const struct place *p, enum lock_wait wait, int timeout_ms, struct err *e)
{
	char *key = mem_format("%s\n%s", p->project, p->environment), *path;
	char hash[SHA256_HEX_SIZE];
	int result;

	sha256_of(key, strlen(key), hash);
	path = mem_format("%s/" CONFIG_STATE_RUN "/%s.lock", p->state, hash);
	result = lock_take(fd, path, wait, timeout_ms, e);
	free(path);
	free(key);
	return result;
}

/*
 * A chain belongs to production if it moves models to Production, or shares its Airflow repository
 * with a chain that does: by default prod and online, while dev and retrain are DEV.
 */
const char *place_environment(const struct config *config, const struct config_chain *chain)
{
	for (size_t i = 0; i < config->n_chains; i++) {
		const struct config_chain *other = &config->chains[i];

		if (str_same(other->model_stage, MODEL_STAGE_PRODUCTION) &&
			(other == chain ||
				(str_same(other->airflow, chain->airflow) && *other->airflow)))
			return ENVIRONMENT_PROD;
	}
	return ENVIRONMENT_DEV;
}
