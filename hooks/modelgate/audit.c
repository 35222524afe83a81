#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static const struct verb *const verbs[] = {&audit_verb_verify, &audit_verb_show, &audit_verb_report,
	&audit_verb_export, &audit_verb_checkpoint, &audit_verb_keygen, &audit_verb_prove,
	&audit_verb_check_proof, &audit_verb_rotate};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* What stands behind "audit " in the name of V. */
static const char *word_of(const struct verb *v)
{
	return v->name + strlen("audit ");
}

/* 0, or -1 and told. */
static int read_time(const char *text, const char *option, int64_t *out)
{
	if (text == NULL || clock_parse(text, out) == 0)
		return 0;
	return command_fail(-1,
		"%s \"%s\" is no time: 2026-11-23 or 2026-11-23T20:21:49Z (UTC) is one", option,
		text);
}

/* 0: TEXT is NULL, an event, or a glob, which may fit none yet; or -1 and told. */
static int check_event(const char *text)
{
	struct strlist events = {0};
	char *words;
	int status = 0;

	for (const char *const *event = audit_events(); *event != NULL; event++)
		strlist_add(&events, *event);
	if (text != NULL && strpbrk(text, "*?[") == NULL && !strlist_has(&events, text)) {
		words = strlist_join(&events, ", ");
		status = command_fail(-1, "\"%s\" is no event; these are: %s", text, words);
		free(words);
	}
	strlist_clear(&events);
	return status;
}

int audit_choice_read(struct audit_choice *c)
{
	if (check_event(c->filter.event) != 0 ||
		read_time(c->since, "--since", &c->filter.since) != 0)
		return -1;
	return read_time(c->until, "--until", &c->filter.until);
}

static void print_help(void)
{
	printf("usage: modelgate [--repo PATH | --config FILE] audit %s\n\n%s.\n\n",
		verb_audit.arguments, verb_audit.summary);
	for (size_t i = 0; i < N_VERBS; i++)
		printf("  %-12s %s\n", word_of(verbs[i]), verbs[i]->summary);
	printf("\nmodelgate audit VERB --help tells of one of them.\n");
}

static int no_such_verb(const char *word)
{
	struct strlist words = {0};
	char *all;

	for (size_t i = 0; i < N_VERBS; i++)
		strlist_add(&words, word_of(verbs[i]));
	all = strlist_join(&words, ", ");
	(void)command_fail(COMMAND_USAGE,
		"audit: \"%s\" is none of %s; modelgate audit --help tells of them", word, all);
	free(all);
	strlist_clear(&words);
	return COMMAND_USAGE;
}

static int audit(struct command *c, int argc, char **argv)
{
	if (argc < 2)
		return command_fail(COMMAND_USAGE,
			"audit: what is to be done is missing; modelgate audit --help lists it");
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(argv[1], word_of(verbs[i])) == 0)
			return verbs[i]->run(c, argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return no_such_verb(argv[1]);
	print_help();
	return COMMAND_DONE;
}

const struct verb verb_audit = {
	.name = "audit",
	.run = audit,
	.arguments = "VERB ...",
	.summary = "Check, read, sign and prove from the log of what was pushed, rejected and "
		   "deployed",
};
