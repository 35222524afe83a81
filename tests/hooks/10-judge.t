#!/bin/sh
# What lands on the branches with rules and what does not: each rejection beside its nearest acceptance,
# with what the pusher is told and what is recorded.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

takes_main='main takes merges from: dev, retrain-<pipeline_id>-<date>'
dev_stages='build -> create-model -> deploy -> stage-model'

# --- the first push of a project ---

new_server shop
modelgate new "$T/work" --project shop --dvc-remote "$T/shop.dvc" >/dev/null || test_bail 'no project'
git -C work remote add origin "$T/shop.git"

test_expect 'five branches at one commit land in an empty repository, and nothing is launched' '
	cd work && expect_accept git push origin --all && told </dev/null &&
	for branch in dev main prod retrain online; do
		same "$(git rev-parse HEAD)" "$(tip shop refs/heads/$branch)" || return 1
	done &&
	same 1 "$(pushes shop)" &&
	recorded shop event=push.accepted refs.4.ref=refs/heads/retrain refs.4.method=create &&
	same 4 "$(audit_count shop event=ref.updated)" && same "" "$(pipelines shop)"
'

one_by_one() {
	for branch in "$@"; do
		expect_accept git push "$T/orders.git" "$branch" && told </dev/null || return 1
	done
	same "" "$(pipelines orders)" && same 5 "$(git -C "$T/orders.git" for-each-ref | wc -l)" &&
		expect_accept rm -rf "$T/orders.git" "$T/orders.state"
}

for order in 'online retrain prod main dev' 'main dev online prod retrain' \
	'prod main retrain dev online' 'retrain online dev prod main'; do
	new_server orders
	test_expect "so they do one by one: $order" 'cd work && one_by_one $order'
done
TEST_SERVERS=shop

# --- merges, and commits on the branch itself ---

test_expect 'MG102: a commit on main itself' '
	cd work && at main && commit a.txt && old=$(short main~) && new=$(short main) &&
	expect_reject MG102 git push origin main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG102: commit $new "a.txt" was made on main itself
		modelgate:   $takes_main
		modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.ref=refs/heads/main refs.0.method=direct \
		"refs.0.old=$(git rev-parse main~)" "refs.0.new=$(git rev-parse main)" refs.0.code=MG102 \
		"refs.0.reason=commit $new \"a.txt\" was made on main itself"
'

test_expect 'what was rejected has left nothing on the server' '
	cd work && ! git -C "$T/shop.git" cat-file -e "$(git rev-parse main)" 2>&1 &&
	same "" "$(pipelines shop)"
'

test_expect 'the same change lands on dev, and its merge on main, which launches the chain dev' '
	cd work && at dev && commit a.txt && lands shop dev "" "" git push origin dev &&
	told </dev/null &&
	lands shop main merge dev merge_push dev main &&
	told <<-EOT &&
		modelgate: pipeline 1 created: chain dev on main $(short main): $dev_stages
	EOT
	same 1 "$(pipelines shop)" && audit_has shop event=pipeline.created pipeline=1 \
		refs.0.ref=refs/heads/main "refs.0.new=$(git rev-parse main)"
'

test_expect 'MG102: a commit below a merge, and one on top of it' '
	cd work && at dev && commit b.txt && expect_accept git push origin dev &&
	at main && commit below.txt && merge_in dev && expect_reject MG102 git push origin main &&
	said "MG102: commit $(short main~) \"below.txt\" was made on main itself" &&
	at main && merge_in dev && commit above.txt && expect_reject MG102 git push origin main &&
	said "MG102: commit $(short main) \"above.txt\" was made on main itself" &&
	lands shop main merge dev merge_push dev main
'

test_expect 'MG102: an empty commit; a merge that brings nothing' '
	cd work && at main && git commit -q --allow-empty -m empty &&
	expect_reject MG102 git push origin main &&
	at main && tree=$(git rev-parse "main^{tree}") &&
	idle=$(git commit-tree -p main -p dev -m "Merge dev" "$tree") &&
	expect_reject MG102 git push origin "$idle:main"
'

test_expect 'MG101: a rewound main; undone by a revert that comes through dev' '
	cd work && at main && new=$(short main~) && old=$(short main) &&
	expect_reject MG101 git push --force origin main~:main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG101: history rewrite: $old, the tip of main, is not an ancestor of what was pushed
		modelgate:   to fix: do not force; to undo a commit, git revert it on dev, then open a merge request dev -> main
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.code=MG101 &&
	at dev && test_tick && git revert --no-edit HEAD >&2 && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

test_expect 'MG101: dev in the place of a main that it does not hold; forced dev is free' '
	cd work && at dev && git commit -q --amend -m amended &&
	expect_reject MG101 git push --force origin dev:main &&
	lands shop dev "" "" git push --force origin dev
'

# --- fast-forwards, back-merges, foxtrots ---

test_expect 'a fast-forward of main to dev after a back-merge' '
	cd work && at main && at dev && merge_in main && expect_accept git push origin dev &&
	lands shop main fast-forward dev git push origin dev:main
'

test_expect 'a merge on top of it' '
	cd work && at dev && commit c.txt && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

test_expect 'MG102: a foxtrot merge, main merged into the line of dev; with dev there it is a fast-forward' '
	cd work && at dev && commit d.txt && expect_accept git push origin dev &&
	left=$(short dev) && old=$(short origin/main) && merge_in origin/main && new=$(short dev) &&
	expect_reject MG102 git push origin dev:main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG102: the first parents of what was pushed lead to commit $left "d.txt" of dev, past the tip of main
		modelgate:   $takes_main
		modelgate:   to fix: make the merge on the tip of main: git fetch origin && git checkout -B main origin/main && git merge --no-ff origin/dev
		modelgate:   nothing was changed; audit id ID
	EOT
	expect_accept git push origin dev &&
	lands shop main fast-forward dev git push origin dev:main
'

# --- where commits come from ---

test_expect 'MG103: a merge of a feature branch, whose name is told; it lands by way of dev' '
	cd work && at main && git switch -q -c feature/prices main && commit prices.txt &&
	expect_accept git push origin feature/prices && at main && old=$(short main) &&
	merge_in feature/prices && new=$(short main) &&
	expect_reject MG103 git push origin main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG103: commit $new "Merge feature/prices" merges $(short feature/prices) of feature/prices, which no allowed source of main holds
		modelgate:   $takes_main
		modelgate:   to fix: merge it into dev, then open a merge request dev -> main
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.ref=refs/heads/main refs.0.code=MG103 &&
	expect_accept merge_push feature/prices dev && lands shop main merge dev merge_push dev main
'

test_expect 'MG103: a merge of commits of no branch, and of a tag; a tag in itself is free' '
	cd work && at main && git switch -q --detach && commit nobody.txt && git tag v1 &&
	at main &&
	merge_in v1 && expect_reject MG103 git push origin main &&
	said "to fix: push the commits to dev, then open a merge request dev -> main" &&
	expect_accept git push origin v1 && expect_reject MG103 git push origin main
'

test_expect 'MG103: dev into prod; main lands there, and waits for a hand' '
	cd work && at dev && commit e.txt && expect_accept git push origin dev &&
	expect_reject MG103 merge_push dev prod && said "prod takes merges from: main, retrain-" &&
	said "of dev, which no allowed source of prod holds" &&
	at main && lands shop prod merge main merge_push main prod &&
	set -- $(pipelines shop) && told <<-EOT
		modelgate: pipeline $1 created: chain prod on prod $(short prod): build -> deploy -> stage-model
	EOT
'

test_expect 'MG103: dev into online; main lands there' '
	cd work && expect_reject MG103 merge_push dev online &&
	lands shop online merge main merge_push main online &&
	set -- $(pipelines shop) && told <<-EOT
		modelgate: pipeline $1 created: chain online on online $(short online): build -> deploy -> stage-model
	EOT
'

test_expect 'MG104: two branches in one merge; one after the other they land' '
	cd work && at dev && for n in 1 2; do
		git switch -q -c "half-$n" origin/dev && commit "half-$n.txt" || return 1
	done &&
	at main && test_tick && git merge -q -m octopus half-1 half-2 && new=$(short main) &&
	expect_reject MG104 git push origin main &&
	said "MG104: merge $new \"octopus\" has more than two parents" &&
	said "to fix: merge the branches one after the other" &&
	recorded shop refs.0.code=MG104 &&
	at dev && merge_in half-1 && merge_in half-2 && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

# --- deletion and creation ---

test_expect 'MG107: main cannot be deleted; a feature branch and dev can, and dev come again' '
	cd work && at main && old=$(short main) && expect_reject MG107 git push origin :main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..0000000 MG107: main is a branch with rules and cannot be deleted
		modelgate:   to fix: leave it; if the project ends, an admin archives the repository
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.method=delete refs.0.code=MG107 &&
	expect_accept git push origin :feature/prices :dev &&
	same none "$(tip shop refs/heads/dev)" &&
	lands shop dev "" "" git push origin main:dev
'

test_expect 'a branch of the configuration has rules: MG108 from elsewhere, MG102, MG107; main lands there' '
	server_set shop "branch \"release\"" merge-from main && cd work && at dev && commit f.txt &&
	expect_accept git push origin dev && expect_reject MG108 git push origin dev:release &&
	told <<-EOT &&
		modelgate: rejected refs/heads/release 0000000..$(short dev) MG108: release cannot start at commit $(short dev), which none of its sources (main) holds
		modelgate:   release takes merges from: main
		modelgate:   to fix: start it at a commit of main: git push origin origin/main:refs/heads/release
		modelgate:   nothing was changed; audit id ID
	EOT
	at main && git switch -q -C release main~ &&
	lands shop release create main git push origin release &&
	told </dev/null &&
	commit g.txt && expect_reject MG102 git push origin release &&
	expect_reject MG107 git push origin :release &&
	lands shop release merge main merge_push main release && told </dev/null
'

# --- retrain ---

test_expect 'direct commits to retrain: retrain.py and rkl land and launch, score.py is MG102' '
	cd work && at retrain && commit score.py && new=$(short retrain) &&
	expect_reject MG102 git push origin retrain &&
	said "MG102: commit $new \"score.py\" was made on retrain itself and changes score.py; there it may change only retrain.py, dag-retrain.py, rkl/*" &&
	at retrain && commit retrain.py && commit rkl/more/notes.txt &&
	lands shop retrain direct "" git push origin retrain &&
	set -- $(pipelines shop) && told <<-EOT
		modelgate: pipeline $1 created: chain retrain on retrain $(short retrain): build -> deploy
	EOT
'

test_expect 'main lands on retrain, dev does not' '
	cd work && expect_reject MG102 merge_push dev retrain &&
	recorded shop refs.0.code=MG102 refs.0.codes.1=MG103 &&
	lands shop retrain merge main merge_push main retrain
'

test_expect 'MG301: without dag-retrain.py there is nothing to retrain with' '
	cd work && at retrain && test_tick && git rm -q dag-retrain.py && git commit -q -m gone &&
	expect_reject MG301 git push origin retrain &&
	said "MG301: dag-retrain.py is missing, and retrain must hold it" &&
	recorded shop refs.0.code=MG301
'

# --- objects on the server, however they lie there ---

test_expect 'a packed repository, and one that borrows its objects from another' '
	git -C shop.git gc -q && cd work && at dev && commit h.txt &&
	expect_accept git push origin dev && lands shop main merge dev merge_push dev main &&
	git clone -q --bare "$T/shop.git" "$T/pool.git" && rm -r "$T/shop.git/objects/pack" &&
	echo "$T/pool.git/objects" >"$T/shop.git/objects/info/alternates" &&
	at dev && commit i.txt && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main &&
	at main && commit j.txt && expect_reject MG102 git push origin main
'

test_expect 'every landing that has a chain made one pipeline, in order; the log is valid' '
	shown=$(pipelines shop) &&
	same "$(audit_count shop event=pipeline.created)" "${shown%% *}" &&
	same "$(pipelines shop | wc -w)" "${shown%% *}" && audit_valid shop
'

test_done
