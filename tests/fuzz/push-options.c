/*
 * What a pusher or GitLab's web page puts into a gate's environment: each line of the input is a push option,
 * the first is the pusher's name.  An override is granted to who may, with a reason that can be printed.
 *
 * About: common/gate/override.c common/gate/identity.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/identity.h"
#include "gate/override.h"

#define MAX_OPTIONS 20
#define CONFIG                                                                                     \
	"[role \"leads\"]\nmembers = ivanov, user-17\n[override]\nrole = leads\n"                  \
	"[identity]\nsource = gitlab\n"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void set(const char *name, const char *value)
{
	must(setenv(name, value, 1) == 0);
}

/* Nothing that a terminal would obey. */
static void check_text(const char *text)
{
	must(text != NULL && *text != '\0');
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check(
	const struct override *o, const struct actor *who, const struct config *c, const char *all)
{
	int is_member = strcmp(who->name, "ivanov") == 0 || strcmp(who->id, "user-17") == 0;

	must(is_member == identity_may(c, who, &c->override_role));
	must((o->state == OVERRIDE_NOT_ASKED) == (o->reason == NULL));
	must((o->state == OVERRIDE_REFUSED) == (o->fix != NULL));
	must(o->state == OVERRIDE_NOT_ASKED || strstr(all, OVERRIDE_OPTION) != NULL);
	if (o->state == OVERRIDE_GRANTED)
		must(is_member && strstr(all, o->reason) != NULL &&
			strlen(o->reason) <= 4 * OVERRIDE_MAX_REASON);
	if (o->reason != NULL)
		check_text(o->reason);
	if (o->fix != NULL)
		check_text(o->fix);
	for (size_t i = 0; i < o->unknown.n; i++)
		check_text(o->unknown.v[i]);
}

/* Put the lines after the first into the environment; returns how many. */
static size_t set_options(char *line)
{
	char name[40], count[20];
	size_t n = 0;

	for (char *next; line != NULL && n < MAX_OPTIONS; line = next, n++) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		(void)snprintf(name, sizeof(name), "GIT_PUSH_OPTION_%zu", n); /* fits */
		set(name, line);
	}
	(void)snprintf(count, sizeof(count), "%zu", n); /* fits */
	set("GIT_PUSH_OPTION_COUNT", count);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct config *config; /* the same for every input */
	char *text = mem_strndup((const char *)bytes, len), *all = mem_strdup(text);
	char *rest = strchr(text, '\n'), *id;
	struct override o;
	struct actor who;

	if (config == NULL)
		must(config_parse(&config, CONFIG, strlen(CONFIG), "fuzz", NULL) == 0);
	if (rest != NULL)
		*rest++ = '\0';
	id = strchr(text, ' ');
	if (id != NULL)
		*id++ = '\0';
	set("GL_USERNAME", text);
	set("GL_ID", id != NULL ? id : "");
	(void)set_options(rest);
	identity_find(&who, config);
	must(strcmp(who.name, text) == 0 && strcmp(who.id, id != NULL ? id : "") == 0);
	override_find(&o, config, &who);
	check(&o, &who, config, all);
	override_clear(&o);
	actor_clear(&who);
	free(all);
	free(text);
	return 0;
}
