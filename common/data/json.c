#include "data/json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_DEPTH 32

/* struct json is never defined: it is the name that the rest of the program has for this. */
static struct json_object *inside(const struct json *j)
{
	return (struct json_object *)j;
}

static struct json *outside(struct json_object *o)
{
	return mem_given(o);
}

struct json *json_new_object(void)
{
	return outside(json_object_new_object());
}

struct json *json_new_array(void)
{
	return outside(json_object_new_array());
}

void json_free(struct json *j)
{
	(void)json_object_put(inside(j)); /* says whether others hold it still */
}

static int is_utf8(const char *text, size_t len)
{
	unsigned long c;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = str_utf8(text, len, &c);
		if (n == 0)
			return 0;
	}
	return 1;
}

/* TEXT with each byte that is no part of UTF-8 made U+FFFD, the caller's to free(). */
static char *make_utf8(const char *text)
{
	size_t len = strlen(text), n;
	unsigned long c;
	struct str s;

	if (is_utf8(text, len))
		return mem_strndup(text, len);
	str_init(&s);
	for (; len > 0; text += n, len -= n) {
		n = str_utf8(text, len, &c);
		if (n > 0) {
			str_addn(&s, text, n);
		} else {
			str_add(&s, "\xef\xbf\xbd");
			n = 1;
		}
	}
	return str_steal(&s);
}

static struct json *new_text(const char *text)
{
	char *clean = make_utf8(text);
	struct json_object *o = json_object_new_string(clean);

	free(clean);
	return outside(o);
}

void json_put_text(struct json *j, const char *name, const char *text)
{
	json_put(j, name, text == NULL ? NULL : new_text(text));
}

void json_put_known(struct json *j, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		json_put_text(j, name, text);
}

void json_put_number(struct json *j, const char *name, int64_t value)
{
	json_put(j, name, outside(json_object_new_int64(value)));
}

void json_put_flag(struct json *j, const char *name, int is_true)
{
	json_put(j, name, outside(json_object_new_boolean(is_true != 0)));
}

void json_put_null(struct json *j, const char *name)
{
	json_put(j, name, NULL);
}

void json_put_time(struct json *j, const char *name, int64_t when)
{
	char text[CLOCK_TEXT_SIZE];

	if (when == 0) {
		json_put_null(j, name);
		return;
	}
	clock_text(when, text);
	json_put_text(j, name, text);
}

void json_put(struct json *j, const char *name, struct json *value)
{
	char *clean = make_utf8(name);
	int status = json_object_object_add(inside(j), clean, inside(value));

	free(clean);
	if (status != 0)
		(void)mem_given(NULL); /* the one way in which json-c fails here */
}

void json_append(struct json *array, struct json *value)
{
	if (json_object_array_add(inside(array), inside(value)) != 0)
		(void)mem_given(NULL);
}

void json_append_text(struct json *array, const char *text)
{
	json_append(array, new_text(text));
}

/*
 * json-c escapes controls below U+0020 only.  The others, the two characters that some readers take for
 * the end of a line, and those that would turn the text around or hide in it can stand nowhere but
 * inside a string: there each may be escaped.
 */
static int needs_escape(unsigned long c)
{
	return c >= 0x7f && !str_is_visible(c);
}

/* C as RFC 8259, section 7, escapes it: beyond U+FFFF, a pair. */
static void add_escape(struct str *s, unsigned long c)
{
	if (c > 0xffff)
		str_addf(s, "\\u%04lx\\u%04lx", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	else
		str_addf(s, "\\u%04lx", c);
}

char *json_text(const struct json *j, enum json_layout layout)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;
	unsigned long c;
	struct str s;
	size_t len, n;

	flags |= layout == JSON_PRETTY ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
				       : JSON_C_TO_STRING_PLAIN;
	text = json_object_to_json_string_length(inside(j), flags, &len);
	if (text == NULL)
		(void)mem_given(NULL);
	str_init(&s);
	for (size_t start = 0, at = 0; at <= len; at += n) {
		n = str_utf8(text + at, len - at, &c);
		if (n == 0 || needs_escape(c)) {
			str_addn(&s, text + start, at - start);
			start = at + (n > 0 ? n : 1);
			if (at < len)
				add_escape(&s, n > 0 ? c : 0xfffd);
		}
		n = n > 0 ? n : 1;
	}
	return str_steal(&s);
}

/*
 * json-c, told to be strict, still takes names in single quotes, NaN and Infinity, and control
 * characters inside strings.  1 if TEXT has none of these, else 0.
 */
static int is_strict(const char *text, size_t len)
{
	int in_string = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string && (unsigned char)text[i] < 0x20)
			return 0;
		if (!in_string && strchr("'NI", text[i]) != NULL)
			return 0;
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string && text[i] == '\\')
			i++;
	}
	return 1;
}

/* What json-c takes for a document, at most about this, in bytes; a record of the audit log is 64 MB and below it. */
#define MAX_COST (INT64_C(1) << 30)
#define COST_OBJECT 800 /* its table, empty */
#define COST_ARRAY 400
#define COST_NEXT 150 /* another member or element */

/* 1: TEXT holds no more than there is memory for: a few bytes of it can ask for hundreds. */
static int is_affordable(const char *text, size_t len)
{
	int in_string = 0;
	int64_t cost = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += text[i] == '\\';
		else if (text[i] == '{')
			cost += COST_OBJECT;
		else if (text[i] == '[')
			cost += COST_ARRAY;
		else if (text[i] == ',')
			cost += COST_NEXT;
	}
	return cost <= MAX_COST;
}

int json_parse(struct json **out, const char *text, size_t len, struct err *e)
{
	struct json_tokener *tok = NULL;
	struct json_object *o = NULL;
	enum json_tokener_error fault;
	int status = -1;

	*out = NULL;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL && text[len - 1] != '\0')
		len--;
	if (len == 0)
		return err_set(e, "no JSON: empty");
	if (len >= INT_MAX)
		return err_set(e, "no JSON that can be read here: %zu bytes", len);
	if (memchr(text, '\0', len) != NULL || !is_utf8(text, len))
		return err_set(e, "no JSON: not UTF-8 text");
	if (!is_strict(text, len))
		return err_set(e, "no JSON: something that only looks like it");
	if (!is_affordable(text, len))
		return err_set(e, "no JSON that can be read here: too many values");
	tok = mem_given(json_tokener_new_ex(MAX_DEPTH));
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text, (int)len);
	/* A number at the top level ends where the text does, which only a NUL tells. */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);
	fault = json_tokener_get_error(tok);
	if (fault != json_tokener_success) {
		(void)err_set(e, "no JSON: %s", json_tokener_error_desc(fault));
		goto out;
	}
	if (o == NULL) {
		(void)err_set(e, "no JSON document but null");
		goto out;
	}
	*out = outside(o);
	o = NULL;
	status = 0;
out:
	(void)json_object_put(o);
	json_tokener_free(tok);
	return status;
}

const struct json *json_get(const struct json *j, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_is_type(inside(j), json_type_object) ||
		!json_object_object_get_ex(inside(j), name, &member))
		return NULL;
	return (const struct json *)member;
}

int json_is_object(const struct json *j)
{
	return json_object_is_type(inside(j), json_type_object);
}

const char *json_get_text(const struct json *j, const char *name)
{
	return json_string(json_get(j, name));
}

int64_t json_get_number(const struct json *j, const char *name, int64_t fallback)
{
	struct json_object *o = inside(json_get(j, name));

	/* json-c cuts what is too large for the type asked for. */
	if (!json_object_is_type(o, json_type_int) || json_object_get_uint64(o) > INT64_MAX)
		return fallback;
	return json_object_get_int64(o);
}

int json_get_flag(const struct json *j, const char *name, int fallback)
{
	struct json_object *o = inside(json_get(j, name));

	return json_object_is_type(o, json_type_boolean) ? json_object_get_boolean(o) != 0
							 : fallback;
}

size_t json_members(const struct json *j)
{
	return json_is_object(j) ? (size_t)json_object_object_length(inside(j)) : 0;
}

const char *json_name_at(const struct json *j, size_t index)
{
	struct json_object_iterator at, end;

	if (index >= json_members(j))
		return NULL;
	at = json_object_iter_begin(inside(j));
	end = json_object_iter_end(inside(j));
	while (index-- > 0 && !json_object_iter_equal(&at, &end))
		json_object_iter_next(&at);
	return json_object_iter_peek_name(&at);
}

int json_is_array(const struct json *j)
{
	return json_object_is_type(inside(j), json_type_array);
}

size_t json_length(const struct json *j)
{
	return json_is_array(j) ? json_object_array_length(inside(j)) : 0;
}

const struct json *json_at(const struct json *j, size_t index)
{
	if (index >= json_length(j))
		return NULL;
	return (const struct json *)json_object_array_get_idx(inside(j), index);
}

const char *json_string(const struct json *j)
{
	const char *text;

	if (!json_object_is_type(inside(j), json_type_string))
		return NULL;
	text = json_object_get_string(inside(j));
	/* With a NUL in it, it is no text that C could be given without cutting it. */
	return (size_t)json_object_get_string_len(inside(j)) == strlen(text) ? text : NULL;
}
