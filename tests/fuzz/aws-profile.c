/*
 * Any bytes are a credentials file of the AWS tools with a profile or without, or a fault that holds no value.
 *
 * About: common/stage/aws-profile.c common/data/ini-lines.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "stage/aws-profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_value(const char *value)
{
	if (value != NULL && (*value == '\0' || strchr(value, '\n') != NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const sections[] = {"default", "profile ml"};

	for (size_t i = 0; i < 2; i++) {
		char *copy = mem_zalloc(len + 1, 1);
		struct aws_profile p = {0};
		struct err e = ERR_INIT;
		int found;

		memcpy(copy, bytes, len);
		found = aws_profile_parse(&p, copy, len, sections[i], &e);
		if ((found < 0) != (e.text != NULL) || found > 1)
			abort();
		if (found == 0 && (p.id != NULL || p.secret != NULL || p.endpoint != NULL))
			abort();
		check_value(p.id);
		check_value(p.secret);
		check_value(p.session);
		check_value(p.region);
		check_value(p.endpoint);
		aws_profile_clear(&p);
		err_clear(&e);
		free(copy);
	}
	return 0;
}
