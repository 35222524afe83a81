/* The judge on names, retrain branches and roles: each rejection stands beside its nearest acceptance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "judged.h"

static const struct judged_row rows[] = {
	/* names */
	{"a retrain branch", "a" MODEL " ", "", "retrain-12-20260101:0..a", "", "create", NULL, ""},
	{"a retrain branch, the other format", "a" MODEL " ", "", "retrain-12-2026-01-01:0..a", "",
		"create", NULL, ""},
	{"31 February", "a" MODEL " ", "", "retrain-12-20260231:0..a", "MG202", "create", NULL, ""},
	{"one digit short", "a" MODEL " ", "", "retrain-12-2026111:0..a", "MG202", "create", NULL,
		""},
	{"a day too far", "a" MODEL " ", "", "retrain-12-20260104:0..a", "MG202", "create", NULL,
		""},
	{"today at UTC+14", "a" MODEL " ", "", "retrain-12-20260103:0..a", "", "create", NULL, ""},
	{"words for a date", "a" MODEL " ", "", "retrain-12-now:0..a", "MG202", "create", NULL, ""},
	{"below a retrain branch", "a" MODEL " ", "", "retrain-12-20260101/x:0..a", "MG202",
		"create", NULL, ""},
	{"leading zeros", "a" MODEL " ", "", "retrain-012-20260101:0..a", "MG203", "create", NULL,
		""},
	{"no pipeline id", "a ", "", "retrain-x-20260101:0..a", "MG201", NULL, NULL, ""},
	{"no date", "a ", "", "retrain-12:0..a", "MG201", NULL, NULL, ""},
	{"an empty date", "a" MODEL " ", "", "retrain-12-:0..a", "MG201", NULL, NULL, ""},
	{"another word", "a ", "", "retraining:0..a", "MG201", NULL, NULL, ""},
	{"other case", "a ", "", "Retrain-12-20260101:0..a", "MG201", NULL, NULL, ""},
	{"retrain in other case", "a ", "", "RETRAIN:0..a", "MG201 MG205", NULL, NULL, ""},
	{"a name that only holds retrain", "a ", "", "my-retrain-12:0..a", "", NULL, NULL, ""},
	{"an old wrong name may move on", "a b:a ", "retraining=a ", "retraining:a..b", "", NULL,
		NULL, ""},
	{"and go", "a ", "retraining=a ", "retraining:a..0", "", NULL, NULL, ""},
	{"a retrain branch moves", "a b:a ", "retrain-12-20260101=a ", "retrain-12-20260101:a..b",
		"MG204", "direct", NULL, ""},
	{"a retrain branch goes", "a ", "retrain-12-20260101=a ", "retrain-12-20260101:a..0", "",
		"delete", NULL, ""},
	{"Main", "a ", "", "Main:0..a", "MG205", NULL, NULL, ""},
	{"DEV", "a ", "", "DEV:0..a", "MG205", NULL, NULL, ""},
	{"below Prod", "a ", "", "Prod/x:0..a", "MG205", NULL, NULL, ""},
	{"below prod", "a ", "", "prod/x:0..a", "MG205", NULL, NULL, ""},
	{"below dev", "a ", "", "dev/x:0..a", "MG205", NULL, NULL, ""},
	{"a longer name", "a ", "", "mainline:0..a", "", NULL, NULL, ""},
	{"the tag main", "a ", "", "refs/tags/main:0..a", "MG205", NULL, NULL, ""},
	{"the tag Prod", "a ", "", "refs/tags/Prod:0..a", "MG205", NULL, NULL, ""},
	{"the tag of a retrain branch", "a ", "", "refs/tags/retrain-1-20260101:0..a", "MG205",
		NULL, NULL, ""},
	{"the tag v1", "a ", "", "refs/tags/v1:0..a", "", NULL, NULL, ""},
	{"an old tag main goes", "a ", "refs/tags/main=a ", "refs/tags/main:a..0", "", NULL, NULL,
		""},
	{"a configured branch's look-alike", "a ", "", "Release:0..a", "MG205", NULL, NULL,
		"[branch \"release\"]\nmerge-from = main\n"},
	{"modelgate's own references", "a ", "", "refs/modelgate/x:0..a", "MG904", NULL, NULL, ""},
	{"feature work", "a b ", "feature=a ", "feature:a..b", "", NULL, NULL, ""},
	/* where a retrain branch comes from: pipelines 12 to 15 were made for the commit a */
	{"of a pipeline that is none", "a" MODEL " ", "", "retrain-99-20260101:0..a", "MG203",
		"create", NULL, ""},
	{"which is fine if pipelines need not be known", "a" MODEL " ", "",
		"retrain-99-20260101:0..a", "", "create", NULL,
		"[retrain-branch]\nknown-pipeline = off\n"},
	{"of a pipeline too big for any number", "a" MODEL " ", "",
		"retrain-99999999999999999999-20260101:0..a", "MG203", "create", NULL, ""},
	{"a model on top of the pipeline's commit", "a r:a" MODEL " ", "main=a ",
		"retrain-12-20260101:0..r", "", "create", NULL, ""},
	{"beside the pipeline's commit", "a" MODEL " r" MODEL " ", "", "retrain-12-20260101:0..r",
		"MG206", "create", NULL, ""},
	{"below the pipeline's commit", "b" MODEL " a:b+x ", "", "retrain-12-20260101:0..b",
		"MG206 MG207", "create", NULL, ""},
	{"code is changed with the model", "a r:a+score.py" MODEL " ", "",
		"retrain-12-20260101:0..r", "MG207", "create", NULL, ""},
	{"which is fine if it may", "a r:a+score.py" MODEL " ", "", "retrain-12-20260101:0..r", "",
		"create", NULL, "[retrain-branch]\nmay-change = rkl/*, score.py\n"},
	{"code is changed and changed back: the commit is there",
		"a q:a+score.py r:q!score.py" MODEL " ", "", "retrain-12-20260101:0..r", "MG207",
		"create", NULL, ""},
	{"no model", "a r:a+rkl/x ", "", "retrain-12-20260101:0..r", "MG302", "create", NULL, ""},
	{"the model is a folder", "a r:a+rkl/model.pkl.dvc/x ", "", "retrain-12-20260101:0..r",
		"MG302", "create", NULL, ""},
	{"the model is another file", "a r:a+rkl/m.dvc=" POINTER " ", "",
		"retrain-12-20260101:0..r", "", "create", NULL,
		"[retrain-branch]\nmodel-file = rkl/m.dvc\n"},
	{"the model is no pointer", "a r:a+rkl/model.pkl.dvc=x ", "", "retrain-12-20260101:0..r",
		"MG303", "create", NULL, ""},
	/* a name is used once: retrain-15-20260101 landed and is gone */
	{"used before", "a" MODEL " ", "", "retrain-15-20260101:0..a", "MG204", "create", NULL, ""},
	{"used before, in the other format", "a" MODEL " ", "", "retrain-15-2026-01-01:0..a",
		"MG204", "create", NULL, ""},
	{"another day", "a" MODEL " ", "", "retrain-15-20260102:0..a", "", "create", NULL, ""},
	{"another pipeline", "a" MODEL " ", "", "retrain-14-20260101:0..a", "", "create", NULL, ""},
	{"there in the other format", "a" MODEL " ", "retrain-13-20260101=a ",
		"retrain-13-2026-01-01:0..a", "MG204", "create", NULL, ""},
	{"the other format in the same push", "a" MODEL " ", "",
		"retrain-13-20260101:0..a retrain-13-2026-01-01:0..a", "", "create", NULL, ""},
	/* who may create one */
	{"no member creates one", "a" MODEL " ", "", "retrain-12-20260101:0..a", "MG401", "create",
		NULL, "[role \"r\"]\nmembers = other\n[retrain-branch]\nroles = r\n"},
	{"a member does", "a" MODEL " ", "", "retrain-12-20260101:0..a", "", "create", NULL,
		"[role \"r\"]\nmembers = pusher\n[retrain-branch]\nroles = r\n"},
	{"no member deletes one", "a ", "retrain-12-20260101=a ", "retrain-12-20260101:a..0", "",
		"delete", NULL, "[role \"r\"]\nmembers = other\n[retrain-branch]\nroles = r\n"},
	/* retrain branches as sources: 12 landed through the gates, 13 did not */
	{"a landed retrain branch into main", "a r:a+rkl/x m:a,r ", "main=a retrain-12-20260101=r ",
		"main:a..m", "", "merge", "refs/heads/retrain-12-20260101", ""},
	{"one that came otherwise", "a r:a+rkl/x m:a,r ", "main=a retrain-13-20260101=r ",
		"main:a..m", "MG103", NULL, NULL, ""},
	{"which is fine if pipelines need not be known", "a r:a+rkl/x m:a,r ",
		"main=a retrain-13-20260101=r ", "main:a..m", "", "merge",
		"refs/heads/retrain-13-20260101", "[retrain-branch]\nknown-pipeline = off\n"},
	{"a badly named one never is", "a r:a+rkl/x m:a,r ", "main=a retrain-x=r ", "main:a..m",
		"MG103", NULL, NULL, "[retrain-branch]\nknown-pipeline = off\n"},
	{"created in the same push", "a r:a+rkl/x m:a,r ", "main=a ",
		"main:a..m retrain-14-20260101:0..r", "", "merge", "refs/heads/retrain-14-20260101",
		""},
	{"retrain takes none", "a r:a+s m:a,r ", "retrain=a main=a retrain-12-20260101=r ",
		"retrain:a..m", "MG102 MG103 MG301 MG301", NULL, NULL, ""},
	/* roles */
	{"a member of the role", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "", "merge", NULL,
		"[role \"r\"]\nmembers = pusher\n[branch \"main\"]\nroles = r\n"},
	{"by id", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "", "merge", NULL,
		"[role \"r\"]\nmembers = uid-77\n[branch \"main\"]\nroles = r\n"},
	{"no member", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "MG401", "merge", NULL,
		"[role \"r\"]\nmembers = other, user-77, key-77\n[branch \"main\"]\nroles = r\n"},
	{"no member, and a direct commit", BASE EVIL, REFS, "main:m1..x", "MG102 MG401", "direct",
		NULL, "[role \"r\"]\nmembers = other\n[branch \"main\"]\nroles = r\n"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(judged_check(rows, sizeof(rows) / sizeof(rows[0])), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
