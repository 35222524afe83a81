#define _GNU_SOURCE /* mkdtemp */
#include "stage/project.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/md5.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "git/scaffold.h"
#include "stage/template.h"
#include "stage/templates.h"
#include "sys/files.h"
#include "sys/rename.h"

static const char *const branches[] = {"dev", "main", "prod", "retrain", "online", NULL};

int project_check_name(const char *name, struct err *e)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	if (n == 0 || name[n] != '\0')
		return err_set(e,
			"\"%s\" is no project name: it wants letters, digits, \"_\" and \"-\"",
			name);
	if (n > CONFIG_PROJECT_NAME_MAX)
		return err_set(e, "a project name has at most %d letters", CONFIG_PROJECT_NAME_MAX);
	return 0;
}

/* ---- where ---- */

/* 1 if the folder PATH has nothing in it, 0, or -1. */
static int is_empty(const char *path, struct err *e)
{
	DIR *dir = opendir(path);
	const struct dirent *d;
	int empty = 1;

	if (dir == NULL)
		return err_errno(e, errno, "%s cannot be read", path);
	while ((d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			empty = 0;
	(void)closedir(dir); /* only read from */
	return empty;
}

/* Is the folder at PLACE the working one?  What replaces it would not be where the caller is. */
static int is_here(const char *place)
{
	char *here = files_real_path(".", NULL);
	int same = str_same(here, place);

	free(here);
	return same;
}

/* The absolute path that DIR has or will have, the caller's to free(); NULL: it cannot be made
 * there. */
static char *find_place(const char *dir, struct err *e)
{
	char *clean = mem_strdup(dir), *parent, *real, *place = NULL;
	size_t len = strlen(clean);
	int empty;

	while (len > 1 && clean[len - 1] == '/')
		clean[--len] = '\0';
	if (files_exists(clean)) {
		place = files_real_path(clean, e);
		empty = -1;
		if (place != NULL && is_here(place))
			(void)err_set(e,
				"%s is the folder you are in: give the name of a folder that is "
				"not there yet",
				dir);
		else if (place != NULL)
			empty = is_empty(place, e);
		if (empty == 0)
			(void)err_set(e, "%s is there and not empty", place);
		if (empty != 1) {
			free(place);
			place = NULL;
		}
	} else {
		parent = path_dir(clean);
		real = files_real_path(parent, e);
		if (real != NULL)
			place = path_join(real, path_base(clean));
		free(real);
		free(parent);
	}
	free(clean);
	return place;
}

/* PATH from the working directory on, where it is relative; the caller's to free().  NULL: *E. */
static char *absolute(const char *path, struct err *e)
{
	char *here, *joined;

	if (path[0] == '/')
		return mem_strdup(path);
	here = files_real_path(".", e);
	if (here == NULL)
		return NULL;
	joined = path_join(here, path);
	free(here);
	return joined;
}

/* ---- what ---- */

/* Put the first model into the DVC remote at FOLDER. */
static int store_model(const char *folder, const char *md5, struct err *e)
{
	char *dir = mem_format("%s/files/md5/%.2s", folder, md5), *object = path_join(dir, md5 + 2);
	int result = -1;

	if (files_make_folder(dir, 0755, e) == 0)
		result = files_exists(object) ? 0
					      : files_replace(object, templates_first_model,
							strlen(templates_first_model), 0644, e);
	free(object);
	free(dir);
	return result;
}

static int write_file(const char *root, const struct templates_file *file,
	const struct template_value *values, struct err *e)
{
	char *path = path_join(root, file->path), *dir = path_dir(path);
	struct str text;
	int result = -1;

	str_init(&text);
	if (file->use == TEMPLATES_COPY)
		str_add(&text, file->text);
	else if (template_fill(&text, file->text, values, e) != 0) {
		(void)err_wrap(e, "%s", file->path);
		goto out;
	}
	if (files_make_folder(dir, 0755, e) == 0)
		result = files_replace(path, text.buf, text.len, 0644, e);
out:
	str_clear(&text);
	free(dir);
	free(path);
	return result;
}

/* The project's files below ROOT, whose DVC remote will be at REMOTE. */
static int write_files(const struct project *p, const char *root, const char *remote,
	const char *md5, struct err *e)
{
	size_t len = strlen(templates_first_model);
	char *size = mem_format("%zu", len);
	const struct template_value values[] = {
		{"PROJECT", p->name, TEMPLATE_NOT_EMPTY},
		{"DVC_REMOTE", remote, TEMPLATE_NOT_EMPTY},
		{"MODEL_MD5", md5, TEMPLATE_NOT_EMPTY},
		{"MODEL_SIZE", size, TEMPLATE_NOT_EMPTY},
		{0},
	};
	char *model = path_join(root, "rkl/model.pkl");
	int result = 0;

	for (const struct templates_file *f = templates_project; f->path != NULL && result == 0;
		f++)
		result = write_file(root, f, values, e);
	/* The model is there to be worked with at once; Git ignores it. */
	if (result == 0)
		result = files_replace(model, templates_first_model, len, 0644, e);
	free(model);
	free(size);
	return result;
}

static void first_model_md5(char out[MD5_HEX_SIZE])
{
	struct md5 hash;

	md5_init(&hash);
	md5_add(&hash, templates_first_model, strlen(templates_first_model));
	md5_hex(&hash, out);
}

/* Everything, below the folder NEW that will be called PLACE. */
static int fill(const struct project *p, const char *new, const char *place, struct oid *commit,
	struct err *e)
{
	static const char inside[] = ".dvc/local-remote";
	const struct scaffold s = {
		.dir = new, .branches = branches, .message = "Start the project\n"};
	char md5[MD5_HEX_SIZE], *folder, *remote;
	int result = -1;

	first_model_md5(md5);
	folder = p->dvc_remote != NULL ? absolute(p->dvc_remote, e) : path_join(new, inside);
	if (folder == NULL)
		return -1;
	remote = p->dvc_remote != NULL ? mem_strdup(folder) : path_join(place, inside);
	if (write_files(p, new, remote, md5, e) == 0 && store_model(folder, md5, e) == 0)
		result = scaffold_commit(&s, commit, e);
	free(remote);
	free(folder);
	return result;
}

/* The signals that end a program and have not been ignored for it, as nohup(1) does. */
static void ending_signals(sigset_t *out)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;

	(void)sigemptyset(out);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			(void)sigaddset(out, numbers[i]); /* cannot fail for these */
}

/* Has one of SET, which are held back, come? */
static int has_come(const sigset_t *set)
{
	sigset_t come;

	(void)sigpending(&come); /* cannot fail with this argument */
	for (int i = 1; i < NSIG; i++)
		if (sigismember(set, i) == 1 && sigismember(&come, i) == 1)
			return 1;
	return 0;
}

/* Under another name until it is whole; an empty folder of the right name gives way. */
static int make_at(const struct project *p, const char *place, struct oid *commit, struct err *e)
{
	char *parent = path_dir(place),
	     *new = mem_format("%s/.%s.XXXXXX", parent, path_base(place));
	int result = -1;
	sigset_t ending, before;

	/* Who ends us must not leave half of it. */
	ending_signals(&ending);
	(void)sigprocmask(SIG_BLOCK, &ending, &before); /* cannot fail with these arguments */
	if (mkdtemp(new) == NULL) {
		(void)err_errno(e, errno, "%s cannot be made", new);
		goto out;
	}
	if (chmod(new, 0755) != 0)
		(void)err_errno(e, errno, "%s cannot be made", new);
	else if (fill(p, new, place, commit, e) == 0)
		result = has_come(&ending) ? err_set(e, "%s is not made: interrupted", place)
					   : rename_durably(new, place, e);
	if (result != 0)
		(void)files_remove_tree(new, NULL); /* the reason to give up is told already */
out:
	(void)sigprocmask(SIG_SETMASK, &before, NULL); /* what has come ends us here */
	free(new);
	free(parent);
	return result;
}

int project_make(const struct project *p, char **place, struct oid *commit, struct err *e)
{
	*place = NULL;
	if (project_check_name(p->name, e) != 0 || (*place = find_place(p->dir, e)) == NULL)
		return -1;
	if (make_at(p, *place, commit, e) == 0)
		return 0;
	free(*place);
	*place = NULL;
	return -1;
}
