#include "sys/paths.h"

#include "paths-built.h" /* made by the Makefile */

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
	return PATHS_BUILT_VERSION;
}
