#!/bin/sh
# Full disks, each alone and all at once, under one service that is never started again: pushes are
# rejected, stages wait or fail in plain words, nothing is corrupt, and all goes on when there is room.
#
# Mounting takes root, or a user namespace in which we are.
if [ "$(id -u)" -ne 0 ] && unshare -rm mount -t tmpfs none /mnt 2>/dev/null; then
	exec unshare -rm "$0"
fi
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

disks='audit logs work artifacts repositories'

unmount_all() {
	full_status=$?
	trap '' INT TERM HUP
	for full_pid in $TEST_PIDS; do
		kill "$full_pid" 2>/dev/null && wait "$full_pid" 2>/dev/null
	done
	cd /
	for disk in $disks .; do
		umount -l "$(state shop)/$disk" 2>/dev/null
	done
	(exit "$full_status")
	test_clean
}

# The state folder is a disk of its own, and so is each of these folders in it.
mount_all() {
	mount -t tmpfs -o size=8m,mode=0700 none "$(state shop)" 2>/dev/null || return 1
	for disk in $disks; do
		mkdir -m 700 "$(state shop)/$disk" &&
			mount -t tmpfs -o size=2m,nr_inodes=500,mode=0700 none "$(state shop)/$disk" || return 1
	done
}

# Disks of the state folder, "." is the one that the store lies on.
full() {
	for disk; do
		cat /dev/zero >"$(state shop)/$disk/fill" 2>/dev/null
		same 0 "$(df --output=avail "$(state shop)/$disk" | tail -n 1 | tr -d ' ')" || return 1
	done
}

# A disk with room for bytes, but for no other file.
full_of_files() {
	number=0
	while touch "$(state shop)/$1/fill.$number" 2>/dev/null; do
		number=$((number + 1))
	done
}

room() {
	for disk; do
		rm -f "$(state shop)/$disk"/fill*
	done
}

# Nothing that is read back later has suffered.
is_whole() {
	audit_valid shop &&
		same ok "$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])' \
			"$(state shop)/store.db")" &&
		mg shop status --json >"$T/status.json"
}

# Push notes until one is rejected: what is full may still have room in its last block.  Sets ACCEPTED.
push_until_rejected() {
	ACCEPTED=0
	git -C "$T/notes" reset -q --hard origin/notes && cd "$T/notes" || return 1
	while [ "$ACCEPTED" -lt 200 ]; do
		commit note.txt || return 1
		if ! git push -q origin notes >"$T/out" 2>"$T/err"; then
			said "modelgate: rejected $1" && said "$2" && git reset -q --hard origin/notes &&
				same "$(git rev-parse HEAD)" "$(tip shop notes)"
			return
		fi
		ACCEPTED=$((ACCEPTED + 1))
	done
	echo "200 pushes were accepted"
	return 1
}

push_note() {
	cd "$T/notes" && commit note.txt && expect_accept git push -q origin notes
}

# Every commit of notes that landed has been told; those that post-receive could not tell, later.
all_notes_are_told() {
	for note in $(git -C "$T/shop.git" rev-list notes --not dev); do
		audit_has shop event=ref.updated "refs.*.new=$note" || return 1
	done
}

next_main() {
	cd "$T/work" && git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

service_said() {
	grep -qF -e "$1" "$T/said"
}

message_has() {
	pipeline shop "$1" stages.*.message | grep -F "$2"
}

# A stage of pipeline $1 waits for another try, because there is no room.
waits_for_room() {
	pipeline shop "$1" 'stages.*.status' | grep -qx pending && message_has "$1" "No space left on device"
}

new_server shop
if ! mount_all; then
	test_skip 'full disks' 'nothing can be mounted here, not even in a user namespace'
	test_done
fi
trap unmount_all EXIT
server_set shop runner retries 20
server_set shop 'branch "notes"' merge-from dev
server_set shop 'branch "notes"' direct-push allow
new_project shop work || test_bail 'no project'
git -C work push -q origin dev:notes 2>/dev/null && git clone -q -b notes shop.git notes ||
	test_bail 'no branch notes'
background modelgate --repo "$T/shop.git" run >>"$T/said" 2>&1
service=$!

# --- pushes ---

test_expect 'with room, pushes are accepted and a chain runs' '
	push_note && next_main one && wait_for 20 pipeline_is shop 1 success && is_whole
'

test_expect 'no room for the audit log: MG903, and the log stays whole' '
	full audit && push_until_rejected MG903 "No space left on device" && is_whole &&
	room audit && push_note && is_whole && wait_for 20 all_notes_are_told
'

test_expect 'no room for the store: MG905, and the store stays whole' '
	full . && push_until_rejected MG905 "full" && is_whole &&
	room . && push_note && is_whole && wait_for 20 all_notes_are_told
'

test_expect 'no room at all: rejected too' '
	full . $disks && push_until_rejected MG90 "" && is_whole &&
	room . $disks && push_note && is_whole && wait_for 20 all_notes_are_told
'

# --- stages ---

reloads() {
	[ "$(grep -c "nothing to reload" "$T/said")" -ge "$1" ]
}

# A signal has the service look at once: more often in vain than a runner that is to end would bear.
fails_often() {
	: >"$T/said"
	for try in $(seq 25); do
		kill -HUP "$service" && wait_for 10 reloads "$try" || return 1
	done
}

held() {
	rm -f "$T/go" && podman_does shop "until [ -e $T/go ]; do sleep 0.1; done" && next_main "$2" &&
		{ wait_for 20 stage_is shop "$1" build running || { cat "$T/said" && false; }; }
}

test_expect 'a stage whose end cannot be told is not run again, and told once' '
	held 2 two && full audit logs && push_until_rejected MG903 "" && : >"$T/go" &&
	wait_for 20 service_said "tried again" && fails_often && ! pipeline_is shop 2 success &&
	is_whole && room audit logs && wait_for 30 pipeline_is shop 2 success && wait_for 5 service_said "going on" &&
	same "1 1 1 1" "$(pipeline shop 2 "stages.*.attempt" | xargs)" && is_whole &&
	same 1 "$(audit_count shop event=stage.finished pipeline=2 stage=build)" &&
	same 1 "$(audit_count shop event=stage.started pipeline=2 stage=create-model)"
'

# What it found out has no room either: it is run again, as after a kill.  Not each try to record that is
# told.
test_expect 'a stage whose end has no room in the store: all goes on when there is some' '
	: >"$T/said" && held 3 three && full . && push_until_rejected MG905 "" && : >"$T/go" &&
	wait_for 20 service_said "tried again" && fails_often &&
	stage_is shop 3 build running && is_whole && room . && wait_for 30 pipeline_is shop 3 success && is_whole &&
	attempts=$(pipeline shop 3 stages.0.attempt) &&
	same "$attempts" "$(audit_count shop event=stage.started pipeline=3 stage=build)" &&
	same "$attempts" "$(audit_count shop event=stage.finished pipeline=3 stage=build)"
'

test_expect 'no room to work in: tried again until there is' '
	server_set shop build engine archive && full work && next_main four &&
	wait_for 20 waits_for_room 4 && is_whole && room work &&
	wait_for 40 pipeline_is shop 4 success && is_whole
'

test_expect 'no room for what a stage makes: the same' '
	full artifacts && next_main five && wait_for 20 waits_for_room 5 && is_whole &&
	room artifacts && wait_for 40 pipeline_is shop 5 success && is_whole
'

test_expect 'no room in the repository that is deployed to: the same, with one commit' '
	full repositories && next_main six && wait_for 20 waits_for_room 6 &&
	stages_are shop 6 success success pending created && is_whole &&
	room repositories && wait_for 40 pipeline_is shop 6 success && is_whole &&
	git -C "$(state shop)/repositories/airflow-dev.git" fsck --strict &&
	same 1 "$(git -C "$(state shop)/repositories/airflow-dev.git" log --format=%B main |
		grep -c -F "$(tip shop main)")"
'

test_expect 'no room for logs: they are cut, and the stages run' '
	full logs && next_main seven && wait_for 20 pipeline_is shop 7 success && is_whole && room logs
'

test_expect 'no room for another log: tried again until there is' '
	full_of_files logs && next_main extra && wait_for 20 waits_for_room 8 && is_whole &&
	room logs && wait_for 40 pipeline_is shop 8 success
'

test_expect 'as often as retries says; then it has failed, in plain words, and a retry goes on' '
	server_set shop runner retries 1 && full work && next_main eight &&
	wait_for 20 pipeline_is shop 9 failed && stages_are shop 9 failed created created created &&
	same 2 "$(pipeline shop 9 stages.0.attempt)" && message_has 9 "No space left on device" &&
	room work && mg shop retry 9 build && wait_for 20 pipeline_is shop 9 success && is_whole
'

test_expect 'it was one service all the time, and it still stops well' '
	kill -TERM "$service" && { wait "$service"; same 0 "$?"; } && is_whole &&
	same "" "$(ls "$(state shop)/work")"
'

# Not a full disk: in its last block there may be room for just this record.
test_expect 'one that is stopped while nothing can be recorded ends too, and the next one goes on' '
	background modelgate --repo "$T/shop.git" run >"$T/said" 2>&1 && service=$! &&
	held 10 last && mount -o remount,ro "$(state shop)/audit" && push_until_rejected MG903 "Read-only file system" &&
	kill -TERM "$service" && { wait "$service"; same 3 "$?"; } && service_said "Read-only file system" &&
	stage_is shop 10 build running && mount -o remount,rw "$(state shop)/audit" && : >"$T/go" && drain shop &&
	pipeline_is shop 10 success && is_whole && same "" "$(ls "$(state shop)/work")" &&
	same 0 "$(audit_count shop event=stage.finished pipeline=10 status=failed)"
'

# Both sides have changed one file: git has to merge, in a folder of the state.
test_expect 'no room to merge in: MG905, which is no fault of the repository' '
	cd work && git switch -q dev && seq 50 >f && git add f && git commit -q -m f && git push -q origin dev &&
	git branch side && sed -i s/^40$/x/ f && git commit -q -a -m x && git push -q origin dev &&
	git switch -q main && merge_in dev && git push -q origin main &&
	git switch -q side && sed -i s/^10$/y/ f && git commit -q -a -m y && git push -q -f origin side:dev &&
	git switch -q main && merge_in side && full work && expect_reject MG905 git push origin main &&
	said "No space left on device" && said "to fix: push again in a minute" &&
	room work && expect_accept git push origin main && is_whole
'

test_done
