/*
 * Preloaded into what runs under valgrind (tests/lib/valgrind): what such a program starts of ours runs under
 * it too.  To the kernel /proc/self/exe is valgrind, and what it starts by name would run alone.
 *
 * A program is started as the script that `make valgrind` puts in its place: .../programs/NAME becomes
 * .../root/NAME.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

typedef int exec_function(const char *, char *const[], char *const[]);

static exec_function *next;

static void __attribute__((constructor)) find(void)
{
	void *symbol = dlsym(RTLD_NEXT, "execve");

	memcpy(&next, &symbol, sizeof(next));
}

/* Called in a child of a threaded program too: no memory is asked for. */
int execve(const char *path, char *const argv[], char *const env[])
{
	static const char programs[] = "/valgrind/programs/", root[] = "/valgrind/root/";
	char name[PATH_MAX + 1], script[PATH_MAX + 1];
	ssize_t n = strcmp(path, "/proc/self/exe") == 0 ? readlink(path, name, PATH_MAX) : -1;

	if (n > 0) {
		name[n] = '\0'; /* as valgrind says it */
		path = name;
	}
	const char *at = strstr(path, programs);
	if (at != NULL && strlen(path) < PATH_MAX) {
		size_t before = (size_t)(at - path);

		memcpy(script, path, before);
		memcpy(script + before, root, sizeof(root) - 1);
		memcpy(script + before + sizeof(root) - 1, at + sizeof(programs) - 1,
			strlen(at) - sizeof(programs) + 2);
		path = script;
	}
	return next(path, argv, env);
}
