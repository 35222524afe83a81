#include "stage/engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sha256.h"
#include "data/config.h"
#include "stage/archive.h"
#include "stage/log.h"
#include "sys/files.h"
#include "sys/spawn.h"

#define MAX_ANSWER 4096 /* bytes of an engine's one-line answers */

/*
 * Arguments starting with "@" are filled in by fill(): @labels becomes a pair of arguments a label,
 * @tls none, or what lets an engine speak plain HTTP to a registry on this machine.
 */
struct engine {
	const char *name;
	int kind;                  /* enum config_engine */
	const char *const *probe;  /* NULL: always there */
	const char *const *build;  /* writes the id of the image to @idfile */
	const char *const *push;   /* may write the digest of the manifest to @digestfile */
	const char *const *digest; /* prints NAME@DIGEST after a push that wrote no file; or NULL */
};

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct engine engines[] = {
	{
		.name = "docker",
		.kind = CONFIG_ENGINE_DOCKER,
		.probe = ARGV("docker", "version", "--format", "{{.Server.Version}}"),
		.build = ARGV("docker", "build", "--iidfile", "@idfile", "--tag", "@reference",
			"--file", "@dockerfile", "@labels", "@context"),
		.push = ARGV("docker", "push", "@reference"),
		.digest = ARGV("docker", "image", "inspect", "--format", "{{index .RepoDigests 0}}",
			"@reference"),
	},
	{
		.name = "podman",
		.kind = CONFIG_ENGINE_PODMAN,
		.probe = ARGV("podman", "info", "--format", "{{.Version.Version}}"),
		.build = ARGV("podman", "build", "--timestamp", "@time", "--iidfile", "@idfile",
			"--tag", "@reference", "--file", "@dockerfile", "@labels", "@context"),
		.push = ARGV("podman", "push", "@tls", "--digestfile", "@digestfile", "@reference"),
	},
	{
		.name = "buildah",
		.kind = CONFIG_ENGINE_BUILDAH,
		/*
		 * vfs and chroot work without a daemon, a kernel module or a namespace of its own.
		 */
		.probe = ARGV("buildah", "--storage-driver", "vfs", "version"),
		.build = ARGV("buildah", "--storage-driver", "vfs", "bud", "--isolation", "chroot",
			"--timestamp", "@time", "--iidfile", "@idfile", "--tag", "@reference",
			"--file", "@dockerfile", "@labels", "@context"),
		.push = ARGV("buildah", "--storage-driver", "vfs", "push", "@tls", "--digestfile",
			"@digestfile", "@reference"),
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

/* ---- running an engine's commands ---- */

/* What the arguments of one order become. */
struct fill {
	const struct engine_order *order;
	char *reference; /* NAME:TAG, with the registry in front where one is set */
	char *idfile;
	char *digestfile;
	char *time;
	char *home; /* "HOME=...": where engines keep their settings and logins */
};

static void fill_init(struct fill *f, const struct engine_order *o)
{
	const char *registry = o->config->image_registry, *home = getenv("HOME");

	f->order = o;
	f->reference = mem_format("%s%s%s:%s", registry, *registry ? "/" : "", o->name, o->tag);
	f->idfile = path_join(o->work, "image-id");
	f->digestfile = path_join(o->work, "image-digest");
	f->time = mem_format("%lld", (long long)o->time);
	f->home = mem_format("HOME=%s", home != NULL && *home == '/' ? home : o->work);
}

static void fill_clear(struct fill *f)
{
	free(f->reference);
	free(f->idfile);
	free(f->digestfile);
	free(f->time);
	free(f->home);
}

static int is_loopback(const char *registry)
{
	return str_starts(registry, "localhost:") || str_starts(registry, "localhost/") ||
	       str_starts(registry, "127.") || str_starts(registry, "[::1]");
}

static void fill_argument(const struct fill *f, const char *argument, struct strlist *out)
{
	const struct engine_order *o = f->order;
	const struct {
		const char *name;
		const char *value;
	} values[] = {{"@reference", f->reference}, {"@idfile", f->idfile},
		{"@digestfile", f->digestfile}, {"@time", f->time}, {"@dockerfile", o->dockerfile},
		{"@context", o->context}};

	if (strcmp(argument, "@labels") == 0) {
		for (size_t i = 0; i < o->labels.n; i++) {
			strlist_add(out, "--label");
			strlist_add(out, o->labels.v[i]);
		}
		return;
	}
	if (strcmp(argument, "@tls") == 0) {
		if (is_loopback(o->config->image_registry))
			strlist_add(out, "--tls-verify=false");
		return;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(argument, values[i].name) == 0)
			argument = values[i].value;
	strlist_add(out, argument);
}

/*
 * Run TEMPLATE.  Its standard output goes to ANSWER, or with NULL to the log.  0 and *STATUS, or
 * -1: it could not be started.
 */
static int run(const struct fill *f, const char *const *template, struct str *answer, int *status,
	struct err *e)
{
	const char *env[] = {f->home, NULL};
	struct strlist filled = {0};
	struct spawn s = SPAWN_INIT;
	const char **argv;
	int result;

	for (size_t i = 0; template[i] != NULL; i++)
		fill_argument(f, template[i], &filled);
	argv = mem_zalloc(filled.n + 1, sizeof(*argv));
	for (size_t i = 0; i < filled.n; i++)
		argv[i] = filled.v[i];
	s.argv = argv;
	s.group = SPAWN_GROUP_OURS; /* what ends the stage ends its tools */
	s.env = env;
	s.dir = f->order->work;
	s.out = answer != NULL ? -1 : STDOUT_FILENO;
	result = answer != NULL ? spawn_capture(&s, MAX_ANSWER, answer, status, e)
				: spawn_run(&s, status, e);
	free(argv);
	strlist_clear(&filled);
	return result;
}

/* ---- choosing ---- */

enum answer { ANSWERS, ABSENT, SILENT };

static enum answer probe(const struct engine *engine, const struct fill *f)
{
	char *program;
	struct str version;
	int status = -1;

	if (engine->probe == NULL)
		return ANSWERS;
	program = spawn_find(engine->probe[0]);
	if (program == NULL)
		return ABSENT;
	free(program);
	str_init(&version);
	/* That it cannot be started is one more way of not answering. */
	if (run(f, engine->probe, &version, &status, NULL) != 0)
		status = -1;
	str_clear(&version);
	return status == 0 ? ANSWERS : SILENT;
}

static const struct engine *choose_automatic(const struct fill *f)
{
	if (f->order->dockerfile == NULL) {
		log_line("engine archive: the commit has no %s", f->order->config->dockerfile);
		return &engines[N_ENGINES - 1];
	}
	for (size_t i = 0; i < N_ENGINES; i++) {
		switch (probe(&engines[i], f)) {
		case ABSENT:
			log_line("engine %s is not installed", engines[i].name);
			break;
		case SILENT:
			log_line("engine %s is installed, but does not answer", engines[i].name);
			break;
		case ANSWERS:
			log_line("engine %s: %s", engines[i].name,
				engines[i].probe != NULL ? "the first that answers"
							 : "it needs no container engine");
			return &engines[i];
		}
	}
	return NULL;
}

static const struct engine *choose_named(const struct fill *f, struct err *e)
{
	const struct engine *engine = engines;

	while (engine->kind != f->order->config->engine)
		engine++;
	if (engine->build != NULL && f->order->dockerfile == NULL) {
		(void)err_set(e, "engine %s needs a %s, and the commit has none", engine->name,
			f->order->config->dockerfile);
		return NULL;
	}
	switch (probe(engine, f)) {
	case ABSENT:
		(void)err_set(e, "engine %s is not installed", engine->name);
		return NULL;
	case SILENT:
		(void)err_set(e, "engine %s does not answer", engine->name);
		e->passing = 1;
		return NULL;
	case ANSWERS:
		break;
	}
	log_line("engine %s, as configured", engine->name);
	return engine;
}

const struct engine *engine_choose(const struct engine_order *o, struct err *e)
{
	const struct engine *engine;
	struct fill f;

	fill_init(&f, o);
	if (o->config->engine == CONFIG_ENGINE_AUTO)
		engine = choose_automatic(&f);
	else
		engine = choose_named(&f, e);
	fill_clear(&f);
	return engine;
}

/* ---- building ---- */

/* The "sha256:<64 hex>" at the end of TEXT, the caller's to free(); NULL: *E. */
static char *read_digest(const char *text, const char *what, struct err *e)
{
	size_t len = strcspn(text, " \t\r\n"), digits = SHA256_HEX_SIZE - 1;

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
	if (files_read(path, MAX_ANSWER, &text, e) >= 0)
		digest = read_digest(text.buf, what, e);
	str_clear(&text);
	return digest;
}

static int build(const struct engine *engine, const struct fill *f, struct engine_product *out,
	struct err *e)
{
	int status;

	if (run(f, engine->build, NULL, &status, e) != 0)
		return -1;
	if (status != 0)
		return err_set(
			e, "%s build ended with status %d; the log says why", engine->name, status);
	out->digest = read_digest_file(f->idfile, engine->name, e);
	out->image = mem_strdup(f->reference);
	return out->digest != NULL ? 0 : -1;
}

/* The digest of the manifest that was pushed, the caller's to free(); NULL: *E. */
static char *pushed_digest(const struct engine *engine, const struct fill *f, struct err *e)
{
	struct str answer;
	char *digest = NULL;
	int status;

	if (engine->digest == NULL)
		return read_digest_file(f->digestfile, engine->name, e);
	str_init(&answer);
	if (run(f, engine->digest, &answer, &status, e) == 0)
		digest = read_digest(answer.buf, engine->name, e);
	str_clear(&answer);
	return digest;
}

static int push(const struct engine *engine, const struct fill *f, struct engine_product *out,
	struct err *e)
{
	int status;

	log_line("pushing %s", f->reference);
	if (run(f, engine->push, NULL, &status, e) != 0)
		return -1;
	if (status != 0) {
		e->passing = 1; /* a registry comes back; a lasting refusal ends with the retries */
		return err_set(e, "%s push of %s ended with status %d; the log says why",
			engine->name, f->reference, status);
	}
	engine_product_clear(out);
	out->digest = pushed_digest(engine, f, e);
	if (out->digest == NULL)
		return -1;
	/* By its digest: a tag can be moved to another image. */
	out->image = mem_format(
		"%s/%s@%s", f->order->config->image_registry, f->order->name, out->digest);
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

int engine_run(const struct engine *engine, const struct engine_order *o,
	struct engine_product *out, struct err *e)
{
	struct fill f;
	int result;

	memset(out, 0, sizeof(*out));
	if (engine->build == NULL)
		return build_archive(o, out, e);
	fill_init(&f, o);
	result = build(engine, &f, out, e);
	if (result == 0 && *o->config->image_registry != '\0')
		result = push(engine, &f, out, e);
	fill_clear(&f);
	if (result != 0)
		engine_product_clear(out);
	return result;
}
