#include "git/include.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/internal.h"
#include "sys/files.h"

#define MAX_CONFIG (1U << 20) /* bytes that are looked at for an include */

struct found {
	struct strlist *out;
	struct strlist dirs; /* of the files found so far */
};

/* By hand: libgit2 1.5 does not free all of a regular expression. */
static int is_include(const char *key)
{
	return strcmp(key, "include.path") == 0 ||
	       (str_starts(key, "includeif.") && str_ends(key, ".path"));
}

static int add(const git_config_entry *entry, void *arg)
{
	struct found *f = arg;
	size_t n = f->dirs.n;

	if (!is_include(entry->name))
		return 0;
	for (size_t i = 0; entry->value != NULL && i < n; i++) {
		char *path = entry->value[0] == '/' ? mem_strdup(entry->value)
						    : path_join(f->dirs.v[i], entry->value);
		char *dir = path_dir(path);

		if (files_exists(path) && !strlist_has(f->out, path)) {
			strlist_add(f->out, path);
			strlist_add(&f->dirs, dir);
		}
		free(dir);
		free(path);
	}
	return 0;
}

/* Most configurations include nothing, which is seen without libgit2. */
static int has_includes(const char *path)
{
	char *real = files_real_path(path, NULL);
	struct str text;
	int has = 0;

	str_init(&text);
	if (real != NULL)
		has = files_read(real, MAX_CONFIG, &text, NULL) != 0 &&
		      str_holds(text.buf, "[include");
	str_clear(&text);
	free(real);
	return has;
}

void include_paths(struct strlist *out, const char *gitdir)
{
	char *path = path_join(gitdir, "config");
	struct found f = {.out = out};
	git_config *config = NULL;

	if (has_includes(path) && git_start(NULL) == 0) {
		strlist_add(&f.dirs, gitdir);
		/* Once is enough: each entry of an included file follows the one that includes it. */
		if (git_config_open_ondisk(&config, path) == 0)
			(void)git_config_foreach(config, add, &f); /* what was found is added */
		git_config_free(config);
		(void)git_libgit2_shutdown(); /* returns how often libgit2 is still started */
		strlist_clear(&f.dirs);
	}
	free(path);
}
