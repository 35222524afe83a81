#!/bin/sh
# ./install.sh demo: a model goes from dev through main to prod, is retrained, and comes back; what must
# not pass is rejected.  Everything is real and lies in one temporary folder: the programs, a bare
# repository with the hooks, a DVC remote, the Airflow repositories.  Only Airflow itself is stood in
# for: the command that is run is the one in the DAG file that was deployed.
# Ends with status 1 if anything comes out otherwise than expected.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
started=$(date +%s)
accepted=0
rejected=0
keep=no

case "$#:${1:-}" in
0:) ;;
1:--keep) keep=yes ;;
*)
	echo 'usage: ./install.sh demo [--keep]' >&2
	exit 2
	;;
esac

folder=$(mktemp -d "${TMPDIR:-/tmp}/modelgate-demo.XXXXXX")
folder=$(cd "$folder" && pwd -P)

finish() {
	status=$?
	trap '' INT TERM
	cd /
	if [ "$keep" = yes ]; then
		printf '\nKept: %s\n' "$folder"
		printf '  to look:   %s --repo %s status\n' "$folder/prefix/bin/modelgate" "$folder/churn.git"
		printf '  to remove: rm -rf %s\n' "$folder"
	else
		# The last runner may still be closing its files.
		until rm -rf "$folder" 2>/dev/null; do sleep 0.1; done
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing of this machine's Git configuration and of the names in it.
for variable in $(env | sed -n 's/^\(GIT_[A-Z_]*\|GL_[A-Z_]*\)=.*/\1/p'); do
	unset "$variable"
done
umask 022
export HOME="$folder" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_MERGE_AUTOEDIT=no LC_ALL=C
export GIT_AUTHOR_NAME='A. Ivanov' GIT_AUTHOR_EMAIL=ivanov@example.com
export GIT_COMMITTER_NAME='A. Ivanov' GIT_COMMITTER_EMAIL=ivanov@example.com
export PYTHONDONTWRITEBYTECODE=1 PATH="$folder/prefix/bin:$PATH"
git config --global init.defaultBranch main

# --- what is shown ---

chapter() {
	printf '\n\n--- %s\n' "$*"
}

tell() {
	printf '\n%s\n' "$*"
}

fail() {
	printf '\ndemo: NOT AS EXPECTED: %s\n' "$*" >&2
	exit 1
}

# Standard input, with the folder as ~, which it is for all that runs here.
short() {
	sed "s|$folder|~|g; s|$top|.|g; s/^remote: //; s/ *\$//"
}

# A command as one would type it.
typed() {
	line=
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=~-]*) line="$line '$word'" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '\n$%s\n' "$line" | short
}

# Show a command, run it, show what came back.  Sets result to its exit status; text is in $folder/out.
run() {
	typed "$@"
	result=0
	"$@" >"$folder/out" 2>&1 </dev/null || result=$?
	short <"$folder/out" | sed 's/^./    &/'
}

must() {
	run "$@"
	[ "$result" -eq 0 ] || fail "$* exited $result"
}

must_accept() {
	must "$@"
	! grep -q 'modelgate: rejected' "$folder/out" || fail "$* was rejected"
	accepted=$((accepted + 1))
}

# CODE COMMAND...
must_reject() {
	code=$1
	shift
	run "$@"
	[ "$result" -ne 0 ] || fail "$* should have been rejected with $code"
	grep -q "modelgate: rejected .* $code: " "$folder/out" || fail "$* was not rejected with $code"
	rejected=$((rejected + 1))
}

must_say() {
	grep -q -e "$1" "$folder/out" || fail "this does not say \"$1\""
}

# --- looking ---

mg() {
	modelgate --repo "$folder/churn.git" "$@"
}

# Show a verb of the command without the path that is always the same.
show() {
	typed modelgate "$@"
	mg "$@" >"$folder/out" 2>&1 || fail "modelgate $* failed: $(cat "$folder/out")"
	short <"$folder/out" | sed 's/^./    &/'
}

# The number of the pipeline that the last push made.
new_pipeline() {
	id=$(sed -n 's/.*modelgate: pipeline \([0-9]*\) created.*/\1/p' "$folder/out")
	[ -n "$id" ] || fail 'no pipeline was created'
}

# A value of pipeline ID: status, or facts.NAME, or the status of a stage.
look() {
	mg status "$1" --json | python3 -c '
import json, sys
pipeline = json.load(sys.stdin)["pipelines"][0]
found = pipeline
for part in sys.argv[1].split("."):
    if part == "stages":
        found = {stage["name"]: stage["status"] for stage in pipeline["stages"]}
    else:
        found = found.get(part, "")
print(found)' "$2"
}

# Until `look ID WHAT` says WORD.  The hooks started a runner; it needs some seconds at most.
wait_until() {
	deadline=$(($(date +%s) + 60))
	until [ "$(look "$1" "$2")" = "$3" ]; do
		case $(look "$1" status) in
		failed | canceled) break ;;
		esac
		[ "$(date +%s)" -lt "$deadline" ] || break
		sleep 0.05
	done
	[ "$(look "$1" "$2")" = "$3" ] || {
		mg status "$1" >&2
		fail "$2 of pipeline $1 is \"$(look "$1" "$2")\" and not $3"
	}
}

# Play the stages of pipeline ID, one after the other.
play() { # STAGE...
	for stage; do
		show play "$id" "$stage"
		wait_until "$id" "stages.$stage" success
	done
}

play_all() {
	wait_until "$id" status manual
	play build deploy stage-model
	wait_until "$id" status success
}

# The models table has VERSION as latest, in Staging, in Production ("-" or empty: none).
must_have_models() {
	mg models --json | python3 -c '
import json, sys
model = json.load(sys.stdin)["models"][0]
def version(stage):
    return str(model.get(stage) or "-")
found = [version(stage) for stage in ("latest_version", "staging", "production")]
if found != sys.argv[1:]:
    sys.exit(f"models: latest, Staging, Production are {found}, not {sys.argv[1:]}: {model}")' "$@" ||
		fail 'the models table'
}

airflow_file() {
	git -C "$folder/state/repositories/$1.git" show "main:dags/$2.py"
}

# Run a deployed DAG file as Airflow would: REPOSITORY DAG.
run_dag() {
	airflow_file "$1" "$2" >"$folder/$2.py"
	tell "Airflow runs the DAG $2 from $1, here by a stand-in:"
	PYTHONPATH="$here/airflow-stand-in" must python3 "$here/airflow-stand-in/run_dag.py" "$folder/$2.py"
}

commit() {
	git add -A
	git commit -q -m "$1"
	typed git commit -m "$1"
}

merge() {
	must git switch -q "$2"
	must git merge -q --no-ff -m "Merge $1 into $2" "$1"
}

# --- the story ---

install() {
	printf 'All of this happens below %s, written ~ here.\n' "$folder"
	chapter 'A server: a bare repository with the hooks'
	must git init -q --bare "$folder/churn.git"
	must "$top/install.sh" repo "$folder/churn.git" --project churn --prefix "$folder/prefix" \
		--state "$folder/state"
	cat >>"$folder/churn.git/modelgate.ini" <<-END

		; For the demo: where the retraining pushes to, and no container engine.
		[project]
		repository-url = $folder/churn.git

		[build]
		engine = archive
	END
	must "$top/install.sh" check "$folder/churn.git"
	must cat "$folder/churn.git/modelgate.ini"
}

start_project() {
	chapter 'A new project: five branches at one commit'
	must modelgate new "$folder/work" --project churn --dvc-remote "$folder/dvc-remote"
	cd "$folder/work"
	must git ls-tree -r --name-only main
	must git remote add origin "$folder/churn.git"
	must_accept git push origin --all
	! grep -q 'pipeline' "$folder/out" || fail 'the first push made a pipeline'
	tell 'The first push launches nothing.  From now on main, prod, retrain and online have rules.'
}

develop() {
	chapter 'Work goes to dev, which is free'
	must git switch -q dev
	echo '# The threshold is for the reader of the scores to choose.' >>score.py
	commit 'Say who chooses the threshold'
	must_accept git push origin dev

	chapter 'A commit on main itself is not for main'
	must git switch -q main
	echo 'hot fix' >hotfix.txt
	commit 'Quick fix'
	must_reject MG102 git push origin main
	must git reset -q --hard origin/main
}

merge_to_main() {
	chapter 'dev merged into main: chain dev runs by itself'
	merge dev main
	must_accept git push origin main
	new_pipeline
	wait_until "$id" status success
	show status "$id"
	show logs "$id" build
	show models
	must_have_models 1 1 -
	tell 'The DAG file that was deployed to airflow-dev:'
	must git -C "$folder/state/repositories/airflow-dev.git" log --oneline --stat main
	airflow_file airflow-dev churn | grep 'MODELGATE_' >"$folder/dag.first" ||
		fail 'the DAG file names nothing of the pipeline'
	run_dag airflow-dev churn
	must_say 'model trained 20240101'
}

merge_to_prod() {
	chapter 'prod takes merges from main and from retrainings, and waits for a hand at each stage'
	must git switch -q dev
	echo '# Not in main yet.' >>score.py
	commit 'Work that is not in main yet'
	must_accept git push origin dev
	merge dev prod
	must_reject MG103 git push origin prod
	must git reset -q --hard origin/prod

	merge main prod
	must_accept git push origin prod
	new_pipeline
	wait_until "$id" status manual
	# Who has no shell on the server plays by pushing.
	must_accept git push origin "HEAD:refs/modelgate/play/$id/build"
	wait_until "$id" stages.build success
	play deploy stage-model
	wait_until "$id" status success
	show status "$id"
	show models
	must_have_models 1 - 1
	run_dag airflow-prod churn
}

serve_online() {
	chapter 'online: the same model for a service that answers at once'
	merge main online
	must_accept git push origin online
	new_pipeline
	play_all
	tell 'The manifest that was deployed to online-serving:'
	must git -C "$folder/state/repositories/online-serving.git" show main:manifests/churn.yaml
	must_say 'version: "1"'
	show logs "$id" stage-model
	must_say 'nothing to do'
	must_have_models 1 - 1
}

retrain() {
	chapter 'main merged into retrain: a retraining DAG is deployed'
	merge main retrain
	must_accept git push origin retrain
	new_pipeline
	retraining=$id
	wait_until "$id" status success
	show status "$id"

	chapter 'A retraining comes back under its name, or not at all'
	must_reject MG201 git push origin retrain:refs/heads/retrain_churn
	must_reject MG202 git push origin "retrain:refs/heads/retrain-$retraining-20260231"
	run_dag airflow-dev churn_retrain
	accepted=$((accepted + 1))
	must git fetch origin
	branch=$(git branch -r --list "origin/retrain-$retraining-*" --format='%(refname:lstrip=3)')
	[ -n "$branch" ] || fail 'the retraining pushed no branch'
	must git diff --stat origin/retrain "origin/$branch"

	chapter "$branch merged into main: a new version, a new DAG"
	must git switch -q "$branch"
	merge "$branch" main
	must_accept git push origin main
	new_pipeline
	wait_until "$id" status success
	show models
	must_have_models 2 2 1
	airflow_file airflow-dev churn | grep 'MODELGATE_' >"$folder/dag.second"
	run diff "$folder/dag.first" "$folder/dag.second"
	[ "$result" -eq 1 ] || fail 'the DAG file has not changed'
	run_dag airflow-dev churn
	must_say "model trained $(date -u +%Y)"
}

release_and_roll_back() {
	chapter 'The retrained model goes to prod; it disappoints, and the one before comes back'
	merge main prod
	must_accept git push origin prod
	new_pipeline
	play_all
	show models
	must_have_models 2 - 2
	show rollback churn
	show models
	must_have_models 2 - 1
	show audit show --event model.rolledback
}

look_back() {
	chapter 'What security sees'
	show audit show --event 'push.rejected'
	show audit verify
	pipelines=$(mg status --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["pipelines"]))')
	tell "Done in $(($(date +%s) - started)) s: $accepted pushes accepted, $rejected rejected, $pipelines pipelines."
	tell 'Next, for a repository of your own: ./install.sh repo PATH'
}

install
start_project
develop
merge_to_main
merge_to_prod
serve_online
retrain
release_and_roll_back
look_back
