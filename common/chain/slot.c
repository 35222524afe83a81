#include "chain/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/job.h"
#include "chain/place.h"
#include "chain/progress.h"
#include "chain/runner.h"
#include "chain/schedule.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/spawn.h"
#include "sys/user.h"

void slot_clear(struct slot *t)
{
	free(t->stage);
	free(t->log);
	free(t->work);
	memset(t, 0, sizeof(*t));
}

char *slot_log_path(const char *state, int64_t pipeline, const char *stage)
{
	return mem_format(
		"%s/" CONFIG_STATE_LOGS "/%lld/%s.log", state, (long long)pipeline, stage);
}

/* Add a line of the runner's own to the log.  A log that cannot be written stops no stage. */
static void add_to_log(int fd, const char *text)
{
	char now[CLOCK_TEXT_SIZE];
	char *line;

	clock_text(clock_now(), now);
	line = mem_format("modelgate: %s %s\n", now, text);
	(void)files_write_all(fd, line, strlen(line));
	free(line);
}

static int open_log(const char *path, struct err *e)
{
	char *dir = path_dir(path);
	int fd = files_make_folder(dir, 0700, e) == 0
			 ? files_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600, e)
			 : -1;

	free(dir);
	return fd;
}

static void add_to_log_of(const struct slot *t, const char *text)
{
	struct err untold = ERR_INIT;
	int fd = open_log(t->log, &untold);

	if (fd >= 0) {
		add_to_log(fd, text);
		(void)close(fd);
	}
	err_clear(&untold);
}

/* "HOME=..." for the tools of a stage, which keep their settings there; the caller's to free(). */
static char *find_home(void)
{
	const char *said = getenv("HOME");
	char *home = said != NULL ? mem_strdup(said) : user_home(getuid());
	char *variable = mem_format("HOME=%s", home != NULL ? home : "/");

	free(home);
	return variable;
}

/* A stage on its way from the store to a process. */
struct beginning {
	struct slot *slot;
	struct store *s;
	const struct runner_options *o;
	const struct schedule_row *row;
	int64_t attempt;
	int lock;
	int log;
};

size_t slot_program(const char **argv, const struct runner_options *o)
{
	static const char *const self[] = {"/proc/self/exe", NULL};
	const char *const *program = o->program != NULL ? o->program : self;
	size_t n = 0;

	while (n < RUNNER_MAX_PROGRAM && program[n] != NULL) {
		argv[n] = program[n];
		n++;
	}
	if (o->system_file != NULL) {
		argv[n++] = "--config";
		argv[n++] = o->system_file;
	}
	return n;
}

/* The command line of the process that runs the stage, which is put together in ARGV. */
static void fill_argv(const char **argv, const struct beginning *b, const char *id)
{
	argv += slot_program(argv, b->o);
	*argv++ = "--repo";
	*argv++ = b->row->repository;
	*argv++ = "run";
	*argv++ = "--stage";
	*argv++ = id;
	*argv++ = b->row->stage;
	*argv = NULL;
}

static int spawn_stage(const struct beginning *b, struct err *e)
{
	const char *argv[RUNNER_MAX_PROGRAM + 9];
	char *id = mem_format("%lld", (long long)b->row->pipeline);
	char *home = find_home();
	const char *env[] = {home, NULL};
	struct spawn child = SPAWN_INIT;
	int result;

	fill_argv(argv, b, id);
	child.argv = argv;
	child.env = env;
	child.out = b->log;
	child.keep = b->lock;
	child.end_signal = JOB_ABANDONED;
	result = spawn_start(&child, &b->slot->pid, e);
	free(home);
	free(id);
	return result;
}

static int read_config(const struct beginning *b, struct err *e)
{
	const struct config_sources from = {b->o->system_file, b->row->repository};
	struct slot *t = b->slot;
	struct config *config = NULL;
	int result = -1;

	if (config_load(&config, &from, e) != 0)
		return -1;
	if (strcmp(config->state, b->o->state) != 0) {
		(void)err_set(e, "%s: its configuration names another state directory by now: %s",
			b->row->repository, config->state);
	} else {
		t->timeout = config->stage_timeout;
		t->retries = config->retries;
		t->deadline = clock_monotonic() + t->timeout * CLOCK_SECOND;
		result = 0;
	}
	config_free(config);
	return result;
}

/* From the log to the process.  0, or -1 and *E: why the stage fails. */
static int launch(struct beginning *b, struct err *e)
{
	char *header = mem_format("pipeline %lld, stage %s, attempt %lld",
		(long long)b->row->pipeline, b->row->stage, (long long)b->attempt);
	/* First of all, as it says how often it is tried. */
	int result = read_config(b, e);
	struct err no_log = ERR_INIT;

	b->log = open_log(b->slot->log, result == 0 ? e : &no_log);
	if (b->log < 0) {
		result = -1;
	} else {
		add_to_log(b->log, header);
		if (result == 0)
			result = spawn_stage(b, e);
		if (result != 0)
			add_to_log(b->log, err_text(e));
		(void)close(b->log); /* a log that cannot be written stops no stage */
	}
	err_clear(&no_log);
	free(header);
	return result;
}

static enum slot_started launch_or_fail(struct beginning *b, struct err *e)
{
	struct err why = ERR_INIT;
	struct lifecycle_outcome outcome = {LIFECYCLE_FAILED, NULL, 0};
	int result = launch(b, &why);

	if (result == 0)
		return SLOT_STARTED;
	outcome.ending = why.passing ? LIFECYCLE_AGAIN : LIFECYCLE_FAILED;
	outcome.message = err_text(&why);
	outcome.retries = b->slot->retries;
	result = progress_end(b->s, b->row->pipeline, b->row->stage, &outcome, e);
	err_clear(&why);
	return result == 0 ? SLOT_ENDED : SLOT_FAULT;
}

enum slot_started slot_start(struct slot *out, struct store *s, const struct runner_options *o,
	const struct schedule_row *row, struct err *e)
{
	struct beginning b = {.slot = out, .s = s, .o = o, .row = row, .lock = -1, .log = -1};
	enum slot_started result = SLOT_FAULT;
	const struct place place = {o->state, row->project, row->environment};
	int got = place_lock(&b.lock, &place, LOCK_TRY, 0, e);

	memset(out, 0, sizeof(*out));
	if (got != 1)
		return got == 0 ? SLOT_BUSY : SLOT_FAULT;
	got = progress_start(s, row->pipeline, row->stage, &b.attempt, e);
	if (got == 0)
		result = SLOT_ENDED;
	if (got == 1) {
		out->pipeline = row->pipeline;
		out->stage = mem_strdup(row->stage);
		out->log = slot_log_path(o->state, row->pipeline, row->stage);
		out->work = job_folder(o->state, row->pipeline, row->stage, b.attempt);
		result = launch_or_fail(&b, e);
	}
	lock_drop(b.lock); /* the process that was started has it */
	if (result != SLOT_STARTED)
		slot_clear(out);
	return result;
}

void slot_stop(struct slot *t, enum slot_stop why)
{
	/* Once it has ended, pid 0 would be the group of this process. */
	if (t->pid == 0 || t->stop != SLOT_GOES_ON)
		return;
	t->stop = why;
	t->kill_at = clock_monotonic() + SLOT_GRACE;
	(void)kill(-t->pid, SIGTERM); /* gone already: slot_reap() sees it */
}

void slot_kill(struct slot *t)
{
	if (t->pid != 0 && t->stop != SLOT_GOES_ON)
		(void)kill(-t->pid, SIGKILL); /* as above */
}

void slot_watch(struct slot *t)
{
	int64_t now = clock_monotonic();

	if (t->pid == 0)
		return;
	if (t->stop == SLOT_GOES_ON && now >= t->deadline)
		slot_stop(t, SLOT_TIMED_OUT);
	else if (now >= t->kill_at)
		slot_kill(t);
}

/* What the end of the process says of the stage.  The message is the caller's to free(). */
static enum lifecycle_ending judge(const struct slot *t, char **message)
{
	int exited = WIFEXITED(t->status) ? WEXITSTATUS(t->status) : -1;

	if (exited == JOB_SUCCEEDED)
		return LIFECYCLE_SUCCEEDED;
	switch (t->stop) {
	case SLOT_TIMED_OUT:
		*message = mem_format("timed out after %lld s", (long long)t->timeout);
		return LIFECYCLE_FAILED;
	case SLOT_CANCELED:
		*message = mem_strdup("canceled while it ran");
		return LIFECYCLE_CANCELED;
	case SLOT_STOPPED:
		*message = mem_strdup("the runner was stopped");
		return LIFECYCLE_INTERRUPTED;
	case SLOT_GOES_ON:
		break;
	}
	if (exited >= 0) {
		*message = mem_format("exit status %d", exited);
		return exited == JOB_FAILED_PASSING ? LIFECYCLE_AGAIN : LIFECYCLE_FAILED;
	}
	*message = mem_format("killed by signal %d", WTERMSIG(t->status));
	return LIFECYCLE_AGAIN;
}

/* A stage that was killed has left its folder.  One that cannot be removed takes room, no more. */
static void remove_work(const struct slot *t)
{
	struct err untold = ERR_INIT;

	(void)files_remove_tree(t->work, &untold);
	err_clear(&untold);
}

/* Kill the group and wait for its leader, until when the group's number is nobody else's. */
static void finish(struct slot *t)
{
	pid_t got;

	(void)kill(-t->pid, SIGKILL); /* gone already: the better */
	while ((got = waitpid(t->pid, &t->status, 0)) < 0 && errno == EINTR)
		continue;
	if (got < 0)
		t->status = SIGKILL; /* wait(2)'s way to say so: how it ended is not known */
	t->pid = 0;
}

void slot_abandon(struct slot *t)
{
	if (t->pid != 0)
		finish(t);
}

int slot_reap(struct slot *t, struct store *s, struct err *e)
{
	struct lifecycle_outcome outcome = {LIFECYCLE_FAILED, NULL, t->retries};
	siginfo_t info = {0};
	char *message = NULL;
	int ended_now = t->pid != 0, result;

	if (ended_now) {
		if (waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
			info.si_pid == 0)
			return 0;
		finish(t);
		remove_work(t);
	}
	outcome.ending = judge(t, &message);
	outcome.message = message;
	if (ended_now)
		add_to_log_of(t, message != NULL ? message : "success");
	result = progress_end(s, t->pipeline, t->stage, &outcome, e);
	free(message);
	return result == 0 ? 1 : -1;
}
