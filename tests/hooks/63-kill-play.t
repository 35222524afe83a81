#!/bin/sh
# kill -9 at each call of the hooks that changes what outlives a process, while a stage is played by a
# push: what has landed is played, once, and no reference stays; what has not can be pushed again.
# KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

kills_can_gates 'hooks killed at each call while a stage is played' || test_done

steps=${KILL_STEPS:-8} # of each walk
hooks='@(pre-receive|update|post-receive)'
order=refs/modelgate/play/1/build

new_server shop
server_set shop 'chain "prod"' stages build
server_set shop 'chain "dev"' stages build
new_project shop work || test_bail 'no project'

prepare() {
	cd work && git switch -q dev && put_model one && git push -q origin dev && git switch -q main &&
		merge_in dev && server_set shop 'branch "main"' chain prod && git push -q origin main &&
		stages_are shop 1 manual && kills_keep shop
}

# Time goes by, more of it than a runner waits for a push that it cannot see the end of.
grow_old() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 70000000")' "$(state shop)/store.db" &&
		find shop.git/refs -name "*.lock" -exec touch -d "2 minutes ago" {} +
}

push() {
	git -C "$T/work" push "$T/shop.git" "HEAD:$order"
}

# Told once, or twice by a transaction that was killed between record and commit.
played_once() {
	played=$(audit_count shop event=stage.played status=played "refs.0.ref=$order")
	started=$(audit_count shop event=stage.started pipeline=1)
	echo "stage.played: $played, stage.started: $started" &&
		[ "$played" -ge 1 ] && [ "$played" -le 2 ] && [ "$started" -eq 1 ] &&
		pipeline_is shop 1 success && same none "$(tip shop "$order")" && audit_valid shop &&
		same '' "$(git -C shop.git fsck --strict)"
}

killed() {
	# shellcheck disable=SC2086 # words
	kills_back shop && kill_at "$number" $options --program "$hooks" -- \
		git -C work push "$T/shop.git" "HEAD:$order" && grow_old && drain shop &&
		if stages_are shop 1 manual >/dev/null; then
			REFUSED=$((REFUSED + 1)) && same none "$(tip shop "$order")" &&
				expect_accept push && drain shop
		else
			PLAYED=$((PLAYED + 1))
		fi && played_once
}

# All calls, with these options of kill-at.
walk() {
	options=$2
	for number in $(kills_numbers "$steps"); do
		test_expect "$1 $number of $KILL_CALLS" killed
	done
}

PLAYED=0 REFUSED=0
test_expect 'undisturbed' '
	prepare && cd "$T" && kills_count --program "$hooks" -- git -C work push "$T/shop.git" "HEAD:$order" &&
	drain shop && played_once
'
walk 'git and all hooks killed before call' '--who all'
walk 'the hook killed that makes call' '--who caller'

[ -n "${KILL_FIRST:-}" ] || test_expect 'some of these pushes had landed, some had not' '
	echo "$PLAYED $REFUSED" && [ "$PLAYED" -gt 0 ] && [ "$REFUSED" -gt 0 ]
'
test_expect 'no process is left' 'is_quiet shop'

test_done
