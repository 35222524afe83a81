#!/bin/sh
# wake = spawn: post-receive starts a runner that is on its own; no push ever waits for a stage.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# Do CMD within so many milliseconds; a runner's stage sleeps for a minute meanwhile.
within() {
	began=$(date +%s%N)
	chains_limit=$1
	shift
	"$@" || return 1
	took=$((($(date +%s%N) - began) / 1000000))
	echo "took $took ms"
	[ "$took" -lt "$chains_limit" ]
}

# A new commit on dev, pushed with the merge of it into main; what is not pushed yet goes with it.
next_merge() {
	git switch -q dev && commit work.txt && git switch -q main && merge_in dev
}

through_pipe() {
	git push origin dev main 2>&1 | cat >"$T/out"
}

# The parents of process $1 up to the first, one a line.
ancestors() {
	one=$1
	while [ "${one:-0}" -gt 0 ]; do
		one=$(ps -o ppid= -p "$one" | tr -d ' ')
		echo "$one"
	done
}

one_runner() {
	same 1 "$(runners "$1" | wc -l)"
}

no_runner() {
	same "" "$(runners "$1")"
}

new_server shop
server_set shop runner wake spawn
new_project shop work || test_bail 'no project'
podman_does shop 'hold'
https_proxy=http://proxy.example.com:8080 SECRET=x
export https_proxy SECRET

test_expect 'a push returns at once while its stage goes on' '
	cd work && next_merge &&
	within 5000 expect_accept git push origin dev main &&
	said "modelgate: pipeline 1 created" &&
	wait_for 10 stage_is shop 1 build running &&
	wait_for 10 one_runner shop
'

test_expect 'a push whose output goes into a pipe returns at once too' '
	cd work && next_merge && within 5000 through_pipe &&
	grep "modelgate: pipeline 2 created" "$T/out" && stage_is shop 1 build running
'

test_expect 'so do a push over SSH and one over HTTP' '
	start_sshd && start_httpd && git -C work remote add ssh "$(ssh_url shop)" &&
	git -C work remote add http "$(http_url shop)" &&
	cd work && next_merge && within 5000 expect_accept git push ssh dev main &&
	said "modelgate: pipeline 3 created" &&
	next_merge && within 5000 expect_accept git push http dev main &&
	said "modelgate: pipeline 4 created" &&
	stage_is shop 1 build running
'

test_expect 'the runner is nobody of ours: no parent, session or group of the push' '
	runner=$(runners shop) && one_runner shop &&
	same "" "$(ancestors "$runner" | grep -x "$$")" &&
	session=$(ps -o sid= -p "$runner" | tr -d " ") &&
	{ [ "$session" != "$(ps -o sid= -p $$ | tr -d " ")" ] || return 1; } &&
	same "$session" "$(ps -o pgid= -p "$runner" | tr -d " ")" &&
	same "?" "$(ps -o tty= -p "$runner" | tr -d " ")" &&
	{ [ "$session" -ne "$runner" ] || return 1; } &&
	same "" "$(ps -o pid= -p "$session")" &&
	same / "$(readlink "/proc/$runner/cwd")"
'

test_expect 'it has no descriptor but those that it opened itself' '
	for fd in 0 1 2; do
		same /dev/null "$(readlink "/proc/$runner/fd/$fd")" || return 1
	done &&
	for fd in "/proc/$runner/fd"/*; do
		case $(readlink "$fd") in
		/dev/null | "$T/shop.state/"* | "anon_inode:"*) ;;
		*) ls -l "/proc/$runner/fd" && return 1 ;;
		esac
	done &&
	ls "/proc/$runner/fd" | grep -x 3
'

test_expect 'and of the environment of the push the time zone and the proxies, nothing else' '
	tr "\0" "\n" <"/proc/$runner/environ" >environ &&
	same "LC_ALL PATH TZ https_proxy" "$(sed "s/=.*//" environ | sort | tr "\n" " " | sed "s/ $//")"
'

test_expect 'the stage has a group of its own, and its log for output' '
	stage=$(ps -ww -eo pid=,ppid= | awk -v p="$runner" "\$2 == p { print \$1 }") &&
	same "$stage" "$(ps -o pgid= -p "$stage" | tr -d " ")" &&
	same /dev/null "$(readlink "/proc/$stage/fd/0")" &&
	same "$T/shop.state/logs/1/build.log" "$(readlink "/proc/$stage/fd/1")" &&
	same "$T/shop.state/logs/1/build.log" "$(readlink "/proc/$stage/fd/2")"
'

test_expect 'what was pushed meanwhile is done by the same runner, without another word' '
	let_go shop &&
	wait_for 20 pipeline_is shop 4 success &&
	stages_are shop 4 success success success success &&
	wait_for 10 no_runner shop &&
	wait_for 10 is_quiet shop
'

test_expect 'a push after the runner has ended starts another' '
	cd work && next_merge && expect_accept git push origin dev main &&
	said "modelgate: pipeline 5 created" &&
	wait_for 20 pipeline_is shop 5 success && wait_for 10 is_quiet shop
'

test_expect 'every pipeline has ended, and the audit log is valid' '
	same "" "$(mg shop status --json | json "pipelines.*.status" | grep -vx -e success -e skipped)" &&
	audit_valid shop
'

test_expect 'where wake = none nothing is started' '
	server_set shop runner wake none &&
	cd work && next_merge && expect_accept git push origin dev main &&
	said "modelgate: pipeline 6 created" &&
	is_quiet shop && stages_are shop 6 pending created created created
'

test_done
