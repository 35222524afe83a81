#define _DEFAULT_SOURCE /* fts: nftw gives its callback no context */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "sys/files.h"

/* ---- the folder ---- */

/* 1: the folder PATH can be read, and there is nothing in it. */
static int is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int empty = dir != NULL;

	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (dir != NULL)
		(void)closedir(dir); /* only read */
	return empty;
}

/* How to mend a state folder of somebody else's: what they keep in it stays theirs. */
static char *mend_foreign(const struct check *c)
{
	const char *state = c->config->state, *file;
	char *install, *mend;
	int line;

	if (is_empty(state))
		return mem_format("chown %s %s", c->owner_name, state);
	file = config_set_in(c->config, "modelgate", "", "state", &line);
	install = check_install_command(c);
	mend = file != NULL
		       ? mem_format("leave that folder to them; write another state = DIR into "
				    "%s, then %s",
				 file, install)
		       : mem_format("leave that folder to them, and give this repository another: "
				    "%s --state DIR",
				 install);
	free(install);
	return mend;
}

/* 0: the folder is as it must be; -1: told. */
static int check_folder(struct check *c)
{
	const char *state = c->config->state;
	struct stat st;
	char *other;

	if (stat(state, &st) != 0) {
		if (errno == ENOENT)
			check_wrong(c, "state", check_install_command(c), "state: %s is missing",
				state);
		else
			check_wrong(c, "state", NULL, "state: %s cannot be reached as %s: %s",
				state, c->owner_name, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		check_wrong(
			c, "state", mem_strdup("move it away"), "state: %s is no folder", state);
	} else if (st.st_uid != c->owner) {
		other = command_user_name(st.st_uid);
		check_wrong(c, "state", mend_foreign(c),
			"state: %s belongs to %s, and the hooks run as %s", state, other,
			c->owner_name);
		free(other);
	} else if ((st.st_mode & 07777) != 0700) {
		check_wrong(c, "state", mem_format("chmod 700 %s", state), "state: %s has mode %o",
			state, (unsigned)(st.st_mode & 07777));
	} else {
		return 0;
	}
	return -1;
}

/* The first file of the tree that is somebody else's is told: -1; or 0. */
static int check_alien(struct check *c)
{
	char *const paths[] = {mem_strdup(c->config->state), NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	char *other;
	int result = 0;

	while (fts != NULL && result == 0 && (entry = fts_read(fts)) != NULL) {
		if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS ||
			entry->fts_statp->st_uid == c->owner)
			continue; /* looked at before, or gone by now */
		other = command_user_name(entry->fts_statp->st_uid);
		check_wrong(c, "state",
			mem_format("chown -h %s %s", c->owner_name, entry->fts_path),
			"state: %s belongs to %s, and the hooks run as %s", entry->fts_path, other,
			c->owner_name);
		free(other);
		result = -1;
	}
	if (fts != NULL)
		(void)fts_close(fts); /* only read */
	free(paths[0]);
	return result;
}

/* What the hooks write; copies of models may be read-only.  0, or -1: told. */
static int check_writable(struct check *c)
{
	static const char *const names[] = {"", CONFIG_STATE_STORE, CONFIG_STATE_WORK,
		CONFIG_STATE_AUDIT, CONFIG_STATE_AUDIT "/" AUDIT_LOG,
		CONFIG_STATE_AUDIT "/" AUDIT_HEAD, CONFIG_STATE_AUDIT "/" AUDIT_LOCK};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = names[i][0] != '\0' ? path_join(c->config->state, names[i])
						 : mem_strdup(c->config->state);
		int bad = access(path, W_OK) != 0 && errno != ENOENT;

		if (bad)
			check_wrong(c, "state", mem_format("chmod u+w %s", path),
				"state: %s cannot write %s", c->owner_name, path);
		free(path);
		if (bad)
			return -1;
	}
	return 0;
}

/* ---- the store ---- */

static void check_store(struct check *c)
{
	char *path = path_join(c->config->state, CONFIG_STATE_STORE);
	struct store *store = NULL;
	struct err e = ERR_INIT;
	int64_t pushes = 0;

	if (!files_exists(path)) {
		check_ok(c, "store", "store: none yet, the first push makes %s", path);
	} else if (store_open(&store, c->config->state, &e) != 0 ||
		   store_pushes(store, &pushes, &e) != 0) {
		check_wrong(c, "store",
			mem_format("put back a copy of %s, or move it away: its pipelines and "
				   "models are then forgotten",
				path),
			"store: MG905: %s", err_text(&e));
	} else {
		check_ok(c, "store", "store: %s, %" PRId64 " push%s", path, pushes,
			pushes == 1 ? "" : "es");
	}
	store_close(store);
	err_clear(&e);
	free(path);
}

void check_state(struct check *c)
{
	if (check_folder(c) != 0 || check_alien(c) != 0 || check_writable(c) != 0)
		return;
	check_ok(c, "state", "state: %s", c->config->state);
	check_store(c);
	check_audit(c);
}
