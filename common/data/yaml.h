/*
 * A bounded reader of the YAML that tools write for each other (yaml.org/spec/1.1), with libyaml:
 * one document, no anchors, aliases, tags, directives or tabs (but in comments), every mapping key
 * a scalar that stands once.  The result is a small tree.
 */
#ifndef MODELGATE_DATA_YAML_H
#define MODELGATE_DATA_YAML_H

#include <stddef.h>

struct err;
struct yaml;

struct yaml_limits {
	size_t bytes;
	int depth;
	int nodes; /* keys count too */
};

/* Of yaml_parse(). */
#define YAML_MAX_BYTES ((size_t)64 << 10)
#define YAML_MAX_DEPTH 8
#define YAML_MAX_NODES 1000

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };
/* How a scalar was written: only a plain one can be a number, a truth value or null. */
enum yaml_style { YAML_PLAIN, YAML_QUOTED };
enum yaml_type {
	YAML_TEXT,
	YAML_NULL,
	YAML_TRUTH,
	YAML_INTEGER,
	YAML_OTHER /* a fraction, a day */
};

/*
 * Parse LEN bytes.  0 and *OUT, the caller's to yaml_tree_free(), or -1 and *E, which starts with
 * "line N: " where that is known, and goes on with the place in the tree: "line N: outs[0].md5: ".
 */
int yaml_parse(struct yaml **out, const char *text, size_t len, struct err *e);
/* The same, within LIMITS. */
int yaml_parse_within(struct yaml **out, const char *text, size_t len,
	const struct yaml_limits *limits, struct err *e);
/* NULL is fine.  (libyaml has a yaml_free of its own, which must not be replaced.) */
void yaml_tree_free(struct yaml *y);

/* The functions below borrow, and take NULL for a node that is not there. */
enum yaml_kind yaml_kind(const struct yaml *y); /* NULL counts as a scalar without text */
/* The line that Y starts on, from 1; 0 for NULL. */
int yaml_line(const struct yaml *y);
/* The text of the scalar Y, which holds no NUL; NULL: no scalar. */
const char *yaml_text(const struct yaml *y);
enum yaml_style yaml_style(const struct yaml *y); /* of a scalar; YAML_QUOTED for anything else */
/*
 * What a reader of YAML 1.2 takes the scalar Y for (yaml.org/spec/1.2.2, core schema; days and
 * digits grouped by "_" as 1.1 has them, which such readers still know); YAML_TEXT for anything
 * else.
 */
enum yaml_type yaml_type(const struct yaml *y);
/* Elements of a sequence, pairs of a mapping; 0 for anything else. */
size_t yaml_length(const struct yaml *y);
/* Element INDEX of a sequence, value INDEX of a mapping; NULL beyond the end. */
const struct yaml *yaml_at(const struct yaml *y, size_t index);
/* Key INDEX of a mapping, a scalar; NULL beyond the end. */
const struct yaml *yaml_key(const struct yaml *y, size_t index);
/* The value of KEY in the mapping Y; NULL: Y is no mapping or has none such. */
const struct yaml *yaml_get(const struct yaml *y, const char *key);

#endif
