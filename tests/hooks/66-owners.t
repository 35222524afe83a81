#!/bin/sh
# Two repositories that share a state directory: a registered model, an image name and a DAG id belong to
# the one that made them first.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/gitaly.sh"

# A server $1 with the state of shop, project $2, and its work tree $1.work.
shares() {
	new_server "$1" && server_set "$1" modelgate state "$T/shop.state" &&
		server_set "$1" project name "$2" && new_project "$1" "$1.work"
}

# Something new is merged from dev into main and on into the branches $2..., in the work tree of server
# $1; the pipelines run; id is the newest.
moves() {
	moves_server=$1
	shift
	cd "$T/$moves_server.work" && git switch -q dev && commit note.txt &&
		expect_accept git push origin dev && expect_accept merge_push dev main &&
		for moves_branch; do
			expect_accept merge_push main "$moves_branch" || return 1
		done &&
		cd "$T" && drain "$moves_server" && id=$(newest "$moves_server")
}

newest() {
	mg "$1" status --limit 1 --json | json pipelines.0.id
}

# Stage $3 of pipeline $2, the first that did not succeed, says $4 as its message and in its log.
fails() {
	stage_is "$1" "$2" "$3" failed && pipeline_is "$1" "$2" failed &&
		mg "$1" status "$2" --json >"$T/failed" &&
		same "$4" "$(json "pipelines.0.stages.*.message" <"$T/failed" | grep .)" &&
		logged "$1" "$2" "$3" "$4"
}

wrong_names() {
	mg "$1" check >"$T/checked" 2>&1
	grep "^wrong  names" "$T/checked" | sed "s/^wrong  names: //; s/: the stage .*//"
}

new_server shop
new_project shop shop.work || test_bail 'no project'
test_expect 'the first repository makes its names' '
	moves shop retrain && pipeline_is shop 1 success && pipeline_is shop 2 success &&
	same "" "$(wrong_names shop)"
'

test_expect 'the same project name: no stage does anything, and the owner is named' '
	shares same shop && same "registered model shop belongs to $T/shop.git
image name shop belongs to $T/shop.git
DAG id shop belongs to $T/shop.git
DAG id shop_retrain belongs to $T/shop.git" "$(wrong_names same)" &&
	before=$(mg shop models shop --json) && moves same &&
	fails same "$id" build "image name shop belongs to $T/shop.git; this is $T/same.git" &&
	stages_are same "$id" failed created created created &&
	same "$before" "$(mg shop models shop --json)"
'

test_expect 'the first goes on, the second with a name of its own, too' '
	moves shop && pipeline_is shop "$id" success && server_set same project name same &&
	same "" "$(wrong_names same)" && moves same && pipeline_is same "$id" success
'

test_expect 'two names that give one image name' '
	shares upper SHOP && moves upper &&
	fails upper "$id" build "image name shop belongs to $T/shop.git; this is $T/upper.git" &&
	same "image name shop belongs to $T/shop.git" "$(wrong_names upper)"
'

test_expect 'the scoring DAG of shop_retrain would be the retraining DAG of shop' '
	shares collides shop_retrain && moves collides &&
	fails collides "$id" deploy "DAG id shop_retrain belongs to $T/shop.git; this is $T/collides.git" &&
	same "DAG id shop_retrain belongs to $T/shop.git" "$(wrong_names collides)" &&
	git -C "$T/shop.state/repositories/airflow-dev.git" show main:dags/shop_retrain.py |
		grep -F "\"MODELGATE_PROJECT\": \"shop\""
'

test_expect 'and the other way round' '
	shares first x_retrain && moves first && pipeline_is first "$id" success &&
	shares second x && same "DAG id x_retrain belongs to $T/first.git" "$(wrong_names second)" &&
	moves second retrain &&
	fails second "$id" deploy "DAG id x_retrain belongs to $T/first.git; this is $T/second.git" &&
	pipeline_is second "$((id - 1))" success
'

test_expect 'a project that is renamed claims its new names, and keeps the old ones' '
	server_set same project name renamed && moves same && pipeline_is same "$id" success &&
	server_set upper project name same && moves upper &&
	fails upper "$id" build "image name same belongs to $T/same.git; this is $T/upper.git" &&
	server_set same project name same && moves same && pipeline_is same "$id" success
'

test_expect 'a repository that is made anew at its place is the same owner' '
	cp "$(server_file shop)" kept.ini && mv shop.state kept.state && rm -rf shop.git shop.work &&
	test_make_server shop && rm -r shop.state && mv kept.state shop.state && mv kept.ini "$(server_file shop)" &&
	new_project shop shop.work &&
	moves shop && pipeline_is shop "$id" success
'

# --- GitLab ---

test_expect 'under GitLab the project number is the owner, wherever the repository lies' '
	new_gitlab lab && cd "$T" && GL_REPOSITORY=project-5 && modelgate new lab.work --project lab --dvc-remote "$T/lab.dvc" >none &&
	git -C lab.work remote add origin "$T/lab.git" && cd lab.work &&
	expect_accept gitlab_push origin --all && git switch -q dev && commit note.txt &&
	expect_accept gitlab_push origin dev && git switch -q main && merge_in dev &&
	expect_accept gitlab_push origin main && drain lab && pipeline_is lab 1 success &&
	mg lab models | grep -F "modelgate.owner: project-5" && same "" "$(wrong_names lab)"
'

test_expect 'another project under that path is another owner; the first goes on from another path' '
	cd lab.work && GL_REPOSITORY=project-6 && git switch -q dev && commit note.txt && expect_accept gitlab_push origin dev &&
	git switch -q main && merge_in dev && expect_accept gitlab_push origin main && drain lab &&
	fails lab 2 build "image name lab belongs to project-5; this is project-6" &&
	same "registered model lab belongs to project-5" "$(wrong_names lab | head -n 1)" &&
	GL_REPOSITORY=project-5 && mv "$T/lab.git" "$T/moved.git" && git remote set-url origin "$T/moved.git" &&
	git switch -q dev && commit note.txt && expect_accept gitlab_push origin dev &&
	git switch -q main && merge_in dev && expect_accept gitlab_push origin main &&
	modelgate --repo "$T/moved.git" run --drain &&
	same success "$(modelgate --repo "$T/moved.git" status 3 --json | json pipelines.0.status)"
'

test_done
