#include "data/yaml.h"

#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_KEY 60 /* bytes of a key in a message */

struct yaml {
	enum yaml_kind kind;
	enum yaml_style style;
	int line;
	char *text;         /* of a scalar */
	struct yaml **keys; /* of a mapping, as many as there are values */
	size_t cap_keys;
	struct yaml **values; /* of a sequence or mapping */
	size_t n;
	size_t cap;
};

/* Where the reading stands. */
struct reader {
	yaml_parser_t parser;
	const struct yaml_limits *limits;
	int nodes;       /* so far */
	struct str path; /* of the node that is read: outs[0].md5 */
	struct err *e;
};

static int line_of(yaml_mark_t mark)
{
	return mark.line < INT_MAX ? (int)mark.line + 1 : INT_MAX;
}

static int fault(struct reader *r, int line, const char *what)
{
	return err_set(
		r->e, "line %d: %s%s%s", line, r->path.buf, r->path.len > 0 ? ": " : "", what);
}

/* Go on to a node below; what is returned leads back, with leave(). */
static size_t enter(struct reader *r, const char *key)
{
	size_t back = r->path.len;
	char *shown = str_safe(key, MAX_KEY);

	str_addf(&r->path, "%s%s", back > 0 ? "." : "", shown);
	free(shown);
	return back;
}

static void leave(struct reader *r, size_t back)
{
	r->path.len = back;
	r->path.buf[back] = '\0';
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		(void)mem_given(NULL);
	if (r->parser.error == YAML_READER_ERROR)
		return err_set(r->e, "byte %zu: %s", r->parser.problem_offset, r->parser.problem);
	return err_set(r->e, "line %d: %s", line_of(r->parser.problem_mark),
		r->parser.problem != NULL ? r->parser.problem : "no YAML");
}

void yaml_tree_free(struct yaml *y)
{
	if (y == NULL)
		return;
	/* No deeper than the limit. */
	for (size_t i = 0; i < y->n; i++) {
		if (y->kind == YAML_MAPPING)
			yaml_tree_free(y->keys[i]);
		yaml_tree_free(y->values[i]);
	}
	free(y->text);
	free(y->keys);
	free(y->values);
	free(y);
}

/* Anchors and tags of EVENT, which starts a node; all are refused. */
static int check_decoration(struct reader *r, const yaml_event_t *event)
{
	int line = line_of(event->start_mark);
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default: /* an alias: nothing else can stand where a node is read */
		return fault(r, line, "an alias (*), which is not allowed");
	}
	if (anchor != NULL)
		return fault(r, line, "an anchor (&), which is not allowed");
	if (tag != NULL)
		return fault(r, line, "a tag (!), which is not allowed");
	return 0;
}

static int fill_scalar(struct reader *r, struct yaml *y, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	y->style = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? YAML_PLAIN : YAML_QUOTED;
	y->text = mem_strndup(value, len);
	return strlen(y->text) == len ? 0 : fault(r, y->line, "a NUL in a text");
}

static int read_node(struct reader *r, yaml_event_t *event, int depth, struct yaml **out);

/* Read the key that EVENT starts and its value into the mapping Y. */
static int read_pair(struct reader *r, struct yaml *y, yaml_event_t *event, int depth)
{
	struct yaml *key = NULL, *value = NULL;
	yaml_event_t next;
	size_t back = r->path.len;
	int status;

	if (read_node(r, event, depth, &key) != 0)
		return -1;
	if (key->kind != YAML_SCALAR) {
		status = fault(r, key->line, "a key that is not a text");
	} else if (yaml_get(y, key->text) != NULL) {
		(void)enter(r, key->text);
		status = fault(r, key->line, "a key that is there twice");
	} else {
		(void)enter(r, key->text);
		status = next_event(r, &next);
		if (status == 0) {
			status = read_node(r, &next, depth, &value);
			yaml_event_delete(&next);
		}
	}
	leave(r, back);
	if (status != 0) {
		yaml_tree_free(key);
		return -1;
	}
	mem_grow(&y->keys, y->n, &y->cap_keys, sizeof(struct yaml *));
	mem_grow(&y->values, y->n, &y->cap, sizeof(struct yaml *));
	y->keys[y->n] = key;
	y->values[y->n++] = value;
	return 0;
}

static int read_element(struct reader *r, struct yaml *y, yaml_event_t *event, int depth)
{
	struct yaml *value;
	size_t back = r->path.len;
	int status;

	str_addf(&r->path, "[%zu]", y->n);
	status = read_node(r, event, depth, &value);
	leave(r, back);
	if (status != 0)
		return -1;
	mem_grow(&y->values, y->n, &y->cap, sizeof(struct yaml *));
	y->values[y->n++] = value;
	return 0;
}

/* Read the children of Y up to the end of it. */
static int read_children(struct reader *r, struct yaml *y, int depth)
{
	int status = 0, ended = 0;
	yaml_event_t event;

	while (status == 0 && !ended) {
		if (next_event(r, &event) != 0)
			return -1;
		ended = event.type == YAML_SEQUENCE_END_EVENT ||
			event.type == YAML_MAPPING_END_EVENT;
		if (!ended && y->kind == YAML_MAPPING)
			status = read_pair(r, y, &event, depth);
		else if (!ended)
			status = read_element(r, y, &event, depth);
		yaml_event_delete(&event);
	}
	return status;
}

/* Read the node that EVENT starts, which lies below DEPTH others.  0 and *OUT, or -1. */
static int read_node(struct reader *r, yaml_event_t *event, int depth, struct yaml **out)
{
	struct yaml *y = NULL;
	int status;

	*out = NULL;
	if (check_decoration(r, event) != 0)
		return -1;
	if (++r->nodes > r->limits->nodes)
		return err_set(r->e, "line %d: more than %d values", line_of(event->start_mark),
			r->limits->nodes);
	if (event->type != YAML_SCALAR_EVENT && depth >= r->limits->depth)
		return err_set(r->e, "line %d: %s: nested deeper than %d",
			line_of(event->start_mark), r->path.buf, r->limits->depth);
	y = mem_zalloc(1, sizeof(*y));
	y->line = line_of(event->start_mark);
	y->style = YAML_QUOTED;
	if (event->type == YAML_SCALAR_EVENT) {
		status = fill_scalar(r, y, event);
	} else {
		y->kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAPPING : YAML_SEQUENCE;
		status = read_children(r, y, depth + 1);
	}
	if (status == 0)
		*out = y;
	else
		yaml_tree_free(y);
	return status;
}

/* Go on to the next event, which must be of the type WANTED; OTHERWISE says what it is if not. */
static int expect(struct reader *r, yaml_event_type_t wanted, const char *otherwise)
{
	yaml_event_t event;
	int status = 0;

	if (next_event(r, &event) != 0)
		return -1;
	if (event.type != wanted)
		status = err_set(r->e, "line %d: %s", line_of(event.start_mark), otherwise);
	else if (wanted == YAML_DOCUMENT_START_EVENT &&
		 (event.data.document_start.version_directive != NULL ||
			 event.data.document_start.tag_directives.start !=
				 event.data.document_start.tag_directives.end))
		status = err_set(r->e, "line %d: a directive (%%), which is not allowed",
			line_of(event.start_mark));
	yaml_event_delete(&event);
	return status;
}

static int read_document(struct reader *r, struct yaml **out)
{
	yaml_event_t event;
	int status;

	if (expect(r, YAML_STREAM_START_EVENT, "no YAML") != 0 ||
		expect(r, YAML_DOCUMENT_START_EVENT, "no document, the text is empty") != 0 ||
		next_event(r, &event) != 0)
		return -1;
	status = read_node(r, &event, 0, out);
	yaml_event_delete(&event);
	if (status == 0)
		status = expect(r, YAML_DOCUMENT_END_EVENT, "the document does not end");
	if (status == 0)
		status = expect(r, YAML_STREAM_END_EVENT, "a second document");
	return status;
}

/*
 * libyaml takes a tab for a blank between two tokens, other readers refuse the file; inside of
 * quotes it can be written as \t.
 */
static int check_tabs(const char *text, size_t len, struct err *e)
{
	enum { IN_LINE, IN_COMMENT } place = IN_LINE;
	int line = 1;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			line++;
			place = IN_LINE;
		} else if (text[i] == '#' && (i == 0 || strchr(" \t\n", text[i - 1]) != NULL)) {
			place = IN_COMMENT;
		} else if (text[i] == '\t' && place == IN_LINE) {
			return err_set(e, "line %d: a tab, which is not allowed", line);
		}
	}
	return 0;
}

int yaml_parse(struct yaml **out, const char *text, size_t len, struct err *e)
{
	static const struct yaml_limits limits = {
		.bytes = YAML_MAX_BYTES, .depth = YAML_MAX_DEPTH, .nodes = YAML_MAX_NODES};

	return yaml_parse_within(out, text, len, &limits, e);
}

int yaml_parse_within(struct yaml **out, const char *text, size_t len,
	const struct yaml_limits *limits, struct err *e)
{
	struct reader r = {.limits = limits, .e = e};
	int status;

	*out = NULL;
	if (len > limits->bytes)
		return err_set(e, "%zu bytes, more than %zu", len, limits->bytes);
	if (check_tabs(text, len, e) != 0)
		return -1;
	if (!yaml_parser_initialize(&r.parser))
		(void)mem_given(NULL);
	/* Said, so that it does not guess UTF-16. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	str_init(&r.path);
	status = read_document(&r, out);
	if (status != 0) {
		yaml_tree_free(*out);
		*out = NULL;
	}
	str_clear(&r.path);
	yaml_parser_delete(&r.parser);
	return status;
}

enum yaml_kind yaml_kind(const struct yaml *y)
{
	return y != NULL ? y->kind : YAML_SCALAR;
}

int yaml_line(const struct yaml *y)
{
	return y != NULL ? y->line : 0;
}

const char *yaml_text(const struct yaml *y)
{
	return y != NULL ? y->text : NULL;
}

enum yaml_style yaml_style(const struct yaml *y)
{
	return y != NULL ? y->style : YAML_QUOTED;
}

/* 1 if TEXT is of the FORM, an extended regular expression of ours. */
static int has_form(const char *text, const char *form)
{
	regex_t compiled;
	int found;

	if (regcomp(&compiled, form, REG_EXTENDED | REG_NOSUB) != 0)
		(void)mem_given(NULL);
	found = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

enum yaml_type yaml_type(const struct yaml *y)
{
	static const struct {
		enum yaml_type type;
		const char *form;
	} forms[] = {
		{YAML_NULL, "^(~|null|Null|NULL)?$"},
		{YAML_TRUTH, "^(true|True|TRUE|false|False|FALSE)$"},
		{YAML_INTEGER, "^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"},
		{YAML_OTHER, "^[-+]?([0-9][0-9_]*(\\.[0-9_]*)?|\\.[0-9_]+)([eE][-+]?[0-9]+)?$"},
		{YAML_OTHER, "^([-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN))$"},
		{YAML_OTHER, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
		{YAML_OTHER, "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]| +)[0-9]{1,2}:[0-9]{2}:"},
	};
	const char *text = yaml_text(y);

	if (text == NULL || yaml_style(y) == YAML_QUOTED)
		return YAML_TEXT;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (has_form(text, forms[i].form))
			return forms[i].type;
	return YAML_TEXT;
}

size_t yaml_length(const struct yaml *y)
{
	return y != NULL ? y->n : 0;
}

const struct yaml *yaml_at(const struct yaml *y, size_t index)
{
	return index < yaml_length(y) ? y->values[index] : NULL;
}

const struct yaml *yaml_key(const struct yaml *y, size_t index)
{
	return yaml_kind(y) == YAML_MAPPING && index < y->n ? y->keys[index] : NULL;
}

const struct yaml *yaml_get(const struct yaml *y, const char *key)
{
	for (size_t i = 0; yaml_key(y, i) != NULL; i++)
		if (strcmp(y->keys[i]->text, key) == 0)
			return y->values[i];
	return NULL;
}
