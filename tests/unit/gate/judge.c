/* The judge on small histories: each rejection stands beside its nearest acceptance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "gate/sources.h"
#include "git/merge.h"
#include "git/repository.h"
#include "history.h"
#include "judged.h"

static const struct judged_row rows[] = {
	/* merges and fast-forwards */
	{"merge of dev's tip", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "", "merge", "refs/heads/dev",
		""},
	{"merge of an older dev commit", BASE "d3:d2+i m2:m1,d2 ", "dev=d3 main=m1 ", "main:m1..m2",
		"", "merge", "refs/heads/dev", ""},
	{"fast-forward to dev", "a d1:a+g d2:d1+h ", "dev=d2 main=a ", "main:a..d2", "",
		"fast-forward", "refs/heads/dev", ""},
	{"fast-forward to an older dev commit", "a d1:a+g d2:d1+h ", "dev=d2 main=a ", "main:a..d1",
		"", "fast-forward", "refs/heads/dev", ""},
	{"two merges in one push", BASE "m2:m1,d2 d3:d2+i m3:m2,d3 ", "dev=d3 main=m1 ",
		"main:m1..m3", "", "merge", "refs/heads/dev", ""},
	{"fast-forward over a back-merge: dev merged main", BASE "b:d2,m1 ", "dev=b main=m1 ",
		"main:m1..b", "", "fast-forward", "refs/heads/dev", ""},
	{"a merge on top of a back-merge", BASE "b:d2,m1 m2:m1,b ", "dev=b main=m1 ", "main:m1..m2",
		"", "merge", "refs/heads/dev", ""},
	{"a merge on top of a fast-forward", "a d1:a+g d2:d1+h d3:d2+i m:d2,d3 ", "dev=d3 main=a ",
		"main:a..m", "", "merge", "refs/heads/dev", ""},
	{"main into prod", "a d:a+g m:a,d p:a,m ", "dev=d main=m prod=a ", "prod:a..p", "", "merge",
		"refs/heads/main", ""},
	{"main into online", "a d:a+g m:a,d p:a,m ", "dev=d main=m online=a ", "online:a..p", "",
		"merge", "refs/heads/main", ""},
	/* MG101 */
	{"rewound", BASE, REFS, "main:m1..a", "MG101", "direct", NULL, ""},
	{"replaced by dev, which does not hold it", BASE, REFS, "main:m1..d2", "MG101", "direct",
		NULL, ""},
	/* MG102 */
	{"direct commit", BASE EVIL, REFS, "main:m1..x", "MG102", "direct", NULL, ""},
	{"direct commit under a merge", BASE EVIL "m2:x,d2 ", REFS, "main:m1..m2", "MG102", "merge",
		"refs/heads/dev", ""},
	{"direct commit on top of a merge", BASE "m2:m1,d2 x:m2+evil ", REFS, "main:m1..x", "MG102",
		"direct", "refs/heads/dev", ""},
	{"empty direct commit", BASE "x:m1 ", REFS, "main:m1..x", "MG102", "direct", NULL, ""},
	{"foxtrot: main merged into dev's line", BASE "m2:d2,m1 ", REFS, "main:m1..m2",
		"MG102 MG102", "direct", NULL, ""},
	{"no foxtrot if dev has it", BASE "m2:d2,m1 ", "dev=m2 main=m1 ", "main:m1..m2", "",
		"fast-forward", "refs/heads/dev", ""},
	{"a merge that brings nothing", BASE "m2:m1,d1 ", REFS, "main:m1..m2", "MG102", "direct",
		NULL, ""},
	{"the line ends at another root", BASE "r+z m2:r,m1 ", REFS, "main:m1..m2", "MG102 MG102",
		NULL, NULL, ""},
	/* MG103 */
	{"merge of a feature branch", BASE "f1:a+k m2:m1,f1 ", REFS "feature=f1 ", "main:m1..m2",
		"MG103", NULL, NULL, ""},
	{"merge of a commit of no branch", BASE "f1:a+k m2:m1,f1 ", REFS, "main:m1..m2", "MG103",
		NULL, NULL, ""},
	{"the feature branch is merged into dev first", BASE "f1:a+k d3:d2,f1 m2:m1,d3 ",
		"dev=d3 main=m1 feature=f1 ", "main:m1..m2", "", "merge", "refs/heads/dev", ""},
	{"merge of dev into prod", "a d:a+g p:a,d ", "dev=d main=a prod=a ", "prod:a..p", "MG103",
		NULL, NULL, ""},
	{"a tag is no source", "a f1:a+k m:a,f1 ", "dev=a main=a refs/tags/v1=f1 ", "main:a..m",
		"MG103", NULL, NULL, ""},
	{"a branch below dev is no source", "a f1:a+k m:a,f1 ", "main=a dev2=f1 ", "main:a..m",
		"MG103", NULL, NULL, ""},
	{"the feature's name is dev with a remote in front", "a f1:a+k m:a,f1 ",
		"main=a dev=a refs/remotes/origin/dev=f1 ", "main:a..m", "MG103", NULL, NULL, ""},
	/* MG104 */
	{"octopus of dev and another", BASE "f1:a+k m2:m1,d2,f1 ", REFS, "main:m1..m2", "MG104",
		NULL, NULL, ""},
	{"octopus of two dev commits", BASE "d3:d1+l d4:d2,d3 m2:m1,d2,d3 ", "dev=d4 main=m1 ",
		"main:m1..m2", "MG104", NULL, NULL, ""},
	/* MG105: the content of merges.  dev added h to a+f, main holds f and g */
	{"evil: a file added in the merge", BASE "m2:m1,d2+evil ", REFS, "main:m1..m2", "MG105",
		"merge", "refs/heads/dev", ""},
	{"evil: a file edited in the merge", BASE "m2:m1,d2+f=other ", REFS, "main:m1..m2", "MG105",
		"merge", "refs/heads/dev", ""},
	{"evil: what dev brings is dropped", BASE "m2:m1,d2!h ", REFS, "main:m1..m2", "MG105",
		"merge", "refs/heads/dev", ""},
	{"evil: what main has is dropped", BASE "m2:m1,d2!f ", REFS, "main:m1..m2", "MG105",
		"merge", "refs/heads/dev", ""},
	{"evil, and content = any", BASE "m2:m1,d2+evil ", REFS, "main:m1..m2", "", "merge",
		"refs/heads/dev", "[branch \"main\"]\ncontent = any\n"},
	{"an evil merge below a good one", BASE "m2:m1,d2+evil d3:d2+i m3:m2,d3 ",
		"dev=d3 main=m1 ", "main:m1..m3", "MG105", "merge", "refs/heads/dev", ""},
	{"two evil merges", BASE "m2:m1,d2+evil d3:d2+i m3:m2,d3+evil2 ", "dev=d3 main=m1 ",
		"main:m1..m3", "MG105 MG105", "merge", NULL, ""},
	{"both sides changed other files", "a+f+g d:a+f=2 p:a+g=2 m:p,d+f=2 ", "dev=d main=p ",
		"main:p..m", "", "merge", "refs/heads/dev", ""},
	{"and the merge keeps its own", "a+f+g d:a+f=2 p:a+g=2 m:p,d ", "dev=d main=p ",
		"main:p..m", "MG105", "merge", NULL, ""},
	{"a conflict resolved by hand", "a+f d:a+f=2 p:a+f=3 m:p,d+f=23 ", "dev=d main=p ",
		"main:p..m", "MG105", "merge", NULL, ""},
	{"resolved on dev, it comes again", "a+f d:a+f=2 p:a+f=3 b:d,p+f=23 m:p,b+f=23 ",
		"dev=b main=p ", "main:p..m", "", "merge", "refs/heads/dev", ""},
	{"both sides made the same change", "a+f d:a+f=2+g p:a+f=2 m:p,d ", "dev=d main=p ",
		"main:p..m", "", "merge", "refs/heads/dev", ""},
	{"one removes, the other changes: a conflict", "a+f d:a!f+g p:a+f=3 m:p,d!f ",
		"dev=d main=p ", "main:p..m", "MG105", "merge", NULL, ""},
	{"unrelated histories", "a+f r+z m:a,r ", "dev=r main=a ", "main:a..m", "", "merge",
		"refs/heads/dev", ""},
	{"unrelated histories, and another file", "a+f r+z m:a,r+y ", "dev=r main=a ", "main:a..m",
		"MG105", "merge", NULL, ""},
	/* squashes */
	{"squash of dev's tip onto the base", "a+f d1:a+g d2:d1+h s:a+g+h ", "dev=d2 main=a ",
		"main:a..s", "", "squash", "refs/heads/dev", ""},
	{"squash of an older dev commit", "a+f d1:a+g d2:d1+h s:a+g ", "dev=d2 main=a ",
		"main:a..s", "", "squash", "refs/heads/dev", ""},
	{"squash that leaves half out", "a+f d1:a+g+h s:a+g ", "dev=d1 main=a ", "main:a..s",
		"MG102", "direct", NULL, ""},
	{"squash with a file more", "a+f d1:a+g s:a+g+evil ", "dev=d1 main=a ", "main:a..s",
		"MG102", "direct", NULL, ""},
	{"squash after a squash", "a+f d1:a+g s1:a+g d2:d1+h s2:s1+h ", "dev=d2 main=s1 ",
		"main:s1..s2", "", "squash", "refs/heads/dev", ""},
	{"squash onto what only main has", "a+f p:a+x d1:a+g s:p+g ", "dev=d1 main=p ", "main:p..s",
		"", "squash", "refs/heads/dev", ""},
	{"squash that drops what only main has", "a+f p:a+x d1:a+g s:p+g!x ", "dev=d1 main=p ",
		"main:p..s", "MG102", "direct", NULL, ""},
	{"squash that takes dev's tree over main's", "a+f+x p:a+x=2 d1:a+g s:p+g+x ",
		"dev=d1 main=p ", "main:p..s", "MG102", "direct", NULL, ""},
	{"squash of a feature branch", "a+f f:a+k s:a+k ", "dev=a main=a feature=f ", "main:a..s",
		"MG102", "direct", NULL, ""},
	{"squash of what main has already", BASE "s:m1+g ", REFS, "main:m1..s", "MG102", "direct",
		NULL, ""},
	{"two squashes in one push", "a+f d1:a+g s1:a+g d2:d1+h s2:s1+h ", "dev=d2 main=a ",
		"main:a..s2", "", "squash", NULL, ""},
	{"a squash of nothing: dev's commit and its revert", "a+f d1:a+g d2:d1!g s:a ",
		"dev=d2 main=a ", "main:a..s", "MG102", "direct", NULL, ""},
	{"squash of a landed retrain branch", "a+f r:a+rkl/x s:a+rkl/x ",
		"main=a retrain-12-20260101=r ", "main:a..s", "", "squash",
		"refs/heads/retrain-12-20260101", ""},
	{"squash of one that did not land", "a+f r:a+rkl/x s:a+rkl/x ",
		"main=a retrain-13-20260101=r ", "main:a..s", "MG102", "direct", NULL, ""},
	{"merge of a squash on the old tip", BASE "s:m1+h m2:m1,s+h ", REFS, "main:m1..m2", "",
		"squash", "refs/heads/dev", ""},
	{"merge of a squash on an older tip of main",
		BASE "s:a+g m2:m1,d2 s2:m1+h x:m2+h "
		     "d3:d2+i s3:m1+h+i m3:m2,s3+i ",
		"dev=d3 main=m2 ", "main:m2..m3", "", "squash", "refs/heads/dev", ""},
	{"merge of a squash beside main's line", BASE "s:d1+h m2:m1,s ", "dev=d2 main=m1 ",
		"main:m1..m2", "MG103", NULL, NULL, ""},
	{"merge of a squash with a file more", BASE "s:m1+h+evil m2:m1,s ", REFS, "main:m1..m2",
		"MG103", "direct", NULL, ""},
	{"evil merge of a squash", BASE "s:m1+h m2:m1,s+evil ", REFS, "main:m1..m2", "MG105",
		"squash", NULL, ""},
	{"merge of a merge of a squash", BASE "s:m1+h t:s+z m2:m1,t ", REFS, "main:m1..m2", "MG103",
		NULL, NULL, ""},
	/* MG106 */
	{"merge where only merges are taken", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "", "merge",
		NULL, ONLY("merge")},
	{"fast-forward where only merges are taken", "a d1:a+g ", "dev=d1 main=a ", "main:a..d1",
		"MG106", "fast-forward", NULL, ONLY("merge")},
	{"squash where only merges are taken", "a d1:a+g s:a+g ", "dev=d1 main=a ", "main:a..s",
		"MG106", "squash", NULL, ONLY("merge")},
	{"merge of a squash where only merges are taken", BASE "s:m1+h m2:m1,s ", REFS,
		"main:m1..m2", "MG106", "squash", NULL, ONLY("merge")},
	{"merge where only squashes are taken", BASE "m2:m1,d2 ", REFS, "main:m1..m2", "MG106",
		"merge", NULL, ONLY("squash")},
	{"squash where only squashes are taken", "a d1:a+g s:a+g ", "dev=d1 main=a ", "main:a..s",
		"", "squash", NULL, ONLY("squash")},
	{"merge on a fast-forward where only merges are taken", "a d1:a+g d2:d1+h d3:d2+i m:d2,d3 ",
		"dev=d3 main=a ", "main:a..m", "MG106", "merge", NULL, ONLY("merge")},
	{"an evil merge where none is taken", BASE "m2:m1,d2+evil ", REFS, "main:m1..m2",
		"MG105 MG106", "merge", NULL, ONLY("fast-forward")},
	/* retrain takes direct commits: what is not classed is one */
	{"evil merge of main into retrain that changes only rkl",
		"a" FILES " b:a+rkl/y m:a,b+rkl/x ", "main=b retrain=a ", "retrain:a..m", "",
		"direct", NULL, ""},
	{"evil merge of main into retrain", "a" FILES " b:a+s m:a,b+rkl/x ", "main=b retrain=a ",
		"retrain:a..m", "MG105", "merge", NULL, ""},
	{"squash of main onto retrain", "a" FILES " b:a+s s:a+s ", "main=b retrain=a ",
		"retrain:a..s", "", "squash", "refs/heads/main", ""},
	/* MG107 and MG108 */
	{"deletion of main", BASE, REFS, "main:m1..0", "MG107", "delete", NULL, ""},
	{"deletion of retrain", BASE, REFS "retrain=m1 ", "retrain:m1..0", "MG107", "delete", NULL,
		""},
	{"deletion of dev", BASE, REFS, "dev:d2..0", "", NULL, NULL, ""},
	{"deletion of a configured branch", BASE, REFS "release=m1 ", "release:m1..0", "MG107",
		"delete", NULL, "[branch \"release\"]\nmerge-from = main\n"},
	{"creation from dev", BASE, "dev=d2 ", "main:0..d1", "", "create", "refs/heads/dev", ""},
	{"creation from nowhere", BASE "f1:a+k ", "dev=d2 ", "main:0..f1", "MG108", "create", NULL,
		""},
	{"creation without any source", "a ", "", "main:0..a", "", "create", NULL, ""},
	{"creation of prod while only dev is there", "a b:a ", "dev=b ", "prod:0..a", "", "create",
		NULL, ""},
	{"creation of prod from main", BASE, REFS, "prod:0..m1", "", "create", "refs/heads/main",
		""},
	{"creation of prod from dev", BASE, REFS, "prod:0..d2", "MG108", "create", NULL, ""},
	{"a configured branch from its source", BASE, REFS, "release:0..m1", "", "create",
		"refs/heads/main", "[branch \"release\"]\nmerge-from = main\n"},
	{"a configured branch from elsewhere", BASE, REFS, "release:0..d2", "MG108", "create", NULL,
		"[branch \"release\"]\nmerge-from = main\n"},
	/* the same push */
	{"dev and main together", BASE "d3:d2+i m2:m1,d3 ", REFS, "main:m1..m2 dev:d2..d3", "",
		"merge", "refs/heads/dev", ""},
	{"main merges what dev is rewound from", BASE "m2:m1,d2 ", REFS, "main:m1..m2 dev:d2..d1",
		"MG103", NULL, NULL, ""},
	{"main merges what dev is forced to", BASE "f1:a+k m2:m1,f1 ", REFS,
		"main:m1..m2 dev:d2..f1", "MG103", NULL, NULL, ""},
	{"main merges the dev that is deleted", BASE "m2:m1,d2 ", REFS, "main:m1..m2 dev:d2..0",
		"MG103", NULL, NULL, ""},
	{"main merges the dev that is created", "a d1:a+g m:a,d1 ", "main=a ",
		"main:a..m dev:0..d1", "", "merge", "refs/heads/dev", ""},
	{"dev, main and prod together", BASE "d3:d2+i m2:m1,d3 p2:a,m2 ", REFS "prod=a ",
		"prod:a..p2 dev:d2..d3 main:m1..m2", "", "merge", "refs/heads/main", ""},
	{"all five at one commit", "a ", "",
		"online:0..a dev:0..a main:0..a prod:0..a retrain:0..a", "", "create",
		"refs/heads/main", ""},
	{"main elsewhere than dev, both new", "a b ", "", "main:0..a dev:0..b", "MG108", "create",
		NULL, ""},
	{"dev said to be new, which it is not", BASE "f1:a+k m2:m1,f1 ", REFS,
		"main:m1..m2 dev:0..f1", "MG103", NULL, NULL, ""},
	{"dev said to be elsewhere than it is", BASE "d3:d2+i m2:m1,d3 ", REFS,
		"main:m1..m2 dev:d1..d3", "MG103", NULL, NULL, ""},
	{"main said to be elsewhere than it is", BASE "m2:m1,d2 ", REFS, "main:a..m2", "MG904",
		NULL, NULL, ""},
	{"main said to be new, which it is not", BASE, REFS, "main:0..d2", "MG904", NULL, NULL, ""},
	{"a retrain branch said to be new, which it is not", "a r:a+rkl/x ",
		"retrain-12-20260101=a ", "retrain-12-20260101:0..r", "MG904", NULL, NULL, ""},
	{"such a one is no source", "a r:a+rkl/x m:a,r ", "main=a retrain-13-20260101=a ",
		"main:a..m retrain-13-20260101:0..r", "MG103", NULL, NULL, ""},
	{"creation while the only source is forced in the same push", BASE "f1:a+k ", "dev=d2 ",
		"main:0..f1 dev:d2..f1", "MG108", "create", NULL, ""},
	/* main and prod take from each other: neither is the other's witness in one push */
	{"a circle, both moved to a direct commit", BASE "x:m1+evil ", REFS "prod=m1 ",
		"main:m1..x prod:m1..x", "MG102", "direct", NULL,
		"[branch \"main\"]\nmerge-from = dev, prod\n"},
	{"the other one of them", BASE "x:m1+evil ", REFS "prod=m1 ", "prod:m1..x main:m1..x",
		"MG102", "direct", NULL, "[branch \"main\"]\nmerge-from = dev, prod\n"},
	{"a circle, what is in prod goes back to main", BASE "h:m1+hotfix m2:m1,h ", REFS "prod=h ",
		"main:m1..m2", "", "merge", "refs/heads/prod",
		"[branch \"main\"]\nmerge-from = dev, prod\n"},
	{"four branches that take from each other, and none of them from main",
		BASE "m2:m1,d2 p:m1+x ", REFS "b1=m1 b2=m1 b3=m1 b4=m1 ", "main:m1..m2 b1:m1..p",
		"", "merge", "refs/heads/dev",
		"[branch \"main\"]\nmerge-from = dev, b1\n" FROM("b1", "b2, b3, b4")
			FROM("b2", "b1, b3, b4") FROM("b3", "b1, b2, b4") FROM("b4", "b1, b2, b3")},
	/* a source that takes anything needs no witness, whatever it takes merges from */
	{"dev takes from main too", BASE "d3:d2+i m2:m1,d3 ", REFS, "main:m1..m2 dev:d2..d3", "",
		"merge", "refs/heads/dev",
		"[branch \"dev\"]\nmerge-from = main\ndirect-push = allow\n"},
	{"and no commits of its own", BASE "d3:d2+i m2:m1,d3 ", REFS, "main:m1..m2 dev:d2..d3",
		"MG103", NULL, NULL, "[branch \"dev\"]\nmerge-from = main\n"},
	/* long lines: the end is found between its neighbours */
	{"five direct commits", BASE "x1:m1+1 x2:x1+2 x3:x2+3 x4:x3+4 x5:x4+5 ", REFS,
		"main:m1..x5", "MG102 MG102 MG102 MG102 MG102", "direct", NULL, ""},
	{"three merges on a fast-forward",
		"a d1:a+1 d2:d1+2 d3:d2+3 d4:d3+4 m1:d1,d2 m2:m1,d3 m3:m2,d4 ", "dev=d4 main=a ",
		"main:a..m3", "", "merge", "refs/heads/dev", ""},
	/* retrain: direct commits to its own files */
	{"retrain.py changed on retrain", "a" FILES " x:a+retrain.py=new ", "main=a retrain=a ",
		"retrain:a..x", "", "direct", NULL, ""},
	{"a file below rkl changed on retrain", "a" FILES " x:a+rkl/deep/er=new ",
		"main=a retrain=a ", "retrain:a..x", "", "direct", NULL, ""},
	{"score.py changed on retrain", "a" FILES " x:a+score.py ", "main=a retrain=a ",
		"retrain:a..x", "MG102", "direct", NULL, ""},
	{"an allowed and another file", "a" FILES " x:a+retrain.py=new+score.py ",
		"main=a retrain=a ", "retrain:a..x", "MG102", "direct", NULL, ""},
	{"rkl as a file", "a" FILES " x:a+rkl ", "main=a retrain=a ", "retrain:a..x", "MG102",
		"direct", NULL, ""},
	{"another file taken away", "a" FILES "+s x:a!s ", "main=a retrain=a ", "retrain:a..x",
		"MG102", "direct", NULL, ""},
	{"undone in the next commit, but each is looked at", "a" FILES " x:a+s y:x!s ",
		"main=a retrain=a ", "retrain:a..y", "MG102 MG102", "direct", NULL, ""},
	{"merge of main into retrain", "a" FILES " b:a+s r:a+retrain.py=2 m:r,b ",
		"main=b retrain=r ", "retrain:r..m", "", "merge", "refs/heads/main", ""},
	{"merge of dev into retrain", "a" FILES " b:a+s m:a,b ", "dev=b main=a retrain=a ",
		"retrain:a..m", "MG102 MG103", "direct", NULL, ""},
	{"merge of dev that changes only rkl counts as direct", "a" FILES " b:a+rkl/x m:a,b ",
		"dev=b main=a retrain=a ", "retrain:a..m", "", "direct", NULL, ""},
	{"retrain.py taken away", "a" FILES " x:a!retrain.py ", "main=a retrain=a ", "retrain:a..x",
		"MG301", "direct", NULL, ""},
	{"both taken away, one finding each", "a" FILES " x:a!retrain.py!dag-retrain.py ",
		"main=a retrain=a ", "retrain:a..x", "MG301 MG301", "direct", NULL, ""},
	{"creation asks for no files", "a ", "main=a ", "retrain:0..a", "", "create",
		"refs/heads/main", ""},
	{"creation that launches does", "a ", "main=a ", "retrain:0..a", "MG301 MG301", "create",
		NULL, "[branch \"retrain\"]\nlaunch-on-create = yes\n"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(judged_check(rows, sizeof(rows) / sizeof(rows[0])), 0);
}

static void test_chain(void **state)
{
	static const struct {
		const char *refs, *push, *config, *chain;
	} cases[] = {
		{REFS, "main:m1..m2", "", "dev"},
		{"dev=d2 ", "main:0..d2", "", NULL},
		{"dev=d2 ", "main:0..d2", "[branch \"main\"]\nlaunch-on-create = yes\n", "dev"},
		{REFS, "prod:0..m1", "", NULL},
		{REFS, "main:m1..m2", "[branch \"main\"]\nchain =\n", ""},
		{REFS, "retrain-12-20260101:0..a", "", NULL},
		{REFS, "feature:0..a", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct judged_row row = {cases[i].push, BASE "m2:m1,d2 ", cases[i].refs,
			cases[i].push, "", NULL, NULL, cases[i].config};
		struct judged j;

		judged_make(&j, &row);
		if (!str_same(j.verdict.chain, cases[i].chain))
			fail_msg("%s: expected chain %s, got %s", cases[i].push,
				cases[i].chain ? cases[i].chain : "none",
				j.verdict.chain ? j.verdict.chain : "none");
		judged_clear(&j);
	}
}

/* More first-parent commits than are judged: it cannot be told; one fewer is judged. */ static void
test_length(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		struct history *h = NULL;
		struct sources none = {0};
		struct repository *r = NULL;
		struct trail trail;
		struct err e = ERR_INIT;
		struct trail_range range = {.sources = &none};
		int result;

		h = history_new("a ");
		range.old = history_oid(h, "a");
		range.new = history_chain(h, "a", TRAIL_MAX_COMMITS - 1 + extra);
		assert_int_equal(repository_open(&r, history_dir(h), REPOSITORY_OBJECTS, &e), 0);
		range.repository = r;
		range.merges = merges_new(r, history_dir(h));
		result = trail_walk(&trail, &range, &e);
		if (result != -extra)
			fail_msg("%d commits: expected %d, got %d: %s",
				TRAIL_MAX_COMMITS - 1 + extra, -extra, result, err_text(&e));
		trail_clear(&trail);
		err_clear(&e);
		merges_free(range.merges);
		repository_free(r);
		history_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
