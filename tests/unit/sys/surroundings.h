/* For the tests of sys/spawn: our own environment, and how a script shows its own. */
#ifndef MODELGATE_TESTS_SYS_SURROUNDINGS_H
#define MODELGATE_TESTS_SYS_SURROUNDINGS_H

#include <stddef.h>
#include <stdlib.h>

#define ENVIRONMENT "tr '\\0' '\\n' </proc/$$/environ"

/* What children are given of ours: the tests set it themselves. */
static inline int forget_surroundings(void **state)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
		"SSL_CERT_DIR", "TZ", "REQUEST_METHOD", "GATEWAY_INTERFACE"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
	return 0;
}

#endif
