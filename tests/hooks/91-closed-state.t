#!/bin/sh
# The state directory and what is in it, missing, replaced, held by others or without room: each push is
# rejected with the right code, in the time that is documented; nothing is lost, and the next push is fine.
# Garbage in the store, its versions, a log that is a folder and the configuration: 16-cannot-tell.t.  Full
# disks: 43-full.t.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'
state=$(state shop)

next() {
	cd "$T/work" && at dev && commit work.txt && at main && merge_in dev
}

push() {
	timeout -s KILL 60 git -C "$T/work" push origin dev main
}

# The last commits of dev and main land, with record and pipeline, and all that was told before is there.
lands_now() {
	before=$(pushes shop) && expect_accept push && said "created: chain dev on main $(short main): " &&
		same $((before + 1)) "$(pushes shop)" && recorded shop event=push.accepted &&
		audit_valid shop
}

# In the place of PATH, which may not be there, a folder, a symbolic link to what was there, a pipe: the
# push is rejected with CODE, and says TEXT.
replaced() {
	next || return 1
	rm -f "$T/kept" && { [ ! -e "$1" ] || mv "$1" "$T/kept"; } || return 1
	for kind in 'mkdir' "ln -s $T/kept" 'mkfifo'; do
		echo "$kind $1"
		$kind "$1" && expect_reject "$2" push && said "$3" && rm -rf "$1" || return 1
	done
	{ [ ! -e "$T/kept" ] || mv "$T/kept" "$1"; } && lands_now
}

test_expect 'MG903: the log, its head and its lock, replaced' '
	replaced "$state/audit/audit.jsonl" MG903 "$state/audit/audit.jsonl" &&
	replaced "$state/audit/head" MG903 "$state/audit/head" &&
	replaced "$state/audit/lock" MG903 "$state/audit/lock"
'
test_expect 'MG905: the store, and what SQLite keeps beside it, replaced' '
	replaced "$state/store.db" MG905 "$state/store.db" &&
	replaced "$state/store.db-wal" MG905 "$state/store.db" &&
	replaced "$state/store.db-shm" MG905 "$state/store.db"
'
test_done
