/*
 * The command: `modelgate [--repo PATH | --config FILE] VERB ...`.  One file a verb, each with one
 * function that main.c finds in a table.
 */
#ifndef MODELGATE_COMMAND_H
#define MODELGATE_COMMAND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/record.h"

struct config;
struct err;
struct stat;

/* Exit statuses (contract, section 6). */
enum { COMMAND_DONE = 0, COMMAND_NO = 1, COMMAND_USAGE = 2, COMMAND_CANNOT_TELL = 3 };

/* What stands before the verb. */
struct command {
	const char *repository;  /* Git directory of --repo, absolute; or NULL */
	const char *system_file; /* --config, absolute; or NULL */
	struct config *config;   /* loaded before the verb runs, if its table entry asks for it */
	struct actor actor;      /* who runs this: see command_actor() */
};

struct verb {
	const char *name;
	/* ARGV[0] is the verb.  Returns the exit status. */
	int (*run)(struct command *c, int argc, char **argv);
	int needs_config; /* 1: main.c loads it, and as root becomes the state directory's owner */
	int needs_repository; /* 1: where --repo is not given, main.c looks for one around us */
	/* For the usage line, after "modelgate NAME": what must be given, then what may, in "[". */
	const char *arguments;
	const char *summary; /* one line */
	const char *options; /* lines for --help, each "  --x   what\n"; or NULL */
};

/* One in each verb's file; main.c's table points to them. */
extern const struct verb verb_audit, verb_cancel, verb_check, verb_explain, verb_logs, verb_models,
	verb_new, verb_play, verb_retry, verb_rollback, verb_run, verb_stage, verb_status;

enum command_use {
	COMMAND_READS, /* the audit folder, with the rights that we have; as root, of a state of the
			  repository's owner */
	COMMAND_WRITES /* the state directory; as root, with the rights of its owner */
};
/*
 * Load C's configuration, and be fit for USE of what it names.  Done for verbs that need a configuration;
 * others may ask for it.  0, or -1 and *E.
 */
int command_prepare(struct command *c, enum command_use use, struct err *e);

/*
 * The options of a verb, read in any order among its plain arguments ("--" ends them).
 * A name ends in "=" if the option takes a value: {"--limit=", &value}.  *VALUE is set to the
 * value, or to the option itself where it takes none.
 */
struct command_option {
	const char *name;
	const char **value;
};
/* 1: --help or -h is among the words of ARGV before "--", wherever it stands; then no configuration is loaded.  0. */
int command_asks_for_help(int argc, char **argv);
/*
 * Take the options (array ended by a NULL name) and --help out of ARGV, leaving plain arguments
 * from ARGV[1] on; their number must be MIN to MAX.  The number of plain arguments, or -1: told on
 * standard error, exit with COMMAND_USAGE; or -2: --help was printed, exit with COMMAND_DONE.
 */
int command_options(const struct verb *v, int argc, char **argv,
	const struct command_option *options, int min, int max);

/* "modelgate: " and the text on standard error; returns STATUS. */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with *E's text, which is cleared. */
int command_err(int status, struct err *e);
/* A pipeline or version number from 1 to 2^53: 0, or -1 and told on standard error. */
int command_number(const char *text, const char *what, long long *out);

/*
 * Who runs this: the real user, or as root the one that SUDO_UID names.  Filled in, the caller's to
 * actor_clear().  main.c asks before it changes its own user; verbs take it from struct command.
 */
void command_actor(struct actor *out);

/* The name of the user UID, or its number where it has none; the caller's to free(). */
char *command_user_name(uid_t uid);
/* As root, become the owner of PATH, of which *ST tells.  0, or -1 and *E. */
int command_become_owner(const struct stat *st, const char *path, struct err *e);

#define COMMAND_TIME_SIZE 20 /* "2026-11-23 20:21:49" and its NUL */
/* WHEN in UTC, to the second, for people; "-" for 0. */
void command_time(int64_t when, char out[COMMAND_TIME_SIZE]);

#endif
