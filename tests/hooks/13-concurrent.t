#!/bin/sh
# Many pushes at once: 50 to branches of their own, 5 to dev, 5 to main.  What landed is right, each push
# is one record, and pipelines are numbered in the order of their landing.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'
cd "$T/work" || exit 1
first=$(git rev-parse main)

# dev and main as they are to become: dev-1 to dev-5 follow dev, main-1 to main-5 are merges of what is on
# dev already, each on top of the one before.
for n in 1 2 3 4 5; do
	git switch -q dev && commit "base-$n.txt" && git tag "base-$n" || test_bail 'no history'
done
git push -q origin dev
for n in 1 2 3 4 5; do
	git switch -q dev && commit "dev-$n.txt" && git tag "dev-$n" &&
		git switch -q main && merge_in "base-$n" &&
		git tag "main-$n" || test_bail 'no history'
done
for n in $(seq 50); do
	test_tick
	git tag "work-$n" "$(git commit-tree -p "$first" -m "Work $n" "$first^{tree}")" || test_bail 'no history'
done
before=$(pushes shop)

# Push the tag $1 to the branch $2 until it is there or behind its tip: whoever comes second with what
# follows on the same commit is refused by git, before our hooks or after, and comes again.
insist() {
	tries=0
	while [ "$tries" -lt 50 ]; do
		git push --porcelain "$T/shop.git" "$1:refs/heads/$2" >>"$T/$1.out" 2>>"$T/$1.err" &&
		return
		git -C "$T/shop.git" merge-base --is-ancestor "$(git rev-parse "$1")" "refs/heads/$2" 2>/dev/null &&
			return
		tries=$((tries + 1))
	done
	return 1
}

in_background() {
	"$@"
	echo $? >"$T/$2.status"
}

everything_at_once() {
	pids=
	for n in 1 2 3 4 5; do
		in_background insist "dev-$n" dev &
		pids="$pids $!"
		in_background insist "main-$n" main &
		pids="$pids $!"
		for m in $(seq $((n * 10 - 9)) $((n * 10))); do
			in_background insist "work-$m" "work/$m" &
			pids="$pids $!"
		done
	done
	wait $pids
	cat "$T"/*-*.status | sort | uniq -c
	same 60 "$(cat "$T"/*-*.status | grep -cx 0)"
}

test_expect '60 pushes at once' 'cd work && everything_at_once'

test_expect 'every reference is where it should be' '
	for n in $(seq 50); do
		same "$(git -C work rev-parse "work-$n")" "$(tip shop "refs/heads/work/$n")" || return 1
	done && same "$(git -C work rev-parse dev-5)" "$(tip shop refs/heads/dev)" &&
	same "$(git -C work rev-parse main-5)" "$(tip shop refs/heads/main)" &&
	git -C shop.git fsck --strict
'

ids() {
	grep "\"event\":\"$1\"" "$(audit shop)" | sed 's/.*"push_id":"\([^"]*\)".*/\1/'
}

# How many lines of what the pushes printed match.
printed() {
	cat "$T"/*-*.out | { grep -c -e "$1" || true; }
}

# Who comes late is refused by git after pre-receive, and has a record as well; or by the judge, who has
# seen that the reference moved.
test_expect 'each push that the hooks let pass is one push.accepted, with an id of its own' '
	landed=$(($(printed "^ 	") + $(printed "^\*	"))) && stale=$(printed "hook declined") &&
	lost=$(($(printed "remote rejected") - stale)) &&
	echo "$landed landed, $lost lost, $stale stale" && accepted=$((before + landed + lost)) &&
	same "$accepted" "$(audit_count shop event=push.accepted)" &&
	same "$accepted" "$(ids push.accepted | sort -u | wc -l)" &&
	same "$stale" "$(audit_count shop event=push.rejected)" &&
	same "$stale" "$(audit_count shop event=push.rejected refs.0.ref=refs/heads/main \
		refs.0.code=MG904 "refs.0.reason=main is at * now, not where the push says it was")" &&
	for n in $(seq 50); do
		same 1 "$(audit_count shop event=push.accepted "refs.0.ref=refs/heads/work/$n")" ||
			return 1
	done
'

# From the first commit each landing on main goes on where the one before ended.
in_order() {
	at=$first
	for id in $(seq "$1"); do
		same "$at" "$(value "$id" old)" || return 1
		at=$(value "$id" new)
	done
	same "$(git -C "$T/work" rev-parse main-5)" "$at"
}

# What the record of pipeline $1 says of its reference.  A post-receive that finds that somebody else's
# landing came before its own, and is not recorded yet, does that first: reconciled.
value() {
	grep "\"event\":\"pipeline\.\(created\|reconciled\)\".*\"pipeline\":$1[,}]" "$(audit shop)" | json "refs.0.$2"
}

test_expect 'each landing on main is one pipeline, numbered in the order of the landings' '
	landings=$(cat main-*.out | grep -c "^ 	") &&
	same "$(seq "$landings" -1 1 | tr "\n" " " | sed "s/ \$//")" "$(pipelines shop)" &&
	echo "$landings landings" && same "$landings" "$(audit_count shop event=pipeline.*)" &&
	in_order "$landings" &&
	same "$((4 + landings))" "$(audit_count shop event=ref.updated)"
'

test_expect 'the log is valid, and a runner finds nothing more to do for the landings' '
	audit_valid shop && drain shop && same "$landings" "$(pipelines shop | wc -w)" &&
	audit_valid shop
'

test_done
