#include "data/config-parts.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/ini.h"

static struct config_place *find_place(
	const struct config_draft *d, const char *section, const char *name, const char *key)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].key, key) == 0 && strcmp(d->v[i].section, section) == 0 &&
			strcmp(d->v[i].name, name) == 0)
			return &d->v[i];
	return NULL;
}

static struct config_place *add_place(
	struct config_draft *d, const char *section, const char *name, const char *key)
{
	struct config_place *place;

	mem_grow(&d->v, d->n, &d->cap, sizeof(*d->v));
	place = &d->v[d->n++];
	place->section = mem_strdup(section);
	place->name = mem_strdup(name);
	place->key = mem_strdup(key);
	return place;
}

static char *place_text(
	const char *file, int line, const char *section, const char *name, const char *key)
{
	struct str text;

	str_init(&text);
	str_addf(&text, "%s:%d: [%s", file, line, section);
	if (name[0] != '\0')
		str_addf(&text, " \"%s\"", name);
	str_addc(&text, ']');
	if (key[0] != '\0')
		str_addf(&text, " %s", key);
	return str_steal(&text);
}

char *config_where(
	const struct config_draft *d, const char *section, const char *name, const char *key)
{
	const struct config_place *place = find_place(d, section, name, key);

	if (place == NULL) /* a value that a section has by itself */
		place = find_place(d, section, name, "");
	return place_text(place ? d->files.v[place->file] : "built-in defaults",
		place ? place->line : 0, section, name, key);
}

int config_fault(const struct config_draft *d, const char *section, const char *name,
	const char *key, struct err *e, const char *format, ...)
{
	char *where = config_where(d, section, name, key), *text;
	va_list ap;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	(void)err_set(e, "%s: %s", where, text);
	free(text);
	free(where);
	return -1;
}

/* What is being read: an entry of the file that was added to D last. */
struct spot {
	struct config_draft *d;
	const struct ini_entry *entry;
	enum config_layer layer;
};

static int fault(const struct spot *s, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fault(const struct spot *s, struct err *e, const char *format, ...)
{
	const struct ini_entry *entry = s->entry;
	char *where = place_text(s->d->files.v[s->d->files.n - 1], entry->line, entry->section,
		entry->name ? entry->name : "", entry->key ? entry->key : "");
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	(void)err_set(e, "%s: %s", where, text);
	free(text);
	free(where);
	return -1;
}

static int unknown_section(const struct spot *s, struct err *e)
{
	struct str meant;

	str_init(&meant);
	config_suggest_section(&meant, s->entry->section);
	(void)fault(s, e, "no such section; %s", meant.buf);
	str_clear(&meant);
	return -1;
}

static int unknown_key(const struct spot *s, struct err *e)
{
	struct str meant;

	str_init(&meant);
	config_suggest_key(&meant, s->entry->section, s->entry->key);
	(void)fault(s, e, "no such key; %s", meant.buf);
	str_clear(&meant);
	return -1;
}

/* The repository's file says only what the system's file leaves to it. */
static int check_allowed(const struct spot *s, struct err *e)
{
	if (s->layer != CONFIG_REPOSITORY || s->d->c->allow_repository_config == CONFIG_YES ||
		strcmp(s->entry->section, "project") == 0)
		return 0;
	return fault(s, e,
		"the system's file (allow-repository-config = no) leaves only [project] to a "
		"repository's file");
}

static int add_heading(const struct spot *s, struct err *e)
{
	const struct config_section *section = config_section_find(s->entry->section);
	const char *name = s->entry->name;
	struct config_place *place;

	if (section == NULL)
		return unknown_section(s, e);
	if (check_allowed(s, e) != 0)
		return -1;
	if (section->size == 0)
		return name == NULL ? 0
				    : fault(s, e, "this section has no name; write [%s]",
					      section->section);
	if (name == NULL)
		return fault(s, e, "a name is missing; write [%s \"NAME\"]", section->section);
	if (!section->fits(name))
		return fault(s, e, "the name does not fit; write %s", section->wanted);
	if (config_element(s->d->c, section, name) == NULL)
		(void)config_element_add(s->d->c, section, name);
	place = find_place(s->d, section->section, name, "");
	if (place == NULL)
		place = add_place(s->d, section->section, name, "");
	place->file = s->d->files.n - 1;
	place->line = s->entry->line;
	return 0;
}

/*
 * The key that TEXT names, with its number: `members.2` is part 2 of members.  NULL and *E: there
 * is none, or it has no parts.
 */
static const struct config_key *find_key(const struct spot *s, long *part, struct err *e)
{
	const char *text = s->entry->key, *dot = strrchr(text, '.');
	const struct config_key *k;
	long long number = 0;
	char *stem;

	*part = 1;
	k = config_key_find(s->entry->section, text);
	if (k != NULL)
		return k;
	if (dot != NULL && str_number(dot + 1, INT_MAX, &number) == 0) {
		stem = mem_strndup(text, (size_t)(dot - text));
		k = config_key_find(s->entry->section, stem);
		free(stem);
	}
	if (k == NULL) {
		(void)unknown_key(s, e);
		return NULL;
	}
	if (k->type != CONFIG_LIST || number < 2 || dot[1] == '0') {
		(void)fault(s, e,
			k->type != CONFIG_LIST
				? "only a list goes on in numbered keys"
				: "a list starts with the key alone and goes on with number 2");
		return NULL;
	}
	*part = (long)number;
	return k;
}

/* A later file's value takes the place of an earlier one's; within a file there is one of each. */
static int take_place(const struct spot *s, const struct config_key *k, long part, struct err *e)
{
	struct config_draft *d = s->d;
	const char *name = s->entry->name ? s->entry->name : "";
	size_t file = d->files.n - 1;
	struct config_place *place = find_place(d, k->section, name, k->key);
	long last = place != NULL && place->file == file ? place->part : 0;

	if (part <= last && part == 1)
		return fault(s, e, "given twice in this file, first in line %d", place->line);
	if (part <= last)
		return fault(
			s, e, "given twice in this file; the next is %s.%ld", k->key, last + 1);
	if (part > last + 1 && last == 0)
		return fault(s, e, "does not follow %s in this file", k->key);
	if (part > last + 1)
		return fault(s, e, "does not follow %s.%ld in this file", k->key, part - 1);
	if (place == NULL)
		place = add_place(d, k->section, name, k->key);
	place->file = file;
	place->part = part;
	if (part == 1)
		place->line = s->entry->line;
	return 0;
}

static int add_key(const struct spot *s, struct err *e)
{
	const struct config_section *section = config_section_find(s->entry->section);
	struct err why = ERR_INIT;
	const struct config_key *k;
	void *base = s->d->c;
	long part;

	k = find_key(s, &part, e);
	if (k == NULL)
		return -1;
	if (s->layer == CONFIG_REPOSITORY && k->where == CONFIG_SYSTEM_FILE)
		return fault(s, e, "stands in the system's file alone");
	if (take_place(s, k, part, e) != 0)
		return -1;
	if (section->size > 0)
		base = config_element(s->d->c, section, s->entry->name);
	if (config_set(k, base, part, s->entry->value, &why) == 0)
		return 0;
	(void)fault(s, e, "%s", err_text(&why));
	err_clear(&why);
	return -1;
}

int config_layer(struct config_draft *d, const struct ini *i, enum config_layer layer,
	const char *name, struct err *e)
{
	struct spot s = {.d = d, .layer = layer};

	strlist_add(&d->files, name);
	for (size_t n = 0; n < i->n; n++) {
		s.entry = &i->v[n];
		if ((s.entry->key == NULL ? add_heading(&s, e) : add_key(&s, e)) != 0)
			return -1;
	}
	return 0;
}

void config_draft_clear(struct config_draft *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].section);
		free(d->v[i].name);
		free(d->v[i].key);
	}
	free(d->v);
	strlist_clear(&d->files);
	memset(d, 0, sizeof(*d));
}
