/*
 * Any bytes are a stage's report within its limits, or a fault in words; what is written of one reads back.
 *
 * About: common/chain/report.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "chain/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look(const struct report *r)
{
	if (r->facts.n > REPORT_MAX_FACTS || (r->is_passing != 0 && r->is_passing != 1))
		abort();
	for (size_t i = 0; i < r->facts.n; i++)
		if (r->facts.v[i].name[0] == '\0' || strlen(r->facts.v[i].name) > REPORT_MAX_NAME ||
			strlen(r->facts.v[i].value) > REPORT_MAX_VALUE)
			abort();
	for (const char *p = r->message; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			abort();
}

static void write_and_read(const struct report *r)
{
	char *text = report_render(r, "build");
	struct report again;

	if (report_parse(&again, text, strlen(text), "build", NULL) != 0 ||
		again.is_passing != r->is_passing || again.facts.n != r->facts.n)
		abort();
	for (size_t i = 0; i < r->facts.n; i++)
		if (!str_same(facts_get(&again.facts, r->facts.v[i].name), r->facts.v[i].value))
			abort();
	/* An empty message is none. */
	if (!str_same(again.message, r->message))
		abort();
	report_clear(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct report r;
	struct err e = ERR_INIT;
	int result = report_parse(&r, (const char *)bytes, len, "build", &e);

	if ((result == 0) != (e.text == NULL))
		abort();
	look(&r);
	if (result == 0)
		write_and_read(&r);
	else if (r.message != NULL || r.facts.n != 0)
		abort();
	report_clear(&r);
	err_clear(&e);
	return 0;
}
