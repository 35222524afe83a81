#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "net/http.h"
#include "stage/engine.h"
#include "sys/spawn.h"

#define TIMEOUT 10     /* seconds that a registry has to answer */
#define MAX_BODY 65536 /* bytes of what it says, which nobody reads */

/* What shows why an engine does not answer. */
static const struct {
	int kind;
	const char *name;
	const char *ask;
} engines[] = {
	{CONFIG_ENGINE_DOCKER, "docker", "docker version"},
	{CONFIG_ENGINE_PODMAN, "podman", "podman info"},
	{CONFIG_ENGINE_BUILDAH, "buildah", "buildah info"},
};

#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))

static void check_named(struct check *c, size_t i)
{
	char *origin = config_origin(c->config, "build", "", "engine");

	switch (engine_look(engines[i].kind, c->config)) {
	case ENGINE_ANSWERS:
		check_ok(c, "servers", "engine: %s answers", engines[i].name);
		break;
	case ENGINE_ABSENT:
		check_wrong(c, "servers",
			mem_format("install it, or write engine = auto (%s)", origin),
			"engine: there is no %s in %s", engines[i].name, SPAWN_PATH);
		break;
	case ENGINE_SILENT:
		check_wrong(c, "servers",
			mem_format("as %s, %s says why", c->owner_name, engines[i].ask),
			"engine: %s is installed, but does not answer", engines[i].name);
		break;
	}
	free(origin);
}

/* `auto` takes what there is; a registry waits for images, which an archive is not. */
static void check_automatic(struct check *c)
{
	for (size_t i = 0; i < N_ENGINES; i++)
		if (engine_look(engines[i].kind, c->config) == ENGINE_ANSWERS) {
			check_ok(c, "servers", "engine: auto takes %s", engines[i].name);
			return;
		}
	if (*c->config->image_registry == '\0')
		check_note(c, "servers",
			"engine: no container engine answers, so auto makes archives");
	else
		check_wrong(c, "servers",
			mem_strdup("install docker, podman or buildah, or write engine = archive"),
			"engine: no container engine answers, and [build] registry = %s takes "
			"images",
			c->config->image_registry);
}

static void check_engine(struct check *c)
{
	if (c->config->engine == CONFIG_ENGINE_AUTO)
		check_automatic(c);
	if (c->config->engine == CONFIG_ENGINE_ARCHIVE && *c->config->image_registry != '\0')
		check_note(c, "servers",
			"engine: archives stay on this machine; [build] registry = %s gets nothing",
			c->config->image_registry);
	for (size_t i = 0; i < N_ENGINES; i++)
		if (engines[i].kind == c->config->engine)
			check_named(c, i);
}

/* Where the API of REGISTRY begins (OCI distribution, "Determining Support"); the caller's to free(). */
static char *api_of(const char *registry)
{
	int len = (int)strcspn(registry, "/");

	if (len == (int)strlen("docker.io") && strncmp(registry, "docker.io", (size_t)len) == 0)
		return mem_strdup("https://registry-1.docker.io/v2/");
	return mem_format(
		"%s://%.*s/v2/", engine_is_loopback(registry) ? "http" : "https", len, registry);
}

/* Asked without a login, which is the engine's: that it asks for one is an answer too. */
static void check_registry(struct check *c)
{
	char *url = api_of(c->config->image_registry);
	const struct http_settings settings = {.timeout = TIMEOUT};
	const struct http_request r = {
		.method = "GET", .url = url, .max = MAX_BODY, .repeat = HTTP_REPEATABLE};
	struct http_answer answer;
	struct http *h = NULL;
	struct err e = ERR_INIT;

	if (http_new(&h, &settings, &e) != 0 || http_do(h, &r, &answer, &e) != HTTP_ANSWERED) {
		/* The engine has its own list of whom it trusts. */
		check_tell(c, e.passing ? CHECK_WRONG : CHECK_NOTE, "servers",
			mem_strdup("see whether the address is right and the registry runs"),
			"[build] registry: %s", err_text(&e));
	} else {
		if (answer.status == 200 || answer.status == 401)
			check_ok(c, "servers", "[build] registry: %s answers", url);
		else
			check_wrong(c, "servers",
				mem_strdup("see whether the address is a registry's"),
				"[build] registry: %s answers with status %ld", url, answer.status);
		http_answer_clear(&answer);
	}
	http_free(h);
	err_clear(&e);
	free(url);
}

void check_images(struct check *c)
{
	check_engine(c);
	if (c->config->engine == CONFIG_ENGINE_ARCHIVE)
		return;
	check_secret(c, "[build] credentials-file", c->config->image_credentials_file);
	if (*c->config->image_registry != '\0')
		check_registry(c);
}
