#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "data/json.h"
#include "gate/code.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/policy.h"
#include "gate/push.h"
#include "gate/trail.h"
#include "table.h"

#define MAX_KEYS 6 /* of the configuration that let one update pass */

/* How a class is called: in JSON, and for people. */
static const struct {
	const char *word;
	const char *shown;
} classes[] = {
	[STEP_MERGE] = {"merge", "merge"},
	[STEP_SQUASH] = {"squash", "squash"},
	[STEP_DIRECT] = {"direct", "direct"},
	[STEP_FOREIGN] = {"foreign-merge", "foreign merge"},
	[STEP_OCTOPUS] = {"octopus", "octopus merge"},
	[STEP_OLD] = {"old", "the old tip"},
	[STEP_SOURCE] = {"fast-forward", "fast-forward to"},
	[STEP_LEFT] = {"left", "left the line"},
	[STEP_BEHIND] = {"behind", "passed the old tip by"},
	[STEP_ROOT] = {"root", "first commit"},
};

static const char *content_word(enum merges_answer answer)
{
	switch (answer) {
	case MERGES_AUTOMATIC:
		return "automatic";
	case MERGES_DIFFERS:
		return "differs";
	case MERGES_CONFLICTS:
		return "conflict";
	case MERGES_UNCERTAIN:
		return "uncertain";
	case MERGES_PENDING:
		break;
	}
	return "";
}

static const char *short_ref(const char *ref)
{
	const char *branch = names_branch(ref);

	return branch != NULL ? branch : ref;
}

/* ---- the rules ---- */

/* The name of the section that KEY of SECTION was taken from for V. */
static const char *section_name(const struct verdict *v, const char *section)
{
	return strcmp(section, "branch") == 0 && v->rule.branch != NULL ? v->rule.branch->name : "";
}

/* The keys that let V pass, into KEYS; how many. */
static size_t passing_keys(const struct verdict *v, struct finding_key keys[MAX_KEYS])
{
	const char *method = v->method != NULL ? v->method : "";
	int direct = strcmp(method, "direct") == 0, create = strcmp(method, "create") == 0;
	int merged = strcmp(method, "merge") == 0 || strcmp(method, "squash") == 0;
	size_t n = 0;

	if (v->rule.kind == POLICY_RETRAIN) {
		keys[n++] = (struct finding_key){"retrain-branch", "date-formats"};
		keys[n++] = (struct finding_key){"retrain-branch", "known-pipeline"};
		keys[n++] = (struct finding_key){"retrain-branch", "may-change"};
		keys[n++] = (struct finding_key){"retrain-branch", "model-file"};
		keys[n++] = (struct finding_key){"retrain-branch", "roles"};
		/* Whoever may push may delete it. */
		return create ? n : 0;
	}
	if (v->rule.kind != POLICY_BRANCH)
		return 0;
	if (direct) {
		keys[n++] = (struct finding_key){"branch", "direct-push"};
		keys[n++] = (struct finding_key){"branch", "direct-may-change"};
	} else {
		keys[n++] = (struct finding_key){"branch", "merge-from"};
		if (!create)
			keys[n++] = (struct finding_key){"branch", "merge-methods"};
	}
	if (merged)
		keys[n++] = (struct finding_key){"branch", "content"};
	if (v->rule.branch->require_files.n > 0)
		keys[n++] = (struct finding_key){"branch", "require-files"};
	if (v->rule.branch->roles.n > 0)
		keys[n++] = (struct finding_key){"branch", "roles"};
	return n;
}

/* "FILE:LINE: [branch "main"] merge-from = dev"; the caller's to free(). */
static char *rule_text(const struct explanation *x, struct finding_key key)
{
	const char *name = section_name(x->verdict, key.section);
	char *origin = config_origin(x->config, key.section, name, key.key);
	char *value = config_value(x->config, key.section, name, key.key);
	struct str text;

	str_init(&text);
	str_add_safe(&text, origin);
	str_addf(&text, ": [%s", key.section);
	if (name[0] != '\0') {
		str_add(&text, " \"");
		str_add_safe(&text, name);
		str_addc(&text, '"');
	}
	str_addf(&text, "] %s = ", key.key);
	str_add_safe(&text, value != NULL ? value : "");
	while (text.buf[text.len - 1] == ' ')
		text.buf[--text.len] = '\0';
	free(value);
	free(origin);
	return str_steal(&text);
}

static struct json *rule_json(const struct explanation *x, struct finding_key key)
{
	const char *name = section_name(x->verdict, key.section), *file;
	char *value = config_value(x->config, key.section, name, key.key);
	struct json *j = json_new_object();
	int line;

	file = config_set_in(x->config, key.section, name, key.key, &line);
	json_put_text(j, "file", file);
	if (file != NULL)
		json_put_number(j, "line", line);
	else
		json_put_null(j, "line");
	json_put_text(j, "section", key.section);
	json_put_text(j, "name", name[0] != '\0' ? name : NULL);
	json_put_text(j, "key", key.key);
	json_put_text(j, "value", value);
	free(value);
	return j;
}

/* ---- what it comes to ---- */

int explain_lands(const struct explanation *x)
{
	return x->verdict->n_findings == 0 || x->config->mode == CONFIG_SHADOW;
}

/* The chain that would be launched, or NULL. */
static const struct config_chain *launched(const struct explanation *x)
{
	const char *chain = x->verdict->chain;

	return chain != NULL && explain_lands(x) ? config_chain(x->config, chain) : NULL;
}

static int is_out_of_scope(const struct explanation *x)
{
	return policy_scope(x->config, x->gitdir, NULL, NULL) == POLICY_OUT_OF_SCOPE;
}

/* Call of each code once, in order: the I-th finding is the first of its code. */
static int is_first_of_code(const struct verdict *v, size_t i)
{
	return i == 0 || v->findings[i].code != v->findings[i - 1].code;
}

/* ---- for people ---- */

static void print_heading(const struct explanation *x)
{
	const struct verdict *v = x->verdict;
	char old[OID_HEX_SIZE], new[OID_HEX_SIZE], code[CODE_TEXT_SIZE];
	char *ref = str_safe(v->update->ref, PUSH_MAX_REF);

	oid_hex(&v->update->old, old);
	oid_hex(&v->update->new, new);
	printf("%s %.*s..%.*s: %s", ref, OID_SHORT, old, OID_SHORT, new,
		v->n_findings == 0 ? "accepted" : "would be rejected");
	for (size_t i = 0; i < v->n_findings; i++) {
		if (!is_first_of_code(v, i))
			continue;
		code_text(v->findings[i].code, code);
		printf("%s %s", i > 0 ? "," : "", code);
	}
	printf("\n");
	free(ref);
}

static void print_fact(const char *name, const char *text)
{
	char *safe = str_safe(text, 4096);

	printf("  %-7s %s\n", name, safe);
	free(safe);
}

static void print_source(const struct verdict *v)
{
	char hex[OID_HEX_SIZE], *text;

	oid_hex(&v->source_oid, hex);
	text = mem_format("%s, which holds %.*s", v->source, OID_SHORT, hex);
	print_fact("source", text);
	free(text);
}

static void print_chain(const struct config_chain *chain)
{
	char *stages = strlist_join(&chain->stages, " -> ");
	char *text = mem_format("%s: %s%s", chain->name, stages,
		chain->start == CONFIG_START_MANUAL ? ", each stage by hand" : "");

	print_fact("chain", text);
	free(text);
	free(stages);
}

/* Where it is not what happens that the verdict says. */
static void print_exceptions(const struct explanation *x)
{
	char *origin;

	if (x->config->mode == CONFIG_SHADOW && x->verdict->n_findings > 0) {
		origin = config_origin(x->config, "modelgate", "", "mode");
		printf("  mode    shadow (%s): it would land all the same, with a warning\n",
			origin);
		free(origin);
	}
	if (is_out_of_scope(x)) {
		origin = config_origin(x->config, "modelgate", "", "projects");
		printf("  scope   not one of projects (%s): the hooks let every push pass\n",
			origin);
		free(origin);
	}
}

/* "NAME (ID)", or what there is of it; the caller's to free(). */
static char *actor_text(const struct actor *a)
{
	if (a->name[0] != '\0' && a->id[0] != '\0')
		return mem_format("%s (%s)", a->name, a->id);
	if (a->name[0] == '\0' && a->id[0] == '\0')
		return mem_strdup("not known");
	return mem_strdup(a->name[0] != '\0' ? a->name : a->id);
}

static void print_facts(const struct explanation *x)
{
	const struct verdict *v = x->verdict;
	const struct config_chain *chain = launched(x);
	char *who = actor_text(x->actor);

	print_exceptions(x);
	print_fact("user", who);
	if (v->rule.kind == POLICY_FREE)
		print_fact("rules", "none: it is no branch that has any");
	if (v->method != NULL)
		print_fact("method", v->method);
	if (v->source != NULL)
		print_source(v);
	if (chain != NULL)
		print_chain(chain);
	free(who);
}

static void print_trail(const struct trail *t)
{
	static const char *const titles[] = {
		"COMMIT", "CLASS", "CONTENT", "SOURCE", "SUBJECT", NULL};
	struct table table;

	if (t->n == 0)
		return;
	printf("\n");
	table_init(&table, titles);
	for (size_t i = 0; i < t->n; i++) {
		const struct step *s = &t->v[i];
		char hex[OID_HEX_SIZE], held[OID_HEX_SIZE], *source = NULL;

		oid_hex(&s->oid, hex);
		hex[OID_SHORT] = '\0';
		oid_hex(&s->held, held);
		if (s->source != NULL)
			source = mem_format("%s %.*s", short_ref(s->source), OID_SHORT, held);
		table_add(&table, hex);
		table_add(&table, classes[s->class].shown);
		table_add(&table, content_word(s->content));
		table_add(&table, source != NULL ? source : "");
		table_add(&table, s->subject != NULL ? s->subject : "");
		free(source);
	}
	table_print(&table);
	table_clear(&table);
}

static void print_rule(const struct explanation *x, const struct finding *f)
{
	char *rule;

	if (f->key == NULL) {
		printf("  rule: for every %s\n",
			x->verdict->rule.kind == POLICY_BRANCH ||
					x->verdict->rule.kind == POLICY_RETRAIN
				? "branch with rules"
				: "reference");
		return;
	}
	rule = rule_text(x, (struct finding_key){f->section, f->key});
	printf("  rule: %s\n", rule);
	free(rule);
}

static void print_findings(const struct explanation *x)
{
	const struct verdict *v = x->verdict;

	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];
		char code[CODE_TEXT_SIZE];

		code_text(f->code, code);
		/* The words of a finding are harmless for a terminal, gate/finding.h. */
		printf("\n%s: %s\n", code, f->reason);
		if (f->fix != NULL)
			printf("  to fix: %s\n", f->fix);
		print_rule(x, f);
	}
}

static void print_passing(const struct explanation *x)
{
	struct finding_key keys[MAX_KEYS];
	size_t n = x->verdict->n_findings == 0 ? passing_keys(x->verdict, keys) : 0;

	if (n > 0)
		printf("\n");
	for (size_t i = 0; i < n; i++) {
		char *rule = rule_text(x, keys[i]);

		printf("  rule: %s\n", rule);
		free(rule);
	}
}

void explain_print(const struct explanation *x)
{
	print_heading(x);
	print_facts(x);
	print_trail(&x->verdict->trail);
	print_findings(x);
	print_passing(x);
}

/* ---- JSON ---- */

static void put_oid(struct json *j, const char *name, const struct oid *oid)
{
	char hex[OID_HEX_SIZE];

	oid_hex(oid, hex);
	json_put_text(j, name, hex);
}

static struct json *step_json(const struct step *s)
{
	const char *content = content_word(s->content);
	struct json *j = json_new_object();

	put_oid(j, "oid", &s->oid);
	json_put_text(j, "class", classes[s->class].word);
	json_put_text(j, "content", content[0] != '\0' ? content : NULL);
	json_put_text(j, "source", s->source);
	if (s->source != NULL)
		put_oid(j, "source_oid", &s->held);
	else
		json_put_null(j, "source_oid");
	json_put_text(j, "subject", s->subject);
	return j;
}

static struct json *finding_json(const struct explanation *x, const struct finding *f)
{
	struct json *j = json_new_object();
	char code[CODE_TEXT_SIZE];

	code_text(f->code, code);
	json_put_text(j, "code", code);
	json_put_text(j, "reason", f->reason);
	json_put_text(j, "fix", f->fix);
	if (f->key != NULL)
		json_put(j, "rule", rule_json(x, (struct finding_key){f->section, f->key}));
	else
		json_put_null(j, "rule");
	return j;
}

static struct json *codes_json(const struct verdict *v)
{
	struct json *codes = json_new_array();
	char code[CODE_TEXT_SIZE];

	for (size_t i = 0; i < v->n_findings; i++) {
		if (!is_first_of_code(v, i))
			continue;
		code_text(v->findings[i].code, code);
		json_append_text(codes, code);
	}
	return codes;
}

static struct json *user_json(const struct actor *a)
{
	struct json *j = json_new_object();

	json_put_text(j, "id", a->id);
	json_put_text(j, "name", a->name);
	return j;
}

/* The lists: what each commit is, what was found, which rules let it pass. */
static void put_lists(struct json *j, const struct explanation *x)
{
	const struct verdict *v = x->verdict;
	struct json *commits = json_new_array(), *findings = json_new_array(),
		    *rules = json_new_array();
	struct finding_key keys[MAX_KEYS];
	size_t n = v->n_findings == 0 ? passing_keys(v, keys) : 0;

	for (size_t i = 0; i < v->trail.n; i++)
		json_append(commits, step_json(&v->trail.v[i]));
	for (size_t i = 0; i < v->n_findings; i++)
		json_append(findings, finding_json(x, &v->findings[i]));
	for (size_t i = 0; i < n; i++)
		json_append(rules, rule_json(x, keys[i]));
	json_put(j, "commits", commits);
	json_put(j, "findings", findings);
	json_put(j, "rules", rules);
}

void explain_print_json(const struct explanation *x)
{
	const struct verdict *v = x->verdict;
	const struct config_chain *chain = launched(x);
	struct json *j = json_new_object();
	char *text;

	json_put_text(j, "ref", v->update->ref);
	put_oid(j, "old", &v->update->old);
	put_oid(j, "new", &v->update->new);
	json_put_text(j, "verdict", v->n_findings == 0 ? "accepted" : "rejected");
	json_put_text(j, "mode", x->config->mode == CONFIG_SHADOW ? "shadow" : "enforce");
	json_put_text(j, "scope", is_out_of_scope(x) ? "out" : "in");
	json_put(j, "user", user_json(x->actor));
	json_put(j, "codes", codes_json(v));
	json_put_text(j, "method", v->method);
	json_put_text(j, "source", v->source);
	if (v->source != NULL)
		put_oid(j, "source_oid", &v->source_oid);
	else
		json_put_null(j, "source_oid");
	json_put_text(j, "chain", chain != NULL ? chain->name : NULL);
	put_lists(j, x);
	text = json_text(j, JSON_ONE_LINE);
	printf("%s\n", text);
	free(text);
	json_free(j);
}
