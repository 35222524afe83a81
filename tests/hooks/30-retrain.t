#!/bin/sh
# retrain-<pipeline_id>-<date>: the pipeline it names, the commit it starts at, what it may change, the
# model it brings, and that a name is used once.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

day() {
	date -u -d "$1" "+${2:-%Y%m%d}"
}

today=$(day now)
new_server shop
new_project shop work || test_bail 'no project'

# A branch with a new model on top of the tip of retrain, as the retraining job commits it.
retrained() {
	git switch -q -C "$1" origin/retrain && put_model "$1"
}

# The same with the file $2 made by the rest of the command, in the same commit.
retrained_with() {
	retrained "$1" && retrained_file=$2 && shift 2 && "$@" >"$retrained_file" &&
		git add -- "$retrained_file" && git commit -q --amend --no-edit
}


# Do what the last rejection says.
follow() {
	retrained_fix=$(gate_lines | sed -n "s/.*  to fix: [^:]*: //p") &&
		echo "following: $retrained_fix" && test_tick && eval "$retrained_fix"
}

# --- MG203: the pipeline ---

test_expect 'MG203: no pipeline has been there yet' '
	cd work && retrained "retrain-2-$today" && expect_reject MG203 git push origin HEAD &&
	told <<-EOT &&
		modelgate: rejected refs/heads/retrain-2-$today 0000000..$(short HEAD) MG203: 2 is no pipeline of this repository'\''s retrain chain whose deploy succeeded
		modelgate:   to fix: let the DAG that the pipeline deployed push its branch; pipelines are shown by: modelgate status
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.code=MG203
'

test_expect 'MG203: it is there, and its deploy stage has not run' '
	cd work && git switch -q dev && put_model one && expect_accept git push origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain &&
	said "pipeline 2 created: chain retrain on retrain" && base=$(short retrain) &&
	retrained "retrain-2-$today" && expect_reject MG203 git push origin HEAD
'

test_expect 'MG203: the pipeline of another chain, whose deploy succeeded' '
	drain shop && pipeline_is shop 1 success && pipeline_is shop 2 success && cd work &&
	expect_reject MG203 git push origin "HEAD:retrain-1-$today" &&
	said "MG203: 1 is no pipeline"
'

test_expect 'MG203: a number that none can have' '
	cd work && expect_reject MG203 git push origin "HEAD:retrain-18446744073709551618-$today" &&
	expect_reject MG203 git push origin "HEAD:retrain-02-$today" &&
	said "MG203: 02 is no pipeline id: it is written without leading zeros"
'

test_expect 'with known-pipeline = off any number will do, but not one with leading zeros' '
	server_set shop retrain-branch known-pipeline off && cd work &&
	lands shop "retrain-99-$today" create "" git push origin "HEAD:retrain-99-$today" &&
	expect_reject MG203 git push origin "HEAD:retrain-099-$today" &&
	server_set shop retrain-branch known-pipeline require
'

# --- MG302 and MG303: the model ---

test_expect 'MG302: without the pointer' '
	cd work && git switch -q -C "retrain-2-$today" origin/retrain &&
	git rm -q rkl/model.pkl.dvc && git commit -q -m "No model" &&
	expect_reject MG302 git push origin HEAD && said "MG302: rkl/model.pkl.dvc is missing"
'

test_expect 'MG302: a folder in its place' '
	cd work && commit rkl/model.pkl.dvc/file && expect_reject MG302 git push origin HEAD &&
	said "rkl/model.pkl.dvc is a folder"
'

test_expect 'MG303: what is wrong in it, with line and field' '
	cd work && rm -rf rkl/model.pkl.dvc &&
	retrained_with "retrain-2-$today" rkl/model.pkl.dvc printf \
		"outs:\n- md5: %s\n  size: many\n  hash: md5\n  path: model.pkl\n" "$(printf %032d 7)" &&
	expect_reject MG303 git push origin HEAD && told <<-EOT
		modelgate: rejected refs/heads/retrain-2-$today 0000000..$(short HEAD) MG303: rkl/model.pkl.dvc is not a valid DVC pointer: line 3: outs[0].size: must be a whole number, 0 or more
		modelgate:   to fix: commit it as dvc writes it: dvc add rkl/model.pkl && git add rkl/model.pkl.dvc && git commit -m "Model"
		modelgate:   nothing was changed; audit id ID
	EOT
'

test_expect 'MG303: more than a pointer can have is not read' '
	cd work && retrained_with "retrain-2-$today" rkl/model.pkl.dvc head -c 100000 /dev/zero &&
	expect_reject MG303 git push origin HEAD && said "size: 100000 bytes, more than 65536"
'

test_expect 'MG303: an executable, a symbolic link' '
	cd work && retrained "retrain-2-$today" && git update-index --chmod=+x rkl/model.pkl.dvc &&
	git commit -q -m "Executable" && expect_reject MG303 git push origin HEAD &&
	said "mode: must be 100644, not that of an executable" &&
	git reset -q --hard HEAD^ && mv rkl/model.pkl.dvc rkl/elsewhere &&
	ln -s elsewhere rkl/model.pkl.dvc && git add rkl && git commit -q -m "Link" &&
	expect_reject MG303 git push origin HEAD &&
	said "mode: must be 100644, not that of a symbolic link"
'

# --- MG206 and MG207: where it starts, what it changes ---

test_expect 'MG206: not from the commit that the pipeline was made for' '
	cd work && git switch -q -C "retrain-2-$today" "origin/retrain^" && put_model two &&
	expect_reject MG206 git push origin HEAD &&
	said "MG206: commit $(short HEAD) does not descend from $base, which its pipeline was made for" &&
	model=$(git rev-parse HEAD:rkl/model.pkl.dvc) && follow &&
	same "$model" "$(git rev-parse HEAD:rkl/model.pkl.dvc)" &&
	lands shop retrain-2-20260103 create "" git push origin HEAD:retrain-2-20260103
'

test_expect 'MG207: code beside the model' '
	cd work && retrained_with "retrain-2-$today" score.py echo new &&
	expect_reject MG207 git push origin HEAD && told <<-EOT
		modelgate: rejected refs/heads/retrain-2-$today 0000000..$(short HEAD) MG207: against $base, which its pipeline was made for, its commits may change only rkl/*, not score.py
		modelgate:   to fix: bring the model in one commit and the rest as it was: git reset --soft $base && git restore -s $base -SW -- . '\'':!rkl/*'\'' && git commit -m "The model alone"
		modelgate:   nothing was changed; audit id ID
	EOT
'

test_expect 'what it says puts everything back, whatever was changed' '
	cd work && git rm -q README.md && commit "new/file with blanks.py" && put_model two &&
	expect_reject MG207 git push origin HEAD &&
	said "not README.md, new/file with blanks.py, score.py" && follow &&
	lands shop retrain-2-20260104 create "" git push origin HEAD:retrain-2-20260104
'

test_expect 'MG207: a file that became executable; fine where may-change says so' '
	cd work && retrained "retrain-2-$today" && git update-index --chmod=+x score.py &&
	git commit -q -m "Mode" && git checkout -q -f && expect_reject MG207 git push origin HEAD && said "not score.py" &&
	server_set shop retrain-branch may-change "rkl/*, *.py" &&
	lands shop retrain-2-20260101 create "" git push origin HEAD:retrain-2-20260101 &&
	server_set shop retrain-branch may-change "rkl/*"
'

test_expect 'MG207: what is undone again is in the branch all the same, and could be merged' '
	cd work && git revert --no-edit HEAD >none && expect_reject MG207 git push origin HEAD:retrain-2-20260102 &&
	said "not score.py" && follow &&
	lands shop retrain-2-20260102 create "" git push origin HEAD:retrain-2-20260102
'

# --- MG401: who ---

test_expect 'MG401: who lacks the role; who may delete needs none' '
	server_set shop "role \"bot\"" members nobody-here &&
	server_set shop retrain-branch roles bot && cd work && retrained "retrain-2-$today" &&
	expect_reject MG401 git push origin HEAD && said "that takes the role bot" &&
	expect_accept git push origin :retrain-2-20260101 &&
	server_set shop "role \"bot\"" members "$(id -un)"
'

# --- accepted, and then ---

test_expect 'the result of the retraining lands, and main takes it' '
	cd work && retrained "retrain-2-$today" &&
	lands shop "retrain-2-$today" create "" git push origin HEAD && told </dev/null &&
	lands shop main merge "retrain-2-$today" merge_push "retrain-2-$today" main
'

test_expect 'MG204: any later move of it' '
	cd work && git switch -q "retrain-2-$today" && commit rkl/again.txt &&
	expect_reject MG204 git push origin HEAD && expect_reject MG204 git push -f origin HEAD^^:"retrain-2-$today"
'

test_expect 'MG204: the same day in the other format, while it is there' '
	cd work && expect_reject MG204 git push origin "HEAD^:refs/heads/retrain-2-$(day now %Y-%m-%d)" &&
	said "MG204: retrain-2-$today is there, which names the same pipeline and the same day"
'

test_expect 'MG204: the name again after deletion, in whatever format' '
	cd work && git switch -q main && git branch -f "retrain-2-$today" "origin/retrain-2-$today" &&
	expect_accept git push origin ":retrain-2-$today" &&
	expect_reject MG204 git push origin "retrain-2-$today" && told <<-EOT &&
		modelgate: rejected refs/heads/retrain-2-$today 0000000..$(short "retrain-2-$today") MG204: retrain-2-$today was there before; a name is used once, also if it was deleted since
		modelgate:   to fix: retrain again; the new model gets a branch of its own
		modelgate:   nothing was changed; audit id ID
	EOT
	expect_reject MG204 git push origin "retrain-2-$today:retrain-2-$(day now %Y-%m-%d)" &&
	said "MG204: retrain-2-$today was there before, which names the same pipeline and the same day" &&
	expect_accept git push origin "retrain-2-$today:retrain-2-$(day yesterday %Y-%m-%d)"
'

test_expect 'MG204: both formats in one push, in either order; one of them lands' '
	cd work && one=retrain-2-$(day "3 days ago") && other=retrain-2-$(day "3 days ago" %Y-%m-%d) &&
	tip="retrain-2-$today" && expect_reject MG204 git push origin "$tip:$one" "$tip:$other" &&
	said "comes in the same push, which names the same pipeline and the same day" &&
	expect_reject MG204 git push --atomic origin "$tip:$other" "$tip:$one" &&
	expect_accept git push origin "$tip:$other"
'

test_expect 'MG204: one that came past the rules takes the name while it is there' '
	cd work && other=retrain-2-$(day "4 days ago" %Y-%m-%d) &&
	git -C "$T/shop.git" update-ref "refs/heads/$other" "$(git rev-parse origin/retrain)" &&
	expect_reject MG204 git push origin "$tip:retrain-2-$(day "4 days ago")" && said "$other is there" &&
	git -C "$T/shop.git" update-ref -d "refs/heads/$other" &&
	expect_accept git push origin "$tip:retrain-2-$(day "4 days ago")"
'

test_expect 'a push that git refused after the gates has not used the name' '
	cd work && name=retrain-2-$(day "5 days ago") && lock="$T/shop.git/refs/heads/$name.lock" &&
	: >"$lock" && { ! git push origin "$tip:$name" 2>"$T/err" || return 1; } &&
	said "failed to update ref" && same none "$(tip shop "refs/heads/$name")" && rm "$lock" &&
	expect_accept git push origin "$tip:retrain-2-$(day "5 days ago" %Y-%m-%d)" &&
	expect_reject MG204 git push origin "$tip:$name"
'

test_expect 'MG204: a name whose landing nobody saw is used, also when it is gone' '
	cd work && name=retrain-2-$(day "6 days ago") && mv "$T/shop.git/hooks/post-receive" "$T/kept" &&
	expect_accept git push origin "$tip:$name" && expect_accept git push origin ":$name" &&
	expect_reject MG204 git push origin "$tip:$name" && mv "$T/kept" "$T/shop.git/hooks/post-receive"
'

test_expect 'of several codes the lowest is told, all are recorded' '
	cd work && git switch -q --orphan empty && commit other.txt &&
	expect_reject MG202 git push origin "HEAD:retrain-2-20260231" &&
	recorded shop refs.0.code=MG202 refs.0.codes.1=MG206 refs.0.codes.2=MG207 refs.0.codes.3=MG302 &&
	git switch -q main
'

test_expect 'MG905: what the store cannot tell is not passed' '
	cd work && mv "$T/shop.state/store.db" "$T/store.db" && rm -f "$T/shop.state"/store.db-* &&
	printf "%0200d" 0 >"$T/shop.state/store.db" &&
	expect_reject MG905 git push origin "$tip:retrain-2-$(day "7 days ago")" &&
	mv "$T/store.db" "$T/shop.state/store.db" &&
	expect_accept git push origin "$tip:retrain-2-$(day "7 days ago")" && audit_valid shop
'

test_expect 'in shadow mode what would be rejected lands, and its name is used' '
	server_set shop modelgate mode shadow && cd work && name=retrain-77-$(day "8 days ago") &&
	git push origin "$tip:$name" >"$T/out" 2>"$T/err" && said "MG203: 77 is no pipeline" &&
	audit_has shop event=push.shadowed "refs.0.ref=refs/heads/$name" refs.0.code=MG203 &&
	git push -q origin ":$name" && server_set shop modelgate mode enforce &&
	expect_reject MG203 git push origin "$tip:$name" && recorded shop refs.0.codes.1=MG204
'

test_done
