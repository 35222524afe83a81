#!/bin/sh
# The loop of a retraining, with Airflow itself running what was deployed: its task trains, pushes
# through the gates, and after the merge the scoring DAG scores with the new model.  Airflow 3 over a
# local path, Airflow 2 over HTTP with a token that is an Airflow variable.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

for venv in venv venv-airflow2; do
	[ -x "$BUILD/$venv/bin/airflow" ] && continue
	test_skip "Airflow of $venv runs the DAGs" 'no package index can be reached'
	test_done
done

airflow_dev=$T/churn.state/repositories/airflow-dev.git
token=glpat-of-the-retraining
date=$(date -u +%Y%m%d)

# Make the database of the Airflow in $BUILD/$1, whose home is $T/$1.
migrate() {
	AIRFLOW_HOME=$T/$1 "$BUILD/$1/bin/airflow" db migrate >"$T/$1.migrate" 2>&1 && return
	tail -n 20 "$T/$1.migrate"
	return 1
}

# The Airflow of the environment $1 runs $2..., variables and DAGs, from what is deployed now.  Its
# answers are in $T/answers, what it logged in $T/airflow.log.
airflow_runs() {
	runs_venv=$1
	shift
	rm -rf "$T/dags" && git clone -q "$airflow_dev" "$T/dags" &&
		AIRFLOW_HOME=$T/$runs_venv AIRFLOW__CORE__LOAD_EXAMPLES=False \
			AIRFLOW__CORE__DAGS_FOLDER=$T/dags/dags \
			AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST="[{\"name\": \"dags\", \"classpath\": \"airflow.dag_processing.bundles.local.LocalDagBundle\", \"kwargs\": {\"path\": \"$T/dags/dags\"}}]" \
			"$BUILD/$runs_venv/bin/python" "$TOP/tests/real/run-dag.py" "$T/dags/dags" "$@" \
			3>"$T/answers" >"$T/airflow.log" 2>&1 && return
	tail -n 30 "$T/airflow.log"
	return 1
}

answered() {
	same "$*" "$(paste -s -d ' ' "$T/answers")" && return
	grep -v DEBUG "$T/airflow.log" | tail -n 60
	return 1
}

airflow_logged() {
	grep -qF -e "$1" "$T/airflow.log" && return
	tail -n 60 "$T/airflow.log"
	echo "Airflow has not logged: $1"
	return 1
}

# The branch $1 brings one commit to what it was retrained from, $2, in which the pointer alone is new,
# and the DVC remote has the model.
brings_a_model() {
	same "$(tip churn "$2")" "$(tip churn "$1^")" &&
		same rkl/model.pkl.dvc "$(git -C "$T/churn.git" diff --name-only "$1^" "$1")" &&
		brought=$(git -C "$T/churn.git" show "$1:rkl/model.pkl.dvc" | sed -n "s/^- md5: //p") &&
		same "$brought" "$(md5sum <"$T/churn.dvc/files/md5/$(echo "$brought" | sed "s,^..,&/,")" |
			cut -c 1-32)"
}

deployed() {
	git -C "$airflow_dev" show "main:dags/$1.py"
}

new_server churn
server_set churn project repository-url "$T/churn.git"
server_set churn project push-token-variable churn_push
new_project churn work || test_bail 'no project'

test_expect 'chains dev and retrain deploy the scoring and the retraining DAG' '
	{ migrate venv-airflow2 & } && cd work && commit note.txt && expect_accept git push -q origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain && drain churn &&
	pipeline_is churn 1 success && pipeline_is churn 2 success &&
	deployed churn >"$T/scoring.first" && migrate venv && wait
'

# --- Airflow 3 ---

test_expect 'Airflow 3 scores, retrains, and is stopped before it trains a second time that day' '
	airflow_runs venv churn_push=$token churn churn_retrain churn_retrain &&
	answered churn success churn_retrain success churn_retrain failed &&
	airflow_logged "model trained 20240101" &&
	airflow_logged "pushed retrain-2-$date: md5 " &&
	airflow_logged "retrain.py: retrain-2-$date was pushed before"
'

test_expect 'the gates have accepted one branch with one new pointer' '
	brings_a_model "retrain-2-$date" retrain && model=$brought &&
	audit_has churn event=push.accepted "refs.0.ref=refs/heads/retrain-2-$date" &&
	same 1 "$(audit_count churn "refs.*.ref=refs/heads/retrain-2-$date" "event=push.*")"
'

test_expect 'merged into main it is a new version and a new image in the scoring DAG' '
	cd work && expect_accept merge_push "origin/retrain-2-$date" main && drain churn &&
	pipeline_is churn 3 success && same "$model" "$(pipeline churn 3 facts.model_md5)" &&
	same 2 "$(pipeline churn 3 facts.model_version)" && deployed churn >"$T/scoring" &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"1\"" "$T/scoring.first" &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"2\"" "$T/scoring" &&
	grep -F "\"MODELGATE_IMAGE\": \"$(pipeline churn 3 facts.image)\"" "$T/scoring" &&
	{ ! grep -qF "$(pipeline churn 1 facts.image)" "$T/scoring" || return 1; }
'

test_expect 'the new scoring DAG scores with the fresh model' '
	airflow_runs venv churn && answered churn success && airflow_logged "model trained $date"
'

# --- Airflow 2, HTTP, token ---

test_expect 'a second retraining pipeline, which pushes over HTTP with a token' '
	start_httpd && echo "oauth2:$token" >>"$T/.run/http/users" &&
	url=$(http_url churn | sed "s,//[^@]*@,//,") && server_set churn project repository-url "$url" &&
	server_set churn identity source http && server_set churn "role \"retraining\"" members oauth2 &&
	server_set churn retrain-branch roles retraining && cd work &&
	expect_accept git push "$(http_url churn)" "origin/main:refs/heads/feature" &&
	git fetch -q origin && git switch -q retrain && git reset -q --hard origin/retrain &&
	merge_in origin/main && expect_accept git push "$(http_url churn)" HEAD:retrain &&
	drain churn && pipeline_is churn 4 success && deployed churn_retrain >"$T/retraining" &&
	grep -F "\"MODELGATE_PIPELINE_ID\": \"4\"" "$T/retraining" && grep -F "$url" "$T/retraining" &&
	{ ! grep -qF "$token" "$T/retraining" || return 1; }
'

test_expect 'Airflow 2 retrains, as the owner of the token' '
	airflow_runs venv-airflow2 churn_push=$token churn_retrain && answered churn_retrain success &&
	airflow_logged "pushed retrain-4-$date: md5 " && brings_a_model "retrain-4-$date" retrain &&
	audit_has churn event=push.accepted actor.name=oauth2 "refs.0.ref=refs/heads/retrain-4-$date"
'

test_expect 'with the branch deleted before anything took it, the gates refuse the name, and the task fails' '
	landed=$(tip churn "retrain-4-$date") &&
	expect_accept git -C work push "$(http_url churn oauth2 | sed "s/secret/$token/")" ":retrain-4-$date" &&
	airflow_runs venv-airflow2 churn_retrain && answered churn_retrain failed &&
	airflow_logged "MG204: retrain-4-$date was there before" && airflow_logged "git push failed" &&
	same none "$(tip churn "retrain-4-$date")" &&
	audit_has churn event=push.rejected refs.0.code=MG204 &&
	git -C churn.git update-ref "refs/heads/retrain-4-$date" "$landed"
'

test_expect 'the token is in no log of either Airflow, and in its database in the variable alone' '
	{ ! grep -rF "$token" "$T/airflow.log" "$T/venv/logs" "$T/venv-airflow2/logs" || return 1; } &&
	for venv in venv venv-airflow2; do
		sqlite3 "$T/$venv/airflow.db" "SELECT * FROM rendered_task_instance_fields" >"$T/rendered" &&
			grep -qF MODELGATE_PUSH_TOKEN "$T/rendered" &&
			{ ! grep -F "$token" "$T/rendered" || return 1; } || return 1
	done
'

test_expect 'a wrong token, and the number of no pipeline: the task fails, nothing has landed' '
	git clone -q "$airflow_dev" "$T/edit" && cd "$T/edit" &&
	sed -i "s/\"MODELGATE_PIPELINE_ID\": \"4\"/\"MODELGATE_PIPELINE_ID\": \"99\"/; s/dag_id=\"churn_retrain\"/dag_id=\"unknown\"/" dags/churn_retrain.py &&
	git mv dags/churn_retrain.py dags/unknown.py && git commit -q -a -m Unknown &&
	git push -q origin HEAD:main && before=$(git -C "$T/churn.git" for-each-ref) &&
	airflow_runs venv-airflow2 unknown churn_push=wrong unknown &&
	answered unknown failed unknown failed && airflow_logged "MG203: 99 is no pipeline" &&
	airflow_logged "git clone failed" && same "$before" "$(git -C "$T/churn.git" for-each-ref)"
'

test_expect 'merged straight into prod it is registered, then in Production, with its DAG there' '
	cd work && server_set churn identity source os && git fetch -q origin &&
	expect_accept merge_push "origin/retrain-4-$date" prod && said "chain prod" &&
	id=$(mg churn status --json | json pipelines.0.id) && for stage in build deploy stage-model; do
		mg churn play "$id" "$stage" && drain churn || return 1
	done &&
	pipeline_is churn "$id" success && same Production "$(pipeline churn "$id" facts.model_stage)" &&
	same "$brought" "$(pipeline churn "$id" facts.model_md5)" &&
	airflow_dev=$T/churn.state/repositories/airflow-prod.git &&
	airflow_runs venv-airflow2 churn && answered churn success && airflow_logged "model trained $date"
'

test_done
