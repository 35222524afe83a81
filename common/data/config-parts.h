/*
 * What the files config*.c share: the table of keys, the configuration while it is being read, and
 * the checks.  Not for anybody else; see config.h.
 */
#ifndef MODELGATE_DATA_CONFIG_PARTS_H
#define MODELGATE_DATA_CONFIG_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "data/config.h"

struct err;
struct ini;

/* ---- config-keys.c: which keys there are ---- */

enum config_type {
	CONFIG_TEXT,   /* char *; one of WORDS if there are any */
	CONFIG_PROSE,  /* char *; free text, `#` and quotes included */
	CONFIG_WORD,   /* int, the index in WORDS */
	CONFIG_SET,    /* unsigned, bit n for WORDS[n] */
	CONFIG_NUMBER, /* int64_t */
	CONFIG_SIZE,   /* int64_t, with k, M or G */
	CONFIG_LIST    /* struct strlist; its items are of WORDS if there are any */
};

enum config_where { CONFIG_ANY_FILE, CONFIG_SYSTEM_FILE };

struct config_key {
	const char *section;
	const char *key;
	size_t offset; /* in struct config, or in the struct of the named section */
	enum config_type type;
	const char *const *words; /* NULL-terminated, or NULL */
	int64_t min;              /* of a number; 1 for a text or list that must not be empty */
	int64_t max;              /* of a number */
	/*
	 * 1 if a text, or an item of a list, may be used; NULL: any may.  WANTED says which, for
	 * messages.
	 */
	int (*fits)(const char *value);
	const char *wanted;
	const char *initial; /* in a new named section; NULL: empty, or the first word */
	enum config_where where;
};

/* A section; one with names may be there once for each name, and has an array in struct config. */
struct config_section {
	const char *section;
	size_t array; /* offset of the array; the first member of its elements is the name */
	size_t count; /* offset of the number of elements */
	size_t size;  /* of an element; 0: a section without names */
	int (*fits)(const char *name);
	const char *wanted;
};

extern const struct config_key config_keys[]; /* ended by a NULL key; a section's stand together */
extern const struct config_section config_sections[]; /* ended by a NULL section */

const struct config_section *config_section_find(const char *section);
const struct config_key *config_key_find(const char *section, const char *key);
/* Add what an unknown section or key could have been meant for, for the end of a message. */
void config_suggest_section(struct str *out, const char *section);
void config_suggest_key(struct str *out, const char *section, const char *key);

/* ---- config-fits.c: what a value may look like; 1 or 0 ---- */

int config_fits_branch(const char *name); /* the short name of a branch, as git takes it */
int config_fits_ruled(const char *name);  /* a branch that may have a [branch] section */
int config_fits_source(const char *name); /* a branch, or retrain-* */
int config_fits_name(const char *name);   /* role, chain, airflow: a folder may be called so */
int config_fits_project(const char *name);
int config_fits_date(const char *format);
int config_fits_absolute(const char *path);
int config_fits_file(const char *path); /* a file inside a tree */
int config_fits_pattern(const char *glob);
int config_fits_schedule(const char *text);
int config_fits_address(const char *text);
int config_fits_images(const char *registry); /* "HOST[:PORT][/PATH]" */
int config_fits_url(const char *url);
int config_fits_remote(const char *repository);
/* 1 if URL has a password or a token in it: it must not even be shown. */
int config_holds_secret(const char *url);
int config_fits_secret(const char *name);
/* 1 if REPOSITORY, which fits, is reached over a network, 0 if it is a path. */
int config_is_remote(const char *repository);

/* ---- config-values.c: text into a struct and back ---- */

/*
 * The element NAME of the array that S describes, NULL if there is none; or a new one with initial
 * values.
 */
void *config_element(const struct config *c, const struct config_section *s, const char *name);
void *config_element_add(struct config *c, const struct config_section *s, const char *name);
/*
 * Set the value of K in BASE; of a list, empty it first unless PART is more than 1.  0, or -1 and
 * *E says what is wrong with VALUE and what would be right, without saying where.
 */
int config_set(const struct config_key *k, void *base, long part, const char *value, struct err *e);
/* Add the value of K in BASE as it could stand in a file. */
void config_render(struct str *out, const struct config_key *k, const void *base);
/*
 * Call VISIT for each key of each section there is, with the section's name ("" where it has none)
 * and the struct that holds the value; stop at the first that does not return 0, and return that.
 */
typedef int config_visit(const struct config_key *k, const char *name, void *base, void *arg);
int config_each(struct config *c, config_visit *visit, void *arg);

/* ---- config-layer.c: files over one another ---- */

enum config_layer { CONFIG_DEFAULTS, CONFIG_SYSTEM, CONFIG_REPOSITORY };

/* Where a key, or a heading (KEY empty), was set last. */
struct config_place {
	char *section;
	char *name; /* "": none */
	char *key;
	long part;   /* 1; 2 is members.2 */
	size_t file; /* index in FILES */
	int line;
};

struct config_draft {
	struct config *c;
	struct config_place *v;
	size_t n;
	size_t cap;
	struct strlist files; /* names for messages */
};

/* Put I, the content of the last of D->files, over what *D holds.  0, or -1. */
int config_layer(
	struct config_draft *d, const struct ini *i, enum config_layer layer, struct err *e);
void config_draft_clear(struct config_draft *d); /* leaves D->c alone */
void config_places_free(struct config_place *v, size_t n);

/* What a message is about; NAME and KEY may be "". */
struct config_spot {
	const char *section, *name, *key;
};

#define CONFIG_SPOT(section, name, key) (&(const struct config_spot){section, name, key})

/* The place of SPOT among the N places V; NULL: there is none. */
struct config_place *config_place_find(
	struct config_place *v, size_t n, const struct config_spot *spot);
/*
 * "FILE:LINE: [section "name"] key", where the key was set last, or else its section; the caller's
 * to free().
 */
char *config_where(const struct config_draft *d, const struct config_spot *spot);
/* Set *E to that, ": " and the text.  -1. */
int config_fault(const struct config_draft *d, const struct config_spot *spot, struct err *e,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- config-defaults.c, config-check.c, config-file.c ---- */

extern const char config_defaults[]; /* the layer below all files */

/* What no key can tell by itself: names that must be there, order, likeness.  0, or -1. */
int config_check(const struct config_draft *d, struct err *e);

#define CONFIG_FILE_SIZE 262144 /* bytes */

enum config_presence { CONFIG_MAY_BE_ABSENT, CONFIG_MUST_EXIST };
/*
 * Read the file PATH into *OUT (initialised by the caller): one that root or OWNER owns, and that
 * nobody else can write or replace.  1 read, 0 there is none and may be, -1.
 */
int config_file_read(struct str *out, const char *path, uint64_t owner,
	enum config_presence presence, struct err *e);

#endif
