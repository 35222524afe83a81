#!/bin/sh
# The whole story with the launcher gitlab: pushes through the gates, pipelines on GitLab (a double of its API),
# whose jobs are those of config/gitlab-ci.yml, each run by gitlab-ci-local; models in a real MLflow, DAG files
# in Airflow's repositories.  GitLab is down when the first pipeline is to be made.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/gitlab-api.sh"
. "$TEST_LIB/gitlab-ci.sh"
. "$TEST_LIB/mlflow.sh"

{ need_gitlab_ci 'the story on GitLab' && need_mlflow 3 'the story on GitLab'; } || test_done

# What the project says of its jobs, as config/gitlab-ci.yml shows it.
jobs_of_the_project() {
	mkdir -p "$T/ci/home/.gitlab-ci-local" && ci_include "$T/ci/clone" &&
		cat >"$T/ci/home/.gitlab-ci-local/variables.yml" <<-YAML &&
		global:
		  MODELGATE_API_TOKEN:
		    type: file
		    values:
		      DEV: |
		        glpat-of-dev
		      PROD: |
		        glpat-of-prod
	YAML
		cat >"$T/ci/clone/.gitlab-ci.yml" <<-YAML
			include:
			  - project: infrastructure/ci
			    ref: main
			    file: gitlab-ci.yml
			.modelgate:
			  variables:
			    MODELGATE_CONFIG: |
			      [project]
			      schedule = 0 6 * * 1
			      [role "release"]
			      members = user-18, modelgate-bot
			      [chain "prod"]
			      roles = release
			      [launcher]
			      token-file = \$MODELGATE_API_TOKEN
			      [build]
			      engine = archive
			      [registry]
			      backend = mlflow
			      url = $MLFLOW_URL
			      [airflow "airflow-dev"]
			      repository = $T/airflow-dev.git
			      [airflow "airflow-prod"]
			      repository = $T/airflow-prod.git
			      [airflow "online-serving"]
			      repository = $T/online-serving.git
		YAML
}

prepare() {
	start_mlflow 3 && jobs_of_the_project || return 1
	for repository in airflow-dev airflow-prod online-serving; do
		git init -q --bare "$T/$repository.git" || return 1
	done
	# The double hands these on to what runs the jobs, which wants nothing else of ours.
	MODELGATE_CI_FILES=$T/ci MODELGATE_CI_LOCAL=$CI_VENV
	export MODELGATE_CI_FILES MODELGATE_CI_LOCAL
	new_gitlab shop && use_mlflow shop && start_gitlab_api "$TOP/tests/real/gitlab-ci-take" &&
		use_gitlab shop && new_project shop work && for environment in dev prod; do
		gitlab_says "{\"token\": {\"glpat-of-$environment\": {\"user\": 902, \"name\": \"jobs\",
			\"scopes\": [\"read_api\"], \"level\": 20, \"projects\": [5]}}}" || return 1
	done &&
		gitlab_says "{\"token\": {\"glpat-orlov\": {\"user\": 19, \"name\": \"orlov\", \"scopes\": [\"api\"],
			\"level\": 40, \"projects\": [5]}}}"
}

prepare || test_bail 'no story'

# TARGET takes SOURCE by a push; N is the pipeline that it made, ours.
merged() { # SOURCE TARGET
	cd "$T/work" && git fetch -q origin && git switch -q "$2" && git reset -q --hard "origin/$2" &&
		merge_in "$1" && expect_accept gitlab_push -q origin "$2" && cd "$T" &&
		N=$(mg shop status --limit 1 --json | json pipelines.0.id) &&
		said "modelgate: pipeline $N created: chain" && launched=$((launched + 1))
}

# What a job has printed, if a pipeline has not come to its end.
settles() { # STATUS
	timeout 300 "$ROOT/bin/modelgate" --repo "$T/shop.git" run --drain && pipeline_is shop "$N" "$1" && return
	mg shop status "$N"
	for stage in build create-model deploy stage-model; do
		mg shop logs "$N" "$stage" | tail -n 30
	done
	return 1
}

played() { # STAGE...
	for stage; do
		mg shop play "$N" "$stage" && timeout 300 "$ROOT/bin/modelgate" --repo "$T/shop.git" run --drain &&
			stage_is shop "$N" "$stage" success && continue
		mg shop logs "$N" "$stage"
		return 1
	done
}

followed_until() { # COMMAND...
	story_deadline=$(($(test_uptime) + 60))
	until "$@" >"$T/.run/followed" 2>&1; do
		if [ "$(test_uptime)" -gt "$story_deadline" ]; then
			cat "$T/.run/followed"
			mg shop logs "$N" "${4:-build}"
			return 1
		fi
		follow shop && sleep 0.2 || return 1
	done
}

# The file of the Airflow repository names the number that GitLab has given our pipeline N.
deployed() { # REPOSITORY FILE
	git -C "$T/$1.git" show "main:$2" >"$T/deployed" && gitlab=$(gitlab_of shop "$N" pipeline_id) &&
		grep -E "(PIPELINE_ID\": \"|pipeline: \"?|pipeline-id: \"?)$gitlab\\b" "$T/deployed" && return
	cat "$T/deployed"
	return 1
}

models() { # LATEST STAGING PRODUCTION
	mg shop models --json >"$T/models.json" &&
		same "$*" "$(for stage in latest_version staging production; do
			json "models.0.$stage" <"$T/models.json" || echo -
		done | sed 's/^null$/-/; s/^$/-/' | paste -s -d ' ')"
}

stages_in_mlflow() {
	mlflow_sees shop >"$T/out" && same "$*" "$(seen 'versions.*.stage' | paste -s -d ' ')"
}

# How the jobs of that name have ended in GitLab's newest pipeline, oldest first.
jobs_named() {
	perl -MJSON::PP -e '
		local $/;
		my $p = decode_json(<STDIN>)->{pipelines}[-1];
		print map { "$_->{status}\n" } grep { $_->{name} eq $ARGV[0] } @{ $p->{jobs} }' "$1" <"$T/said"
}

launched=0

test_expect 'dev into main, and GitLab is down for a minute: nothing is lost, one pipeline is made' '
	cd work && git switch -q dev && put_model one && first=$MODEL_MD5 && expect_accept gitlab_push -q origin dev &&
	cd "$T" && gitlab_says "{\"down\": 60}" && merged dev main && settles success &&
	[ "$(gitlab_requests " down$")" -gt 0 ] && same 1 "$(gitlab_made)" &&
	stages_are shop "$N" success success success success
'

test_expect 'its jobs ran in the way of config/gitlab-ci.yml, and their facts are known here' '
	logged shop "$N" build "modelgate stage" && logged shop "$N" build "PASS  dev:build" &&
	same archive "$(pipeline shop "$N" facts.engine)" && same "$first" "$(pipeline shop "$N" facts.model_md5)" &&
	same 1 "$(pipeline shop "$N" facts.model_version)" && same Staging "$(pipeline shop "$N" facts.model_stage)" &&
	pipeline shop "$N" facts.dag_commit && pipeline shop "$N" facts.image_digest
'

test_expect 'what the first job found out got to the later ones as a dotenv report' '
	deployed airflow-dev dags/shop.py && grep -F "\"$(pipeline shop "$N" facts.image)\"" deployed &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"1\"" deployed && grep -F "0 6 * * 1" deployed
'

test_expect 'MLflow has the version, with the number of GitLab'\''s pipeline, in Staging' '
	mlflow_sees shop && same project-5 "$(seen owner)" && same Staging "$(seen versions.0.stage)" &&
	same "$(gitlab_of shop "$N" pipeline_id)" "$(seen versions.0.tags.pipeline)" &&
	same "$first" "$(seen versions.0.tags.md5)" && models 1 1 -
'

test_expect 'main into prod: each stage by hand; one button is pressed on GitLab, by somebody else' '
	merged main prod && settles manual && stages_are shop "$N" manual created created && played build &&
	stages_are shop "$N" success manual created &&
	gitlab_api POST "jobs/$(gitlab_job_id "$launched" prod:deploy)/play" &&
	followed_until stages_are shop "$N" success success manual && played stage-model && settles success &&
	audit_has shop event=stage.played pipeline="$N" stage=deploy actor.name=petrova actor.protocol=gitlab &&
	deployed airflow-prod dags/shop.py && models 1 - 1 && stages_in_mlflow Production
'

test_expect 'main into online: the manifest, and the same version' '
	merged main online && settles manual && played build deploy stage-model && settles success &&
	deployed online-serving manifests/shop.yaml && models 1 - 1 &&
	same 1 "$(pipeline shop "$N" facts.model_version)"
'

test_expect 'main into retrain: the DAG that retrains has GitLab'\''s number' '
	merged main retrain && settles success && stages_are shop "$N" success success &&
	deployed airflow-dev dags/shop_retrain.py && retraining=$gitlab && same "$retraining" "$(gitlab_id "$launched")"
'

test_expect 'the retraining pushes under that number, and under no other' '
	branch=retrain-$retraining-$(date -u +%Y%m%d) && cd work && git fetch -q origin &&
	git switch -q -c "$branch" origin/retrain && put_model fresh && fresh=$MODEL_MD5 &&
	expect_reject MG203 gitlab_push -q origin "HEAD:refs/heads/retrain-$N-$(date -u +%Y%m%d)" &&
	expect_accept gitlab_push -q origin "$branch" && same "$launched" "$(gitlab_made)"
'

test_expect 'merged into main: the next version, and the DAG with it' '
	merged "$branch" main && settles success && same "$fresh" "$(pipeline shop "$N" facts.model_md5)" &&
	same 2 "$(pipeline shop "$N" facts.model_version)" && deployed airflow-dev dags/shop.py &&
	grep -F "\"MODELGATE_MODEL_VERSION\": \"2\"" deployed && models 2 2 1
'

test_expect 'a button that somebody presses who is not in the role: nothing is done, and a member tries again' '
	merged main prod && settles manual && gitlab_api POST "jobs/$(gitlab_job_id "$launched" prod:build)/play" glpat-orlov &&
	followed_until pipeline_is shop "$N" failed &&
	pipeline shop "$N" stages.0.message | grep -F "orlov may not play the stages of chain prod" &&
	gitlab_api POST "jobs/$(gitlab_job_id "$launched" prod:build)/retry" &&
	followed_until stages_are shop "$N" success manual created
'

test_expect 'a job that fails in passing is run again by GitLab itself, and the chain goes on' '
	gitlab_fault "GET .*/pipelines$" status "\"status\": 503, \"times\": 4" && played deploy &&
	gitlab_says "{\"dump\": true}" && jobs_named prod:deploy >out && cat out &&
	same "failed success" "$(paste -s -d " " out)" && same 2 "$(pipeline shop "$N" stages.1.attempt)" &&
	logged shop "$N" deploy "FAIL 75" && played stage-model && settles success &&
	deployed airflow-prod dags/shop.py && models 2 - 2 && stages_in_mlflow Archived Production
'

test_expect 'rollback' '
	mg shop rollback shop && models 2 - 1 && stages_in_mlflow Production Archived &&
	audit_has shop event=model.rolledback
'

test_expect 'a job that fails for good says why; mended, it is run again' '
	cd work && git fetch -q origin && git switch -q dev && git merge -q --ff-only origin/main && put_model third && mv "$MODEL_OBJECT" "$T/away" &&
	expect_accept gitlab_push -q origin dev && merged dev main && settles failed &&
	pipeline shop "$N" stages.0.message | grep -F "$MODEL_MD5" &&
	same 1 "$(gitlab_says "{\"dump\": true}" && jobs_named dev:build | wc -l)" &&
	mv "$T/away" "$MODEL_OBJECT" && mg shop retry "$N" build && settles success && models 3 3 1
'

test_expect 'one pipeline on GitLab for each that was launched, and an audit log that nobody touched' '
	same 7 "$launched" && same 7 "$(gitlab_made)" && same "7 6 5 4 3 2 1" "$(pipelines shop)" &&
	for id in 1 2 3 4 5 6 7; do
		same "$(gitlab_id "$id")" "$(gitlab_of shop "$id" pipeline_id)" || return 1
	done && same 7 "$(audit_count shop event=pipeline.finished status=success)" && audit_valid shop
'

test_expect 'no token is left in a log, a report or a work tree' '
	[ "$(ls -d gitlab/builds/*/log | wc -l)" -gt 20 ] &&
	{ ! grep -rlF -e glpat- shop.state gitlab/builds gitlab/trace-* || return 1; }
'

test_done
