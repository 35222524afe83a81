#!/bin/sh
# The runner as a service: what it tells its supervisor, how it stops, what it takes with it, and that
# several runners on one state directory do no harm.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# A supervisor: each datagram to the socket $T/supervisor is a line of $T/notes.
start_supervisor() {
	background perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
		$| = 1;
		print "$_\n" while defined $s->recv($_, 4096);' "$T/supervisor" >"$T/notes" &&
		wait_for 10 test -S "$T/supervisor"
}

noted() {
	grep -qx -e "$1" "$T/notes" && return
	cat "$T/notes"
	echo "was not noted: $1"
	return 1
}

# The lines of the notes that are $1 come $2 times at least.
noted_times() {
	[ "$(grep -cx -e "$1" "$T/notes")" -ge "$2" ]
}

# A service on server $1, with VARIABLE=VALUE... in its environment; SERVICE is its process, and what it
# says stands in $T/said.
start_service() {
	service_server=$1
	shift
	: >"$T/notes"
	background env NOTIFY_SOCKET="$T/supervisor" "$@" \
		modelgate --repo "$T/$service_server.git" run >"$T/said" 2>&1
	SERVICE=$!
}

service_said() {
	grep -qF -e "$1" "$T/said"
}

start_drain() {
	background modelgate --repo "$T/$1.git" run --drain >"$T/drain.$2" 2>&1
	eval "DRAIN_$2=\$!"
}

# The process ends by itself, with this status.
ends_with() {
	wait "$2"
	same "$1" "$?"
}

stop_service() {
	kill -TERM "$SERVICE" && ends_with 0 "$SERVICE"
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

new_server shop
new_project shop work || test_bail 'no project'
start_supervisor || test_bail 'no supervisor'

# --- what the supervisor is told ---

test_expect 'a service is ready once it has lock and store, and says what it does' '
	start_service shop && wait_for 10 noted READY=1 &&
	wait_for 10 noted "STATUS=0 at work, 0 pending" &&
	! flock -n "$(state shop)/run/runner.lock" true &&
	podman_does shop hold && cd work && next_main one &&
	wait_for 10 noted "STATUS=1 at work, 0 pending" && stage_is shop 1 build running &&
	let_go shop && wait_for 20 pipeline_is shop 1 success &&
	wait_for 10 grep -n "STATUS=0 at work" "$T/notes" && same 0 "$(grep -c WATCHDOG "$T/notes")"
'

test_expect 'SIGHUP changes nothing, and says why' '
	kill -HUP "$SERVICE" && wait_for 10 service_said "nothing to reload" &&
	kill -0 "$SERVICE"
'

test_expect 'SIGTERM ends it with 0, and the supervisor is told before' '
	stop_service && noted STOPPING=1 && service_said stopping &&
	flock -n "$(state shop)/run/runner.lock" true
'

test_expect 'a supervisor that waits for signs of life gets them, also while another runner is waited for' '
	start_service shop WATCHDOG_USEC=400000 && wait_for 10 noted_times WATCHDOG=1 3 && stop_service &&
	start_service shop && wait_for 10 noted READY=1 && holder=$SERVICE &&
	start_service shop WATCHDOG_USEC=2000000 &&
	wait_for 10 noted "STATUS=waiting for the end of another runner" &&
	wait_for 10 service_said "another runner is at work here: waiting for its end" &&
	wait_for 20 noted_times WATCHDOG=1 3 && ! noted READY=1 &&
	kill -TERM "$holder" && ends_with 0 "$holder" && wait_for 10 noted READY=1 && stop_service
'

test_expect 'signs of life that another process is to give are not given' '
	start_service shop WATCHDOG_USEC=400000 WATCHDOG_PID=1 && wait_for 10 noted READY=1 &&
	cd work && next_main two && wait_for 20 pipeline_is shop 2 success && stop_service &&
	same 0 "$(grep -c WATCHDOG "$T/notes")"
'

test_expect 'a supervisor that is not there is no reason not to work' '
	background env NOTIFY_SOCKET="$T/nobody" modelgate --repo "$T/shop.git" run >said 2>&1 &&
	SERVICE=$! && wait_for 10 service_said "the service manager cannot be told" &&
	cd work && next_main three && wait_for 20 pipeline_is shop 3 success && stop_service &&
	same 1 "$(grep -c "cannot be told" "$T/said")"
'

# --- stopping ---

test_expect 'a stage that runs when the service stops is pending again, not failed, and its tools are gone' '
	rm "$(state shop)/go" && podman_does shop "sleep 300 & echo \$! >\$state/child; wait" &&
	start_service shop && cd work && next_main four && wait_for 10 test -s "$(state shop)/child" &&
	stop_service && stages_are shop 4 pending created created created &&
	wait_for 5 is_gone "$(cat "$(state shop)/child")" && wait_for 5 is_quiet shop
'

test_expect 'a second SIGTERM does not wait for what heeds none' '
	rm "$(state shop)/child" &&
	podman_does shop "trap \"\" TERM; sleep 300 & echo \$! >\$state/child; wait; wait" &&
	start_service shop && wait_for 10 test -s "$(state shop)/child" &&
	began=$(date +%s%N) && kill -TERM "$SERVICE" && wait_for 10 noted STOPPING=1 &&
	stop_service && took=$((($(date +%s%N) - began) / 1000000)) && echo "took $took ms" &&
	[ "$took" -lt 2000 ] && stages_are shop 4 pending created created created &&
	wait_for 5 is_gone "$(cat "$(state shop)/child")"
'

test_expect 'kill -9 of the runner takes along all that the tools of its stage have started' '
	rm "$(state shop)/child" && podman_does shop "sleep 300 & echo \$! >\$state/child; wait" &&
	start_service shop && wait_for 10 test -s "$(state shop)/child" &&
	child=$(cat "$(state shop)/child") && kill -0 "$child" && kill -KILL "$SERVICE" &&
	ends_with 137 "$SERVICE" && wait_for 5 is_gone "$child" && wait_for 5 is_quiet shop &&
	stages_are shop 4 running created created created && podman_does shop ":" &&
	start_service shop && wait_for 20 pipeline_is shop 4 success && stop_service &&
	same 0 "$(audit_count shop event=stage.finished status=failed)"
'

# --- several ---

test_expect 'one service for two repositories; it and two more runners start each stage once' '
	new_server other && server_set other modelgate state "$(state shop)" && new_project other work2 &&
	start_service shop && wait_for 10 noted READY=1 && start_drain shop 1 && start_drain other 2 &&
	(cd work && next_main five) && (cd work2 && next_main other) && (cd work && next_main six) &&
	for id in 5 6 7; do
		wait_for 20 pipeline_is shop "$id" success || return 1
	done &&
	kill -0 "$DRAIN_1" && kill -0 "$DRAIN_2" && stop_service &&
	ends_with 0 "$DRAIN_1" && ends_with 0 "$DRAIN_2" &&
	for id in 5 6 7; do
		for stage in build create-model deploy stage-model; do
			same 1 "$(audit_count shop event=stage.started pipeline=$id stage=$stage)" || return 1
		done
		same "1 1 1 1" "$(pipeline shop $id "stages.*.attempt" | xargs)" || return 1
	done
'

test_expect 'what a killed service leaves, a waiting runner does, once' '
	podman_does shop "[ -e \$state/begun ] || { : >\$state/begun; hold; }" && start_service shop &&
	wait_for 10 noted READY=1 && start_drain shop 1 && start_drain shop 2 && cd work &&
	next_main seven && wait_for 10 test -e "$(state shop)/begun" && kill -KILL "$SERVICE" &&
	ends_with 137 "$SERVICE" && ends_with 0 "$DRAIN_1" && ends_with 0 "$DRAIN_2" &&
	pipeline_is shop 8 success && same "2 1 1 1" "$(pipeline shop 8 "stages.*.attempt" | xargs)"
'

# --- what is not as it was ---

test_expect 'the stages of a repository that is gone fail, of others go on; it is back, a retry goes on' '
	server_set shop build engine archive && (cd work2 && next_main gone) && mv other.git gone.git &&
	start_service shop && wait_for 20 pipeline_is shop 9 failed &&
	stages_are shop 9 failed created created created &&
	same "$T/other.git: No such file or directory" "$(pipeline shop 9 stages.0.message)" &&
	(cd work && next_main here) && wait_for 20 pipeline_is shop 10 success &&
	mv gone.git other.git && mg other retry 9 build && wait_for 20 pipeline_is shop 9 success &&
	stop_service
'

test_expect 'the same for one whose configuration names another state by now, or is broken' '
	cp other.git/modelgate.ini "$T/kept" && (cd work2 && next_main moved) && server_set other modelgate state /nowhere &&
	start_service shop && wait_for 20 pipeline_is shop 11 failed &&
	pipeline shop 11 stages.0.message | grep "names another state directory by now: /nowhere" &&
	echo "[no-such-section]" >>other.git/modelgate.ini && echo "x = y" >>other.git/modelgate.ini &&
	is_unknown "no-such-section" modelgate --config "$(server_file shop)" retry 11 build &&
	cp "$T/kept" other.git/modelgate.ini && mg other retry 11 build &&
	wait_for 20 pipeline_is shop 11 success && stop_service
'

# --- what stages are given ---

test_expect 'a tool has the proxies, certificates and time zone of the service, and nothing else' '
	podman_does shop "env >\$state/env" &&
	start_service shop https_proxy=http://p:1 NO_PROXY=.example.com SSL_CERT_DIR=/certs TZ=Asia/Tokyo \
		SECRET=x GIT_DIR=/x PYTHONPATH=/x LD_LIBRARY_PATH=/x &&
	cd work && next_main eight && wait_for 20 pipeline_is shop 12 success && stop_service &&
	same "HOME LC_ALL NO_PROXY PATH PWD SSL_CERT_DIR TZ https_proxy" \
		"$(sed "s/=.*//" "$(state shop)/env" | grep -vx -e _ -e OLDPWD -e SHLVL | sort | xargs)"
'

# --- the unit file ---

unit=$(find "$TOP/config" -name 'modelgate@.service')
if command -v systemd-analyze >/dev/null; then
	test_expect 'systemd takes the unit file, with what image engines need too' '
		mkdir -p "units/modelgate@git.service.d" &&
		sed "s|@PREFIX@|$ROOT|" "$unit" >"units/modelgate@git.service" &&
		systemd-analyze verify --man=no "$T/units/modelgate@git.service" &&
		cp "$TOP/config/modelgate-images.conf" "units/modelgate@git.service.d/" &&
		systemd-analyze verify --man=no "$T/units/modelgate@git.service"
	'

	test_expect 'and finds it exposed to little' '
		rm -r "units/modelgate@git.service.d" &&
		systemd-analyze security --offline=true --threshold=20 "$T/units/modelgate@git.service"
	'

	test_expect 'the same of what makes checkpoints' '
		for name in modelgate-checkpoint.service modelgate-checkpoint.timer; do
			sed "s|@PREFIX@|$ROOT|" "$TOP/config/$name" >"units/$name" || return 1
		done &&
		systemd-analyze verify --man=no "$T/units/modelgate-checkpoint.service" \
			"$T/units/modelgate-checkpoint.timer" &&
		systemd-analyze security --offline=true --threshold=20 "$T/units/modelgate-checkpoint.service"
	'
else
	test_skip 'systemd takes the unit file' 'systemd is not installed here'
fi

test_expect 'of all this the audit log is valid, and nothing is left over' '
	audit_valid shop && wait_for 5 is_quiet shop && same "" "$(ls "$(state shop)/work")"
'

test_done
