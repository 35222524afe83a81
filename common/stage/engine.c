#include "stage/engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "data/config.h"
#include "stage/archive.h"
#include "stage/engine-internal.h"
#include "stage/log.h"
#include "sys/files.h"
#include "sys/spawn.h"

#define PROBE_SECONDS 15 /* what answers later does not answer */
#define ASK_SECONDS 120  /* about one image, of an engine that works */
#define MAX_DIGEST_FILE 4096
#define SECONDS_SIZE 19 /* "2026-11-23T20:21:49" */

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* In the order of `auto`; "@" as engine-internal.h says. */
static const struct engine engines[] = {
	{
		.name = "docker",
		.kind = CONFIG_ENGINE_DOCKER,
		/* Attestations, which buildx adds, would hold the time of the build. */
		.env = ARGV("@config", "@epoch", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"),
		.probe = ARGV("docker", "version", "--format", "{{.Server.Version}}"),
		.build = ARGV("docker", "build", "--force-rm", "--iidfile", "@idfile", "--tag",
			"@reference", "--file", "@dockerfile", "@labels", "@context"),
		.push = ARGV("docker", "push", "@reference"),
		.digests = ARGV("docker", "image", "inspect", "--format",
			"{{range .RepoDigests}}{{println .}}{{end}}", "@reference"),
		.created = ARGV(
			"docker", "image", "inspect", "--format", "{{.Created}}", "@reference"),
		.remove = ARGV("docker", "image", "rm", "@image"),
	},
	{
		.name = "podman",
		.kind = CONFIG_ENGINE_PODMAN,
		.probe = ARGV("podman", "info", "--format", "{{.Version.Version}}"),
		.build = ARGV("podman", "build", "@auth", "--force-rm", "--timestamp", "@time",
			"--iidfile", "@idfile", "--tag", "@reference", "--file", "@dockerfile",
			"@labels", "@context"),
		.push = ARGV("podman", "push", "@auth", "@tls", "--digestfile", "@digestfile",
			"@reference"),
		.remove = ARGV("podman", "image", "rm", "@image"),
	},
	{
		.name = "buildah",
		.kind = CONFIG_ENGINE_BUILDAH,
		/* What keeps the images is asked too; `version` answers where it cannot work. */
		.probe = ARGV("buildah", "info"),
		/* chroot works without a runtime, and without a namespace of its own. */
		.build = ARGV("buildah", "bud", "@auth", "--isolation", "chroot", "--timestamp",
			"@time", "--iidfile", "@idfile", "--tag", "@reference", "--file",
			"@dockerfile", "@labels", "@context"),
		.push = ARGV("buildah", "push", "@auth", "@tls", "--digestfile", "@digestfile",
			"@reference"),
		.remove = ARGV("buildah", "rmi", "@image"),
	},
	{.name = "archive", .kind = CONFIG_ENGINE_ARCHIVE},
};

#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))

void engine_product_clear(struct engine_product *p)
{
	free(p->image);
	free(p->digest);
	memset(p, 0, sizeof(*p));
}

const char *engine_name(const struct engine *engine)
{
	return engine->name;
}

char *engine_image_name(const char *project)
{
	struct str s;

	str_init(&s);
	for (; *project != '\0'; project++) {
		unsigned char c = (unsigned char)*project;

		if (isalnum(c) && c < 0x80)
			str_addc(&s, (char)tolower(c));
		else if (s.len > 0 && isalnum((unsigned char)s.buf[s.len - 1]))
			str_addc(&s, c == '-' ? '-' : '_');
	}
	while (s.len > 0 && !isalnum((unsigned char)s.buf[s.len - 1]))
		s.buf[--s.len] = '\0';
	if (s.len == 0)
		str_add(&s, "model");
	return str_steal(&s);
}

/* ---- choosing ---- */

static enum engine_answer probe(const struct engine *engine, struct engine_fill *f)
{
	char *program;
	struct str version;
	int result;

	if (engine->probe == NULL)
		return ENGINE_ANSWERS;
	program = spawn_find(engine->probe[0]);
	if (program == NULL)
		return ENGINE_ABSENT;
	free(program);
	f->engine = engine;
	str_init(&version);
	result = engine_ask(f, engine->probe, PROBE_SECONDS, &version, NULL);
	str_clear(&version);
	return result == 0 ? ENGINE_ANSWERS : ENGINE_SILENT;
}

/* Nothing but an archive is left.  It is not what a registry was configured for. */
static const struct engine *take_archive(
	const struct engine_order *o, const char *why, int silent, struct err *e)
{
	if (*o->config->image_registry != '\0') {
		(void)err_set(e,
			"%s, so no image can be made for [build] registry = %s; mend that, or "
			"write engine = archive to have archives, which stay on this machine",
			why, o->config->image_registry);
		e->passing = silent;
		return NULL;
	}
	log_line("engine archive: %s", why);
	return &engines[N_ENGINES - 1];
}

static const struct engine *choose_automatic(struct engine_fill *f, struct err *e)
{
	const struct engine *engine = engines;
	int silent = 0;

	if (f->order->dockerfile == NULL) {
		char *why = mem_format("the commit has no %s", f->order->config->dockerfile);

		engine = take_archive(f->order, why, 0, e);
		free(why);
		return engine;
	}
	for (; engine->build != NULL; engine++) {
		switch (probe(engine, f)) {
		case ENGINE_ABSENT:
			log_line("engine %s is not installed", engine->name);
			break;
		case ENGINE_SILENT:
			log_line("engine %s is installed, but does not answer", engine->name);
			silent = 1;
			break;
		case ENGINE_ANSWERS:
			log_line("engine %s: the first that answers; [build] engine = archive "
				 "needs none",
				engine->name);
			return engine;
		}
	}
	return take_archive(f->order, "no container engine answers", silent, e);
}

static const struct engine *find(int kind)
{
	const struct engine *engine = engines;

	while (engine->kind != kind)
		engine++;
	return engine;
}

static const struct engine *choose_named(struct engine_fill *f, struct err *e)
{
	const struct engine *engine = find(f->order->config->engine);

	if (f->order->dockerfile == NULL) {
		(void)err_set(e, "engine %s needs a %s, and the commit has none", engine->name,
			f->order->config->dockerfile);
		return NULL;
	}
	switch (probe(engine, f)) {
	case ENGINE_ABSENT:
		(void)err_set(e, "engine %s is not installed", engine->name);
		return NULL;
	case ENGINE_SILENT:
		(void)err_set(e, "engine %s does not answer", engine->name);
		e->passing = 1;
		return NULL;
	case ENGINE_ANSWERS:
		break;
	}
	log_line("engine %s, as configured", engine->name);
	return engine;
}

const struct engine *engine_choose(const struct engine_order *o, struct err *e)
{
	const struct engine *engine = NULL;
	struct engine_fill f;

	if (o->config->engine == CONFIG_ENGINE_ARCHIVE) {
		log_line("engine archive, as configured");
		return find(CONFIG_ENGINE_ARCHIVE);
	}
	engine_fill_init(&f, o);
	/* Asked with the login that it is to work with: it decides where docker looks for its service. */
	if (engine_fill_login(&f, e) == 0)
		engine = o->config->engine == CONFIG_ENGINE_AUTO ? choose_automatic(&f, e)
								 : choose_named(&f, e);
	engine_fill_clear(&f);
	return engine;
}

enum engine_answer engine_look(int kind, const struct config *config)
{
	const struct engine_order o = {
		.config = config, .work = config->state, .name = "", .tag = ""};
	struct engine_fill f;
	enum engine_answer answer;

	engine_fill_init(&f, &o);
	f.log = -1;
	answer = probe(find(kind), &f);
	engine_fill_clear(&f);
	return answer;
}

/* ---- building ---- */

/* The "sha256:<64 hex>" at the end of the LEN bytes at TEXT, the caller's to free(); NULL: *E. */
static char *read_digest(const char *text, size_t len, const char *what, struct err *e)
{
	size_t digits = SHA256_HEX_SIZE - 1;

	if (len >= digits && strspn(text + len - digits, "0123456789abcdef") >= digits)
		return mem_format("sha256:%.*s", (int)digits, text + len - digits);
	(void)err_set(e, "%s gave no digest: \"%.100s\"", what, text);
	return NULL;
}

static char *read_digest_file(const char *path, const char *what, struct err *e)
{
	struct str text;
	char *digest = NULL;

	str_init(&text);
	if (files_read(path, MAX_DIGEST_FILE, &text, e) >= 0)
		digest = read_digest(text.buf, strcspn(text.buf, " \t\r\n"), what, e);
	str_clear(&text);
	return digest;
}

/*
 * Tell where the engine has stamped the image with another time than the commit's, so that the next
 * build of the same commit has another digest.
 */
static void tell_time(const struct engine_fill *f)
{
	char created[CLOCK_TEXT_SIZE];
	struct str answer;

	if (f->engine->created == NULL)
		return;
	str_init(&answer);
	clock_text((f->order->time > 0 ? f->order->time : 0) * CLOCK_SECOND, created);
	if (engine_ask(f, f->engine->created, ASK_SECONDS, &answer, NULL) != 0 ||
		strncmp(answer.buf, created, SECONDS_SIZE) != 0)
		log_line("warning: this %s cannot give an image the commit's time (BuildKit 0.11 "
			 "and later can): another build of this commit has another digest",
			f->engine->name);
	str_clear(&answer);
}

static int build(const struct engine_fill *f, struct engine_product *out, struct err *e)
{
	if (engine_do(f, ENGINE_BUILD, e) != 0)
		return -1;
	tell_time(f);
	out->digest = read_digest_file(f->idfile, f->engine->name, e);
	out->image = mem_strdup(f->reference);
	return out->digest != NULL ? 0 : -1;
}

/* Of the lines NAME@DIGEST in TEXT, the digest of the first that is REPOSITORY's. */
static char *find_digest(const char *text, const struct engine_fill *f, struct err *e)
{
	const char *name = f->repository;
	struct strlist lines = {0};
	char *digest = NULL;

	/* As docker prints names of the registry it was made for. */
	if (str_starts(name, "docker.io/"))
		name += strlen("docker.io/");
	strlist_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n && digest == NULL; i++) {
		const char *line = lines.v[i];

		if (str_starts(line, "docker.io/"))
			line += strlen("docker.io/");
		if (str_starts(line, name) && line[strlen(name)] == '@')
			digest = read_digest(line, strlen(line), f->engine->name, e);
	}
	strlist_clear(&lines);
	if (digest == NULL)
		(void)err_set(e, "%s knows no digest of %s after its push: \"%.100s\"",
			f->engine->name, f->repository, text);
	return digest;
}

/* The digest of the manifest that was pushed, the caller's to free(); NULL: *E. */
static char *pushed_digest(const struct engine_fill *f, struct err *e)
{
	struct str answer;
	char *digest = NULL;

	if (f->engine->digests == NULL)
		return read_digest_file(f->digestfile, f->engine->name, e);
	str_init(&answer);
	if (engine_ask(f, f->engine->digests, ASK_SECONDS, &answer, e) == 0)
		digest = find_digest(answer.buf, f, e);
	str_clear(&answer);
	return digest;
}

static int push(const struct engine_fill *f, struct engine_product *out, struct err *e)
{
	log_line("pushing %s", f->reference);
	if (engine_do(f, ENGINE_PUSH, e) != 0)
		return -1;
	engine_product_clear(out);
	out->digest = pushed_digest(f, e);
	if (out->digest == NULL)
		return -1;
	/* By its digest: a tag can be moved to another image. */
	out->image = mem_format("%s@%s", f->repository, out->digest);
	return 0;
}

static int build_archive(const struct engine_order *o, struct engine_product *out, struct err *e)
{
	char sha256[SHA256_HEX_SIZE];

	if (*o->config->image_registry != '\0')
		log_line(
			"warning: [build] registry takes images; an archive stays on this machine");
	if (archive_write(o->context, o->archive, o->temporary, o->time, sha256, e) != 0)
		return -1;
	out->image = mem_strdup(o->archive);
	out->digest = mem_format("sha256:%s", sha256);
	return 0;
}

static int build_and_push(struct engine_fill *f, struct engine_product *out, struct err *e)
{
	if (*f->order->config->image_registry == '\0')
		return build(f, out, e);
	if (engine_earlier_note(f, e) != 0 || build(f, out, e) != 0 || push(f, out, e) != 0)
		return -1;
	engine_earlier_remove(f);
	return 0;
}

int engine_run(const struct engine *engine, const struct engine_order *o,
	struct engine_product *out, struct err *e)
{
	struct engine_fill f;
	int result;

	memset(out, 0, sizeof(*out));
	if (engine->build == NULL)
		return build_archive(o, out, e);
	engine_fill_init(&f, o);
	f.engine = engine;
	result = engine_fill_login(&f, e);
	if (result == 0)
		result = build_and_push(&f, out, e);
	engine_fill_clear(&f);
	if (result != 0)
		engine_product_clear(out);
	return result;
}
