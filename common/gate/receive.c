#include "gate/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "gate/copy.h"
#include "gate/identity.h"
#include "gate/judge.h"
#include "gate/policy.h"
#include "gate/push.h"
#include "git/memory.h"
#include "git/repository.h"
#include "sys/files.h"
#include "sys/process.h"

#define MAX_ANCESTORS 8 /* processes between a hook and its git */

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

static int open_standard(struct err *e)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return err_errno(e, errno, "/dev/null cannot be opened");
	(void)close(fd); /* nothing was written to it */
	return 0;
}

/*
 * The hooks of one push share no environment that one of them could write.  They share GitLab's
 * correlation id, or else the git that serves the push: the nearest one above, as a hook may be
 * started by a script; the runner sees by it whether that push goes on.  Where there is none, the
 * process that started the hook, whose end says nothing.  PUSH_ID, which no other hook has, where that
 * cannot be seen: update then judges alone.
 */
static char *push_key(const char *correlation_id, const char *push_id)
{
	struct process p, parent = {0};
	pid_t pid = getppid();

	if (correlation_id[0] != '\0')
		return mem_format("correlation %s", correlation_id);
	for (int i = 0; i < MAX_ANCESTORS && process_read(&p, pid); i++) {
		if (strcmp(p.name, "git") == 0 || str_starts(p.name, "git-receive-pac"))
			return process_name(&p);
		if (i == 0)
			parent = p;
		pid = p.parent;
	}
	if (parent.started == 0)
		return mem_format("push %s", push_id);
	return mem_format("parent %ld %llu", (long)parent.pid, parent.started);
}

/* Everything that follows from the configuration. */
static void fill(struct receive *r)
{
	int gitlab = r->config->identity == CONFIG_IDENTITY_GITLAB;

	r->project = config_project(
		r->config, gitlab ? environment("GL_PROJECT_PATH") : NULL, r->gitdir);
	r->gl_repository = mem_strdup(gitlab ? environment("GL_REPOSITORY") : "");
	r->correlation_id = mem_strdup(gitlab ? environment("CORRELATION_ID") : "");
	r->key = push_key(r->correlation_id, r->id);
	identity_find(&r->actor, r->config);
}

/*
 * The configuration, or where the repository's own file is broken what holds without it: so a
 * repository that the system file leaves out passes all the same, and another one's push is
 * recorded where the system's are.
 */
static enum receive_start load(struct receive *r, const char *hook, struct err *e)
{
	struct config_sources from = {.repository = r->gitdir};
	enum receive_start start = RECEIVE_READY;

	if (config_load(&r->config, &from, e) != 0) {
		start = RECEIVE_BAD_CONFIG;
		from.repository = NULL;
		if (config_load(&r->config, &from, NULL) != 0)
			return start;
	}
	if (policy_scope(r->config, r->gitdir, environment("GL_PROJECT_PATH"),
		    environment("GL_REPOSITORY")) == POLICY_OUT_OF_SCOPE)
		return RECEIVE_OUT_OF_SCOPE;
	/* Only GitLab's server runs hooks of a repository and those of all. */
	if (r->config->identity == CONFIG_IDENTITY_GITLAB && copy_judges(r->gitdir, hook))
		return RECEIVE_OUT_OF_SCOPE;
	fill(r);
	return start;
}

enum receive_start receive_begin(struct receive *r, const char *hook, struct err *e)
{
	const char *gitdir = environment("GIT_DIR"), *name_space = environment("GIT_NAMESPACE");
	enum receive_start start;

	memset(r, 0, sizeof(*r));
	/* As long as it is not known whether GitLab is believed: its page drops lines without the prefix. */
	if (strcmp(environment("GL_PROTOCOL"), "web") == 0)
		r->reader = RECEIVE_WEB_PAGE;
	if (open_standard(e) != 0 || memory_bound(e) != 0)
		return RECEIVE_BAD_REPOSITORY;
	r->gitdir = repository_common_dir(*gitdir ? gitdir : ".", e);
	if (r->gitdir == NULL)
		return RECEIVE_BAD_REPOSITORY;
	if (clock_new_id(clock_now(), r->id) != 0) {
		(void)err_set(e, "the kernel gives no random bytes for the push's id");
		return RECEIVE_BAD_REPOSITORY;
	}
	start = load(r, hook, e);
	if (start == RECEIVE_READY && r->config->identity != CONFIG_IDENTITY_GITLAB)
		r->reader = RECEIVE_TERMINAL;
	/* The names that the hook is given are others than the repository's. */
	if (start == RECEIVE_READY && *name_space != '\0') {
		(void)err_set(e, "namespace %s of a repository cannot be judged", name_space);
		start = RECEIVE_BAD_REPOSITORY;
	}
	return start;
}

void receive_clear(struct receive *r)
{
	free(r->gitdir);
	config_free(r->config);
	free(r->project);
	free(r->gl_repository);
	free(r->correlation_id);
	actor_clear(&r->actor);
	free(r->key);
	memset(r, 0, sizeof(*r));
}

int receive_input(struct str *out, struct err *e)
{
	return files_read_fd(STDIN_FILENO, PUSH_MAX_INPUT, out, e);
}

void receive_judge(const struct receive *r, const struct push *push, struct judge *out)
{
	memset(out, 0, sizeof(*out));
	out->view.config = r->config;
	out->view.push = push;
	out->gitdir = r->gitdir;
	out->objects = JUDGE_QUARANTINED_OBJECTS;
	out->actor = &r->actor;
	out->now = clock_now();
}

static void fill_record(struct audit_record *record, const struct receive *r, const char *event)
{
	memset(record, 0, sizeof(*record));
	record->event = event;
	record->push_id = r->id;
	record->actor = r->actor;
	record->repository.path = r->gitdir;
	record->repository.project = r->project;
	record->repository.gl_repository = r->gl_repository;
	record->policy = r->config->sha256;
	record->correlation_id = r->correlation_id;
}

/* Texts that the references of one record borrow. */
struct ref_texts {
	char old[OID_HEX_SIZE];
	char new[OID_HEX_SIZE];
	char (*codes)[CODE_TEXT_SIZE];
	const char **code_list;
	char *reason;
};

static void fill_ref(struct audit_ref *ref, struct ref_texts *t, const struct push_update *u)
{
	oid_hex(&u->old, t->old);
	oid_hex(&u->new, t->new);
	ref->ref = u->ref;
	ref->old = t->old;
	ref->new = t->new;
}

static void fill_codes(struct audit_ref *ref, struct ref_texts *t, const enum code *codes, size_t n)
{
	t->codes = mem_zalloc(n, sizeof(*t->codes));
	t->code_list = mem_zalloc(n, sizeof(*t->code_list));
	for (size_t i = 0; i < n; i++) {
		code_text(codes[i], t->codes[i]);
		t->code_list[i] = t->codes[i];
	}
	ref->codes = t->code_list;
	ref->n_codes = n;
}

static void fill_verdict(struct audit_ref *ref, struct ref_texts *t, const struct verdict *v)
{
	enum code *codes = mem_zalloc(v->n_findings, sizeof(*codes));
	size_t n_codes = 0;
	struct str reason;

	fill_ref(ref, t, v->update);
	ref->source = v->source;
	ref->method = v->method;
	str_init(&reason);
	for (size_t i = 0; i < v->n_findings; i++) {
		if (n_codes == 0 || codes[n_codes - 1] != v->findings[i].code)
			codes[n_codes++] = v->findings[i].code;
		str_addf(&reason, "%s%s", i > 0 ? "; " : "", v->findings[i].reason);
	}
	fill_codes(ref, t, codes, n_codes);
	t->reason = str_steal(&reason);
	ref->reason = t->reason;
	free(codes);
}

static void clear_texts(struct ref_texts *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(texts[i].codes);
		free(texts[i].code_list);
		free(texts[i].reason);
	}
	free(texts);
}

static const char *const events[] = {
	[OVERRIDE_ACCEPTED] = "push.accepted",
	[OVERRIDE_OVERRIDDEN] = "push.overridden",
	[OVERRIDE_SHADOWED] = "push.shadowed",
	[OVERRIDE_REJECTED] = "push.rejected",
};

/* Why it was to land all the same; the caller's to free().  NULL: nobody was asked to lift anything. */
static char *override_text(const struct receive_judged *judged)
{
	const struct override *o = judged->override;

	if (o->state != OVERRIDE_GRANTED || judged->outcome == OVERRIDE_ACCEPTED)
		return NULL;
	if (judged->outcome == OVERRIDE_OVERRIDDEN)
		return mem_strdup(o->reason);
	return mem_format("an override was asked for: %s", o->reason);
}

int receive_record(const struct receive *r, const struct receive_judged *judged, const char *before,
	struct err *e)
{
	size_t n = judged->n, first = before != NULL ? 0 : 1;
	struct audit_ref *refs = mem_zalloc(n, sizeof(*refs));
	struct ref_texts *texts = mem_zalloc(n, sizeof(*texts));
	struct audit_record records[2];
	char *change = NULL, *reason = override_text(judged);
	int result;

	if (before != NULL)
		change = mem_format(
			"first push with rules under this policy; before it was %s", before);
	fill_record(&records[0], r, "policy.changed");
	records[0].reason = change;
	fill_record(&records[1], r, events[judged->outcome]);
	records[1].reason = reason;
	for (size_t i = 0; i < n; i++)
		fill_verdict(&refs[i], &texts[i], &judged->verdicts[i]);
	records[1].refs = refs;
	records[1].n_refs = n;
	result = audit_append(r->config->state, records + first, 2 - first, e);
	free(reason);
	free(change);
	clear_texts(texts, n);
	free(refs);
	return result;
}

enum receive_recorded receive_record_fault(
	const struct receive *r, const struct push *push, enum code code, const char *reason)
{
	size_t n = push != NULL && push->n > 0 ? push->n : 1;
	struct audit_ref *refs = mem_zalloc(n, sizeof(*refs));
	struct ref_texts *texts = mem_zalloc(n, sizeof(*texts));
	struct audit_record record;
	int result;

	fill_record(&record, r, "push.rejected");
	for (size_t i = 0; i < n; i++) {
		if (push != NULL && i < push->n)
			fill_ref(&refs[i], &texts[i], &push->v[i]);
		fill_codes(&refs[i], &texts[i], &code, 1);
		refs[i].reason = reason;
	}
	record.refs = refs;
	record.n_refs = n;
	result = audit_append(r->config->state, &record, 1, NULL);
	clear_texts(texts, n);
	free(refs);
	return result == 0 ? RECEIVE_RECORDED : RECEIVE_NOT_RECORDED;
}
