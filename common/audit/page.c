#include "audit/page.h"

#include <errno.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/page-parts.h"
#include "base/embed.h"
#include "base/err.h"
#include "data/json.h"

#define PROGRESS_EVERY 2000 /* records */

EMBED(page_frame, "common/audit/page.html");
EMBED(page_style, "common/audit/page.css");
EMBED(page_script, "common/audit/page.js");

/* A page that is being made. */
struct making {
	const struct page_request *request;
	struct page_data data;
	int64_t read;
};

static int add(void *context, const char *line, const struct json *record)
{
	struct making *m = context;
	const struct page_request *r = m->request;

	if (r->verdict->finding != PAGE_INVALID &&
		json_get_number(record, "seq", 0) > r->verdict->last_seq)
		return 1;
	page_data_add(&m->data, line, record);
	if (++m->read % PROGRESS_EVERY == 0 && r->progress != NULL)
		r->progress(r->context, m->read);
	return 0;
}

/* --- what the marks of the frame stand for --- */

static void put_style(const struct making *m, FILE *out)
{
	(void)m;
	(void)fputs(page_style, out);
}

static void put_script(const struct making *m, FILE *out)
{
	(void)m;
	(void)fputs(page_script, out);
}

static void put_style_hash(const struct making *m, FILE *out)
{
	char hash[PAGE_TEXT_HASH_SIZE];

	(void)m;
	page_text_hash(page_style, hash);
	(void)fputs(hash, out);
}

static void put_script_hash(const struct making *m, FILE *out)
{
	char hash[PAGE_TEXT_HASH_SIZE];

	(void)m;
	page_text_hash(page_script, hash);
	(void)fputs(hash, out);
}

static void put_verdict(const struct making *m, FILE *out)
{
	page_tables_verdict(m->request, out);
}

static void put_about(const struct making *m, FILE *out)
{
	page_tables_about(m->request, &m->data, out);
}

static void put_totals(const struct making *m, FILE *out)
{
	page_tables_totals(&m->data, out);
}

static void put_timeline(const struct making *m, FILE *out)
{
	page_timeline_write(&m->data, out);
}

static void put_people(const struct making *m, FILE *out)
{
	page_tables_people(&m->data, out);
}

static void put_projects(const struct making *m, FILE *out)
{
	page_tables_projects(&m->data, out);
}

static void put_rules(const struct making *m, FILE *out)
{
	page_tables_rules(m->request, &m->data, out);
}

static void put_data(const struct making *m, FILE *out)
{
	page_data_write(&m->data, out);
}

static const struct {
	const char *name;
	void (*put)(const struct making *m, FILE *out);
} marks[] = {{"style", put_style}, {"script", put_script}, {"style-hash", put_style_hash},
	{"script-hash", put_script_hash}, {"verdict", put_verdict}, {"about", put_about},
	{"totals", put_totals}, {"timeline", put_timeline}, {"people", put_people},
	{"projects", put_projects}, {"rules", put_rules}, {"data", put_data}};

/* Put what stands for the mark of LEN bytes at NAME. */
static void put_mark(const struct making *m, const char *name, size_t len, FILE *out)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strlen(marks[i].name) == len && strncmp(marks[i].name, name, len) == 0)
			marks[i].put(m, out);
}

/* The frame, with each @mark@ replaced. */
static void put_frame(const struct making *m, FILE *out)
{
	const char *at = page_frame, *mark;
	size_t len;

	while ((mark = strchr(at, '@')) != NULL) {
		(void)fwrite(at, 1, (size_t)(mark - at), out); /* page_write looks at OUT */
		len = strcspn(mark + 1, "@");
		put_mark(m, mark + 1, len, out);
		at = mark + 1 + len + 1;
	}
	(void)fputs(at, out);
}

int page_write(FILE *out, const struct page_request *r, struct err *e)
{
	struct making m = {.request = r};
	int status = -1;

	page_data_init(&m.data);
	if (audit_each_verified(r->state, r->filter, r->verified, add, &m, e) >= 0) {
		page_tally_sort(&m.data.people);
		page_tally_sort(&m.data.projects);
		page_tally_sort(&m.data.rules);
		put_frame(&m, out);
		status = ferror(out) ? err_errno(e, errno, "the page cannot be written") : 0;
	}
	page_data_clear(&m.data);
	return status;
}
