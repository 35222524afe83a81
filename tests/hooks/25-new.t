#!/bin/sh
# modelgate new: the project that a data scientist starts with, and what it refuses.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

test_expect 'a project: one commit, the five branches, dev checked out, nothing left to commit' '
	modelgate new work --project churn >out && cat out &&
	same "dev main online prod retrain" \
		"$(git -C work for-each-ref --format="%(refname:short)" | tr "\n" " " | sed "s/ \$//")" &&
	same 1 "$(git -C work rev-list --all --count)" &&
	same 1 "$(git -C work for-each-ref --format="%(objectname)" | sort -u | wc -l)" &&
	same refs/heads/dev "$(git -C work symbolic-ref HEAD)" &&
	same "" "$(git -C work status --porcelain)" && git -C work fsck --strict &&
	same "A. Ivanov <ivanov@example.com>" "$(git -C work show -s --format="%an <%ae>")"
'

test_expect 'it says what comes next' '
	grep -x "  cd $T/work" out && grep -x "  git remote add origin REPOSITORY" out &&
	grep -x "  git push origin --all" out
'

test_expect 'its files: configuration, DAGs, retraining, Docker, and a model by its pointer alone' '
	git -C work ls-files >files &&
	for file in dag.py dag-retrain.py retrain.py score.py Dockerfile requirements.txt README.md \
		.gitignore .dvc/config .dvc/.gitignore rkl/model.pkl.dvc rkl/.gitignore; do
		grep -x "$file" files || return 1
	done &&
	same 12 "$(wc -l <files)" &&
	[ -s work/rkl/model.pkl ] &&
	{ ! grep -x rkl/model.pkl files || return 1; } &&
	same 2 "$(git -C work check-ignore rkl/model.pkl .dvc/local-remote | wc -l)"
'

test_expect 'the pointer names the model, and the DVC remote has it' '
	md5=$(sed -n "s/^- md5: //p" work/rkl/model.pkl.dvc) &&
	same "$md5" "$(md5sum <work/rkl/model.pkl | cut -c 1-32)" &&
	same "$(wc -c <work/rkl/model.pkl)" "$(sed -n "s/^  size: //p" work/rkl/model.pkl.dvc)" &&
	remote=$(sed -n "s/^ *url = //p" work/.dvc/config) && same "$T/work/.dvc/local-remote" "$remote" &&
	cmp work/rkl/model.pkl "$remote/files/md5/$(echo "$md5" | sed "s,^..,&/,")"
'

test_expect 'its Python compiles, and scores with the model' '
	for file in work/*.py; do
		python3 -I -c "compile(open(\"$file\").read(), \"$file\", \"exec\")" || return 1
	done &&
	cd work && python3 score.py >"$T/scored" && same 3 "$(wc -l <"$T/scored")" &&
	same "" "$(git status --porcelain)"
'

test_expect 'a folder that is there and empty is as good; another DVC remote can be named' '
	mkdir empty && modelgate new empty --dvc-remote models --project a-B_9 &&
	same refs/heads/dev "$(git -C empty symbolic-ref HEAD)" &&
	same "$T/models" "$(sed -n "s/^ *url = //p" empty/.dvc/config)" &&
	same 1 "$(find models -type f | wc -l)" && [ ! -e empty/.dvc/local-remote ]
'

test_expect 'a DVC remote that is no folder is refused' '
	for remote in s3://models/churn https://example.com/dvc file:///srv/models; do
		is_usage "--dvc-remote takes a folder; for s3 or http edit .dvc/config afterwards with dvc remote modify" \
			modelgate new far --project far --dvc-remote "$remote" || return 1
	done &&
	[ ! -e far ] && [ ! -e s3: ]
'

test_expect 'two projects may share a DVC remote' '
	modelgate new second --dvc-remote models --project second &&
	same 1 "$(find models -type f | wc -l)"
'

# In the environment of nobody: no name anywhere.
nameless() {
	env -u GIT_AUTHOR_NAME -u GIT_AUTHOR_EMAIL -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL "$@"
}

test_expect 'the commit is by whom Git says, else by modelgate itself' '
	git config --global user.name Boris && git config --global user.email boris@example.com &&
	nameless modelgate new named --project churn &&
	same "Boris <boris@example.com>" "$(git -C named show -s --format="%an <%ae>" )" &&
	git config --global --remove-section user &&
	nameless modelgate new unnamed --project churn &&
	same "modelgate <modelgate@localhost>" "$(git -C unnamed show -s --format="%an <%ae>" )"
'

# --- what it refuses, leaving nothing ---

# The size of a folder is its file system's affair.
listing() {
	find . -path ./.run -prune -o -path ./home -prune -o ! -name out ! -name err ! -name before \
		! -name after \( -type d -printf "%p %y\n" -o -printf "%p %y %s\n" \) | sort
}

leaves_nothing() {
	listing >before && "$@" && listing >after && diff before after
}

test_expect 'a folder in which something is' '
	mkdir full && echo text >full/file &&
	leaves_nothing is_no "$T/full is there and not empty" modelgate new full --project churn &&
	leaves_nothing is_no "work is there and not empty" modelgate new work --project churn &&
	mkdir hidden && : >hidden/.file &&
	leaves_nothing is_no "hidden is there and not empty" modelgate new hidden --project churn
'

test_expect 'a file, a link to nowhere, a folder whose folder is not there' '
	: >file && ln -s nowhere link &&
	leaves_nothing is_no "" modelgate new file --project churn &&
	leaves_nothing is_no "" modelgate new link --project churn &&
	leaves_nothing is_no "" modelgate new none/such --project churn &&
	grep none "$T/err"
'

test_expect 'a name that MLflow or Airflow would not take' '
	for name in "a b" a/b a.b "" ä "$(printf "%0101d" 1)"; do
		leaves_nothing is_usage "project name" modelgate new other --project "$name" ||
			return 1
	done &&
	modelgate new longest --project "$(printf "%0100d" 1)"
'

test_expect 'no name at all, and the folder one is in' '
	leaves_nothing is_usage "DIR is empty" modelgate new "" --project churn &&
	mkdir here && cd here &&
	for dir in . ./ "$T/here"; do
		leaves_nothing is_no "give the name of a folder that is not there yet" \
			modelgate new "$dir" --project churn || return 1
	done
'

awkward="b o; x"

test_expect 'the way into a folder with blanks is shown as the shell wants it' '
	modelgate new "$awkward" --project churn >out && cat out && grep "^  cd ." out &&
	eval "$(sed -n "s/^  cd /cd /p" out)" && same "$T/$awkward" "$(pwd)"
'

test_expect 'words that it does not know, and none' '
	leaves_nothing is_usage "DIR is missing" modelgate new &&
	leaves_nothing is_usage "--project NAME is missing" modelgate new other &&
	leaves_nothing is_usage "no option --nonsense" modelgate new other --project churn --nonsense &&
	leaves_nothing is_usage "one too many" modelgate new other another --project churn
'

test_expect 'a DVC remote that cannot be made' '
	leaves_nothing is_no "" modelgate new other --project churn --dvc-remote file/below
'

# --- and on a server ---

test_expect 'the five branches are pushed to an empty repository with hooks in any order' '
	new_server churn && cd work && git remote add origin "$T/churn.git" &&
	expect_accept git push origin --all && said_not "modelgate: " &&
	same 5 "$(git -C "$T/churn.git" for-each-ref | wc -l)" &&
	mg churn status | grep -x "no pipelines" && audit_valid churn &&
	same 0 "$(audit_count churn "event=pipeline.*")" &&
	same 1 "$(audit_count churn "event=push.accepted")" &&
	new_server singly && git remote add singly "$T/singly.git" &&
	for branch in prod main online retrain dev; do
		expect_accept git push singly "$branch" || return 1
	done &&
	same 5 "$(git -C "$T/singly.git" for-each-ref | wc -l)" && mg singly status | grep -x "no pipelines"
'

test_expect 'its first merge goes through the whole chain, its default DAG into the repository of DAGs' '
	cd work && commit note.txt && expect_accept git push origin dev &&
	expect_accept merge_push dev main && drain churn && pipeline_is churn 1 success &&
	git -C "$T/churn.state/repositories/airflow-dev.git" show main:dags/churn.py >"$T/dag.py" &&
	{ ! grep "@[A-Z_]*@" "$T/dag.py" || return 1; } &&
	grep -F "dag_id=\"churn\"" "$T/dag.py"
'

test_done
