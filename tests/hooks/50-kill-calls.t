#!/bin/sh
# kill -9 at each call of the runner, its stages and their tools that changes what outlives a process:
# write, flush, rename, unlink, send, start of a program.  What is left after the next run is what an
# undisturbed run leaves.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"

kills_can 'a chain killed at each call' || test_done

steps=${KILL_STEPS:-10} # of each walk

# kill-at's options $2..., on programs of which the first makes b of a, and the next goes on.  It is killed,
# and leaves these files.
leaves() {
	leaves_files=$1
	shift
	rm -f a b on && : >a
	"$BUILD/tests/kill-at" 1 --call "rename*" "$@" -- sh -c "mv -T a b; : >on" >"$T/out" 2>"$T/err"
	grep "^kill-at: call 1 of mv -T a b : rename" "$T/err" &&
		same "$leaves_files" "$(find . -name "a" -o -name "b" -o -name "on" | sort | paste -s -d " ")"
}

test_expect 'what is killed before a call does not make it, what is killed after it does nothing more' '
	mkdir tracer && cd tracer && leaves "./a" && leaves "./b" --when after &&
	leaves "./a ./on" --who caller && leaves "./b ./on" --who caller --when after &&
	! leaves "./a" --program sh
'

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

# All calls, with these options of kill-at, in $3 steps.
walk() {
	options=$2
	for number in $(kills_numbers "${3:-$steps}"); do
		test_expect "$1 $number of $KILL_CALLS" killed
	done
}

# Where power fails, what was made is there if the folder that it was made in was flushed later.  Not
# asked of what is thrown away in any case, as the work folder (what lies in it is named relative to
# it), and of what libgit2 does below objects/; a new repository is flushed whole before it gets its name.
unflushed() {
	awk '$2 != "call" { next }
		{ call = $(NF - 1); path = $NF; folder = path; sub("/[^/]*$", "", folder) }
		path !~ "^/" || path ~ "/state/(work|logs|run)(/|$)|/objects/" { next }
		call == "syncfs" { for (f in due) if (index(f, path) == 1) delete due[f] }
		call == "fsync" { delete due[path] }
		call ~ "^(mkdir|link|rename)" { due[folder] = call " " path; n++ }
		END { for (f in due) print due[f]; if (n < 10) print "too few were seen: " n }'
}

test_expect 'the folder is flushed in which something is made that must last' '
	prepare "model 0" &&
	"$BUILD/tests/kill-at" 0 -- $run 2>&1 >"$T/out" | sed "s,shop\.state,state,g" >"$T/calls" &&
	same "" "$(unflushed <"$T/calls")" && stages_are shop 1 success success success success
'

test_expect 'a tool that is killed is no fault of what it was asked about: the stage is tried again' '
	kills_back shop && KILL_CALLS=0 &&
	kill_at 1 --who caller --program "python3*" -- $run && stage_is shop 1 deploy success &&
	same 2 "$(pipeline shop 1 stages.2.attempt)"
'

for chain in 1 2; do
	test_expect "chain $chain, undisturbed" '{
		[ "$chain" = 1 ] || prepare "model $chain"
	} && kills_back shop && undisturbed "$chain"'
	walk "chain $chain: all processes killed before call" "--who all"
	walk "chain $chain: the process killed that makes call" "--who caller"
done

# Where a child is killed that has not become its program yet.
options='--who caller --call execve*'
test_expect 'the same, undisturbed' 'kills_back shop && kills_count $options -- $run'
walk 'chain 2: the process killed that is to become a program by call' "$options" 1000

test_expect 'no process is left' 'is_quiet shop'

test_done
