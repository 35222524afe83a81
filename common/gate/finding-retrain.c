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

#define POINTER_ENDING ".dvc"
#define NEW_NAME "retrain again; the new model gets a branch of its own"

void finding_retrain_role(struct verdict *v, const struct actor *actor, const struct strlist *roles)
{
	finding_role(v, actor, roles, BY("roles"));
}

/* Added to what is wrong with the date of PARTS. */
static void add_date(
	struct verdict *v, const struct names_retrain *parts, const char *today, char *reason)
{
	finding_add(v, CODE_RETRAIN_DATE, BY("date-formats"), reason,
		mem_format("name it after the day on which the DAG ran; if that is today: git push "
			   "origin HEAD:" NAMES_HEADS NAMES_RETRAIN_PREFIX "%.*s-%s",
			(int)parts->id_len, parts->id, today));
}

void finding_retrain_date(struct verdict *v, const struct names_retrain *parts, const char *today)
{
	char *text = str_safe(parts->date, FINDING_MAX_NAME);
	char *form = strlist_join(&v->rule.config->date_formats, " or ");

	add_date(v, parts, today, mem_format("%s is no date written as %s", text, form));
	free(form);
	free(text);
}

void finding_retrain_future(struct verdict *v, const struct names_retrain *parts, const char *today)
{
	char *text = str_safe(parts->date, FINDING_MAX_NAME);

	add_date(v, parts, today, mem_format("%s is a day that has not begun anywhere", text));
	free(text);
}

static char *id_text(const struct names_retrain *parts)
{
	char *copy = mem_strndup(parts->id, parts->id_len);
	char *text = str_safe(copy, FINDING_MAX_NAME);

	free(copy);
	return text;
}

void finding_retrain_zeros(struct verdict *v, const struct names_retrain *parts)
{
	char *text = id_text(parts);

	finding_add(v, CODE_RETRAIN_PIPELINE, BY_RULE,
		mem_format("%s is no pipeline id: it is written without leading zeros", text),
		mem_strdup("use the number of the retrain pipeline as shown by: modelgate status"));
	free(text);
}

void finding_retrain_unknown(struct verdict *v, const struct names_retrain *parts)
{
	char *text = id_text(parts);

	finding_add(v, CODE_RETRAIN_PIPELINE, BY("known-pipeline"),
		mem_format("%s is no pipeline of this repository's retrain chain whose deploy "
			   "succeeded",
			text),
		mem_strdup("let the DAG that the pipeline deployed push its branch; pipelines are "
			   "shown by: modelgate status"));
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
	const int there = why == FINDING_RETRAIN_NOT_HELD;
	char hex[OID_HEX_SIZE], new[OID_HEX_SIZE], *reason, *fix;

	oid_hex(base, hex);
	oid_hex(&v->update->new, new);
	reason = mem_format("commit %.*s does not descend from %.*s, which its pipeline was made "
			    "for%s",
		OID_SHORT, new, OID_SHORT, hex,
		there ? "" : " and which is not in this repository");
	fix = there ? mem_format(
			      "take the model alone along: git fetch origin && git checkout -B "
			      "%s %.*s && git checkout %.*s -- %s && git commit -m \"Retrained\"",
			      v->rule.name, OID_SHORT, hex, OID_SHORT, new,
			      v->rule.config->model_file)
		    : mem_strdup("merge main into retrain, and let the new pipeline's DAG run");
	finding_add(v, CODE_RETRAIN_ORIGIN, BY("known-pipeline"), reason, fix);
}

/* The paths, of which there may be one more than are named. */
static char *paths_text(const struct strlist *paths)
{
	struct str text;

	str_init(&text);
	for (size_t i = 0; i < paths->n && i < FINDING_RETRAIN_MAX_PATHS; i++) {
		char *path = str_safe(paths->v[i], FINDING_MAX_NAME);

		str_addf(&text, "%s%s", i > 0 ? ", " : "", path);
		free(path);
	}
	if (paths->n > FINDING_RETRAIN_MAX_PATHS)
		str_add(&text, " and others");
	return str_steal(&text);
}

void finding_retrain_paths(struct verdict *v, const struct oid *base, const struct strlist *paths)
{
	const struct strlist *allowed = &v->rule.config->retrain_may_change;
	char hex[OID_HEX_SIZE], *may = strlist_join(allowed, ", "), *text = paths_text(paths);
	struct str fix;

	oid_hex(base, hex);
	str_init(&fix);
	str_addf(&fix,
		"bring the model in one commit and the rest as it was: git reset --soft %.*s && "
		"git restore -s %.*s -SW -- .",
		OID_SHORT, hex, OID_SHORT, hex);
	for (size_t i = 0; i < allowed->n; i++)
		str_addf(&fix, " ':!%s'", allowed->v[i]);
	str_add(&fix, " && git commit -m \"The model alone\"");
	finding_add(v, CODE_RETRAIN_PATH, BY("may-change"),
		mem_format("against %.*s, which its pipeline was made for, its commits may change "
			   "only %s, not %s",
			OID_SHORT, hex, may, text),
		str_steal(&fix));
	free(text);
	free(may);
}

/* How to make the pointer anew. */
static char *add_model(const struct verdict *v)
{
	const char *file = v->rule.config->model_file;
	const size_t len = strlen(file), ending = strlen(POINTER_ENDING);

	if (!str_ends(file, POINTER_ENDING))
		return mem_strdup("commit the file as dvc add writes it");
	return mem_format("commit it as dvc writes it: dvc add %.*s && git add %s && git commit -m "
			  "\"Model\"",
		(int)(len - ending), file, file);
}

void finding_retrain_no_model(struct verdict *v)
{
	finding_add(v, CODE_MODEL_MISSING, BY("model-file"),
		mem_format("%s is missing: a retrain branch brings a model",
			v->rule.config->model_file),
		add_model(v));
}

void finding_retrain_folder(struct verdict *v)
{
	finding_add(v, CODE_MODEL_MISSING, BY("model-file"),
		mem_format(
			"%s is a folder, not the pointer to a model", v->rule.config->model_file),
		add_model(v));
}

void finding_retrain_model(struct verdict *v, const char *fault)
{
	finding_add(v, CODE_MODEL_POINTER, BY("model-file"),
		mem_format("%s is not a valid DVC pointer: %s", v->rule.config->model_file, fault),
		add_model(v));
}
