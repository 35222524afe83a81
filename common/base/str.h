/*
 * Text: a buffer that grows to a hard maximum, a list of strings, globs, and text made harmless for
 * a terminal.
 */
#ifndef MODELGATE_BASE_STR_H
#define MODELGATE_BASE_STR_H

#include <stdarg.h>
#include <stddef.h>

/* A growing, always terminated buffer.  May hold NUL bytes; LEN is what counts. */
struct str {
	char *buf; /* never NULL after str_init */
	size_t len;
	size_t cap;
};

void str_init(struct str *s);
void str_clear(struct str *s); /* frees; S can be used after another str_init */
void str_reset(struct str *s); /* empty, memory kept */
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *bytes, size_t len);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The content, now the caller's to free(); S is as after str_init. */
char *str_steal(struct str *s);

/*
 * Length of the well-formed UTF-8 sequence (RFC 3629, section 4) that the LEN bytes at TEXT start
 * with, and its character in *C; 0: there is none.
 */
size_t str_utf8(const char *text, size_t len, unsigned long *c);

/*
 * 1 if a terminal shows the character C as itself, or as nothing but a blank.  Controls, the marks that
 * turn the direction of text and those that take no room are not visible.
 */
int str_is_visible(unsigned long c);
/* Add TEXT with every byte that is no printable ASCII or valid, visible UTF-8 written as \xHH. */
void str_add_safe(struct str *s, const char *text);
/* TEXT made harmless as by str_add_safe, cut to MAX bytes with "..."; the caller's to free(). */
char *str_safe(const char *text, size_t max);

/* An owned list of owned strings. */
struct strlist {
	char **v;
	size_t n;
	size_t cap;
};

void strlist_clear(struct strlist *l);
void strlist_add(struct strlist *l, const char *s);
int strlist_has(const struct strlist *l, const char *s); /* 1 or 0 */
/* Add the parts of TEXT between SEPARATOR, without blanks around them; empty parts are left out. */
void strlist_split(struct strlist *l, const char *text, char separator);
/* The strings joined with GLUE; the caller's to free(). */
char *strlist_join(const struct strlist *l, const char *glue);

/*
 * 1 if PATH matches the glob PATTERN, else 0.  fnmatch(3) without flags: `*` and `?` match `/` too,
 * so rkl/ followed by a star means everything below rkl.
 */
int str_glob(const char *pattern, const char *path);
/* 1 if PATH matches any of the globs. */
int str_glob_any(const struct strlist *patterns, const char *path);

/* 1 if PART stands in S, in any case of ASCII letters. */
int str_holds(const char *s, const char *part);
int str_starts(const char *s, const char *prefix); /* 1 or 0 */
int str_ends(const char *s, const char *suffix);   /* 1 or 0 */
/* 1 if A and B hold the same text; NULL counts as empty. */
int str_same(const char *a, const char *b);

/* Parse all of TEXT as a decimal number from 0 to MAX without sign or blanks.  0, or -1. */
int str_number(const char *text, long long max, long long *out);

#endif
