#!/bin/sh
# 64 hooks append at once, 16 of them are killed at some call; meanwhile the log is rotated, verified, read,
# exported and signed.  The chain stays valid, and no push that was accepted is missing.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

PUSHES=64
KILLED=16

new_server shop
new_project shop work || test_bail 'no project'
mg shop audit keygen "$T/key" >/dev/null || test_bail 'no key'
first=$(git -C "$T/work" rev-parse main)
for n in $(seq $PUSHES); do
	git -C "$T/work" tag "work-$n" "$(git -C "$T/work" commit-tree -p "$first" -m "Work $n" "$first^{tree}")" ||
		test_bail 'no history'
done

# Push number $1; every fourth one has its hook killed at a call that the number chooses, always the same.
push_one() {
	set -- "$1" git -C "$T/work" push --porcelain "$T/shop.git" "work-$1:refs/heads/work/$1"
	push_number=$1
	shift
	if [ $((push_number % (PUSHES / KILLED))) -eq 0 ] && [ "$can_kill" = yes ]; then
		set -- "$BUILD/tests/kill-at" $((push_number * 7 % KILL_CALLS + 1)) --who caller --program pre-receive -- "$@"
	fi
	"$@" >"$T/push-$push_number.out" 2>"$T/push-$push_number.err"
	echo $? >"$T/push-$push_number.status"
}

# Whatever a reviewer does, over and over until the pushes are done; each time it must succeed.
review() {
	review_n=0
	until [ -e "$T/pushed" ] && [ "$review_n" -ge 2 ]; do
		review_n=$((review_n + 1))
		mg shop audit rotate || [ $? -eq 1 ] || return 1
		mg shop audit verify || return 1
		mg shop audit checkpoint --key "$T/key" --output "$T/point" || return 1
		mg shop audit verify --checkpoint "$T/point" --public-key "$T/key.pub" || return 1
		mg shop audit export --format csv >"$T/csv" || return 1
		mg shop audit show >"$T/shown" || return 1
		mg shop audit report --html "$T/page.html" --checkpoint "$T/point" || return 1
	done
}

all_at_once() {
	{
		review >"$T/review.out" 2>&1
		echo $? >"$T/review.status"
	} &
	reviewer=$!
	pids=
	for n in $(seq $PUSHES); do
		push_one "$n" &
		pids="$pids $!"
	done
	wait $pids
	: >"$T/pushed"
	wait $reviewer
	sort "$T"/push-*.status | uniq -c
	return 0
}

accepted() {
	grep -lx 0 "$T"/push-*.status | sed 's/.*push-\([0-9]*\)\.status/\1/'
}

can_kill=yes
kills_can_gates 'hooks killed while others append' || can_kill=no

# How many calls there are to be killed at.
[ "$can_kill" = no ] || kills_count --program pre-receive -- \
	git -C "$T/work" push --porcelain "$T/shop.git" "$first:refs/heads/work/none" || test_bail 'no calls counted'

test_expect '64 pushes at once; where a hook was killed, its push was not accepted' '
	all_at_once && killed=$(cat "$T"/push-*.err | sed -n "/^kill-at: call /p" | wc -l) &&
	same "$((PUSHES - killed))" "$(accepted | wc -l)" &&
	{ [ "$can_kill" = no ] || same "$KILLED" "$killed"; }
'

test_expect 'the log is valid, and was each time that somebody looked' '
	audit_valid shop && tail -n 20 "$T/review.out" && same 0 "$(cat "$T/review.status")" &&
	mg shop audit verify --checkpoint "$T/point" --public-key "$T/key.pub" &&
	[ "$(ls "$T"/shop.state/audit/audit-*.jsonl | wc -l)" -ge 1 ]
'

test_expect 'every push that was accepted is in it, once' '
	mg shop audit show --json --event push.accepted --ref "work/*" >"$T/recorded" &&
	for n in $(accepted); do
		same 1 "$(grep -c "\"ref\":\"refs/heads/work/$n\",\"old\":\"0*\",\"new\":\"$(tip shop "refs/heads/work/$n")\"" \
			"$T/recorded")" || return 1
	done
'

test_expect 'numbers are without gaps over all files, and the next push is fine' '
	cd work && git switch -q dev && commit after.txt && expect_accept git push origin dev &&
	mg shop audit show --json | sed "s/^{\"seq\":\([0-9]*\),.*/\1/" >"$T/numbers" &&
	seq "$(wc -l <"$T/numbers")" | cmp - "$T/numbers" && audit_valid shop
'

test_done
