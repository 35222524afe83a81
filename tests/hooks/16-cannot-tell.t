#!/bin/sh
# What cannot be told is rejected: a configuration, an audit log or a store that is not as it must be.
# Each time it is put right again, the same push lands.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'
ini=$(server_file shop)
cp "$ini" good.ini
own_system_file shop
printf '[modelgate]\nstate = %s\n' "$T/system.state" >system.ini
log=$(audit shop)
store=$(state shop)/store.db

next() {
	cd "$T/work" && at dev && commit work.txt && at main && merge_in dev
}

# Both pushes are rejected with CODE, which says TEXT: one of a branch with rules, one of another.
both_rejected() {
	expect_reject "$1" git push origin dev main && said "modelgate: rejected $1: " &&
	said "$2" &&
		said "modelgate:   to fix: " && said "modelgate:   nothing was changed" &&
		said_not "created" &&
		expect_reject "$1" git push origin dev && said "$2"
}

both_land() {
	expect_accept git push origin dev main && said "created: chain dev on main $(short main): "
}

# --- MG901: the configuration ---

# modelgate.ini with the lines $1 at its end is refused with the text $2, which follows the file's name.
broken() {
	next && { cat "$T/good.ini" && printf "$1\n"; } >"$ini" && both_rejected MG901 "$ini:$2" &&
		cp "$T/good.ini" "$ini" && both_land
}

lines=$(wc -l <good.ini)
test_expect 'MG901: an unknown key, with file and line' 'broken "[runner]\ncolour = red" "$((lines + 2)): "'
test_expect 'MG901: an unknown section' 'broken "[colours]\nred = 1" "$((lines + 1)): "'
test_expect 'MG901: a bad value' 'broken "[modelgate]\nmode = mild" "$((lines + 2)): "'
test_expect 'MG901: a key given twice' 'broken "[project]\ndescription = a\ndescription = b" "$((lines + 3)): "'
test_expect 'MG901: a line that is too long' 'broken "[project]\ndescription = $(printf "%0200d" 0)" "$((lines + 2)): "'
test_expect 'MG901: a continuation line' 'broken "[project]\ndescription = a\n  and more" "$((lines + 3)): "'

test_expect 'MG901 is told with what would be right, and recorded where the system file says' '
	next && mkdir -m 700 "$T/system.state" && printf "[runner]\ncolour = red\n" >>"$ini" &&
	before=$(wc -l <"$log") && expect_reject MG901 git push origin main dev && told <<-EOT &&
		modelgate: rejected MG901: $ini:$((lines + 2)): [runner] colour: no such key; it has wake, parallel, stage-timeout, retries
		modelgate:   to fix: an admin mends it, and sees whether it is right with: modelgate --repo $T/shop.git check
		modelgate:   nothing was changed; audit id ID
	EOT
	same 1 "$(json_count event=push.rejected refs.0.code=MG901 "repository.path=$T/shop.git" \
		"push_id=$(gate_lines | sed -n "s/.*audit id //p")" <"$T/system.state/audit/audit.jsonl")" &&
	same "$before" "$(wc -l <"$log")" && rm -r "$T/system.state" &&
	expect_reject MG901 git push origin main dev && said_not "audit id" &&
	{ mg shop status >"$T/out" 2>"$T/err" || same 3 $?; } && said "$ini:$((lines + 2)): " &&
	[ ! -s "$T/out" ] && cp "$T/good.ini" "$ini" && both_land
'

test_expect 'MG901: a file or a folder that group or others can write' '
	next && chmod 664 "$ini" &&
	both_rejected MG901 "$ini: the file can be written by group or others (mode 0664): chmod go-w" &&
	chmod 646 "$ini" && both_rejected MG901 "(mode 0646)" && chmod 644 "$ini" &&
	chmod 775 "$T/shop.git" &&
	both_rejected MG901 "the folder can be written by group or others" &&
	chmod 755 "$T/shop.git" && both_land
'

test_expect 'MG901: a symbolic link, a folder, a pipe in the place of the file' '
	next && mv "$ini" "$T/elsewhere.ini" && ln -s "$T/elsewhere.ini" "$ini" &&
	both_rejected MG901 "a symbolic link; put the file itself here" &&
	rm "$ini" && mkdir "$ini" && both_rejected MG901 "not a regular file" &&
	rmdir "$ini" && mkfifo "$ini" && both_rejected MG901 "not a regular file" &&
	rm "$ini" && mv "$T/elsewhere.ini" "$ini" && both_land
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'MG901: a file of somebody else' '
		next && chown 1234 "$ini" && both_rejected MG901 "belongs to user 1234" &&
		chown 0 "$ini" && both_land
	'
else
	test_skip 'MG901: a file of somebody else' 'not root'
fi

test_expect 'custom_hooks/modelgate.ini is read as well as modelgate.ini' '
	next && mkdir -p "$T/shop.git/custom_hooks" &&
	echo "[colours]" >"$T/shop.git/custom_hooks/modelgate.ini" &&
	expect_reject MG901 git push origin dev main && rm -r "$T/shop.git/custom_hooks" &&
	both_land
'

# --- MG903: the audit log ---

test_expect 'MG903: a folder in the place of the log' '
	next && mv "$log" "$T/log" && mkdir "$log" && both_rejected MG903 "$log" &&
	rmdir "$log" && mv "$T/log" "$log" && both_land && audit_valid shop
'

test_expect 'MG903: a file in the place of the folder of the log, or of the state folder' '
	next && mv "$(state shop)/audit" "$T/audit" && : >"$(state shop)/audit" &&
	both_rejected MG903 "$(state shop)/audit" &&
	rm "$(state shop)/audit" && mv "$T/audit" "$(state shop)/audit" && both_land &&
	next && mv "$(state shop)" "$T/kept" && : >"$(state shop)" &&
	expect_reject MG903 git push origin dev && expect_reject MG905 git push origin dev main &&
	rm "$(state shop)" && mv "$T/kept" "$(state shop)" && both_land && audit_valid shop
'

test_expect 'a rejected push is told all the same, and that it could not be recorded' '
	cd work && at main && commit direct.txt && mv "$log" "$T/log" && mkdir "$log" &&
	expect_reject MG102,MG903 git push origin main && rmdir "$log" && mv "$T/log" "$log" &&
	expect_reject MG102 git push origin main && said_not MG903 &&
	recorded shop refs.0.code=MG102
'

# --- MG905: the store ---

in_store() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.executescript(sys.argv[2])' "$store" "$1"
}

test_expect 'MG905: garbage in the place of the store; a branch without rules lands' '
	next && cp "$store" "$T/store" && rm -f "$store-wal" "$store-shm" &&
	echo "no database, only some text" >"$store" &&
	before=$(pushes shop) && expect_reject MG905 git push origin dev main &&
	said "modelgate: rejected MG905: " &&
	said "to fix: push again in a minute; if it stays, an admin sees what is wrong with: modelgate --repo $T/shop.git check" &&
	same $((before + 1)) "$(pushes shop)" &&
	recorded shop event=push.rejected refs.1.ref=refs/heads/main refs.1.code=MG905 &&
	expect_accept git push origin dev && cp "$T/store" "$store" &&
	expect_accept git push origin main &&
	said "created: chain dev on main"
'

test_expect 'MG905: a folder in its place; a direct commit is rejected as ever' '
	next && mv "$store" "$T/store" && mkdir "$store" &&
	expect_reject MG905 git push origin dev main &&
	at main && commit direct.txt && expect_reject MG102 git push origin main &&
	said_not MG905 &&
	rmdir "$store" && mv "$T/store" "$store"
'

test_expect 'MG905: a store that a later version has made' '
	next && in_store "UPDATE schema SET version = version + 100; UPDATE schema_needs SET needs = needs + 100" &&
	expect_reject MG905 git push origin dev main &&
	said "written by a newer modelgate" &&
	in_store "UPDATE schema SET version = version - 100; UPDATE schema_needs SET needs = needs - 100" && both_land
'

test_expect 'a later version that says it has only added: this one goes on, as while both are installed' '
	next && in_store "UPDATE schema SET version = version + 100" && both_land &&
	in_store "UPDATE schema SET version = version - 100"
'

test_expect 'without a state folder: MG903 and MG905, and none is made' '
	mv "$(state shop)" "$T/old" && next && expect_reject MG905 git push origin dev main &&
	expect_reject MG903 git push origin dev && [ ! -e "$(state shop)" ] &&
	mv "$T/old" "$(state shop)" && both_land &&
	audit_valid shop
'

test_done
