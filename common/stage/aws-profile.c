#include "stage/aws-profile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/ini-lines.h"
#include "sys/files.h"
#include "sys/secret.h"

#define MAX_CONFIG 65536 /* bytes of ~/.aws/config */

struct search {
	struct aws_profile *out;
	const char *section;
	int found;
};

void aws_profile_clear(struct aws_profile *p)
{
	free(p->id);
	secret_free(p->secret);
	secret_free(p->session);
	free(p->region);
	free(p->endpoint);
	memset(p, 0, sizeof(*p));
}

static int take(void *context, const struct ini_line *line, struct err *e)
{
	struct search *s = context;
	const struct {
		const char *key;
		char **value;
	} rows[] = {{"aws_access_key_id", &s->out->id}, {"aws_secret_access_key", &s->out->secret},
		{"aws_session_token", &s->out->session}, {"region", &s->out->region},
		{"endpoint_url", &s->out->endpoint}};

	(void)e; /* nothing here is a fault */
	/* Indented lines belong to the settings of one service: `s3 =` above them. */
	if (line->is_indented || strcmp(line->section, s->section) != 0)
		return 0;
	s->found = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(line->key, rows[i].key) == 0 && line->value[0] != '\0' &&
			*rows[i].value == NULL)
			*rows[i].value = mem_strdup(line->value);
	return 0;
}

int aws_profile_parse(
	struct aws_profile *out, char *text, size_t len, const char *section, struct err *e)
{
	struct search s = {.out = out, .section = section};

	if (ini_lines_each(text, len, take, &s, e) != 0)
		return -1;
	return s.found;
}

static int load_credentials(
	struct aws_profile *out, const char *file, const char *name, struct err *e)
{
	struct str text;
	int found;

	if (secret_load(file, &text, e) != 0)
		return -1;
	found = aws_profile_parse(out, text.buf, text.len, name, e);
	secret_wipe(&text);
	return found < 0 ? err_wrap(e, "%s", file) : found;
}

/*
 * Region and endpoint may stand beside, in ~/.aws/config: [default] or [profile NAME].  1, 0: no such
 * section, or -1.
 */
static int load_config(struct aws_profile *out, const char *file, const char *name, struct err *e)
{
	char *section = strcmp(name, AWS_PROFILE_DEFAULT) == 0 ? mem_strdup(name)
							       : mem_format("profile %s", name);
	struct aws_profile more = {0};
	struct str text;
	int found;

	str_init(&text);
	found = files_read(file, MAX_CONFIG, &text, e);
	if (found == 1) {
		found = aws_profile_parse(&more, text.buf, text.len, section, e);
		if (found < 0)
			(void)err_wrap(e, "%s", file);
	}
	secret_wipe(&text);
	if (out->region == NULL)
		out->region = mem_strdup(more.region);
	if (out->endpoint == NULL)
		out->endpoint = mem_strdup(more.endpoint);
	aws_profile_clear(&more);
	free(section);
	return found;
}

static int load_home(struct aws_profile *out, const char *name, struct err *e)
{
	const char *home = getenv("HOME"), *wanted = name != NULL ? name : AWS_PROFILE_DEFAULT;
	char *file, *config;
	int found = 0;

	if (home == NULL || *home != '/')
		home = "/nonexistent";
	file = mem_format("%s/.aws/credentials", home);
	config = mem_format("%s/.aws/config", home);
	if (files_exists(file))
		found = load_credentials(out, file, wanted, e);
	if (found >= 0) {
		int more = load_config(out, config, wanted, e);

		found = more < 0 ? -1 : found | more;
	}
	if (found == 0 && name != NULL)
		found = err_set(e,
			"there is no profile \"%s\" in %s, and [build] model-credentials-file "
			"names no other file",
			name, file);
	free(config);
	free(file);
	return found;
}

int aws_profile_load(struct aws_profile *out, const char *file, const char *name, struct err *e)
{
	const char *wanted = name != NULL ? name : AWS_PROFILE_DEFAULT;
	int found;

	memset(out, 0, sizeof(*out));
	if (*file == '\0') {
		found = load_home(out, name, e);
	} else {
		found = load_credentials(out, file, wanted, e);
		if (found == 0)
			found = err_set(e, "%s has no profile \"%s\"", file, wanted);
	}
	if (found < 0)
		aws_profile_clear(out);
	return found;
}
