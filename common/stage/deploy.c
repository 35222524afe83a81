#include "stage/stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "data/yaml.h"
#include "git/publish.h"
#include "git/repository.h"
#include "git/tree.h"
#include "stage/airflow.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/owner.h"
#include "stage/promote.h"
#include "stage/python.h"
#include "stage/registry.h"
#include "stage/template.h"
#include "stage/templates.h"
#include "sys/files.h"

#define MAX_SOURCE (1U << 20) /* bytes of a project's own dag.py */
#define MAX_MANIFEST (1U << 18)
#define MAX_MANIFEST_DEPTH 32
#define MAX_MANIFEST_NODES 10000
#define MAX_DAG_ID 250 /* Airflow's limit */
#define MAX_OWNER 4096 /* bytes, as it stands in a commit's message */

#define RETRAIN_CHAIN "retrain"
/* The [airflow "..."] section of manifests; the others are of DAG files. */
#define SERVING_SECTION "online-serving"
#define AUTHOR_NAME "modelgate"
#define AUTHOR_EMAIL "modelgate@localhost"

/* The kinds of file that are deployed. */
struct kind {
	const char *source;   /* the project's own, in its tree */
	const char *template; /* without one */
	const char *suffix;   /* of the id, after the project's name */
	const char *extension;
	enum { KIND_DAG, KIND_MANIFEST } format;
};

static const struct kind scoring = {"dag.py", templates_dag, "", ".py", KIND_DAG};
static const struct kind retraining = {
	"dag-retrain.py", templates_dag_retrain, STAGE_RETRAIN_SUFFIX, ".py", KIND_DAG};
static const struct kind serving = {"serving.yaml", templates_serving, "", ".yaml", KIND_MANIFEST};

struct deployment {
	const struct stage_job *job;
	const struct config_chain *chain;
	const struct config_airflow *airflow;
	const struct kind *kind;
	struct airflow to; /* the repository of the DAG files */
	char *id;          /* of the DAG */
	char *path;        /* in that repository */
	char *version;     /* of the model; "" in a chain that has to do with none */
	struct str text;
};

static void deployment_clear(struct deployment *d)
{
	airflow_close(&d->to);
	free(d->id);
	free(d->path);
	free(d->version);
	str_clear(&d->text);
}

static const struct kind *kind_of(const char *airflow, const char *chain)
{
	if (strcmp(airflow, SERVING_SECTION) == 0)
		return &serving;
	return strcmp(chain, RETRAIN_CHAIN) == 0 ? &retraining : &scoring;
}

char *deploy_id(const struct stage_job *job)
{
	const struct config_chain *chain = config_chain(job->config, job->chain);

	return mem_format("%s%s", job->project,
		kind_of(chain != NULL ? chain->airflow : "", job->chain)->suffix);
}

/* Airflow takes ^[\w.-]+$; of that, ASCII. */
static int check_id(const char *id, struct err *e)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	if (n == 0 || id[n] != '\0')
		return err_set(e,
			"\"%s\" is no DAG id: Airflow takes letters, digits, \"_\", \".\" and "
			"\"-\"",
			id);
	if (n > MAX_DAG_ID)
		return err_set(e, "DAG id %s is longer than %d characters", id, MAX_DAG_ID);
	return 0;
}

static int plan(struct deployment *d, struct err *e)
{
	const struct stage_job *job = d->job;

	d->chain = config_chain(job->config, job->chain);
	if (d->chain == NULL)
		return err_set(e, "chain %s is no longer configured", job->chain);
	d->airflow = config_airflow(job->config, d->chain->airflow);
	if (d->airflow == NULL)
		return err_set(e, "[airflow \"%s\"] of chain %s is no longer configured",
			d->chain->airflow, job->chain);
	d->kind = kind_of(d->airflow->name, job->chain);
	if (airflow_open(&d->to, job->config, d->airflow, e) != 0)
		return -1;
	d->id = deploy_id(job);
	d->path = mem_format("%s%s%s%s", d->airflow->path, *d->airflow->path ? "/" : "", d->id,
		d->kind->extension);
	return check_id(d->id, e);
}

/* ---- the model's version ---- */

static int find_version(struct deployment *d, struct err *e)
{
	struct registry *r = NULL;
	int64_t version = 0;
	int result;

	if (!strlist_has(&d->chain->stages, "stage-model")) {
		d->version = mem_strdup("");
		return 0;
	}
	/* That stage of this chain is to mean the same one, whichever comes first. */
	if (registry_open(&r, d->job->config, e) != 0)
		return -1;
	result = promote_find(r, d->job, d->chain, &version, e);
	registry_close(r);
	if (result == 0)
		promote_note(d->job, version);
	d->version = mem_format("%lld", (long long)version);
	return result;
}

/* ---- the text ---- */

static int check_source(const struct deployment *d, const struct str *text, struct err *e)
{
	unsigned long c;
	size_t n;

	if (strlen(text->buf) != text->len)
		return err_set(e, "%s has a NUL byte", d->kind->source);
	for (size_t at = 0; at < text->len; at += n) {
		n = str_utf8(text->buf + at, text->len - at, &c);
		if (n == 0)
			return err_set(e, "%s is not UTF-8 (byte %zu)", d->kind->source, at + 1);
	}
	return 0;
}

/* The project's own file added to *OUT: 1, 0 it has none, -1. */
static int read_own(
	const struct deployment *d, struct repository *r, struct str *out, struct err *e)
{
	struct tree_entry entry;
	struct oid oid;
	int found;

	if (oid_parse(&oid, d->job->sha) != 0)
		return err_set(e, "\"%s\" is no commit id", d->job->sha);
	found = tree_file(r, &oid, d->kind->source, MAX_SOURCE, out, e);
	if (found != 0)
		return found;
	if (tree_look(&entry, r, &oid, d->kind->source, e) != 0)
		return -1;
	if (entry.kind != TREE_NOTHING) /* the default in its place would be a surprise */
		return err_set(e, "%s of the project is no regular file", d->kind->source);
	return 0;
}

/* That, or the default template. */
static int read_source(const struct deployment *d, struct str *out, struct err *e)
{
	struct repository *r = NULL;
	int found = -1;

	if (repository_open(&r, d->job->repository, REPOSITORY_OBJECTS, e) == 0)
		found = read_own(d, r, out, e);
	repository_free(r);
	if (found < 0)
		return -1;
	log_line(found ? "%s of the project" : "no %s in the project: the default is used",
		d->kind->source);
	if (!found)
		str_add(out, d->kind->template);
	return check_source(d, out, e);
}

static int fill(struct deployment *d, const char *source, struct err *e)
{
	const struct stage_job *job = d->job;
	const struct config *c = job->config;
	const char *image = facts_get(job->facts, FACT_IMAGE);
	char *pipeline = mem_format("%lld", (long long)job->pipeline);
	const struct template_value values[] = {
		{"PROJECT", job->project, TEMPLATE_NOT_EMPTY},
		{"DAG_ID", d->id, TEMPLATE_NOT_EMPTY},
		{"IMAGE", image != NULL ? image : "", TEMPLATE_NOT_EMPTY},
		{"MODEL_NAME", job->project, TEMPLATE_NOT_EMPTY},
		{"MODEL_VERSION", d->version, TEMPLATE_MAY_BE_EMPTY},
		{"MODEL_STAGE", d->chain->model_stage, TEMPLATE_MAY_BE_EMPTY},
		{"GIT_SHA", job->sha, TEMPLATE_NOT_EMPTY},
		{"PIPELINE_ID", pipeline, TEMPLATE_NOT_EMPTY},
		{"REPOSITORY_URL", *c->repository_url ? c->repository_url : job->repository,
			TEMPLATE_NOT_EMPTY},
		{"SCHEDULE", d->kind == &retraining ? c->retrain_schedule : c->schedule,
			TEMPLATE_MAY_BE_EMPTY},
		{"PUSH_TOKEN_VARIABLE", c->push_token_variable, TEMPLATE_MAY_BE_EMPTY},
		{0},
	};
	int result = template_fill(&d->text, source, values, e);

	free(pipeline);
	return result == 0 ? 0 : err_wrap(e, "%s", d->kind->source);
}

static int compile(const struct deployment *d, struct err *e)
{
	char *file = path_join(d->job->work, "deploy.py");
	enum python_verdict verdict;
	int result = -1;

	if (files_replace(file, d->text.buf, d->text.len, 0644, e) != 0 ||
		python_check(&verdict, file, d->kind->source, d->id, e) != 0)
		goto out;
	if (verdict == PYTHON_ABSENT)
		log_line("warning: there is no python3 here: %s was not compiled", d->kind->source);
	facts_set(d->job->facts, FACT_PYTHON_CHECK, verdict == PYTHON_ABSENT ? "none" : "ok");
	result = 0;
out:
	free(file);
	return result;
}

static int check_dag(const struct deployment *d, struct err *e)
{
	if (!str_holds(d->text.buf, "airflow") || !str_holds(d->text.buf, "dag"))
		return err_set(e,
			"%s has not both the words \"airflow\" and \"dag\": Airflow would pass it "
			"over",
			d->kind->source);
	if (compile(d, e) != 0)
		return -1;
	/* It may be put together when it is loaded. */
	if (strstr(d->text.buf, d->id) == NULL)
		log_line("warning: %s does not name its DAG %s; write dag_id=\"@DAG_ID@\"",
			d->kind->source, d->id);
	return 0;
}

static int check_manifest(const struct deployment *d, struct err *e)
{
	static const struct yaml_limits limits = {
		.bytes = MAX_MANIFEST, .depth = MAX_MANIFEST_DEPTH, .nodes = MAX_MANIFEST_NODES};
	struct yaml *tree = NULL;
	int result = yaml_parse_within(&tree, d->text.buf, d->text.len, &limits, e);

	if (result != 0)
		result = err_wrap(e, "%s", d->kind->source);
	else if (yaml_kind(tree) != YAML_MAPPING)
		result = err_set(e, "%s is no mapping of names to values", d->kind->source);
	yaml_tree_free(tree);
	return result;
}

static int make_text(struct deployment *d, struct err *e)
{
	struct str source;
	int result = -1;

	str_init(&source);
	if (read_source(d, &source, e) == 0 && fill(d, source.buf, e) == 0)
		result = d->kind->format == KIND_DAG ? check_dag(d, e) : check_manifest(d, e);
	str_clear(&source);
	return result;
}

/* ---- into the repository ---- */

/* What the commit says, the caller's to free(): the subject, and a line for each thing to look for. */
static char *make_message(const struct deployment *d, const char *owner)
{
	const struct stage_job *job = d->job;

	return mem_format("Deploy %s at %.*s\n\nProject: %s\nChain: %s\nCommit: %s\nPipeline: "
			  "%lld\n" PUBLISH_OWNER "%s\n",
		d->id, OID_SHORT, job->sha, job->project, job->chain, job->sha,
		(long long)job->pipeline, owner);
}

static int publish(const struct deployment *d, struct err *e)
{
	const struct stage_job *job = d->job;
	char *owner = str_safe(job->owner, MAX_OWNER), *message = make_message(d, owner);
	const struct publish p = {.repository = d->to.repository,
		.remote = airflow_remote(&d->to),
		.branch = d->airflow->branch,
		.path = d->path,
		.content = d->text.buf,
		.len = d->text.len,
		.author_name = AUTHOR_NAME,
		.author_email = AUTHOR_EMAIL,
		.time = clock_now() / CLOCK_SECOND,
		.message = message,
		.owner = owner};
	char hex[OID_HEX_SIZE];
	struct oid commit;
	int published = publish_file(&p, &commit, e);

	free(message);
	free(owner);
	if (published < 0)
		return -1;
	oid_hex(&commit, hex);
	log_line("%s in %s, branch %s: %s %s", d->path, d->to.repository, d->airflow->branch,
		published ? "commit" : "nothing to change since commit", hex);
	facts_set(job->facts, FACT_DAG_ID, d->id);
	facts_set(job->facts, FACT_DAG_FILE, d->path);
	facts_set(job->facts, FACT_DAG_COMMIT, hex);
	return 0;
}

int stage_deploy(const struct stage_job *job, struct err *e)
{
	struct deployment d = {.job = job};
	int result = -1;

	str_init(&d.text);
	if (plan(&d, e) == 0 && find_version(&d, e) == 0 && make_text(&d, e) == 0 &&
		owner_claim(job, OWNER_DAG, d.id, e) == 0)
		result = publish(&d, e);
	deployment_clear(&d);
	return result;
}
