#include "gate.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "confine.h"
#include "gate/tell.h"
#include "sys/spawn.h"

#define MAX_FAULT 1000 /* bytes of what is told */

/* That what has landed is followed without limits. */
static void tell_unconfined(const struct receive *r, const struct err *fault)
{
	char *safe = str_safe(err_text(fault), MAX_FAULT);
	char *text = mem_format("warning: %s; it goes on without\n"
				"  an admin sees what this machine lacks with: modelgate check\n",
		safe);

	tell_pusher(r, text);
	free(text);
	free(safe);
}

enum receive_start gate_begin(struct gate *g, const char *hook, enum gate_kind kind, struct err *e)
{
	struct err fault = ERR_INIT;
	enum receive_start start;

	/* What whoever started us has left open, neither we nor the git we start have a use for. */
	spawn_close_others(-1, -1);
	start = receive_begin(&g->receive, hook, e);
	g->starter = (struct starter)STARTER_INIT;
	/* Without a key, nothing is recorded, nor read: it passes, or the pusher is told and that is all. */
	if (start == RECEIVE_OUT_OF_SCOPE || g->receive.key == NULL)
		return start;
	starter_begin(&g->starter, &g->receive);
	if (confine(&g->receive, kind == GATE_FOLLOWS ? CONFINE_PLAY_REFS : CONFINE_STATE,
		    &fault) != 0) {
		if (kind == GATE_FOLLOWS) {
			tell_unconfined(&g->receive, &fault);
		} else if (start == RECEIVE_READY) {
			(void)err_set(e, "%s", err_text(&fault));
			start = RECEIVE_BAD_REPOSITORY;
		}
	}
	err_clear(&fault);
	return start;
}

void gate_end(struct gate *g)
{
	starter_end(&g->starter);
	receive_clear(&g->receive);
}
