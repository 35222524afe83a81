#!/bin/sh
# Files that may not come in, and files that must be there: what the pusher is told, and that the
# commands he is told work when they are copied.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
server_set shop content forbid '*.pkl, .env, secrets/*'
server_set shop content max-file-size 1k

# A file of so many bytes.
file() {
	mkdir -p "$(dirname "$1")" && head -c "$2" /dev/zero | tr '\0' x >"$1"
}

# Commit FILE of so many bytes on the branch we are on.
commit_file() {
	test_tick && file "$1" "$2" && git add -f -- "$1" && git commit -q -m "${1##*/}"
}

# dev as origin's main has it, with nothing else on it.
fresh() {
	git switch -q dev && git reset -q --hard origin/main && git clean -qfdx &&
		git push -q -f origin dev
}

# Merge dev into main, and push it.
merge_dev() {
	at main && merge_in dev && "$@" git push origin main
}

# What the pusher was told to do, as a script for sh: the first of the two things.
next_step() {
	gate_lines | sed -n 's/^modelgate:   to fix: take it out of the history: \(.*\); to keep it.*/\1/p'
}

keep_step() {
	gate_lines | sed -n 's/^modelgate:   to fix: .*; to keep it with DVC: \(.*\)/\1/p'
}

test_expect 'without such files everything lands' '
	git init -q -b dev work && cd work && git remote add origin "$T/shop.git" &&
	commit a && git branch main && expect_accept git push origin dev main
'

# --- forbidden names ---

test_expect 'dev takes what it is given' '
	cd work && commit_file models/m.pkl 10 && expect_accept git push origin dev && told </dev/null
'

test_expect 'MG304: a forbidden file comes with a merge' '
	cd work && merge_dev expect_reject MG304 &&
	old=$(short main~) && new=$(short main) && brought=$(short dev) &&
	full=$(git rev-parse dev | cut -c 1-12) &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $old..$new MG304: models/m.pkl in commit $brought "m.pkl" matches *.pkl, which may not come in
		modelgate:   to fix: take it out of the history: git switch dev && git pull --ff-only origin dev && git filter-branch -f --index-filter '"'"'git rm -q --cached --ignore-unmatch -- models/m.pkl'"'"' origin/main..HEAD && git push --force origin dev; to keep it with DVC: git checkout $full -- models/m.pkl && git rm -q --cached -- models/m.pkl && dvc add models/m.pkl
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.ref=refs/heads/main refs.0.code=MG304
'

test_expect 'taken away again, it is in the history all the same' '
	cd work && git switch -q dev && git rm -q models/m.pkl && test_tick &&
	git commit -q -m "remove the model" && git push -q origin dev &&
	merge_dev expect_reject MG304 && said "models/m.pkl in commit $brought"
'

test_expect 'the next step, copied, takes it out, and the merge lands' '
	cd work && next_step >"$T/step.sh" && keep_step >"$T/keep.sh" && git switch -q main &&
	git reset -q --hard origin/main && FILTER_BRANCH_SQUELCH_WARNING=1 sh -e "$T/step.sh" &&
	same "$(git log --format=%s origin/main..dev -- models/m.pkl)" "" &&
	merge_dev expect_accept && same "$(tip shop refs/heads/main)" "$(git rev-parse main)"
'

test_expect 'the other one brings the file back for DVC' '
	mkdir -p bin && cd work && git switch -q dev &&
	printf "#!/bin/sh\nmkdir -p %s/dvc && cp \"\$2\" %s/dvc/\n" "$T" "$T" >"$T/bin/dvc" && chmod 755 "$T/bin/dvc" &&
	PATH="$T/bin:$PATH" sh -e "$T/keep.sh" && same "$(wc -c <"$T/dvc/m.pkl")" 10 &&
	same "$(git ls-files models)" "" && rm -rf models
'

for name in m.pkl deep/er/m.pkl .env deep/.env secrets/key 'with a blank.pkl'; do
	test_expect "MG304: $name" '
		cd work && fresh && commit_file "$name" 5 && git push -q origin dev &&
		merge_dev expect_reject MG304 && said "$name in commit"
	'
done

test_expect 'a blank in the name, and the step works when copied' '
	cd work && next_step >"$T/step.sh" && git reset -q --hard origin/main &&
	FILTER_BRANCH_SQUELCH_WARNING=1 sh -e "$T/step.sh" && merge_dev expect_accept
'

for name in m.pkl.dvc pkl m.pkl/README environment secrets.md deep/secrets/key; do
	test_expect "$name may come in" '
		cd work && fresh && commit_file "$name" 5 && git push -q origin dev &&
		merge_dev expect_accept && git switch -q dev && git rm -q "$name" && test_tick &&
		git commit -q -m "without it" && git push -q origin dev && merge_dev expect_accept
	'
done

# --- size ---

test_expect 'a file as large as it may be' '
	cd work && fresh && commit_file data.csv 1024 && git push -q origin dev &&
	merge_dev expect_accept
'

test_expect 'MG304: a byte more' '
	cd work && fresh && commit_file data.csv 1025 && git push -q origin dev &&
	merge_dev expect_reject MG304 &&
	said "data.csv in commit $(short dev) \"data.csv\" has 1025 bytes; at most 1024 may come in"
'

test_expect 'MG304: a large one in a pack, which is not unpacked to be measured' '
	cd work && fresh && commit_file data.csv 5000000 && git push -q origin dev &&
	git -C "$T/shop.git" repack -q -a -d &&
	merge_dev expect_reject MG304 && said "has 4.7 MB; at most 1 kB may come in"
'

test_expect 'MG304: many of them in one new pack' '
	cd work && fresh && git -C "$T/shop.git" config receive.unpackLimit 1 &&
	for i in 1 2 3; do commit_file "data$i" "$((2000 + i))" || return 1; done &&
	at main && git merge -q --no-ff -m "Merge dev" dev &&
	expect_reject MG304 git push origin dev main &&
	said "data3 in commit" && said "; nor may data2, data1" &&
	recorded shop refs.1.ref=refs/heads/main refs.1.code=MG304 \
		"refs.1.reason=data3 in commit *; nor may data2, data1; data2 in commit *; data1 in commit *" &&
	git -C "$T/shop.git" config --unset receive.unpackLimit
'

test_expect 'one step takes them all out' '
	cd work && next_step >"$T/step.sh" && git switch -q dev && git push -q -f origin dev &&
	FILTER_BRANCH_SQUELCH_WARNING=1 sh -e "$T/step.sh" && merge_dev expect_accept
'

# --- the branch itself ---

test_expect 'retrain: direct commits are looked at as well' '
	cd work && fresh && commit retrain.py && commit dag-retrain.py && git push -q origin dev &&
	merge_dev expect_accept && git branch -f retrain main && expect_accept git push origin retrain &&
	git switch -q retrain && commit_file rkl/m.pkl 5 && expect_reject MG304 git push origin retrain &&
	said "to fix: take it out of the history: git switch retrain && git filter-branch"
'

test_expect 'and the step works when copied' '
	cd work && next_step >"$T/step.sh" && FILTER_BRANCH_SQUELCH_WARNING=1 sh -e "$T/step.sh" &&
	same "$(tip shop refs/heads/retrain)" "$(git rev-parse retrain)"
'

test_expect 'MG301: a required file is taken away' '
	cd work && at retrain && test_tick && git rm -q retrain.py && git commit -q -m "no retrain.py" &&
	expect_reject MG301 git push origin retrain &&
	said "MG301: retrain.py is missing, and retrain must hold it" &&
	said "to fix: add it on dev, then open merge requests dev -> main and main -> retrain"
'

test_expect 'its nearest acceptance: changed' '
	cd work && at retrain && commit retrain.py && expect_accept git push origin retrain
'

# --- what is there already ---

test_expect 'a rule that comes later asks nothing of what a branch holds' '
	cd work && fresh && commit_file notes.bin 9 && git push -q origin dev &&
	merge_dev expect_accept && server_set shop content forbid "*.bin" && git switch -q dev &&
	commit b && git push -q origin dev && merge_dev expect_accept
'

test_expect 'but of a new branch it does' '
	cd work && at main && expect_reject MG304 git push origin main:prod &&
	said "main holds it already and is not rewritten: ask an admin for another forbid in [content]"
'

test_expect 'a retrain branch of an unknown pipeline is compared with the branches with rules' '
	server_set shop retrain-branch known-pipeline off &&
	cd work && at main && git switch -q -c retrain-7-20260101 && file rkl/model.bin 3 &&
	printf "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 3\n  hash: md5\n  path: model.pkl\n" \
		>rkl/model.pkl.dvc && git add -f rkl && test_tick && git commit -q -m "a model" &&
	expect_reject MG304 git push origin retrain-7-20260101 && said "rkl/model.bin in commit" &&
	said_not "notes.bin" && said "let the retraining job keep it out of its commit"
'

test_expect 'without the file it lands' '
	cd work && git rm -q --cached rkl/model.bin && git commit -q --amend -m "a pointer" &&
	expect_accept git push origin retrain-7-20260101
'

# --- trees that are made to be searched for ever ---

bomb() {
	bomb_id=$(echo x | git hash-object -w --stdin) && bomb_kind="100644 blob"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		bomb_id=$(for i in 0 1 2 3 4 5 6 7 8 9; do
			printf "%s %s\t%s\n" "$bomb_kind" "$bomb_id" "$i"
		done | git mktree) && bomb_kind="040000 tree" || return 1
	done
}

test_expect 'a tree that holds itself ten by ten times is refused, soon' '
	cd work && fresh && bomb && test_tick &&
	commit_id=$(git commit-tree -m bomb -p dev "$bomb_id") && git push -q origin "$commit_id:dev" &&
	at main && test_tick &&
	merge_id=$(git commit-tree -m "Merge dev" -p main -p "$commit_id" "$bomb_id") &&
	started=$(date +%s) && expect_reject MG902 git push origin "$merge_id:main" &&
	said "more than 2000000 files and folders differ" && [ $(($(date +%s) - started)) -lt 300 ]
'

test_expect 'every record of all this is valid' 'audit_valid shop'

test_done
