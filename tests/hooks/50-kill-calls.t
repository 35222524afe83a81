#!/bin/sh
# kill -9 at each call of the runner, its stages and their tools that changes what outlives a process:
# write, flush, rename, unlink, send, start of a program.  What is left after the next run is what an
# undisturbed run leaves.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

steps=${KILL_STEPS:-14} # of each walk

new_server shop
new_project shop work || test_bail 'no project'
run="modelgate --repo $T/shop.git run --drain"

# Two walks, of a first chain, where all is made, and of one that finds everything there.
prepare() {
	cd work && git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main && kills_keep shop
}

undisturbed() {
	kills_count -- $run && end_of shop >"$T/undisturbed" &&
		stages_are shop "$1" success success success success && echo "$KILL_CALLS calls"
}

killed() {
	# shellcheck disable=SC2086 # words
	kills_back shop && kill_at "$number" $options -- $run && drain shop &&
		end_is shop "$T/undisturbed"
}

# All calls, with these options of kill-at.
walk() {
	options=$2
	for number in $(kills_numbers "$steps"); do
		test_expect "$1 $number of $KILL_CALLS" killed
	done
}

for chain in 1 2; do
	test_expect "chain $chain, undisturbed" 'prepare "model $chain" && undisturbed "$chain"'
	walk "chain $chain: all processes killed before call" "--who all"
	walk "chain $chain: the process killed that makes call" "--who caller"
done

test_expect 'no process is left' 'is_quiet shop'

test_done
