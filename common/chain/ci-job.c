#include "chain/ci-job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/gitlab-create.h"
#include "chain/report.h"
#include "data/config.h"
#include "git/oid.h"
#include "git/repository.h"
#include "git/walk.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/retraining.h"
#include "stage/stage.h"
#include "sys/files.h"

#define STATE_FOLDER ".modelgate" /* in the work tree */
#define BRANCHES "refs/heads/"

extern char **environ;

void ci_job_clear(struct ci_job *j)
{
	free(j->chain);
	free(j->stage);
	free(j->folder);
	free(j->project);
	free(j->sha);
	free(j->tip);
	free(j->ref);
	free(j->source);
	free(j->description);
	free(j->owner);
	free(j->user);
	free(j->retrained);
	free(j->url);
	free(j->server);
	free(j->created);
	free(j->starter);
	free(j->players);
	memset(j, 0, sizeof(*j));
}

/* ---- variables ---- */

static char *text_of(const char *name)
{
	const char *value = getenv(name);

	return mem_strdup(value != NULL ? value : "");
}

/* The same of one of the launcher's, which are escaped. */
static char *our_text_of(const char *name)
{
	const char *value = getenv(name);

	return creation_unescape(value != NULL ? value : "");
}

static int read_number(long long *out, const char *name, struct err *e)
{
	const char *value = getenv(name);

	*out = 0;
	if (value == NULL || str_number(value, INT64_MAX, out) != 0 || *out <= 0)
		return err_set(e,
			"the variable %s is %s%s: this is for a job of GitLab CI, in a pipeline "
			"that modelgate has made (config/gitlab-ci.yml)",
			name,
			value == NULL ? "not there" : "no number: ", value == NULL ? "" : value);
	return 0;
}

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* Made of LETTERS, as the configuration has names: folders and images are called so. */
static int is_name(const char *text, const char *letters)
{
	size_t n = strspn(text, letters);

	return n > 0 && text[n] == '\0' && n <= CONFIG_PROJECT_NAME_MAX && text[0] != '.' &&
	       text[0] != '-';
}

static int check(const struct ci_job *j, struct err *e)
{
	char *owner = mem_format("project-%lld", j->gitlab_project);
	int is_own = str_same(owner, j->owner);
	struct oid oid;

	free(owner);
	if (!is_name(j->chain, NAME_LETTERS "."))
		return err_set(e, CREATION_CHAIN " names no chain: \"%s\"", j->chain);
	if (!is_name(j->project, NAME_LETTERS))
		return err_set(e, CREATION_PROJECT " names no project: \"%s\"", j->project);
	if (oid_parse(&oid, j->sha) != 0)
		return err_set(e, CREATION_SHA " is no commit id: \"%s\"", j->sha);
	if (!is_own)
		return err_set(e,
			CREATION_OWNER " is \"%s\", and this is a job of project-%lld: the "
				       "pipeline was not made by modelgate",
			j->owner, j->gitlab_project);
	if (j->folder[0] != '/')
		return err_set(e, "CI_PROJECT_DIR is no absolute path: \"%s\"", j->folder);
	return 0;
}

int ci_job_read(struct ci_job *out, const char *stage, struct err *e)
{
	char *branch = text_of("CI_COMMIT_REF_NAME");

	memset(out, 0, sizeof(*out));
	out->stage = mem_strdup(stage);
	out->ref = mem_format(BRANCHES "%s", branch);
	free(branch);
	out->folder = text_of("CI_PROJECT_DIR");
	out->url = text_of("CI_PROJECT_URL");
	out->server = text_of("CI_SERVER_URL");
	out->tip = text_of("CI_COMMIT_SHA");
	out->created = text_of("CI_PIPELINE_CREATED_AT");
	out->starter = text_of("GITLAB_USER_LOGIN");
	out->chain = our_text_of(CREATION_CHAIN);
	out->project = our_text_of(CREATION_PROJECT);
	out->sha = our_text_of(CREATION_SHA);
	out->source = our_text_of(CREATION_SOURCE);
	out->description = our_text_of(CREATION_DESCRIPTION);
	out->owner = our_text_of(CREATION_OWNER);
	out->user = our_text_of(CREATION_USER);
	out->players = our_text_of(CREATION_PLAYERS);
	out->retrained = our_text_of(CREATION_RETRAINED);
	if (read_number(&out->pipeline, "CI_PIPELINE_ID", e) == 0 &&
		read_number(&out->gitlab_project, "CI_PROJECT_ID", e) == 0 &&
		read_number(&out->starter_id, "GITLAB_USER_ID", e) == 0 &&
		read_number(&out->created_at, CREATION_CREATED, e) == 0 && check(out, e) == 0)
		return 0;
	ci_job_clear(out);
	return -1;
}

/* ---- facts ---- */

/* A fact's name as part of a variable's, or back: "-" and "__" change places. */
static char *swap(const char *name, size_t len, const char *from, const char *to)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < len;) {
		if (i + strlen(from) <= len && strncmp(name + i, from, strlen(from)) == 0) {
			str_add(&s, to);
			i += strlen(from);
		} else {
			str_addc(&s, name[i++]);
		}
	}
	return str_steal(&s);
}

/* What the earlier jobs' dotenv reports have put into our environment. */
static void read_facts(struct facts *out)
{
	for (char **at = environ; *at != NULL; at++) {
		const char *name = *at + strlen(CI_FACT), *end = strchr(*at, '=');
		char *fact, *value;

		if (!str_starts(*at, CI_FACT) || end == NULL || end <= name)
			continue;
		fact = swap(name, (size_t)(end - name), "__", "-");
		value = creation_unescape(end + 1);
		facts_set(out, fact, value);
		free(value);
		free(fact);
	}
}

/* Those of NOW that are not in BEFORE. */
static void find_new(struct facts *out, const struct facts *before, const struct facts *now)
{
	for (size_t i = 0; i < now->n; i++)
		if (!str_same(facts_get(before, now->v[i].name), now->v[i].value))
			facts_set(out, now->v[i].name, now->v[i].value);
}

static int write_file(const struct ci_job *j, const char *name, const char *text, struct err *e)
{
	char *path = path_join(j->folder, name);
	int result = files_replace(path, text, strlen(text), 0644, e);

	free(path);
	return result;
}

static int write_env(const struct ci_job *j, const struct facts *facts, struct err *e)
{
	char *name = mem_format(CI_ENV_FILE, j->stage);
	struct str text;
	int result;

	str_init(&text);
	for (size_t i = 0; i < facts->n; i++) {
		char *fact = swap(facts->v[i].name, strlen(facts->v[i].name), "-", "__");
		char *value = creation_escape(facts->v[i].value);

		str_addf(&text, CI_FACT "%s=%s\n", fact, value);
		free(value);
		free(fact);
	}
	/* GitLab says of an empty one that it was not found. */
	if (text.len == 0)
		str_add(&text, CI_FACT "none=1\n");
	result = write_file(j, name, text.buf, e);
	str_clear(&text);
	free(name);
	return result;
}

static int write_files(const struct ci_job *j, const struct report *r, struct err *e)
{
	char *name = mem_format(REPORT_FILE, j->stage);
	char *report = report_render(r, j->stage);
	int result = write_file(j, name, report, e);

	if (result == 0)
		result = write_env(j, &r->facts, e);
	free(report);
	free(name);
	return result;
}

/* ---- the stage ---- */

/* Lines "<commit> <result> <before>", the last "-" where it is not known. */
static void read_retrained(struct retrainings *out, const char *text)
{
	struct strlist lines = {0};

	strlist_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		struct strlist parts = {0};

		strlist_split(&parts, lines.v[i], ' ');
		if (parts.n == 3)
			retrainings_add(out, parts.v[0], parts.v[1],
				strcmp(parts.v[2], "-") == 0 ? "" : parts.v[2]);
		strlist_clear(&parts);
	}
	strlist_clear(&lines);
}

/* 1: who has started this job is among TEXT, names with commas between them. */
static int is_among(const struct ci_job *j, const char *text)
{
	char *id = mem_format("user-%lld", j->starter_id);
	struct strlist names = {0};
	int is;

	strlist_split(&names, text, ',');
	is = strlist_has(&names, id) || strlist_has(&names, j->starter);
	strlist_clear(&names);
	free(id);
	return is;
}

/* 1: a member of one of the roles that play CHAIN's stages has started this job. */
static int is_player(
	const struct ci_job *j, const struct config *config, const struct config_chain *chain)
{
	char *id = mem_format("user-%lld", j->starter_id);
	int is = 0;

	for (size_t i = 0; i < chain->roles.n; i++) {
		const struct config_role *role = config_role(config, chain->roles.v[i]);

		is = is || (role != NULL && (strlist_has(&role->members, id) ||
						    strlist_has(&role->members, j->starter)));
	}
	free(id);
	return is;
}

static int check_player(const struct ci_job *j, const struct config *config, struct err *e)
{
	const struct config_chain *chain = config_chain(config, j->chain);

	if (chain == NULL)
		return err_set(e, "chain %s is not configured in " CI_CONFIG, j->chain);
	/* As the server has it, and as the jobs' own configuration has. */
	if ((j->players[0] == '\0' || is_among(j, j->players)) &&
		(chain->start == CONFIG_START_AUTOMATIC || chain->roles.n == 0 ||
			is_player(j, config, chain)))
		return 0;
	return err_set(e,
		"%s may not play the stages of chain %s: that is for members of its roles; "
		"somebody who is one runs this job again",
		j->starter, j->chain);
}

/* A shallow clone would hide which commits hold others. */
static int check_clone(const char *repository, struct err *e)
{
	char *shallow = path_join(repository, "shallow");
	int is_shallow = files_exists(shallow);

	free(shallow);
	if (is_shallow)
		return err_set(e, "this is a shallow clone, which does not tell what commits hold; "
				  "set GIT_DEPTH: 0 in the job's variables");
	return 0;
}

/* Variables may be given by whoever may give them; what the branch holds has passed the gates. */
static int check_commit(const struct ci_job *j, const char *repository, struct err *e)
{
	struct repository *r = NULL;
	struct oid sha, tip;
	int holds = -1;

	if (oid_parse(&sha, j->sha) != 0 || oid_parse(&tip, j->tip) != 0)
		return err_set(e, "CI_COMMIT_SHA is no commit id: \"%s\"", j->tip);
	if (repository_open(&r, repository, REPOSITORY_OBJECTS, e) == 0)
		holds = walk_holds(r, &tip, 1, &sha, e);
	repository_free(r);
	if (holds == 0)
		(void)err_set(e,
			"%s is at %s, which does not hold " CREATION_SHA " %s: the branch was "
			"moved by force, or the pipeline was not made by modelgate",
			j->ref, j->tip, j->sha);
	return holds == 1 ? 0 : -1;
}

static int call(
	const struct ci_job *j, const struct config *config, struct facts *facts, struct err *e)
{
	stage_function *stage = stage_find(j->stage);
	char *repository = path_join(j->folder, ".git");
	char *work = path_join(config->state, CONFIG_STATE_WORK);
	struct retrainings retrained = {0};
	struct err removal = ERR_INIT;
	struct stage_job job = {.config = config,
		.pipeline = j->pipeline,
		.project = j->project,
		.chain = j->chain,
		.repository = repository,
		.owner = j->owner,
		.ref = j->ref,
		.sha = j->sha,
		.source = j->source,
		.user = j->user,
		.description = j->description,
		.retrained = &retrained,
		.created_at = j->created_at,
		.work = work,
		.facts = facts};
	int result = -1;

	read_retrained(&retrained, j->retrained);
	if (stage == NULL)
		(void)err_set(e, "there is no stage called %s", j->stage);
	else if (check_clone(repository, e) == 0 && check_commit(j, repository, e) == 0 &&
		 files_remove_tree(work, e) == 0 && files_make_folder(work, 0700, e) == 0)
		result = stage(&job, e);
	(void)files_remove_tree(work, &removal); /* GitLab's runner removes it with the rest */
	err_clear(&removal);
	retrainings_clear(&retrained);
	free(work);
	free(repository);
	return result;
}

/* May it start?  0, or -1 and *E. */
static int check_turn(const struct ci_job *j, const struct config *config, struct err *e)
{
	return check_player(j, config, e) == 0 ? ci_order_check(j, config, e) : -1;
}

int ci_job_run(const struct ci_job *j, struct err *e)
{
	char *state = path_join(j->folder, STATE_FOLDER);
	struct facts before = {0}, now = {0};
	struct report report = {0};
	struct config *config = NULL;
	struct err untold = ERR_INIT;
	int result = -1;

	read_facts(&before);
	read_facts(&now);
	log_line("stage %s of chain %s, project %s, commit %s, GitLab's pipeline %lld", j->stage,
		j->chain, j->project, j->sha, j->pipeline);
	if (files_make_folder(state, 0700, e) == 0 && ci_config_load(&config, j, state, e) == 0) {
		report.is_refused = check_turn(j, config, e) != 0;
		if (!report.is_refused)
			result = call(j, config, &now, e);
	}
	ci_config_forget(state);
	if (result == 0) {
		find_new(&report.facts, &before, &now);
		result = write_files(j, &report, e);
	} else { /* what a stage that failed has found out is no one's; the job's log has why as well */
		report.message = mem_strdup(err_text(e));
		report.is_passing = e->passing;
		(void)write_files(j, &report, &untold);
	}
	err_clear(&untold);
	report_clear(&report);
	facts_clear(&before);
	facts_clear(&now);
	config_free(config);
	free(state);
	return result;
}
