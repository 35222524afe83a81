#!/bin/sh
# kill -9 at each call of the runner, its stages and their tools that changes what outlives a process,
# in a chain dev whose model registry is a real MLflow: each request before it is sent and just after,
# and the other calls in steps.  What is left after the next run, here and in MLflow, is what an
# undisturbed run leaves.  KILL_STRIDE=1 steps through all calls.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/kills.sh"
. "$TEST_LIB/mlflow.sh"

steps=${KILL_STEPS:-4} # of each walk
run="modelgate --repo $T/shop.git run --drain"

kills_can 'a chain killed at each call, with MLflow' || test_done
need_mlflow 3 'a chain killed at each call, with the registry of MLflow 3' || test_done

of_mlflow() {
	"$TOP/tests/real/mlflow-state" "$MLFLOW_URL" shop "$@"
}

# The state from before the chain, here and there.
back() {
	kills_back shop && of_mlflow delete
}

prepare() {
	start_mlflow 3 && new_server shop && use_mlflow shop && new_project shop work && cd work &&
		put_model one && git switch -q main && merge_in dev &&
		expect_accept git push -q origin dev main && kills_keep shop
}

undisturbed() {
	# shellcheck disable=SC2086 # words
	kills_count $options -- $run && stages_are shop 1 success success success success &&
		end_of shop >"$T/undisturbed" && of_mlflow >"$T/undisturbed.mlflow"
}

killed() {
	# shellcheck disable=SC2086 # words
	back && kill_at "$number" $options -- $run && drain shop &&
		end_is shop "$T/undisturbed" && of_mlflow >"$T/mlflow" &&
		diff "$T/undisturbed.mlflow" "$T/mlflow"
}

# walk TITLE STEPS OPTIONS: all calls, with these options of kill-at.
walk() {
	options=$3
	test_expect "$1: undisturbed" 'back && undisturbed && echo "$KILL_CALLS calls"'
	for number in $(kills_numbers "$2"); do
		test_expect "$1 $number of $KILL_CALLS" killed
	done
}

test_expect 'a project whose pipeline is pending' prepare
test_expect 'the chain brings one version to Staging' '
	options= && undisturbed && cat "$T/undisturbed.mlflow" &&
	same 1 "$(grep -c "\"run_id\"" "$T/undisturbed.mlflow")" &&
	same 1 "$(grep -c "\"current_stage\": \"Staging\"" "$T/undisturbed.mlflow")"
'

walk 'all killed before sending' 1000 '--call @(sendto|sendmsg)'
walk 'all killed after sending' 1000 '--call @(sendto|sendmsg) --when after'
walk 'all killed before call' "$steps" ''
walk 'the process killed that makes call' "$steps" '--who caller'

test_expect 'no process is left' 'is_quiet shop'

test_done
