#!/bin/sh
# What a hand can do to pipelines, and what time, failure and newer pipelines do to them.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

me=$(id -un)

# Merge a new model from dev into main, both pushed at once.
next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

# Bring main to prod.
next_prod() {
	git switch -q prod && merge_in main && expect_accept git push origin prod
}

audited() {
	same "$1" "$(shift && audit_count shop "$@")"
}

# Run what can be run in the background; RUNNER is its process.
start_runner() {
	background modelgate --repo "$T/$1.git" run --drain
	RUNNER=$!
}

attempt_is() {
	same "$3" "$(pipeline "$1" "$2" stages.0.attempt)"
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

new_server shop
new_project shop work || test_bail 'no project'

# --- play ---

test_expect 'a chain of PROD waits for a hand at each stage' '
	cd work && next_main one && drain shop && pipeline_is shop 1 success &&
	next_prod && said "modelgate: pipeline 2 created: chain prod on prod" &&
	drain shop && pipeline_is shop 2 manual &&
	stages_are shop 2 manual created created
'

test_expect 'a stage whose predecessors have not succeeded cannot be played' '
	is_no "stage deploy is created: the stages before it have not succeeded; next: modelgate play 2 build" \
		mg shop play 2 deploy &&
	stages_are shop 2 manual created created && audited 0 event=stage.played
'

test_expect 'play queues the stage, and the runner runs this one alone' '
	same "pipeline 2 (shop, prod at $(tip shop prod | cut -c 1-7)): stage build is queued" \
		"$(mg shop play 2 build)" && stages_are shop 2 pending created created &&
	audited 1 event=stage.played pipeline=2 stage=build status=played "actor.name=$me" &&
	drain shop && stages_are shop 2 success manual created && pipeline_is shop 2 manual
'

test_expect 'what is done or not there is not played, and the words say so' '
	is_no "stage build is success: it is done" mg shop play 2 build &&
	is_no "stage stage-model is created" mg shop play 2 stage-model &&
	is_no "pipeline 2 (chain prod) has no stage create-model; it has build, deploy, stage-model" \
		mg shop play 2 create-model &&
	is_no "there is no pipeline 99" mg shop play 99 build &&
	is_no "only a failed stage is run again" mg shop retry 2 build &&
	is_no "start it with modelgate play 2 deploy" mg shop retry 2 deploy &&
	is_no "stage build is success" mg shop play 1 build &&
	mg shop play 2 deploy &&
	is_no "stage deploy is pending: it starts as soon as the runner comes to it" \
		mg shop play 2 deploy &&
	is_no "stage deploy is pending" mg shop retry 2 deploy &&
	audited 2 event=stage.played
'

# --- cancel ---

test_expect 'cancel ends what waits; it cannot be canceled, played or retried again' '
	same "pipeline 2 (shop, prod at $(tip shop prod | cut -c 1-7)): canceled" "$(mg shop cancel 2)" &&
	pipeline_is shop 2 canceled &&
	stages_are shop 2 success canceled canceled &&
	audited 1 event=pipeline.canceled pipeline=2 status=canceled "actor.name=$me" &&
	audited 1 event=pipeline.finished pipeline=2 status=canceled &&
	is_no "pipeline 2 has ended (canceled): there is nothing to cancel" mg shop cancel 2 &&
	is_no "a canceled pipeline does not go on; for a new one, merge something new into its source and that into prod" \
		mg shop play 2 deploy &&
	{ mg shop cancel --help | grep "cannot be undone"; } &&
	is_no "a canceled pipeline does not go on" mg shop retry 2 deploy &&
	is_no "there is nothing to cancel" mg shop cancel 1 &&
	drain shop && stages_are shop 2 success canceled canceled
'

test_expect 'cancel ends a stage that runs, with all that it has started' '
	podman_does shop "sleep 300 & echo \$! >\$state/child; echo \$\$ >\$state/parent; wait" &&
	cd work && next_main two && pipeline_is shop 3 pending && start_runner shop &&
	wait_for 10 test -s "$(state shop)/child" && stage_is shop 3 build running &&
	child=$(cat "$(state shop)/child") && kill -0 "$child" &&
	is_no "stage build is running: it has been started" mg shop play 3 build &&
	is_no "stage build is running" mg shop retry 3 build &&
	mg shop cancel 3 &&
	wait_for 10 is_gone "$RUNNER" &&
	stages_are shop 3 canceled canceled canceled canceled && pipeline_is shop 3 canceled &&
	audited 1 event=pipeline.canceled pipeline=3 "actor.name=$me" &&
	audited 1 event=stage.finished pipeline=3 stage=build status=canceled &&
	wait_for 5 is_gone "$(cat "$(state shop)/parent")" && wait_for 5 is_gone "$child" &&
	wait_for 5 is_quiet shop
'

# --- time-out ---

test_expect 'a stage that takes too long is ended, with all that it has started' '
	rm "$(state shop)/child" && server_set shop runner stage-timeout 1 &&
	cd work && next_main three && drain shop &&
	stages_are shop 4 failed created created created && pipeline_is shop 4 failed &&
	same "timed out after 1 s" "$(pipeline shop 4 stages.0.message)" &&
	same 1 "$(pipeline shop 4 stages.0.attempt)" &&
	audited 1 event=stage.finished pipeline=4 stage=build status=failed &&
	wait_for 5 is_gone "$(cat "$(state shop)/child")" && wait_for 5 is_quiet shop
'

test_expect 'also if it does not heed SIGTERM' '
	rm "$(state shop)/child" &&
	podman_does shop "trap \"\" TERM; sleep 300 & echo \$! >\$state/child; wait" &&
	mg shop retry 4 build && drain shop &&
	stages_are shop 4 failed created created created &&
	same 2 "$(pipeline shop 4 stages.0.attempt)" &&
	wait_for 5 is_gone "$(cat "$(state shop)/child")" && wait_for 5 is_quiet shop
'

test_expect 'its tools have time to clean up' '
	rm "$(state shop)/child" &&
	podman_does shop "trap \"sleep 0.5; : >\$state/cleaned; exit 1\" TERM; sleep 300 & echo \$! >\$state/child; wait" &&
	mg shop retry 4 build && drain shop && [ -e "$(state shop)/cleaned" ] &&
	same "timed out after 1 s" "$(pipeline shop 4 stages.0.message)" && wait_for 5 is_quiet shop &&
	server_set shop runner stage-timeout 3600
'

# --- failure ---

test_expect 'a failed stage leaves those after it where they are' '
	server_set shop build engine archive && cd work && next_main four &&
	object=$MODEL_OBJECT && mv "$object" "$T/kept" && drain shop &&
	stages_are shop 5 failed created created created && pipeline_is shop 5 failed &&
	same 1 "$(pipeline shop 5 stages.0.attempt)" &&
	pipeline shop 5 stages.0.message | grep -F "$MODEL_MD5" &&
	mg shop logs 5 build | grep -F "$object" &&
	audited 1 event=stage.finished pipeline=5 stage=build status=failed &&
	audited 1 event=pipeline.finished pipeline=5 status=failed &&
	is_no "run it again with modelgate retry 5 build" mg shop play 5 build &&
	is_no "the stages before it have not succeeded; next: modelgate retry 5 build" \
		mg shop retry 5 create-model &&
	same "modelgate logs 5 build" "$(mg shop status 5 | tail -n 1)"
'

test_expect 'the stage fails again as long as the reason is there' '
	mg shop retry 5 build && drain shop && stages_are shop 5 failed created created created &&
	same 2 "$(pipeline shop 5 stages.0.attempt)"
'

test_expect 'and the pipeline goes on when it has gone' '
	mv "$T/kept" "$object" && mg shop retry 5 build &&
	audited 2 event=stage.played pipeline=5 stage=build status=retried "actor.name=$me" &&
	drain shop && stages_are shop 5 success success success success &&
	pipeline_is shop 5 success && same 3 "$(pipeline shop 5 stages.0.attempt)" &&
	audited 1 event=pipeline.finished pipeline=5 status=success
'

test_expect 'an object of another content is no model, whatever its name is' '
	cd work && next_main five && object=$MODEL_OBJECT &&
	echo other >"$object" && drain shop && stages_are shop 6 failed created created created &&
	pipeline shop 6 stages.0.message | grep -F "$MODEL_MD5" &&
	echo five >"$object" && mg shop retry 6 build && drain shop && pipeline_is shop 6 success
'

test_expect 'a passing failure is tried again, so many times' '
	podman_does shop ":" && cp "$(state shop)/podman" "$T/podman" &&
	printf "#!/bin/sh\nexit 1\n" >"$(state shop)/podman" &&
	server_set shop runner retries 1 && cd work && next_main six && drain shop &&
	stages_are shop 7 failed created created created &&
	same 2 "$(pipeline shop 7 stages.0.attempt)" &&
	pipeline shop 7 stages.0.message | grep -F "podman does not answer" &&
	audited 2 event=stage.finished pipeline=7 stage=build status=failed
'

test_expect 'and goes on by itself if the reason passes' '
	server_set shop runner retries 4 &&
	mg shop retry 7 build && start_runner shop &&
	wait_for 10 attempt_is shop 7 3 &&
	mv "$T/podman" "$(state shop)/podman" &&
	wait_for 10 pipeline_is shop 7 success && wait_for 10 is_gone "$RUNNER"
'

# --- overtaken ---

test_expect 'two pipelines of a ref may wait side by side' '
	server_set shop build engine archive && cd work && next_prod &&
	next_main seven && drain shop && next_prod && drain shop &&
	stages_are shop 8 manual created created && stages_are shop 10 manual created created
'

test_expect 'once the newer has started, the older is skipped, and play says so' '
	mg shop play 10 build && stages_are shop 8 manual created created && drain shop &&
	stages_are shop 10 success manual created &&
	stages_are shop 8 skipped skipped skipped && pipeline_is shop 8 skipped &&
	audited 1 event=pipeline.finished pipeline=8 status=skipped &&
	is_no "a newer pipeline of the branch has started" mg shop play 8 build &&
	is_no "a newer pipeline of the branch has started" mg shop retry 8 build &&
	pipeline shop 8 stages.0.message | grep -F "pipeline 10 is newer"
'

test_expect 'a pipeline that is half done is overtaken too: what was done stays' '
	cd work && next_main eight && drain shop && next_prod && mg shop play 12 build &&
	drain shop && stages_are shop 10 success skipped skipped &&
	stages_are shop 12 success manual created &&
	is_no "a newer pipeline of the branch has started" mg shop play 10 deploy
'

# --- repositories of one state ---

test_expect 'a pipeline of another repository than the one named is left alone' '
	new_server other && server_set other modelgate state "$(state shop)" &&
	for call in "play 12 deploy" "retry 12 deploy" "cancel 12"; do
		is_no "pipeline 12 belongs to $T/shop.git" mg other $call || return 1
	done &&
	stages_are shop 12 success manual created && pipeline_is shop 12 manual
'

test_expect 'with none named, every pipeline of the state is at hand' '
	is_no "stage build is success: it is done" \
		modelgate --config "$(server_file shop)" play 12 build &&
	is_no "there is no pipeline 99" modelgate --config "$(server_file shop)" cancel 99
'

# --- roles ---

test_expect 'who lacks the role of a chain plays, retries and cancels none of its stages' '
	server_set shop "role \"release\"" members somebody-else &&
	server_set shop "chain \"prod\"" roles release &&
	played=$(audit_count shop event=stage.played) &&
	is_no "$me may not play stages of chain prod: that takes the role release" \
		mg shop play 12 deploy &&
	is_no "$me may not retry stages of chain prod" mg shop retry 12 deploy &&
	is_no "$me may not cancel pipelines of chain prod" mg shop cancel 12 &&
	stages_are shop 12 success manual created && pipeline_is shop 12 manual &&
	audited "$played" event=stage.played
'

test_expect 'who has it does' '
	server_set shop "role \"release\"" members "somebody-else, $me" &&
	mg shop play 12 deploy && drain shop && stages_are shop 12 success success manual &&
	audited 1 event=stage.played pipeline=12 stage=deploy "actor.name=$me" \
		"actor.id=uid-$(id -u)" actor.protocol=local
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'root acts as the user who has called sudo' '
		nobody=$(getent passwd 65534 | cut -d : -f 1) &&
		SUDO_UID=65534 && export SUDO_UID &&
		is_no "$nobody may not play stages of chain prod" mg shop play 12 stage-model &&
		server_set shop "role \"release\"" members "$nobody" &&
		mg shop play 12 stage-model && unset SUDO_UID &&
		audited 1 event=stage.played pipeline=12 stage=stage-model "actor.name=$nobody" \
			actor.id=uid-65534 &&
		drain shop && pipeline_is shop 12 success
	'
else
	test_expect 'who is not root cannot say to be another' '
		server_set shop "role \"release\"" members nobody && SUDO_UID=65534 &&
		export SUDO_UID &&
		is_no "$me may not play stages of chain prod" mg shop play 12 stage-model &&
		unset SUDO_UID && server_set shop "role \"release\"" members "$me" &&
		mg shop play 12 stage-model && drain shop && pipeline_is shop 12 success
	'
fi

# --- landings that post-receive did not see ---

count_pipelines() {
	mg shop status --limit 1000 --json | json "pipelines.*.id" | wc -l
}

drained_to() {
	drain shop && same "$1" "$(count_pipelines)"
}

test_expect 'a landing that post-receive never saw gets its one pipeline from the runner' '
	mv shop.git/hooks/post-receive kept && cd work && next_main nine && said_not pipeline &&
	mv "$T/kept" "$T/shop.git/hooks/post-receive" && same 12 "$(count_pipelines)" &&
	wait_for 15 drained_to 13 && pipeline_is shop 13 success &&
	same "$(tip shop main)" "$(pipeline shop 13 sha)" &&
	audited 1 event=pipeline.reconciled pipeline=13 "refs.0.new=$(tip shop main)" &&
	audited 0 event=pipeline.created pipeline=13 &&
	audited 1 event=ref.updated "refs.0.new=$(tip shop main)" refs.0.ref=refs/heads/main
'

test_expect 'or from the next push, which shows that it was' '
	mv shop.git/hooks/post-receive kept && cd work && next_main ten && said_not pipeline &&
	unseen=$(tip shop main) && mv "$T/kept" "$T/shop.git/hooks/post-receive" &&
	next_main eleven && said "pipeline 15 created" && same 15 "$(count_pipelines)" &&
	same "$unseen" "$(pipeline shop 14 sha)" &&
	same "$(tip shop main)" "$(pipeline shop 15 sha)" &&
	audited 1 event=pipeline.reconciled pipeline=14 && audited 1 event=pipeline.created pipeline=15
'

test_expect 'post-receive and the runner together make no second one' '
	drain shop && pipeline_is shop 14 success && pipeline_is shop 15 success &&
	same 15 "$(count_pipelines)" &&
	same 15 "$(mg shop status --limit 1000 --json | json "pipelines.*.sha" | sort -u | wc -l)" &&
	same 15 "$(audit_count shop "event=pipeline.*ed" "refs.*.new=*")"
'

test_expect 'of all this the audit log is valid, and nothing is left over' '
	audit_valid shop && is_quiet shop && same "" "$(ls "$(state shop)/work")"
'

test_done
