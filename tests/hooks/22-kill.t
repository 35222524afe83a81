#!/bin/sh
# kill -9 of the runner at twenty random moments of a dev chain, started again each time: what is
# left is what one run leaves.  KILL_SEED=N chooses other moments.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

rounds=20
seed=${KILL_SEED:-1}
took=0
airflow=$T/shop.state/repositories/airflow-dev.git

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

start_runner() {
	background modelgate --repo "$T/shop.git" run --drain >>"$T/runner" 2>&1
	RUNNER=$!
}

# Start a runner and kill it after so many milliseconds, if it has not ended by then.  This is the one
# place where time itself is what is tested.
run_and_kill() {
	start_runner
	sleep "$(printf '%d.%03d' "$(($1 / 1000))" "$(($1 % 1000))")"
	kill -9 "$RUNNER" 2>/dev/null && KILLED=$((KILLED + 1))
	wait "$RUNNER" || true
}

# A pipeline that was killed at the moments $2..., then run to its end: one of everything.
round() {
	round_number=$1
	shift
	next_main "model $round_number" || return 1
	for moment; do
		run_and_kill "$moment"
	done
	drain shop >>"$T/runner" &&
		stages_are shop "$round_number" success success success success &&
		pipeline_is shop "$round_number" success &&
		same "$round_number" "$(pipeline shop "$round_number" facts.model_version)" &&
		same "$round_number" "$(git -C "$airflow" rev-list --count main)" &&
		same "$(git -C "$airflow" rev-parse main)" \
			"$(pipeline shop "$round_number" facts.dag_commit)" &&
		audit_valid shop
}

versions() {
	mg shop models shop --json
}

new_server shop
new_project shop work || test_bail 'no project'

# The lesser of two: on a busy machine one may take far longer than those that follow.
test_expect 'undisturbed, a chain takes this long' '
	cd work && for number in 1 2; do
		next_main "model $number" && began=$(milliseconds) && start_runner &&
			wait "$RUNNER" && lasted=$(($(milliseconds) - began)) || return 1
		[ "$took" -ne 0 ] && [ "$took" -lt "$lasted" ] || took=$lasted
	done &&
	stages_are shop 1 success success success success &&
	stages_are shop 2 success success success success &&
	same 2 "$(git -C "$airflow" rev-list --count main)"
'
echo "# $took ms; moments by KILL_SEED=$seed"

KILLED=0
# One moment in each twentieth of that time, in a random order; every third chain is killed twice.
moments=$(awk -v n="$rounds" -v t="$took" -v seed="$seed" 'BEGIN {
	srand(seed)
	for (i = 0; i < n; i++)
		print rand(), int((i + rand()) / n * t), int(rand() * t / 2)
}' | sort | awk '{ print $2 (NR % 3 == 0 ? "," $3 : "") }')
number=2
for moment in $moments; do
	number=$((number + 1))
	test_expect "killed after $moment ms: one version, one commit, every stage success" '
		cd work && round "$number" $(echo "$moment" | tr , " ")
	'
done

test_expect 'half of these moments at least were while the runner was at work' '
	echo "$KILLED of $rounds" && [ "$KILLED" -ge $((rounds / 2)) ]
'

test_expect 'there are as many versions as pipelines, the newest in Staging, the others archived' '
	versions >models.json && number=$((rounds + 2)) &&
	same "$number" "$(json "versions.*.version" <models.json | sort -u | wc -l)" &&
	same "$number" "$(json "versions.*.version" <models.json | wc -l)" &&
	same "$number" "$(json "versions.*.pipeline" <models.json | sort -u | wc -l)" &&
	same 1 "$(json "versions.*.stage" <models.json | grep -c -x Staging)" &&
	same $((rounds + 1)) "$(json "versions.*.stage" <models.json | grep -c -x Archived)"
'

test_expect 'no work folder, process, lock or half a file is left' '
	is_quiet shop && same "" "$(ls -A "$(state shop)/work")" &&
	same "" "$(find "$airflow" -name "*.lock")" &&
	same "" "$(find "$(state shop)/artifacts" -name ".*" -type f)" &&
	git -C "$airflow" fsck --strict && git -C shop.git fsck
'

# An event is told before the transaction that it belongs to is committed: a kill between the two tells
# it again, and none is ever missing.
finished() {
	sed -n "s/.*\"event\":\"$1\".*\"pipeline\":\([0-9]*\),$2\"status\":\"success\".*/\1/p" "$(audit shop)" |
		sort -u | wc -l
}

test_expect 'the end of each stage and pipeline has been told, and no other' '
	for stage in build create-model deploy stage-model; do
		same $((rounds + 2)) "$(finished stage.finished "\"stage\":\"$stage\",")" || return 1
	done &&
	same $((rounds + 2)) "$(finished pipeline.finished "")" &&
	same 0 "$(audit_count shop event=stage.finished status=failed)"
'

test_done
