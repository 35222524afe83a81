#!/bin/sh
# Every code of the contract, made to happen by a push: its lines to the letter, its record, and then what
# "to fix" says, which is followed as it stands until the push lands.  And that nothing anybody has
# written does anything to a terminal.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

new_server shop
new_project shop work || test_bail 'no project'
today=$(date -u +%Y%m%d)
user=$(id -un)
id=0 base=0
git -C work branch -q -u origin/main main

# The push that was rejected last has been told so, and with nothing else: CODE, branch, OLD..NEW, reason,
# what to do, and what the branch takes if that is told; its record is the same.
says() {
	{
		echo "modelgate: rejected refs/heads/$2 $3 $1: $4"
		[ $# -lt 6 ] || echo "modelgate:   $6"
		echo "modelgate:   to fix: $5"
		echo 'modelgate:   nothing was changed; audit id ID'
	} | told && recorded shop event=push.rejected "refs.*.ref=refs/heads/$2" "refs.0.code=$1" "refs.0.reason=$4*"
}

# The commands in the last push's line "to fix" as they stand, in $T/commands.
commands() {
	gate_lines | perl -ne '
		next if !/  to fix: (?:.*?: )?((?:git|modelgate|dvc) .*)/;
		my $commands = $1;
		$commands =~ s/(?:; |, then |, and ).*//;
		print "$commands\n";
		exit' >"$T/commands"
	[ -s "$T/commands" ] || {
		echo "no commands in what was told:"
		gate_lines
		return 1
	}
	cat "$T/commands"
}

# They are run.
follow() {
	commands && . "$T/commands"
}

# On branch $1 as it is on the server.
now_at() {
	cd "$T/work" && git fetch -q origin && git reset -q --hard && at "$1"
}

# A commit of FILE is on dev, on the server too.
on_dev() {
	now_at dev && commit "$@" && expect_accept git push origin dev
}

main_takes='main takes merges from: dev, retrain-<pipeline_id>-<date>'
prod_takes='prod takes merges from: main, retrain-<pipeline_id>-<date>'
to_main='then open a merge request dev -> main'

# --- MG1xx: how a branch moves ---

test_expect 'MG101' '
	on_dev a.txt && expect_accept merge_push dev main && now_at main && old=$(short main) &&
	new=$(short main~) && expect_reject MG101 git push -f origin main~:main &&
	says MG101 main "$old..$new" "history rewrite: $old, the tip of main, is not an ancestor of what was pushed" \
		"do not force; to undo a commit, git revert it on dev, $to_main" &&
	now_at dev && test_tick && git revert --no-edit HEAD && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

test_expect 'MG102: a commit on the branch' '
	now_at main && old=$(short main) && commit b.txt && new=$(short main) &&
	expect_reject MG102 git push origin main &&
	says MG102 main "$old..$new" "commit $new \"b.txt\" was made on main itself" \
		"push the commit to dev, $to_main" "$main_takes" &&
	now_at dev && git cherry-pick "$new" && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

test_expect 'MG102: one that changes what it may not' '
	now_at retrain && old=$(short retrain) && commit score.py && new=$(short retrain) &&
	expect_reject MG102 git push origin retrain &&
	says MG102 retrain "$old..$new" "commit $new \"score.py\" was made on retrain itself and changes score.py; there it may change only retrain.py, dag-retrain.py, rkl/*" \
		"push the other changes to dev, then open merge requests dev -> main and main -> retrain" \
		"retrain takes merges from: main; and commits that change only retrain.py, dag-retrain.py, rkl/*" &&
	now_at dev && git cherry-pick "$new" && expect_accept git push origin dev &&
	expect_accept merge_push dev main && lands shop retrain merge main merge_push main retrain
'

test_expect 'MG102: a merge on the line of another branch' '
	on_dev c.txt && old=$(short origin/main) && left=$(short dev) && merge_in origin/main && new=$(short dev) &&
	expect_reject MG102 git push origin dev:main &&
	says MG102 main "$old..$new" "the first parents of what was pushed lead to commit $left \"c.txt\" of dev, past the tip of main" \
		"make the merge on the tip of main: git fetch origin && git checkout -B main origin/main && git merge --no-ff origin/dev" \
		"$main_takes" &&
	follow && lands shop main merge dev git push origin main
'

test_expect 'MG103: a branch that is no source' '
	now_at main && old=$(short main) && git switch -q -C feature && commit d.txt && at main && merge_in feature &&
	new=$(short main) && git push -q origin feature && expect_reject MG103 git push origin main &&
	says MG103 main "$old..$new" "commit $new \"Merge feature\" merges $(short feature) of feature, which no allowed source of main holds" \
		"merge it into dev, $to_main" "$main_takes" &&
	expect_accept merge_push feature dev && lands shop main merge dev merge_push dev main
'

test_expect 'MG103: a branch on the way' '
	on_dev e.txt && now_at prod && old=$(short prod) && merge_in dev && new=$(short prod) &&
	expect_reject MG103 git push origin prod &&
	says MG103 prod "$old..$new" "commit $new \"Merge dev\" merges $(short dev) of dev, which no allowed source of prod holds" \
		"open merge requests dev -> main and main -> prod" "$prod_takes" &&
	expect_accept merge_push dev main && lands shop prod merge main merge_push main prod
'

test_expect 'MG104' '
	now_at dev && for n in 1 2; do
		{ git switch -q -C "half-$n" origin/dev && commit "half-$n.txt"; } || return 1
	done && now_at main && old=$(short main) && test_tick && git merge -q -m octopus half-1 half-2 &&
	new=$(short main) && expect_reject MG104 git push origin main &&
	says MG104 main "$old..$new" "merge $new \"octopus\" has more than two parents" \
		"merge the branches one after the other" "$main_takes" &&
	now_at dev && merge_in half-1 && merge_in half-2 && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

# A merge of dev into main with what the rest of the command does to it.
evil() {
	now_at main && old=$(short main) && merge_in dev && "$@" && git commit -q -a --amend --no-edit &&
		new=$(short main) && expect_reject MG105 git push origin main
}

test_expect 'MG105: a file that the merge brings in' '
	on_dev f.txt && git rev-parse dev >"$T/merged" && smuggle() { echo x >evil.py && git add evil.py; } &&
	evil smuggle &&
	says MG105 main "$old..$new" "merge $new \"Merge dev\" is not what git'\''s automatic merge of its parents gives: it differs in evil.py" \
		"make the merge again and change nothing in it: git fetch origin && git checkout -B main origin/main && git merge --no-ff $(short dev); other changes go to dev first" &&
	follow && ! test -e evil.py && lands shop main merge dev git push origin main
'

test_expect 'MG105: a change that the merge drops' '
	on_dev g.txt && evil git rm -q g.txt && said "gives: it differs in g.txt" &&
	recorded shop event=push.rejected refs.0.code=MG105 && follow && test -e g.txt &&
	lands shop main merge dev git push origin main
'

test_expect 'MG105: a conflict that was resolved in the merge' '
	on_dev h.txt one && expect_accept merge_push dev main && on_dev h.txt two &&
	now_at main && git switch -q -C side && commit h.txt three && expect_accept git push origin side &&
	server_set shop "branch \"main\"" merge-from "dev, side" && expect_accept merge_push side main &&
	server_set shop "branch \"main\"" merge-from "dev, retrain-*" && now_at main && old=$(short main) &&
	test_tick && { git merge -q dev || echo both >h.txt; } && git commit -q -a -m "Merge dev" && new=$(short main) &&
	expect_reject MG105 git push origin main &&
	says MG105 main "$old..$new" "merge $new \"Merge dev\" resolves by hand what conflicts, in h.txt" \
		"merge main into dev and resolve it there: git fetch origin && git checkout -B dev origin/dev && git merge origin/main, then git push origin dev, $to_main" &&
	{ follow || echo both >h.txt; } && git commit -q -a -m "Merge main" && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main
'

# The merge-methods of main are these, while the rest of the command runs.
only() {
	methods=$1
	shift
	server_set shop 'branch "main"' merge-methods "$methods" && "$@" &&
		server_set shop 'branch "main"' merge-methods 'merge, fast-forward, squash'
}

fast_forward() {
	now_at dev && merge_in origin/main && commit i.txt && expect_accept git push origin dev && new=$(short dev) &&
		old=$(short origin/main) && expect_reject MG106 git push origin dev:main &&
		says MG106 main "$old..$new" "commit $new \"i.txt\" is a fast-forward to dev, and main takes only: merge" \
			"make a merge commit: git fetch origin && git checkout -B main origin/main && git merge --no-ff origin/dev" &&
		follow && lands shop main merge dev git push origin main
}
test_expect 'MG106: a fast-forward where merges are taken' 'only merge fast_forward'

merged() {
	on_dev "$1.txt" && now_at main && old=$(short main) && merge_in dev && new=$(short main) &&
		expect_reject MG106 git push origin main &&
		says MG106 main "$old..$new" "commit $new \"Merge dev\" is a merge of dev, and main takes only: $1" "$2"
}

squashed() {
	merged squash "squash: git fetch origin && git checkout -B main origin/main && git merge --squash origin/dev && git commit" &&
		GIT_EDITOR=true follow && lands shop main squash dev git push origin main
}
test_expect 'MG106: a merge where squashes are taken' 'only squash squashed'

forwarded() {
	merged fast-forward "bring dev up to date with main, then fast-forward: git push origin origin/dev:refs/heads/main" &&
		now_at dev && merge_in origin/main && expect_accept git push origin dev && expect_accept git push origin dev:main
}
test_expect 'MG106: a merge where fast-forwards are taken' 'only fast-forward forwarded'

test_expect 'MG107' '
	now_at main && old=$(short main) && expect_reject MG107 git push origin :main &&
	says MG107 main "$old..0000000" "main is a branch with rules and cannot be deleted" \
		"leave it; if the project ends, an admin archives the repository" &&
	git push -q origin main:refs/heads/free && expect_accept git push origin :free
'

test_expect 'MG108' '
	server_set shop "branch \"release\"" merge-from main && on_dev k.txt && new=$(short dev) &&
	expect_reject MG108 git push origin dev:release &&
	says MG108 release "0000000..$new" "release cannot start at commit $new, which none of its sources (main) holds" \
		"start it at a commit of main: git push origin origin/main:refs/heads/release" "release takes merges from: main" &&
	commands && expect_accept . "$T/commands" && same "$(git rev-parse origin/main)" "$(tip shop refs/heads/release)"
'

# --- MG2xx: names, and the branches that retraining makes ---

test_expect 'MG201' '
	now_at dev && new=$(short dev) && expect_reject MG201 git push origin dev:refs/heads/retraining &&
	says MG201 retraining "0000000..$new" "retraining is neither retrain nor retrain-<pipeline_id>-<date>" \
		"let the retraining job push its branch, as in retrain-42-20261231, or choose a name that does not start with retrain" &&
	expect_accept git push origin dev:refs/heads/my-retraining
'

test_expect 'MG205' '
	now_at dev && new=$(short dev) && expect_reject MG205 git push origin dev:refs/heads/Prod &&
	says MG205 Prod "0000000..$new" "refs/heads/Prod could be mistaken for the branch prod" "choose another name" &&
	expect_accept git push origin dev:refs/heads/production
'

test_expect 'a pipeline of retrain, to retrain from' '
	now_at dev && { put_model one && expect_accept git push origin dev; } && expect_accept merge_push dev main &&
	expect_accept merge_push main retrain && id=$(pipelines shop) && id=${id%% *} && drain shop &&
	stage_is shop "$id" deploy success && base=$(short retrain)
'

# On a branch as the retraining job makes it, with a new model.
retrained() {
	cd "$T/work" && git switch -q -C "$1" origin/retrain && put_model "$1" && new=$(short HEAD)
}

test_expect 'MG202' '
	retrained "retrain-$id-20260231" && expect_reject MG202 git push origin HEAD &&
	says MG202 "retrain-$id-20260231" "0000000..$new" "20260231 is no date written as %Y%m%d or %Y-%m-%d" \
		"name it after the day on which the DAG ran; if that is today: git push origin HEAD:refs/heads/retrain-$id-$today" &&
	commands && lands shop "retrain-$id-$today" create "" . "$T/commands"
'

test_expect 'MG203' '
	retrained "retrain-999-$today" && expect_reject MG203 git push origin HEAD &&
	says MG203 "retrain-999-$today" "0000000..$new" "999 is no pipeline of this repository'\''s retrain chain whose deploy succeeded" \
		"let the DAG that the pipeline deployed push its branch; pipelines are shown by: modelgate status" &&
	mg shop status --json | json "pipelines.*.id" | grep -qx "$id" && git branch -q -M "retrain-$id-20260201" &&
	expect_accept git push origin HEAD
'

test_expect 'MG204: it is there, and was there' '
	cd work && name=retrain-$id-20260201 && put_model again && old=$(short "origin/$name") && new=$(short HEAD) &&
	expect_reject MG204 git push origin HEAD && says MG204 "$name" "$old..$new" \
		"$name is the result of one retraining: it is created once and never moved" \
		"retrain again; the new model gets a branch of its own" &&
	expect_accept git push origin ":$name" && expect_reject MG204 git push origin HEAD &&
	says MG204 "$name" "0000000..$new" "$name was there before; a name is used once, also if it was deleted since" \
		"retrain again; the new model gets a branch of its own" &&
	expect_accept git push origin "HEAD:retrain-$id-20260202"
'

test_expect 'MG206' '
	cd work && name=retrain-$id-20260203 && git switch -q -C "$name" dev && put_model beside &&
	git switch -q --orphan orphan && git checkout -q "$name" -- . && git commit -q -m orphan &&
	git branch -q -M "$name" && new=$(short HEAD) && expect_reject MG206 git push origin HEAD &&
	says MG206 "$name" "0000000..$new" "commit $new does not descend from $base, which its pipeline was made for" \
		"take the model alone along: git fetch origin && git checkout -B $name $base && git checkout $new -- rkl/model.pkl.dvc && git commit -m \"Retrained\"" &&
	follow && lands shop "$name" create "" git push origin HEAD
'

test_expect 'MG207' '
	retrained "retrain-$id-20260204" && commit score.py && new=$(short HEAD) &&
	expect_reject MG207 git push origin HEAD && says MG207 "retrain-$id-20260204" "0000000..$new" \
		"against $base, which its pipeline was made for, its commits may change only rkl/*, not score.py" \
		"bring the model in one commit and the rest as it was: git reset --soft $base && git restore -s $base -SW -- . '\'':!rkl/*'\'' && git commit -m \"The model alone\"" &&
	follow && lands shop "retrain-$id-20260204" create "" git push origin HEAD
'

# --- MG3xx: files ---

test_expect 'MG301' '
	server_set shop "branch \"main\"" require-files NOTICE && on_dev l.txt && now_at main && old=$(short main) &&
	merge_in dev && new=$(short main) && expect_reject MG301 git push origin main &&
	says MG301 main "$old..$new" "NOTICE is missing, and main must hold it" "add it on dev, $to_main" &&
	on_dev NOTICE && lands shop main merge dev merge_push dev main && server_set shop "branch \"main\"" require-files ""
'

with_dvc='dvc add rkl/model.pkl && git add rkl/model.pkl.dvc && git commit -m "Model"'

# What DVC does here, as far as the gates see it.
dvc() {
	same "add rkl/model.pkl" "$*" && cat >rkl/model.pkl.dvc <<-YAML
		outs:
		- md5: $(echo "$new" | md5sum | cut -c 1-32)
		  size: 8
		  hash: md5
		  path: model.pkl
	YAML
}

test_expect 'MG302' '
	retrained "retrain-$id-20260205" && git rm -q rkl/model.pkl.dvc && git commit -q -m none && new=$(short HEAD) &&
	expect_reject MG302 git push origin HEAD && says MG302 "retrain-$id-20260205" "0000000..$new" \
		"rkl/model.pkl.dvc is missing: a retrain branch brings a model" \
		"commit it as dvc writes it: $with_dvc" &&
	follow && lands shop "retrain-$id-20260205" create "" git push origin HEAD
'

test_expect 'MG303' '
	retrained "retrain-$id-20260206" && sed -i s/md5:.*/md5:\ 123/ rkl/model.pkl.dvc && git commit -q -a -m broken &&
	new=$(short HEAD) && expect_reject MG303 git push origin HEAD &&
	said "MG303: rkl/model.pkl.dvc is not a valid DVC pointer: " && said md5 &&
	said "modelgate:   to fix: commit it as dvc writes it: $with_dvc" && recorded shop refs.0.code=MG303 &&
	follow && lands shop "retrain-$id-20260206" create "" git push origin HEAD
'

# --- MG4xx: who ---

test_expect 'MG401' '
	server_set shop "role \"release\"" members somebody && server_set shop "branch \"prod\"" roles release &&
	on_dev prod.txt && expect_accept merge_push dev main && now_at prod && old=$(short prod) && merge_in origin/main && new=$(short prod) &&
	expect_reject MG401 git push origin prod &&
	says MG401 prod "$old..$new" "$user may not move prod: that takes the role release" "ask a member of the role release" &&
	server_set shop "role \"release\"" members "$user" && lands shop prod merge main git push origin prod
'

test_expect 'MG402: what it says is taken as it stands' '
	server_set shop override role release && now_at main && old=$(short main) && commit glass.txt && new=$(short main) &&
	expect_reject MG102,MG402 git push -o modelgate.override origin main &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG102: commit $new "glass.txt" was made on main itself
		modelgate:   $main_takes
		modelgate:   to fix: push the commit to dev, $to_main
		modelgate:   override refused, MG402: it gives no reason
		modelgate:   to fix: give one of 1 to 500 printable characters: git push -o modelgate.override="why it must land now"
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop refs.0.code=MG102 refs.0.codes.1=MG402 && commands && expect_accept . "$T/commands" &&
	said "modelgate: overridden refs/heads/main $old..$new MG102: recorded with your reason; audit id" &&
	recorded shop event=push.overridden "reason=why it must land now" && server_set shop override role ""
'

# --- MG9xx: what could not be told ---

# The push of dev that comes next lands.
mended() {
	now_at dev && commit mended.txt && expect_accept git push origin dev
}

ini=$(server_file shop)
test_expect 'MG901' '
	cp "$ini" "$T/good.ini" && echo "[colours]" >>"$ini" && line=$(wc -l <"$ini") && now_at dev && commit m.txt &&
	expect_reject MG901 git push origin dev && said "modelgate: rejected MG901: $ini:$line: [colours]: no such section; there are" &&
	said "modelgate:   to fix: an admin mends it, and sees whether it is right with: modelgate --repo $T/shop.git check" &&
	cp "$T/err" "$T/told" && { follow >"$T/check"; same 1 $?; } && grep -qF "MG901: $ini:$line: " "$T/check" &&
	cp "$T/good.ini" "$ini" && cp "$T/told" "$T/err" && follow >"$T/check" && mended
'

test_expect 'MG902' '
	now_at main && tip=$(git rev-parse main) && commit n.txt && git push -q origin main:refs/heads/broken &&
	lost=$T/shop.git/objects/$(echo "$tip" | sed "s,^..,&/,") && mv "$lost" "$T/lost" &&
	echo "$tip $(git rev-parse main) refs/heads/main" | hook 1 shop pre-receive &&
	said "modelgate: rejected MG902: refs/heads/main: " &&
	said "modelgate:   to fix: an admin looks at the repository: git -C $T/shop.git fsck" &&
	said "modelgate:   nothing was changed; audit id" && { follow >"$T/fsck" 2>&1; [ $? -ne 0 ]; } &&
	grep -q "missing commit $tip" "$T/fsck" && mv "$T/lost" "$lost" && git -C "$T/shop.git" fsck &&
	echo "$tip $(git rev-parse main) refs/heads/main" | hook 1 shop pre-receive && said MG102
'

test_expect 'MG902: more commits than are judged at once; in parts they are' '
	now_at main && old=$(git rev-parse main) && i=0 &&
	while [ $i -lt 5001 ]; do
		printf "commit refs/heads/long\\ncommitter A <a@example.com> %s +0000\\ndata 0\\n" $((1700000000 + i)) &&
			if [ $i -eq 0 ]; then echo "from $old"; fi && echo && i=$((i + 1))
	done | git fast-import --quiet --force && expect_reject MG902 git push origin long:main &&
	said "rejected MG902: refs/heads/main: more than 5000 commits along first parents; push them in smaller parts" &&
	said "modelgate:   to fix: push the oldest of the commits first, then the next" &&
	expect_reject MG102 git push origin long~4000:main
'

test_expect 'MG903' '
	log=$(audit shop) && mv "$log" "$T/log" && mkdir "$log" && now_at dev && commit o.txt &&
	expect_reject MG903 git push origin dev && said "modelgate: rejected MG903: " && said "$log" &&
	said "modelgate:   to fix: an admin gives the user of the hooks a state directory to write, and sees whether it is right with: modelgate --repo $T/shop.git check" &&
	said "modelgate:   nothing was changed" && said_not "audit id" && { follow >"$T/check"; same 1 $?; } &&
	grep -q MG903 "$T/check" && rmdir "$log" && mv "$T/log" "$log" && mended
'

test_expect 'MG904: malformed input' '
	echo "nonsense" | hook 1 shop pre-receive && told <<-EOT &&
		modelgate: rejected MG904: what git gave the hook is malformed: a line is not "old new ref"
		modelgate:   to fix: push again; if it stays, tell an admin
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.code=MG904 && mended
'

test_expect 'MG904: a branch that has moved meanwhile' '
	now_at main && tip=$(short main) && back=$(short main~) && on_dev p.txt && at main && merge_in dev && new=$(short main) &&
	git push -q origin main:refs/heads/objects &&
	echo "$(git rev-parse main~2 main | tr "\n" " ")refs/heads/main" | hook 1 shop pre-receive &&
	says MG904 main "$(short main~2)..$new" "main is at $tip now, not where the push says it was" \
		"git fetch origin, then try again" && follow && expect_accept git push origin main
'

test_expect 'MG904: references of our own' '
	now_at dev && expect_reject MG904 git push origin dev:refs/modelgate/x &&
	said "modelgate: rejected refs/modelgate/x 0000000..$(short dev) MG904: refs/modelgate/x: references below refs/modelgate/ are kept for modelgate" &&
	said "modelgate:   to fix: to play a stage: git push origin HEAD:refs/modelgate/play/<pipeline>/<stage>" && recorded shop refs.0.code=MG904 && mended
'

test_expect 'MG905' '
	store=$(state shop)/store.db && on_dev q.txt && now_at main && merge_in dev && mv "$store" "$T/store" &&
	mkdir "$store" && expect_reject MG905 git push origin main && said "modelgate: rejected MG905: " &&
	said "modelgate:   to fix: push again in a minute; if it stays, an admin sees what is wrong with: modelgate --repo $T/shop.git check" &&
	recorded shop event=push.rejected refs.0.ref=refs/heads/main refs.0.code=MG905 && cp "$T/err" "$T/told" &&
	{ follow >"$T/check"; same 1 $?; } && grep -q MG905 "$T/check" && rmdir "$store" && mv "$T/store" "$store" &&
	lands shop main merge dev git push origin main
'

test_expect 'a command names the repository as a shell takes it' '
	mkdir "$T/our models" && cp -r "$T/shop.git" "$T/our models/it'\''s.git" && echo "[colours]" >>"$T/our models/it'\''s.git/modelgate.ini" &&
	hook 1 "our models/it'\''s" pre-receive </dev/null && { follow >"$T/check" 2>&1; same 1 $?; } &&
	grep -qF "our models/it'\''s.git/modelgate.ini:" "$T/check"
'

# --- MG304 rewrites dev, and comes last ---

test_expect 'MG304: a forbidden file is taken out of the history as it is told' '
	server_set shop content forbid "*.pkl" && on_dev r.pkl && in=$(git rev-parse dev) && commit s.txt && git push -q origin dev &&
	now_at main && old=$(short main) && merge_in dev && new=$(short main) && expect_reject MG304 git push origin main &&
	said "modelgate: rejected refs/heads/main $old..$new MG304: r.pkl in commit $(short "$in") \"r.pkl\" matches *.pkl, which may not come in" &&
	said "modelgate:   to fix: take it out of the history: git switch dev && " &&
	recorded shop event=push.rejected refs.0.code=MG304 && git reset -q --hard origin/main &&
	FILTER_BRANCH_SQUELCH_WARNING=1 && export FILTER_BRANCH_SQUELCH_WARNING && commands && expect_accept . "$T/commands" &&
	lands shop main merge dev merge_push dev main && server_set shop content forbid ""
'

test_expect 'MG304: a file that is too large' '
	server_set shop content max-file-size 1k && now_at dev && commit big.txt "$(printf "%02000d" 0)" && in=$(git rev-parse dev) &&
	git push -q origin dev && expect_reject MG304 merge_push dev main &&
	said "MG304: big.txt in commit $(short "$in") \"big.txt\" has 1.9 kB; at most 1 kB may come in" &&
	git reset -q --hard origin/main && commands && expect_accept . "$T/commands" && lands shop main merge dev merge_push dev main &&
	server_set shop content max-file-size 0
'

# --- harmless on a terminal ---

nasty=$(printf '\033[2J\302\233m\342\200\256b')
shown='\x1b[2J\xc2\x9bm\xe2\x80\xaeb'
# What git takes as a name: no controls below U+0020.
name=$(printf 'a\302\233m\342\200\256b\342\201\246c\357\273\277d')
name_shown='a\xc2\x9bm\xe2\x80\xaeb\xe2\x81\xa6c\xef\xbb\xbfd'

# Neither who reads what the gates print nor who reads the log gets any of it.
harmless() {
	gate_lines >"$T/lines" &&
		! LC_ALL=C grep -n "$(printf '[\001-\010\013-\037\177]')" "$T/lines" "$(audit shop)" || return 1
	for bytes in '\302\233' '\342\200\256' '\342\201\246' '\357\273\277'; do
		! LC_ALL=C grep -nF "$(printf "$bytes")" "$T/lines" "$(audit shop)" || return 1
	done
}

test_expect 'a subject, with a line end in it' '
	now_at main && git commit -q --allow-empty -m "$nasty$(printf "\r")e" && expect_reject MG102 git push origin main &&
	said "\"$shown\" was made on main itself" && harmless && now_at main &&
	object=$(printf "tree %s\nparent %s\nauthor A <a> 0 +0000\ncommitter A <a> 0 +0000\n\n\nfirst\nsecond\n" \
		"$(git rev-parse "main^{tree}")" "$(git rev-parse main)" | git hash-object -t commit -w --stdin) &&
	expect_reject MG102 git push origin "$object:main" && said_not second && harmless
'

test_expect 'a branch, as source and as target; a tag' '
	now_at main && git switch -q -C "$name" && commit t.txt && git push -q origin HEAD && at main && merge_in "$name" &&
	expect_reject MG103 git push origin main && said "of $name_shown, which no allowed source" && harmless &&
	expect_reject MG201 git push origin "HEAD:refs/heads/retrain-$name" && said "rejected refs/heads/retrain-$name_shown " &&
	said "MG201: retrain-$name_shown is neither" && harmless &&
	recorded shop "refs.0.ref=refs/heads/retrain-$name" &&
	expect_reject MG205 git push origin "HEAD:refs/heads/prod/$name" && said "refs/heads/prod/$name_shown could be" && harmless &&
	expect_reject MG202 git push origin "HEAD:refs/heads/retrain-$id-$name" && said "MG202: $name_shown is no date" && harmless
'

test_expect 'a path' '
	now_at retrain && commit "$nasty$(printf "\n")e" && expect_reject MG102 git push origin retrain && said "changes $shown" && harmless
'

test_expect 'a user, and what else GitLab says' '
	server_set shop identity source gitlab && server_set shop "branch \"prod\"" roles release && now_at prod &&
	merge_in origin/main && expect_reject MG401 env GL_USERNAME="$nasty" GL_ID=user-1 GL_PROTOCOL="$nasty" \
		GL_PROJECT_PATH="a/$nasty" CORRELATION_ID="$nasty" git push -o modelgate.override=x origin prod &&
	said "MG401: $shown may not move prod" && recorded shop "actor.name=$nasty" && harmless &&
	server_set shop identity source os && server_set shop "branch \"prod\"" roles ""
'

test_expect 'push options' '
	now_at main && commit v.txt && expect_reject MG102 git push -o "modelgate.$nasty=x" -o "$nasty" origin main &&
	said "push option modelgate.$shown" && harmless
'

test_expect 'the configuration, and its path' '
	now_at main && commit config.txt && for line in "[$nasty]" "$nasty = 1" "[project]\\ndescription = $nasty" "[modelgate]\\nmode = $nasty"; do
		printf "$line\\n" | cat "$T/good.ini" - >"$ini" && expect_reject MG901 git push origin main && harmless || return 1
	done && cp "$T/good.ini" "$ini" && cp -r "$T/shop.git" "$T/$nasty.git" && echo "[colours]" >>"$T/$nasty.git/modelgate.ini" &&
	hook 1 "$nasty" pre-receive </dev/null && said "MG901: $T/$shown" && harmless
'

test_expect 'what is shown of the log is harmless too, and the log is valid' '
	mg shop audit show >"$T/err" && harmless && audit_valid shop
'

# --- on the web page of GitLab ---

test_expect 'each line has the prefix, also where the configuration that says so is broken' '
	server_set shop identity source gitlab && now_at main && commit w.txt && GL_PROTOCOL=web && export GL_PROTOCOL &&
	expect_reject MG102 git push origin main && gate_lines >"$T/lines" && same 4 "$(wc -l <"$T/lines")" &&
	! grep -v "^GL-HOOK-ERR: modelgate: " "$T/lines" && cp "$ini" "$T/gitlab.ini" && echo "[colours]" >>"$ini" &&
	expect_reject MG901 git push origin main && gate_lines >"$T/lines" && same 3 "$(wc -l <"$T/lines")" &&
	! grep -v "^GL-HOOK-ERR: modelgate: " "$T/lines" && cp "$T/gitlab.ini" "$ini"
'

test_expect 'nothing is printed of what lands' '
	on_dev x.txt && told </dev/null && expect_accept merge_push dev main && told </dev/null &&
	server_set shop identity source os
'

test_expect 'GL_PROTOCOL is not believed elsewhere' '
	on_dev y.txt && expect_accept merge_push dev main && said "modelgate: pipeline" && at main && commit z.txt &&
	expect_reject MG102 git push origin main && said_not GL-HOOK-ERR && unset GL_PROTOCOL
'

test_done
