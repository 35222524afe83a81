#!/bin/sh
# Signals other than SIGKILL (see 51-kill-push.t) at the calls of the hooks that change something:
# pre-receive either accepts and has recorded it, or does not accept; post-receive exits 0 whatever comes,
# and what it has not done a runner does.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

kills_can 'hooks given signals at each call' || test_done

new_server shop
server_set shop 'chain "dev"' stages build
new_project shop work || test_bail 'no project'
{ cd work && at dev && commit work.txt && git push -q origin dev && at main && merge_in dev; } ||
	test_bail 'no merge'
line="$(git rev-parse origin/main) $(git rev-parse main) refs/heads/main"
cd "$T" || exit 1
git -C work push -q origin main:refs/heads/carrier || test_bail 'no objects'
hooks=$ROOT/libexec/modelgate

# The hook $1 on that line under kill-at with the options $2...: its exit status is in STATUS.
under() {
	program=$hooks/$1
	shift
	(cd "$T/shop.git" && echo "$line" | GIT_DIR=. exec "$BUILD/tests/kill-at" "$@" -- "$program") \
		>"$T/out" 2>"$T/err"
	STATUS=$?
}

# How many calls the hook $1 makes: KILL_CALLS.
count() {
	under "$1" 1000000000 && same 0 "$STATUS" &&
		KILL_CALLS=$(sed -n 's/^kill-at: \([0-9]*\) calls$/\1/p' "$T/err") && [ "$KILL_CALLS" -gt 5 ]
}

# It ends by the signal and nothing was said to be accepted; or, where it is ignored or came too late, the
# push was accepted and recorded.
pre_receive() {
	for call in $(kills_numbers 6); do
		before=$(pushes shop) && under pre-receive "$call" --who caller --signal "$1" || return 1
		echo "signal $1 at call $call: $STATUS" && sed -n "s/^kill-at: call //p" "$T/err"
		if [ "$STATUS" -eq 0 ]; then
			same $((before + 1)) "$(pushes shop)" || return 1
		else
			same $((128 + $1)) "$STATUS" && [ "$2" = ends ] || return 1
		fi
	done
	audit_valid shop
}

test_expect 'how many calls pre-receive makes' 'count pre-receive'
for number in 1 2 14 15; do # HUP INT ALRM TERM
	test_expect "pre-receive, signal $number: it ends, or has accepted and recorded" 'pre_receive "$number" ends'
done
for number in 13 25; do # PIPE XFSZ
	test_expect "pre-receive, signal $number, which is ignored: it accepts and records" 'pre_receive "$number" goes-on'
done

# --- post-receive ---

# Time goes by: the runner leaves a younger intent to the post-receive on its way.
grow_old() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 6000000")' "$(state shop)/store.db"
}

one_pipeline() {
	grow_old && drain shop && same 1 "$(pipelines shop)" && pipeline_is shop 1 success && audit_valid shop
}

test_expect 'main has landed, and post-receive has not run' '
	mv shop.git/hooks/post-receive kept && git -C work push -q origin main && mv kept shop.git/hooks/post-receive &&
	kills_keep shop && count post-receive && one_pipeline
'

post_receive() {
	for call in $(kills_numbers 4); do
		kills_back shop && under post-receive "$call" --who caller --signal "$1" &&
			echo "signal $1 at call $call: $STATUS" && sed -n "s/^kill-at: call //p" "$T/err" &&
			same 0 "$STATUS" || return 1
	done
	one_pipeline
}

for number in 1 2 13 14 15 25; do
	test_expect "post-receive, signal $number: exits 0, and there is one pipeline" 'post_receive "$number"'
done

# The last walks end near the last call; here, where nothing has been done yet, and in the midst of it.
test_expect 'ended early, a runner makes the one pipeline' '
	for call in 1 $((KILL_CALLS / 2)); do
		kills_back shop && under post-receive "$call" --who caller --signal 15 && same 0 "$STATUS" &&
			one_pipeline || return 1
	done
'

test_expect 'the next push is fine' '
	cd work && git fetch -q && at dev && commit more.txt && at main && merge_in dev &&
	expect_accept git push origin dev main && said "pipeline 2 created" && audit_valid shop
'
test_done
