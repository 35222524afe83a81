#include "chain/lifecycle.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"

#define BRANCHES "refs/heads/"

/*
 * Among the stages of one pipeline the worst decides; then what is at work; then what is awaited.
 */
enum status lifecycle_status(const struct pipeline *p)
{
	size_t count[STATUS_COUNT] = {0};

	for (size_t i = 0; i < p->n_stages; i++)
		count[p->stages[i].status]++;
	if (count[STATUS_RUNNING] > 0)
		return STATUS_RUNNING;
	if (count[STATUS_FAILED] > 0)
		return STATUS_FAILED;
	if (count[STATUS_CANCELED] > 0)
		return STATUS_CANCELED;
	if (count[STATUS_SKIPPED] > 0)
		return STATUS_SKIPPED;
	if (count[STATUS_PENDING] > 0)
		return count[STATUS_SUCCESS] > 0 ? STATUS_RUNNING : STATUS_PENDING;
	if (count[STATUS_MANUAL] > 0)
		return STATUS_MANUAL;
	return count[STATUS_SUCCESS] == p->n_stages ? STATUS_SUCCESS : STATUS_CREATED;
}

static void settle(struct pipeline *p, int64_t now)
{
	p->status = lifecycle_status(p);
	if (!status_is_final(p->status))
		p->finished_at = 0;
	else if (p->finished_at == 0)
		p->finished_at = now;
}

static void set_message(struct pipeline_stage *stage, const char *message)
{
	if (message == NULL)
		return;
	free(stage->message);
	stage->message = mem_strdup(message);
}

static void await(struct pipeline_stage *stage)
{
	stage->status = stage->start == PIPELINE_START_MANUAL ? STATUS_MANUAL : STATUS_PENDING;
}

void lifecycle_create(struct pipeline *p, int64_t now)
{
	p->created_at = now;
	for (size_t i = 0; i < p->n_stages; i++) {
		set_message(&p->stages[i], "");
		p->stages[i].status = STATUS_CREATED;
	}
	if (p->n_stages > 0)
		await(&p->stages[0]);
	settle(p, now);
}

void lifecycle_start(struct pipeline *p, struct pipeline_stage *stage, int64_t now)
{
	stage->status = STATUS_RUNNING;
	stage->attempt++;
	stage->not_before = 0;
	stage->started_at = now;
	stage->finished_at = 0;
	set_message(stage, "");
	if (p->started_at == 0)
		p->started_at = now;
	settle(p, now);
}

/* Go on after STAGE, unless a cancel or a newer pipeline has put an end to what follows. */
static void go_on(struct pipeline *p, const struct pipeline_stage *stage)
{
	size_t next = (size_t)(stage - p->stages) + 1;

	if (next < p->n_stages && p->stages[next].status == STATUS_CREATED)
		await(&p->stages[next]);
}

static int64_t delay(int64_t failures)
{
	int64_t d = LIFECYCLE_DELAY;

	while (--failures > 0 && d < LIFECYCLE_MAX_DELAY)
		d *= 2;
	return d < LIFECYCLE_MAX_DELAY ? d : LIFECYCLE_MAX_DELAY;
}

/*
 * What follows from the stage's end, where neither the retries nor a cancel say otherwise.  Had a canceled
 * one failed, it could be retried, and would be canceled again at once.
 */
static enum lifecycle_ending decide(const struct pipeline *p, const struct pipeline_stage *stage,
	const struct lifecycle_outcome *outcome)
{
	if (outcome->ending == LIFECYCLE_SUCCEEDED)
		return LIFECYCLE_SUCCEEDED;
	if (p->cancel == PIPELINE_CANCEL_REQUESTED)
		return LIFECYCLE_CANCELED;
	if (outcome->ending == LIFECYCLE_AGAIN && stage->failures >= outcome->retries)
		return LIFECYCLE_FAILED;
	return outcome->ending;
}

void lifecycle_end(struct pipeline *p, struct pipeline_stage *stage,
	const struct lifecycle_outcome *outcome, int64_t now)
{
	stage->finished_at = now;
	if (stage->message[0] == '\0')
		set_message(stage, outcome->message);
	switch (decide(p, stage, outcome)) {
	case LIFECYCLE_SUCCEEDED:
		stage->status = STATUS_SUCCESS;
		go_on(p, stage);
		break;
	case LIFECYCLE_FAILED:
		stage->status = STATUS_FAILED;
		break;
	case LIFECYCLE_AGAIN:
		stage->failures++;
		stage->status = STATUS_PENDING;
		stage->not_before = now + delay(stage->failures);
		break;
	case LIFECYCLE_CANCELED:
		stage->status = STATUS_CANCELED;
		break;
	case LIFECYCLE_INTERRUPTED:
		stage->status = STATUS_PENDING;
		break;
	}
	settle(p, now);
}

void lifecycle_overtaken(struct pipeline *p, int64_t newer, int64_t now)
{
	char *why = mem_format("pipeline %lld is newer and has started", (long long)newer);

	for (size_t i = 0; i < p->n_stages; i++) {
		if (!status_is_waiting(p->stages[i].status))
			continue;
		p->stages[i].status = STATUS_SKIPPED;
		set_message(&p->stages[i], why);
	}
	free(why);
	settle(p, now);
}

const struct pipeline_stage *lifecycle_awaited(const struct pipeline *p)
{
	for (size_t i = 0; i < p->n_stages; i++)
		if (p->stages[i].status != STATUS_SUCCESS)
			return &p->stages[i];
	return NULL;
}

static void add_command(struct str *text, const char *verb, const struct pipeline *p,
	const struct pipeline_stage *stage)
{
	str_addf(text, "modelgate %s %lld", verb, (long long)p->id);
	if (stage != NULL)
		str_addf(text, " %s", stage->name);
}

/* What can be done about STAGE, whose status is in the way. */
static void add_remedy(
	struct str *text, const struct pipeline *p, const struct pipeline_stage *stage)
{
	const struct pipeline_stage *first = lifecycle_awaited(p);

	switch (stage->status) {
	case STATUS_CREATED:
		if (first != NULL &&
			(first->status == STATUS_MANUAL || first->status == STATUS_FAILED)) {
			str_add(text, "; next: ");
			add_command(
				text, first->status == STATUS_MANUAL ? "play" : "retry", p, first);
		}
		break;
	case STATUS_RUNNING:
		str_add(text, "; wait for its end, or stop it with ");
		add_command(text, "cancel", p, NULL);
		break;
	case STATUS_MANUAL:
		str_add(text, "start it with ");
		add_command(text, "play", p, stage);
		break;
	case STATUS_FAILED:
		str_add(text, "run it again with ");
		add_command(text, "retry", p, stage);
		break;
	case STATUS_CANCELED:
		str_addf(text,
			"; for a new one, merge something new into its source and that into %s",
			str_starts(p->ref, BRANCHES) ? p->ref + strlen(BRANCHES) : p->ref);
		break;
	default:
		break;
	}
}

/* WHY may be "": the remedy says it all. */
static int refuse(struct err *e, const struct pipeline *p, const struct pipeline_stage *stage,
	const char *why)
{
	struct str text;

	str_init(&text);
	str_addf(&text, "stage %s is %s: %s", stage->name, status_text(stage->status), why);
	add_remedy(&text, p, stage);
	(void)err_set(e, "%s", text.buf);
	str_clear(&text);
	return 0;
}

/* 1: a newer pipeline is in the way, and not the state of STAGE, about which something could be done. */
static int is_overtaken(const struct pipeline_stage *stage, int64_t newer)
{
	return newer != 0 && (stage->status == STATUS_MANUAL || stage->status == STATUS_FAILED);
}

static int refuse_overtaken(struct err *e, const struct pipeline *p, int64_t newer)
{
	(void)err_set(e,
		"pipeline %lld of the same branch is newer and has started: use that one "
		"(modelgate status %lld) instead of %lld",
		(long long)newer, (long long)newer, (long long)p->id);
	return 0;
}

int lifecycle_play(struct pipeline *p, struct pipeline_stage *stage, int64_t newer, struct err *e)
{
	static const char *const why[STATUS_COUNT] = {
		[STATUS_CREATED] = "the stages before it have not succeeded",
		[STATUS_PENDING] = "it starts as soon as the runner comes to it",
		[STATUS_RUNNING] = "it has been started",
		[STATUS_SUCCESS] = "it is done",
		[STATUS_FAILED] = "",
		[STATUS_CANCELED] = "a canceled pipeline does not go on",
		[STATUS_SKIPPED] = "a newer pipeline of the branch has started; play that one",
	};

	if (is_overtaken(stage, newer))
		return refuse_overtaken(e, p, newer);
	if (stage->status != STATUS_MANUAL)
		return refuse(e, p, stage, why[stage->status]);
	stage->status = STATUS_PENDING;
	stage->not_before = 0;
	settle(p, 0);
	return 1;
}

int lifecycle_retry(struct pipeline *p, struct pipeline_stage *stage, int64_t newer, struct err *e)
{
	static const char *const why[STATUS_COUNT] = {
		[STATUS_CREATED] = "the stages before it have not succeeded",
		[STATUS_PENDING] = "it starts as soon as the runner comes to it",
		[STATUS_RUNNING] = "it has been started",
		[STATUS_MANUAL] = "",
		[STATUS_SUCCESS] = "only a failed stage is run again",
		[STATUS_CANCELED] = "a canceled pipeline does not go on",
		[STATUS_SKIPPED] = "a newer pipeline of the branch has started; see that one",
	};

	if (is_overtaken(stage, newer))
		return refuse_overtaken(e, p, newer);
	if (stage->status != STATUS_FAILED)
		return refuse(e, p, stage, why[stage->status]);
	stage->status = STATUS_PENDING;
	stage->failures = 0;
	stage->not_before = 0;
	settle(p, 0);
	return 1;
}

int lifecycle_cancel(struct pipeline *p, int64_t now, struct err *e)
{
	size_t running = 0;

	if (status_is_final(p->status)) {
		(void)err_set(e, "pipeline %lld has ended (%s): there is nothing to cancel",
			(long long)p->id, status_text(p->status));
		return 0;
	}
	if (p->cancel == PIPELINE_CANCEL_REQUESTED) {
		(void)err_set(e,
			"pipeline %lld is being canceled: its running stage is ended by the "
			"runner",
			(long long)p->id);
		return 0;
	}
	for (size_t i = 0; i < p->n_stages; i++) {
		running += p->stages[i].status == STATUS_RUNNING;
		if (status_is_waiting(p->stages[i].status)) {
			p->stages[i].status = STATUS_CANCELED;
			p->stages[i].finished_at = now;
		}
	}
	p->cancel = running > 0 ? PIPELINE_CANCEL_REQUESTED : PIPELINE_GOES_ON;
	settle(p, now);
	return 1;
}
