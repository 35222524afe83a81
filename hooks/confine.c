#define _GNU_SOURCE /* environ, putenv() */
#include "confine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/receive.h"
#include "git/include.h"
#include "git/merge.h"
#include "git/repository.h"
#include "sys/sandbox.h"

/* Of a repository, what may be a symbolic link to somewhere else: a rule holds where it leads. */
static const char *const of_a_repository[] = {"HEAD", "config", "info", "packed-refs", "refs",
	"refs/heads", "refs/tags", "shallow", "worktrees"};

/* Of the environment: where git has put this push's objects, and what the pusher has said to it. */
static const char *const kept[] = {
	"GIT_OBJECT_DIRECTORY=", "GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_PUSH_OPTION_"};

static int is_kept(const char *setting)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (str_starts(setting, kept[i]))
			return 1;
	return 0;
}

/* In its place: whatever else holds the array sees what is left. */
static void clear_environment(void)
{
	static char home[] = "HOME=/nonexistent";
	size_t used = 0;

	for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
		if (is_kept(environ[i]))
			environ[used++] = environ[i];
	if (environ != NULL)
		environ[used] = NULL;
	/* libgit2 asks for one, and would look for it elsewhere. */
	if (putenv(home) != 0)
		(void)mem_given(NULL);
}

/* Each may have links in it, as the repository's own. */
static void add_objects(struct sandbox *s, const char *gitdir)
{
	struct strlist dirs = {0};

	/* What cannot be found stays out of reach, and is then told by who reads it. */
	(void)repository_object_paths(&dirs, gitdir, NULL);
	for (size_t i = 0; i < dirs.n; i++) {
		strlist_add(&s->read, dirs.v[i]);
		sandbox_add(&s->read, dirs.v[i], "pack");
		sandbox_add(&s->read, dirs.v[i], "info");
	}
	strlist_clear(&dirs);
}

static void fill(struct sandbox *s, const struct receive *r, enum confine_writes writes)
{
	char *git = merges_program();

	sandbox_add_machine(s);
	strlist_add(&s->read, r->gitdir);
	for (size_t i = 0; i < sizeof(of_a_repository) / sizeof(of_a_repository[0]); i++)
		sandbox_add(&s->read, r->gitdir, of_a_repository[i]);
	add_objects(s, r->gitdir);
	include_paths(&s->read, r->gitdir);
	/* By its "." it is what is mounted there, also where that is mounted only now: automount(8). */
	sandbox_add(&s->write, r->config->state, ".");
	/* Which may be links. */
	sandbox_add(&s->write, r->config->state, "audit");
	sandbox_add(&s->write, r->config->state, "work");
	if (writes == CONFINE_PLAY_REFS) {
		sandbox_add(&s->write, r->gitdir, "refs/modelgate");
		sandbox_add(&s->write, r->gitdir, "logs/refs/modelgate");
	}
	if (git != NULL)
		sandbox_add_program(s, git);
	free(git);
}

int confine(const struct receive *r, enum confine_writes writes, struct err *e)
{
	struct sandbox s = SANDBOX_INIT;
	int result;

	fill(&s, r, writes);
	result = sandbox_enter(&s, e);
	clear_environment();
	sandbox_clear(&s);
	return result != 0 ? err_wrap(e, "the hook cannot be confined") : 0;
}
