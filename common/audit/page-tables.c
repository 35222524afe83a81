#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/page-parts.h"
#include "base/str.h"
#include "sys/paths.h"

#define MAX_ROWS 200 /* of a table of counts */

/* --- the verdict --- */

static void write_checked(int64_t records, FILE *out)
{
	page_text_number(out, records);
	(void)fputs(records == 1 ? " record checked, against the head that is kept beside the "
				   "log.</p>\n"
				 : " records checked, each against the hash that the next one "
				   "holds, and the last against the head that is kept beside the "
				   "log.</p>\n",
		out);
}

static void write_headline(const struct page_verdict *v, FILE *out)
{
	switch (v->finding) {
	case PAGE_VALID:
		(void)fputs("<p class=\"headline\"><span class=\"mark\" aria-hidden=\"true\">"
			    "\xe2\x9c\x93</span> The audit log is valid</p>\n<p>",
			out);
		write_checked(v->records, out);
		break;
	case PAGE_INVALID:
		(void)fputs("<p class=\"headline\"><span class=\"mark\" aria-hidden=\"true\">"
			    "\xe2\x9c\x97</span> The audit log is <strong>not valid</strong></p>\n"
			    "<p class=\"fault\">",
			out);
		page_text_safe(out, v->fault);
		(void)fputs(
			".</p>\n<p>Nothing on this page can be relied on before it is known how "
			"that came about.</p>\n",
			out);
		break;
	case PAGE_NOTHING:
		(void)fputs("<p class=\"headline\"><span class=\"mark\" aria-hidden=\"true\">"
			    "\xe2\x80\x93</span> Nothing has been recorded yet</p>\n",
			out);
		break;
	}
}

void page_tables_verdict(const struct page_request *r, FILE *out)
{
	static const char *const classes[] = {
		[PAGE_VALID] = "valid", [PAGE_INVALID] = "invalid", [PAGE_NOTHING] = "nothing"};
	const struct page_verdict *v = r->verdict;

	(void)fprintf(out, "<section class=\"verdict %s\" aria-labelledby=\"verdict-title\">\n",
		classes[v->finding]);
	(void)fputs("<h2 id=\"verdict-title\" class=\"hidden\">Verification</h2>\n", out);
	write_headline(v, out);
	if (v->finding == PAGE_VALID && v->head != NULL) {
		(void)fputs("<p>Head <code>", out);
		page_text_safe(out, v->head);
		(void)fputs("</code></p>\n", out);
	}
	for (size_t i = 0; v->notes != NULL && i < v->notes->n; i++) {
		(void)fputs("<p>", out);
		page_text_safe(out, v->notes->v[i]);
		(void)fputs("</p>\n", out);
	}
	(void)fputs("</section>\n", out);
}

/* --- what the page is of --- */

static void write_fact(const char *name, const char *value, FILE *out)
{
	(void)fprintf(out, "<div><dt>%s</dt><dd>", name);
	page_text_safe(out, value);
	(void)fputs("</dd></div>\n", out);
}

static void write_time_fact(const char *name, int64_t when, FILE *out)
{
	(void)fprintf(out, "<div><dt>%s</dt><dd>", name);
	page_text_time(out, when);
	(void)fputs(" UTC</dd></div>\n", out);
}

static void write_filter(const struct audit_filter *f, FILE *out)
{
	if (f->user == NULL && f->project == NULL && f->ref == NULL && f->event == NULL &&
		f->since == 0 && f->until == 0) {
		write_fact("Shows", "the whole log", out);
		return;
	}
	write_fact("Shows", "a part of the log: what fits all of these", out);
	if (f->user != NULL)
		write_fact("User", f->user, out);
	if (f->project != NULL)
		write_fact("Project", f->project, out);
	if (f->ref != NULL)
		write_fact("Reference", f->ref, out);
	if (f->event != NULL)
		write_fact("Event", f->event, out);
	if (f->since != 0)
		write_time_fact("From", f->since, out);
	if (f->until != 0)
		write_time_fact("Before", f->until, out);
}

void page_tables_about(const struct page_request *r, const struct page_data *d, FILE *out)
{
	(void)fputs("<dl class=\"about\">\n", out);
	write_fact("Log of", r->state, out);
	write_time_fact("Made", r->now, out);
	write_fact("By modelgate", paths_version(), out);
	write_filter(r->filter, out);
	if (d->n_rows > 0) {
		write_time_fact("First record", d->rows[0].time, out);
		write_time_fact("Last record", d->rows[d->n_rows - 1].time, out);
	}
	(void)fputs("</dl>\n", out);
}

static void write_total(const char *class, const char *words, int64_t n, FILE *out)
{
	(void)fprintf(out, "<div class=\"%s\"><dt>%s</dt><dd>", class, words);
	page_text_number(out, n);
	(void)fputs("</dd></div>\n", out);
}

void page_tables_totals(const struct page_data *d, FILE *out)
{
	(void)fputs("<dl class=\"totals\">\n", out);
	write_total("is-accepted", "Pushes accepted", d->counts[PAGE_ACCEPTED], out);
	write_total("is-rejected", "Rejected", d->counts[PAGE_REJECTED], out);
	write_total("is-overridden", "Overridden", d->counts[PAGE_OVERRIDDEN], out);
	write_total("is-overridden", "Shadowed", d->counts[PAGE_SHADOWED], out);
	write_total("is-deployed", "Deployments", d->counts[PAGE_DEPLOYED], out);
	write_total("is-other", "People", (int64_t)d->people.n, out);
	write_total("is-other", "Projects", (int64_t)d->projects.n, out);
	write_total("is-other", "Records", (int64_t)d->n_rows, out);
	(void)fputs("</dl>\n", out);
}

/* --- counts --- */

struct column {
	const char *title;
	enum page_kind kind;
};

/* What a table counts by, and what it says of it. */
struct counts {
	const char *id;
	const char *title;
	const char *of; /* what a row stands for */
	const struct page_tallies *tallies;
	const struct column *columns;          /* ended by a NULL title */
	const char *total;                     /* title of the last count */
	const char *(*rule)(const char *code); /* NULL: rows are not explained */
};

/* A column in which there would be nothing takes room from the others. */
static int is_left_out(const struct page_data *d, const struct column *k)
{
	return k->kind == PAGE_SHADOWED && d->counts[PAGE_SHADOWED] == 0;
}

static void write_heads(const struct counts *c, const struct page_data *d, FILE *out)
{
	(void)fprintf(out, "<thead><tr><th scope=\"col\">%s</th>", c->of);
	if (c->rule != NULL)
		(void)fputs("<th scope=\"col\">What it rejects</th>", out);
	for (const struct column *k = c->columns; k->title != NULL; k++)
		if (!is_left_out(d, k))
			(void)fprintf(out, "<th scope=\"col\" class=\"number\">%s</th>", k->title);
	(void)fprintf(out,
		"<th scope=\"col\" class=\"number\">%s</th><th scope=\"col\">Last (UTC)</th>"
		"</tr></thead>\n<tbody>\n",
		c->total);
}

static void write_number_cell(int64_t n, FILE *out)
{
	(void)fprintf(out, "<td class=\"number%s\">", n == 0 ? " zero" : "");
	page_text_number(out, n);
	(void)fputs("</td>", out);
}

/* The class makes page.js turn the name into a button that searches for it. */
static void write_count(
	const struct counts *c, const struct page_data *d, const struct page_tally *t, FILE *out)
{
	const char *name = d->strings.v[t->name];

	(void)fputs("<tr><th scope=\"row\" class=\"name\">", out);
	page_text_html(out, name);
	(void)fputs("</th>", out);
	if (c->rule != NULL) {
		(void)fputs("<td>", out);
		page_text_html(out, c->rule(name));
		(void)fputs("</td>", out);
	}
	for (const struct column *k = c->columns; k->title != NULL; k++)
		if (!is_left_out(d, k))
			write_number_cell(t->counts[k->kind], out);
	write_number_cell(t->total, out);
	(void)fputs("<td class=\"time\">", out);
	page_text_minute(out, t->last);
	(void)fputs("</td></tr>\n", out);
}

static void write_counts(const struct counts *c, const struct page_data *d, FILE *out)
{
	size_t n = c->tallies->n < MAX_ROWS ? c->tallies->n : MAX_ROWS;

	(void)fprintf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", c->id,
		c->id, c->title);
	if (n == 0) {
		(void)fputs("<p class=\"none\">None.</p>\n</section>\n", out);
		return;
	}
	(void)fprintf(out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s: counts\">"
		"<table class=\"counts%s\" aria-labelledby=\"%s\">\n",
		c->title, c->rule != NULL ? " rules" : "", c->id);
	write_heads(c, d, out);
	for (size_t i = 0; i < n; i++)
		write_count(c, d, &c->tallies->v[i], out);
	(void)fputs("</tbody></table></div>\n", out);
	if (c->tallies->n > n) {
		(void)fputs("<p class=\"none\">And ", out);
		page_text_number(out, (int64_t)(c->tallies->n - n));
		(void)fputs(" more with less.</p>\n", out);
	}
	(void)fputs("</section>\n", out);
}

void page_tables_people(const struct page_data *d, FILE *out)
{
	static const struct column columns[] = {{"Accepted", PAGE_ACCEPTED},
		{"Rejected", PAGE_REJECTED}, {"Overridden", PAGE_OVERRIDDEN},
		{"Shadowed", PAGE_SHADOWED}, {"Deployed", PAGE_DEPLOYED}, {NULL, PAGE_OTHER}};
	const struct counts c = {
		"by-person", "By person", "Who", &d->people, columns, "Records", NULL};

	write_counts(&c, d, out);
}

void page_tables_projects(const struct page_data *d, FILE *out)
{
	static const struct column columns[] = {{"Accepted", PAGE_ACCEPTED},
		{"Rejected", PAGE_REJECTED}, {"Overridden", PAGE_OVERRIDDEN},
		{"Shadowed", PAGE_SHADOWED}, {"Deployed", PAGE_DEPLOYED}, {NULL, PAGE_OTHER}};
	const struct counts c = {
		"by-project", "By project", "Project", &d->projects, columns, "Records", NULL};

	write_counts(&c, d, out);
}

void page_tables_rules(const struct page_request *r, const struct page_data *d, FILE *out)
{
	static const struct column columns[] = {{"Rejected", PAGE_REJECTED},
		{"Overridden", PAGE_OVERRIDDEN}, {"Shadowed", PAGE_SHADOWED}, {NULL, PAGE_OTHER}};
	const struct counts c = {
		"by-rule", "By rule", "Code", &d->rules, columns, "References", r->rule};

	write_counts(&c, d, out);
}
