#include "explain.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../past.h"
#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/order.h"
#include "command.h"
#include "data/config.h"
#include "gate/code.h"
#include "gate/identity.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/push.h"
#include "git/merge.h"
#include "git/repository.h"
#include "sys/files.h"

/* "MGnnn: " and *E's text, as a hook would say that it cannot tell. */
static int cannot_tell(enum code code, struct err *e)
{
	char text[CODE_TEXT_SIZE];

	code_text(code, text);
	(void)err_wrap(e, "%s", text);
	return command_err(COMMAND_CANNOT_TELL, e);
}

/* ---- whoever pushes ---- */

/* Under `source = os` a user has an id and a name: the one that was not given is looked up. */
static void complete(struct actor *a)
{
	long long uid;
	const struct passwd *pw;

	if (str_starts(a->id, "uid-") && str_number(a->id + 4, (long long)(uid_t)-2, &uid) == 0) {
		pw = getpwuid((uid_t)uid);
		if (pw == NULL)
			return;
		free(a->name);
		a->name = mem_strdup(pw->pw_name);
	} else if (a->name[0] != '\0' && (pw = getpwnam(a->name)) != NULL) {
		free(a->id);
		a->id = mem_format("uid-%lu", (unsigned long)pw->pw_uid);
	}
}

/* USER is a name or an id; NULL: whoever runs this.  The caller's to actor_clear(). */
static void find_actor(struct actor *out, const struct command *c, const char *user)
{
	int is_id = user != NULL && identity_is_id(user);

	if (user == NULL) {
		actor_copy(out, &c->actor);
		return;
	}
	out->id = mem_strdup(is_id ? user : "");
	out->name = mem_strdup(is_id ? "" : user);
	out->protocol = mem_strdup("local");
	if (c->config->identity == CONFIG_IDENTITY_OS)
		complete(out);
}

/* ---- the update ---- */

/* An object id for REVISION, in *HEX.  COMMAND_DONE, or told. */
static int find_object(
	char hex[OID_HEX_SIZE], struct repository *r, const char *ref, const char *revision)
{
	enum repository_peel peel =
		names_branch(ref) != NULL ? REPOSITORY_COMMIT : REPOSITORY_OBJECT;
	struct err e = ERR_INIT;
	struct oid oid = {{0}};
	int found = 1;

	/* "0" and any number of them, as hooks are given them. */
	if (revision[0] == '\0' || revision[strspn(revision, "0")] != '\0')
		found = repository_revision(r, revision, peel, &oid, &e);
	oid_hex(&oid, hex);
	if (found < 0)
		return cannot_tell(CODE_REPOSITORY, &e);
	if (found == 0)
		return command_fail(COMMAND_CANNOT_TELL,
			"\"%s\" names no single %s here; one of your own has to be pushed "
			"to a branch without rules first",
			revision, peel == REPOSITORY_COMMIT ? "commit" : "object");
	return COMMAND_DONE;
}

/* The arguments REF, OLD and NEW as a push of one update, resolved.  COMMAND_DONE, or told. */
static int read_update(struct push *out, struct repository *r, const char *gitdir, char **argv)
{
	char old[OID_HEX_SIZE] = "", new[OID_HEX_SIZE] = "";
	struct err e = ERR_INIT;
	char *ref = str_starts(argv[1], "refs/") ? mem_strdup(argv[1])
						 : mem_format(NAMES_HEADS "%s", argv[1]);
	int status = COMMAND_DONE;

	if (!names_is_ref(ref))
		status = command_fail(COMMAND_USAGE,
			"explain: \"%s\" is no name of a reference or branch", argv[1]);
	if (status == COMMAND_DONE)
		status = find_object(old, r, ref, argv[2]);
	if (status == COMMAND_DONE)
		status = find_object(new, r, ref, argv[3]);
	if (status == COMMAND_DONE && strcmp(old, new) == 0)
		status = command_fail(
			COMMAND_USAGE, "explain: OLD and NEW are the same: nothing would move");
	if (status == COMMAND_DONE && push_add(out, ref, old, new, &e) != PUSH_OK)
		status = cannot_tell(CODE_INPUT, &e);
	if (status == COMMAND_DONE && push_resolve(out, gitdir, &e) != 0)
		status = cannot_tell(CODE_REPOSITORY, &e);
	free(ref);
	return status;
}

/* ---- the past ---- */

/* Where there is no store, nothing has landed; and none is made for a question. */
static int never_landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context, (void)ref, (void)tip, (void)e;
	return 0;
}

static int never_used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context, (void)prefix, (void)each, (void)arg, (void)e;
	return 0;
}

static int never_deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)context, (void)id, (void)chain, (void)e;
	memset(commit, 0, sizeof(*commit));
	return 0;
}

static int never_made(void *context, const char *ref, struct past_order *out, struct err *e)
{
	struct order o;

	(void)context, (void)e;
	memset(out, 0, sizeof(*out));
	if (!order_parse(&o, ref))
		return 0;
	out->refused = mem_strdup("this repository has no pipelines yet");
	return 1;
}

static const struct past no_past = {never_landed, never_used, never_deployed, never_made, NULL};

static int has_store(const struct config *c)
{
	char *path = path_join(c->state, CONFIG_STATE_STORE);
	int yes = files_exists(path);

	free(path);
	return yes;
}

/* ---- the judgement ---- */

/* Where Git may write what it merges. */
struct scratch {
	char *path;
	enum { SCRATCH_OF_HOOKS, SCRATCH_OF_OURS } whose;
};

/*
 * The folder that the hooks use, or where there is no state directory, as on somebody's own machine, one
 * of our own, which scratch_clear() removes.  0, or -1 and *E.
 */
static int scratch_find(struct scratch *out, const struct config *c, struct err *e)
{
	const char *temporary = getenv("TMPDIR");

	out->whose = files_exists(c->state) ? SCRATCH_OF_HOOKS : SCRATCH_OF_OURS;
	if (out->whose == SCRATCH_OF_HOOKS) {
		out->path = path_join(c->state, CONFIG_STATE_WORK);
		return 0;
	}
	if (temporary == NULL || temporary[0] != '/')
		temporary = "/tmp";
	out->path = path_join(temporary, "modelgate-explain-XXXXXX");
	if (mkdtemp(out->path) != NULL)
		return 0;
	out->whose = SCRATCH_OF_HOOKS; /* there is nothing to be removed */
	return err_errno(e, errno, "no folder can be made in %s", temporary);
}

static void scratch_clear(struct scratch *s)
{
	if (s->whose == SCRATCH_OF_OURS)
		(void)rmdir(s->path); /* what is left of it harms nobody */
	free(s->path);
}

static int tell(const struct explanation *x, int as_json)
{
	if (as_json)
		explain_print_json(x);
	else
		explain_print(x);
	return x->verdict->n_findings == 0 ? COMMAND_DONE : COMMAND_NO;
}

/* Judge the one update of J's push, and tell. */
static int judge(struct judge *j, int as_json)
{
	struct past_teller teller;
	struct verdict verdict = {0};
	struct err e = ERR_INIT;
	int status;

	past_init(&teller, j->view.config->state, j->gitdir);
	j->view.past = has_store(j->view.config) ? &teller.past : &no_past;
	if (judge_push(&verdict, j, &e) != 0) {
		status = cannot_tell(
			past_failed(&teller) || e.passing ? CODE_STORE : CODE_REPOSITORY, &e);
	} else {
		status = tell(&(struct explanation){j->view.config, j->gitdir, j->actor, &verdict},
			as_json);
		verdict_clear(&verdict);
	}
	past_clear(&teller);
	return status;
}

struct question {
	const char *user;
	int as_json;
	char **argv; /* REF, OLD and NEW from 1 on */
};

static int answer(struct command *c, const struct question *q)
{
	struct err e = ERR_INIT;
	struct push push = {0};
	struct actor actor = {0};
	struct judge j = {.view = {.config = c->config, .push = &push},
		.objects = JUDGE_OBJECTS,
		.actor = &actor,
		.now = clock_now(),
		.references = JUDGE_AS_GIVEN};
	char *gitdir = repository_common_dir(c->repository, &e);
	struct scratch scratch = {0};
	int status;

	if (gitdir == NULL ||
		repository_open(&j.view.repository, gitdir, REPOSITORY_OBJECTS, &e) != 0 ||
		scratch_find(&scratch, c->config, &e) != 0) {
		status = cannot_tell(CODE_REPOSITORY, &e);
		goto out;
	}
	j.gitdir = gitdir;
	j.merges = merges_new(j.view.repository, scratch.path);
	find_actor(&actor, c, q->user);
	status = read_update(&push, j.view.repository, gitdir, q->argv);
	if (status == COMMAND_DONE)
		status = judge(&j, q->as_json);
out:
	judge_clear(&j);
	actor_clear(&actor);
	push_clear(&push);
	scratch_clear(&scratch);
	free(gitdir);
	return status;
}

static int explain(struct command *c, int argc, char **argv)
{
	const char *user = NULL, *as_json = NULL;
	const struct command_option options[] = {
		{"--user=", &user}, {"--json", &as_json}, {NULL, NULL}};
	int n = command_options(&verb_explain, argc, argv, options, 3, 3);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	return answer(c, &(struct question){user, as_json != NULL, argv});
}

const struct verb verb_explain = {
	.name = "explain",
	.run = explain,
	.needs_config = 1,
	.needs_repository = 1,
	.arguments = "REF OLD NEW [--user NAME] [--json]",
	.summary = "Judge an update without a push, and say why",
	.options = "  REF          a branch, or the full name of a reference\n"
		   "  OLD, NEW     what it would move from and to: ids, branches, tags, HEAD~1;\n"
		   "               0 for nothing\n"
		   "  --user NAME  as a push by NAME, or by user-N, key-N, uid-N; else by whoever "
		   "asks\n"
		   "  --json       as JSON\n",
};
