#include "data/config-parts.h"

#include <stdlib.h>

#include "base/mem.h"

const char *config_set_in(
	const struct config *c, const char *section, const char *name, const char *key, int *line)
{
	const struct config_place *place = config_place_find(
		c->places, c->n_places, CONFIG_SPOT(section, name != NULL ? name : "", key));

	*line = 0;
	if (place == NULL || place->file == 0) /* the draft's first file is the defaults */
		return NULL;
	*line = place->line;
	return c->files.v[place->file - 1];
}

char *config_origin(const struct config *c, const char *section, const char *name, const char *key)
{
	int line;
	const char *file = config_set_in(c, section, name, key, &line);

	return file != NULL ? mem_format("%s:%d", file, line) : mem_strdup("built-in default");
}

char *config_value(const struct config *c, const char *section, const char *name, const char *key)
{
	const struct config_section *s = config_section_find(section);
	const struct config_key *k = config_key_find(section, key);
	const void *base = c;
	struct str value;

	if (s == NULL || k == NULL)
		return NULL;
	if (s->size > 0)
		base = config_element(c, s, name != NULL ? name : "");
	if (base == NULL)
		return NULL;
	str_init(&value);
	config_render(&value, k, base);
	return str_steal(&value);
}
