/* Landlock.  What the installed headers may be too old for stands here under the kernel's names. */
#define _GNU_SOURCE /* O_PATH, syscall */
#include "sys/sandbox-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/sandbox.h"

#ifndef SYS_landlock_create_ruleset /* the same for all architectures */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* struct landlock_ruleset_attr, whole; older kernels know its beginning, and take zeros behind that. */
struct ruleset {
	uint64_t files;
	uint64_t network; /* version 4 */
	uint64_t scoped;  /* version 6 */
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EXECUTE                                                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE) /* it opens what it executes */
#define WRITE                                                                                      \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                    \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER |                           \
		LANDLOCK_ACCESS_FS_TRUNCATE)
/* What a rule for a file that is no folder may hold. */
#define OF_FILES                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |                       \
		LANDLOCK_ACCESS_FS_IOCTL_DEV)

int sandbox_files_support(void)
{
	long version = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

/* All that a kernel of VERSION can forbid. */
static struct ruleset all_of(int version)
{
	struct ruleset all = {.files = LANDLOCK_ACCESS_FS_MAKE_SYM};

	all.files |= all.files - 1; /* the bits of version 1 are the lowest */
	if (version >= 2)
		all.files |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all.files |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		all.files |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (version >= 4)
		all.network = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (version >= 6)
		all.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
	return all;
}

/* Rights to PATH and what is below it.  0; -1. */
static int allow(int ruleset, uint64_t rights, const char *path, struct err *e)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	int result = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) /* what cannot be found now cannot be had later */
		return 0;
	if (fstat(rule.parent_fd, &st) != 0 || !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	if (rule.allowed_access != 0 &&
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		result = err_errno(e, errno, "Landlock: %s", path);
	(void)close(rule.parent_fd); /* a name alone */
	return result;
}

static int allow_all(int ruleset, uint64_t rights, const struct strlist *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (allow(ruleset, rights, paths->v[i], e) != 0)
			return -1;
	return 0;
}

/* Paths that options of sanitizers name: what is not reported, and where reports go. */
static const struct option {
	const char *variable;
	const char *key;
} options[] = {{"LSAN_OPTIONS", "suppressions="}, {"ASAN_OPTIONS", "log_path="},
	{"UBSAN_OPTIONS", "log_path="}};

/* The folder in which the path of O lies. */
static int allow_option(int ruleset, uint64_t rights, const struct option *o, struct err *e)
{
	const char *value = getenv(o->variable), *at;
	char *path, *dir;
	int result;

	at = value != NULL ? strstr(value, o->key) : NULL;
	if (at == NULL)
		return 0;
	at += strlen(o->key);
	path = mem_strndup(at, strcspn(at, ":"));
	dir = path_dir(path);
	result = allow(ruleset, rights, dir, e);
	free(dir);
	free(path);
	return result;
}

static int allow_sanitizers(int ruleset, uint64_t rights, struct err *e)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (allow_option(ruleset, rights, &options[i], e) != 0)
			return -1;
	/* The program itself, for the names of what it called: suppressions go by them. */
	if (allow(ruleset, READ, "/proc/self/exe", e) != 0)
		return -1;
	return allow(ruleset, READ, "/proc", e);
}

/* Where programs of a machine are.  Not its whole tree: tokens lie in /etc, and keys of users at home. */
static const char *const of_programs[] = {"/bin", "/sbin", "/usr", "/lib", "/lib32", "/lib64",
	"/libx32", "/opt", "/nix/store", "/gnu/store"};

static int allow_programs(int ruleset, struct err *e)
{
	for (size_t i = 0; i < sizeof(of_programs) / sizeof(of_programs[0]); i++)
		if (allow(ruleset, EXECUTE | READ, of_programs[i], e) != 0)
			return -1;
	return 0;
}

static int add_rules(int ruleset, const struct ruleset *all, const struct sandbox *s, struct err *e)
{
	if (allow_all(ruleset, all->files & READ, &s->read, e) != 0 ||
		allow_all(ruleset, all->files & WRITE, &s->write, e) != 0 ||
		allow_all(ruleset, EXECUTE, &s->execute, e) != 0)
		return -1;
	if (s->programs == SANDBOX_EXECUTE_ANY && allow_programs(ruleset, e) != 0)
		return -1;
	return SANDBOX_SANITIZED ? allow_sanitizers(ruleset, all->files & WRITE, e) : 0;
}

/*
 * Version 1 refuses to rename from one folder into another whatever is allowed; nothing here does that.
 */
int sandbox_files_enter(const struct sandbox *s, struct err *e)
{
	int version = sandbox_files_support(), result = -1, ruleset;
	struct ruleset all = all_of(version);

	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return err_errno(e, errno, "Landlock");
	if (add_rules(ruleset, &all, s, e) == 0)
		result = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0
				 ? 0
				 : err_errno(e, errno, "Landlock");
	(void)close(ruleset); /* in force, or not needed */
	return result;
}
