#!/bin/sh
# Landings that post-receive did not see: git does not run it when the client is gone.  The runner finds
# them; one landing makes one pipeline, whoever comes to it first.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

# Let the hook $1 wait where $2 says (before or after ours), until let_pass.
slow() {
	slow_wait="touch '$T/waits'; until [ -e '$T/pass' ]; do sleep 0.05; done"
	rm -f "$T/waits" "$T/pass"
	if [ "$2" = before ]; then
		printf '#!/bin/sh\n%s\nexec "%s" "$@"\n' "$slow_wait" "$ROOT/libexec/modelgate/$1"
	else
		printf '#!/bin/sh\n"%s" "$@" || exit\n%s\n' "$ROOT/libexec/modelgate/$1" "$slow_wait"
	fi >"$T/shop.git/hooks/$1"
}

let_pass() {
	: >"$T/pass"
}

installed() {
	rm -f "$T/shop.git/hooks"/*
	for one in "$@"; do
		cp "$ROOT/libexec/modelgate/$one" "$T/shop.git/hooks/" || return 1
	done
}

all_installed() {
	installed pre-receive update post-receive
}

is_at() {
	[ "$(tip shop "$1")" = "$2" ]
}

# No git serves a push to the server any more.
is_unserved() {
	! ps -ww -eo args= | grep -F "$T/shop.git" | grep -q '[r]eceive-pack'
}

# git push ARG..., whose client is killed while pre-receive is at work; then the rest comes as git does it.
push_killed() {
	slow pre-receive after || return 1
	git push -q origin "$@" >"$T/out" 2>"$T/err" &
	client=$!
	wait_for 20 [ -e "$T/waits" ] && kill -9 "$client" && { wait "$client" || :; } && let_pass &&
		wait_for 20 is_unserved && installed pre-receive update post-receive
}

# Pipelines for the commit $1: as many as $2.
pipelines_of() {
	same "$2" "$(mg shop status --json | json "pipelines.*.sha" | grep -cx "$1")"
}

told() {
	audit_count shop "event=$1" "refs.*.new=$2"
}

next_merge() {
	git fetch -q origin && at dev && commit work.txt && at main && merge_in dev && merged=$(git rev-parse main)
}

# Time goes by, more of it than a runner waits for a push that lives.
grow_old() {
	grow_by 70
}

grow_by() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 1000000 * ?", (int(sys.argv[2]),))' \
		"$(state shop)/store.db" "$1"
}

has_runner() {
	[ -n "$(runners shop)" ]
}

new_server shop
new_project shop work || test_bail 'no project'
server_set shop 'chain "dev"' stages build

test_expect 'the client is killed in pre-receive: main has moved, and post-receive never ran' '
	cd work && next_merge && push_killed dev main && is_at refs/heads/main "$merged" &&
	same 0 "$(told ref.updated "$merged")" && same 1 "$(told push.accepted "$merged")"
'

test_expect 'its pipeline is made by the next pass of a runner' '
	drain shop && pipelines_of "$merged" 1 && same 1 "$(told pipeline.reconciled "$merged")" &&
	same 1 "$(told ref.updated "$merged")" && pipeline_is shop 1 success
'

test_expect 'and by none after that' '
	grow_old && drain shop && pipelines_of "$merged" 1 && same 1 "$(told ref.updated "$merged")"
'

test_expect 'where post-receive did run, no runner makes a second one' '
	cd work && next_merge && expect_accept git push origin dev main && grow_old && drain shop &&
	pipelines_of "$merged" 1 && same 1 "$(told pipeline.created "$merged")" &&
	same 0 "$(told pipeline.reconciled "$merged")"
'

test_expect 'a push whose hooks are still at work is left to them' '
	cd work && next_merge && slow post-receive before && { git push origin dev main >"$T/out" 2>"$T/err" & } &&
	wait_for 20 [ -e "$T/waits" ] && is_at refs/heads/main "$merged" && grow_by 10 && { drain shop >"$T/drained" & } &&
	drainer=$! && wait_for 10 has_runner && pipelines_of "$merged" 0 && let_pass &&
	wait "$drainer" && pipelines_of "$merged" 1 &&
	same 1 "$(told pipeline.created "$merged")" && all_installed
'

test_expect 'one that takes too long is not: the runner was first, and post-receive gives what it made' '
	cd work && next_merge && slow post-receive before && { git push origin dev main >"$T/out" 2>"$T/err" & } &&
	pusher=$! && wait_for 20 [ -e "$T/waits" ] && grow_old && drain shop && pipelines_of "$merged" 1 &&
	let_pass && wait "$pusher" && said "modelgate: pipeline $(pipelines shop | sed "s/ .*//") created" &&
	pipelines_of "$merged" 1 && same 1 "$(told ref.updated "$merged")" &&
	same 1 "$(told pipeline.reconciled "$merged")" && same 0 "$(told pipeline.created "$merged")" && all_installed
'

test_expect 'two intents for one landing: git refused the first push, the client of the second is killed' '
	cd work && next_merge && printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" &&
	{ ! git push origin dev main 2>"$T/err" || return 1; } && said_not "modelgate: " &&
	drain shop && pipelines_of "$merged" 0 && all_installed &&
	push_killed dev main && is_at refs/heads/main "$merged" && drain shop && pipelines_of "$merged" 1 &&
	grow_old && drain shop && pipelines_of "$merged" 1 && same 1 "$(told ref.updated "$merged")"
'

test_expect 'main has moved on before anybody looked: both have their pipelines, in order' '
	cd work && next_merge && first=$merged && push_killed dev main && next_merge &&
	push_killed dev main && is_at refs/heads/main "$merged" && drain shop && pipelines_of "$first" 1 &&
	pipelines_of "$merged" 1 &&
	same "$merged $first" "$(mg shop status --json | json "pipelines.*.sha" | head -n 2 | tr "\n" " " | sed "s/ $//")"
'

test_expect 'main has moved on with a push that was seen' '
	cd work && next_merge && first=$merged && push_killed dev main && git fetch -q origin &&
	next_merge && expect_accept git push origin dev main && pipelines_of "$first" 1 && pipelines_of "$merged" 1 &&
	drain shop && grow_old && drain shop && pipelines_of "$first" 1 && pipelines_of "$merged" 1
'

test_expect 'a service sees it, without any other push' '
	background modelgate --repo "$T/shop.git" run >"$T/service" && service=$! && cd work && next_merge &&
	push_killed dev main && wait_for 20 pipelines_of "$merged" 1 && wait_for 20 pipeline_is shop 9 success &&
	kill "$service" && wait "$service" && same 1 "$(told pipeline.reconciled "$merged")"
'

test_expect 'a branch that is gone before anybody looked has none, and nobody complains' '
	cd work && next_merge && push_killed dev main &&
	git -C "$T/shop.git" update-ref -d refs/heads/main && drain shop && pipelines_of "$merged" 0 &&
	git -C "$T/shop.git" update-ref refs/heads/main "$merged" && drain shop && pipelines_of "$merged" 1
'

test_expect 'a repository that is moved away is passed over, by a runner of others' '
	cd work && next_merge && push_killed dev main && new_server other &&
	server_set other modelgate state "$T/shop.state" && mv "$T/shop.git" "$T/away.git" &&
	mg other run --drain >"$T/out" 2>"$T/err" && same "" "$(cat "$T/err")" && mv "$T/away.git" "$T/shop.git" &&
	pipelines_of "$merged" 0 && drain shop && pipelines_of "$merged" 1
'

test_expect 'the log is valid' 'audit_valid shop'

test_done
