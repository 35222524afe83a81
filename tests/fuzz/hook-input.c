/* Fuzz target: what git gives a receive hook on standard input, and the names in it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"
#include "gate/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config; /* the same defaults for every input */
	struct err e = ERR_INIT;
	struct push push;

	if (config == NULL && config_parse(&config, "", 0, "fuzz", NULL) != 0)
		abort();
	if (push_parse(&push, (const char *)data, size, &e) == PUSH_OK) {
		for (size_t i = 0; i < push.n; i++) {
			const char *branch = names_branch(push.v[i].ref);
			struct names_retrain parts;

			(void)names_lookalike(config, push.v[i].ref);
			if (branch != NULL && names_retrain(&parts, branch))
				(void)names_date(parts.date, &config->date_formats, 0);
		}
		if (push.n == 0)
			abort();
	} else if (e.text != NULL && strlen(e.text) == 0) {
		abort();
	}
	push_clear(&push);
	err_clear(&e);
	return 0;
}
