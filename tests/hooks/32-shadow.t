#!/bin/sh
# mode = shadow: what would be rejected is recorded and told as a warning, once, and lands all the same.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'
today=$(date -u +%Y%m%d)
dev_stages='build -> create-model -> deploy -> stage-model'
takes_main='main takes merges from: dev, retrain-<pipeline_id>-<date>'

# A commit on main itself, from $old to $new; there is nothing else to push.
direct() {
	cd "$T/work" && git fetch -q origin && at main && old=$(short main) && commit direct.txt &&
		new=$(short main)
}

# Intents in this state.
intents() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
	print(store.execute("SELECT count(*) FROM intent WHERE state = ?", (sys.argv[2],)).fetchone()[0])' \
		"$(state shop)/store.db" "$1"
}

# One push.* record more than $before, and no open intent.
before=0
once() {
	same $((before + 1)) "$(pushes shop)" && same 0 "$(intents open)"
}

server_set shop modelgate mode shadow

# --- branches with rules ---

test_expect 'MG102: told as a warning, recorded, and the chain is launched' '
	direct && before=$(pushes shop) && expect_accept git push origin main && told <<-EOT &&
		modelgate: warning: would be rejected refs/heads/main $old..$new MG102: commit $new "direct.txt" was made on main itself
		modelgate:   $takes_main
		modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		modelgate: pipeline 1 created: chain dev on main $new: $dev_stages
	EOT
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)" && once &&
	recorded shop event=push.shadowed refs.0.ref=refs/heads/main refs.0.code=MG102 refs.0.method=direct \
		"refs.0.reason=commit $new \"direct.txt\" was made on main itself" &&
	audit_has shop event=ref.updated refs.0.ref=refs/heads/main "refs.0.new=$(git rev-parse main)" &&
	audit_has shop event=policy.changed
'

test_expect 'what is right is accepted as ever, without a word' '
	cd work && at dev && { git merge -q origin/main && commit a.txt; } &&
	lands shop dev "" "" git push origin dev && told </dev/null &&
	lands shop main merge dev merge_push dev main && told <<-EOT &&
		modelgate: pipeline 2 created: chain dev on main $(short main): $dev_stages
	EOT
	same 0 "$(intents open)"
'

test_expect 'several codes and several references are one record, and a line each' '
	server_set shop "role \"release\"" members nobody-at-all && server_set shop "branch \"prod\"" roles release &&
	direct && at prod && merge_in origin/dev && before=$(pushes shop) &&
	expect_accept git push origin main prod dev:refs/heads/free &&
	same 2 "$(grep -c "modelgate: warning: would be rejected" "$T/err")" && said_not "nothing was changed" &&
	once && recorded shop event=push.shadowed refs.*.ref=refs/heads/free refs.*.code=MG102 \
		refs.*.code=MG401 &&
	server_set shop "branch \"prod\"" roles ""
'

test_expect 'MG101 and MG107: history and branch are gone, and no chain is launched for a deletion' '
	cd work && git fetch -q origin && at main && back=$(git rev-parse main~) && before=$(pushes shop) &&
	count=$(pipelines shop | wc -w) && expect_accept git push origin +main~:main :online &&
	said "would be rejected refs/heads/main" && said "MG101: history rewrite" &&
	said "MG107: online is a branch with rules" && same "$back" "$(tip shop refs/heads/main)" &&
	same none "$(tip shop refs/heads/online)" && once && same $((count + 1)) "$(pipelines shop | wc -w)"
'

test_expect 'MG103, MG104, MG108, MG301: the others likewise' '
	cd work && git fetch -q origin && at main && git switch -q -C half main~ && commit half.txt &&
	at main && merge_in half && expect_accept git push origin main && said "warning: would be rejected" &&
	said MG103 && git switch -q half && commit more.txt && expect_accept git push origin half:online && said MG108 &&
	at retrain && test_tick && git rm -q dag-retrain.py && git commit -q -m gone && before=$(pushes shop) &&
	expect_accept git push origin retrain && said MG301 && once
'

# --- names ---

for ref in heads/retraining heads/Main tags/Prod; do
	test_expect "a name that would be refused, refs/$ref, is told and recorded once" '
		cd work && before=$(pushes shop) && expect_accept git push origin "dev:refs/$ref" &&
		same 1 "$(grep -c "modelgate: warning: " "$T/err")" && once &&
		recorded shop event=push.shadowed "refs.0.ref=refs/$ref" refs.0.code=MG20* &&
		same 1 "$(audit_count shop event=ref.updated "refs.0.ref=refs/$ref")"
	'
done

test_expect 'once it is there it moves and goes without a word' '
	cd work && at dev && commit b.txt && expect_accept git push origin dev:refs/heads/retraining &&
	told </dev/null && expect_accept git push origin :refs/heads/retraining && told </dev/null &&
	recorded shop event=push.accepted
'

test_expect 'a retrain branch that would be refused lands, is no source by that, and its name is used' '
	cd work && git fetch -q origin && at main && git switch -q -C "retrain-77-$today" && commit notes.txt &&
	expect_accept git push origin HEAD && said "MG203: " && recorded shop event=push.shadowed refs.0.code=MG203 &&
	at main && git merge -q --no-ff -m "Merge it" "retrain-77-$today" &&
	server_set shop modelgate mode enforce && expect_reject MG103 git push origin main &&
	server_set shop modelgate mode shadow && expect_accept git push origin main &&
	recorded shop event=push.shadowed refs.0.code=MG103 &&
	expect_accept git push origin ":retrain-77-$today" && told </dev/null &&
	expect_accept git push origin "retrain-77-$today" && recorded shop event=push.shadowed refs.0.codes.1=MG204
'

# --- what could not be told is rejected as ever ---

test_expect 'MG904 and MG901 reject, and with them the rest of the push' '
	direct && expect_reject MG102,MG904 git push origin main dev:refs/modelgate/x &&
	said "modelgate: rejected refs/heads/main" && said_not warning && said "nothing was changed; audit id" &&
	recorded shop event=push.rejected refs.*.code=MG102 refs.*.code=MG904 &&
	cp "$(server_file shop)" "$T/good.ini" && echo "[colours]" >>"$(server_file shop)" &&
	expect_reject MG901 git push origin main && cp "$T/good.ini" "$(server_file shop)"
'

test_expect 'MG905 rejects: a store that is none' '
	direct && mv "$(state shop)/store.db" "$T/store.db" && mkdir "$(state shop)/store.db" &&
	expect_reject MG905 git push origin main && said_not warning && rmdir "$(state shop)/store.db" &&
	mv "$T/store.db" "$(state shop)/store.db"
'

# --- update alone; a client that is gone ---

test_expect 'without pre-receive, update tells and records, and the chain is launched' '
	mv "$T/shop.git/hooks/pre-receive" "$T/pre-receive" && direct && before=$(pushes shop) &&
	count=$(pipelines shop | wc -w) && expect_accept git push origin main dev:refs/heads/Prod &&
	same 2 "$(grep -c "modelgate: warning: would be rejected" "$T/err")" &&
	same $((before + 2)) "$(pushes shop)" && same $((count + 1)) "$(pipelines shop | wc -w)" &&
	same 0 "$(intents open)" && mv "$T/pre-receive" "$T/shop.git/hooks/"
'

test_expect 'a landing whose client is gone is found by the runner, of a branch without rules too' '
	mv "$T/shop.git/hooks/post-receive" "$T/post-receive" && cd work &&
	expect_accept git push origin dev:refs/heads/retrainer && same 1 "$(intents open)" &&
	wait_for 30 eval "drain shop && audit_has shop event=ref.updated refs.0.ref=refs/heads/retrainer" &&
	same 0 "$(intents open)" && mv "$T/post-receive" "$T/shop.git/hooks/"
'

# --- with an override, on the web page ---

test_expect 'a granted override goes before; a refused one is recorded with what it would have met' '
	direct && expect_accept git push -o modelgate.override=x origin main &&
	said "MG102: commit $new" && said "override refused, MG402: overrides are off in this repository" &&
	recorded shop event=push.shadowed refs.0.codes.1=MG402 &&
	server_set shop "role \"release\"" members "$(id -un)" && server_set shop override role release &&
	direct && expect_accept git push -o modelgate.override=x origin main && said_not warning &&
	said "modelgate: overridden refs/heads/main $old..$new MG102: recorded" &&
	recorded shop event=push.overridden refs.0.code=MG102 reason=x
'

test_expect 'over the web page nothing is printed' '
	server_set shop identity source gitlab && direct && before=$(pushes shop) &&
	expect_accept env GL_PROTOCOL=web GL_ID=user-1 GL_USERNAME=ivanov git push origin main && told </dev/null &&
	recorded shop event=push.shadowed refs.0.code=MG102 actor.protocol=web && once &&
	server_set shop identity source os
'

# --- and back ---

test_expect 'with mode = enforce the next one is rejected' '
	server_set shop modelgate mode enforce && direct && expect_reject MG102 git push origin main &&
	expect_reject MG201 git push origin dev:refs/heads/retraining &&
	at dev && { git merge -q origin/main && commit c.txt; } && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

test_expect 'every landing has its pipeline, and the log is valid' '
	same "$(pipelines shop | wc -w)" "$(audit_count shop event=pipeline.created)" && audit_valid shop
'

test_done
