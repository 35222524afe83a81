#!/bin/sh
# What stands in the Airflow repository where a DAG file is to go: whose it is, through merges and
# removals by hand, and what is no file.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"

git init -q --bare dags.git && git clone -q dags.git hand 2>/dev/null
deploying churn "file://$T/dags.git" || test_bail 'no project'

# A commit on main of the Airflow repository, made by a person; nothing is pushed of a failed script.
by_hand() {
	cd "$T/hand" && git pull -q --no-rebase origin main 2>/dev/null
	test_tick
	eval "$1" && git add -A && git commit -q -m "By hand" && git push -q origin HEAD:main && cd "$T" || return 1
}

again() {
	mg churn retry "$(newest churn)" deploy
}

test_expect 'a file that a person put there is not replaced; once it is gone, it is deployed' '
	by_hand "mkdir dags; echo theirs >dags/churn.py" && next_deploy churn &&
	deploy_ends churn failed && log_says churn "was not deployed by modelgate" &&
	log_says churn "by A. Ivanov" && same theirs "$(git -C dags.git show main:dags/churn.py)" &&
	by_hand "git rm -q dags/churn.py" && again && deploy_ends churn success
'

test_expect 'what a person changed in it since, or brought through a merge, is replaced' '
	by_hand "echo changed >>dags/churn.py" && next_deploy churn && deploy_ends churn success &&
	cd hand && git switch -q -c side HEAD~2 && commit other.txt && git fetch -q origin &&
	git merge -q -m "Pulled" origin/main && git push -q origin HEAD:main && git switch -q main && cd .. &&
	next_deploy churn && deploy_ends churn success
'

test_expect 'one that another state directory deploys there is not; its owner is named' '
	deploying churn2 "$T/dags.git" && server_set churn2 project name churn && next_deploy churn2 &&
	deploy_ends churn2 failed && log_says churn2 "belongs to $T/churn.git" &&
	log_says churn2 "this is $T/churn2.git" && next_deploy churn && deploy_ends churn success
'

refused() {
	by_hand "$1" && next_deploy churn && before=$(git -C dags.git rev-parse main) &&
		deploy_ends churn failed && log_says churn "$2" &&
		same "$before" "$(git -C dags.git rev-parse main)" &&
		by_hand "git rm -rqf dags --ignore-unmatch && mkdir -p dags && echo >dags/.gitkeep" &&
		again && deploy_ends churn success
}

test_expect 'a symbolic link in its place, or as its folder' '
	refused "rm dags/churn.py && ln -s /etc/passwd dags/churn.py" "dags/churn.py is a symbolic link" &&
	refused "git rm -rq dags && mkdir real && echo >real/churn.py && ln -s real dags" "dags is a symbolic link"
'

test_expect 'a folder in its place, or a file as its folder' '
	refused "rm dags/churn.py && mkdir dags/churn.py && echo >dags/churn.py/x" "dags/churn.py is a folder" &&
	refused "git rm -rq dags && echo >dags" "dags is a file"
'

test_expect 'a submodule in its place' '
	refused "git rm -q --cached dags/churn.py && rm dags/churn.py &&
		git update-index --add --cacheinfo 160000,$(git -C churn.git rev-parse main),dags/churn.py &&
		mkdir -p dags/churn.py" "dags/churn.py is a submodule"
'

test_done
