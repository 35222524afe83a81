#include "data/pointer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/yaml.h"

#define IN_QUOTES "must be in quotes: without them it is no text in YAML"

/* What the value of a key may be, as DVC's own schema has it (schema.py, output.py). */
enum shape {
	ANYTHING,
	TEXT,
	FOLDER,   /* a text, or null */
	CHECKSUM, /* a text or digits, three at least; or null */
	TRUTH,
	NUMBER,
	LIST,
	TEXTS,    /* a list of texts */
	MAPPINGS, /* a list of mappings */
	MAPPING,
	CLOUD /* a mapping of one mapping at most, by the name of a remote */
};

struct key {
	const char *name;
	enum shape shape;
};

static const struct key root_keys[] = {{"outs", LIST}, {"deps", MAPPINGS}, {"wdir", FOLDER},
	{"md5", CHECKSUM}, {"frozen", TRUTH}, {"locked", TRUTH}, {"meta", ANYTHING}, {"desc", TEXT},
	{"always_changed", TRUTH}, {NULL, ANYTHING}};

static const struct key out_keys[] = {{"path", TEXT}, {"hash", TEXT},
	{"md5", ANYTHING /* see read_md5() */}, {"etag", CHECKSUM}, {"checksum", CHECKSUM},
	{"size", NUMBER}, {"nfiles", NUMBER}, {"isexec", TRUTH}, {"version_id", TEXT},
	{"cloud", CLOUD}, {"files", MAPPINGS}, {"remote", TEXT}, {"cache", TRUTH}, {"push", TRUTH},
	{"persist", TRUTH}, {"fs_config", MAPPING}, {"desc", TEXT}, {"type", TEXT},
	{"labels", TEXTS}, {"meta", ANYTHING}, {NULL, ANYTHING}};

static int is_text(const struct yaml *y)
{
	return yaml_text(y) != NULL && yaml_type(y) == YAML_TEXT;
}

static int is_null(const struct yaml *y)
{
	return yaml_text(y) != NULL && yaml_type(y) == YAML_NULL;
}

static int is_checksum(const struct yaml *y)
{
	const char *text = yaml_text(y);

	if (text == NULL || text[0] == '\0' || is_null(y))
		return text != NULL;
	return (yaml_type(y) == YAML_TEXT || yaml_type(y) == YAML_INTEGER) && strlen(text) >= 3;
}

/* Decimal without a leading zero, which some readers of YAML take for an octal number. */
static int is_number(const struct yaml *y)
{
	const char *text = yaml_text(y);
	long long value;

	return text != NULL && yaml_style(y) == YAML_PLAIN &&
	       str_number(text, INT64_MAX, &value) == 0 && (text[0] != '0' || text[1] == '\0');
}

static int is_mapping(const struct yaml *y)
{
	return yaml_kind(y) == YAML_MAPPING;
}

/* 1 if every value in Y, a list or a mapping, is as FITS says. */
static int all_are(const struct yaml *y, int (*fits)(const struct yaml *y))
{
	for (size_t i = 0; i < yaml_length(y); i++)
		if (!fits(yaml_at(y, i)))
			return 0;
	return 1;
}

static const char *misfit_of_text(const struct yaml *y)
{
	if (is_text(y))
		return NULL;
	return yaml_text(y) == NULL || is_null(y) ? "must be a text" : IN_QUOTES;
}

/* NULL, or what Y should be and is not. */
static const char *misfit(const struct yaml *y, enum shape shape)
{
	const int list = yaml_kind(y) == YAML_SEQUENCE;

	switch (shape) {
	case TEXT:
		return misfit_of_text(y);
	case FOLDER:
		return is_null(y) ? NULL : misfit_of_text(y);
	case CHECKSUM:
		return is_checksum(y) ? NULL : "must be a checksum";
	case TRUTH:
		return yaml_type(y) == YAML_TRUTH ? NULL : "must be true or false";
	case NUMBER:
		return is_number(y) ? NULL : "must be a whole number, 0 or more";
	case LIST:
		return list ? NULL : "must be a list";
	case TEXTS:
		return list && all_are(y, is_text) ? NULL : "must be a list of texts";
	case MAPPINGS:
		return list && all_are(y, is_mapping) ? NULL : "must be a list of mappings";
	case MAPPING:
		return is_mapping(y) ? NULL : "must be a mapping";
	case CLOUD:
		return is_mapping(y) && yaml_length(y) <= 1 && all_are(y, is_mapping)
			       ? NULL
			       : "must be a mapping of one mapping";
	case ANYTHING:
		break;
	}
	return NULL;
}

/* Each key of Y must be in KEYS, and its value have the right shape.  WHERE is put before it. */
static int check_keys(
	const struct yaml *y, const struct key *keys, const char *where, struct err *e)
{
	for (size_t i = 0; i < yaml_length(y); i++) {
		const struct yaml *name = yaml_key(y, i), *value = yaml_at(y, i);
		const struct key *k = keys;
		const char *wrong;

		while (k->name != NULL && strcmp(k->name, yaml_text(name)) != 0)
			k++;
		wrong = k->name == NULL ? "not a key of a DVC pointer" : misfit(value, k->shape);
		if (wrong != NULL) {
			char *shown = str_safe(yaml_text(name), 60);

			(void)err_set(e, "line %d: %s%s: %s", yaml_line(name), where, shown, wrong);
			free(shown);
			return -1;
		}
	}
	return 0;
}

/* The value of NAME in the output OUT, which must be there. */
static const struct yaml *must_have(const struct yaml *out, const char *name, struct err *e)
{
	const struct yaml *value = yaml_get(out, name);

	if (value == NULL)
		(void)err_set(e, "line %d: outs[0].%s: missing", yaml_line(out), name);
	return value;
}

static int read_md5(struct pointer *p, const struct yaml *out, struct err *e)
{
	const struct yaml *y = must_have(out, "md5", e);
	const char *text = yaml_text(y);
	size_t digits;

	if (y == NULL)
		return -1;
	if (yaml_type(y) == YAML_OTHER) /* such as 1234e5678... */
		return err_set(e, "line %d: outs[0].md5: " IN_QUOTES, yaml_line(y));
	digits = text != NULL ? strspn(text, "0123456789abcdef") : 0;
	if (digits != MD5_HEX_SIZE - 1 ||
		(text[digits] != '\0' && strcmp(text + digits, ".dir") != 0))
		return err_set(e,
			"line %d: outs[0].md5: must be 32 lower-case hexadecimal digits, for a "
			"folder with \".dir\" after them",
			yaml_line(y));
	memcpy(p->md5, text, digits);
	p->object = text[digits] == '\0' ? POINTER_FILE : POINTER_FOLDER;
	return 0;
}

static int read_hash(struct pointer *p, const struct yaml *out, struct err *e)
{
	const struct yaml *y = yaml_get(out, "hash");

	p->layout = y != NULL ? POINTER_FILES_MD5 : POINTER_LEGACY;
	if (y != NULL && strcmp(yaml_text(y), "md5") != 0)
		return err_set(e, "line %d: outs[0].hash: must be md5", yaml_line(y));
	return 0;
}

static int read_size(struct pointer *p, const struct yaml *out, struct err *e)
{
	const struct yaml *y = must_have(out, "size", e);
	long long value = 0;

	if (y == NULL)
		return -1;
	(void)str_number(yaml_text(y), INT64_MAX, &value); /* its shape was looked at before */
	p->size = value;
	return 0;
}

/* What need not be there, and whose shapes were looked at before. */
static void read_optional(struct pointer *p, const struct yaml *out)
{
	const struct yaml *nfiles = yaml_get(out, "nfiles"), *remote = yaml_get(out, "remote");
	long long value;

	p->nfiles = -1;
	if (nfiles != NULL && str_number(yaml_text(nfiles), INT64_MAX, &value) == 0)
		p->nfiles = value;
	p->remote = remote != NULL ? mem_strdup(yaml_text(remote)) : NULL;
}

/* NULL, or what is wrong with TEXT as a path below the pointer's folder. */
static const char *path_fault(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "holds a control character";
	return path_is_inside(text) ? NULL
				    : "must be relative, without \".\", \"..\" or empty parts";
}

/* DVC takes the path from the folder `wdir`, and that from the pointer's own. */
static int read_path(
	struct pointer *p, const struct yaml *root, const struct yaml *out, struct err *e)
{
	const struct yaml *y = must_have(out, "path", e), *wdir = yaml_get(root, "wdir");
	const char *folder = wdir != NULL && !is_null(wdir) ? yaml_text(wdir) : ".", *wrong;

	if (y == NULL)
		return -1;
	wrong = path_fault(yaml_text(y));
	if (wrong != NULL)
		return err_set(e, "line %d: outs[0].path: %s", yaml_line(y), wrong);
	if (strcmp(folder, ".") == 0) {
		p->path = mem_strdup(yaml_text(y));
		return 0;
	}
	wrong = path_fault(folder);
	if (wrong != NULL)
		return err_set(e, "line %d: wdir: %s", yaml_line(wdir), wrong);
	p->path = path_join(folder, yaml_text(y));
	return 0;
}

static int read_root(struct pointer *p, const struct yaml *root, struct err *e)
{
	const struct yaml *outs, *out;

	if (yaml_kind(root) != YAML_MAPPING)
		return err_set(e, "line %d: must be a mapping with the key outs", yaml_line(root));
	if (check_keys(root, root_keys, "", e) != 0)
		return -1;
	outs = yaml_get(root, "outs");
	if (outs == NULL)
		return err_set(e, "line %d: outs: missing", yaml_line(root));
	if (yaml_length(outs) != 1)
		return err_set(e, "line %d: outs: must have exactly one entry, not %zu",
			yaml_line(outs), yaml_length(outs));
	out = yaml_at(outs, 0);
	if (yaml_kind(out) != YAML_MAPPING)
		return err_set(e, "line %d: outs[0]: must be a mapping", yaml_line(out));
	if (check_keys(out, out_keys, "outs[0].", e) != 0 || read_md5(p, out, e) != 0 ||
		read_size(p, out, e) != 0 || read_hash(p, out, e) != 0)
		return -1;
	read_optional(p, out);
	return read_path(p, root, out, e);
}

int pointer_parse(struct pointer *out, const char *text, size_t len, struct err *e)
{
	struct yaml *root = NULL;
	int status;

	memset(out, 0, sizeof(*out));
	if (yaml_parse(&root, text, len, e) != 0)
		return -1;
	status = read_root(out, root, e);
	yaml_tree_free(root);
	if (status != 0)
		pointer_clear(out);
	return status;
}

void pointer_clear(struct pointer *p)
{
	free(p->path);
	free(p->remote);
	memset(p, 0, sizeof(*p));
}
