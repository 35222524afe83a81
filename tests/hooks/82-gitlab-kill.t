#!/bin/sh
# kill -9 at each call of the process that looks after pipelines on GitLab: what is left is what an undisturbed
# run leaves, and GitLab has made one pipeline.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/gitlab-api.sh"
. "$TEST_LIB/kills.sh"

kills_can 'the process that follows GitLab killed at each call' || test_done

steps=${KILL_STEPS:-14}
MADE=0

new_gitlab shop
start_gitlab_api || test_bail 'no GitLab'
use_gitlab shop || test_bail 'no launcher'
new_project shop work || test_bail 'no project'

prepare() {
	cd work && git switch -q dev && commit work.txt && git switch -q main && merge_in dev &&
		gitlab_push -q origin dev main && cd .. && pipeline_is shop 1 pending && kills_keep shop
}

# GitLab knows nothing of it.
forget() {
	gitlab_says '{"dump": true}' && for forget_id in $(json 'pipelines.*.id' <"$T/said" 2>/dev/null); do
		gitlab_says "{\"delete\": $forget_id}" || return 1
	done
}

# One pipeline, made by whomever; each end told once, or twice by a transaction that was killed.
is_whole() {
	pipeline_is shop 1 success && same 1 "$(gitlab_made)" &&
		same "$(gitlab_id 1)" "$(gitlab_of shop 1 pipeline_id)" && audit_valid shop || return 1
	for whole_stage in build create-model deploy stage-model; do
		whole_told=$(audit_count shop event=stage.finished stage=$whole_stage)
		echo "$whole_stage: finished told $whole_told times"
		[ "$whole_told" -ge 1 ] && [ "$whole_told" -le 2 ] || return 1
		same 1 "$(pipeline shop 1 stages.0.attempt)" && mg shop logs 1 $whole_stage >"$T/log" &&
			same 1 "$(grep -c '^pretended$' "$T/log")" && same 1 "$(grep -c "GitLab's job" "$T/log")" ||
			return 1
	done
}

# A second look is the rest, undisturbed: at once, however long it would wait.
finish() {
	finish_tries=0
	until pipeline_is shop 1 success >/dev/null; do
		finish_tries=$((finish_tries + 1))
		[ "$finish_tries" -lt 20 ] && let_time_pass && mg shop run --follow || return 1
	done
}

# More of it than GitLab can be at work on a request.
let_time_pass() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as store:
	store.execute("UPDATE remote SET next_at = 0, asked_at = max(asked_at - 100000000, 0)")
	store.execute("UPDATE stage SET not_before = 0")' "$(state shop)/store.db"
}

killed() {
	kills_back shop && forget && kill_at "$1" -- modelgate --repo "$T/shop.git" run --follow || return 1
	same 0 "$(gitlab_made)" >/dev/null || MADE=$((MADE + 1))
	finish && is_whole
}

test_expect 'undisturbed' '
	prepare && cd "$T" && kills_count -- modelgate --repo "$T/shop.git" run --follow && finish && is_whole
'
for number in $(kills_numbers "$steps"); do
	test_expect "killed at call $number of $KILL_CALLS" "killed $number"
done
[ -n "${KILL_FIRST:-}" ] || test_expect 'some were killed before GitLab made the pipeline, some after' '
	echo "$MADE" && [ "$MADE" -gt 0 ] && [ "$MADE" -lt "$(kills_numbers "$steps" | wc -l)" ]
'
test_done
