#!/bin/sh
# The hooks as GitLab's server runs them: which of them, in what surroundings, with what input, for
# pushes and for the web page, and what becomes of them when the client goes away.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"

new_gitlab shop
new_project shop work || test_bail 'no project'
hooks=$T/shop.git/custom_hooks
stages='build -> create-model -> deploy -> stage-model'

# A commit on dev and a merge of it on main, neither pushed; stays on main.
dev_and_main() {
	git fetch -q origin && at dev && commit work.txt && at main && merge_in dev
}

# A hook of each kind that writes down what it has been given: spy/<hook>.env, .args, .in, .place.
spies() {
	mkdir -p "$T/spy" && for one in pre-receive update post-receive; do
		other_hook "$hooks/$one.d/10-spy" "
			cat /proc/\$\$/environ | tr '\\0' '\\n' | sort >$T/spy/$one.env
			printf '%s\\n' \"\$@\" >$T/spy/$one.args
			cat >$T/spy/$one.in
			ps -o pgid=,pid= -p \$\$ >$T/spy/$one.group
			{ pwd; readlink /proc/self/fd/0; } >$T/spy/$one.place" || return 1
	done
}

no_spies() {
	rm -f "$hooks"/*.d/10-spy
}

# The names in the environment of hook $1 are the other arguments.
env_names() {
	one=$1
	shift
	same "$(printf '%s\n' "$@" | sort)" "$(sed 's/=.*//' "$T/spy/$one.env" |
		grep -v -e '^PWD$' -e '^OLDPWD$' -e '^_$' -e '^SHLVL$' -e 'SAN_OPTIONS$')"
}

env_is() {
	grep -qxF -e "$2" "$T/spy/$1.env" && return
	cat "$T/spy/$1.env"
	echo "not there: $2"
	return 1
}

# --- the surroundings of a hook ---

test_expect 'a push: the environment has what Gitaly lets through, and nothing else' '
	spies && cd work && dev_and_main &&
	LANG=de_DE.UTF-8 TMPDIR=$T SSH_CONNECTION="1.2.3.4 5 6.7.8.9 22" SSL_CERT_FILE=/x MODELGATE_X=1 \
		GITLAB_TOKEN=secret http_proxy=http://proxy:1 REMOTE_USER=root \
		expect_accept gitlab_push -o topic=x -o ci.skip origin dev main &&
	env_names pre-receive GIT_DIR GL_ID GL_USERNAME GL_REPOSITORY GL_PROJECT_PATH GL_PROTOCOL \
		CORRELATION_ID HOME PATH TZ http_proxy GIT_EXEC_PATH GIT_OBJECT_DIRECTORY \
		GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PUSH_OPTION_COUNT GIT_PUSH_OPTION_0 \
		GIT_PUSH_OPTION_1 &&
	env_names update GIT_DIR GL_ID GL_USERNAME GL_REPOSITORY GL_PROJECT_PATH GL_PROTOCOL \
		CORRELATION_ID HOME PATH TZ http_proxy GIT_EXEC_PATH &&
	env_names post-receive GIT_DIR GL_ID GL_USERNAME GL_REPOSITORY GL_PROJECT_PATH GL_PROTOCOL \
		CORRELATION_ID HOME PATH TZ http_proxy GIT_EXEC_PATH GIT_PUSH_OPTION_COUNT GIT_PUSH_OPTION_0 \
		GIT_PUSH_OPTION_1 &&
	for one in pre-receive update post-receive; do
		env_is $one "GIT_DIR=$T/shop.git" && env_is $one GL_PROTOCOL=ssh &&
		env_is $one GL_REPOSITORY=project-5 && env_is $one GL_PROJECT_PATH=models/shop || return 1
	done &&
	grep "^GIT_OBJECT_DIRECTORY=$T/shop.git/.*objects/tmp_objdir-incoming-" "$T/spy/pre-receive.env"
'

test_expect 'the place: the repository, a group of its own, input to pre- and post-receive alone' '
	for one in pre-receive update post-receive; do
		same "$T/shop.git" "$(sed -n 1p spy/$one.place)" &&
		set -- $(cat spy/$one.group) && same "$1" "$2" || return 1
	done &&
	same 2 "$(wc -l <spy/pre-receive.in)" && same 2 "$(wc -l <spy/post-receive.in)" &&
	[ ! -s spy/update.in ] && same /dev/null "$(sed -n 2p spy/update.place)" &&
	same "" "$(cat spy/pre-receive.args spy/post-receive.args)" &&
	same "refs/heads/main" "$(sed -n 1p spy/update.args)" &&
	same "$(git -C work rev-parse main)" "$(sed -n 3p spy/update.args)"
'

test_expect 'in these surroundings the push was judged, recorded and launched' '
	cd work && told <<-EOT &&
		modelgate: pipeline 1 created: chain dev on main $(short main): $stages
	EOT
	recorded shop event=push.accepted refs.1.method=merge actor.id=user-17 actor.name=ivanov \
		actor.protocol=ssh "correlation_id=$CORRELATION_ID" repository.gl_repository=project-5 &&
	no_spies && rm -r "$T/spy"
'

test_expect 'rejected: nothing is changed, and what was pushed is not kept' '
	cd work && at main && commit direct.txt && expect_reject MG102 gitlab_push origin main &&
	said "\"direct.txt\" was made on main itself" &&
	! git -C "$T/shop.git" cat-file -e "$(git rev-parse main)"
'

test_expect 'a web operation: the same, protocol web, one reference, and objects in a folder elsewhere' '
	spies && cd work && git fetch -q origin && at dev && commit web.txt &&
	expect_accept gitlab_push origin dev &&
	expect_accept web_merge shop main "$(git rev-parse dev)" &&
	same "$NEW_COMMIT" "$(tip shop refs/heads/main)" &&
	for one in pre-receive update post-receive; do
		env_is $one GL_PROTOCOL=web && env_is $one GL_ID=user-17 || return 1
	done &&
	same "$(git rev-parse origin/main) $NEW_COMMIT refs/heads/main" "$(cat "$T/spy/pre-receive.in")" &&
	same "$(cat "$T/spy/pre-receive.in")" "$(cat "$T/spy/post-receive.in")" &&
	grep "^GIT_OBJECT_DIRECTORY=$T/+gitaly/tmp/quarantine" "$T/spy/pre-receive.env" &&
	env_is pre-receive "GIT_ALTERNATE_OBJECT_DIRECTORIES=$T/shop.git/objects" &&
	! grep OBJECT_DIRECTORIES "$T/spy/update.env" "$T/spy/post-receive.env" &&
	recorded shop event=push.accepted refs.0.method=merge actor.protocol=web &&
	no_spies && audit_has shop event=pipeline.created pipeline=2 "refs.0.new=$NEW_COMMIT"
'

test_expect 'nothing at all is printed for it' '
	! grep modelgate out && ! grep modelgate err
'

test_expect 'rejected on the web page: each line gets through to the page' '
	cd work && git fetch -q origin && expect_reject MG102 web_edit shop main README.md &&
	told <<-EOT
		GL-HOOK-ERR: modelgate: rejected refs/heads/main $(short origin/main)..$(echo "$NEW_COMMIT" | cut -c 1-7) MG102: commit $(echo "$NEW_COMMIT" | cut -c 1-7) "Update README.md" was made on main itself
		GL-HOOK-ERR: modelgate:   main takes merges from: dev, retrain-<pipeline_id>-<date>
		GL-HOOK-ERR: modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		GL-HOOK-ERR: modelgate:   nothing was changed; audit id ID
	EOT
'

test_expect 'and every line that our hooks wrote has got there' '
	same "" "$(grep -v "^GL-HOOK-ERR: modelgate: " .run/web.err)" && [ -s .run/web.err ] &&
	[ ! -s .run/web.out ]
'

test_expect 'the same edit on dev lands' '
	cd work && expect_accept web_edit shop dev README.md &&
	same "$NEW_COMMIT" "$(tip shop refs/heads/dev)"
'

# --- which hooks, and in what order ---

test_expect 'files that Gitaly runs and files that it passes over, in their order' '
	other_hook "$T/order/custom_hooks/update" "exit 0" &&
	for one in 10-b 05-a .hidden old~ ; do
		other_hook "$T/order/custom_hooks/update.d/$one" "exit 0" || return 1
	done &&
	: >"$T/order/custom_hooks/update.d/07-not-executable" && mkdir "$T/order/custom_hooks/update.d/06-dir" &&
	ln -s 10-b "$T/order/custom_hooks/update.d/20-link" &&
	other_hook "$T/order/global/update" "exit 0" && other_hook "$T/order/global/update.d/01-g" "exit 0" &&
	perl "$TEST_LIB/gitaly-hook" list order order/global update >list && diff list - <<-EOT
		order/custom_hooks/update
		order/custom_hooks/update.d/.hidden
		order/custom_hooks/update.d/05-a
		order/custom_hooks/update.d/10-b
		order/custom_hooks/update.d/20-link
		order/global/update.d/01-g
	EOT
'

test_expect 'a hook before ours that rejects: ours is not asked, and nothing is recorded' '
	other_hook "$hooks/pre-receive.d/10-no" "echo GL-HOOK-ERR: closed today >&2; exit 3" &&
	cd work && dev_and_main && before=$(pushes shop) &&
	{ ! gitlab_push origin dev main >"$T/out" 2>"$T/err" || return 1; } && said "closed today" &&
	same "$before" "$(pushes shop)" && rm "$hooks/pre-receive.d/10-no"
'

test_expect 'a hook after ours that rejects: what ours let pass is no landing; the next push is judged anew' '
	other_hook "$hooks/pre-receive.d/90-no" "echo GL-HOOK-ERR: closed today >&2; exit 3" && cd work &&
	before=$(pipelines shop) && pushed=$(pushes shop) &&
	{ ! gitlab_push origin dev main >"$T/out" 2>"$T/err" || return 1; } &&
	same $((pushed + 1)) "$(pushes shop)" && same "$before" "$(pipelines shop)" &&
	rm "$hooks/pre-receive.d/90-no" && drain shop && same "$before" "$(pipelines shop)" &&
	expect_accept gitlab_push origin dev main &&
	said "created: chain dev on main $(short main)" &&
	same $((pushed + 2)) "$(pushes shop)"
'

test_expect 'each hook has the whole of the input, whoever has read it before' '
	for one in 10-reads 90-reads; do
		other_hook "$hooks/pre-receive.d/$one" "cat >$T/$one" || return 1
	done &&
	other_hook "$hooks/pre-receive.d/05-does-not" "exit 0" && cd work && dev_and_main &&
	expect_accept gitlab_push origin dev main && diff "$T/10-reads" "$T/90-reads" &&
	same 2 "$(wc -l <"$T/10-reads")" && rm "$hooks"/pre-receive.d/??-reads "$hooks/pre-receive.d/05-does-not"
'

test_expect 'hooks of the global folder alone' '
	for one in pre-receive update post-receive; do
		mkdir -p "$GITALY_GLOBAL/$one.d" &&
		mv "$hooks/$one.d/50-modelgate" "$GITALY_GLOBAL/$one.d/" || return 1
	done && cd work && at main && commit direct.txt &&
	expect_reject MG102 gitlab_push origin main && dev_and_main &&
	expect_accept gitlab_push origin dev main && said "created: chain dev on main $(short main)" &&
	for one in pre-receive update post-receive; do
		mv "$GITALY_GLOBAL/$one.d/50-modelgate" "$hooks/$one.d/" || return 1
	done
'

# --- update passes by the intent of its own push ---

# Under --atomic the references move together at the end: alone, update would see dev as it was.
test_expect 'an atomic push lands: update knows what pre-receive has let pass' '
	cd work && dev_and_main && before=$(pushes shop) &&
	expect_accept gitlab_push --atomic origin dev main && same $((before + 1)) "$(pushes shop)" &&
	said "created: chain dev on main $(short main)"
'

test_expect 'also where no correlation id is known' '
	GITALY_CORRELATION=none && cd work && dev_and_main &&
	expect_accept gitlab_push --atomic origin dev main &&
	said "created: chain dev on main $(short main)" &&
	same 0 "$(grep "\"refs/heads/main\"" "$(audit shop)" | tail -n 1 | json_count correlation_id=*)"
'

test_expect 'without pre-receive, update judges alone: it rejects that, and takes one after the other' '
	mv "$hooks/pre-receive.d/50-modelgate" kept && cd work && dev_and_main &&
	expect_reject MG103 gitlab_push --atomic origin dev main &&
	expect_accept gitlab_push origin dev && expect_accept gitlab_push origin main &&
	at main && commit direct.txt && expect_reject MG102 gitlab_push origin main &&
	expect_reject MG102 web_edit shop main README.md && said "GL-HOOK-ERR: " &&
	mv "$T/kept" "$hooks/pre-receive.d/50-modelgate" && GITALY_CORRELATION=one
'

# --- the client goes away ---

push_in_background() {
	setsid sh -c 'echo $$ >"$0/pusher" && exec git push origin dev main' "$T" >"$T/out" 2>"$T/err" &
}

# Push dev and main, and kill the pusher and all of its own when $T/reached is there.
gone_while_pushing() {
	rm -f "$T/reached" "$T/term" && push_in_background && wait_for 10 [ -e "$T/reached" ] &&
		kill -s KILL -- "-$(cat "$T/pusher")"
}

pusher_is_gone() {
	! ps -o pid= -g "$(cat "$T/pusher")"
}

# The same, a little later each time, with our hook at work.  Where a push was over before its end came
# there is nothing left to be pushed.
killed_at_work() {
	[ "$(git rev-parse main)" != "$(tip shop refs/heads/main)" ] || return 0
	rm -f "$T/mark" && mkfifo "$T/mark" && other_hook "$hooks/pre-receive.d/10-mark" "echo >$T/mark" &&
		push_in_background && timeout 10 cat "$T/mark" >/dev/null && rm "$hooks/pre-receive.d/10-mark" &&
		perl -e "select undef, undef, undef, $1 / 250" &&
		{ kill -s KILL -- "-$(cat "$T/pusher")" && killed=$((killed + 1)) || pusher_is_gone; } &&
		wait_for 10 is_quiet shop &&
		# What git leaves where it is killed at its own work.
		rm -f "$T/shop.git/HEAD.lock" "$T/shop.git/refs/heads"/*.lock
}

one_pipeline() {
	same 1 $(($(audit_count shop event=pipeline.created "refs.0.new=$1") +
		$(audit_count shop event=pipeline.reconciled "refs.0.new=$1")))
}

group_is_gone() {
	! ps -o pid= -g "$(cat "$T/reached")"
}

test_expect 'SIGTERM ends the hook that runs, and nothing has landed' '
	other_hook "$hooks/pre-receive.d/90-slow" "
		trap \"echo \\\$\\\$ >$T/term; exit 1\" TERM
		echo \$\$ >$T/reached
		while :; do sleep 0.1; done" &&
	cd work && dev_and_main && before=$(tip shop refs/heads/main) && gitaly_operation shop &&
	gone_while_pushing && wait_for 10 [ -e "$T/term" ] && wait_for 10 group_is_gone &&
	same "$before" "$(tip shop refs/heads/main)"
'

test_expect 'SIGKILL ends one that does not hear' '
	other_hook "$hooks/pre-receive.d/90-slow" "
		trap \"\" TERM
		echo \$\$ >$T/reached
		exec sleep 60" &&
	cd work && gitaly_operation shop && gone_while_pushing && wait_for 10 group_is_gone &&
	same "$before" "$(tip shop refs/heads/main)" && rm "$hooks/pre-receive.d/90-slow"
'

test_expect 'what was let pass then is no landing, and the same push lands when it comes again' '
	known=$(pipelines shop) && drain shop && same "$known" "$(pipelines shop)" && cd work &&
	expect_accept gitlab_push origin dev main && said "created: chain dev on main $(short main)" &&
	audit_valid shop
'

test_expect 'our own hook, killed at its work, leaves nothing half done' '
	cd work && dev_and_main && gitaly_operation shop && killed=0 &&
	for one in 1 2 3 4 5 6; do
		killed_at_work $one || return 1
	done &&
	{ [ "$killed" -gt 0 ] || { echo "no push was killed"; return 1; }; } &&
	wait_for 10 audit_valid shop && expect_accept gitlab_push origin dev main &&
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)" && drain shop &&
	one_pipeline "$(git rev-parse main)"
'

test_expect 'the page is closed before post-receive: the landing gets its pipeline all the same' '
	cd work && git fetch -q origin && at dev && commit closed.txt &&
	expect_accept gitlab_push origin dev && before=$(pipelines shop | wc -w) &&
	GITALY_BREAK=post-receive && expect_accept web_merge shop main "$(git rev-parse dev)" &&
	GITALY_BREAK= && same "$NEW_COMMIT" "$(tip shop refs/heads/main)" &&
	same "$before" "$(pipelines shop | wc -w)" && drain shop &&
	same $((before + 1)) "$(pipelines shop | wc -w)" &&
	audit_has shop event=pipeline.reconciled "refs.0.new=$NEW_COMMIT" "actor.name=ivanov"
'

test_expect 'the page is closed before update: nothing has landed' '
	cd work && at dev && commit closed2.txt && expect_accept gitlab_push origin dev &&
	old=$(tip shop refs/heads/main) && before=$(pipelines shop) && GITALY_BREAK=update &&
	{ ! web_merge shop main "$(git rev-parse dev)" >"$T/out" 2>"$T/err" || return 1; } &&
	GITALY_BREAK= && same "$old" "$(tip shop refs/heads/main)" && drain shop &&
	same "$before" "$(pipelines shop)" && expect_accept web_merge shop main "$(git rev-parse dev)"
'

# --- Gitaly waits until nobody holds a hook's output ---

within_5_s() {
	began=$(date +%s)
	"$@" && [ $(($(date +%s) - began)) -le 5 ]
}

test_expect 'a web merge returns at once while the stage that it has started goes on' '
	drain shop && server_set shop runner wake spawn && podman_does shop hold && cd work && git fetch -q origin &&
	at dev && commit spawn.txt && within_5_s expect_accept gitlab_push origin dev &&
	within_5_s expect_accept web_merge shop main "$(git rev-parse dev)" &&
	newest=$(pipelines shop | sed "s/ .*//") && wait_for 20 stage_is shop "$newest" build running &&
	let_go shop && wait_for 20 pipeline_is shop "$newest" success && wait_for 10 is_quiet shop
'

test_expect 'the log is valid' 'audit_valid shop && [ ! -s .run/gitaly.log ]'

test_done
