/*
 * Any text is the address of a repository whose parts can be handed to ssh, or a fault in words.
 *
 * About: common/git/remote.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void check_ssh(const struct remote_address *a)
{
	must(a->host != NULL && a->user != NULL && a->port != NULL && a->path != NULL);
	must(a->host[0] != '\0' && a->host[0] != '-' && a->user[0] != '-' && a->path[0] != '-');
	must(a->path[0] != '\0' && strchr(a->user, ':') == NULL);
	must(a->port[strspn(a->port, "0123456789")] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = mem_strndup((const char *)bytes, len);
	struct remote_address a;
	struct err e = ERR_INIT;
	int result = remote_parse(&a, text, &e);

	must((result == 0) == (e.text == NULL) && (result == 0) == (a.url != NULL));
	if (result == 0) {
		must(a.kind != REMOTE_PATH || a.path[0] == '/');
		must(a.kind != REMOTE_HTTP || !str_ends(a.url, "/"));
		must(a.kind != REMOTE_HTTP || (str_starts(a.url, "http") && a.host == NULL));
		if (a.kind == REMOTE_SSH)
			check_ssh(&a);
	}
	remote_address_clear(&a);
	err_clear(&e);
	free(text);
	return 0;
}
