/* modelgate's pre-receive hook (githooks(5)): judges the whole push before any reference moves. */
#include <signal.h>

#include "admit.h"
#include "base/err.h"
#include "gate.h"
#include "gate/push.h"

static int judge_input(struct gate *g, const struct str *input)
{
	struct err e = ERR_INIT;
	struct push push;
	int status;

	switch (push_parse(&push, input->buf, input->len, &e)) {
	case PUSH_MALFORMED:
		err_wrap(&e, "what git gave the hook is malformed");
		status = admit_fault(g, NULL, CODE_INPUT, err_text(&e));
		break;
	case PUSH_SHA256:
		status = admit_fault(g, NULL, CODE_REPOSITORY,
			"this is a SHA-256 repository, which cannot be judged");
		break;
	default:
		status = push_resolve(&push, g->receive.gitdir, &e) == 0
				 ? admit(g, &push, ADMIT_BY_PRE_RECEIVE)
				 : admit_fault(g, &push, CODE_REPOSITORY, err_text(&e));
	}
	push_clear(&push);
	err_clear(&e);
	return status;
}

int main(void)
{
	struct err e = ERR_INIT, input_error = ERR_INIT;
	struct gate g;
	struct str input;
	enum receive_start start;
	int status = 1, unread;

	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for these signals */
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is a failed write */
	str_init(&input);
	start = gate_begin(&g, "pre-receive", GATE_JUDGES, &e);
	/* Whatever the outcome: git does not like a hook that leaves its input unread. */
	unread = receive_input(&input, &input_error);
	switch (start) {
	case RECEIVE_OUT_OF_SCOPE:
		status = 0;
		break;
	case RECEIVE_BAD_CONFIG:
		status = admit_fault(&g, NULL, CODE_CONFIG, err_text(&e));
		break;
	case RECEIVE_BAD_REPOSITORY:
		status = admit_fault(&g, NULL, CODE_REPOSITORY, err_text(&e));
		break;
	case RECEIVE_READY:
		status = unread ? admit_fault(&g, NULL, CODE_INPUT, err_text(&input_error))
				: judge_input(&g, &input);
		break;
	}
	str_clear(&input);
	gate_end(&g);
	err_clear(&input_error);
	err_clear(&e);
	return status;
}
