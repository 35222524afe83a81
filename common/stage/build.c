#include "stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "data/json.h"
#include "git/repository.h"
#include "git/tree.h"
#include "stage/engine.h"
#include "stage/facts.h"
#include "stage/log.h"
#include "stage/model.h"
#include "stage/owner.h"
#include "sys/files.h"
#include "sys/rename.h"

/* Where what was built comes from: labels of an image, the file beside an archive. */
#define LABEL_REVISION "org.opencontainers.image.revision"
#define LABEL_SOURCE "org.opencontainers.image.source"
#define LABEL_CREATED "org.opencontainers.image.created"
#define LABEL_PIPELINE "modelgate.pipeline"
/* Of the image itself: without them, it would show those of the image it was made from. */
#define LABEL_TITLE "org.opencontainers.image.title"
#define LABEL_VERSION "org.opencontainers.image.version"

struct origin {
	const char *source; /* borrowed */
	/* Of the commit, not of the build: one commit then gives one image. */
	char created[CLOCK_TEXT_SIZE];
	char *pipeline; /* owned */
};

/* ---- the model ---- */

static void note_model(const struct stage_job *job, const struct model *m)
{
	char *size = mem_format("%lld", (long long)m->pointer.size);

	facts_set(job->facts, FACT_MODEL_MD5, m->pointer.md5);
	facts_set(job->facts, FACT_MODEL_SIZE, size);
	free(size);
}

static int fetch(const struct stage_job *job, struct model *m, struct repository *r,
	const struct oid *commit, const char *context, struct err *e)
{
	if (job->config->model_fetch == CONFIG_FETCH_NONE) {
		log_line("the model %s is not fetched ([build] model-fetch = none)", m->file);
		return 0;
	}
	if (model_locate(m, r, commit, job->config, e) != 0 ||
		model_fetch(m, job->config, context, job->work, e) != 0)
		return -1;
	log_line("model %s fetched from DVC remote %s: md5 %s, %lld bytes", m->file, m->remote.name,
		m->pointer.md5, (long long)m->pointer.size);
	return 0;
}

static int put_model(const struct stage_job *job, struct repository *r, const struct oid *commit,
	const char *context, struct err *e)
{
	struct model m;
	int found = model_read(&m, r, commit, job->config, e), result;

	if (found < 0)
		return -1;
	if (found == 0) {
		log_line("the commit has no %s: nothing is fetched", job->config->model_file);
		return 0;
	}
	note_model(job, &m);
	result = fetch(job, &m, r, commit, context, e);
	model_clear(&m);
	return result;
}

/* ---- the image ---- */

static void add_label(struct strlist *labels, const char *name, const char *value)
{
	char *label = mem_format("%s=%s", name, value);

	strlist_add(labels, label);
	free(label);
}

/*
 * Replace PATH by TEXT by way of the file TEMPORARY.  Not with files_replace(), whose temporary
 * names are new each time: what a killed build leaves, the next one of this pipeline must write
 * over.
 */
static int write_file(const char *path, const char *temporary, const char *text, struct err *e)
{
	int fd = files_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644, e), result = 0;

	if (fd < 0)
		return -1;
	if (files_write_all(fd, text, strlen(text)) != 0 || fsync(fd) != 0)
		result = err_errno(e, errno, "%s cannot be written", temporary);
	if (close(fd) != 0 && result == 0)
		result = err_errno(e, errno, "%s cannot be written", temporary);
	return result == 0 ? rename_durably(temporary, path, e) : -1;
}

/* The labels of an archive, in a file beside it, so that the archive is one for one commit. */
static int write_labels(const struct stage_job *job, const struct origin *from, const char *path,
	const char *temporary, const struct engine_product *product, struct err *e)
{
	struct json *j = json_new_object();
	char *text;
	int result;

	json_put_text(j, LABEL_REVISION, job->sha);
	json_put_text(j, LABEL_SOURCE, from->source);
	json_put_text(j, LABEL_CREATED, from->created);
	json_put_text(j, LABEL_PIPELINE, from->pipeline);
	json_put_text(j, "digest", product->digest);
	text = json_text(j, JSON_PRETTY);
	result = write_file(path, temporary, text, e);
	free(text);
	json_free(j);
	return result;
}

static void note_product(const struct stage_job *job, const struct engine *engine,
	const struct engine_product *product)
{
	facts_set(job->facts, FACT_ENGINE, engine_name(engine));
	facts_set(job->facts, FACT_IMAGE, product->image);
	facts_set(job->facts, FACT_IMAGE_DIGEST, product->digest);
	log_line("built %s, %s", product->image, product->digest);
}

/* LABELS: where those of an archive go. */
static int run_engine(const struct stage_job *job, const struct engine_order *o,
	const struct origin *from, const char *labels, struct err *e)
{
	const struct engine *engine = engine_choose(o, e);
	struct engine_product product;
	int result = 0;

	if (engine == NULL || engine_run(engine, o, &product, e) != 0)
		return -1;
	if (str_same(product.image, o->archive))
		result = write_labels(job, from, labels, o->temporary, &product, e);
	if (result == 0)
		note_product(job, engine, &product);
	engine_product_clear(&product);
	return result;
}

/* DOCKERFILE: NULL, if the commit has none. */
static int build_image(const struct stage_job *job, const char *context, const char *dockerfile,
	int64_t time, struct err *e)
{
	const struct config *c = job->config;
	struct origin from = {
		.source = *c->repository_url != '\0' ? c->repository_url : job->repository,
		.pipeline = mem_format("%lld", (long long)job->pipeline)};
	char *folder = mem_format("%s/" CONFIG_STATE_ARTIFACTS "/%s", c->state, job->project);
	char *archive = mem_format("%s/%s.tar.gz", folder, job->sha);
	char *temporary = mem_format("%s/.%s-p%s", folder, job->sha, from.pipeline);
	char *labels = mem_format("%s/%s.json", folder, job->sha);
	char *earlier = mem_format("%s/images-%s", folder, job->chain);
	char *name = engine_image_name(job->project);
	char *tag = mem_format("%s-p%s", job->sha, from.pipeline);
	struct engine_order o = {.config = c,
		.context = context,
		.dockerfile = dockerfile,
		.work = job->work,
		.archive = archive,
		.temporary = temporary,
		.earlier = earlier,
		.name = name,
		.tag = tag,
		.time = time};
	int result = -1;

	clock_text(time * CLOCK_SECOND, from.created);
	add_label(&o.labels, LABEL_REVISION, job->sha);
	add_label(&o.labels, LABEL_SOURCE, from.source);
	add_label(&o.labels, LABEL_CREATED, from.created);
	add_label(&o.labels, LABEL_PIPELINE, from.pipeline);
	add_label(&o.labels, LABEL_TITLE, job->project);
	add_label(&o.labels, LABEL_VERSION, tag);
	if (files_make_folder(folder, 0755, e) == 0)
		result = run_engine(job, &o, &from, labels, e);
	strlist_clear(&o.labels);
	free(tag);
	free(name);
	free(earlier);
	free(labels);
	free(temporary);
	free(archive);
	free(folder);
	free(from.pipeline);
	return result;
}

static int claim_name(const struct stage_job *job, struct err *e)
{
	char *name = engine_image_name(job->project);
	int result = owner_claim(job, OWNER_IMAGE, name, e);

	free(name);
	return result;
}

int stage_build(const struct stage_job *job, struct err *e)
{
	char *context = path_join(job->work, "context");
	char *dockerfile = path_join(context, job->config->dockerfile);
	struct repository *r = NULL;
	struct commit commit = {0};
	struct oid oid;
	int has_dockerfile, result = -1;

	if (oid_parse(&oid, job->sha) != 0) {
		(void)err_set(e, "\"%s\" is no commit id", job->sha);
		goto out;
	}
	/* Before anything that takes time: whoever has the name waits for this stage to end. */
	if (claim_name(job, e) != 0 ||
		repository_open(&r, job->repository, REPOSITORY_OBJECTS, e) != 0 ||
		commit_read(&commit, r, &oid, e) != 0 || files_make_folder(context, 0755, e) != 0 ||
		tree_export(r, &oid, context, e) != 0)
		goto out;
	log_line("%s of %s checked out", job->sha, job->repository);
	/* Asked of the tree: there it is no symbolic link that leads out of it. */
	has_dockerfile = tree_has_file(r, &oid, job->config->dockerfile, e);
	if (has_dockerfile >= 0 && put_model(job, r, &oid, context, e) == 0)
		result = build_image(
			job, context, has_dockerfile ? dockerfile : NULL, commit.time, e);
out:
	commit_clear(&commit);
	repository_free(r);
	free(dockerfile);
	free(context);
	return result;
}
