#!/bin/sh
# `modelgate stage` in jobs of GitLab CI: the same stages, without a state directory; what they find out goes
# from job to job and to us, and each looks by itself whether it may start.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/gitlab-api.sh"

# What the included .gitlab-ci.yml says in a job.
cat >"$T/take" <<'END'
#!/bin/sh
exec modelgate stage "${1#*:}"
END
chmod 755 "$T/take"
printf 'glpat-read\n' >"$T/ci-token" && chmod 666 "$T/ci-token"
git init -q --bare "$T/airflow.git"

config() {
	cat <<-END
		[project]
		repository-url = https://gitlab.example.com/models/shop.git
		[build]
		engine = archive
		[registry]
		backend = mlflow
		url = http://127.0.0.1:1
		[airflow "airflow-dev"]
		repository = $T/airflow.git
		[launcher]
		token-file = \$MODELGATE_CI_TOKEN
		$1
	END
}
MODELGATE_CONFIG=$(config '') MODELGATE_CI_TOKEN=$T/ci-token
export MODELGATE_CONFIG MODELGATE_CI_TOKEN

new_gitlab shop
start_gitlab_api "$T/take" || test_bail 'no GitLab'
use_gitlab shop || test_bail 'no launcher'
new_project shop work || test_bail 'no project'

from_main_to() {
	cd "$T/work" && git fetch -q origin && git switch -q main && git reset -q --hard origin/main &&
		git switch -q "$1" && git reset -q --hard "origin/$1" && merge_in main &&
		expect_accept gitlab_push -q origin "$1" && cd "$T" &&
		N=$(mg shop status --limit 1 --json | json pipelines.0.id)
}

# A new commit on main; its own pipeline is of no interest here.
news() {
	gitlab_says '{"take": "pretend"}' && cd "$T/work" && git fetch -q origin && git switch -q dev &&
		git reset -q --hard origin/dev && commit work.txt && git switch -q main &&
		git reset -q --hard origin/main && merge_in dev && expect_accept gitlab_push -q origin dev main &&
		cd "$T" && settle shop && gitlab_says "{\"take\": \"$T/take\"}"
}

test_expect 'a whole chain runs in jobs; what they found out is known here' '
	news && from_main_to retrain && settle shop && pipeline_is shop "$N" success &&
	same archive "$(pipeline shop "$N" facts.engine)" &&
	pipeline shop "$N" facts.image_digest | grep -qE "^sha256:[0-9a-f]{64}$" &&
	same shop_retrain "$(pipeline shop "$N" facts.dag_id)" &&
	same "$(git -C airflow.git rev-parse main)" "$(pipeline shop "$N" facts.dag_commit)" &&
	mg shop logs "$N" deploy >out && grep -q "stage deploy of chain retrain, project shop" out
'

test_expect 'the later jobs have what the earlier ones found out, and the number is GitLab'"'"'s' '
	git -C airflow.git show main:dags/shop_retrain.py >dag && id=$(gitlab_of shop "$N" pipeline_id) &&
	grep -qF "$id" dag && grep -qF "$(pipeline shop "$N" facts.image)" dag &&
	grep -qF https://gitlab.example.com/models/shop.git dag
'

# The variables of a job of a pipeline that GitLab would call 90000.
job_variables() {
	export MODELGATE_CHAIN=retrain MODELGATE_PIPELINE=9 MODELGATE_PROJECT=shop \
		MODELGATE_SOURCE=refs/heads/main MODELGATE_OWNER=project-5 MODELGATE_USER=ivanov \
		MODELGATE_CREATED_AT=1795651139161453 CI_PIPELINE_ID=90000 CI_PROJECT_ID=5 \
		CI_PROJECT_DIR="$T/job" CI_COMMIT_REF_NAME=retrain CI_SERVER_URL="$GITLAB_URL" \
		CI_PROJECT_URL="$GITLAB_URL/models/shop" CI_PIPELINE_CREATED_AT=2026-01-01T00:00:00Z \
		GITLAB_USER_ID=900 GITLAB_USER_LOGIN=modelgate-bot
	MODELGATE_SHA=$(tip shop retrain) && CI_COMMIT_SHA=$MODELGATE_SHA && export MODELGATE_SHA CI_COMMIT_SHA
}

# STAGE in the clone $T/job, with these variables, or ("-NAME") without them; $T/out, $T/err.
run_in_job() (
	job_variables && cd "$T/job" || exit 9
	job_stage=$1
	shift
	for job_variable; do
		case $job_variable in
		-*) unset "${job_variable#-}" ;;
		*) export "${job_variable%%=*}=${job_variable#*=}" ;;
		esac
	done
	exec modelgate stage "$job_stage" >"$T/out" 2>"$T/err"
)

stage_ends() { # STATUS TEXT STAGE [NAME=VALUE|-NAME...]
	ends_status=$1
	ends_text=$2
	shift 2
	rm -rf "$T/job" && git clone -q --no-local "$T/shop.git" "$T/job" || return 1
	run_in_job "$@"
	same "$ends_status" $? && { [ -z "$ends_text" ] || grep -qF -e "$ends_text" "$T/err"; } && return
	cat "$T/out" "$T/err"
	return 1
}

test_expect 'a stage by itself: its files are beside the work tree'"'"'s' '
	stage_ends 0 "" build && json facts.engine <job/modelgate-build.json >engine && same archive "$(cat engine)" &&
	grep -qx MODELGATE_FACT_engine=archive job/modelgate-build.env &&
	same success "$(json status <job/modelgate-build.json)" &&
	[ -d job/.modelgate ] && [ ! -e job/.modelgate/secrets ]
'

test_expect 'a stage that fails says why in its report, and has no facts' '
	stage_ends 1 0123456789 build MODELGATE_SHA=0123456789012345678901234567890123456789 &&
	same failed "$(json status <job/modelgate-build.json)" &&
	json message <job/modelgate-build.json | grep -q 0123456789 &&
	same "{}" "$(json facts <job/modelgate-build.json)" &&
	! grep -q engine job/modelgate-build.env
'

test_expect 'a commit that the branch does not hold is none that has passed the gates' '
	stage_ends 1 "does not hold MODELGATE_SHA" build MODELGATE_SHA="$(tip shop main)" \
		CI_COMMIT_SHA="$(git -C shop.git rev-parse "$(tip shop main)^2")" &&
	stage_ends 0 "" build MODELGATE_SHA="$(git -C shop.git rev-parse "$(tip shop main)^2")" \
		CI_COMMIT_SHA="$(tip shop main)"
'

test_expect 'what is no job of ours is told so' '
	stage_ends 3 "CI_PIPELINE_ID is not there" build -CI_PIPELINE_ID &&
	stage_ends 3 "MODELGATE_CREATED_AT is not there" build -MODELGATE_CREATED_AT &&
	stage_ends 3 "was not made by modelgate" build MODELGATE_OWNER=project-6 &&
	stage_ends 3 "MODELGATE_SHA is no commit id" build MODELGATE_SHA=main &&
	stage_ends 2 "there is no stage ship" ship
'

test_expect 'without a configuration, or with one that is wrong' '
	stage_ends 1 "MODELGATE_CONFIG is not there" build -MODELGATE_CONFIG &&
	stage_ends 1 "MODELGATE_CONFIG:1" build MODELGATE_CONFIG="[nonsense]" &&
	stage_ends 1 "there is no file" build MODELGATE_CONFIG=/nowhere/modelgate.ini &&
	stage_ends 1 "has no repository" deploy MODELGATE_CONFIG="[registry]
backend = mlflow
url = http://127.0.0.1:1" &&
	stage_ends 1 "backend = embedded" deploy MODELGATE_CONFIG="[build]
engine = archive"
'

test_expect 'the configuration may be a file' '
	printf "%s\n" "$MODELGATE_CONFIG" >ci.ini && stage_ends 0 "" build MODELGATE_CONFIG="$T/ci.ini"
'

test_expect 'without a token, or with one that GitLab does not take, nothing starts: it cannot be told what is newer' '
	stage_ends 1 "[launcher] token-file in MODELGATE_CONFIG is empty" build -MODELGATE_CI_TOKEN &&
	echo glpat-nobody >bad-token && stage_ends 1 "is not valid" build MODELGATE_CI_TOKEN="$T/bad-token"
'

test_expect 'GitLab away: the job fails for a passing reason, so that GitLab runs it again' '
	gitlab_fault "GET .*/pipelines$" status "\"status\": 502, \"times\": 4" &&
	stage_ends 75 "status 502" build && same failed "$(json status <job/modelgate-build.json)" &&
	gitlab_fault "GET .*/pipelines$" status "\"status\": 502, \"times\": 2" && stage_ends 0 "" build
'

test_expect 'a newer pipeline of the branch has started: skipped, and the nearest that has not' '
	stage_ends 1 "skipped: pipeline" build CI_PIPELINE_ID=5 &&
	stage_ends 0 "" build CI_PIPELINE_ID=90000 &&
	stage_ends 0 "" build CI_PIPELINE_ID=5 CI_COMMIT_REF_NAME=online MODELGATE_CHAIN=online
'

# The newest pipeline's build failed on GitLab, by a report that says REFUSED or not; ours is the one before.
newer_failed() { # REFUSED
	gitlab_says '{"take": "nothing"}' && from_main_to retrain && follow shop && follow shop &&
		newer=$(gitlab_of shop "$N" pipeline_id) &&
		gitlab_job "$newer" retrain:build failed "\"report\": {\"stage\": \"build\", \"passing\": false,
			\"refused\": $1, \"message\": \"no\", \"facts\": {}}"
}

test_expect 'a newer one that was refused its turn has not started; one that has failed has' '
	news && newer_failed true && stage_ends 0 "" build CI_PIPELINE_ID=$((newer - 1)) &&
	mg shop cancel "$N" && follow shop && news && newer_failed false &&
	stage_ends 1 "skipped: pipeline $newer" build CI_PIPELINE_ID=$((newer - 1))
'

test_expect 'whose report is not shown is taken for one that has started' '
	gitlab_fault "GET .*/artifacts/" status "\"status\": 403, \"times\": 9" &&
	stage_ends 1 "skipped: pipeline $newer" build CI_PIPELINE_ID=$((newer - 1)) &&
	gitlab_says "{\"no_faults\": true}" && follow shop
'

test_expect 'an older pipeline of the environment is at work: it goes first' '
	news && gitlab_says "{\"take\": \"nothing\"}" && from_main_to retrain && follow shop && follow shop &&
	stage_ends 75 "is older and at work in DEV" build CI_PIPELINE_ID=90000 &&
	stage_ends 0 "" build CI_PIPELINE_ID=90000 MODELGATE_CHAIN=online &&
	mg shop cancel "$N" && follow shop && stage_ends 0 "" build CI_PIPELINE_ID=90000
'

test_expect 'a shallow clone is refused' '
	rm -rf job && git clone -q --depth 1 "file://$T/shop.git" job && { run_in_job build; same 1 $?; } &&
	said "shallow clone" && said GIT_DEPTH
'

test_expect 'a stage that is refused its turn says so in its report; one that fails does not' '
	json refused <job/modelgate-build.json >refused && cat refused && same 0 "$(sed "s/false/0/" refused)" &&
	stage_ends 1 "may not play" build MODELGATE_PLAYERS=user-17,sidorov &&
	same 1 "$(json refused <job/modelgate-build.json | sed s/true/1/)" &&
	stage_ends 0 "" build MODELGATE_PLAYERS=user-17,user-900 && stage_ends 0 "" build MODELGATE_PLAYERS=modelgate-bot
'

test_expect 'a chain that is played by hand asks who has played' '
	roles="[role \"release\"]
members = petrova, user-18
[chain \"prod\"]
roles = release" &&
	stage_ends 1 "may not play the stages of chain prod" build MODELGATE_CHAIN=prod \
		MODELGATE_CONFIG="$(config "$roles")" &&
	stage_ends 0 "" build MODELGATE_CHAIN=prod CI_PIPELINE_ID=90000 GITLAB_USER_LOGIN=petrova \
		MODELGATE_CONFIG="$(config "$roles")" &&
	stage_ends 0 "" build MODELGATE_CHAIN=prod CI_PIPELINE_ID=90000 GITLAB_USER_ID=18 \
		MODELGATE_CONFIG="$(config "$roles")"
'

test_expect 'GitLab runs a job that failed for a passing reason again; when it gives up, we do' '
	gitlab_says "{\"take\": \"$T/take\"}" && news && from_main_to retrain &&
	gitlab_fault "GET .*/pipelines$" status "\"status\": 502, \"times\": 12" && settle shop &&
	pipeline_is shop "$N" success && [ "$(pipeline shop "$N" stages.0.attempt)" -ge 2 ] &&
	audit_has shop event=stage.finished pipeline="$N" stage=build status=failed "reason=*status 502*"
'

test_done
