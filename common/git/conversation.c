#include "git/conversation-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/internal.h"
#include "git/remote.h"

void conversation_init(struct conversation *c, const struct remote *r, const char *spool)
{
	memset(c, 0, sizeof(*c));
	c->remote = r;
	c->spool = spool;
	str_init(&c->words);
}

void conversation_clear(struct conversation *c)
{
	err_clear(&c->fault);
	str_clear(&c->words);
	free(c->refused);
	memset(c, 0, sizeof(*c));
}

void conversation_reset(struct conversation *c)
{
	const struct remote *remote = c->remote;
	const char *spool = c->spool;

	conversation_clear(c);
	conversation_init(c, remote, spool);
}

char *conversation_words(const char *text)
{
	char *line = mem_strdup(text), *safe;

	for (char *p = line; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	for (size_t len = strlen(line); len > 0 && line[len - 1] == ' ';)
		line[--len] = '\0';
	safe = str_safe(line, CONVERSATION_MAX_WORDS);
	free(line);
	return safe;
}

int conversation_err(const struct conversation *c, struct err *e, const char *what)
{
	const char *url = c->remote->address.url;

	if (c->fault.text == NULL) {
		char *words = conversation_words(c->words.buf);

		(void)git_err(e, "%s: %s%s%s%s", url, what, *words ? " (the server says: " : "",
			words, *words ? ")" : "");
		free(words);
		return -1;
	}
	(void)err_set(e, "%s: %s: %s", url, what, c->fault.text);
	if (e != NULL)
		e->passing = c->fault.passing;
	return -1;
}

const char *conversation_service(git_smart_service_t action)
{
	return action == GIT_SERVICE_UPLOADPACK_LS || action == GIT_SERVICE_UPLOADPACK
		       ? "git-upload-pack"
		       : "git-receive-pack";
}

static int carry(git_transport **out, git_remote *owner, void *context)
{
	struct conversation *c = context;
	int http = c->remote->address.kind == REMOTE_HTTP;
	git_smart_subtransport_definition definition = {
		.callback = http ? transport_http : transport_ssh,
		.rpc = (unsigned)http,
		.param = c};

	return git_transport_smart(out, owner, &definition);
}

/* What hooks of the server print, and its progress. */
static int hear(const char *text, int len, void *context)
{
	struct conversation *c = context;
	size_t room = CONVERSATION_MAX_WORDS - c->words.len, n = (size_t)len;

	str_addn(&c->words, text, n < room ? n : room);
	return 0;
}

static int hear_verdict(const char *ref, const char *status, void *context)
{
	struct conversation *c = context;

	(void)ref; /* only one is ever pushed */
	free(c->refused);
	c->refused = mem_strdup(status);
	c->is_taken = status == NULL;
	return 0;
}

int conversation_callbacks(git_remote_callbacks *out, struct conversation *c, struct err *e)
{
	if (git_remote_init_callbacks(out, GIT_REMOTE_CALLBACKS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	out->transport = carry;
	out->sideband_progress = hear;
	out->push_update_reference = hear_verdict;
	out->payload = c;
	return 0;
}

/* The address is taken as it is: no url.*.insteadOf of any configuration is looked for. */
static int make_remote(
	git_remote **out, git_repository *git, const struct conversation *c, struct err *e)
{
	git_remote_create_options options;

	if (git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	options.repository = git;
	options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	if (git_remote_create_with_opts(out, c->remote->address.url, &options) < 0)
		return git_err(e, "%s", c->remote->address.url);
	return 0;
}

int conversation_connect(git_remote **out, git_repository *git, git_direction direction,
	struct conversation *c, struct err *e)
{
	git_remote_connect_options options;

	*out = NULL;
	if (git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	options.proxy_opts.type = GIT_PROXY_NONE;
	if (conversation_callbacks(&options.callbacks, c, e) != 0 ||
		make_remote(out, git, c, e) != 0)
		return -1;
	if (git_remote_connect_ext(*out, direction, &options) == 0)
		return 0;
	(void)conversation_err(c, e, "cannot be reached");
	git_remote_free(*out);
	*out = NULL;
	return -1;
}

/* ---- references ---- */

int conversation_tip(
	git_remote *remote, const char *ref, struct conversation *c, git_oid *tip, struct err *e)
{
	const git_remote_head **heads;
	size_t n;

	if (git_remote_ls(&heads, &n, remote) < 0)
		return conversation_err(c, e, "its references cannot be read");
	for (size_t i = 0; i < n; i++)
		if (strcmp(heads[i]->name, ref) == 0) {
			git_oid_cpy(tip, &heads[i]->oid);
			return 1;
		}
	return 0;
}
