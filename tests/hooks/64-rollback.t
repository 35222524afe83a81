#!/bin/sh
# modelgate rollback: which version comes back to Production, who may, what is recorded, and that no stage
# promotes anything meanwhile.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# A model of its own comes from dev to Production: released CONTENT.
released() {
	git switch -q dev && put_model "$1" && expect_accept git push origin dev &&
		expect_accept merge_push dev main && drain shop && expect_accept merge_push main prod &&
		plays shop "$(newest)" build deploy stage-model
}

newest() {
	mg shop status --limit 1 --json | json pipelines.0.id
}

# How many such records there are: rolled_back [PATH=VALUE...].
# shellcheck disable=SC2120 # with arguments in the scripts of tests
rolled_back() {
	audit_count shop event=model.rolledback "$@"
}

# Nothing has changed, and nothing is said to have.
untouched() {
	registry_is shop "$1" && same "$2" "$(rolled_back)"
}

new_server shop
new_project shop work || test_bail 'no project'
me=$(id -un)

test_expect 'a project without pipelines: 1; usage: 2; --help' '
	is_no "there is no pipeline of project shop" mg shop rollback shop &&
	is_no "there is no pipeline of project churn" mg shop rollback churn --to 1 &&
	is_usage "rollback" mg shop rollback && is_usage "\"x\" is one too many" mg shop rollback shop x &&
	for number in 0 -1 x 1x 99999999999999999999; do
		is_usage version mg shop rollback shop --to "$number" || return 1
	done && is_usage "--force" mg shop rollback shop --force &&
	mg shop rollback --help >help && grep -F "rollback PROJECT [--to VERSION]" help && grep -F -e "--to VERSION" help
'

test_expect 'nothing in Production, and nothing to go back to: 1, with what there is; not recorded' '
	cd work && put_model zero && expect_accept git push origin dev && expect_accept merge_push dev main &&
	drain shop && registry_is shop "1:Staging" &&
	is_no "model shop: no version is in Production; no other version was ever there" mg shop rollback shop &&
	is_no "model shop: that version was never in Production" mg shop rollback shop --to 1 &&
	untouched "1:Staging" 0 && expect_accept merge_push main prod && plays shop "$(newest)" build deploy stage-model &&
	is_no "no version was in Production before the one that is there; no other version was ever there" mg shop rollback shop &&
	is_no "that version is in Production" mg shop rollback shop --to 1 &&
	is_no "there is no such version" mg shop rollback shop --to 7 && untouched "1:Production" 0
'

test_expect 'the one before comes back, and is recorded before it is done' '
	cd work && released one && released two && registry_is shop "3:Production 2:Archived 1:Archived" &&
	mg shop rollback shop >out && registry_is shop "3:Archived 2:Production 1:Archived" &&
	grep -xF "model shop: version 2 is in Production again; version 3 is archived" out &&
	audit_has shop event=model.rolledback "reason=version 2 in place of version 3" \
		"actor.id=uid-$(id -u)" "actor.name=$me" actor.protocol=local repository.project=shop \
		"repository.path=$T/shop.git" && same 1 "$(rolled_back)" && same 0 "$(rolled_back status=failed)" &&
	audit_valid shop
'

test_expect 'modelgate models shows it' '
	mg shop models --json >out && same 2 "$(json models.0.production <out)" &&
	same 3 "$(json models.0.latest_version <out)" && mg shop models shop | grep "^Version 2  *Production"
'

test_expect 'twice goes further back, a third time to nothing, and says what --to takes' '
	mg shop rollback shop && registry_is shop "3:Archived 2:Archived 1:Production" &&
	is_no "no version was in Production before the one that is there; --to takes 3, 2" mg shop rollback shop &&
	untouched "3:Archived 2:Archived 1:Production" 2
'

test_expect 'what was rolled back comes back by --to alone: not by the rollback of the next release' '
	cd work && released three && registry_is shop "4:Production 3:Archived 2:Archived 1:Archived" &&
	mg shop rollback shop && registry_is shop "4:Archived 3:Archived 2:Archived 1:Production" &&
	mg shop rollback shop --to 3 && registry_is shop "4:Archived 3:Production 2:Archived 1:Archived" &&
	mg shop rollback shop && registry_is shop "4:Archived 3:Archived 2:Archived 1:Production" &&
	audit_has shop event=model.rolledback "reason=version 3 in place of version 1"
'

test_expect 'what was rolled back and is released anew counts again' '
	cd work && git switch -q dev && commit score.py && put_model two && expect_accept git push origin dev &&
	expect_accept merge_push dev main && drain shop && expect_accept merge_push main prod &&
	plays shop "$(newest)" build deploy stage-model &&
	registry_is shop "5:Production 4:Archived 3:Archived 2:Archived 1:Archived" && released four &&
	mg shop rollback shop && registry_is shop "6:Archived 5:Production 4:Archived 3:Archived 2:Archived 1:Archived" &&
	audit_valid shop
'

# --- who ---

test_expect 'the role of chain prod is asked for, though anybody may play online' '
	n=$(rolled_back) && server_set shop "role \"release\"" members nobody &&
	server_set shop "chain \"prod\"" roles release &&
	is_no "$me may not roll back shop: that takes the role release" mg shop rollback shop &&
	same "$n" "$(rolled_back)" && registry_is shop "6:Archived 5:Production 4:Archived 3:Archived 2:Archived 1:Archived" &&
	server_set shop "role \"release\"" members "$me" && mg shop rollback shop &&
	registry_is shop "6:Archived 5:Archived 4:Archived 3:Archived 2:Archived 1:Production"
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'as root: who has called sudo' '
		nobody=$(getent passwd 65534 | cut -d : -f 1) && SUDO_UID=65534 && export SUDO_UID &&
		is_no "$nobody may not roll back shop" mg shop rollback shop --to 2 &&
		server_set shop "role \"release\"" members "$nobody" && mg shop rollback shop --to 2 && unset SUDO_UID &&
		audit_has shop event=model.rolledback actor.id=uid-65534 "actor.name=$nobody" \
			"reason=version 2 in place of version 1" &&
		server_set shop "role \"release\"" members "$me"
	'
else
	test_skip 'as root: who has called sudo' 'not root'
fi

# The same state directory, and a file that lets anybody do it.
test_expect 'another repository with a project of this name: not its model, whatever its file allows' '
	new_server other && cp shop.git/modelgate.ini other.git/modelgate.ini && server_set other "chain \"prod\"" roles "" &&
	git -C work push -q "$T/other.git" origin/dev:refs/heads/dev origin/dev:refs/heads/main && git clone -q other.git theirs && cd theirs && git switch -q dev &&
	commit theirs && expect_accept git push origin dev && expect_accept merge_push dev main &&
	mg shop models shop --json >"$T/before" && n=$(rolled_back) &&
	is_no "registered model shop belongs to $T/shop.git; this is $T/other.git" mg other rollback shop --to 3 &&
	mg shop models shop --json | diff "$T/before" - && same "$n" "$(rolled_back)" && mg other cancel "$(newest)"
'

test_expect 'without --repo, it is the repository that the model belongs to, not the newest of this name' '
	same "$T/other.git" "$(sqlite3 shop.state/store.db "SELECT repository FROM pipeline ORDER BY id DESC LIMIT 1")" &&
	printf "[modelgate]\nstate = %s\n" "$T/shop.state" >system.ini &&
	modelgate --config "$T/system.ini" rollback shop --to 3 &&
	audit_has shop event=model.rolledback "reason=version 3 in place of *" "repository.path=$T/shop.git" &&
	same 3 "$(mg shop models --json | json models.0.production)"
'

test_expect 'an owner without a pipeline here is named' '
	sqlite3 shop.state/store.db "UPDATE claim SET owner = '\''project-9'\'' WHERE kind = '\''model'\''" &&
	is_no "there is no pipeline of project shop in project-9, to which the model belongs" \
		modelgate --config "$T/system.ini" rollback shop --to 3 &&
	sqlite3 shop.state/store.db "UPDATE claim SET owner = '\''$T/shop.git'\'' WHERE kind = '\''model'\''"
'

test_expect 'what was promoted anew is the last release: the one before it comes back' '
	cd work && released five && released six && git switch -q dev && put_model five &&
	expect_accept git push origin dev && expect_accept merge_push dev main && mg shop cancel "$(newest)" &&
	expect_accept merge_push main prod && plays shop "$(newest)" build deploy stage-model &&
	mg shop models shop --json >"$T/before" && same Production "$(json versions.1.stage <"$T/before")" &&
	mg shop rollback shop && mg shop models shop --json >"$T/after" &&
	same Production "$(json versions.0.stage <"$T/after")" && same Archived "$(json versions.1.stage <"$T/after")"
'

# --- what does not work ---

test_expect 'what fails after it was recorded is recorded, too' '
	cp shop.state/store.db before.db && sqlite3 shop.state/store.db \
		"CREATE TRIGGER t BEFORE UPDATE ON model_version BEGIN SELECT RAISE(ABORT, '\''no more'\''); END" &&
	is_unknown "no more" mg shop rollback shop --to 3 && sqlite3 shop.state/store.db "DROP TRIGGER t" &&
	same 1 "$(rolled_back status=failed "reason=*no more*")" && mg shop rollback shop --to 3 &&
	same 1 "$(rolled_back status=failed)" && audit_valid shop
'

test_expect 'what cannot be recorded is not done' '
	mg shop models shop --json >before && mv shop.state/audit/audit.jsonl log && mkdir shop.state/audit/audit.jsonl &&
	is_unknown audit mg shop rollback shop --to 4 && rmdir shop.state/audit/audit.jsonl &&
	mv log shop.state/audit/audit.jsonl && mg shop models shop --json | diff before - &&
	mg shop rollback shop --to 4 && audit_valid shop
'

# --- with a stage at work ---

test_expect 'a stage at work in PROD is waited for' '
	podman_does shop hold && cd work && git switch -q dev && commit score.py && expect_accept git push origin dev &&
	expect_accept merge_push dev main && mg shop cancel "$(newest)" && expect_accept merge_push main prod &&
	id=$(newest) && mg shop play "$id" build &&
	background modelgate --repo "$T/shop.git" run --drain && runner=$! &&
	wait_for 30 stage_is shop "$id" build running && n=$(rolled_back) &&
	background modelgate --repo "$T/shop.git" rollback shop --to 2 && back=$! &&
	wait_for 30 sh -c "ls -l /proc/$back/fd | grep -q \"\\.lock\"" && same "$n" "$(rolled_back)" && let_go shop &&
	wait "$back" && wait "$runner" && stage_is shop "$id" build success && same $((n + 1)) "$(rolled_back)" &&
	mg shop models --json | json models.0.production | grep -x 2 &&
	same "stage.finished model.rolledback" "$(sed -n "s/.*\"event\":\"\(stage.finished\|model.rolledback\)\".*/\1/p" \
		"$(audit shop)" | tail -n 2 | paste -s -d " ")"
'

test_done
