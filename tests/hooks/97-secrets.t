#!/bin/sh
# What is kept in files for secrets is nowhere else: not in the store, the audit log, the logs and folders of
# stages, what is said to whoever pushes or asks, nor in what a process shows of itself.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/gitlab-api.sh"

# The secrets, one a line, as they are and as they are sent.  By no command whose arguments would show them.
secret=marker-7Wq2xK9
for one in $secret "carol:$secret" "oauth2:$secret" "ci:$secret" "reader:$secret"; do
	printf '%s' "$one" | base64 -w 0 && echo
done >words
printf '%s\ncontrol-5tR8\n' "$secret" >>words
GITLAB_TOKEN=glpat-$secret
mkdir said

# CMD, whose output is kept to be looked at.  Its status is CMD's.
say() {
	said=$((said + 1)) && "$@" >"$T/said/$said" 2>&1
}
said=0

# No secret stands in any file below these folders, each of which could be read.
without_secrets() {
	grep -rlaF -f "$T/words" "$@"
	[ $? -eq 1 ]
}

secret_file() {
	(umask 077 && printf '%s\n' "$2" >"$1")
}

# A process that shows a word, SHOWN, is seen.
shows() {
	{ sh -c "sleep 100 && : control-5tR8" & } && SHOWN=$! &&
		wait_for 10 grep "^cmdline $SHOWN .*control-5tR8" hits && kill "$SHOWN"
}

test_expect 'whoever looks at processes sees what is shown' '
	background "$TEST_LIB/watch-processes" "$T/words" "$T/hits" && shows && : >hits
'

# --- a deploy over HTTPS, and registries that refuse ---

test_expect 'a token that is right' '
	start_tls && git init -q --bare dags.git && git -C dags.git config http.receivepack true &&
	printf "carol:%s\n" "$secret" >>"$T/.run/http/users" && secret_file right "carol:$secret" &&
	deploying plain "$(tls_url dags)" && airflow_set plain token-file "$T/right" &&
	airflow_set plain ca-file "$T/.run/tls/ca.pem" && next_deploy plain && say cat out err && deploy_ends plain success
'

# Whole, with all arguments and the environment.
executed() {
	executed=$1
	shift
	strace -f -qq -s 65535 -v -e trace=execve,execveat -o "$executed" "$@"
}

# Of a program that ends at once, whoever looks at processes sees nothing.
cannot_trace=
[ "$(id -u)" -eq 0 ] || cannot_trace='not root, who alone sees what a hidden process starts'
! grep -q __asan_init "$ROOT/bin/modelgate" || cannot_trace='programs that look for leaks cannot be traced'
if [ -z "$cannot_trace" ]; then
	test_expect 'no program is started with it, however short it runs' '
		next_deploy plain && executed executions modelgate --repo plain.git run --drain &&
		same success "$(stage_status plain "$(newest plain)" deploy)" &&
		grep -F "\"--stage\"" executions >stages && same 2 "$(wc -l <stages)" && without_secrets executions &&
		executed control sh -c ": control-5tR8" && { ! without_secrets control; } &&
		executed control env X="control-5tR8" true && { ! without_secrets control; }
	'
else
	test_skip 'no program is started with it, however short it runs' "$cannot_trace"
fi

test_expect 'one that is wrong, told without being shown' '
	secret_file wrong "oauth2:$secret" && airflow_set plain token-file "$T/wrong" && next_deploy plain &&
	say cat out err && deploy_ends plain failed && log_says plain "wrong is wrong" && say cat log && { say mg plain check || :; }
'

test_expect 'MLflow, which says nothing of use; and a file that is none for secrets' '
	server_set plain "chain \"dev\"" stages "build, create-model" && server_set plain registry backend mlflow &&
	server_set plain registry url "https://127.0.0.1:$(cat .run/tls/port)/mlflow" &&
	server_set plain registry ca-file "$T/.run/tls/ca.pem" && secret_file bearer "$secret" &&
	server_set plain registry token-file "$T/bearer" && next_deploy plain && { say drain plain || :; } &&
	N=$(newest plain) && same failed "$(stage_status plain "$N" create-model)" && say mg plain logs "$N" create-model &&
	printf "%s\n%s\n" "$secret" "$secret" >bearer && say mg plain retry "$N" create-model && { say drain plain || :; } &&
	mg plain logs "$N" create-model >log && grep "token-file" log && say cat log
'

# --- a password in a URL ---

test_expect 'a password in the configuration is refused, and not repeated' '
	cp "$(server_file plain)" good.ini && airflow_set plain repository "https://carol:$secret@127.0.0.1/dags.git" &&
	cd plain.work && expect_reject MG901 git push origin main:feature && say cat "$T/err" && cd "$T" &&
	{ ! say mg plain check; } && cp good.ini "$(server_file plain)"
'

# With quotes, as DVC writes it.
dvc_config() {
	printf "[core]\n    remote = web\n['remote \"web\"']\n    url = %s\n" "$1" >.dvc/config
}

test_expect 'one in .dvc/config, which somebody has pushed' '
	server_set plain registry backend embedded && cd plain.work && git switch -q dev && git merge -q --ff-only main &&
	printf "outs:\n- md5: %s\n  size: 5\n  hash: md5\n  path: model.pkl\n" \
		"$(printf model | md5sum | cut -c 1-32)" >rkl/model.pkl.dvc &&
	dvc_config "http://reader:$secret@127.0.0.1:1/secret" && git add -A && test_tick && git commit -q -m "Remote" &&
	expect_accept git push -q origin dev && say cat "$T/err" && git switch -q main && merge_in dev &&
	expect_accept git push -q origin main && say cat "$T/out" "$T/err" && cd "$T" && { say drain plain || :; } &&
	N=$(newest plain) && { say mg plain logs "$N" build || :; } && say mg plain status --json
'

# --- a login for images ---

next_image() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push -q origin dev main && { say drain images || :; }
}

test_expect 'a credentials file: a push that the registry takes, and one that it does not' '
	new_server images && new_project images images.work && engine_double images docker &&
	server_set images build registry registry.example.com/models && server_set images runner retries 0 &&
	server_set images "chain \"dev\"" stages build &&
	(umask 077 && printf "{\"auths\":{\"registry.example.com\":{\"auth\":\"%s\"}}}" \
		"$(printf "ci:%s" "$secret" | base64 -w 0)" >login) &&
	server_set images build credentials-file "$T/login" && cd images.work && next_image one &&
	pipeline_is images 1 success && printf other >"$(state images)/engine/login" && next_image two &&
	same failed "$(stage_status images 2 build)" && say mg images logs 2 build && { say mg images check || :; }
'

# --- GitLab ---

test_expect 'the token for GitLab, where a pipeline is made and followed' '
	new_gitlab shop && start_gitlab_api && use_gitlab shop && new_project shop work && cd work && commit work.txt &&
	git switch -q main && merge_in dev && expect_accept gitlab_push -q origin dev main && say cat "$T/err" && cd "$T" &&
	settle shop && pipeline_is shop 1 success && say mg shop status --json && { say mg shop check || :; }
'

# --- where they are to be found: nowhere ---

# But a web server, to the program that asks it for the user; and what has written the URL above.
test_expect 'no process has shown a secret' '
	shows && { ! grep -v -e GATEWAY_INTERFACE= -e "^cmdline [0-9]* perl [^ ]*/ini-set " -e control-5tR8 hits; }
'

test_expect 'none is in a state folder, in what was deployed, or in what was said' '
	for one in plain images shop; do
		[ -s "$(audit "$one")" ] && [ -s "$(state "$one")/store.db" ] || return 1
	done &&
	{ ! without_secrets words; } && { ! without_secrets nowhere; } && [ "$said" -gt 15 ] && without_secrets said plain.state images.state shop.state dags.git plain.drain
'

test_done
