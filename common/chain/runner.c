#include "chain/runner.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/drift.h"
#include "chain/follower.h"
#include "chain/progress.h"
#include "chain/pulse.h"
#include "chain/reconcile.h"
#include "chain/remote.h"
#include "chain/schedule.h"
#include "chain/slot.h"
#include "chain/store.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/notify.h"

#define RUNNER_LOCK "runner.lock"
/* How soon new work, a cancel, a time-out is seen.  The end of a stage is seen at once. */
#define RUNNER_TICK_MS 200
#define RUNNER_RECONCILE_EVERY (5 * CLOCK_SECOND)
#define RUNNER_DRIFT_EVERY (60 * CLOCK_SECOND)
#define RUNNER_LOCK_MS 1000 /* how long one wait for the lock lasts, between looks at signals */
/* Faults in a row, each for a passing reason, after which a runner that is to end gives up. */
#define RUNNER_MAX_FAULTS 20
#define RUNNER_MAX_PAUSE_MS 5000 /* after such a fault; the first pause is a tick */

enum stopping {
	STOPPING_NOT,
	STOPPING,      /* stages are asked to end */
	STOPPING_HARD, /* somebody has asked twice: they are killed */
};

struct runner {
	const struct runner_options *o;
	struct pulse pulse;
	struct store *s;
	int signals; /* signalfd */
	enum stopping stopping;
	struct follower follower;
	struct upkeep upkeep;
	struct slot *slots;
	size_t n;
	size_t cap;
	int has_resumed;      /* what a dead runner left, since this one has the lock */
	int64_t reconcile_at; /* by clock_monotonic() */
	int64_t drift_at;     /* the same */
	int faults;           /* in a row */
	char *fault;          /* the last of them; NULL: none */
};

static void stop(struct runner *r)
{
	if (r->stopping == STOPPING_NOT) {
		pulse_notify(&r->pulse, NOTIFY_STOPPING);
		pulse_say(&r->pulse, "stopping");
		r->faults = 0; /* from now on they are counted */
	}
	r->stopping = r->stopping == STOPPING_NOT ? STOPPING : STOPPING_HARD;
}

static void take_signals(struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGHUP)
			pulse_say(
				&r->pulse, "nothing to reload: each stage reads the configuration");
		else if (info.ssi_signo != SIGCHLD)
			stop(r);
}

/* At most MS milliseconds; signals end it. */
static void wait_for_news(const struct runner *r, int ms)
{
	struct pollfd fd = {.fd = r->signals, .events = POLLIN};

	(void)poll(&fd, 1, ms); /* whatever woke it, the next pass looks at everything */
}

/*
 * Look after one running stage; its time is watched also where the store cannot be read.  1: it has
 * ended; 0; -1.
 */
static int watch_one(struct runner *r, struct slot *t, struct err *e)
{
	int canceled = progress_cancel_requested(r->s, t->pipeline, e);

	pulse_beat(&r->pulse);
	if (r->stopping != STOPPING_NOT)
		slot_stop(t, SLOT_STOPPED);
	if (r->stopping == STOPPING_HARD)
		slot_kill(t);
	if (canceled == 1)
		slot_stop(t, SLOT_CANCELED);
	slot_watch(t);
	return canceled < 0 ? -1 : slot_reap(t, r->s, e);
}

/* Look after the stages that run: after all of them, whatever becomes of one.  0, or -1. */
static int watch(struct runner *r, struct err *e)
{
	int result = 0;

	for (size_t i = 0; i < r->n;) {
		struct slot *t = &r->slots[i];
		int ended = watch_one(r, t, result == 0 ? e : NULL);

		if (ended < 0)
			result = -1;
		if (ended <= 0) {
			i++;
			continue;
		}
		pulse_say(&r->pulse, "pipeline %lld: stage %s has ended", (long long)t->pipeline,
			t->stage);
		slot_clear(t);
		*t = r->slots[--r->n];
		memset(&r->slots[r->n], 0, sizeof(*r->slots));
	}
	return result;
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
	pulse_say(&r->pulse, "pipeline %lld: stage %s %s", (long long)row->pipeline, row->stage,
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

	while (result == 0 && r->stopping == STOPPING_NOT &&
		(row = schedule_next(&q, r->o->parallel, clock_now())) != NULL) {
		int changed = start_one(r, row, e);

		if (changed < 0)
			result = -1;
		if (changed == 1) {
			schedule_clear(&q);
			result = schedule_load(&q, r->s, e);
		}
	}
	*left = schedule_count(&q, SCHEDULE_HERE);
	schedule_clear(&q);
	return result;
}

/* The same for pipelines on GitLab, which a process of its own looks after. */
static int follow(struct runner *r, size_t *left, struct err *e)
{
	size_t active = 0;

	if (r->stopping != STOPPING_NOT)
		follower_stop(&r->follower);
	if (follower_watch(&r->follower, r->s, r->o, &active, e) != 0)
		return -1;
	*left += active;
	return 0;
}

/* A repository that cannot be read is no reason to stop: it is told, and tried again. */
static void look_for_drift(struct runner *r)
{
	struct err e = ERR_INIT;

	if (r->stopping != STOPPING_NOT || clock_monotonic() < r->drift_at)
		return;
	if (drift_look(r->s, r->o->system_file, &e) != 0)
		pulse_say(&r->pulse, "%s", err_text(&e));
	err_clear(&e);
	r->drift_at = clock_monotonic() + RUNNER_DRIFT_EVERY;
}

/* The same. */
static void look_for_landings(struct runner *r)
{
	struct err e = ERR_INIT;

	if (reconcile(r->s, r->o->system_file, clock_now(), &e) != 0)
		pulse_say(&r->pulse, "%s", err_text(&e));
	err_clear(&e);
	r->reconcile_at = clock_monotonic() + RUNNER_RECONCILE_EVERY;
}

/*
 * Remove the folders of the attempts that a dead runner left; nothing runs now.  First of
 * all, as it makes room.  One that stays is told,
 * and tried again by the next runner.
 */
static void sweep(struct runner *r)
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
			pulse_say(&r->pulse, "%s", err_text(&e));
		err_clear(&e);
		free(path);
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read from */
	free(work);
}

static int resume(struct runner *r, struct err *e)
{
	if (r->has_resumed)
		return 0;
	sweep(r);
	if (progress_resume(r->s, e) != 0)
		return -1;
	r->has_resumed = 1;
	return 0;
}

static int pass(struct runner *r, size_t *left, struct err *e)
{
	take_signals(r);
	pulse_beat(&r->pulse);
	if (resume(r, e) != 0 || watch(r, e) != 0)
		return -1;
	if (r->stopping == STOPPING_NOT && clock_monotonic() >= r->reconcile_at)
		look_for_landings(r);
	if (start(r, left, e) != 0 || follow(r, left, e) != 0)
		return -1;
	/* No stage waits for these. */
	look_for_drift(r);
	upkeep_look(&r->upkeep);
	pulse_status(&r->pulse, "%zu at work, %zu pending", r->n, *left - r->n);
	return 0;
}

/*
 * 1: go on in spite of the fault *E, which is told, once, and cleared.  A service bears what passes for
 * as long as it takes: a full disk must not end it.
 */
static int bear(struct runner *r, struct err *e)
{
	int must_end = r->o->mode == RUNNER_DRAIN || r->stopping != STOPPING_NOT;

	if (!e->passing || (must_end && r->faults >= RUNNER_MAX_FAULTS))
		return 0;
	r->faults++;
	if (!str_same(err_text(e), r->fault)) {
		pulse_say(&r->pulse, "%s; tried again", err_text(e));
		pulse_status(&r->pulse, "%s; tried again", err_text(e));
		free(r->fault);
		r->fault = mem_strdup(err_text(e));
	}
	err_clear(e);
	return 1;
}

static void recover(struct runner *r)
{
	if (r->fault != NULL)
		pulse_say(&r->pulse, "going on");
	free(r->fault);
	r->fault = NULL;
	r->faults = 0;
}

/* How long to wait for news: longer with each fault in a row, since it tells of each try. */
static int pause_ms(const struct runner *r)
{
	int ms = RUNNER_TICK_MS;

	if (r->stopping != STOPPING_NOT)
		return ms; /* somebody waits for the end */
	for (int i = 1; i < r->faults && ms < RUNNER_MAX_PAUSE_MS; i++)
		ms *= 2;
	return ms < RUNNER_MAX_PAUSE_MS ? ms : RUNNER_MAX_PAUSE_MS;
}

static int is_done(struct runner *r, size_t left, int *looked)
{
	if (r->n > 0 || follower_is_at_work(&r->follower))
		return 0;
	if (r->stopping != STOPPING_NOT)
		return 1;
	if (r->o->mode == RUNNER_SERVICE || left > 0) {
		*looked = 0;
		return 0;
	}
	return *looked;
}

/* With the lock held: work until told to stop, or drained. */
static int work(struct runner *r, struct err *e)
{
	size_t left = 0;
	int awaits, looked = 0; /* for landings, since nothing else was left */

	r->reconcile_at = 0;
	r->has_resumed = 0;
	pulse_notify(&r->pulse, NOTIFY_READY);
	for (;;) {
		if (pass(r, &left, e) == 0)
			recover(r);
		else if (bear(r, e))
			left = 1;
		else
			return -1;
		if (is_done(r, left, &looked)) {
			if (upkeep_end(&r->upkeep) == 0 || r->stopping != STOPPING_NOT)
				return 0;
			continue; /* whoever wants it to end is heard meanwhile */
		}
		awaits = reconcile_awaits(r->s, clock_now(), e);
		if (awaits < 0 && !bear(r, e))
			return -1;
		if (r->n == 0 && left == 0 && awaits == 0 && r->o->mode == RUNNER_DRAIN) {
			look_for_landings(r);
			looked = 1;
		} else {
			wait_for_news(r, pause_ms(r));
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
	follower_end(&r->follower);
}

/* 1: *FD is the runner's lock; 0: another has it, or this one is to stop; -1. */
static int take_lock(struct runner *r, int *fd, struct err *e)
{
	char *folder = path_join(r->o->state, CONFIG_STATE_RUN);
	char *path = path_join(folder, RUNNER_LOCK);
	int got = files_make_folder(folder, 0700, e);

	if (got == 0)
		got = lock_take(fd, path, LOCK_TRY, 0, e);
	if (got == 0 && r->o->lock == RUNNER_WAIT) {
		pulse_say(&r->pulse, "another runner is at work here: waiting for its end");
		pulse_status(&r->pulse, "waiting for the end of another runner");
	}
	while (got == 0 && r->o->lock == RUNNER_WAIT && r->stopping == STOPPING_NOT) {
		got = lock_take(fd, path, LOCK_WAIT, RUNNER_LOCK_MS, e);
		pulse_beat(&r->pulse);
		take_signals(r);
	}
	free(path);
	free(folder);
	return got;
}

/* The same with the store open, in spite of faults that pass. */
static int begin(struct runner *r, int *lock, struct err *e)
{
	int got;

	for (;;) {
		got = r->s != NULL || store_open(&r->s, r->o->state, e) == 0 ? take_lock(r, lock, e)
									     : -1;
		if (got >= 0 || !bear(r, e))
			return got;
		wait_for_news(r, pause_ms(r));
		pulse_beat(&r->pulse);
		take_signals(r);
		if (r->stopping != STOPPING_NOT)
			return 0;
	}
}

/* 1: something is left for a runner to do; 0; -1. */
static int is_wanted(struct runner *r, struct err *e)
{
	struct schedule q = {0};
	struct remote_count remote = {0};
	int wanted = schedule_load(&q, r->s, e);

	if (wanted == 0)
		wanted = remote_count(r->s, clock_now(), &remote, e);
	if (wanted == 0)
		wanted = schedule_count(&q, SCHEDULE_HERE) > 0 || remote.active > 0
				 ? 1
				 : reconcile_awaits(r->s, clock_now(), e);
	schedule_clear(&q);
	return wanted == 0 ? upkeep_is_wanted(&r->upkeep) : wanted;
}

/*
 * Work with the lock held, then without it look once more: whoever made work meanwhile found the
 * lock taken and relied on this runner.
 */
static int run_with_lock(struct runner *r, struct err *e)
{
	int lock = -1, got;

	do {
		got = begin(r, &lock, e);
		if (got == 1 && work(r, e) != 0)
			got = -1;
		lock_drop(lock);
		lock = -1;
		if (got == 1)
			got = r->o->mode == RUNNER_DRAIN && r->stopping == STOPPING_NOT
				      ? is_wanted(r, e)
				      : 0;
	} while (got == 1);
	return got;
}

int runner_run(const struct runner_options *o, struct err *e)
{
	struct runner r = {.o = o, .signals = -1};
	const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	struct sigaction usual = {.sa_handler = SIG_DFL}, child;
	sigset_t watched, before;
	int result = -1;

	pulse_init(&r.pulse, o->tell, o->context);
	upkeep_init(&r.upkeep, o->state, &o->upkeep, &r.pulse);
	/* Ignored, as the parent may have left it, it would lose how the stages ended. */
	(void)sigaction(SIGCHLD, &usual, &child);
	(void)sigemptyset(&watched); /* these fail for numbers that are no signals alone */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaddset(&watched, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &watched, &before) != 0)
		return err_errno(e, errno, "cannot block signals");
	r.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r.signals < 0)
		(void)err_errno(e, errno, "cannot wait for signals");
	else
		result = run_with_lock(&r, e);
	end_slots(&r);
	store_close(r.s);
	free(r.fault);
	upkeep_clear(&r.upkeep);
	pulse_clear(&r.pulse);
	if (r.signals >= 0)
		(void)close(r.signals); /* nothing was written */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)sigaction(SIGCHLD, &child, NULL);
	return result;
}
