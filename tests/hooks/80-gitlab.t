#!/bin/sh
# The launcher gitlab: pipelines are made on GitLab, once, followed to their ends, and moved on there.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/gitlab-api.sh"
. "$TEST_LIB/deploy.sh"

new_gitlab shop
start_gitlab_api || test_bail 'no GitLab'
use_gitlab shop || test_bail 'no launcher'
new_project shop work || test_bail 'no project'

# A commit on dev that is merged into main, and pushed; N is the pipeline that it made, ours.
to_main() {
	cd "$T/work" && git fetch -q origin && git switch -q dev && commit work.txt && git switch -q main &&
		merge_in dev && expect_accept gitlab_push -q origin dev main && cd "$T" &&
		N=$(mg shop status --limit 1 --json | json pipelines.0.id)
}

# main merged into a branch.
from_main_to() {
	cd "$T/work" && git fetch -q origin && git switch -q "$1" && git reset -q --hard "origin/$1" &&
		merge_in main && expect_accept gitlab_push -q origin "$1" && cd "$T" &&
		N=$(mg shop status --limit 1 --json | json pipelines.0.id)
}

news_to_prod() {
	to_main && settle shop && from_main_to prod
}

message() {
	gitlab_of shop "$1" message
}

message_says() {
	message "$1" >"$T/message" && grep -qF -e "$2" "$T/message" && return
	cat "$T/message"
	return 1
}

fails_with() { # ID STAGE TEXT
	pipeline shop "$1" stages.0.message >"$T/message" && stage_is shop "$1" "$2" failed &&
		grep -qF -e "$3" "$T/message" && return
	cat "$T/message"
	return 1
}

# Looks until CMD succeeds; the double works meanwhile.
followed_until() {
	followed_tries=0
	until "$@" >/dev/null 2>&1; do
		followed_tries=$((followed_tries + 1))
		[ "$followed_tries" -lt 200 ] || return 1
		follow shop || return 1
	done
}

made_is() {
	same "$1" "$(gitlab_made)"
}

made_jobs_are() {
	same "$1" "$(gitlab_jobs "$(gitlab_made)")"
}

is_made() {
	gitlab_of shop "$1" pipeline_id
}

is_not_made() {
	! is_made "$1" 2>/dev/null
}

# A push to main whose pipeline ends well, and of which GitLab has made exactly one.
one_is_made() {
	one_before=$(gitlab_made) && to_main && "$@" && settle shop && pipeline_is shop "$N" success &&
		same $((one_before + 1)) "$(gitlab_made)"
}

test_expect 'a merge into main makes a pipeline on GitLab, whose jobs are followed to their end' '
	to_main && said "modelgate: pipeline 1 created: chain dev on main" &&
	settle shop && pipeline_is shop 1 success && stages_are shop 1 success success success success &&
	same 1 "$(gitlab_made)" && same "$(gitlab_id 1)" "$(gitlab_of shop 1 pipeline_id)" &&
	same "$(tip shop main)" "$(gitlab_of shop 1 sha)" &&
	mg shop status 1 >out && grep -qF "pipeline $(gitlab_id 1), $GITLAB_URL/models/shop/-/pipelines/" out
'

test_expect 'its jobs are told what they are about' '
	same dev "$(gitlab_var 1 MODELGATE_CHAIN)" && same 1 "$(gitlab_var 1 MODELGATE_PIPELINE)" &&
	same shop "$(gitlab_var 1 MODELGATE_PROJECT)" &&
	same "$(tip shop main)" "$(gitlab_var 1 MODELGATE_SHA)" &&
	same refs/heads/dev "$(gitlab_var 1 MODELGATE_SOURCE)" &&
	same project-5 "$(gitlab_var 1 MODELGATE_OWNER)" && same ivanov "$(gitlab_var 1 MODELGATE_USER)" &&
	same modelgate "$(gitlab_var 1 MODELGATE_RUNNER_TAG)"
'

test_expect 'what came about there is in the audit log, with the address of each job, and in the logs' '
	audit_has shop event=stage.started pipeline=1 stage=build "reason=$GITLAB_URL/models/shop/-/jobs/*" &&
	same 4 "$(audit_count shop event=stage.finished pipeline=1 status=success)" &&
	audit_has shop event=pipeline.finished pipeline=1 status=success && audit_valid shop &&
	mg shop logs 1 build >out && grep -q "GitLab.s job [0-9]*, http" out && grep -qx pretended out &&
	same pretended "$(pipeline shop 1 facts.engine)"
'

test_expect 'a chain that is started by hand is there at once, and waits, in GitLab as here' '
	from_main_to prod && settle shop && pipeline_is shop "$N" manual &&
	same "build:manual deploy:created stage-model:created" "$(gitlab_jobs 2)"
'

test_expect 'play acts on GitLab' '
	is_no "is created" mg shop play "$N" deploy && mg shop play "$N" build && settle shop &&
	stages_are shop "$N" success manual created &&
	same "build:success deploy:manual stage-model:created" "$(gitlab_jobs 2)"
'

test_expect 'who presses the button on the page has played, under the name that GitLab knows' '
	gitlab_api POST "jobs/$(gitlab_job_id 2 prod:deploy)/play" &&
	followed_until stages_are shop "$N" success success manual &&
	audit_has shop event=stage.played pipeline="$N" stage=deploy status=played actor.name=petrova \
		actor.id=user-18 actor.protocol=gitlab
'

test_expect 'a job that fails is a stage that fails; retry runs another job' '
	gitlab_says "{\"take\": \"nothing\"}" && mg shop play "$N" stage-model &&
	followed_until stage_is shop "$N" stage-model pending && follow shop &&
	job=$(gitlab_job_id 2 prod:stage-model) && gitlab_job "$(gitlab_id 2)" prod:stage-model running &&
	followed_until stage_is shop "$N" stage-model running &&
	gitlab_job "$(gitlab_id 2)" prod:stage-model failed "\"report\": {\"stage\": \"stage-model\",
		\"message\": \"no such version\", \"passing\": false, \"facts\": {}}, \"trace\": \"it was so\"" &&
	followed_until pipeline_is shop "$N" failed &&
	same "no such version" "$(pipeline shop "$N" stages.2.message)" &&
	mg shop logs "$N" stage-model >out && grep -qx "it was so" out &&
	mg shop retry "$N" stage-model && gitlab_says "{\"take\": \"pretend\"}" && settle shop &&
	pipeline_is shop "$N" success && [ "$(gitlab_job_id 2 prod:stage-model)" -gt "$job" ] &&
	same 2 "$(pipeline shop "$N" stages.2.attempt)"
'

test_expect 'a failure that passes is tried again by itself' '
	gitlab_says "{\"take\": \"nothing\"}" && to_main && followed_until made_is 3 &&
	id=$(gitlab_id 3) && gitlab_job "$id" dev:build failed "\"report\": {\"stage\": \"build\",
		\"message\": \"the registry is away\", \"passing\": true, \"facts\": {}}" &&
	followed_until audit_has shop event=stage.finished pipeline="$N" stage=build status=failed \
		"reason=*registry is away*" && stage_is shop "$N" build pending &&
	gitlab_says "{\"take\": \"pretend\"}" && followed_until pipeline_is shop "$N" success &&
	same 2 "$(pipeline shop "$N" stages.0.attempt)"
'

test_expect 'a job that is run again on the page is an attempt in the name of who did it' '
	gitlab_says "{\"take\": \"nothing\"}" && to_main && followed_until made_is 4 &&
	gitlab_job "$(gitlab_id 4)" dev:build failed && followed_until pipeline_is shop "$N" failed &&
	fails_with "$N" build "script_failure" &&
	gitlab_api POST "jobs/$(gitlab_job_id 4 dev:build)/retry" && gitlab_says "{\"take\": \"pretend\"}" &&
	followed_until pipeline_is shop "$N" success &&
	audit_has shop event=stage.played pipeline="$N" stage=build status=retried actor.name=petrova
'

test_expect 'cancel ends it there' '
	gitlab_says "{\"take\": \"nothing\"}" && to_main && followed_until made_is 5 &&
	gitlab_job "$(gitlab_id 5)" dev:build running && followed_until stage_is shop "$N" build running &&
	mg shop cancel "$N" && followed_until stages_are shop "$N" canceled canceled canceled canceled &&
	same "build:canceled create-model:canceled deploy:canceled stage-model:canceled" "$(gitlab_jobs 5)"
'

test_expect 'and what is canceled there is canceled here' '
	to_main && followed_until made_is 6 && gitlab_job "$(gitlab_id 6)" dev:build running &&
	followed_until stage_is shop "$N" build running && gitlab_api POST "pipelines/$(gitlab_id 6)/cancel" &&
	followed_until pipeline_is shop "$N" canceled && stages_are shop "$N" canceled canceled canceled canceled &&
	audit_has shop event=pipeline.canceled pipeline="$N" actor.id=unknown actor.protocol=gitlab
'

test_expect 'of two pipelines of one environment the second is made when the first has ended' '
	to_main && first=$N && to_main && followed_until made_is 7 && follow shop && follow shop &&
	same 7 "$(gitlab_made)" && pipeline_is shop "$N" pending &&
	gitlab_says "{\"take\": \"pretend\"}" && settle shop && pipeline_is shop "$first" success &&
	pipeline_is shop "$N" success && same 8 "$(gitlab_made)"
'

test_expect 'a newer pipeline that starts overtakes the older one, there too' '
	from_main_to prod && older=$N && settle shop && to_main && settle shop && from_main_to prod && settle shop &&
	pipeline_is shop "$older" manual && mg shop play "$N" build && settle shop &&
	pipeline_is shop "$older" skipped && stages_are shop "$N" success manual created &&
	is_no "a newer pipeline of the branch has started" mg shop play "$older" build
'

test_expect 'logs --follow goes on to the end of the job' '
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) && to_main && followed_until made_is $((made + 1)) &&
	id=$(gitlab_of shop "$N" pipeline_id) && gitlab_job "$id" dev:build running &&
	followed_until stage_is shop "$N" build running &&
	{ mg shop logs "$N" build --follow >"$T/followed" & } && following=$! && TEST_PIDS="$TEST_PIDS $following" &&
	wait_for 10 grep -q "GitLab.s job" "$T/followed" &&
	gitlab_job "$id" dev:build success "\"trace\": \"and that was it\"" && follow shop && wait "$following" &&
	grep -qx "and that was it" followed && gitlab_says "{\"take\": \"pretend\"}" && settle shop &&
	pipeline_is shop "$N" success
'

test_expect 'a job that GitLab itself runs again, as retry: in its file says, is not run a third time' '
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) && to_main &&
	followed_until made_is $((made + 1)) && id=$(gitlab_id $((made + 1))) && gitlab_job "$id" dev:build running &&
	followed_until stage_is shop "$N" build running && gitlab_job "$id" dev:build failed "\"report\":
		{\"stage\": \"build\", \"message\": \"busy\", \"passing\": true, \"facts\": {}},
		\"trace\": \"it was busy\"" &&
	gitlab_api POST "jobs/$(gitlab_job_id $((made + 1)) dev:build)/retry" && gitlab_job "$id" dev:build running &&
	followed_until audit_has shop event=stage.finished pipeline="$N" stage=build reason=busy && follow shop &&
	gitlab_job "$id" dev:build success "\"report\": {\"stage\": \"build\", \"facts\": {\"tried\": \"twice\"}},
		\"trace\": \"it was done\"" &&
	gitlab_says "{\"take\": \"pretend\"}" && followed_until pipeline_is shop "$N" success &&
	same "build:failed build:success create-model:success deploy:success stage-model:success" \
		"$(gitlab_jobs $((made + 1)))" &&
	same 2 "$(pipeline shop "$N" stages.0.attempt)" && same twice "$(pipeline shop "$N" facts.tried)" &&
	mg shop logs "$N" build >out && same "it was busy,it was done" "$(grep "^it was" out | paste -s -d ,)"
'

test_expect 'a button that is left after a cancel: what is pressed is canceled again' '
	from_main_to prod && settle shop && mg shop cancel "$N" && settle shop && pipeline_is shop "$N" canceled &&
	made_jobs_are "build:manual deploy:canceled stage-model:canceled" &&
	gitlab_says "{\"take\": \"nothing\"}" && gitlab_api POST "jobs/$(gitlab_job_id "$(gitlab_made)" prod:build)/play" &&
	followed_until made_jobs_are "build:canceled deploy:canceled stage-model:canceled" &&
	pipeline_is shop "$N" canceled && same 0 "$(audit_count shop event=stage.played pipeline="$N")" &&
	gitlab_says "{\"take\": \"pretend\"}"
'

test_expect 'pipelines of a branch are made in the order of their landings, also after an outage' '
	news_to_prod && older=$N && gitlab_fault "GET .*/repository/commits/[0-9a-f]*$" status \
		"\"status\": 429, \"retry_after\": 600" && follow shop && message_says "$older" "status 429" &&
	news_to_prod && mg shop run --follow && mg shop run --follow && is_not_made "$N" && is_not_made "$older" &&
	followed_until is_made "$N" && [ "$(gitlab_of shop "$older" pipeline_id)" -lt "$(gitlab_of shop "$N" pipeline_id)" ]
'

test_expect 'a project that the token is not shown for a moment: nothing is made anew, nothing fails' '
	made=$(gitlab_made) && id=$(gitlab_of shop "$N" pipeline_id) && mg shop play "$N" build &&
	gitlab_says "{\"take\": \"nothing\"}" && followed_until made_jobs_are "build:pending deploy:created stage-model:created" &&
	gitlab_says "{\"token\": {\"glpat-else\": {\"user\": 900, \"name\": \"modelgate-bot\", \"scopes\": [\"api\"],
		\"level\": 40, \"projects\": [6]}}}" && echo glpat-else >token && follow shop && follow shop &&
	message_says "$N" "404 Project Not Found" && stage_is shop "$N" build pending &&
	echo glpat-modelgate >token && gitlab_says "{\"take\": \"pretend\"}" &&
	followed_until stages_are shop "$N" success manual created && same "$made" "$(gitlab_made)" &&
	same "$id" "$(gitlab_of shop "$N" pipeline_id)"
'

test_expect 'who may play is handed to the jobs, with our own user' '
	same "" "$(gitlab_var "$(gitlab_made)" MODELGATE_PLAYERS)" && server_set shop "role \"release\"" members "sidorov, user-77" &&
	server_set shop "chain \"prod\"" roles release && news_to_prod && settle shop &&
	same "user-900,sidorov,user-77" "$(gitlab_var "$(gitlab_made)" MODELGATE_PLAYERS)" &&
	server_set shop "chain \"prod\"" roles ""
'

# --- exactly once ---

test_expect 'an answer that is lost: the pipeline that was made is found, and no second one is made' '
	one_is_made gitlab_fault "POST .*/pipeline$" drop
'

test_expect 'half of an answer: the same' '
	one_is_made gitlab_fault "POST .*/pipeline$" garbage
'

test_expect 'a request that was not carried out is sent again' '
	one_is_made gitlab_fault "POST .*/pipeline$" status "\"status\": 500"
'

test_expect 'a request that is carried out when its asker has gone: no second one is sent meanwhile' '
	one_is_made gitlab_fault "POST .*/pipeline$" late "\"seconds\": 4"
'

test_expect 'a GitLab that is away at first, as its own nginx says: nothing is lost, nothing starts twice' '
	one_is_made gitlab_says "{\"down\": 4}"
'

test_expect 'one that asks to wait is waited for' '
	to_main && gitlab_fault "GET .*/repository/commits/[0-9a-f]*$" status "\"status\": 429, \"retry_after\": 600" &&
	follow shop && message_says "$N" "status 429" && before=$(gitlab_requests .) && mg shop run --follow &&
	same "$before" "$(gitlab_requests .)" &&
	python3 -c "
import sqlite3, sys, time
(at,) = sqlite3.connect(sys.argv[1]).execute(\"SELECT next_at FROM remote WHERE pipeline = ?\", (sys.argv[2],)).fetchone()
assert 590 < at / 1e6 - time.time() <= 600, at" "$(state shop)/store.db" "$N" &&
	follow shop && settle shop && pipeline_is shop "$N" success
'

many_faults() {
	gitlab_fault "GET .*/merge_requests" status '"status": 503' &&
		gitlab_fault "GET .*/jobs$" status '"status": 500' && gitlab_fault "GET .*/trace" refuse &&
		gitlab_fault "GET .*/artifacts/" drop && gitlab_fault "GET .*/jobs$" garbage
}

test_expect 'faults at each other request change nothing about the end' '
	one_is_made many_faults
'

# --- what lasts ---

test_expect 'a token that is not valid: the pipeline fails, and says what is missing' '
	echo glpat-nobody >token && to_main && settle shop && pipeline_is shop "$N" failed &&
	fails_with "$N" build "the token in $T/token ([launcher] token-file) is not valid" &&
	fails_with "$N" build "with the scope api"
'

test_expect 'and goes on when it is mended' '
	echo glpat-modelgate >token && mg shop retry "$N" build && settle shop && pipeline_is shop "$N" success
'

test_expect 'a token without the scope' '
	echo glpat-read >token && to_main && settle shop &&
	fails_with "$N" build "lacks the scope api (status 403" && echo glpat-modelgate >token
'

test_expect 'a user without the role for variables' '
	gitlab_says "{\"token\": {\"glpat-developer\": {\"user\": 902, \"name\": \"d\", \"scopes\": [\"api\"],
		\"level\": 30, \"projects\": [5]}}}" && echo glpat-developer >token && to_main && settle shop &&
	fails_with "$N" build "Insufficient permissions to set pipeline variables" &&
	fails_with "$N" build "minimum role to use pipeline variables" && echo glpat-modelgate >token
'

test_expect 'a user who is no member of the project' '
	gitlab_says "{\"token\": {\"glpat-else\": {\"user\": 903, \"name\": \"e\", \"scopes\": [\"api\"],
		\"level\": 40, \"projects\": [6]}}}" && echo glpat-else >token && to_main && settle shop &&
	fails_with "$N" build "404 Project Not Found" && echo glpat-modelgate >token
'

test_expect 'a token that others may read is not used' '
	chmod 644 token && to_main && settle shop && fails_with "$N" build "token-file" &&
	fails_with "$N" build "chmod" && chmod 600 token && mg shop retry "$N" build && settle shop &&
	pipeline_is shop "$N" success
'

test_expect 'while a job runs, a token that has expired stops nothing' '
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) && to_main &&
	followed_until made_is $((made + 1)) && id=$(gitlab_of shop "$N" pipeline_id) &&
	gitlab_job "$id" dev:build running && followed_until stage_is shop "$N" build running &&
	echo glpat-nobody >token && follow shop && stage_is shop "$N" build running &&
	message_says "$N" "is not valid" && echo glpat-modelgate >token && gitlab_says "{\"take\": \"pretend\"}" &&
	gitlab_job "$id" dev:build success && followed_until pipeline_is shop "$N" success
'

test_expect 'a pipeline that was deleted on GitLab: the stage fails, and retry makes another one' '
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) && to_main &&
	followed_until made_is $((made + 1)) && id=$(gitlab_of shop "$N" pipeline_id) &&
	gitlab_says "{\"delete\": $id}" && followed_until pipeline_is shop "$N" failed &&
	fails_with "$N" build "is gone" && gitlab_says "{\"take\": \"pretend\"}" && mg shop retry "$N" build &&
	settle shop && pipeline_is shop "$N" success && [ "$(gitlab_of shop "$N" pipeline_id)" != "$id" ]
'

test_expect 'jobs that do not wait for a hand, where the chain does: canceled, and nobody has played' '
	gitlab_says "{\"automatic\": 1, \"take\": \"nothing\"}" && from_main_to prod && follow shop && follow shop &&
	pipeline_is shop "$N" manual && message_says "$N" "GitLab has started the job prod:build by itself" &&
	followed_until made_jobs_are "build:canceled deploy:canceled stage-model:canceled" &&
	same 0 "$(audit_count shop event=stage.played pipeline="$N")" &&
	gitlab_says "{\"automatic\": 0, \"take\": \"pretend\"}" && mg shop play "$N" build && settle shop &&
	stages_are shop "$N" success manual created
'

# --- what GitLab takes instead of our commit ---

test_expect 'the branch moved on before GitLab came to it: the jobs check out ours' '
	to_main && ours=$(tip shop main) && cd work && git switch -q dev && commit more.txt && git switch -q main &&
	merge_in dev && cd "$T" && newer=$(git -C work rev-parse main) &&
	git -C shop.git fetch -q "$T/work" main &&
	gitlab_fault "POST .*/pipeline$" race "\"project\": 5, \"ref\": \"main\", \"to\": \"$newer\"" &&
	settle shop && pipeline_is shop "$N" success && same "$newer" "$(gitlab_of shop "$N" sha)" &&
	same "$ours" "$(gitlab_var "$(gitlab_made)" MODELGATE_SHA)" &&
	git -C shop.git update-ref refs/heads/main "$ours" && git -C work reset -q --hard "$ours"
'

test_expect 'it was moved to something else: canceled, and failed' '
	to_main && ours=$(tip shop main) && other=$(git -C shop.git commit-tree -m other "$ours^{tree}") &&
	gitlab_says "{\"take\": \"nothing\"}" &&
	gitlab_fault "POST .*/pipeline$" race "\"project\": 5, \"ref\": \"main\", \"to\": \"$other\"" &&
	followed_until pipeline_is shop "$N" failed && fails_with "$N" build "does not hold" && follow shop &&
	same "build:canceled create-model:canceled deploy:canceled stage-model:canceled" \
		"$(gitlab_jobs "$(gitlab_made)")" &&
	git -C shop.git update-ref refs/heads/main "$ours" && gitlab_says "{\"take\": \"pretend\"}" &&
	mg shop retry "$N" build && settle shop && pipeline_is shop "$N" success
'

test_expect 'one of no use whose cancel does not get through: it is canceled before another one is made' '
	to_main && ours=$(tip shop main) && other=$(git -C shop.git commit-tree -m other "$ours^{tree}") &&
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) &&
	gitlab_fault "POST .*/pipeline$" race "\"project\": 5, \"ref\": \"main\", \"to\": \"$other\"" &&
	gitlab_fault "POST .*/cancel$" status "\"status\": 502, \"times\": 3" &&
	followed_until pipeline_is shop "$N" failed && git -C shop.git update-ref refs/heads/main "$ours" &&
	mg shop retry "$N" build && follow shop && same $((made + 1)) "$(gitlab_made)" && message_says "$N" "status 502" &&
	followed_until made_is $((made + 2)) &&
	same "build:canceled create-model:canceled deploy:canceled stage-model:canceled" "$(gitlab_jobs $((made + 1)))" &&
	gitlab_says "{\"take\": \"pretend\"}" && followed_until pipeline_is shop "$N" success
'

test_expect 'a configuration that cannot be used for a moment fails nothing that is on GitLab' '
	gitlab_says "{\"take\": \"nothing\"}" && made=$(gitlab_made) && to_main && followed_until made_is $((made + 1)) &&
	stage_is shop "$N" build pending && chmod 644 token && follow shop && stage_is shop "$N" build pending &&
	message_says "$N" chmod && chmod 600 token && gitlab_says "{\"take\": \"pretend\"}" &&
	followed_until pipeline_is shop "$N" success && same 1 "$(pipeline shop "$N" stages.0.attempt)"
'

# --- numbers and labels ---

test_expect 'a retraining is known by the number that GitLab gave its pipeline' '
	from_main_to retrain && settle shop && pipeline_is shop "$N" success &&
	id=$(gitlab_of shop "$N" pipeline_id) && day=$(date -u +%Y%m%d) &&
	cd work && git switch -q -c "retrain-$id-$day" origin/retrain && put_model fresh &&
	git branch "retrain-$N-$day" &&
	expect_reject MG203 gitlab_push -q origin "retrain-$N-$day" &&
	expect_accept gitlab_push -q origin "retrain-$id-$day"
'

test_expect 'a label of the merge request names the runner, and its words describe the model' '
	cd "$T/work" && git fetch -q origin && git switch -q dev && commit work.txt && tip=$(git rev-parse dev) &&
	gitlab_says "{\"merge_request\": {\"project\": 5, \"iid\": 7, \"commits\": [\"$tip\"], \"title\": \"Better\",
		\"description\": \"Costs \$CI_JOB_TOKEN 5%\\nless\", \"labels\": [\"model\", \"runner:gpu\"],
		\"source_branch\": \"dev\", \"target_branch\": \"main\", \"state\": \"merged\"}}" &&
	git switch -q main && git reset -q --hard origin/main && merge_in dev &&
	expect_accept gitlab_push -q origin dev main && settle shop && n=$(gitlab_made) &&
	same gpu "$(gitlab_var "$n" MODELGATE_RUNNER_TAG)" &&
	same "Better%0A%0ACosts %24CI_JOB_TOKEN 5%25%0Aless (!7)" "$(gitlab_var "$n" MODELGATE_DESCRIPTION)"
'

test_expect 'rollback does not come between while a stage of production runs on GitLab' '
	from_main_to prod && settle shop && gitlab_says "{\"take\": \"nothing\"}" &&
	mg shop play "$N" build && followed_until stage_is shop "$N" build pending && follow shop &&
	gitlab_job "$(gitlab_of shop "$N" pipeline_id)" prod:build running &&
	followed_until stage_is shop "$N" build running &&
	is_unknown "is at work in production" mg shop rollback shop &&
	gitlab_job "$(gitlab_of shop "$N" pipeline_id)" prod:build success &&
	followed_until stage_is shop "$N" build success && is_no "" mg shop rollback shop &&
	gitlab_says "{\"take\": \"pretend\"}"
'

# --- the way there ---

test_expect 'TLS with an authority of its own' '
	tls_in_front "${GITLAB_URL##*:}" &&
	server_set shop launcher url "https://127.0.0.1:$(cat "$T/.run/tls/port")" && to_main &&
	gitlab_hurry shop && settle shop && # others are looked at first, and get no further
	fails_with "$N" build "certificate" && server_set shop launcher ca-file "$T/.run/tls/ca.pem" &&
	mg shop retry "$N" build && settle shop && pipeline_is shop "$N" success &&
	server_set shop launcher url "$GITLAB_URL"
'

test_expect 'by the proxy that the surroundings name, and not where they name an exception' '
	to_main && http_proxy=http://127.0.0.1:1 follow shop && pipeline_is shop "$N" pending &&
	message_says "$N" "127.0.0.1 port 1" &&
	message_says "$N" "listing the jobs" && # of an older one, which waits for a hand: nobody else has asked in vain
	http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 settle shop && pipeline_is shop "$N" success
'

# --- check ---

checked() {
	mg shop check >checked 2>&1
	same "$1" $? && grep -qF -e "$2" checked && return
	cat checked
	return 1
}

test_expect 'check asks GitLab about the token and the project' '
	checked 0 "ok     [launcher]: GitLab at $GITLAB_URL takes the token" &&
	checked 0 "user has access level 40" &&
	checked 0 "note   [runner] wake = none"
'

test_expect 'and says what is wrong, and how to mend it' '
	echo glpat-nobody >token && checked 1 "wrong  [launcher]: GitLab, reading about the token" &&
	echo glpat-read >token && checked 1 "wrong  [launcher]: the token lacks the scope api" &&
	gitlab_says "{\"token\": {\"glpat-reporter\": {\"user\": 904, \"name\": \"r\",
		\"scopes\": [\"api\"], \"level\": 20, \"projects\": [5], \"expires_at\": \"2026-01-01\"}}}" &&
	echo glpat-reporter >token && checked 1 "user may not run pipelines" &&
	checked 1 "note   [launcher]: the token ends on 2026-01-01" &&
	chmod 644 token && checked 1 "wrong  [launcher] token-file" && chmod 600 token &&
	echo glpat-modelgate >token && server_set shop launcher url "http://127.0.0.1:1" &&
	checked 1 "see whether GitLab runs" && server_set shop launcher url "$GITLAB_URL" &&
	gitlab_says "{\"projects\": [{\"id\": 5, \"path\": \"models/shop\", \"git\": \"$T/shop.git\",
		\"protected\": [\"main\"], \"minimum_override_role\": \"developer\"}]}" &&
	checked 0 "Minimum role to use pipeline variables to Maintainer" &&
	server_set shop runner wake spawn && checked 0 "run modelgate run as a service" &&
	server_set shop runner wake none
'

test_expect 'nothing of the token is told anywhere' '
	! grep -rqF glpat-modelgate shop.state && audit_valid shop
'

test_done
