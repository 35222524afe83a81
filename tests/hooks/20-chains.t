#!/bin/sh
# The four chains with their embedded counterparts: what a merge starts, and what it leaves in the
# registry, in the repositories of DAGs and manifests, and in what the command prints.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

airflow_dev=$T/shop.state/repositories/airflow-dev.git
airflow_prod=$T/shop.state/repositories/airflow-prod.git
serving=$T/shop.state/repositories/online-serving.git
url=https://git.example.com/shop.git
today=$(date -u +%Y%m%d)

# What the default names of the placeholders become, in a DAG file of the project's own.
own_dag() {
	cat <<-'PY'
		# A DAG file for airflow, which is to hold what follows.
		for value in (
		    "@PROJECT@", "@DAG_ID@", "@IMAGE@", "@MODEL_NAME@", "@MODEL_VERSION@", "@MODEL_STAGE@",
		    "@GIT_SHA@", "@PIPELINE_ID@", "@REPOSITORY_URL@", "@SCHEDULE@",
		):
		    print(value)
	PY
}

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

# Bring main to branch $1.
next() {
	expect_accept merge_push main "$1"
}

# Play the stages $2... of pipeline $1, one after the other.
play() {
	play_id=$1
	shift
	for play_stage; do
		mg shop play "$play_id" "$play_stage" && drain shop &&
			stage_is shop "$play_id" "$play_stage" success || return 1
	done
}

fact() {
	pipeline shop "$1" "facts.$2"
}

fact_is() {
	same "$3" "$(fact "$1" "$2")"
}

# The line of the models table, its columns separated by "|".
model_line() {
	mg shop models | sed -n 2p | sed 's/   */|/g'
}

# Value $2 of the registry's version $1.
version() {
	mg shop models shop --json >"$T/versions" || return 1
	version_at=$(json "versions.*.version" <"$T/versions" | grep -n -x "$1" | cut -d : -f 1)
	json "versions.$((version_at - 1)).$2" <"$T/versions"
}

# All that a run of the runner could change.
snapshot() {
	mg shop status --limit 1000 --json
	for id in $(mg shop status --limit 1000 --json | json "pipelines.*.id"); do
		mg shop status "$id" --json
	done
	mg shop models --json
	mg shop models shop --json
	cat "$(audit shop)"
	(cd "$T/shop.state" && find . ! -name "store.db*" ! -name "*.lock" -type f -exec sha256sum {} + | sort)
}

new_server shop
server_set shop project schedule '0 6 * * 1'
server_set shop project retrain-schedule '0 3 1 * *'
server_set shop project repository-url "$url"
new_project shop work || test_bail 'no project'

# --- dev ---

test_expect 'a merge from dev into main makes a pipeline, and says so in one line' '
	mg shop status >none && same "no pipelines" "$(cat none)" &&
	cd work && own_dag >dag.py && git add dag.py && put_model one &&
	expect_accept git push origin dev && said_not "modelgate: " &&
	expect_accept merge_push dev main && sha=$(tip shop main) &&
	same "modelgate: pipeline 1 created: chain dev on main $(echo "$sha" | cut -c 1-7): build -> create-model -> deploy -> stage-model" \
		"$(sed -n "s/^remote: \(.*modelgate.*[^ ]\) *\$/\1/p" "$T/err")" &&
	audit_has shop event=pipeline.created pipeline=1 refs.0.ref=refs/heads/main "refs.0.new=$sha"
'

test_expect 'status shows it with the names that are promised' '
	mg shop status --json >list && mg shop status 1 --json >one &&
	for file in list one; do
		same 1 "$(json pipelines.0.id <$file)" &&
			same shop "$(json pipelines.0.project <$file)" &&
			same dev "$(json pipelines.0.chain <$file)" &&
			same refs/heads/main "$(json pipelines.0.ref <$file)" &&
			same "$sha" "$(json pipelines.0.sha <$file)" &&
			same pending "$(json pipelines.0.status <$file)" &&
			json pipelines.0.created_at <$file | grep -x "20.*T.*Z" &&
			same "$(id -un)" "$(json pipelines.0.user <$file)" &&
			same "build create-model deploy stage-model" \
				"$(json "pipelines.0.stages.*.name" <$file | tr "\n" " " | sed "s/ \$//")" &&
			same 0 "$(json pipelines.0.stages.0.attempt <$file)" &&
			same null "$(json pipelines.0.stages.0.started_at <$file)" &&
			same null "$(json pipelines.0.stages.0.finished_at <$file)" || return 1
	done &&
	stages_are shop 1 pending created created created
'

test_expect 'the runner brings all four stages to success' '
	drain shop && pipeline_is shop 1 success &&
	stages_are shop 1 success success success success &&
	same "1 1 1 1" "$(pipeline shop 1 "stages.*.attempt" | tr "\n" " " | sed "s/ \$//")" &&
	pipeline shop 1 stages.3.finished_at | grep -x "20.*T.*Z"
'

test_expect 'build: an archive of the commit with its model, which its digest names' '
	image=$(fact 1 image) && fact_is 1 engine archive &&
	fact_is 1 image_digest "sha256:$(sha256sum "$image" | cut -c 1-64)" &&
	fact_is 1 model_md5 "$MODEL_MD5" && fact_is 1 model_size 4 &&
	mkdir unpacked && tar -C unpacked -xzf "$image" &&
	same one "$(cat unpacked/rkl/model.pkl)" &&
	rm -r unpacked/rkl/model.pkl && cd work && git switch -q main &&
	git archive HEAD | tar -t | grep -v "/\$" | sort >"$T/listed" &&
	cd ../unpacked && find . -type f | sed "s,./,," | sort | diff "$T/listed" -
'

test_expect 'create-model: a version of the model, with where it comes from' '
	fact_is 1 model_name shop && fact_is 1 model_version 1 &&
	same "$sha" "$(version 1 commit)" && same 1 "$(version 1 pipeline)" &&
	same "$MODEL_MD5" "$(version 1 md5)" && same "$MODEL_OBJECT" "$(version 1 source)" &&
	same "$image" "$(version 1 image)" && same "$(fact 1 image_digest)" "$(version 1 image_digest)" &&
	same "Merge dev" "$(version 1 description)"
'

test_expect 'deploy: the project'\''s own DAG, everything filled in, in the repository airflow-dev' '
	fact_is 1 dag_id shop && fact_is 1 dag_file dags/shop.py && fact_is 1 python-check ok &&
	fact_is 1 dag_commit "$(git -C "$airflow_dev" rev-parse main)" &&
	same dags/shop.py "$(git -C "$airflow_dev" ls-tree -r --name-only main)" &&
	git -C "$airflow_dev" show main:dags/shop.py >shop.py && python3 -I shop.py >values &&
	printf "%s\n" shop shop "$image" shop 1 Staging "$sha" 1 "$url" "0 6 * * 1" | diff - values &&
	same 1 "$(git -C "$airflow_dev" rev-list --count main)" &&
	git -C "$airflow_dev" show -s --format=%B main | grep -x "Pipeline: 1"
'

test_expect 'stage-model: the version is in Staging' '
	fact_is 1 model_stage Staging && same Staging "$(version 1 stage)"
'

test_expect 'models prints the table of MLflow'\''s page' '
	same "Name|Latest Version|Staging|Production|Last Modified|Tags" \
		"$(mg shop models | head -n 1 | sed "s/   */|/g")" &&
	same 2 "$(mg shop models | wc -l)" &&
	model_line | grep -x "shop|Version 1|Version 1|-|20..-..-.. ..:..:..|modelgate.owner: $T/shop.git" &&
	mg shop models --json >models && same 1 "$(json total <models)" &&
	same shop "$(json models.0.name <models)" && same 1 "$(json models.0.latest_version <models)" &&
	same 1 "$(json models.0.staging <models)" && same null "$(json models.0.production <models)"
'

test_expect 'each stage has a log' '
	mg shop logs 1 build | grep -F "$MODEL_MD5" && mg shop logs 1 create-model | grep "version 1" &&
	mg shop logs 1 deploy | grep "dags/shop.py" && mg shop logs 1 stage-model | grep Staging &&
	mg shop logs 1 build | head -n 1 | grep "pipeline 1, stage build, attempt 1" &&
	mg shop logs 1 build | tail -n 1 | grep "success" &&
	mg shop logs 1 build >once && mg shop logs 1 build --follow | diff once -
'

test_expect 'a second run of the runner changes nothing' '
	snapshot >before && drain shop >said && same "" "$(cat said)" && drain shop &&
	snapshot >after && diff before after
'

test_expect 'a merge with the same model makes another version, and archives the one before' '
	cd work && git switch -q dev && git rm -q dag.py && commit score.py "print(1)" &&
	expect_accept git push origin dev && expect_accept merge_push dev main && drain shop &&
	pipeline_is shop 2 success && fact_is 2 model_version 2 &&
	same Staging "$(version 2 stage)" && same Archived "$(version 1 stage)" &&
	model_line | grep "^shop|Version 2|Version 2|-|"
'

test_expect 'a project without a DAG of its own gets the default one, which compiles' '
	fact_is 2 dag_commit "$(git -C "$airflow_dev" rev-parse main)" &&
	git -C "$airflow_dev" show main:dags/shop.py >shop.py &&
	python3 -I -c "compile(open(\"shop.py\").read(), \"shop.py\", \"exec\")" &&
	{ ! grep "@[A-Z_]*@" shop.py || return 1; } &&
	grep -F "dag_id=\"shop\"" shop.py && grep -F "schedule=\"0 6 * * 1\"" shop.py &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"2\"" shop.py && grep -F "$(fact 2 image)" shop.py &&
	grep -F "$(tip shop main)" shop.py
'

test_expect 'a DAG that does not compile is not deployed' '
	cd work && git switch -q dev && echo "import airflow; dag = (" >dag.py && git add dag.py &&
	put_model two && expect_accept git push origin dev && expect_accept merge_push dev main &&
	before=$(git -C "$airflow_dev" rev-parse main) && drain shop &&
	stages_are shop 3 success success failed created && pipeline_is shop 3 failed &&
	pipeline shop 3 stages.2.message | grep "dag.py does not compile" &&
	same "$before" "$(git -C "$airflow_dev" rev-parse main)" && same None "$(version 3 stage)" &&
	same Staging "$(version 2 stage)"
'

test_expect 'the next merge mends it' '
	cd work && git switch -q dev && git rm -q dag.py && put_model three && three=$MODEL_MD5 &&
	expect_accept git push origin dev && expect_accept merge_push dev main && drain shop &&
	pipeline_is shop 4 success && same Staging "$(version 4 stage)"
'

# --- prod ---

test_expect 'a merge from main into prod waits for a hand' '
	cd work && next prod && said "pipeline 5 created: chain prod on prod" &&
	said "build -> deploy -> stage-model" && drain shop &&
	pipeline_is shop 5 manual && stages_are shop 5 manual created created
'

test_expect 'its stages are played in order, and in no other' '
	is_no "the stages before it have not succeeded" mg shop play 5 stage-model &&
	play 5 build && is_no "the stages before it have not succeeded" mg shop play 5 stage-model &&
	play 5 deploy && same Staging "$(version 4 stage)" && play 5 stage-model &&
	pipeline_is shop 5 success
'

test_expect 'the version with the model of the commit is in Production' '
	fact_is 5 model_version 4 && fact_is 5 model_stage Production &&
	same Production "$(version 4 stage)" && model_line | grep "^shop|Version 4|-|Version 4|" &&
	fact_is 5 dag_commit "$(git -C "$airflow_prod" rev-parse main)" &&
	git -C "$airflow_prod" show main:dags/shop.py >shop.py &&
	python3 -I -c "compile(open(\"shop.py\").read(), \"shop.py\", \"exec\")" &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"4\"" shop.py && grep -F "(Production)" shop.py &&
	grep -F "$(fact 5 image)" shop.py
'

test_expect 'the next round archives it' '
	cd work && next_main four && drain shop && pipeline_is shop 6 success &&
	model_line | grep "^shop|Version 5|Version 5|Version 4|" &&
	next prod && play 7 build deploy stage-model &&
	model_line | grep "^shop|Version 5|-|Version 5|" && same Archived "$(version 4 stage)"
'

test_expect 'never merely the latest: what prod holds counts, not what dev has made since' '
	cd work && next_main five && drain shop && next prod &&
	next_main six && drain shop && play 9 build deploy stage-model &&
	fact_is 9 model_version 6 && model_line | grep "^shop|Version 7|Version 7|Version 6|"
'

test_expect 'a model that was never in Staging does not reach PROD' '
	cd work && next_main seven && next prod && mg shop cancel 11 && drain shop &&
	mg shop play 12 build && drain shop && mg shop play 12 deploy && drain shop &&
	stages_are shop 12 success failed created &&
	pipeline shop 12 stages.1.message | grep "through the chain dev first" &&
	model_line | grep "^shop|Version 7|Version 7|Version 6|"
'

# --- retrain ---

test_expect 'a merge from main into retrain deploys the retraining DAG' '
	cd work && next_main eight && drain shop && next retrain && drain shop &&
	said "pipeline 14 created: chain retrain on retrain" && stages_are shop 14 success success &&
	fact_is 14 dag_id shop_retrain && fact_is 14 dag_file dags/shop_retrain.py &&
	git -C "$airflow_dev" show main:dags/shop_retrain.py >retrain.py &&
	python3 -I -c "compile(open(\"retrain.py\").read(), \"retrain.py\", \"exec\")" &&
	{ ! grep "@[A-Z_]*@" retrain.py || return 1; } &&
	grep -F "dag_id=\"shop_retrain\"" retrain.py && grep -F "schedule=\"0 3 1 * *\"" retrain.py &&
	grep -F "\"MODELGATE_PIPELINE_ID\": \"14\"" retrain.py && grep -F "$url" retrain.py &&
	grep -F "$(fact 14 image)" retrain.py && grep -F "\"retries\": 0" retrain.py &&
	same "dags/shop.py dags/shop_retrain.py" \
		"$(git -C "$airflow_dev" ls-tree -r --name-only main | tr "\n" " " | sed "s/ \$//")"
'

test_expect 'what it brings back and main takes is a new version' '
	cd work && git switch -q -c "retrain-14-$today" origin/retrain && put_model retrained &&
	expect_accept git push origin "retrain-14-$today" && said_not "modelgate: " &&
	expect_accept merge_push "retrain-14-$today" main && drain shop && pipeline_is shop 15 success &&
	same "refs/heads/retrain-14-$today" "$(pipeline shop 15 source)" &&
	same "$MODEL_MD5" "$(version 9 md5)" && same Staging "$(version 9 stage)" &&
	git -C "$airflow_dev" show main:dags/shop.py | grep -F "\"MODELGATE_MODEL_VERSION\": \"9\""
'

test_expect 'prod takes it without DEV: it is registered first' '
	cd work && git switch -q -c "retrain-14-20260101" origin/retrain && put_model "for prod" &&
	expect_accept git push origin "retrain-14-20260101" &&
	expect_accept merge_push "retrain-14-20260101" prod && play 16 build deploy stage-model &&
	fact_is 16 model_version 10 && same "$MODEL_MD5" "$(version 10 md5)" &&
	model_line | grep "^shop|Version 10|Version 9|Version 10|" && same Archived "$(version 6 stage)"
'

# --- online ---

test_expect 'a merge from main into online writes the serving manifest' '
	cd work && next online && said "pipeline 17 created: chain online on online" &&
	drain shop && pipeline_is shop 17 manual && play 17 build deploy stage-model &&
	fact_is 17 model_version 9 && fact_is 17 dag_commit "$(git -C "$serving" rev-parse main)" &&
	same manifests/shop.yaml "$(git -C "$serving" ls-tree -r --name-only main)" &&
	git -C "$serving" show main:manifests/shop.yaml >shop.yaml &&
	{ ! grep "@[A-Z_]*@" shop.yaml || return 1; } &&
	grep -x "  image: \"$(fact 17 image)\"" shop.yaml && grep -x "    version: \"9\"" shop.yaml &&
	grep -x "    stage: \"Production\"" shop.yaml && grep -x "    commit: \"$(tip shop online)\"" shop.yaml &&
	model_line | grep "^shop|Version 10|-|Version 9|"
'

test_expect 'what is deployed again unchanged makes no commit' '
	same 1 "$(git -C "$serving" rev-list --count main)" && snapshot >before && drain shop &&
	snapshot >after && diff before after && audit_valid shop
'

# --- whose a name is ---

test_expect 'a name belongs to the repository that made it first' '
	new_server other && server_set other modelgate state "$T/shop.state" &&
	server_set other project name shop && new_project other others && cd others &&
	commit a.txt && expect_accept git push origin dev && expect_accept merge_push dev main &&
	said "pipeline 18 created" && drain other && stages_are shop 18 failed created created created &&
	pipeline shop 18 stages.0.message | grep -F "$T/shop.git" &&
	model_line | grep "^shop|Version 10|-|Version 9|.*modelgate.owner: $T/shop.git"
'

test_done
