/* modelgate's pre-receive hook (githooks(5)): judges the whole push before any reference moves. */
#include <signal.h>

#include "admit.h"
#include "base/err.h"
#include "gate/push.h"
#include "gate/receive.h"

static int judge_input(const struct receive *r, const struct str *input)
{
	struct err e = ERR_INIT;
	struct push push;
	int status;

	switch (push_parse(&push, input->buf, input->len, &e)) {
	case PUSH_MALFORMED:
		err_wrap(&e, "what git gave the hook is malformed");
		status = admit_fault(r, NULL, CODE_INPUT, err_text(&e));
		break;
	case PUSH_SHA256:
		status = admit_fault(r, NULL, CODE_REPOSITORY,
			"this is a SHA-256 repository, which cannot be judged");
		break;
	default:
		status = push_resolve(&push, r->gitdir, &e) == 0
				 ? admit(r, &push, ADMIT_BY_PRE_RECEIVE)
				 : admit_fault(r, &push, CODE_REPOSITORY, err_text(&e));
	}
	push_clear(&push);
	err_clear(&e);
	return status;
}

int main(void)
{
	struct err e = ERR_INIT, input_error = ERR_INIT;
	struct receive r;
	struct str input;
	enum receive_start start;
	int status = 1, unread;

	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for these signals */
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is a failed write */
	str_init(&input);
	start = receive_begin(&r, "pre-receive", &e);
	/* Whatever the outcome: git does not like a hook that leaves its input unread. */
	unread = receive_input(&input, &input_error);
	switch (start) {
	case RECEIVE_OUT_OF_SCOPE:
		status = 0;
		break;
	case RECEIVE_BAD_CONFIG:
		status = admit_fault(&r, NULL, CODE_CONFIG, err_text(&e));
		break;
	case RECEIVE_BAD_REPOSITORY:
		status = admit_fault(&r, NULL, CODE_REPOSITORY, err_text(&e));
		break;
	case RECEIVE_READY:
		status = unread ? admit_fault(&r, NULL, CODE_INPUT, err_text(&input_error))
				: judge_input(&r, &input);
		break;
	}
	str_clear(&input);
	receive_clear(&r);
	err_clear(&input_error);
	err_clear(&e);
	return status;
}
