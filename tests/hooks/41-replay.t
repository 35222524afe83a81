#!/bin/sh
# tests/replay/run, which compares the judge with git on the merges of a real history, on a small one of
# which every answer is known.
. "${0%/*}/../lib/test.sh"

replay() {
	MODELGATE_BUILD=$BUILD "$TOP/tests/replay/run" "$@" >"$T/out" 2>"$T/err"
}

# It ends with STATUS, and its output is what is on standard input.
replays_as() {
	status=$1
	shift
	replay "$@"
	same "$status" $? && diff -u - "$T/out"
}

# It ends with 2, and says why.
refuses() {
	why=$1
	shift
	replay "$@"
	same 2 $? && grep -F "$why" "$T/err" >/dev/null
}

side() {
	git switch -q -C "$1" main~"${2:-0}"
}

git init -q -b main real
cd real || test_bail 'no folder'
commit a 1 && commit b 1

# A merge; one that adds a file, one that drops a change, a conflict, three parents, nothing new.
side s1 1 && commit c && git switch -q main && merge_in s1
side s2 1 && commit d && git switch -q main && git merge -q --no-ff --no-commit s2 >"$T/log" 2>&1 &&
	echo 1 >added && git add added && git commit -q -m 'a file more'
side s3 1 && commit e && commit f && git switch -q main && git merge -q --no-ff --no-commit s3 >"$T/log" 2>&1 &&
	git rm -q -f f && git commit -q -m 'a file less'
side s4 && commit a 4 && git switch -q main && commit a 5
git merge -q s4 >"$T/log" 2>&1
echo 45 >a && git add a && git commit -q -m 'by hand'
side s5 && commit g && side s6 && commit h && git switch -q main && git merge -q --no-ff -m octopus s5 s6 >"$T/log"
git reset -q --hard "$(git commit-tree -p main -p s1 -m nothing 'main^{tree}')"
side s7 && commit i && git switch -q main && merge_in s7
cd "$T" || test_bail 'no folder'

test_expect 'every merge is compared, and the judge agrees with git on all' '
	tip=$(git -C real rev-parse HEAD | cut -c 1-12) &&
	replays_as 0 real <<-EOF
	real HEAD ($tip): 10 first-parent commits
	merges of two parents: 6, of which 1 bring nothing; of more parents: 1
	accepted, and equal to git'"'"'s: 2
	MG105, and git disagrees too: 3 (1 conflicts, 2 other trees)
	disagreements: 0
	EOF
'

test_expect 'the clone is as it was' '
	find real -type f | sort | xargs sha256sum >before && replay real && replay real main~3 &&
	find real -type f | sort | xargs sha256sum | diff before -
'

test_expect 'a judge that disagrees is found out' '
	mkdir -p other/tests/property && cat >other/tests/property/judge-cases <<-"EOF" &&
	#!/bin/sh
	cut -d" " -f 3 "$2/push" | while read -r ref; do
		printf "%s\t%s\tmerge\t-\n" "$2" "$ref"
	done
	EOF
	chmod +x other/tests/property/judge-cases &&
	! MODELGATE_BUILD=other "$TOP/tests/replay/run" real >out 2>err &&
	grep -x "disagreements: 3" out && grep "git: conflict; judge: merge, accepted" out
'

test_expect 'what cannot be replayed is said to be so' '
	git clone -q --depth 1 "file://$T/real" shallow && refuses "shallow clone" shallow &&
	git -C real config uploadpack.allowFilter true &&
	git clone -q --no-checkout --filter=blob:none "file://$T/real" partial &&
	refuses "partial clone" partial &&
	git init -q --object-format=sha256 sha256 && refuses "SHA-256" sha256 &&
	refuses "no repository" . && refuses "no commit nowhere" real nowhere &&
	refuses "no merge was compared" real s1 && refuses "usage" &&
	MODELGATE_BUILD=$T/nothing && export MODELGATE_BUILD && BUILD=$T/nothing &&
	refuses "build it with" real
'

test_done
