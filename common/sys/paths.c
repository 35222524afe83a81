#include "sys/paths.h"

#include "paths-built.h" /* made by the Makefile */
#include "sys/spawn.h"

const char *paths_command(void)
{
	return PATHS_BUILT_COMMAND;
}

const char *paths_system_config(void)
{
	return PATHS_BUILT_SYSTEM_CONFIG;
}

const char *paths_version(void)
{
	static const char marked[] = PATHS_MARKER PATHS_BUILT_VERSION;

	return marked + sizeof(PATHS_MARKER) - 1;
}

const char *paths_tools(void)
{
	return "PATH=" PATHS_BUILT_TOOLS SPAWN_PATH;
}
