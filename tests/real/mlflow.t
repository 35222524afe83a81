#!/bin/sh
# Chains dev, prod and online with the model registry of a real MLflow, of both major versions: what
# MLflow's own client sees of it.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/mlflow.sh"

merge_model() { # CONTENT: through dev into main, and its chain
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push -q origin dev main
}

play_all() { # NAME ID
	for stage in build deploy stage-model; do
		mg "$1" play "$2" "$stage" && drain "$1" && stage_is "$1" "$2" "$stage" success || return 1
	done
}

for major in 3 2; do
	need_mlflow $major "chains with the registry of MLflow $major" || continue
	p=churn$major q=manual$major

	test_expect "MLflow $major: chain dev registers a version and brings it to Staging" '
		start_mlflow $major && new_server $p && use_mlflow $p &&
		server_set $p project description "Who leaves, and why" &&
		new_project $p work$major && cd work$major &&
		merge_model "one" && drain $p &&
		stages_are $p 1 success success success success &&
		mlflow_sees $p &&
		same "$T/$p.git" "$(seen owner)" && same "Who leaves, and why" "$(seen description)" &&
		same 1 "$(seen "versions.*.version" | wc -l)" && same Staging "$(seen versions.0.stage)" &&
		same "Merge dev" "$(seen versions.0.description)" &&
		same "$MODEL_MD5" "$(seen "versions.0.tags.md5")" &&
		same "$(tip $p main)" "$(seen "versions.0.tags.commit")" &&
		same 1 "$(seen "versions.0.tags.pipeline")" &&
		same "$(pipeline $p 1 facts.image_digest)" \
			"$(seen "versions.0.tags.image_digest")" &&
		same 1 "$(pipeline $p 1 facts.model_version)"
	'

	test_expect "MLflow $major: the next version takes its place, which is archived" '
		cd work$major && merge_model "two" && drain $p && pipeline_is $p 2 success &&
		mlflow_sees $p && same "Archived Staging" "$(seen "versions.*.stage" | paste -s -d " ")"
	'

	test_expect "MLflow $major: what is merged into prod is promoted, although Staging holds a newer one" '
		cd work$major && git branch -f release main~1 && git fetch -q origin &&
		git switch -q prod && git reset -q --hard origin/prod && merge_in release &&
		expect_accept git push -q origin prod && play_all $p 3 &&
		mlflow_sees $p && same "Production Staging" "$(seen "versions.*.stage" | paste -s -d " ")" &&
		same 1 "$(pipeline $p 3 facts.model_version)" &&
		git -C "$(state $p)/repositories/airflow-prod.git" show "main:dags/$p.py" |
			grep -F "\"MODELGATE_MODEL_VERSION\": \"1\""
	'

	test_expect "MLflow $major: the next one archives the version that it replaces" '
		cd work$major && expect_accept merge_push main prod && play_all $p 4 &&
		mlflow_sees $p && same "Archived Production" "$(seen "versions.*.stage" | paste -s -d " ")"
	'

	test_expect "MLflow $major: online promotes the same version, which is there already" '
		cd work$major && expect_accept merge_push main online && play_all $p 5 &&
		same 2 "$(pipeline $p 5 facts.model_version)" &&
		mlflow_sees $p && same "Archived Production" "$(seen "versions.*.stage" | paste -s -d " ")"
	'

	test_expect "MLflow $major: modelgate models shows it as the page of MLflow does" '
		mg $p models --json >models.json && json models.0 <models.json &&
		same $p "$(json models.0.name <models.json)" &&
		same 2 "$(json models.0.latest_version <models.json)" &&
		same 2 "$(json models.0.production <models.json)" &&
		mg $p models --search CHURN --json | json total | grep -x 1 &&
		mg $p models --search nothing | grep -x "no models" &&
		mg $p models $p --json >versions.json &&
		same "2 1" "$(json "versions.*.version" <versions.json | paste -s -d " ")" &&
		same "Production Archived" "$(json "versions.*.stage" <versions.json | paste -s -d " ")"
	'

	test_expect "MLflow $major: rollback puts the first one back, audited" '
		mg $p rollback $p >out && cat out && mlflow_sees $p &&
		same "Production Archived" "$(seen "versions.*.stage" | paste -s -d " ")" &&
		seen versions.1.tags.rolledback && ! seen versions.0.tags.rolledback &&
		audit_has $p event=model.rolledback && mg $p rollback $p --to 2 && mlflow_sees $p &&
		same "Archived Production" "$(seen "versions.*.stage" | paste -s -d " ")" &&
		! seen "versions.*.tags.rolledback" && mg $p rollback $p && audit_valid $p
	'

	test_expect "MLflow $major: promotion = both sets the aliases, too" '
		server_set $p registry promotion both && cd work$major && merge_model "three" && drain $p &&
		mlflow_sees $p && same 3 "$(seen aliases.staging)" && same Staging "$(seen versions.2.stage)" &&
		expect_accept merge_push main prod && play_all $p 7 && mlflow_sees $p &&
		same 3 "$(seen aliases.production)" && same Production "$(seen versions.2.stage)" &&
		same Archived "$(seen versions.0.stage)" && ! seen aliases.staging
	'

	test_expect "MLflow $major: an alias that a killed rollback has left behind follows" '
		mlflow_post registered-models/alias \
			"{\"name\":\"$p\",\"alias\":\"production\",\"version\":\"1\"}" &&
		{ ! mg $p rollback $p --to 3 2>said; } && grep "that version is in Production" said &&
		mlflow_sees $p && same 3 "$(seen aliases.production)" &&
		same Production "$(seen versions.2.stage)" && same Archived "$(seen versions.0.stage)"
	'

	test_expect "MLflow $major: promotion = aliases leaves stages alone" '
		server_set $p registry promotion aliases && cd work$major && merge_model "four" && drain $p &&
		pipeline_is $p 8 success && mlflow_sees $p && same 4 "$(seen aliases.staging)" &&
		same None "$(seen versions.3.stage)" &&
		expect_accept merge_push main prod && play_all $p 9 && mlflow_sees $p &&
		same 4 "$(seen aliases.production)" && same None "$(seen versions.3.stage)" &&
		! seen aliases.staging &&
		mg $p models --json | json models.0.production | grep -x 4 &&
		mg $p models $p --json >versions.json &&
		same "Production Archived Archived Archived" \
			"$(json "versions.*.stage" <versions.json | paste -s -d " ")" &&
		mg $p rollback $p && mlflow_sees $p && same 3 "$(seen aliases.production)"
	'

	test_expect "MLflow $major: a retraining merged straight into prod, promoted by the release after it" '
		cd work$major && expect_accept merge_push main retrain && drain $p && pipeline_is $p 10 success &&
		git switch -q -c retrain-10-20260101 origin/retrain && put_model "five" &&
		expect_accept git push -q origin retrain-10-20260101 &&
		expect_accept merge_push retrain-10-20260101 prod && plays $p 11 build deploy &&
		same 5 "$(pipeline $p 11 facts.model_version)" && mlflow_sees $p &&
		same yes "$(seen "versions.4.tags.straight")" && ! seen versions.0.tags.straight &&
		git switch -q dev && commit score.py && expect_accept git push -q origin dev &&
		expect_accept merge_push dev main && mg $p cancel 12 && expect_accept merge_push main prod &&
		plays $p 13 build deploy stage-model && same 5 "$(pipeline $p 13 facts.model_version)" &&
		mlflow_sees $p && same 5 "$(seen aliases.production)"
	'

	test_expect "MLflow $major: another repository with this project's name fails, and names the owner" '
		q=other$major && new_server $q && use_mlflow $q && server_set $q project name $p &&
		new_project $q elsewhere$major && cd elsewhere$major && merge_model "its own" && drain $q &&
		stages_are $q 1 success failed created created &&
		pipeline $q 1 stages.1.message | grep -F "registered model $p belongs to $T/$p.git" &&
		mlflow_sees $p && same 5 "$(seen "versions.*.version" | wc -l)"
	'

	test_expect "MLflow $major: a model that somebody made by hand is left alone until it is handed over" '
		q=manual$major && new_server $q && use_mlflow $q && new_project $q hand$major &&
		mlflow_post registered-models/create "{\"name\":\"$q\"}" && cd hand$major &&
		merge_model "its own" && drain $q && stages_are $q 1 success failed created created &&
		pipeline $q 1 stages.1.message | grep -F "set its tag modelgate.owner to $T/$q.git" &&
		mlflow_post registered-models/set-tag \
			"{\"name\":\"$q\",\"key\":\"modelgate.owner\",\"value\":\"$T/$q.git\"}" &&
		mg $q retry 1 create-model && drain $q && pipeline_is $q 1 success
	'

	test_expect "MLflow $major: what somebody has staged by hand is promoted, and again later" '
		cd hand$major && merge_model "staged by hand" && mg $q cancel 2 &&
		mlflow_post model-versions/create "{\"name\":\"$q\",\"source\":\"s3://b/hand\",
			\"tags\":[{\"key\":\"modelgate.md5\",\"value\":\"$MODEL_MD5\"}]}" &&
		mlflow_post model-versions/transition-stage "{\"name\":\"$q\",\"version\":\"2\",
			\"stage\":\"Staging\",\"archive_existing_versions\":true}" &&
		expect_accept merge_push main prod && play_all $q 3 && mlflow_sees $q &&
		same "Archived Production" "$(seen "versions.*.stage" | paste -s -d " ")" &&
		seen versions.1.tags.staged && seen versions.1.tags.production &&
		expect_accept merge_push main online && play_all $q 4 &&
		same 2 "$(pipeline $q 4 facts.model_version)"
	'

	test_expect "MLflow $major: more versions than a page holds" '
		for i in $(seq 105); do
			mlflow_post model-versions/create "{\"name\":\"$q\",\"source\":\"s3://b/$i\"}" || return 1
		done &&
		cd hand$major && merge_model "after many" && drain $q && pipeline_is $q 5 success &&
		same 108 "$(pipeline $q 5 facts.model_version)" &&
		mg $q models $q --json | json "versions.*.version" >numbers &&
		same 108 "$(sort -u numbers | wc -l)" && same 108 "$(head -n 1 numbers)" &&
		start_fault_proxy && server_set $q registry url "$PROXY_URL"
	'

	for then in PATCH,update,description POST,create,source; do
		test_expect "MLflow $major: $then between two pages: each version is seen once" '
			method=${then%%,*} && call=${then#*,} && member=${call#*,} && call=${call%,*} &&
			fault "{\"kind\":\"meanwhile\",\"call\":\"model-versions/search\",\"times\":1,
				\"then\":[\"$method\",\"/api/2.0/mlflow/model-versions/$call\",
				{\"name\":\"$q\",\"version\":\"1\",\"$member\":\"s3://b/new\"}]}" &&
			mg $q models $q --json | json "versions.*.version" >numbers &&
			grep -q " meanwhile\$" "$T/proxy.log" && : >"$T/proxy.log" &&
			same "$(seq 108 -1 1)" "$(grep -v -x 109 numbers)"
		'
	done
done

test_done
