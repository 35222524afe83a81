#include "stage/engine-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "stage/engine.h"
#include "stage/log.h"
#include "sys/files.h"
#include "sys/secret.h"
#include "sys/spawn.h"
#include "sys/user.h"

#define MAX_ANSWER 4096 /* bytes that are kept of what an engine prints */
#define MAX_WORDS 300   /* bytes of its last words that a message repeats */
#define SIGNALED 128    /* exit status of what a signal has ended, and more */

/*
 * "HOME=" and where engines keep their settings and logins: our user's home, as the runner has it.  The
 * caller's to free().
 */
static char *find_home(const char *otherwise)
{
	const char *said = getenv("HOME");
	char *home = said != NULL ? mem_strdup(said) : user_home(getuid());
	char *variable = mem_format("HOME=%s", home != NULL && *home == '/' ? home : otherwise);

	free(home);
	return variable;
}

void engine_fill_init(struct engine_fill *f, const struct engine_order *o)
{
	const char *registry = o->config->image_registry;

	memset(f, 0, sizeof(*f));
	f->order = o;
	f->log = STDOUT_FILENO;
	f->repository = mem_format("%s%s%s", registry, *registry ? "/" : "", o->name);
	f->reference = mem_format("%s:%s", f->repository, o->tag);
	f->idfile = path_join(o->work, "image-id");
	f->digestfile = path_join(o->work, "image-digest");
	f->time = mem_format("%lld", (long long)(o->time > 0 ? o->time : 0));
	f->home = find_home(o->work);
}

void engine_fill_clear(struct engine_fill *f)
{
	if (f->config != NULL)
		/* Nothing secret is in it, and the work folder goes as a whole in the end. */
		(void)files_remove_tree(f->config, NULL);
	free(f->repository);
	free(f->reference);
	free(f->idfile);
	free(f->digestfile);
	free(f->time);
	free(f->config);
	free(f->home);
}

int engine_fill_login(struct engine_fill *f, struct err *e)
{
	const char *credentials = f->order->config->image_credentials_file;
	char *link;
	int result = 0;

	if (*credentials == '\0')
		return 0;
	if (secret_check(credentials, e) != 0)
		return err_wrap(e, "[build] credentials-file");
	/* No copy: nothing secret is left in the work folder when the build is killed. */
	f->config = path_join(f->order->work, "docker");
	link = path_join(f->config, "config.json");
	if (files_remove_tree(f->config, e) != 0 || files_make_folder(f->config, 0700, e) != 0)
		result = -1;
	else if (symlink(credentials, link) != 0)
		result = err_errno(e, errno, "%s", link);
	free(link);
	return result;
}

int engine_is_loopback(const char *registry)
{
	char *host = mem_format("%.*s", (int)strcspn(registry, "/"), registry);
	char *port = strrchr(host, ':');
	struct in_addr v4;
	int is;

	if (port != NULL && strchr(port, ']') == NULL)
		*port = '\0';
	is = strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	     (str_starts(host, "127.") && inet_pton(AF_INET, host, &v4) == 1);
	free(host);
	return is;
}

/* Add "NAME=VALUE". */
static void add_variable(struct strlist *out, const char *name, const char *value)
{
	char *variable = mem_format("%s=%s", name, value);

	strlist_add(out, variable);
	free(variable);
}

/* Add what the argument becomes that is none or more than one.  1, or 0: it is another. */
static int fill_some(const struct engine_fill *f, const char *argument, struct strlist *out)
{
	const struct engine_order *o = f->order;
	const char *credentials = o->config->image_credentials_file;

	if (strcmp(argument, "@labels") == 0) {
		for (size_t i = 0; i < o->labels.n; i++) {
			strlist_add(out, "--label");
			strlist_add(out, o->labels.v[i]);
		}
	} else if (strcmp(argument, "@auth") == 0) {
		if (*credentials != '\0') {
			strlist_add(out, "--authfile");
			strlist_add(out, credentials);
		}
	} else if (strcmp(argument, "@tls") == 0) {
		if (engine_is_loopback(o->config->image_registry))
			strlist_add(out, "--tls-verify=false");
	} else if (strcmp(argument, "@config") == 0) {
		if (f->config != NULL)
			add_variable(out, "DOCKER_CONFIG", f->config);
	} else if (strcmp(argument, "@epoch") == 0) {
		add_variable(out, "SOURCE_DATE_EPOCH", f->time);
	} else {
		return 0;
	}
	return 1;
}

static void fill(const struct engine_fill *f, const char *const *template, struct strlist *out)
{
	const struct engine_order *o = f->order;
	const struct {
		const char *name;
		const char *value;
	} values[] = {{"@reference", f->reference}, {"@image", f->image}, {"@idfile", f->idfile},
		{"@digestfile", f->digestfile}, {"@time", f->time}, {"@dockerfile", o->dockerfile},
		{"@context", o->context}};

	for (size_t i = 0; template != NULL && template[i] != NULL; i++) {
		const char *argument = template[i];

		if (fill_some(f, argument, out))
			continue;
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++)
			if (strcmp(argument, values[k].name) == 0)
				argument = values[k].value;
		strlist_add(out, argument);
	}
}

/* The strings of L with a NULL behind them; the array is the caller's to free(). */
static const char **terminated(const struct strlist *l)
{
	const char **v = mem_zalloc(l->n + 1, sizeof(*v));

	for (size_t i = 0; i < l->n; i++)
		v[i] = l->v[i];
	return v;
}

/* One command, and the function of sys/spawn that runs it. */
struct call {
	const struct engine_fill *f;
	const char *const *template;
	unsigned seconds;
	int (*run)(const struct spawn *s, size_t max, struct str *out, int *status, struct err *e);
};

/* As the function, with what it keeps added to *OUT. */
static int run(const struct call *c, struct str *out, int *status, struct err *e)
{
	struct strlist arguments = {0}, variables = {0};
	struct spawn s = SPAWN_INIT;
	const char **argv, **env;
	int result;

	fill(c->f, c->template, &arguments);
	strlist_add(&variables, c->f->home);
	fill(c->f, c->f->engine->env, &variables);
	argv = terminated(&arguments);
	env = terminated(&variables);
	s.argv = argv;
	s.env = env;
	s.group = SPAWN_GROUP_OURS; /* what ends the stage ends its tools */
	s.dir = c->f->order->work;
	s.out = c->f->log;
	s.seconds = c->seconds;
	result = c->run(&s, MAX_ANSWER, out, status, e);
	free(env);
	free(argv);
	strlist_clear(&variables);
	strlist_clear(&arguments);
	return result;
}

int engine_ask(const struct engine_fill *f, const char *const *template, unsigned seconds,
	struct str *answer, struct err *e)
{
	const struct call c = {f, template, seconds, spawn_capture};
	int status;

	if (run(&c, answer, &status, e) == 0) {
		if (status == 0)
			return 0;
		(void)err_set(e, "%s %s ended with status %d", template[0], template[1], status);
	}
	if (e != NULL)
		e->passing = 1;
	return -1;
}

/* A command failed: its exit status STATUS and the end of what it SAID tell why. */
static int tell_cause(const struct engine_fill *f, enum engine_command command, int status,
	const char *said, struct err *e)
{
	char *words = engine_cause_words(said), *shown = str_safe(words, MAX_WORDS);
	struct engine_cause cause = engine_cause_of(command, words);
	struct str text;

	if (status > SIGNALED)
		cause = (struct engine_cause){1, "something has killed it", NULL};
	str_init(&text);
	if (command == ENGINE_PUSH)
		str_addf(&text, "%s: ", f->reference);
	str_addf(&text, "%s %s ended with status %d", f->engine->name,
		command == ENGINE_PUSH ? "push" : "build", status);
	if (cause.what != NULL)
		str_addf(&text, ": %s", cause.what);
	if (cause.remedy != NULL)
		str_addf(&text, "; %s", cause.remedy);
	str_addf(&text, "; the log says more: \"%s\"", shown);
	e->passing = cause.passing;
	(void)err_set(e, "%s", text.buf);
	str_clear(&text);
	free(shown);
	free(words);
	return -1;
}

int engine_do(const struct engine_fill *f, enum engine_command command, struct err *e)
{
	const struct call c = {
		f, command == ENGINE_PUSH ? f->engine->push : f->engine->build, 0, spawn_watch};
	struct str said;
	int status, result;

	str_init(&said);
	result = run(&c, &said, &status, e);
	if (result == 0 && status != 0)
		result = tell_cause(f, command, status, said.buf, e);
	str_clear(&said);
	return result;
}

void engine_remove(struct engine_fill *f, const char *image)
{
	const struct call c = {f, f->engine->remove, 0, spawn_watch};
	struct str said;
	int status;

	str_init(&said);
	f->image = image;
	if (run(&c, &said, &status, NULL) != 0 || status != 0)
		log_line("the earlier image %s is not there, or in use: it is not removed", image);
	f->image = NULL;
	str_clear(&said);
}
