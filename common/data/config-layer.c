#include "data/config-parts.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/ini.h"

struct config_place *config_place_find(
	struct config_place *v, size_t n, const struct config_spot *spot)
{
	/* Each push loads three configurations: the first letter saves most of the comparisons. */
	for (size_t i = 0; i < n; i++)
		if (v[i].key[0] == spot->key[0] && v[i].name[0] == spot->name[0] &&
			strcmp(v[i].key, spot->key) == 0 &&
			strcmp(v[i].section, spot->section) == 0 &&
			strcmp(v[i].name, spot->name) == 0)
			return &v[i];
	return NULL;
}

static struct config_place *find_place(
	const struct config_draft *d, const char *section, const char *name, const char *key)
{
	return config_place_find(d->v, d->n, CONFIG_SPOT(section, name, key));
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

static char *spot_text(const char *file, int line, const struct config_spot *spot)
{
	struct str text;

	str_init(&text);
	str_addf(&text, "%s:%d: [%s", file, line, spot->section);
	if (spot->name[0] != '\0')
		str_addf(&text, " \"%s\"", spot->name);
	str_addc(&text, ']');
	if (spot->key[0] != '\0')
		str_addf(&text, " %s", spot->key);
	return str_steal(&text);
}

char *config_where(const struct config_draft *d, const struct config_spot *spot)
{
	const struct config_place *place = find_place(d, spot->section, spot->name, spot->key);

	if (place == NULL) /* a value that a section has by itself */
		place = find_place(d, spot->section, spot->name, "");
	return spot_text(place ? d->files.v[place->file] : "built-in defaults",
		place ? place->line : 0, spot);
}

static void set_fault(struct err *e, const char *where, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void set_fault(struct err *e, const char *where, const char *format, va_list ap)
{
	char *text = mem_vformat(format, ap);

	(void)err_set(e, "%s: %s", where, text);
	free(text);
}

int config_fault(const struct config_draft *d, const struct config_spot *spot, struct err *e,
	const char *format, ...)
{
	char *where = config_where(d, spot);
	va_list ap;

	va_start(ap, format);
	set_fault(e, where, format, ap);
	va_end(ap);
	free(where);
	return -1;
}

/* The entry that is being read, of the last file. */
struct reading {
	struct config_draft *d;
	const struct ini_entry *entry;
	enum config_layer layer;
};

static int fault(const struct reading *r, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fault(const struct reading *r, struct err *e, const char *format, ...)
{
	const struct ini_entry *entry = r->entry;
	char *where = spot_text(r->d->files.v[r->d->files.n - 1], entry->line,
		CONFIG_SPOT(entry->section, entry->name ? entry->name : "",
			entry->key ? entry->key : ""));
	va_list ap;

	va_start(ap, format);
	set_fault(e, where, format, ap);
	va_end(ap);
	free(where);
	return -1;
}

static int unknown_section(const struct reading *r, struct err *e)
{
	struct str meant;

	str_init(&meant);
	config_suggest_section(&meant, r->entry->section);
	(void)fault(r, e, "no such section; %s", meant.buf);
	str_clear(&meant);
	return -1;
}

static int unknown_key(const struct reading *r, struct err *e)
{
	struct str meant;

	str_init(&meant);
	config_suggest_key(&meant, r->entry->section, r->entry->key);
	(void)fault(r, e, "no such key; %s", meant.buf);
	str_clear(&meant);
	return -1;
}

/* The repository's file says only what the system's file leaves to it. */
static int check_allowed(const struct reading *r, struct err *e)
{
	if (r->layer != CONFIG_REPOSITORY || r->d->c->allow_repository_config == CONFIG_YES ||
		strcmp(r->entry->section, "project") == 0)
		return 0;
	return fault(r, e,
		"the system's file (allow-repository-config = no) leaves only [project] to a "
		"repository's file");
}

static int add_heading(const struct reading *r, struct err *e)
{
	const struct config_section *section = config_section_find(r->entry->section);
	const char *name = r->entry->name;
	struct config_place *place;

	if (section == NULL)
		return unknown_section(r, e);
	if (check_allowed(r, e) != 0)
		return -1;
	if (section->size == 0)
		return name == NULL ? 0
				    : fault(r, e, "this section has no name; write [%s]",
					      section->section);
	if (name == NULL)
		return fault(r, e, "a name is missing; write [%s \"NAME\"]", section->section);
	if (!section->fits(name))
		return fault(r, e, "the name does not fit; write %s", section->wanted);
	if (config_element(r->d->c, section, name) == NULL)
		(void)config_element_add(r->d->c, section, name);
	place = find_place(r->d, section->section, name, "");
	if (place == NULL)
		place = add_place(r->d, section->section, name, "");
	place->file = r->d->files.n - 1;
	place->line = r->entry->line;
	return 0;
}

/*
 * The key that TEXT names, with its number: `members.2` is part 2 of members.  NULL and *E: there
 * is none, or it has no parts.
 */
static const struct config_key *find_key(const struct reading *r, long *part, struct err *e)
{
	const char *text = r->entry->key, *dot = strrchr(text, '.');
	const struct config_key *k;
	long long number = 0;
	char *stem;

	*part = 1;
	k = config_key_find(r->entry->section, text);
	if (k != NULL)
		return k;
	if (dot != NULL && str_number(dot + 1, INT_MAX, &number) == 0) {
		stem = mem_strndup(text, (size_t)(dot - text));
		k = config_key_find(r->entry->section, stem);
		free(stem);
	}
	if (k == NULL) {
		(void)unknown_key(r, e);
		return NULL;
	}
	if (k->type != CONFIG_LIST || number < 2 || dot[1] == '0') {
		(void)fault(r, e,
			k->type != CONFIG_LIST
				? "only a list goes on in numbered keys"
				: "a list starts with the key alone and goes on with number 2");
		return NULL;
	}
	*part = (long)number;
	return k;
}

/* A later file's value takes the place of an earlier one's; within a file there is one of each. */
static int take_place(const struct reading *r, const struct config_key *k, long part, struct err *e)
{
	struct config_draft *d = r->d;
	const char *name = r->entry->name ? r->entry->name : "";
	size_t file = d->files.n - 1;
	struct config_place *place = find_place(d, k->section, name, k->key);
	long last = place != NULL && place->file == file ? place->part : 0;

	if (part <= last && part == 1)
		return fault(r, e, "given twice in this file, first in line %d", place->line);
	if (part <= last)
		return fault(
			r, e, "given twice in this file; the next is %s.%ld", k->key, last + 1);
	if (part > last + 1 && last == 0)
		return fault(r, e, "does not follow %s in this file", k->key);
	if (part > last + 1)
		return fault(r, e, "does not follow %s.%ld in this file", k->key, part - 1);
	if (place == NULL)
		place = add_place(d, k->section, name, k->key);
	place->file = file;
	place->part = part;
	if (part == 1)
		place->line = r->entry->line;
	return 0;
}

static int add_key(const struct reading *r, struct err *e)
{
	const struct config_section *section = config_section_find(r->entry->section);
	struct err why = ERR_INIT;
	const struct config_key *k;
	void *base = r->d->c;
	long part;

	k = find_key(r, &part, e);
	if (k == NULL)
		return -1;
	if (r->layer == CONFIG_REPOSITORY && k->where == CONFIG_SYSTEM_FILE)
		return fault(r, e, "stands in the system's file alone");
	if (take_place(r, k, part, e) != 0)
		return -1;
	if (section->size > 0)
		base = config_element(r->d->c, section, r->entry->name);
	if (config_set(k, base, part, r->entry->value, &why) == 0)
		return 0;
	(void)fault(r, e, "%s", err_text(&why));
	err_clear(&why);
	return -1;
}

int config_layer(
	struct config_draft *d, const struct ini *i, enum config_layer layer, struct err *e)
{
	struct reading r = {.d = d, .layer = layer};

	for (size_t n = 0; n < i->n; n++) {
		r.entry = &i->v[n];
		if ((r.entry->key == NULL ? add_heading(&r, e) : add_key(&r, e)) != 0)
			return -1;
	}
	return 0;
}

void config_places_free(struct config_place *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].section);
		free(v[i].name);
		free(v[i].key);
	}
	free(v);
}

void config_draft_clear(struct config_draft *d)
{
	config_places_free(d->v, d->n);
	strlist_clear(&d->files);
	memset(d, 0, sizeof(*d));
}
