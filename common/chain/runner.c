#include "chain/runner.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/progress.h"
#include "chain/reconcile.h"
#include "chain/schedule.h"
#include "chain/slot.h"
#include "chain/store.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"

/* How soon new work, a cancel, a time-out is seen.  The end of a stage is seen at once. */
#define RUNNER_LOCK "runner.lock"
#define RUNNER_TICK_MS 200
#define RUNNER_RECONCILE_EVERY (5 * CLOCK_SECOND)
#define RUNNER_LOCK_MS 1000  /* how long one wait for the lock lasts, between looks at signals */
#define RUNNER_MAX_FAULTS 20 /* in a row, each for a passing reason */

struct runner {
	const struct runner_options *o;
	struct store *s;
	int signals; /* signalfd */
	int stopping;
	struct slot *slots;
	size_t n;
	size_t cap;
	int64_t reconcile_at; /* by clock_monotonic() */
	int faults;
};

static void tell(const struct runner *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct runner *r, const char *format, ...)
{
	va_list ap;
	char *line;

	if (r->o->tell == NULL)
		return;
	va_start(ap, format);
	line = mem_vformat(format, ap);
	va_end(ap);
	r->o->tell(r->o->context, line);
	free(line);
}

static void take_signals(struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD && !r->stopping) {
			r->stopping = 1;
			tell(r, "stopping");
		}
}

static void wait_for_news(const struct runner *r, int ms)
{
	struct pollfd fd = {.fd = r->signals, .events = POLLIN};

	(void)poll(&fd, 1, ms); /* whatever woke it, the next pass looks at everything */
}

/* Look after the stages that run. */
static int watch(struct runner *r, struct err *e)
{
	for (size_t i = 0; i < r->n;) {
		struct slot *t = &r->slots[i];
		int canceled = progress_cancel_requested(r->s, t->pipeline, e), ended;

		if (canceled < 0)
			return -1;
		if (r->stopping)
			slot_stop(t, SLOT_STOPPED);
		if (canceled == 1)
			slot_stop(t, SLOT_CANCELED);
		slot_watch(t);
		ended = slot_reap(t, r->s, e);
		if (ended < 0)
			return -1;
		if (ended == 0) {
			i++;
			continue;
		}
		tell(r, "pipeline %lld: stage %s has ended", (long long)t->pipeline, t->stage);
		slot_clear(t);
		*t = r->slots[--r->n];
		memset(&r->slots[r->n], 0, sizeof(*r->slots));
	}
	return 0;
}

static int start_one(struct runner *r, struct schedule_row *row, struct err *e)
{
	enum slot_started started;

	mem_grow(&r->slots, r->n, &r->cap, sizeof(*r->slots));
	started = slot_start(&r->slots[r->n], r->s, r->o, row, e);
	if (started == SLOT_FAULT)
		return -1;
	if (started == SLOT_BUSY) {
		row->not_before = clock_now() + RUNNER_TICK_MS * (CLOCK_SECOND / 1000);
		return 0;
	}
	tell(r, "pipeline %lld: stage %s %s", (long long)row->pipeline, row->stage,
		started == SLOT_STARTED ? "has started" : "could not be started");
	r->n += started == SLOT_STARTED;
	return 1;
}

/* Start what can be started.  *LEFT: how many stages are pending or running. */
static int start(struct runner *r, size_t *left, struct err *e)
{
	struct schedule q = {0};
	struct schedule_row *row;
	int result = schedule_load(&q, r->s, e);

	while (result == 0 && !r->stopping &&
		(row = schedule_next(&q, r->o->parallel, clock_now())) != NULL) {
		int changed = start_one(r, row, e);

		if (changed < 0)
			result = -1;
		if (changed == 1) {
			schedule_clear(&q);
			result = schedule_load(&q, r->s, e);
		}
	}
	*left = q.n;
	schedule_clear(&q);
	return result;
}

/* A repository that cannot be read is no reason to stop: it is told, and tried again. */
static void look_for_landings(struct runner *r)
{
	struct err e = ERR_INIT;

	if (reconcile(r->s, r->o->system_file, clock_now(), &e) != 0)
		tell(r, "%s", err_text(&e));
	err_clear(&e);
	r->reconcile_at = clock_monotonic() + RUNNER_RECONCILE_EVERY;
}

static int pass(struct runner *r, size_t *left, struct err *e)
{
	take_signals(r);
	if (watch(r, e) != 0)
		return -1;
	if (!r->stopping && clock_monotonic() >= r->reconcile_at)
		look_for_landings(r);
	return start(r, left, e);
}

/* 1: go on in spite of the fault *E, which is told and cleared. */
static int bear(struct runner *r, struct err *e)
{
	if (!e->passing || ++r->faults > RUNNER_MAX_FAULTS)
		return 0;
	tell(r, "%s", err_text(e));
	err_clear(e);
	return 1;
}

static int is_done(struct runner *r, size_t left, int *looked)
{
	if (r->n > 0)
		return 0;
	if (r->stopping)
		return 1;
	if (r->o->mode == RUNNER_SERVICE || left > 0) {
		*looked = 0;
		return 0;
	}
	return *looked;
}

/*
 * Remove the folders of the attempts that a dead runner left; nothing runs now.  One that stays is told,
 * and tried again by the next runner.
 */
static void sweep(const struct runner *r)
{
	char *work = path_join(r->o->state, CONFIG_STATE_WORK);
	struct err e = ERR_INIT;
	const struct dirent *entry;
	DIR *dir = opendir(work); /* not there before the first stage */

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		path = path_join(work, entry->d_name);
		if (files_remove_tree(path, &e) != 0)
			tell(r, "%s", err_text(&e));
		err_clear(&e);
		free(path);
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read from */
	free(work);
}

/* With the lock held: resume what a dead runner left, then work until told to stop, or drained. */
static int work(struct runner *r, struct err *e)
{
	size_t left = 0;
	int awaits, looked = 0; /* for landings, since nothing else was left */

	r->reconcile_at = 0;
	if (progress_resume(r->s, e) != 0)
		return -1;
	sweep(r);
	for (;;) {
		if (pass(r, &left, e) == 0)
			r->faults = 0;
		else if (bear(r, e))
			left = 1;
		else
			return -1;
		if (is_done(r, left, &looked))
			return 0;
		awaits = reconcile_awaits(r->s, clock_now(), e);
		if (awaits < 0 && !bear(r, e))
			return -1;
		if (r->n == 0 && left == 0 && awaits == 0 && r->o->mode == RUNNER_DRAIN) {
			look_for_landings(r);
			looked = 1;
		} else {
			wait_for_news(r, RUNNER_TICK_MS);
		}
	}
}

/* After a fault nothing more can be recorded: the stages end, and the next runner resumes them. */
static void end_slots(struct runner *r)
{
	for (size_t i = 0; i < r->n; i++) {
		slot_abandon(&r->slots[i]);
		slot_clear(&r->slots[i]);
	}
	free(r->slots);
}

/* 1: *FD is the runner's lock; 0: another has it, or this one is to stop; -1. */
static int take_lock(struct runner *r, int *fd, struct err *e)
{
	char *folder = path_join(r->o->state, CONFIG_STATE_RUN);
	char *path = path_join(folder, RUNNER_LOCK);
	int got = files_make_folder(folder, 0700, e);

	if (got == 0 && r->o->lock == RUNNER_NO_WAIT)
		got = lock_take(fd, path, LOCK_TRY, 0, e);
	else
		while (got == 0 && !r->stopping) {
			got = lock_take(fd, path, LOCK_WAIT, RUNNER_LOCK_MS, e);
			take_signals(r);
		}
	free(path);
	free(folder);
	return got;
}

/*
 * Work with the lock held, then without it look once more: whoever made work meanwhile found the
 * lock taken and relied on this runner.
 */
static int run_with_lock(struct runner *r, struct err *e)
{
	struct schedule q = {0};
	int lock = -1, awaits = 0, got, again;

	do {
		got = take_lock(r, &lock, e);
		if (got == 1 && work(r, e) != 0)
			got = -1;
		lock_drop(lock);
		lock = -1;
		again = got == 1 && r->o->mode == RUNNER_DRAIN && !r->stopping;
		if (again && (schedule_load(&q, r->s, e) != 0 ||
				     (awaits = reconcile_awaits(r->s, clock_now(), e)) < 0))
			got = -1;
		again = again && got == 1 && (q.n > 0 || awaits > 0);
		schedule_clear(&q);
	} while (again);
	return got < 0 ? -1 : 0;
}

int runner_run(const struct runner_options *o, struct err *e)
{
	struct runner r = {.o = o, .signals = -1};
	struct sigaction usual = {.sa_handler = SIG_DFL}, child;
	sigset_t watched, before;
	int result = -1;

	/* Ignored, as the parent may have left it, it would lose how the stages ended. */
	(void)sigaction(SIGCHLD, &usual, &child);
	(void)sigemptyset(&watched); /* these fail for numbers that are no signals alone */
	(void)sigaddset(&watched, SIGTERM);
	(void)sigaddset(&watched, SIGINT);
	(void)sigaddset(&watched, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &watched, &before) != 0)
		return err_errno(e, errno, "cannot block signals");
	r.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r.signals < 0)
		(void)err_errno(e, errno, "cannot wait for signals");
	else if (store_open(&r.s, o->state, e) == 0)
		result = run_with_lock(&r, e);
	end_slots(&r);
	store_close(r.s);
	if (r.signals >= 0)
		(void)close(r.signals); /* nothing was written */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)sigaction(SIGCHLD, &child, NULL);
	return result;
}
