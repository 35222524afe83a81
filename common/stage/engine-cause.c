#include "stage/engine-cause.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_WORDS 4096 /* bytes */

enum cause { STEP, FULL, AWAY, UNTRUSTED, FORBIDDEN, REFUSED, MISSING, NAME, N_CAUSES };

static const struct engine_cause causes[N_CAUSES] = {
	[STEP] = {0, "a step of the Dockerfile failed", NULL},
	[FULL] = {1, "no space is left", "make room where the engine keeps its images"},
	[AWAY] = {1, "the registry or the engine's service is away or busy", NULL},
	[UNTRUSTED] = {0, "the registry's certificate is not trusted",
		"give the engine its authority: /etc/containers/certs.d/HOST/ca.crt, or "
		"/etc/docker/certs.d/HOST/ca.crt"},
	[FORBIDDEN] = {0, "the user that the runner works as may not do that on this machine",
		"give it what the engine asks for, such as docker's group or subordinate ids"},
	[REFUSED] = {0, "the registry refuses the login, or the access",
		"name a file with a login that may do this in [build] credentials-file"},
	[MISSING] = {0, "the registry does not have what is asked for",
		"see what FROM names, and the path in [build] registry"},
	[NAME] = {0, "that is no name of an image", "mend [build] registry, or what FROM names"},
};

/*
 * Read in this order: a step that failed may have printed anything, and where a registry was away
 * for one request, what it said to another is no last word.
 */
static const struct {
	const char *text; /* as it stands in the engine's words */
	enum cause cause;
} signs[] = {
	{"building at STEP \"RUN", STEP},        /* podman, buildah */
	{"returned a non-zero code", STEP},      /* docker */
	{"did not complete successfully", STEP}, /* BuildKit */
	{"no space left on device", FULL},
	{"connection refused", AWAY},
	{"connection reset", AWAY},
	{"broken pipe", AWAY},
	{"no such host", AWAY},
	{"no route to host", AWAY},
	{"network is unreachable", AWAY},
	{"server misbehaving", AWAY}, /* DNS */
	{"name resolution", AWAY},
	{"timeout", AWAY},
	{"Timeout", AWAY},
	{"deadline exceeded", AWAY},
	{"unexpected EOF", AWAY},
	{": EOF", AWAY},
	{"toomanyrequests", AWAY},
	{"Too Many Requests", AWAY},
	{"Internal Server Error", AWAY},
	{"Bad Gateway", AWAY},
	{"Service Unavailable", AWAY},
	{"Cannot connect to the Docker daemon", AWAY},
	{"building at STEP", STEP},                /* podman, buildah: COPY, ADD */
	{"COPY failed", STEP},                     /* docker */
	{"file not found in build context", STEP}, /* docker */
	{"failed to calculate checksum", STEP},    /* BuildKit: COPY */
	{"x509:", UNTRUSTED},
	{"server gave HTTP response to HTTPS client", UNTRUSTED},
	{"permission denied", FORBIDDEN},
	{"unauthorized", REFUSED},
	{"Unauthorized", REFUSED},
	{"authentication required", REFUSED},
	{"no basic auth credentials", REFUSED},
	{"invalid username/password", REFUSED},
	{"incorrect username or password", REFUSED},
	{"denied", REFUSED},
	{"Forbidden", REFUSED},
	{"manifest unknown", MISSING},
	{"name unknown", MISSING},
	{"not found", MISSING},
	{"invalid reference format", NAME},
	{"name invalid", NAME},
	{"repository name must be", NAME},
};

/* 1 if LINE begins as engines begin the report of an error. */
static int is_error(const char *line)
{
	static const char *const starts[] = {"Error", "ERROR", "error ", "error:"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(line, starts[i]))
			return 1;
	return 0;
}

char *engine_cause_words(const char *said)
{
	struct strlist lines = {0}, last = {0};
	size_t from;
	char *joined, *words;

	strlist_split(&lines, said, '\n');
	from = lines.n;
	while (from > 0 && !is_error(lines.v[from - 1]))
		from--;
	if (from == 0)
		from = lines.n;
	for (size_t i = from; i > 0 && i <= lines.n; i++)
		strlist_add(&last, lines.v[i - 1]);
	joined = strlist_join(&last, " ");
	words = str_safe(joined, MAX_WORDS);
	free(joined);
	strlist_clear(&last);
	strlist_clear(&lines);
	return words;
}

struct engine_cause engine_cause_of(enum engine_command command, const char *words)
{
	const struct engine_cause unknown = {command == ENGINE_PUSH, NULL, NULL};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(words, signs[i].text) != NULL)
			return causes[signs[i].cause];
	return unknown;
}
