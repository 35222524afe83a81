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
#define MAX_FILES 100         /* a file can include itself by ever longer names */

struct found {
	struct strlist files; /* the repository's own first */
	struct strlist dirs;  /* in which they are */
};

/* By hand: libgit2 1.5 does not free all of a regular expression. */
static int is_include(const char *key)
{
	return strcmp(key, "include.path") == 0 ||
	       (str_starts(key, "includeif.") && str_ends(key, ".path"));
}

static void add_file(struct found *f, const char *path)
{
	char *dir = path_dir(path);

	strlist_add(&f->files, path);
	strlist_add(&f->dirs, dir);
	free(dir);
}

static int add(const git_config_entry *entry, void *arg)
{
	struct found *f = arg;
	size_t n = f->dirs.n;

	if (!is_include(entry->name))
		return 0;
	for (size_t i = 0; entry->value != NULL && i < n && f->files.n < MAX_FILES; i++) {
		char *path = entry->value[0] == '/' ? mem_strdup(entry->value)
						    : path_join(f->dirs.v[i], entry->value);

		if (files_exists(path) && !strlist_has(&f->files, path))
			add_file(f, path);
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

/*
 * Add what FILE includes.  Whether a condition holds is not known without the repository: libgit2 then tells it
 * and does not follow it.
 */
static void look_into(struct found *f, const char *file)
{
	git_config *config = NULL;

	if (git_config_open_ondisk(&config, file) == 0)
		(void)git_config_foreach(config, add, f); /* what was found is added */
	git_config_free(config);
}

void include_paths(struct strlist *out, const char *gitdir)
{
	char *path = path_join(gitdir, "config");
	struct found f = {0};

	if (has_includes(path) && git_start(NULL) == 0) {
		add_file(&f, path);
		for (size_t i = 0; i < f.files.n; i++) {
			char *file = mem_strdup(f.files.v[i]); /* the list moves as it grows */

			look_into(&f, file);
			free(file);
		}
		(void)git_libgit2_shutdown(); /* returns how often libgit2 is still started */
		for (size_t i = 1; i < f.files.n; i++)
			strlist_add(out, f.files.v[i]);
		strlist_clear(&f.files);
		strlist_clear(&f.dirs);
	}
	free(path);
}
