#!/bin/sh
# The state directory and what is in it, missing, replaced, held by others or without room: each push is
# rejected with the right code, in the time that is documented; nothing is lost, and the next push is fine.
# Garbage in the store, its versions, a log that is a folder and the configuration: 16-cannot-tell.t.  Full
# disks: 43-full.t.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
server_set shop 'chain "dev"' stages build
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

# Both sides have changed one file, so that git has to merge, in a folder of the state.
test_expect 'MG905: what stands in the place of the folder that merges are made in' '
	next && commit both.txt "$(seq 30)" && git switch -q dev && git merge -q --ff-only main~ && commit both.txt "$(seq 30)" &&
	git push -q origin dev && at main && merge_in dev && expect_accept push &&
	git switch -q -c side && commit both.txt "$(seq 29 && echo side)" && git switch -q dev && commit both.txt "$(echo dev && seq 2 30)" &&
	git push -q origin dev && at main && merge_in dev && expect_accept push &&
	git push -q -f origin side:dev && git branch -f dev side && git fetch -q && merge_in dev &&
	rm -rf "$state/work" && for kind in "touch" "ln -s $T/nowhere" "mkfifo"; do
		$kind "$state/work" && expect_reject MG905 push && said "merges need a folder" &&
			rm "$state/work" || return 1
	done && lands_now
'

test_expect 'MG905: a store with a page that a disk has damaged; put back, all is there' '
	next && cp "$state/store.db" "$T/store" && python3 -c "import sys
with open(sys.argv[1], \"r+b\") as store:
	store.seek(4096)
	store.write(b\"\xff\" * 4096 * 200)" "$state/store.db" &&
	expect_reject MG905 push && said "malformed" && cp "$T/store" "$state/store.db" && lands_now
'

# root reads everything: another user then, who may enter the test's folder.
test_expect 'MG901: a configuration that may not be read' '
	chmod 711 "$T" && chmod 600 "$(server_file shop)" && if [ "$(id -u)" -eq 0 ]; then
		as=$(command -v setpriv) && set -- "$as" --reuid 65534 --regid 65534 --clear-groups
	else
		chmod 000 "$(server_file shop)" && set --
	fi && { (cd shop.git && echo | GIT_DIR=. "$@" "$ROOT/libexec/modelgate/pre-receive") 2>err; same 1 $?; } && said "rejected MG901: $(server_file shop): Permission denied" && chmod 644 "$(server_file shop)" &&
	chmod 700 "$T"
'

# A mount takes root or a namespace of users; 43-full.t has the log alone on such a disk.
namespace=-m
[ "$(id -u)" -eq 0 ] || namespace=-rm
read_only() {
	unshare "$namespace" sh -c 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"' \
		sh "$state" "$@"
}
if read_only true 2>/dev/null; then
	test_expect 'the state directory is read-only: MG905, or MG903 where no rules are asked' '
		next && expect_reject MG905 read_only git push origin dev main &&
		expect_reject MG903 read_only git push origin dev && said "Read-only file system" && lands_now
	'
else
	test_skip 'the state directory is read-only' 'nothing can be mounted here'
fi

# --- held by others ---

# Another process has the store FILE all to itself until the pipe $T/go is written to.
hold_store() {
	rm -f "$T/held" "$T/go" && mkfifo "$T/go" || return 1
	background python3 -c 'import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("PRAGMA locking_mode = EXCLUSIVE")
store.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").close()
open(sys.argv[3]).read()' "$1" "$T/held" "$T/go"
	wait_for 10 test -e "$T/held"
}

uptime_now() {
	cut -d . -f 1 /proc/uptime
}

new_server other
git init -q far && cd far && git remote add origin "$T/other.git" && git switch -q -c dev && commit a.txt &&
	git push -q origin dev && commit b.txt || test_bail 'no other repository'
cd "$T" || exit 1

# At once, since each waits as long as it is documented (10 seconds), and no longer than whoever holds it.
test_expect 'a store and a log that another process holds: MG905 and MG903 in time; post-receive exits 0' '
	next && mv "$T/shop.git/hooks/post-receive" "$T/kept" && expect_accept push &&
	mv "$T/kept" "$T/shop.git/hooks/post-receive" &&
	echo "$(git rev-parse main~) $(git rev-parse main) refs/heads/main" >"$T/in" &&
	landed=$(git rev-parse main) && git fetch -q && next && hold_store "$state/store.db" &&
	{ flock "$(state other)/audit/lock" sh -c ": >$T/locked && cat $T/go" >"$T/said" & } && locker=$! &&
	wait_for 10 test -e "$T/locked" && began=$(uptime_now) &&
	{ (cd "$T/far" && exec timeout -s KILL 60 git push origin dev) 2>"$T/other.err" & } && other=$! &&
	{ (cd "$T/shop.git" && GIT_DIR=. exec timeout -s KILL 60 "$ROOT/libexec/modelgate/post-receive" <"$T/in") \
		2>"$T/post.err" & } && post=$! &&
	expect_reject MG905 push && said "locked by others for more than 10000 ms" &&
	wait "$post" && grep "its pipeline could not be started now" "$T/post.err" &&
	{ wait "$other"; same 1 $?; } && grep "rejected MG903: .*held by another process for 10 seconds" "$T/other.err" &&
	took=$(($(uptime_now) - began)) && echo "$took seconds" && [ "$took" -ge 9 ] && [ "$took" -le 18 ] &&
	kill -0 "$locker" && echo >"$T/go" && wait "$locker" && cd "$T/far" && expect_accept git push origin dev &&
	audit_valid other
'

# Time goes by: the runner leaves a younger intent to the post-receive on its way.
grow_old() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 6000000")' "$state/store.db"
}

test_expect 'let go, what had landed gets its one pipeline, and what was rejected lands' '
	cd work && lands_now && grow_old && drain shop &&
	same 1 "$(audit_count shop event=pipeline.reconciled "refs.*.new=$landed")" && audit_valid shop
'

test_done
