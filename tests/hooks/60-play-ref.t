#!/bin/sh
# Play by ref: a stage is queued by pushing refs/modelgate/play/<pipeline>/<stage>, by those who may, and
# no such reference ever stays.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"

zeros=$(printf '%040d' 0)
me=$(id -un)

# A pipeline of chain `prod`, whose stages wait for a hand; its number is in $id.
prod_pipeline() {
	at dev && commit work.txt && at main && merge_in dev && at prod && merge_in main &&
		expect_accept git push origin dev main prod && drain shop &&
		id=$(sed -n 's/.*pipeline \([0-9]*\) created: chain prod .*/\1/p' "$T/err") &&
		stages_are shop "$id" manual created created
}

# Nothing of such a reference is left: no file, folder, log or line among the packed ones.
no_remains() {
	same '' "$(git -C "$T/shop.git" for-each-ref refs/modelgate)" &&
		same '' "$(find "$T/shop.git/refs/modelgate" "$T/shop.git/logs/refs/modelgate" -type f 2>/dev/null)" &&
		{ ! grep -s refs/modelgate "$T/shop.git/packed-refs" || return 1; }
}

played() {
	audit_count shop event=stage.played "pipeline=$1" "stage=$2" status=played
}

new_server shop
new_project shop work || test_bail 'no project'

test_expect 'a stage that waits for a hand is queued by a push, and no reference stays' '
	cd work && prod_pipeline && git switch -q dev &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/build" &&
	told <<-EOT &&
		modelgate: pipeline $id: stage build is queued
	EOT
	stages_are shop "$id" pending created created && no_remains &&
	drain shop && stages_are shop "$id" success manual created
'

test_expect 'it is recorded: who played, with which push' '
	push=$(json push_id <<-EOT
		$(grep "push.accepted.*refs/modelgate/play/$id/build" "$(audit shop)")
	EOT
	) && audit_has shop event=push.accepted push_id="$push" refs.0.method=play "actor.name=$me" &&
	audit_has shop event=stage.played push_id="$push" "pipeline=$id" stage=build status=played \
		"refs.0.ref=refs/modelgate/play/$id/build" "actor.name=$me" &&
	same 1 "$(played "$id" build)" && audit_valid shop
'

# Reject with MG904, and say this.
refuses() {
	expect_reject MG904 git push origin "HEAD:refs/modelgate/play/$1" && said "$2" && said "to fix: " &&
		no_remains
}

test_expect 'what cannot be played now is rejected, and says why' '
	cd work && refuses "$id/build" "stage build is success: it is done" &&
	refuses "$id/stage-model" "the stages before it have not succeeded" &&
	refuses "$id/nonsense" "has no stage nonsense; it has build, deploy, stage-model" &&
	refuses 4711/build "this repository has no pipeline 4711" &&
	recorded shop event=push.rejected refs.0.code=MG904 refs.0.method=play
'

test_expect 'what is no order is rejected' '
	cd work && for name in "play/0$id/deploy" "play/$id" "play/$id/deploy/x" "play/x/deploy" "play/-1/deploy" \
		"play/99999999999999999999/deploy" "retry/$id/build" "cancel/$id" x; do
		expect_reject MG904 git push origin "HEAD:refs/modelgate/$name" &&
		said "references below refs/modelgate/ are kept for modelgate" &&
		said "to fix: to play a stage: git push origin HEAD:refs/modelgate/play/<pipeline>/<stage>" || return 1
	done
'

test_expect 'one that is there is neither moved nor deleted by a push' '
	cd work && ref=refs/modelgate/play/$id/deploy && git -C "$T/shop.git" update-ref "$ref" refs/heads/main &&
	expect_reject MG904 git push origin ":$ref" && said "neither changed nor taken back" &&
	expect_reject MG904 git push origin "+dev:$ref" && said "neither changed nor taken back" &&
	git -C "$T/shop.git" update-ref -d "$ref"
'

test_expect 'who lacks the role is rejected with MG401, a member is not' '
	server_set shop "role \"release\"" members other && server_set shop "chain \"prod\"" roles release && cd work &&
	expect_reject MG401 git push origin "HEAD:refs/modelgate/play/$id/deploy" &&
	said "$me may not play stages of chain prod: that takes the role release" &&
	said "to fix: ask a member of the role release" && stages_are shop "$id" success manual created &&
	server_set shop modelgate mode shadow &&
	expect_reject MG401 git push origin "HEAD:refs/modelgate/play/$id/deploy" &&
	server_set shop modelgate mode enforce && server_set shop "role \"release\"" members "$me" &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/deploy" && said "stage deploy is queued" &&
	drain shop && stages_are shop "$id" success success manual
'

test_expect 'in shadow mode a member plays too, and what cannot be played is rejected' '
	server_set shop modelgate mode shadow && cd work &&
	expect_reject MG904 git push origin "HEAD:refs/modelgate/play/$id/build" &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/stage-model" && said "stage stage-model is queued" &&
	server_set shop modelgate mode enforce && drain shop && pipeline_is shop "$id" success && no_remains
'

test_expect 'beside branches: all or nothing, and with --atomic' '
	cd work && prod_pipeline && at main && commit direct.txt &&
	expect_reject MG102 git push origin main "dev:refs/modelgate/play/$id/build" &&
	stages_are shop "$id" manual created created && at main && at dev && commit more.txt &&
	expect_reject MG904 git push origin dev "dev:refs/modelgate/play/$id/deploy" &&
	expect_accept git push --atomic origin dev "dev:refs/modelgate/play/$id/build" &&
	same "$(git rev-parse dev)" "$(tip shop refs/heads/dev)" &&
	stages_are shop "$id" pending created created && no_remains
'

test_expect 'several pipelines in one push' '
	cd work && first=$id && drain shop && stages_are shop "$first" success manual created && at retrain &&
	merge_in main && expect_accept git push origin retrain && at online && merge_in main &&
	expect_accept git push origin online && second=$(sed -n "s/.*pipeline \([0-9]*\) created.*/\1/p" "$T/err") &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$first/deploy" "HEAD:refs/modelgate/play/$second/build" &&
	stages_are shop "$first" success pending created && stages_are shop "$second" pending created created &&
	same 1 "$(played "$first" deploy)" && same 1 "$(played "$second" build)" && no_remains
'

test_expect 'a pipeline of another repository with the same state directory is none of this one' '
	new_server other && server_set other modelgate state "$T/shop.state" && cd work && prod_pipeline &&
	git remote add other "$T/other.git" && git push -q other main:refs/heads/feature &&
	expect_reject MG904 git push other "HEAD:refs/modelgate/play/$id/build" &&
	said "this repository has no pipeline $id" && said_not shop.git &&
	stages_are shop "$id" manual created created
'

test_expect 'an overtaken one is rejected and names the newer' '
	cd work && old=$id && prod_pipeline && expect_accept git push origin "HEAD:refs/modelgate/play/$id/build" &&
	drain shop && expect_reject MG904 git push origin "HEAD:refs/modelgate/play/$old/build" &&
	said "a newer pipeline of the branch has started"
'

# --- who comes to it ---

installed() {
	rm -f "$T/shop.git/hooks"/*
	for one in "$@"; do
		cp "$ROOT/libexec/modelgate/$one" "$T/shop.git/hooks/" || return 1
	done
}

grow_old() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	store.execute("UPDATE intent SET created_at = created_at - 6000000")' "$(state shop)/store.db"
}

test_expect 'where post-receive never ran the runner plays it, once, and removes the reference' '
	cd work && prod_pipeline && installed pre-receive update &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/build" && said_not queued &&
	stages_are shop "$id" manual created created && grow_old && drain shop &&
	stages_are shop "$id" success manual created && same 1 "$(played "$id" build)" && no_remains &&
	installed pre-receive update post-receive
'

test_expect 'what git refused after pre-receive is not played' '
	cd work && ref=refs/modelgate/play/$id/deploy && printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" &&
	{ ! git push origin "HEAD:$ref" 2>"$T/err" || return 1; } && said_not "modelgate: " && grow_old && drain shop &&
	stages_are shop "$id" success manual created && same 0 "$(played "$id" deploy)" &&
	installed pre-receive update post-receive && expect_accept git push origin "HEAD:$ref" &&
	drain shop && stages_are shop "$id" success success manual && same 1 "$(played "$id" deploy)" && no_remains
'

test_expect 'update alone judges, and post-receive plays' '
	cd work && installed update post-receive &&
	expect_reject MG904 git push origin "HEAD:refs/modelgate/play/$id/deploy" &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/stage-model" &&
	drain shop && pipeline_is shop "$id" success && no_remains && installed pre-receive update post-receive
'

test_expect 'a stage that was played by the command meanwhile: the push has landed, and says so' '
	cd work && prod_pipeline && cat >"$T/shop.git/hooks/pre-receive" <<-SH &&
		#!/bin/sh
		"$ROOT/libexec/modelgate/pre-receive" || exit
		modelgate --repo "$T/shop.git" play $id build >/dev/null
	SH
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/build" &&
	said "modelgate: pipeline $id was not played: stage build is pending" && no_remains &&
	same 1 "$(played "$id" build)" &&
	audit_has shop event=stage.played status=refused "pipeline=$id" stage=build "reason=stage build is pending*" &&
	installed pre-receive update post-receive && drain shop && same 1 "$(played "$id" build)"
'

test_expect 'packed, and with a log of the reference: nothing remains' '
	cd work && git -C "$T/shop.git" config core.logAllRefUpdates always && installed pre-receive update &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/deploy" && git -C "$T/shop.git" pack-refs --all &&
	grep -q refs/modelgate "$T/shop.git/packed-refs" && [ -f "$T/shop.git/logs/refs/modelgate/play/$id/deploy" ] &&
	grow_old && drain shop && stages_are shop "$id" success success manual && no_remains &&
	installed pre-receive update post-receive &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/stage-model" && no_remains &&
	git -C "$T/shop.git" config --unset core.logAllRefUpdates
'

test_expect 'a runner is started where the configuration says so' '
	cd work && prod_pipeline && server_set shop runner wake spawn &&
	expect_accept git push origin "HEAD:refs/modelgate/play/$id/build" &&
	wait_for 20 stages_are shop "$id" success manual created && wait_for 10 is_quiet shop &&
	server_set shop runner wake none
'

# --- other ways in ---

test_expect 'over SSH and over HTTP, each by its identity' '
	start_sshd && start_httpd && cd work && git push -q "$(ssh_url shop)" "HEAD:refs/modelgate/play/$id/deploy" &&
	drain shop && stages_are shop "$id" success success manual && same 1 "$(played "$id" deploy)" &&
	server_set shop identity source http && server_set shop "role \"release\"" members alice &&
	expect_reject MG401 git push "$(http_url shop boris)" "HEAD:refs/modelgate/play/$id/stage-model" &&
	said "boris may not play stages of chain prod" &&
	expect_accept git push "$(http_url shop)" "HEAD:refs/modelgate/play/$id/stage-model" && said "stage stage-model is queued" &&
	audit_has shop event=stage.played actor.name=alice "pipeline=$id" stage=stage-model && no_remains && drain shop &&
	server_set shop identity source os && server_set shop "role \"release\"" members "$me"
'

test_expect 'on a server like GitLab, by the ids that it gives' '
	cd work && prod_pipeline && gitaly_start && gitaly_layout shop && server_set shop "role \"release\"" members "user-17" &&
	expect_reject MG401 as user-18 petrov gitlab_push "$T/shop.git" "HEAD:refs/modelgate/play/$id/build" &&
	expect_accept gitlab_push "$T/shop.git" "HEAD:refs/modelgate/play/$id/build" && said "stage build is queued" &&
	audit_has shop event=stage.played actor.id=user-17 "pipeline=$id" stage=build && no_remains
'

test_expect 'the log is valid' 'audit_valid shop'

test_done
