#!/bin/sh
# Which version of a model reaches PROD: by the content of the model in the commit, never merely the
# newest.  Models are one, two, ... ; "code" is a merge that changes no model.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

airflow_prod=$T/shop.state/repositories/airflow-prod.git

# main gets a model or code by way of dev, and its pipeline runs.
main_gets() {
	git switch -q dev && case $1 in
	code) commit score.py ;;
	*) put_model "$1" ;;
	esac && expect_accept git push origin dev && expect_accept merge_push dev main && drain shop
}

# The branch retrain-ID-DAY with a model, on top of START: retrained ID DAY MODEL START.
retrained() {
	git fetch -q origin && git switch -q -c "retrain-$1-$2" "$4" && put_model "$3" &&
		expect_accept git push origin "retrain-$1-$2"
}

# The id of the newest pipeline.
newest() {
	mg shop status --limit 1 --json | json pipelines.0.id
}

# prod takes what stands in $1; sets id.
prod_takes() {
	expect_accept merge_push "$1" prod && id=$(newest)
}

new_server shop
new_project shop work || test_bail 'no project'

test_expect 'the version that was merged, not the newest, also when that has archived it in Staging' '
	cd work && main_gets one && registry_is shop "1:Staging" && prod_takes main && first=$id &&
	main_gets two && registry_is shop "2:Staging 1:Archived" &&
	plays shop "$first" build deploy && registry_is shop "2:Staging 1:Archived" &&
	same 1 "$(pipeline shop "$first" facts.model_version)" && plays shop "$first" stage-model &&
	registry_is shop "2:Staging 1:Production" && pipeline_is shop "$first" success &&
	git -C "$airflow_prod" show main:dags/shop.py | grep -F "\"MODELGATE_MODEL_VERSION\": \"1\""
'

test_expect 'of two versions with one content, the one whose commit prod holds; what it replaces is archived' '
	cd work && older=$(git rev-parse origin/main) && main_gets code &&
	registry_is shop "3:Staging 2:Archived 1:Production" && prod_takes "$older" &&
	plays shop "$id" build deploy stage-model && registry_is shop "3:Staging 2:Production 1:Archived"
'

test_expect 'the newest of those that it holds' '
	cd work && prod_takes main && plays shop "$id" build deploy stage-model &&
	registry_is shop "3:Production 2:Archived 1:Archived"
'

test_expect 'a version that is in Production already: success, and nothing to do' '
	cd work && git switch -q dev && commit note.txt && expect_accept git push origin dev &&
	expect_accept merge_push dev main && mg shop cancel "$(newest)" && prod_takes main &&
	plays shop "$id" build deploy stage-model && pipeline_is shop "$id" success &&
	registry_is shop "3:Production 2:Archived 1:Archived" &&
	same 3 "$(pipeline shop "$id" facts.model_version)" &&
	logged shop "$id" stage-model "version 3: nothing to do"
'

# --- none that may be promoted ---

# dev is merged into main; its pipeline is not to run.
main_gets_unseen() {
	expect_accept git push origin dev && expect_accept merge_push dev main &&
		mg shop cancel "$(newest)"
}

test_expect 'no version: the stage fails, names the md5 and what to do; done, it goes on' '
	cd work && git switch -q dev && put_model four && main_gets_unseen && prod_takes main &&
	plays shop "$id" build && mg shop play "$id" deploy && drain shop &&
	stages_are shop "$id" success failed created &&
	same "no version of model shop has this commit'\''s model (md5 $MODEL_MD5): let it pass through the chain dev first" \
		"$(pipeline shop "$id" stages.1.message)" &&
	registry_is shop "3:Production 2:Archived 1:Archived" && main_gets code &&
	mg shop retry "$id" deploy && drain shop && plays shop "$id" stage-model &&
	registry_is shop "4:Production 3:Archived 2:Archived 1:Archived"
'

test_expect 'a version whose chain dev failed before Staging is none; the next one is' '
	cd work && git switch -q dev && echo "import airflow; dag = (" >dag.py && git add dag.py &&
	put_model five && expect_accept git push origin dev && expect_accept merge_push dev main && drain shop &&
	registry_is shop "5:None 4:Production 3:Archived 2:Archived 1:Archived" &&
	prod_takes main && plays shop "$id" build && mg shop play "$id" deploy && drain shop &&
	stages_are shop "$id" success failed created &&
	pipeline shop "$id" stages.1.message | grep -F "version 5 of model shop has this commit'\''s model (md5 $MODEL_MD5), but was never in Staging" &&
	git switch -q dev && git rm -q dag.py && main_gets code && prod_takes main &&
	plays shop "$id" build deploy stage-model && same 6 "$(pipeline shop "$id" facts.model_version)" &&
	registry_is shop "6:Production 5:None 4:Archived 3:Archived 2:Archived 1:Archived"
'

# --- retrainings ---

test_expect 'a retraining merged straight into prod is registered, once, then in Production' '
	cd work && expect_accept merge_push main retrain && drain shop && retrain=$(newest) &&
	pipeline_is shop "$retrain" success && retrained "$retrain" 20260101 seven origin/retrain &&
	prod_takes "retrain-$retrain-20260101" && plays shop "$id" build deploy &&
	registry_is shop "7:None 6:Production 5:None 4:Archived 3:Archived 2:Archived 1:Archived" &&
	plays shop "$id" stage-model && same 7 "$(pipeline shop "$id" facts.model_version)" &&
	registry_is shop "7:Production 6:Archived 5:None 4:Archived 3:Archived 2:Archived 1:Archived" &&
	logged shop "$id" deploy "was never in DEV: it is registered now" &&
	git -C "$airflow_prod" show main:dags/shop.py | grep -F "\"MODELGATE_MODEL_VERSION\": \"7\""
'

test_expect 'a release of code alone keeps it, though it was never in Staging' '
	cd work && git switch -q dev && commit score.py && main_gets_unseen && prod_takes main &&
	same "$MODEL_MD5" "$(git show origin/prod:rkl/model.pkl.dvc | sed -n "s/^- md5: //p")" &&
	plays shop "$id" build deploy stage-model && same 7 "$(pipeline shop "$id" facts.model_version)"
'

test_expect 'one merged into main and straight into prod, which holds the commit of neither version: the highest' '
	cd work && retrained "$retrain" 20260102 eight "retrain-$retrain-20260101" && branch=retrain-$retrain-20260102 &&
	expect_accept merge_push "$branch" main && drain shop && main_gets code && git fetch -q origin &&
	prod_takes "$branch" && plays shop "$id" build deploy && same 9 "$(pipeline shop "$id" facts.model_version)"
'

test_expect 'a still newer one that comes between deploy and stage-model is not taken' '
	cd work && main_gets code && plays shop "$id" stage-model &&
	same 9 "$(pipeline shop "$id" facts.model_version)" &&
	git -C "$airflow_prod" show main:dags/shop.py | grep -F "\"MODELGATE_MODEL_VERSION\": \"9\"" &&
	registry_is shop "10:Staging 9:Production 8:Archived 7:Archived 6:Archived 5:None 4:Archived 3:Archived 2:Archived 1:Archived"
'

test_expect 'a retraining that came no further than deploy is promoted by the release that mends it' '
	cd work && retrained "$retrain" 20260103 nine "$branch" && prod_takes "retrain-$retrain-20260103" &&
	plays shop "$id" build deploy && same 11 "$(pipeline shop "$id" facts.model_version)" &&
	git switch -q dev && commit score.py && main_gets_unseen && overtaken=$id && prod_takes main &&
	plays shop "$id" build && stage_is shop "$overtaken" stage-model skipped &&
	plays shop "$id" deploy stage-model && same 11 "$(pipeline shop "$id" facts.model_version)" &&
	mg shop models shop --json | json versions.0.stage | grep -x Production && audit_valid shop
'

test_expect 'a retraining whose own pipeline was cancelled is registered and promoted by the next release' '
	cd work && retrained "$retrain" 20260104 ten "retrain-$retrain-20260103" &&
	prod_takes "retrain-$retrain-20260104" && mg shop cancel "$id" && before=$(mg shop models shop --json) &&
	git switch -q dev && commit score.py && main_gets_unseen && prod_takes main &&
	same refs/heads/main "$(pipeline shop "$id" source)" && same "$before" "$(mg shop models shop --json)" &&
	plays shop "$id" build deploy stage-model && same 12 "$(pipeline shop "$id" facts.model_version)" &&
	mg shop models shop --json | json versions.0.stage | grep -x Production && audit_valid shop
'

test_expect 'the same of one that was squashed, whose branch prod does not hold' '
	cd work && retrained "$retrain" 20260105 eleven "retrain-$retrain-20260104" && git fetch -q origin &&
	git switch -q prod && git reset -q --hard origin/prod && test_tick &&
	git merge -q --squash "retrain-$retrain-20260105" && git commit -q -m "Squash of a retraining" &&
	expect_accept git push origin prod && id=$(newest) &&
	same "refs/heads/retrain-$retrain-20260105" "$(pipeline shop "$id" source)" && mg shop cancel "$id" &&
	git switch -q dev && commit score.py && main_gets_unseen && prod_takes main &&
	! git merge-base --is-ancestor "retrain-$retrain-20260105" prod && plays shop "$id" build deploy stage-model &&
	same 13 "$(pipeline shop "$id" facts.model_version)" &&
	mg shop models shop --json | json versions.0.stage | grep -x Production && audit_valid shop
'

test_done
