#include "chain/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "data/json.h"

#define MAX_MESSAGE 2000

void report_clear(struct report *r)
{
	free(r->message);
	facts_clear(&r->facts);
	memset(r, 0, sizeof(*r));
}

static int is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && name[n] == '\0' && n <= REPORT_MAX_NAME;
}

/* The members of the object J, which are texts. */
static int take_facts(struct facts *out, const struct json *j, struct err *e)
{
	const char *name;

	if (!json_is_object(j) || json_members(j) > REPORT_MAX_FACTS)
		return err_set(e, "facts: no object of at most %d members", REPORT_MAX_FACTS);
	for (size_t i = 0; (name = json_name_at(j, i)) != NULL; i++) {
		const char *value = json_get_text(j, name);

		if (!is_name(name) || value == NULL || strlen(value) > REPORT_MAX_VALUE)
			return err_set(e, "facts: a name or value that none has");
		facts_set(out, name, value);
	}
	return 0;
}

int report_parse(struct report *out, const char *text, size_t len, const char *stage, struct err *e)
{
	struct json *j = NULL;
	const char *message;
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (json_parse(&j, text, len, e) != 0)
		return err_wrap(e, "the report of stage %s", stage);
	message = json_get_text(j, "message");
	if (!str_same(json_get_text(j, "stage"), stage))
		(void)err_set(e, "it is one of another stage");
	else if (json_get(j, "facts") == NULL ||
		 take_facts(&out->facts, json_get(j, "facts"), e) == 0)
		result = 0;
	if (result == 0) {
		out->message = message != NULL ? str_safe(message, MAX_MESSAGE) : NULL;
		out->is_passing = json_get_flag(j, "passing", 0);
		out->is_refused = json_get_flag(j, "refused", 0);
	} else {
		report_clear(out);
		(void)err_wrap(e, "the report of stage %s", stage);
	}
	json_free(j);
	return result;
}

char *report_render(const struct report *r, const char *stage)
{
	struct json *j = json_new_object(), *list = json_new_object();
	char *text;

	json_put_text(j, "stage", stage);
	json_put_text(j, "status", r->message == NULL ? "success" : "failed");
	json_put_known(j, "message", r->message);
	json_put_flag(j, "passing", r->is_passing);
	json_put_flag(j, "refused", r->is_refused);
	for (size_t i = 0; i < r->facts.n; i++)
		json_put_text(list, r->facts.v[i].name, r->facts.v[i].value);
	json_put(j, "facts", list);
	text = json_text(j, JSON_PRETTY);
	json_free(j);
	return text;
}

int report_save(const struct report *r, struct store *s, const struct pipeline *p,
	const char *stage, struct err *e)
{
	struct facts before = {0};
	int result = pipeline_facts(s, p->id, stage, &before, e);

	if (result == 0)
		result = pipeline_save_facts(s, p->id, stage, &before, &r->facts, e);
	facts_clear(&before);
	return result;
}
