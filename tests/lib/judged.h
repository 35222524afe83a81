/*
 * Pushes to small histories (history.h), judged as the hooks do, for tests.  Retrain pipelines 12 to 15
 * were made for the history's commit "a"; retrain-12-20260101 landed through the gates, and so did
 * retrain-15-20260101, which is gone.  It is 2 January 2026, and "pusher" (uid-77) pushes.
 */
#ifndef MODELGATE_TESTS_JUDGED_H
#define MODELGATE_TESTS_JUDGED_H

#include <stddef.h>

#include "audit/record.h"
#include "gate/judge.h"
#include "gate/push.h"

struct judged_row {
	const char *title;
	const char *history;
	const char *refs;     /* before the push */
	const char *push;     /* "REF:OLD..NEW ..."; the first one is looked at */
	const char *expected; /* codes of the first, lowest first; "" accepted */
	const char *method;   /* of the first; NULL: not looked at */
	const char *source;
	const char *config; /* added to the defaults */
};

/* dev: d1, d2 on top of a; main: m1 merged d1 into a */
#define BASE "a+f d1:a+g m1:a,d1 d2:d1+h "
#define REFS "dev=d2 main=m1 "
#define EVIL "x:m1+evil "
#define POINTER                                                                                    \
	"{\"outs\":[{\"md5\":\"0123456789abcdef0123456789abcdef\",\"size\":1,\"hash\":\"md5\","    \
	"\"path\":\"model.pkl\"}]}"
#define MODEL "+rkl/model.pkl.dvc=" POINTER
#define FROM(name, sources) "[branch \"" name "\"]\nmerge-from = " sources "\n"
#define ONLY(methods) "[branch \"main\"]\nmerge-methods = " methods "\n"
#define FILES "+retrain.py+dag-retrain.py"

/* One push, judged: all that the verdict borrows from. */
struct judged {
	struct history *history;
	struct config *config;
	struct push push;
	struct actor actor;
	struct judge judge;
	struct verdict verdict; /* of the first update */
};

/* Judge ROW's push; it fails the test where it could not be told.  The caller's to judged_clear(). */
void judged_make(struct judged *j, const struct judged_row *row);
void judged_clear(struct judged *j);
/* How many of the N ROWS are not judged as they say; what differs is printed. */
int judged_check(const struct judged_row *rows, size_t n);

#endif
