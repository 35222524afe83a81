/*
 * JSON documents (RFC 8259), built and read with json-c.  A struct json is json-c's object; nobody
 * outside common/data looks inside.  Members keep the order in which they were added.
 */
#ifndef MODELGATE_DATA_JSON_H
#define MODELGATE_DATA_JSON_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct json;

struct json *json_new_object(void);
struct json *json_new_array(void);
void json_free(struct json *j); /* NULL is fine */

/*
 * Add a member to the object J.  TEXT that is not UTF-8 is made so: each bad byte becomes U+FFFD.
 * NULL gives null.
 */
void json_put_text(struct json *j, const char *name, const char *text);
/* The same, but nothing is added if TEXT is NULL or empty. */
void json_put_known(struct json *j, const char *name, const char *text);
void json_put_number(struct json *j, const char *name, int64_t value);
void json_put_flag(struct json *j, const char *name, int is_true);
void json_put_null(struct json *j, const char *name);
/* WHEN as RFC 3339 (base/clock.h); 0 gives null. */
void json_put_time(struct json *j, const char *name, int64_t when);
void json_put(struct json *j, const char *name, struct json *value); /* VALUE is J's from now on */
void json_append(struct json *array, struct json *value); /* VALUE is ARRAY's from now on */
void json_append_text(struct json *array, const char *text);

enum json_layout { JSON_ONE_LINE, JSON_PRETTY };
/*
 * J as text without a final newline, slashes not escaped; the caller's to free().  Every control
 * character, the ends of line U+2028 and U+2029, and whatever str_is_visible() does not call visible is
 * escaped, so one line stays one and is harmless on a terminal.
 */
char *json_text(const struct json *j, enum json_layout layout);

/*
 * Parse exactly one document of LEN bytes: depth at most 32, valid UTF-8, nothing but blanks after
 * it, and no more values than about 1 GB of memory holds; of a name that is there twice the last counts.  0 and *OUT, the caller's to json_free(), or
 * -1 and *E.  A document that is nothing but null is refused.
 */
int json_parse(struct json **out, const char *text, size_t len, struct err *e);
/* 1 if J is an object, else 0; NULL is none. */
int json_is_object(const struct json *j);
/* The member NAME of object J, borrowed; NULL: J is no object or has none such. */
const struct json *json_get(const struct json *j, const char *name);
/* The text of member NAME, borrowed; NULL: none, no string, or one with a NUL in it. */
const char *json_get_text(const struct json *j, const char *name);
/* The whole number of member NAME; FALLBACK: none, or it does not fit. */
int64_t json_get_number(const struct json *j, const char *name, int64_t fallback);
/* 1 or 0, as member NAME says; FALLBACK: none, or neither true nor false. */
int json_get_flag(const struct json *j, const char *name, int fallback);
/* Members of an object: 0 for anything else; and their names, in order, NULL beyond the last. */
size_t json_members(const struct json *j);
const char *json_name_at(const struct json *j, size_t index);
/* 1: J is an array; 0: anything else. */
int json_is_array(const struct json *j);
/* Elements of an array: 0 for anything else. */
size_t json_length(const struct json *j);
const struct json *json_at(const struct json *j, size_t index); /* borrowed; NULL beyond the end */
/* The text of J itself, borrowed; NULL: no string. */
const char *json_string(const struct json *j);

#endif
