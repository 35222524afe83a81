/*
 * Any bytes are a record of the audit log or none, a head or a damaged one: what is taken for
 * either holds what the chain is checked by.
 *
 * About: common/audit/entry.c common/audit/head.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_entry(const char *text, size_t len)
{
	struct entry entry;

	if (!entry_parse(&entry, text, len))
		return;
	if (entry.seq < 1 || entry.seq > ENTRY_MAX_SEQ || entry.time < 0 ||
		!entry_is_hash(entry.prev) || entry.event[0] == '\0')
		abort();
	if (entry.is_recovered != (strcmp(entry.event, ENTRY_RECOVERED) == 0))
		abort();
	if (entry.is_recovered && !entry_is_hash(entry.recovered.head_hash))
		abort();
	if (entry.is_rotated != (strcmp(entry.event, ENTRY_ROTATED) == 0))
		abort();
	if (entry.is_rotated &&
		(entry.rotated.number < 1 || entry.rotated.size < 1 || entry.rotated.tree.n < 1 ||
			entry.rotated.tree.n > ENTRY_MAX_SEQ))
		abort();
	entry_clear(&entry);
}

static void check_head(const char *text, size_t len)
{
	char again[HEAD_SIZE + 1];
	struct head h, same;

	if (head_parse(&h, text, len) != 0)
		return;
	head_render(&h, again);
	if (strlen(again) != HEAD_SIZE || head_parse(&same, again, HEAD_SIZE) != 0)
		abort();
	if (memcmp(&h, &same, sizeof(h)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_entry((const char *)bytes, len);
	check_head((const char *)bytes, len);
	return 0;
}
