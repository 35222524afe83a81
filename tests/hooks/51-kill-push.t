#!/bin/sh
# kill -9 at each call of the three hooks that changes what outlives a process.  Whatever becomes of
# that push: what has landed was recorded before, a runner gives it its pipeline, exactly one (or tells
# that its source has not landed), and what has not landed can be pushed again.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

kills_can_gates 'hooks killed at each call' || test_done

steps=${KILL_STEPS:-10} # of each walk
hooks='@(pre-receive|update|post-receive)'

new_server shop
server_set shop 'chain "dev"' stages build
server_set shop 'branch "main"' merge-from 'dev, fix'
new_project shop work || test_bail 'no project'

# A merge of a file that has changed on both sides, for which git is asked.  Pipeline 1 is of before.
prepare() {
	cd work && git switch -q dev && commit both.txt "$(seq 30)" &&
		git switch -q -c fix && commit both.txt "$(echo fix && seq 2 30)" &&
		git switch -q main && merge_in fix && expect_accept git push origin dev fix main &&
		drain shop && git switch -q dev && put_model one &&
		commit both.txt "$(seq 29 && echo dev)" &&
		git switch -q main && merge_in dev && kills_keep shop
}

# What there is beside references, objects and the store.
names_of_state() {
	(cd "$(state shop)" && find . ! -path "./store.db-*" ! -name "*.lock" | sort)
}

# To a URL, so that the clone stays as it is.
push() {
	git -C "$T/work" push "$T/shop.git" dev main
}

# Time goes by: the runner leaves an intent that is younger to the post-receive on its way, and a folder
# of merges may be of one that goes on.
grow_old() {
	find "$(state shop)/work" -maxdepth 1 -name ".merge-*" -exec touch -d "2 hours ago" {} + &&
		python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 6000000")' \
			"$(state shop)/store.db"
}

# Whoever finds the new commit on main finds the record of its push.
landed_is_recorded() {
	[ "$(tip shop main)" != "$merged" ] ||
		audit_has shop event=push.accepted "refs.*.new=$merged"
}

# Told once, or twice by a transaction that was killed between record and commit.
told_once() {
	told=$(($(audit_count shop event=ref.updated "refs.0.new=$merged")))
	made=$(($(audit_count shop event=pipeline.created pipeline=2) +
		$(audit_count shop event=pipeline.reconciled pipeline=2)))
	echo "ref.updated: $told, pipeline.created or reconciled: $made" &&
		[ "$told" -ge 1 ] && [ "$told" -le 2 ] && [ "$made" -ge 1 ] && [ "$made" -le 2 ]
}

one_of_all() {
	same "$merged" "$(tip shop main)" &&
		same "$(git -C work rev-parse dev)" "$(tip shop dev)" &&
		same "2 1" "$(mg shop status --json | json "pipelines.*.id" | paste -s -d " ")" &&
		pipeline_is shop 2 success && stages_are shop 2 success &&
		same "$merged" "$(pipeline shop 2 sha)" && names_of_state >"$T/names" &&
		told_once && audit_valid shop && same '' "$(git -C shop.git fsck --strict)"
}

no_pipeline() {
	same 1 "$(mg shop status --json | json "pipelines.*.id")"
}

# The update of dev was refused after pre-receive, that of main was not: told, and no chain.
unsourced() {
	UNSOURCED=$((UNSOURCED + 1))
	no_pipeline && audit_has shop event=ref.unsourced "refs.0.new=$merged" && audit_valid shop &&
		expect_accept push
}

later() {
	if [ "$(tip shop main)" != "$merged" ]; then
		no_pipeline && expect_accept push && drain shop && one_of_all &&
			diff "$T/undisturbed" "$T/names"
	elif [ "$(tip shop dev)" != "$(git -C work rev-parse dev)" ]; then
		unsourced
	else
		LANDED=$((LANDED + 1))
		one_of_all && diff "$T/undisturbed" "$T/names"
	fi
}

killed() {
	# shellcheck disable=SC2086 # words
	kills_back shop && kill_at "$number" $options --program "$hooks" -- \
		git -C work push "$T/shop.git" dev main && landed_is_recorded &&
		grow_old && drain shop && later
}

# All calls, with these options of kill-at.
walk() {
	options=$2
	for number in $(kills_numbers "$steps"); do
		test_expect "$1 $number of $KILL_CALLS" killed
	done
}

merged=''
LANDED=0
UNSOURCED=0
test_expect 'undisturbed' '
	prepare && merged=$(git rev-parse main) && cd "$T" &&
	kills_count --program "$hooks" -- git -C work push "$T/shop.git" dev main &&
	drain shop && one_of_all && mv "$T/names" "$T/undisturbed"
'
walk 'git and all hooks killed before call' '--who all'
walk 'the hook killed that makes call' '--who caller'

[ -n "${KILL_FIRST:-}" ] || test_expect 'some of these pushes had landed, some had not' '
	echo "$LANDED landed, $UNSOURCED without their source" && [ "$LANDED" -gt 0 ] && [ "$LANDED" -lt $((TEST_COUNT - 2)) ]
'
test_expect 'no process is left' 'is_quiet shop'

test_done
