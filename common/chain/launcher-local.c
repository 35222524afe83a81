#include "chain/launcher-local.h"

#include <stddef.h>

#include "base/err.h"
#include "data/config.h"
#include "sys/paths.h"
#include "sys/spawn.h"

int launcher_local_wake(
	const struct config *config, const char *repository, const char *system_file, struct err *e)
{
	const char *argv[10];
	size_t n = 0;

	if (config->wake != CONFIG_WAKE_SPAWN)
		return 0;
	argv[n++] = paths_command();
	argv[n++] = "--repo";
	argv[n++] = repository;
	if (system_file != NULL) {
		argv[n++] = "--config";
		argv[n++] = system_file;
	}
	argv[n++] = "run";
	argv[n++] = "--drain";
	argv[n++] = "--no-wait";
	argv[n] = NULL;
	if (spawn_detached(argv, e) != 0)
		return err_wrap(e, "cannot start the runner");
	return 0;
}
