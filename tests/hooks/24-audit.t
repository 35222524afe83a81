#!/bin/sh
# The audit log through the command: what was done to it is found and the line named; what it says is
# shown.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

log=$T/shop.state/audit/audit.jsonl
head=$T/shop.state/audit/head

# After SCRIPT (for sed, on the log) verify names this line; then all is put back.
finds() {
	finds_line=$1
	shift
	"$@" || return 1
	if cmp -s "$log" "$T/log"; then
		echo "nothing was changed: $*"
		return 1
	fi
	mg shop audit verify >"$T/out" 2>"$T/err"
	finds_status=$?
	mg shop audit verify --json >"$T/verdict"
	cp "$T/log" "$log"
	cat "$T/out" "$T/err" "$T/verdict"
	same 1 "$finds_status" && grep -F "NOT valid: line $finds_line:" "$T/out" &&
		same invalid "$(json verdict <"$T/verdict")" &&
		same "$finds_line" "$(json line <"$T/verdict")"
}

edit() {
	sed -i "$1" "$log"
}

# Events of what is shown with these options, in order.
shown() {
	mg shop audit show --json "$@" | json_events
}

json_events() {
	sed 's/.*"event":"\([^"]*\)".*/\1/' | tr '\n' ' ' | sed 's/ $//'
}

new_server shop

test_expect 'a log in which nothing is yet is valid, and said to be empty' '
	same "modelgate: nothing has been recorded yet in $T/shop.state" "$(audit_valid shop)" &&
	same valid "$(mg shop audit verify --json | json verdict)" &&
	same 0 "$(mg shop audit verify --json | json records)" &&
	same "" "$(ls "$T/shop.state")" && mg shop status && same "modelgate: nothing has been recorded yet in $T/shop.state" "$(audit_valid shop)"
'

new_project shop work || test_bail 'no project'

test_expect 'pushes and a chain fill it, and it is valid' '
	cd work && commit a.txt && expect_accept git push origin dev &&
	expect_accept merge_push dev main &&
	commit b.txt && expect_reject MG102 git push origin main &&
	drain shop && audit_valid shop >"$T/verdict" && cat "$T/verdict" &&
	lines=$(wc -l <"$log") && [ "$lines" -gt 12 ] &&
	grep -F "audit log is valid: $lines records" "$T/verdict" &&
	cp "$log" "$T/log" && cp "$head" "$T/head" &&
	same "$lines" "$(mg shop audit verify --json | json records)" &&
	same valid "$(mg shop audit verify --json | json verdict)"
'

test_expect 'every record has what all have' '
	same "$lines" "$(audit_count shop "seq=*" "prev=*" "time=20*Z" "event=*.*" "repository.path=$T/shop.git" \
		repository.project=shop "actor.name=$(id -un)" "build=*")" &&
	seq "$lines" >numbers && json_count "seq=*" <"$log" &&
	sed "s/^{\"seq\":\([0-9]*\),.*/\1/" "$log" | diff numbers -
'

test_expect 'each holds the hash of the one before' '
	prev=$(printf "%064d" 0) &&
	while read -r line; do
		same "$prev" "$(echo "$line" | json prev)" || return 1
		prev=$(printf "%s" "$line" | sha256sum | cut -c 1-64)
	done <"$log" &&
	mg shop audit verify | grep -F "head $prev"
'

test_expect 'a changed line is named: the first, one between, the last' '
	finds 1 edit "1s/ref.updated/ref.updaten/;1s/push.accepted/push.acceptes/" &&
	finds 5 edit "5s/\"actor\":{\"id\":\"uid/\"actor\":{\"id\":\"uis/" &&
	finds "$lines" edit "\$s/success/succesS/"
'

test_expect 'a changed time is as much a change as a changed name' '
	finds 4 edit "4s/\"time\":\"20/\"time\":\"19/"
'

test_expect 'a lost line is named by the place where it stood' '
	finds 1 edit 1d && finds 6 edit 6d && finds $((lines - 1)) edit "$((lines - 1))d"
'

test_expect 'so is an inserted one, be it a copy or made up' '
	finds 6 edit "5{p}" && finds 1 edit "1{h;s/.*/{}/p;g}" &&
	finds 7 edit "6a {\"seq\":7,\"prev\":\"$(sed -n 6p "$T/log" | tr -d "\n" | sha256sum |
		cut -c 1-64)\",\"time\":\"2026-11-23T00:00:00.000000Z\",\"event\":\"push.accepted\"}"
'

test_expect 'two that have changed places' '
	finds 4 edit "4{h;d};5{G}"
'

test_expect 'a cut: of the last line, of many, within a line, of all' '
	finds "$lines" edit "\$d" && finds 6 edit "6,\$d" &&
	finds "$lines" truncate -s -20 "$log" && finds 1 truncate -s 0 "$log"
'

test_expect 'a line put on behind the end' '
	finds $((lines + 1)) edit "\$a {\"seq\":$((lines + 1)),\"prev\":\"$(tail -n 1 "$T/log" |
		tr -d "\n" | sha256sum | cut -c 1-64)\",\"time\":\"2026-11-23T00:00:00.000000Z\",\"event\":\"push.accepted\"}"
'

test_expect 'a head that is gone or damaged' '
	rm "$head" && is_no "" mg shop audit verify && grep "NOT valid: its head" "$T/out" &&
	echo nonsense >"$head" && is_no "" mg shop audit verify &&
	grep "NOT valid: its head" "$T/out" && cp "$T/head" "$head" && audit_valid shop
'

test_expect 'log and head both gone: the store knows of the pushes that were in it' '
	mv "$T/shop.state/audit" "$T/kept" && is_no "" mg shop audit verify &&
	grep -x "modelgate: audit log is NOT valid: the log is missing, but the store knows of [1-9] pushes" \
		"$T/out" &&
	is_no "" mg shop audit verify --json && same invalid "$(json verdict <"$T/out")" &&
	same 0 "$(json records <"$T/out")" && json fault <"$T/out" | grep "the store knows of" &&
	mkdir "$T/shop.state/audit" && is_no "" mg shop audit verify && grep "is missing" "$T/out" &&
	rm -r "$T/shop.state/audit" && mv "$T/kept" "$T/shop.state/audit" && audit_valid shop
'

test_expect 'a log that cannot be looked at is neither valid nor empty' '
	mv "$T/shop.state/audit" "$T/kept" && : >"$T/shop.state/audit" &&
	is_unknown "$T/shop.state/audit" mg shop audit verify &&
	is_unknown "$T/shop.state/audit" mg shop audit show && rm "$T/shop.state/audit" &&
	ln -s "$T/shop.state/none" "$T/shop.state/audit" &&
	is_unknown "$T/shop.state/audit" mg shop audit verify &&
	is_unknown "$T/shop.state/audit" mg shop audit show && rm "$T/shop.state/audit" &&
	cp "$(server_file shop)" "$T/good.ini" && : >"$T/file" &&
	server_set shop modelgate state "$T/file" && is_unknown "$T/file" mg shop audit verify &&
	is_unknown "$T/file" mg shop audit show && cp "$T/good.ini" "$(server_file shop)" &&
	mv "$T/kept" "$T/shop.state/audit" && audit_valid shop
'

# Another user, who may read the configuration and nothing below the state directory.
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/ GIT_CONFIG_GLOBAL=/dev/null "$@"
}

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	test_expect 'nor one that another user may not look at; every verb says whose it is' '
		chmod 711 "$T" && cp "$ROOT/bin/modelgate" "$T/command" &&
		echo "[modelgate]" >"$T/system.ini" && echo "state = $T/shop.state" >>"$T/system.ini" &&
		for call in "audit verify" "audit show" status models "run --drain" "play 1 build" \
			"retry 1 build" "cancel 1" "logs 1 build"; do
			is_unknown "$T/shop.state belongs to root: call this with sudo; you are still recorded as nobody" \
				as_nobody "$T/command" --config "$T/system.ini" $call || return 1
		done &&
		as_nobody "$T/command" status --help && chmod 700 "$T"
	'
else
	test_skip 'what another user is told' 'only root can become another user'
fi

test_expect 'what was done is still found after the next push' '
	edit "6s/refs.heads/refs\/Heads/" && cd work && git switch -q dev && git reset -q --hard origin/dev &&
	commit c.txt && expect_accept git push origin dev && expect_accept merge_push dev main &&
	is_no "" mg shop audit verify && grep "NOT valid: line 6:" "$T/out" &&
	cp "$log" "$T/longer" && { cat "$T/log" && tail -n "+$((lines + 1))" "$T/longer"; } >"$log" &&
	audit_valid shop
'

# --- show ---

test_expect 'show prints a line a reference or event, oldest first' '
	mg shop audit show >out && cat out &&
	grep "push.rejected $(id -un) refs/heads/main .* MG102 .*: commit .* was made on main itself" out &&
	grep "pipeline.created .* pipeline 1 " out && grep "stage.finished .* pipeline 1 build success" out &&
	cut -c 1-19 out | sort -c &&
	mg shop audit show --json >all && diff all "$log"
'

test_expect 'by event' '
	same push.rejected "$(shown --event push.rejected)" &&
	same "stage.started stage.finished" "$(shown --event "stage.*" | cut -d " " -f 1,2)" &&
	same "" "$(shown --event "nothing.*")" &&
	is_usage "\"nothing.such\" is no event; these are: push.accepted, push.rejected, " \
		mg shop audit show --event nothing.such
'

test_expect 'by reference, full or short, or a glob' '
	same push.rejected "$(shown --event push.rejected --ref main)" &&
	same push.rejected "$(shown --event push.rejected --ref refs/heads/main)" &&
	same push.rejected "$(shown --event push.rejected --ref "ma*")" &&
	same "" "$(shown --event push.rejected --ref dev)"
'

test_expect 'by user, by name or id' '
	same "$(wc -l <"$log")" "$(mg shop audit show --json --user "$(id -un)" | wc -l)" &&
	same "$(wc -l <"$log")" "$(mg shop audit show --json --user "uid-$(id -u)" | wc -l)" &&
	same "" "$(shown --user somebody-else)"
'

test_expect 'by time' '
	at=$(mg shop audit show --json --event push.rejected | json time) &&
	before=$(mg shop audit show --json --until "$at" | wc -l) &&
	after=$(mg shop audit show --json --since "$at" | wc -l) &&
	same "$(wc -l <"$log")" $((before + after)) && [ "$before" -gt 0 ] &&
	same push.rejected "$(shown --since "$at" | cut -d " " -f 1)" &&
	same "" "$(shown --until 2020-01-01)" && same "" "$(shown --since 2999-01-01)" &&
	same "$(wc -l <"$log")" "$(mg shop audit show --json --since 2020-01-01 | wc -l)"
'

test_expect 'what it cannot take it says' '
	is_usage "is no time" mg shop audit show --since yesterday &&
	is_usage "none of verify, show" mg shop audit mend &&
	is_usage "there is no option --user" mg shop audit verify --user root &&
	is_usage "is none of jsonl, csv, cef" mg shop audit export --format xml &&
	is_usage "modelgate audit --help" mg shop audit
'

test_expect 'what a pusher has written reaches no terminal as it is' '
	cd work && git switch -q dev &&
	commit d.txt && git switch -q main && git reset -q --hard origin/main && : >e.txt && git add e.txt &&
	git commit -q -m "$(printf "red \033[31m and \007 bell")" &&
	expect_reject MG102 git push origin main &&
	mg shop audit show >"$T/shown" && grep "bell" "$T/shown" &&
	{ ! LC_ALL=C grep -q "$(printf "[\033\007]")" "$T/shown" || return 1; } &&
	{ ! LC_ALL=C grep -q "$(printf "[\033\007]")" "$T/err" || return 1; } &&
	audit_valid shop
'

test_done
