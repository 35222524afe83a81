#include "chain/status.h"

#include <string.h>

#include "base/str.h"

static const char *const words[STATUS_COUNT] = {
	[STATUS_CREATED] = "created",
	[STATUS_PENDING] = "pending",
	[STATUS_RUNNING] = "running",
	[STATUS_MANUAL] = "manual",
	[STATUS_SUCCESS] = "success",
	[STATUS_FAILED] = "failed",
	[STATUS_CANCELED] = "canceled",
	[STATUS_SKIPPED] = "skipped",
};

const char *status_text(enum status s)
{
	return words[s];
}

int status_parse(enum status *out, const char *text)
{
	*out = STATUS_CREATED;
	for (int i = 0; i < STATUS_COUNT; i++)
		if (strcmp(words[i], text) == 0) {
			*out = (enum status)i;
			return 0;
		}
	return -1;
}

char *status_words(void)
{
	struct strlist all = {0};
	char *text;

	for (int i = 0; i < STATUS_COUNT; i++)
		strlist_add(&all, words[i]);
	text = strlist_join(&all, ", ");
	strlist_clear(&all);
	return text;
}

int status_is_final(enum status s)
{
	return s == STATUS_SUCCESS || s == STATUS_FAILED || s == STATUS_CANCELED ||
	       s == STATUS_SKIPPED;
}

int status_is_waiting(enum status s)
{
	return s == STATUS_CREATED || s == STATUS_PENDING || s == STATUS_MANUAL;
}
