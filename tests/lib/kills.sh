# shellcheck shell=sh
# For the tests that kill at each call which changes something, after test.sh and chains.sh.
#
# A walk goes from what was kept, kills at one call after another, lets the rest be done undisturbed,
# and compares what is left with what an undisturbed run leaves.
#
#	kills_can WHAT             Programs can be traced here; else WHAT is skipped, status 1.
#	kills_can_gates WHAT       So can gates, where --program names them: which program a process runs that
#	                           hides, as they do, is shown to root alone.
#	kills_keep NAME            Keep server NAME, repository and state folder, as it is now.
#	kills_back NAME            Bring it back to that.
#	kills_count ARG...         Run kill-at with these arguments but never kill; sets KILL_CALLS.
#	kills_numbers STEPS        The calls 1 to KILL_CALLS in as many steps; KILL_STRIDE=1 steps
#	                           through all.  KILL_FIRST (1) is where the walk begins.
#	kill_at N ARG...           Run kill-at; what it says of the call is in $T/killed.  Fails if there
#	                           was no such call, unless it is near the last: how processes take turns
#	                           changes their count a little.
#	end_of NAME                What is left of server NAME, as tests/lib/end-state has it.
#	end_is NAME FILE           That is what FILE holds, and the audit log is valid.

[ -x "$BUILD/tests/kill-at" ] || test_bail "$BUILD/tests/kill-at is missing: make hooks-test"

# The sanitizer that looks for leaks traces the process itself, and fails in one that is traced already.
# Some containers let nobody trace: kill-at ends with 3.
kills_can() {
	kills_why='programs that look for leaks cannot be traced'
	if ! grep -q __asan_init "$ROOT/bin/modelgate"; then
		"$BUILD/tests/kill-at" 1000000000 true 2>"$T/err"
		[ $? -eq 3 ] || return 0
		kills_why=$(cat "$T/err")
	fi
	test_skip "$1" "$kills_why"
	return 1
}

kills_can_gates() {
	kills_can "$1" || return 1
	[ "$(id -u)" -ne 0 ] || return 0
	test_skip "$1" 'only root sees which program hides'
	return 1
}

kills_keep() {
	rm -rf "$T/.run/kept" && mkdir -p "$T/.run/kept" &&
		cp -a "$T/$1.git" "$T/$1.state" "$T/.run/kept/"
}

kills_back() {
	rm -rf "$T/$1.git" "$T/$1.state" && cp -a "$T/.run/kept/$1.git" "$T/.run/kept/$1.state" "$T"
}

kills_count() {
	"$BUILD/tests/kill-at" 1000000000 "$@" >"$T/out" 2>"$T/err" || {
		cat "$T/out" "$T/err"
		return 1
	}
	KILL_CALLS=$(sed -n 's/^kill-at: \([0-9]*\) calls$/\1/p' "$T/err")
}

kills_numbers() {
	seq "${KILL_FIRST:-1}" "${KILL_STRIDE:-$((KILL_CALLS / $1 + 1))}" "$KILL_CALLS"
}

kill_at() {
	"$BUILD/tests/kill-at" "$@" >"$T/out" 2>"$T/err"
	grep '^kill-at: ' "$T/err" >"$T/killed"
	cat "$T/killed"
	grep -q '^kill-at: call ' "$T/killed" || [ "$1" -gt $((KILL_CALLS * 9 / 10)) ]
}

end_of() {
	"$TEST_LIB/end-state" "$(state "$1")" "$(state "$1")"/repositories/*.git
}

end_is() {
	audit_valid "$1" || return 1
	if ! end_of "$1" >"$T/.run/end"; then
		grep '^FAULT' "$T/.run/end"
		return 1
	fi
	diff "$2" "$T/.run/end"
}
