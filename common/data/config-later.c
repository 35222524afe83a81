/*
 * Values that the format knows and this version does not carry out yet.  Passing over one of them
 * would accept what it is meant to refuse, so the configuration is refused instead.  What learns to
 * do its part takes its row out of this table; nothing else knows of it.
 */
#include "data/config-parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct later {
	const char *section;
	const char *key;
	const char *fine; /* what can be carried out, as config_render writes it */
};

static const struct later table[] = {
	{"launcher", "kind", "local"},
};

struct search {
	const struct config_draft *d;
	struct err *e;
};

static int check_key(const struct config_key *k, const char *name, void *base, void *arg)
{
	const struct search *search = arg;
	struct str value;
	char *where;
	int result = 0;

	str_init(&value);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].section, k->section) != 0 || strcmp(table[i].key, k->key) != 0)
			continue;
		config_render(&value, k, base);
		if (strcmp(table[i].fine, value.buf) != 0) {
			where = config_where(search->d, CONFIG_SPOT(k->section, name, k->key));
			result = err_set(search->e, "%s = %s: this version cannot do this yet",
				where, value.buf);
			free(where);
		}
		break;
	}
	str_clear(&value);
	return result;
}

int config_check_later(const struct config_draft *d, struct err *e)
{
	struct search search = {.d = d, .e = e};

	return config_each(d->c, check_key, &search);
}
