#!/bin/sh
# The command as a program: exit statuses, --help, --json, filters, logs that are followed.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

verbs='status play retry cancel logs models new run explain check audit'

new_server shop
new_project shop work || test_bail 'no project'

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

# The ids that status gives with these options, in order.
ids() {
	mg shop status --json "$@" | json "pipelines.*.id" | tr '\n' ' ' | sed 's/ $//'
}

test_expect 'three pipelines: one is done, one has failed, one waits' '
	cd work && next_main one && drain shop && next_main two && rm "$MODEL_OBJECT" && drain shop &&
	git reset -q --hard && expect_accept merge_push main prod && drain shop &&
	pipeline_is shop 1 success && pipeline_is shop 2 failed && pipeline_is shop 3 manual
'

# --- help ---

test_expect 'every verb has --help, which asks for no configuration' '
	for verb in $verbs; do
		modelgate --config /dev/null "$verb" --help >help 2>err &&
			head -n 1 help | grep "^usage: modelgate .*$verb" && same "" "$(cat err)" &&
			modelgate "$verb" -h | diff help - || return 1
	done &&
	for word in --help -h; do
		modelgate --config /dev/null status --project "$word" >help && grep "^usage: modelgate .*status" help || return 1
	done
'

test_expect 'modelgate --help lists them all, and --version tells the version' '
	modelgate --help >help &&
	for verb in $verbs; do
		grep "^  $verb  *[A-Z]" help || return 1
	done &&
	modelgate --version | grep "^modelgate [0-9a-z]" && modelgate help | diff help -
'

test_expect 'no option is told in a line wider than a terminal' '
	for verb in $verbs; do
		modelgate "$verb" --help | awk "NR > 1 && length > 100 { print; found = 1 } END { exit found }" || return 1
	done
'

# --- exit statuses ---

test_expect '2: what nobody could carry out' '
	is_usage "a verb is missing" modelgate && is_usage "no verb nonsense" modelgate nonsense &&
	is_usage "no option --nonsense" modelgate --nonsense status &&
	is_usage "needs a path" modelgate --repo &&
	for verb in $verbs; do
		is_usage "modelgate $verb --help" mg shop "$verb" --nonsense || return 1
	done &&
	is_usage "play: ID is missing: modelgate play ID STAGE" mg shop play &&
	is_usage "play: STAGE is missing: modelgate play ID STAGE" mg shop play 1 &&
	is_usage "retry: STAGE is missing: modelgate retry ID STAGE" mg shop retry 1 &&
	is_usage "cancel: ID is missing: modelgate cancel ID" mg shop cancel &&
	is_usage "logs: STAGE is missing: modelgate logs ID STAGE" mg shop logs 1 --follow &&
	is_usage "new: DIR is missing: modelgate new DIR --project NAME" mg shop new --project x &&
	is_usage "audit: what is to be done is missing" mg shop audit &&
	is_usage "\"three\" is one too many" mg shop play 1 two three &&
	is_usage "\"2\" is one too many" mg shop status 1 2 && is_usage "one too many" mg shop cancel 1 2 &&
	is_usage "one too many" mg shop models a b
'

test_expect '2: a slip is told from nonsense' '
	is_usage "there is no verb stauts; did you mean status?" modelgate stauts &&
	is_usage "did you mean play?" modelgate pley && is_usage "did you mean models?" modelgate model &&
	is_usage "did you mean logs?" modelgate log && is_usage "" modelgate x && said_not "did you mean" &&
	is_usage "" modelgate nonsense-of-many-letters && said_not "did you mean" &&
	is_usage "the option --repo stands before the verb" modelgate status --repo "$T/shop.git" &&
	is_usage "the option --repo stands before the verb" modelgate play 1 build "--repo=$T/shop.git" &&
	is_usage "the option --config stands before the verb" modelgate status --config x
'

test_expect 'what only the runner calls is not offered to people' '
	modelgate run --help >help && { ! grep -e --stage help || return 1; }
'

test_expect '2: what is no number, status or page' '
	for id in x 0 -- -1 1x "" 99999999999999999999; do
		is_usage "" mg shop status "$id" x && is_usage "" mg shop play "$id" build &&
			is_usage "" mg shop cancel "$id" x || return 1
	done &&
	is_usage "\"x\" is no pipeline number" mg shop status x &&
	is_usage "\"0\" is no pipeline number" mg shop retry 0 build &&
	is_usage "\"-5\" is no pipeline number" mg shop logs -- -5 build &&
	is_usage "\"0\" is no limit" mg shop status --limit 0 &&
	is_usage "\"done\" is no status; these are: created, pending, running" mg shop status --status done &&
	is_usage "--limit needs a value" mg shop status --limit &&
	is_usage "takes no value" mg shop status --json=yes &&
	is_usage "no page" mg shop models --page none && is_usage "at most" mg shop models --limit 100000
'

test_expect '1: what is not there' '
	is_no "there is no pipeline 99" mg shop status 99 && is_no "there is no pipeline 99" mg shop play 99 build &&
	is_no "there is no pipeline 99" mg shop retry 99 build && is_no "there is no pipeline 99" mg shop cancel 99 &&
	is_no "there is no pipeline 99" mg shop logs 99 build &&
	is_no "pipeline 1 (chain dev) has no stage nonsense" mg shop play 1 nonsense &&
	is_no "pipeline 1 (chain dev) has no stage nonsense; it has build, create-model, deploy, stage-model" \
		mg shop logs 1 nonsense &&
	is_no "pipeline 3 (chain prod) has no stage create-model" mg shop logs 3 create-model &&
	is_no "stage deploy of pipeline 3 has not been started" mg shop logs 3 deploy &&
	is_no "there is no model nonsense" mg shop models nonsense
'

test_expect '3: a configuration that is wrong, whose line is named' '
	cp shop.git/modelgate.ini good.ini && server_set shop runner nonsense yes &&
	for call in status models run "audit verify" "audit show" "play 1 build" "retry 2 build" \
		"cancel 3" "logs 1 build"; do
		is_unknown "modelgate.ini:" mg shop $call && said nonsense || return 1
	done &&
	cp good.ini shop.git/modelgate.ini && mg shop status
'

test_expect '3: no repository, no file, no state' '
	is_unknown "$T/none" modelgate --repo "$T/none" status &&
	is_unknown "not a Git repository" modelgate --repo "$T/home" status &&
	is_unknown "$T/none.ini" modelgate --config "$T/none.ini" status &&
	server_set shop modelgate state "$T/none" && is_unknown "$T/none" mg shop status &&
	is_unknown "$T/none" mg shop models && is_unknown "$T/none" mg shop run --drain &&
	is_unknown "$T/none" mg shop play 3 build && cp good.ini shop.git/modelgate.ini
'

test_expect '3: a state directory that others can write' '
	chmod 770 shop.state &&
	for call in status models "run --drain" "play 3 build" "retry 2 build" "cancel 3" "logs 1 build" \
		"audit verify"; do
		is_unknown "(mode 0770): chmod go-w $T/shop.state" mg shop $call || return 1
	done &&
	chmod 702 shop.state && is_unknown "chmod go-w" mg shop status &&
	chmod 755 shop.state && mg shop status && chmod 700 shop.state
'

if [ "$(id -u)" -eq 0 ]; then
	nobody=$(getent passwd 65534 | cut -d : -f 1)

	test_expect '3: root becomes nobody whom only a repository names' '
		mkdir -m 700 foreign.state && chown 65534 foreign.state &&
		server_set shop modelgate state "$T/foreign.state" &&
		is_unknown "$T/foreign.state belongs to $nobody, but $T/shop.git to root" mg shop status &&
		is_unknown "belongs to $nobody" mg shop run --drain && same "" "$(ls -A foreign.state)" &&
		cp good.ini shop.git/modelgate.ini && chown 65534 shop.git &&
		is_unknown "$T/shop.state belongs to root, but $T/shop.git to $nobody" mg shop status &&
		chown 0 shop.git && mg shop status
	'
fi

test_expect '3: a store that is none' '
	cp -r shop.state broken.state && rm -f broken.state/store.db-* && echo nonsense >broken.state/store.db &&
	server_set shop modelgate state "$T/broken.state" &&
	for call in status models "run --drain" "play 3 build" "cancel 3" "logs 1 build"; do
		is_unknown "store.db" mg shop $call || return 1
	done &&
	cp good.ini shop.git/modelgate.ini && same nonsense "$(cat broken.state/store.db)"
'

test_expect '3: an audit log that cannot be written stops what would have to be in it' '
	mv shop.state/audit kept && : >shop.state/audit &&
	is_unknown audit mg shop play 3 build && is_unknown audit mg shop cancel 3 &&
	is_unknown audit mg shop retry 2 build &&
	rm shop.state/audit && mv kept shop.state/audit &&
	stages_are shop 3 manual created created && pipeline_is shop 3 manual &&
	pipeline_is shop 2 failed && audit_valid shop
'

test_expect '3: standard output that cannot be written' '
	for call in status "status 1" "status --json" models "models shop" "audit verify" "audit show" \
		"logs 1 build"; do
		mg shop $call >/dev/full 2>err
		same 3 $? && grep "standard output cannot be written" err || return 1
	done
'

test_expect '0: all else, and nothing on standard error' '
	for call in status "status 1" "status --json" "status 3 --json" models "models shop" "models --json" \
		"models shop --json" "logs 1 build" "logs 2 build" "audit verify" "audit show" "run --drain" \
		"run --drain --no-wait"; do
		mg shop $call >out 2>err && same "" "$(cat err)" || return 1
	done
'

# --- lists ---

test_expect 'status lists the newest first, so many, of one project, of one status' '
	same "3 2 1" "$(ids)" && same "3 2" "$(ids --limit 2)" && same "3 2 1" "$(ids --project shop)" &&
	same "" "$(ids --project other)" && same 2 "$(ids --status failed)" && same 3 "$(ids --status=manual)" &&
	same 1 "$(ids --status success --project shop --limit 1)" && same "" "$(ids --status running)"
'

test_expect 'the table has a line a pipeline, with its stages' '
	mg shop status | sed "s/   */|/g" >table && cat table && same 4 "$(wc -l <table)" &&
	same "ID|PROJECT|CHAIN|BRANCH|COMMIT|STATUS|CREATED (UTC)|USER|STAGES" "$(head -n 1 table)" &&
	grep "^3|shop|prod|prod|$(tip shop prod | cut -c 1-7)|manual|20..-..-.. ..:..:..|$(id -un)|build:manual deploy:created stage-model:created\$" table &&
	grep "^2|shop|dev|main|.*|build:failed create-model:created deploy:created stage-model:created\$" table
'

test_expect 'one pipeline is shown with its stages, why one failed, and what it found out' '
	mg shop status 2 >two && grep -x "pipeline 2: failed" two && grep "^build  *failed  *1 .*$MODEL_MD5" two &&
	grep "^create-model  *created  *0  *-  *-" two && mg shop status 1 >one && grep "^image_digest  *sha256:" one &&
	grep "^model_version  *1\$" one && grep "^  by  *$(id -un), " one
'

test_expect 'models are searched in any case, and come in pages' '
	for name in b_model B-other churn; do
		new_server "$name" && server_set "$name" modelgate state "$T/shop.state" &&
			new_project "$name" "work-$name" && cd "$T/work-$name" && commit a.txt &&
			expect_accept git push origin dev && expect_accept merge_push dev main &&
			drain "$name" && cd "$T" || return 1
	done &&
	mg shop models --json >all && same 4 "$(json total <all)" && same 4 "$(json "models.*.name" <all | wc -l)" &&
	same "B-other b_model" "$(mg shop models --search B --json | json "models.*.name" | sort | tr "\n" " " |
		sed "s/ \$//")" &&
	same 0 "$(mg shop models --search nonsense --json | json total)" &&
	same "no models" "$(mg shop models --search nonsense)" &&
	mg shop models --limit 3 --json | json "models.*.name" >paged && same 3 "$(wc -l <paged)" &&
	mg shop models --limit 3 --page 2 --json | json "models.*.name" >>paged &&
	json "models.*.name" <all | diff paged - &&
	mg shop models --limit 3 | tail -n 1 | grep "3 of 4 models" &&
	same "no more models" "$(mg shop models --page 9)"
'

test_expect 'a wildcard in a search is a letter as any other' '
	same 0 "$(mg shop models --search % --json | json total)" &&
	same b_model "$(mg shop models --search _ --json | json "models.*.name")"
'

# --- logs ---

has_line() {
	grep -qxF "$2" "$1"
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

test_expect 'a log is followed while the stage runs, until it has ended' '
	podman_does shop "echo first; hold; echo last" && cd work && next_main three &&
	background modelgate --repo "$T/shop.git" logs 7 build --follow >"$T/followed" && follower=$! &&
	background modelgate --repo "$T/shop.git" run --drain && runner=$! &&
	wait_for 20 has_line "$T/followed" first && stage_is shop 7 build running &&
	kill -0 "$follower" &&
	mg shop logs 7 build >"$T/now" && has_line "$T/now" first &&
	{ ! has_line "$T/now" last || return 1; } &&
	let_go shop && wait "$follower" && has_line "$T/followed" last &&
	tail -n 1 "$T/followed" | grep success && mg shop logs 7 build | diff "$T/followed" - &&
	wait "$runner" && pipeline_is shop 7 success
'

test_expect 'who follows a stage that waits for a hand is told so, once, and goes on waiting' '
	background modelgate --repo "$T/shop.git" logs 3 deploy --follow >"$T/followed" 2>"$T/waiting" &&
	follower=$! &&
	wait_for 10 has_line "$T/waiting" "modelgate: waiting: stage build starts with modelgate play 3 build" &&
	kill -0 "$follower" && mg shop cancel 3 && { ! wait "$follower" || return 1; } &&
	same "" "$(cat "$T/followed")" && grep "deploy of pipeline 3 has not been started" "$T/waiting" &&
	same 1 "$(grep -c waiting: "$T/waiting")" && { ! mg shop logs 3 deploy 2>"$T/waiting" || return 1; } &&
	{ ! grep waiting: "$T/waiting" || return 1; }
'

test_expect 'the log of each attempt is kept, one after the other' '
	podman_does shop "echo attempt; exit 3" && cd work && next_main four && drain shop && mg shop retry 8 build &&
	drain shop && stages_are shop 8 failed created created created &&
	same 2 "$(mg shop logs 8 build | grep -c -x attempt)" &&
	same "1 2" "$(mg shop logs 8 build | sed -n "s/.*, attempt //p" | tr "\n" " " | sed "s/ \$//")" &&
	pipeline shop 8 stages.0.message | grep "podman build ended with status 3"
'

# What a command prints on a terminal, to the file $1.
on_terminal() {
	terminal_out=$1
	shift
	script -qec "$*" /dev/null | tr -d "\r" >"$terminal_out"
}

# Some containers have no /dev/pts, and so no terminal that could be shown anything.
if script -qec true /dev/null >/dev/null 2>&1; then
	test_expect 'a terminal gets no control characters of a log; a file gets it as it is' '
	podman_does shop "printf \"\\033[2Jred\\tand\\000nul \\303\\274\\n\"; printf \"no end\"; exit 3" &&
	mg shop retry 8 build && drain shop && mg shop logs 8 build >raw &&
	grep -c "$(printf "\033\\[2Jred")" raw && grep -a "no end" raw &&
	on_terminal shown modelgate --repo "$T/shop.git" logs 8 build && cat shown &&
	tab=$(printf "\t") && grep -F "\\x1b[2Jred${tab}and\\x00nul ü" shown && grep "no end" shown &&
	same 0 "$(tr -d "\n\t\040-\176\200-\377" <shown | wc -c)" &&
	same "$(wc -l <raw)" "$(wc -l <shown)"
'
else
	test_skip 'a terminal gets no control characters of a log' 'this machine gives no pseudo-terminal'
fi

test_expect 'a reader of a log that went away is no fault that anybody is told of' '
	podman_does shop "seq 1 200000" && mg shop retry 8 build && drain shop && pipeline_is shop 8 success &&
	same 1 "$(mg shop logs 8 build 2>err | sed -n "1p;1q" | wc -l)" &&
	same "" "$(cat err)" && mg shop logs 8 build | grep -c -x 200000 &&
	for call in status "status 8" "audit show" "models --json" --help; do
		{ mg shop $call 2>err; } | : && same "" "$(cat err)" || return 1
	done
'

test_done
