/*
 * Judges the cases of the property test and of the replay of real histories:
 *
 *	judge-cases SCRATCH [DIR...]       (or folders on standard input, one a line)
 *
 * Each DIR is a bare repository with two files more: `modelgate.ini`, in which [modelgate] must not
 * stand, and `push`, the lines that pre-receive gets.  SCRATCH is an existing folder for the state.  For
 * each line of `push` one is printed, fields separated by tabs:
 *
 *	DIR REF METHOD CODES       METHOD and CODES are "-" where there are none
 *
 * Exit 0, or 1 if a case could not be judged; its line is "DIR REASON".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/code.h"
#include "gate/judge.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/oid.h"
#include "sys/files.h"

#define MAX_FILE (1U << 20) /* bytes of modelgate.ini, of push */
#define MAX_LINE 4096

/* There is no past: no pipelines, and nothing landed before. */
static int no_landing(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)ref;
	(void)tip;
	(void)e;
	return 0;
}

static int no_use(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)prefix;
	(void)each;
	(void)arg;
	(void)e;
	return 0;
}

static int no_pipeline(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)context;
	(void)id;
	(void)chain;
	(void)commit;
	(void)e;
	return 0;
}

/* In these histories no stage can be asked for. */
static int no_order(void *context, const char *ref, struct past_order *out, struct err *e)
{
	(void)context, (void)ref, (void)e;
	memset(out, 0, sizeof(*out));
	return 0;
}

/* One of each code, lowest first, as the verdict has its findings. */
static void print_verdict(const char *dir, const struct verdict *v)
{
	const char *separator = "";

	printf("%s\t%s\t%s\t", dir, v->update->ref, v->method != NULL ? v->method : "-");
	for (size_t i = 0; i < v->n_findings; i++) {
		char text[CODE_TEXT_SIZE];

		if (i > 0 && v->findings[i].code == v->findings[i - 1].code)
			continue;
		code_text(v->findings[i].code, text);
		printf("%s%s", separator, text);
		separator = " ";
	}
	printf("%s\n", v->n_findings == 0 ? "-" : "");
}

/* Add the file NAME of the case DIR, which must be there, to *OUT.  0, or -1. */
static int read_file(struct str *out, const char *dir, const char *name, struct err *e)
{
	char *path = path_join(dir, name);
	int found = files_read(path, MAX_FILE, out, e);

	if (found == 0)
		(void)err_set(e, "there is no %s", path);
	free(path);
	return found == 1 ? 0 : -1;
}

static int read_config(struct config **out, const char *dir, const char *scratch, struct err *e)
{
	struct str text;
	int result;

	str_init(&text);
	str_addf(&text, "[modelgate]\nstate = %s\n", scratch);
	result = read_file(&text, dir, "modelgate.ini", e);
	if (result == 0)
		result = config_parse(out, text.buf, text.len, "modelgate.ini", e);
	str_clear(&text);
	return result;
}

static int read_push(struct push *out, const char *dir, struct err *e)
{
	struct str text;
	int result;

	str_init(&text);
	result = read_file(&text, dir, "push", e);
	if (result == 0 && push_parse(out, text.buf, text.len, e) != PUSH_OK)
		result = -1;
	if (result == 0)
		result = push_resolve(out, dir, e);
	str_clear(&text);
	return result;
}

static int judge_and_print(
	const char *dir, const struct config *config, const struct push *push, struct err *e)
{
	struct actor actor = {(char *)"uid-1", (char *)"pusher", (char *)"local"};
	struct past past = {no_landing, no_use, no_pipeline, no_order, NULL};
	struct judge judge = {
		.view = {.config = config, .push = push, .past = &past},
		.gitdir = dir,
		.actor = &actor,
	};
	struct verdict *verdicts = mem_zalloc(push->n, sizeof(*verdicts));
	int result = clock_parse("2026-07-01T10:00:00Z", &judge.now);

	if (result == 0)
		result = judge_push(verdicts, &judge, e);
	for (size_t i = 0; result == 0 && i < push->n; i++) {
		print_verdict(dir, &verdicts[i]);
		verdict_clear(&verdicts[i]);
	}
	free(verdicts);
	judge_clear(&judge);
	return result;
}

/* 0, or 1 and a line on standard output that says why not. */
static int run_case(const char *dir, const char *scratch)
{
	struct config *config = NULL;
	struct push push = {0};
	struct err e = ERR_INIT;
	int result = read_config(&config, dir, scratch, &e);

	if (result == 0)
		result = read_push(&push, dir, &e);
	if (result == 0)
		result = judge_and_print(dir, config, &push, &e);
	if (result != 0)
		printf("%s\t%s\n", dir, err_text(&e));
	push_clear(&push);
	config_free(config);
	err_clear(&e);
	return result != 0;
}

static int run_input(const char *scratch)
{
	char line[MAX_LINE];
	int failed = 0;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		failed |= run_case(line, scratch);
		(void)fflush(stdout); /* what goes wrong here does so again at the end */
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	char *work;
	int failed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: judge-cases SCRATCH [DIR...]\n");
		return 2;
	}
	work = path_join(argv[1], CONFIG_STATE_WORK);
	if (files_make_folder(work, 0700, &e) != 0) {
		fprintf(stderr, "judge-cases: %s\n", err_text(&e));
		err_clear(&e);
		free(work);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		failed |= run_case(argv[i], argv[1]);
	if (argc == 2)
		failed |= run_input(argv[1]);
	free(work);
	return failed || fflush(stdout) != 0;
}
