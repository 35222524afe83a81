#include "git/merge-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/internal.h"
#include "git/repository.h"
#include "sys/files.h"
#include "sys/paths.h"
#include "sys/spawn.h"

#define GITLABS_GIT "/opt/gitlab/embedded/bin/git"
#define USAGE_STATUS 129               /* of a Git that does not know such a merge-tree */
#define MAX_OUTPUT (64U * 1024 * 1024) /* bytes of all answers of one run */
#define MAX_SECONDS 60 /* of processor time for one run; a merge takes milliseconds */
/*
 * Bytes that Git may take: two pushed trees that name the same folders again and again, and differ in
 * every file, take all that there is.
 */
#define MAX_MEMORY (1U << 30)
#define MAX_WAIT 300  /* seconds for one run: a disk may hang, or a pipe lie in an object's place */
#define MAX_SAID 2000 /* bytes of Git's messages that are passed on */

/* What the build puts in front comes first, then the one that GitLab merges with, then the system's. */
char *merges_program(void)
{
	const char *folders = paths_tools() + strlen("PATH=");
	size_t len = str_ends(folders, SPAWN_PATH) ? strlen(folders) - strlen(SPAWN_PATH) : 0;
	char *front = mem_strndup(folders, len), *git = spawn_find("git");
	char *dir = git == NULL ? NULL : path_dir(git);
	struct strlist dirs = {0};

	strlist_split(&dirs, front, ':');
	if ((dir == NULL || !strlist_has(&dirs, dir)) && access(GITLABS_GIT, X_OK) == 0) {
		free(git);
		git = mem_strdup(GITLABS_GIT);
	}
	strlist_clear(&dirs);
	free(front);
	free(dir);
	return git;
}

/* A file of NAME in the scratch repository, open and already without a name; -1. */
static int open_unnamed(const struct merge_scratch *s, const char *name, struct err *e)
{
	char *path = path_join(s->dir, name);
	int fd = files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, e);

	if (fd >= 0)
		(void)unlink(path); /* it would go with the folder */
	free(path);
	return fd;
}

/* A file with the pairs, to be read from its start; -1. */
static int write_pairs(
	struct merge_pair *const *pairs, size_t n, const struct merge_scratch *s, struct err *e)
{
	int fd = open_unnamed(s, "pairs", e);
	struct str text;

	if (fd < 0)
		return -1;
	str_init(&text);
	for (size_t i = 0; i < n; i++) {
		char ours[OID_HEX_SIZE], theirs[OID_HEX_SIZE];

		oid_hex(&pairs[i]->ours, ours);
		oid_hex(&pairs[i]->theirs, theirs);
		str_addf(&text, "%s %s\n", ours, theirs);
	}
	if (files_write_all(fd, text.buf, text.len) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
		(void)err_errno(e, errno, "the merges cannot be written into %s", s->dir);
		(void)close(fd); /* it is gone anyway */
		fd = -1;
	}
	str_clear(&text);
	return fd;
}

/* Set *E to how git ended, with what it wrote to ERRORS. */
static enum merge_git git_failure(int status, int errors, struct err *e)
{
	char said[MAX_SAID + 2] = ""; /* one more, so that what is cut is seen to be */
	ssize_t n = pread(errors, said, MAX_SAID + 1, 0);
	char *safe;

	while (n > 0 && said[n - 1] == '\n')
		said[--n] = '\0';
	safe = str_safe(said, MAX_SAID);
	(void)err_set(
		e, "git merge-tree ended with status %d%s%s", status, *safe ? ": " : "", safe);
	free(safe);
	return MERGE_GIT_FAILED;
}

/* One answer for each of the pairs and nothing else.  0, or -1. */
static int parse_answers(
	struct merge_pair *const *pairs, size_t n, const struct str *text, struct err *e)
{
	const char *at = text->buf, *end = text->buf + text->len;

	if (text->len >= MAX_OUTPUT)
		return err_set(e, "git merge-tree wrote more than %u bytes", MAX_OUTPUT);
	for (size_t i = 0; i < n; i++) {
		merge_answer_clear(&pairs[i]->answer);
		if (merge_answer_parse(&pairs[i]->answer, &at, end, e) != 0)
			return -1;
	}
	return at == end ? 0 : err_set(e, "git merge-tree said more than it was asked");
}

/* Add PATH as GIT_ALTERNATE_OBJECT_DIRECTORIES wants it (git(1)): quoted. */
static void add_quoted(struct str *out, const char *path)
{
	str_addc(out, '"');
	for (; *path != '\0'; path++) {
		if (*path == '"' || *path == '\\')
			str_addc(out, '\\');
		if (*path == '\n')
			str_add(out, "\\n");
		else
			str_addc(out, *path);
	}
	str_addc(out, '"');
}

static char *alternates(const struct repository *r)
{
	const struct strlist *dirs = repository_object_dirs(r);
	struct str out;

	str_init(&out);
	str_add(&out, "GIT_ALTERNATE_OBJECT_DIRECTORIES=");
	for (size_t i = 0; i < dirs->n; i++) {
		if (i > 0)
			str_addc(&out, ':');
		add_quoted(&out, dirs->v[i]);
	}
	return str_steal(&out);
}

/* "attr.tree=" and what HEAD is, as Gitaly has it; Git before 2.43 knows no such key. */
static int attributes(char **out, struct repository *r, struct err *e)
{
	char hex[OID_HEX_SIZE] = "";
	struct oid head;
	int found = repository_tip(r, "HEAD", &head, e);

	*out = NULL;
	if (found < 0)
		return -1;
	if (found > 0)
		oid_hex(&head, hex);
	*out = mem_format("attr.tree=%s", hex);
	return 0;
}

/* Run GIT on the descriptors S has.  0, *STATUS and *TEXT; or -1. */
static int run(struct spawn *s, const char *git, struct repository *r,
	const struct merge_scratch *scratch, struct str *text, int *status, struct err *e)
{
	char *attr = NULL, *dir = mem_format("GIT_DIR=%s", scratch->dir), *objects = alternates(r);
	int result = attributes(&attr, r, e);
	const char *argv[] = {git, "-c", "core.useReplaceRefs=false", "-c", attr, "-c", "gc.auto=0",
		"-c", "core.fsync=none", "merge-tree", "--stdin", "-z", "--name-only",
		"--no-messages", "--allow-unrelated-histories", NULL};
	const char *env[] = {dir, objects, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1", "HOME=/nonexistent",
		"XDG_CONFIG_HOME=/nonexistent", NULL};

	s->argv = argv;
	s->env = env;
	s->group = SPAWN_GROUP_OURS;
	s->cpu_seconds = MAX_SECONDS;
	s->seconds = MAX_WAIT;
	s->memory = MAX_MEMORY;
	if (result == 0)
		result = spawn_capture(s, MAX_OUTPUT, text, status, e);
	s->argv = s->env = NULL;
	free(attr);
	free(objects);
	free(dir);
	return result;
}

/* 1 if STATUS says that Git fell over its own feet: nothing from outside sends these signals. */
static int is_crash(int status)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (status == 128 + signals[i])
			return 1;
	return 0;
}

/* What came of the run: its exit status, its output and its messages. */
static enum merge_git conclude(struct merge_pair *const *pairs, size_t n, int status,
	const struct str *text, int errors, struct err *e)
{
	if (status == USAGE_STATUS)
		return MERGE_GIT_NONE;
	if (status == 128 + SIGXCPU) {
		(void)err_set(e,
			"git merge-tree took more than %d seconds of processor time for %zu merges",
			MAX_SECONDS, n);
		return MERGE_GIT_FAILED;
	}
	if (is_crash(status))
		return MERGE_GIT_CRASHED;
	if (status != 0)
		return git_failure(status, errors, e);
	return parse_answers(pairs, n, text, e) == 0 ? MERGE_GIT_DONE : MERGE_GIT_FAILED;
}

enum merge_git merge_git_run(struct merge_pair *const *pairs, size_t n, struct repository *r,
	const struct merge_scratch *scratch, struct err *e)
{
	char *git = merges_program();
	struct spawn s = SPAWN_INIT;
	enum merge_git result = MERGE_GIT_FAILED;
	struct str text;
	int status = -1;

	if (git == NULL)
		return MERGE_GIT_NONE;
	str_init(&text);
	s.input = write_pairs(pairs, n, scratch, e);
	if (s.input >= 0)
		s.out = open_unnamed(scratch, "errors", e);
	if (s.out >= 0 && run(&s, git, r, scratch, &text, &status, e) == 0)
		result = conclude(pairs, n, status, &text, s.out, e);
	if (s.input >= 0)
		(void)close(s.input); /* it is gone anyway */
	if (s.out >= 0)
		(void)close(s.out);
	str_clear(&text);
	free(git);
	return result;
}
