#include "gate/finding-retrain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/push.h"
#include "git/oid.h"

/* The keys that decide about a retrain branch. */
#define BY(key) ((struct finding_key){"retrain-branch", key})
#define BY_RULE ((struct finding_key){NULL, NULL})

#define NEW_NAME "retrain again; the new model gets a branch of its own"

void finding_retrain_role(struct verdict *v, const struct actor *actor, const struct strlist *roles)
{
	finding_role(v, actor, roles, BY("roles"));
}

void finding_retrain_date(struct verdict *v, const char *date, const struct strlist *formats)
{
	char *text = str_safe(date, FINDING_MAX_NAME), *form = strlist_join(formats, " or ");

	finding_add(v, CODE_RETRAIN_DATE, BY("date-formats"),
		mem_format("%s is no date written as %s", text, form),
		mem_strdup("name the branch " NAMES_RETRAIN_FORM
			   " with the day on which the DAG ran"));
	free(form);
	free(text);
}

void finding_retrain_future(struct verdict *v, const char *date)
{
	char *text = str_safe(date, FINDING_MAX_NAME);

	finding_add(v, CODE_RETRAIN_DATE, BY("date-formats"),
		mem_format("%s is a day that has not begun anywhere", text),
		mem_strdup("name the branch after the day on which the DAG ran"));
	free(text);
}

static char *id_text(const char *id, size_t len)
{
	char *copy = mem_strndup(id, len), *text = str_safe(copy, FINDING_MAX_NAME);

	free(copy);
	return text;
}

void finding_retrain_zeros(struct verdict *v, const char *id, size_t len)
{
	char *text = id_text(id, len);

	finding_add(v, CODE_RETRAIN_PIPELINE, BY_RULE,
		mem_format("%s is no pipeline id: it is written without leading zeros", text),
		mem_strdup("use the number of the retrain pipeline as shown by: modelgate status"));
	free(text);
}

void finding_retrain_unknown(struct verdict *v, const char *id, size_t len)
{
	char *text = id_text(id, len);

	finding_add(v, CODE_RETRAIN_PIPELINE, BY("known-pipeline"),
		mem_format("%s is no pipeline of this repository's retrain chain whose deploy "
			   "succeeded",
			text),
		mem_strdup("let the DAG that the pipeline deployed push its branch; pipelines are "
			   "shown by: "
			   "modelgate status"));
	free(text);
}

void finding_retrain_moved(struct verdict *v)
{
	finding_add(v, CODE_RETRAIN_MOVED, BY_RULE,
		mem_format("%s is the result of one retraining: it is created once and never moved",
			v->rule.name),
		mem_strdup(NEW_NAME));
}

void finding_retrain_used(struct verdict *v, const char *other, enum finding_retrain_use use)
{
	const char *const told[] = {[FINDING_RETRAIN_IN_PUSH] = "comes in the same push",
		[FINDING_RETRAIN_IS_THERE] = "is there",
		[FINDING_RETRAIN_WAS_THERE] = "was there before"};
	char *name = str_safe(other, FINDING_MAX_NAME);
	char *reason =
		strcmp(other, v->rule.name) == 0
			? mem_format("%s %s; a name is used once, also if it was deleted since",
				  name, told[use])
			: mem_format("%s %s, which names the same pipeline and the same day", name,
				  told[use]);

	finding_add(v, CODE_RETRAIN_MOVED, BY_RULE, reason, mem_strdup(NEW_NAME));
	free(name);
}

void finding_retrain_origin(
	struct verdict *v, const struct oid *base, enum finding_retrain_base why)
{
	char hex[OID_HEX_SIZE], new[OID_HEX_SIZE];

	oid_hex(base, hex);
	oid_hex(&v->update->new, new);
	finding_add(v, CODE_RETRAIN_ORIGIN, BY("known-pipeline"),
		mem_format("commit %.*s does not descend from %.*s, which its pipeline was made "
			   "for%s",
			OID_SHORT, new, OID_SHORT, hex,
			why == FINDING_RETRAIN_NOT_THERE ? " and which is not in this repository"
							 : ""),
		mem_format("commit the model on top of it: git fetch origin && git checkout -B %s "
			   "%.*s",
			v->rule.name, OID_SHORT, hex));
}

void finding_retrain_paths(struct verdict *v, const struct oid *base, const struct strlist *paths)
{
	char hex[OID_HEX_SIZE];
	char *allowed = strlist_join(&v->rule.config->retrain_may_change, ", ");
	struct str text;

	oid_hex(base, hex);
	str_init(&text);
	for (size_t i = 0; i < paths->n && i < FINDING_RETRAIN_MAX_PATHS; i++) {
		char *path = str_safe(paths->v[i], FINDING_MAX_NAME);

		str_addf(&text, "%s%s", i > 0 ? ", " : "", path);
		free(path);
	}
	if (paths->n > FINDING_RETRAIN_MAX_PATHS)
		str_add(&text, " and others");
	finding_add(v, CODE_RETRAIN_PATH, BY("may-change"),
		mem_format("against %.*s, which its pipeline was made for, it may change only %s, "
			   "not %s",
			OID_SHORT, hex, allowed, text.buf),
		mem_format("leave the rest as it is there: git checkout %.*s -- PATH, then commit "
			   "again; "
			   "code comes by way of main",
			OID_SHORT, hex));
	str_clear(&text);
	free(allowed);
}

void finding_retrain_no_model(struct verdict *v)
{
	finding_add(v, CODE_MODEL_MISSING, BY("model-file"),
		mem_format("%s is missing: a retrain branch brings a model",
			v->rule.config->model_file),
		mem_strdup("add the model with dvc add, and commit the pointer that it writes"));
}

void finding_retrain_folder(struct verdict *v)
{
	finding_add(v, CODE_MODEL_MISSING, BY("model-file"),
		mem_format(
			"%s is a folder, not the pointer to a model", v->rule.config->model_file),
		mem_strdup("add the model with dvc add, and commit the pointer that it writes"));
}

void finding_retrain_model(struct verdict *v, const char *fault)
{
	finding_add(v, CODE_MODEL_POINTER, BY("model-file"),
		mem_format("%s is not a valid DVC pointer: %s", v->rule.config->model_file, fault),
		mem_strdup("commit the file as dvc add writes it"));
}
