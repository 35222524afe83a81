/*
 * What servers and tools say for people, of any bytes: it comes out harmless for a terminal, within its length,
 * and without half characters.  And whatever stands for a time or a number is one that is written so, or none.
 *
 * About: common/base/str.c common/base/clock.c common/stage/engine-cause.c common/chain/order.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/order.h"
#include "git/conversation-internal.h"
#include "stage/engine-cause.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* SAFE is the caller's; it is freed. */
static void check_harmless(char *safe, size_t max)
{
	size_t len = strlen(safe), n;
	unsigned long c;

	must(len <= max);
	for (const char *p = safe; *p != '\0'; p += n) {
		n = str_utf8(p, len - (size_t)(p - safe), &c);
		must(n > 0 && str_is_visible(c));
	}
	free(safe);
}

static void check_time(const char *text)
{
	char again[CLOCK_TEXT_SIZE];
	int64_t when, same;

	if (clock_parse(text, &when) != 0)
		return;
	clock_text(when, again);
	must(clock_parse(again, &same) == 0 && when == same);
	/* A leap second is the first of the next day. */
	must(strncmp(text, again, strlen("2026-11-23")) == 0 || strstr(text, ":60") != NULL);
}

static void check_number(const char *text)
{
	long long n;

	if (str_number(text, 1000000, &n) == 0)
		must(n >= 0 && n <= 1000000 && text[strspn(text, "0123456789")] == '\0');
}

static void check_order(const char *ref)
{
	struct order o;
	char *again;

	if (!order_parse(&o, ref))
		return;
	again = mem_format("refs/modelgate/play/%lld/%s", (long long)o.pipeline, o.stage);
	must(strcmp(again, ref) == 0 && o.pipeline > 0 && *o.stage != '\0');
	free(again);
}

static void check_list(const char *text)
{
	struct strlist l = {0};
	char *joined;

	strlist_split(&l, text, ',');
	joined = strlist_join(&l, ",");
	must(strlen(joined) <= strlen(text));
	for (size_t i = 0; i < l.n; i++)
		must(l.v[i][0] != '\0' && strchr(l.v[i], ',') == NULL);
	free(joined);
	strlist_clear(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = mem_strndup((const char *)bytes, len), *words = engine_cause_words(text);
	struct engine_cause build = engine_cause_of(ENGINE_BUILD, words);
	struct engine_cause push = engine_cause_of(ENGINE_PUSH, words);

	must(build.what == push.what && (build.what != NULL || (!build.passing && push.passing)));
	check_harmless(words, 4096);
	check_harmless(conversation_words(text), CONVERSATION_MAX_WORDS);
	for (size_t max = 3; max < 70; max += 33)
		check_harmless(str_safe(text, max), max);
	check_time(text);
	check_number(text);
	check_order(text);
	check_list(text);
	free(text);
	return 0;
}
