#include "data/pointer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/yaml.h"

/* What the value of a key may be. */
enum shape { ANYTHING, TEXT, TRUTH, NUMBER, LIST, MAPPING };

struct key {
	const char *name;
	enum shape shape;
};

static const struct key root_keys[] = {{"outs", LIST}, {"deps", LIST}, {"wdir", TEXT},
	{"md5", TEXT}, {"frozen", TRUTH}, {"locked", TRUTH}, {"meta", ANYTHING}, {"desc", TEXT},
	{"always_changed", TRUTH}, {NULL, ANYTHING}};

static const struct key out_keys[] = {{"path", TEXT}, {"hash", TEXT}, {"md5", TEXT}, {"etag", TEXT},
	{"checksum", TEXT}, {"size", NUMBER}, {"nfiles", NUMBER}, {"isexec", TRUTH},
	{"version_id", TEXT}, {"cloud", MAPPING}, {"files", LIST}, {"remote", TEXT},
	{"cache", TRUTH}, {"push", TRUTH}, {"persist", TRUTH}, {"fs_config", MAPPING},
	{"desc", TEXT}, {"type", TEXT}, {"labels", LIST}, {"meta", ANYTHING}, {NULL, ANYTHING}};

/* Decimal without a leading zero, which YAML would take for an octal number. */
static int is_number(const struct yaml *y)
{
	const char *text = yaml_text(y);
	long long value;

	return text != NULL && yaml_style(y) == YAML_PLAIN &&
	       str_number(text, INT64_MAX, &value) == 0 && (text[0] != '0' || text[1] == '\0');
}

static int is_truth(const struct yaml *y)
{
	static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
	const char *text = yaml_text(y);

	if (text != NULL && yaml_style(y) == YAML_PLAIN)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(text, words[i]) == 0)
				return 1;
	return 0;
}

/* NULL, or what Y should be and is not. */
static const char *misfit(const struct yaml *y, enum shape shape)
{
	switch (shape) {
	case TEXT:
		return yaml_text(y) != NULL ? NULL : "must be a text";
	case TRUTH:
		return is_truth(y) ? NULL : "must be true or false";
	case NUMBER:
		return is_number(y) ? NULL : "must be a whole number, 0 or more";
	case LIST:
		return yaml_kind(y) == YAML_SEQUENCE ? NULL : "must be a list";
	case MAPPING:
		return yaml_kind(y) == YAML_MAPPING ? NULL : "must be a mapping";
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
	digits = strspn(text, "0123456789abcdef");
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
	const char *folder = wdir != NULL ? yaml_text(wdir) : ".", *wrong;

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
	memset(p, 0, sizeof(*p));
}
