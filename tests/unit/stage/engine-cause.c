/* What the last words of engines mean.  They are as docker 20.10 and 28, podman 4.3 and buildah 1.28 say them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "stage/engine-cause.h"

#define BLOB "sha256:8813f0b4757a12eb60e8dbc7e21874afa70639730d648428fcd8b6723b5146e4"
#define PUSHING "Error: pushing image \"r:1/x:1\" to \"docker://r:1/x:1\": "

static void test_words(void **state)
{
	static const struct {
		const char *said;
		const char *words;
	} rows[] = {
		{"", ""},
		{"\n\n", ""},
		{"one", "one"},
		{"one\ntwo\n", "two"},
		{"The push refers to repository [r/x]\ndenied: no\n\n", "denied: no"},
		{"Error: first\nmore\nError: last\nof it\n", "Error: last of it"},
		{"Error: a step\nThe command '/bin/sh' returned a non-zero code: 1\n",
			"Error: a step The command '/bin/sh' returned a non-zero code: 1"},
		{"ERROR: failed to solve: x\n", "ERROR: failed to solve: x"},
		/* in the middle of a line is no beginning */
		{"level=error msg=\"Error: x\"\nfine\n", "fine"},
		{"\033[31mred\a\n", "\\x1b[31mred\\x07"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *words = engine_cause_words(rows[i].said);

		if (strcmp(words, rows[i].words) != 0)
			fail_msg("\"%s\": \"%s\", not \"%s\"", rows[i].said, words, rows[i].words);
		free(words);
	}
}

enum { LASTING, PASSING };

static void test_push(void **state)
{
	static const struct {
		const char *words;
		int passing;
		const char *what;   /* in it; NULL: it is not known */
		const char *remedy; /* in it; NULL: none */
	} rows[] = {
		/* away, or too busy */
		{"Error: trying to reuse blob " BLOB " at destination: pinging container registry "
		 "r:1: Get \"https://r:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
			PASSING, "away or busy", NULL},
		{"Get \"https://r/v2/\": dial tcp: lookup r: no such host", PASSING, "away", NULL},
		{"Get \"https://r/v2/\": net/http: TLS handshake timeout", PASSING, "away", NULL},
		{PUSHING "received unexpected HTTP status: 503 Service Unavailable", PASSING,
			"away", NULL},
		{"received unexpected HTTP status: 500 Internal Server Error", PASSING, "away",
			NULL},
		{"toomanyrequests: You have reached your pull rate limit", PASSING, "away", NULL},
		{"error parsing HTTP 429 response body: Too Many Requests", PASSING, "away", NULL},
		{"Cannot connect to the Docker daemon at unix:///var/run/docker.sock", PASSING,
			"away", NULL},
		{PUSHING "writing blob: Patch \"https://r/v2/\": unexpected EOF", PASSING, "away",
			NULL},
		/* one request was refused because another found nobody: not the last word */
		{"errors: denied: x; dial tcp: connection refused", PASSING, "away", NULL},
		{"write /var/lib/x: no space left on device", PASSING, "no space", "make room"},
		/* refused */
		{PUSHING "checking whether a blob " BLOB " exists in r:1/x: unauthorized: "
			 "authentication required",
			LASTING, "refuses the login", "[build] credentials-file"},
		{"denied: requested access to the resource is denied", LASTING, "refuses",
			"credentials-file"},
		{"unauthorized: authentication required", LASTING, "refuses", "credentials-file"},
		{"no basic auth credentials", LASTING, "refuses", "credentials-file"},
		{PUSHING "received unexpected HTTP status: 403 Forbidden", LASTING, "refuses",
			"credentials-file"},
		{"permission denied while trying to connect to the Docker daemon socket", LASTING,
			"on this machine", "docker's group"},
		/* not what a registry takes */
		{"Error: pinging container registry r: Get \"https://r/v2/\": x509: certificate "
		 "signed by unknown authority",
			LASTING, "not trusted", "certs.d"},
		{"http: server gave HTTP response to HTTPS client", LASTING, "not trusted", NULL},
		{"invalid reference format: repository name must be lowercase", LASTING, "no name",
			"[build] registry"},
		{"name unknown: repository name not known to registry", LASTING, "does not have",
			"[build] registry"},
		/* not known: the retries bound it */
		{"", PASSING, NULL, NULL},
		{"Error: something new", PASSING, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_cause c = engine_cause_of(ENGINE_PUSH, rows[i].words);

		if (c.passing != rows[i].passing || (c.what != NULL) != (rows[i].what != NULL) ||
			(c.what != NULL && strstr(c.what, rows[i].what) == NULL) ||
			(rows[i].remedy != NULL &&
				(c.remedy == NULL || strstr(c.remedy, rows[i].remedy) == NULL)))
			fail_msg("\"%s\": passing %d, \"%s\", \"%s\"", rows[i].words, c.passing,
				c.what != NULL ? c.what : "", c.remedy != NULL ? c.remedy : "");
	}
}

static void test_build(void **state)
{
	static const struct {
		const char *words;
		int passing;
		const char *what; /* in it; NULL: it is not known */
	} rows[] = {
		/* steps: what they printed tells nothing */
		{"Error: building at STEP \"RUN /bin/false\": while running runtime: exit status 1",
			LASTING, "step of the Dockerfile"},
		{"Error: building at STEP \"RUN curl\": connection refused: exit status 7", LASTING,
			"step"},
		{"Error: no route to host The command '/bin/sh -c pip' returned a non-zero code: 1",
			LASTING, "step"},
		{"ERROR: failed to solve: process \"/bin/sh -c false\" did not complete "
		 "successfully: exit code: 1",
			LASTING, "step"},
		{"Error: building at STEP \"COPY nope /a\": checking on sources under \"/c\": "
		 "copier: stat: \"/nope\": no such file or directory",
			LASTING, "step"},
		{"ERROR: failed to solve: failed to compute cache key: failed to calculate "
		 "checksum "
		 "of ref x: \"/nope\": not found",
			LASTING, "step"},
		{"COPY failed: file not found in build context or excluded by .dockerignore",
			LASTING, "step"},
		/* but where it fetches something itself, or has no room */
		{"Error: building at STEP \"ADD https://e/x /\": dial tcp: i/o timeout", PASSING,
			"away"},
		{"Error: building at STEP \"COPY . .\": write: no space left on device", PASSING,
			"no space"},
		/* the base image */
		{"Error: creating build container: initializing source docker://r:1/x:1: pinging "
		 "container registry r:1: dial tcp 127.0.0.1:1: connect: connection refused",
			PASSING, "away"},
		{"Error: creating build container: initializing source docker://r:1/x:1: reading "
		 "manifest 1 in r:1/x: manifest unknown: manifest unknown",
			LASTING, "does not have"},
		{"pull access denied for x, repository does not exist or may require 'docker "
		 "login': denied: requested access to the resource is denied",
			LASTING, "refuses"},
		{"Error: syntax error in line 1", LASTING, NULL},
		{"", LASTING, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_cause c = engine_cause_of(ENGINE_BUILD, rows[i].words);

		if (c.passing != rows[i].passing || (c.what != NULL) != (rows[i].what != NULL) ||
			(c.what != NULL && strstr(c.what, rows[i].what) == NULL))
			fail_msg("\"%s\": passing %d, \"%s\"", rows[i].words, c.passing,
				c.what != NULL ? c.what : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
