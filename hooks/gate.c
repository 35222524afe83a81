#include "gate.h"

#include <stddef.h>

#include "base/err.h"
#include "confine.h"
#include "sys/spawn.h"

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
		    &fault) != 0 &&
		kind == GATE_JUDGES && start == RECEIVE_READY) {
		(void)err_set(e, "%s", err_text(&fault));
		start = RECEIVE_BAD_REPOSITORY;
	}
	err_clear(&fault);
	return start;
}

void gate_end(struct gate *g)
{
	starter_end(&g->starter);
	receive_clear(&g->receive);
}
