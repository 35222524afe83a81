#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "command.h"
#include "git/oid.h"
#include "stage/project.h"

/* TEXT as a word for the shell, in quotes where it needs them; the caller's to free(). */
static char *quote(const char *text)
{
	struct str s;

	str_init(&s);
	if (text[strcspn(text, " \t\"'\\$`&|;<>()*?[]{}#~!")] == '\0') {
		str_add(&s, text);
		return str_steal(&s);
	}
	str_addc(&s, '\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			str_add(&s, "'\\\''");
		else
			str_addc(&s, *text);
	str_addc(&s, '\'');
	return str_steal(&s);
}

static void print_next(const char *place, const struct oid *commit)
{
	char hex[OID_HEX_SIZE], *safe = str_safe(place, 4096), *word = quote(safe);

	oid_hex(commit, hex);
	printf("%s: branches dev, main, prod, retrain, online at %.*s; dev is checked out\n"
	       "\n"
	       "next, with an empty repository that has the hooks:\n"
	       "  cd %s\n"
	       "  git remote add origin REPOSITORY\n"
	       "  git push origin --all\n",
		safe, OID_SHORT, hex, word);
	free(word);
	free(safe);
}

static int new (struct command *c, int argc, char **argv)
{
	struct project p = {0};
	const struct command_option options[] = {
		{"--project=", &p.name}, {"--dvc-remote=", &p.dvc_remote}, {NULL, NULL}};
	struct err e = ERR_INIT;
	struct oid commit;
	char *place = NULL;
	int n = command_options(&verb_new, argc, argv, options, 1, 1);

	(void)c; /* a project is made on a workplace, where there is no configuration of a server */
	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (argv[1][0] == '\0')
		return command_fail(COMMAND_USAGE, "new: DIR is empty: give the name of a folder");
	if (p.name == NULL)
		return command_fail(COMMAND_USAGE, "new: --project NAME is missing");
	if (p.dvc_remote != NULL && strstr(p.dvc_remote, "://") != NULL)
		return command_fail(COMMAND_USAGE,
			"--dvc-remote takes a folder; for s3 or http edit .dvc/config afterwards "
			"with dvc remote modify");
	if (project_check_name(p.name, &e) != 0)
		return command_err(COMMAND_USAGE, &e);
	p.dir = argv[1];
	if (project_make(&p, &place, &commit, &e) != 0)
		return command_err(COMMAND_NO, &e);
	print_next(place, &commit);
	free(place);
	return COMMAND_DONE;
}

const struct verb verb_new = {
	.name = "new",
	.run = new,
	.arguments = "DIR --project NAME [--dvc-remote PATH]",
	.summary = "Make the work tree of a new project, ready to be pushed to an empty repository",
	.options = "  --project NAME     letters, digits, \"_\" and \"-\"\n"
		   "  --dvc-remote PATH  folder where models are kept, DIR/.dvc/local-remote if "
		   "not given\n",
};
