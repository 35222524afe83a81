/* The judge on small histories: each rejection stands beside its nearest acceptance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "base/path.h"
#include "gate/judge.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/repository.h"
#include "gate/sources.h"
#include "git/merge.h"
#include "history.h"
#include "sys/files.h"

struct row {
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

static const struct row rows[] = {
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
	{"code is changed and changed back", "a q:a+score.py r:q!score.py" MODEL " ", "",
		"retrain-12-20260101:0..r", "", "create", NULL, ""},
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

static int landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)tip;
	(void)e;
	return strcmp(ref, "refs/heads/retrain-12-20260101") == 0;
}

static int used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)e;
	return str_starts("refs/heads/retrain-15-20260101", prefix)
		       ? each(arg, "refs/heads/retrain-15-20260101")
		       : 0;
}

/* Pipelines 12 to 15 were made for the history's commit "a", the others there are not. */
static int deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)e;
	assert_string_equal(chain, "retrain");
	*commit = history_oid(context, "a");
	return strcmp(id, "12") >= 0 && strcmp(id, "15") <= 0 && strlen(id) == 2;
}

/* The configuration TEXT, with a state folder beside the repository. */
static struct config *make_config(const struct history *h, const char *text, const char *title)
{
	char *state = path_join(history_dir(h), "state"), *work = path_join(state, "work");
	char *all = mem_format("[modelgate]\nstate = %s\n%s", state, text);
	struct config *config = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(files_make_folder(work, 0700, &e), 0);
	if (config_parse(&config, all, strlen(all), "test.ini", &e) != 0)
		fail_msg("%s: %s", title, err_text(&e));
	free(all);
	free(work);
	free(state);
	return config;
}

static void fill_push(struct push *push, const struct history *h, const char *text)
{
	struct strlist words = {0};

	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++) {
		char *old = strrchr(words.v[i], ':'), *new = strstr(old, ".."), *ref;
		char old_hex[OID_HEX_SIZE], new_hex[OID_HEX_SIZE];
		struct oid oid;

		*old++ = '\0';
		*new = '\0';
		new += 2;
		oid = history_oid(h, old);
		oid_hex(&oid, old_hex);
		oid = history_oid(h, new);
		oid_hex(&oid, new_hex);
		ref = str_starts(words.v[i], "refs/") ? mem_strdup(words.v[i])
						      : mem_format("refs/heads/%s", words.v[i]);
		assert_int_equal(push_add(push, ref, old_hex, new_hex, NULL), PUSH_OK);
		free(ref);
	}
	strlist_clear(&words);
	assert_int_equal(push_resolve(push, history_dir(h), NULL), 0);
}

static char *codes_of(const struct verdict *v)
{
	struct str s;
	char code[CODE_TEXT_SIZE];

	str_init(&s);
	for (size_t i = 0; i < v->n_findings; i++) {
		code_text(v->findings[i].code, code);
		str_addf(&s, "%s%s", i > 0 ? " " : "", code);
	}
	return str_steal(&s);
}

/* Judge the push and return the first verdict, the caller's to verdict_clear(). */
static struct verdict judge_first(struct judge *judge, struct history *h, const char *title)
{
	struct past past = {landed, used, deployed, h};
	size_t n = judge->view.push->n;
	struct verdict *verdicts = mem_zalloc(n, sizeof(*verdicts)), first;
	struct err e = ERR_INIT;

	judge->view.past = &past;
	judge->gitdir = history_dir(h);
	if (judge_push(verdicts, judge, &e) != 0)
		fail_msg("%s: %s", title, err_text(&e));
	first = verdicts[0];
	for (size_t i = 1; i < n; i++)
		verdict_clear(&verdicts[i]);
	free(verdicts);
	return first;
}

/* 1 if the verdict is as ROW says; else both are printed. */
static int check(const struct row *row)
{
	struct actor actor = {(char *)"uid-77", (char *)"pusher", (char *)"local"};
	struct history *h = history_new(row->history);
	struct config *config = make_config(h, row->config, row->title);
	struct push push = {0};
	struct judge judge = {0};
	struct verdict v;
	char *codes;
	int ok;

	history_refs(h, row->refs);
	fill_push(&push, h, row->push);
	judge.view.config = config;
	judge.view.push = &push;
	judge.actor = &actor;
	assert_int_equal(clock_parse("2026-01-02T10:00:00Z", &judge.now), 0);
	v = judge_first(&judge, h, row->title);
	codes = codes_of(&v);
	ok = strcmp(codes, row->expected) == 0 &&
	     (row->method == NULL || str_same(row->method, v.method)) &&
	     (row->source == NULL || str_same(row->source, v.source));
	if (!ok)
		print_error("%s: expected [%s] %s %s, got [%s] %s %s: %s\n", row->title,
			row->expected, row->method ? row->method : "-",
			row->source ? row->source : "-", codes, v.method ? v.method : "-",
			v.source ? v.source : "-", v.n_findings > 0 ? v.findings[0].reason : "");
	free(codes);
	verdict_clear(&v);
	judge_clear(&judge);
	push_clear(&push);
	config_free(config);
	history_free(h);
	return ok;
}

static void test_rows(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		wrong += !check(&rows[i]);
	assert_int_equal(wrong, 0);
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
		struct history *h = history_new(BASE "m2:m1,d2 ");
		struct actor actor = {(char *)"", (char *)"", (char *)""};
		struct config *config = make_config(h, cases[i].config, cases[i].push);
		struct push push = {0};
		struct judge judge = {0};
		struct verdict v;

		history_refs(h, cases[i].refs);
		fill_push(&push, h, cases[i].push);
		judge.view.config = config;
		judge.view.push = &push;
		judge.actor = &actor;
		judge.now = clock_now();
		v = judge_first(&judge, h, cases[i].push);
		if (!str_same(v.chain, cases[i].chain))
			fail_msg("%s: expected chain %s, got %s", cases[i].push,
				cases[i].chain ? cases[i].chain : "none",
				v.chain ? v.chain : "none");
		verdict_clear(&v);
		judge_clear(&judge);
		push_clear(&push);
		config_free(config);
		history_free(h);
	}
}

/* More first-parent commits than are judged: it cannot be told; one fewer is judged. */
static void test_length(void **state)
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
