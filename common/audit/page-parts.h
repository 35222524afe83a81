/* The parts of audit/page.h: text, strings that are kept once, records, counts, the timeline. */
#ifndef MODELGATE_AUDIT_PAGE_PARTS_H
#define MODELGATE_AUDIT_PAGE_PARTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "audit/page.h"
#include "base/clock.h"
#include "base/sha256.h"

struct json;
struct str;

/* --- page-text.c --- */

/*
 * Add TEXT with each character that cannot be seen or turns the direction of text written as its
 * number between U+27E8 and U+27E9, such as U+202E; a byte that is no UTF-8 as 0xFF in the same way.
 */
void page_text_visible(struct str *out, const char *text);
/* TEXT as content of an element or of an attribute in double quotes.  NULL counts as empty. */
void page_text_html(FILE *out, const char *text);
/* TEXT as a JSON string with its quotes, which may stand in a script element.  It is UTF-8. */
void page_text_json(FILE *out, const char *text);
/* page_text_html of page_text_visible. */
void page_text_safe(FILE *out, const char *text);
/* N with commas between thousands. */
void page_text_number(FILE *out, int64_t n);
/* WHEN as "2026-11-23 20:21:49". */
void page_text_time(FILE *out, int64_t when);
/* The same without the seconds. */
void page_text_minute(FILE *out, int64_t when);
/* SHA-256 of TEXT in base 64, as content security policies have it. */
#define PAGE_TEXT_HASH_SIZE 45
void page_text_hash(const char *text, char out[PAGE_TEXT_HASH_SIZE]);

/* --- page-strings.c: each different string once --- */

struct page_strings {
	char **v; /* v[0] is "" */
	uint32_t n;
	size_t cap;
	uint32_t *slots; /* numbers, at places that the string's hash gives; 0: free */
	uint32_t n_slots;
};

void page_strings_init(struct page_strings *t);
void page_strings_clear(struct page_strings *t);
/* The number of TEXT, which is put in if it is not there.  NULL counts as empty: 0. */
uint32_t page_strings_put(struct page_strings *t, const char *text);

/* --- page-data.c: the records, as small as they can be kept --- */

/* What of a record is counted. */
enum page_kind {
	PAGE_OTHER,
	PAGE_ACCEPTED,
	PAGE_REJECTED,
	PAGE_OVERRIDDEN,
	PAGE_SHADOWED,
	PAGE_DEPLOYED, /* a stage that changed an environment, and a rollback */
	PAGE_KINDS
};

/* One reference of a push; all but FIRST of struct page_row are numbers of strings. */
struct page_ref {
	uint32_t ref, old, new, source, method, codes, reason;
};

struct page_row {
	char hash[SHA256_HEX_SIZE];
	uint8_t kind;
	int64_t seq, time, pipeline;
	uint32_t event, stage, status, reason, push_id, correlation;
	uint32_t context; /* number in struct page_data's contexts */
	uint32_t prev;    /* 0: the hash of the row before */
	uint32_t extra;   /* members that this page does not know, as JSON */
	uint32_t n_refs;
	size_t first; /* place of its first reference */
};

/* Counts of one person, project or rule. */
struct page_tally {
	uint32_t name;
	int64_t counts[PAGE_KINDS];
	int64_t total;
	int64_t last; /* time of the newest record */
};

struct page_tallies {
	struct page_tally *v;
	size_t n, cap;
	uint32_t *at; /* by number of the name: place in V and one; 0: none yet */
	size_t n_at;
};

struct page_data {
	struct page_strings strings;
	/* "1,2,3": numbers of actor's id, name and protocol, of repository's path, project and
	 * gl_repository, of policy and build. */
	struct page_strings contexts;
	struct page_row *rows;
	size_t n_rows, cap_rows;
	struct page_ref *refs;
	size_t n_refs, cap_refs;
	struct page_tallies people, projects, rules;
	int64_t counts[PAGE_KINDS];
};

void page_data_init(struct page_data *d);
void page_data_clear(struct page_data *d);
/* Add a record, which is LINE of the log. */
void page_data_add(struct page_data *d, const char *line, const struct json *record);
/* All of it as one JSON document, which page.js reads. */
void page_data_write(const struct page_data *d, FILE *out);

/* --- page-tally.c --- */

void page_tally_clear(struct page_tallies *t);
void page_tally_add(struct page_tallies *t, uint32_t name, enum page_kind kind, int64_t when);
/* The most counted first; of equal ones the newest first. */
void page_tally_sort(struct page_tallies *t);

/* --- page-timeline.c --- */

enum page_unit { PAGE_HOUR, PAGE_DAY, PAGE_WEEK, PAGE_MONTH, PAGE_YEAR };

#define PAGE_MAX_BUCKETS 160
#define PAGE_MIN_BUCKETS 12

/* Times in equal parts, from START on. */
struct page_scale {
	enum page_unit unit;
	int step; /* of PAGE_YEAR: how many years a bucket has; else 1 */
	int n;
	int64_t start[PAGE_MAX_BUCKETS + 1]; /* of each bucket, and the end of the last */
};

/* The scale that FIRST and LAST, both included, fit into. */
void page_scale_fit(struct page_scale *s, int64_t first, int64_t last);
/* The bucket that WHEN falls into, the first or the last if it falls into none. */
int page_scale_find(const struct page_scale *s, int64_t when);

void page_timeline_write(const struct page_data *d, FILE *out);

/* --- page-tables.c: what the page says without a script --- */

void page_tables_verdict(const struct page_request *r, FILE *out);
void page_tables_about(const struct page_request *r, const struct page_data *d, FILE *out);
void page_tables_totals(const struct page_data *d, FILE *out);
void page_tables_people(const struct page_data *d, FILE *out);
void page_tables_projects(const struct page_data *d, FILE *out);
void page_tables_rules(const struct page_request *r, const struct page_data *d, FILE *out);

#endif
