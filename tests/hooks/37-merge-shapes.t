#!/bin/sh
# Every shape in which GitLab moves a branch: its verdict, how it was traced, and the chain it launches;
# each rejection beside its nearest acceptance.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/gitaly.sh"

new_gitlab shop
new_project shop work || test_bail 'no project'
# Beside dev, a second source, so that main has what dev does not have.
server_set shop 'branch "main"' merge-from 'dev, hotfix, retrain-*'
GROWN=0
dev=refs/heads/dev main=refs/heads/main hotfix=refs/heads/hotfix

at_server() {
	git -C "$T/shop.git" rev-parse --verify "$1"
}

# What BRANCH, a branch without rules, is given in the web editor: FILE with TEXT.
edit() {
	expect_accept web_edit shop "$@"
}

# BRANCH is given a new file, whose name is then NEW_FILE.
grow() {
	GROWN=$((GROWN + 1))
	NEW_FILE=$1-$GROWN.txt
	edit "$1" "$NEW_FILE"
}

# The newest push.* record has all these texts.
newest_has() {
	tail -n 5 "$(audit shop)" | grep -F '"event":"push.' | tail -n 1 >"$T/newest"
	for text in "$@"; do
		grep -qF -e "$text" "$T/newest" && continue
		cat "$T/newest"
		echo "does not have $text"
		return 1
	done
}

# CMD lands on BRANCH with METHOD, traced to SOURCE, and launches CHAIN ("": none).
web_lands() {
	web_branch=$1
	web_method=$2
	web_source=$3
	web_chain=$4
	shift 4
	expect_accept "$@" &&
		same "$NEW_COMMIT" "$(at_server "refs/heads/$web_branch")" &&
		newest_has '"event":"push.accepted"' "\"ref\":\"refs/heads/$web_branch\"" "\"new\":\"$NEW_COMMIT\"" \
			${web_method:+"\"method\":\"$web_method\""} \
			${web_source:+"\"source\":\"refs/heads/$web_source\""} &&
		same "$web_chain" "$(launched "$NEW_COMMIT")"
}

# The chain of the newest pipeline, if that was made for the commit $1.
launched() {
	mg shop status --limit 1 --json | sed -n "s/.*\"chain\":\"\([a-z]*\)\".*\"sha\":\"$1\".*/\1/p"
}

how_many_launched() {
	grep -cF '"event":"pipeline.created"' "$(audit shop)"
}

# CMD is rejected with CODE alone, and no pipeline is made; "$@" after CODE.
web_rejected() {
	web_code=$1
	shift
	web_before=$(how_many_launched)
	expect_reject "$web_code" "$@" && newest_has '"event":"push.rejected"' "\"code\":\"$web_code\"" &&
		same "$web_before" "$(how_many_launched)"
}

# The clone as the server has it, on BRANCH.
here() {
	cd "$T/work" && git reset -q --hard && git fetch -q -p origin && git switch -q -C "$1" "origin/$1"
}

# A merge of SOURCE into main, made in the clone with what the command does to the tree before the commit.
merge_with() {
	here main && test_tick && { git merge -q --no-commit --no-ff "origin/$1" || :; } && shift && "$@" &&
		git add -A && git commit -q -m "Merge by hand"
}

# main takes a hotfix, of FILE with TEXT or of a new file, that dev does not have.
hotfix() {
	expect_accept web_update shop "$hotfix" "$(at_server "$main")" &&
		if [ "$#" -gt 0 ]; then edit hotfix "$@"; else grow hotfix; fi &&
		expect_accept web_merge shop main "$(at_server "$hotfix")"
}

# Back-merge: dev has all that main has.
back_merge() {
	expect_accept web_merge shop dev "$(at_server "$main")"
}

# --- merge commits ---

test_expect 'a merge commit, where main has stood still' '
	grow dev && web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'a merge commit, where both sides have changed' '
	grow dev && file=$NEW_FILE && hotfix &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")" &&
	same "$(at_server "$main:$file")" "$(at_server "$dev:$file")" && at_server "$main:$NEW_FILE"
'

test_expect 'a merge commit, where both sides have changed the same file in different lines' '
	seq 1 20 >lines && edit dev lines.txt "$(cat lines)" &&
	expect_accept web_merge shop main "$(at_server "$dev")" &&
	hotfix lines.txt "$(sed s/^2$/two/ lines)" && edit dev lines.txt "$(sed s/^18$/eighteen/ lines)" &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")" &&
	git -C shop.git show "$main:lines.txt" | grep -c "two\|eighteen" | grep -x 2
'

test_expect 'a merge commit of an older commit of dev' '
	grow dev && older=$(at_server "$dev") && grow dev &&
	web_lands main merge dev dev web_merge shop main "$older" &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'MG103: a merge request from a feature branch into main; into dev it lands, and from there' '
	expect_accept web_update shop refs/heads/feature "$(at_server "$main")" && edit feature f.txt &&
	web_rejected MG103 web_merge shop main "$(at_server refs/heads/feature)" &&
	said "of feature, which no allowed source of main holds" &&
	web_lands dev "" "" "" web_merge shop dev "$(at_server refs/heads/feature)" &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'the other branches: main into prod, online and retrain; dev into none of them' '
	grow dev && expect_accept web_merge shop main "$(at_server "$dev")" && grow dev &&
	for branch in prod online retrain; do
		code=MG103 && web_lands $branch merge main $branch web_merge shop $branch "$(at_server "$main")" ||
			return 1
	done &&
	for branch in prod online; do
		web_rejected MG103 web_merge shop $branch "$(at_server "$dev")" || return 1
	done
'

# --- with squash ---

test_expect 'a merge commit with squash: its second parent is on no branch' '
	grow dev && grow dev &&
	web_lands main squash dev dev web_squash_merge shop main "$(at_server "$dev")" &&
	! git -C shop.git merge-base --is-ancestor "$main^2" "$dev" &&
	same "$(at_server "$main^1")" "$(at_server "$main^2^")"
'

test_expect 'made when the diff of the merge request was: its parent is an older tip of main' '
	grow dev && base=$(at_server "$main") && hotfix && hotfix &&
	web_lands main squash dev dev web_squash_merge shop main "$(at_server "$dev")" "$base" &&
	same "$base" "$(at_server "$main^2^")"
'

test_expect 'MG103: such a squash of a feature branch, of a dev that was forced away, or below another branch' '
	expect_accept web_update shop refs/heads/feature2 "$(at_server "$main")" && edit feature2 g.txt &&
	web_rejected MG103 web_squash_merge shop main "$(at_server refs/heads/feature2)" &&
	grow dev && gone=$(at_server "$dev") && expect_accept web_update shop "$dev" "$(at_server "$gone~")" &&
	web_rejected MG103 web_squash_merge shop main "$gone" &&
	expect_accept web_update shop "$dev" "$gone" &&
	squash_commit shop "$(at_server refs/heads/feature2)" "$gone" &&
	web_rejected MG103 web_merge shop main "$NEW_COMMIT" &&
	web_lands main squash dev dev web_squash_merge shop main "$gone"
'

test_expect 'a squash of part of what is on dev' '
	grow dev && older=$(at_server "$dev") && grow dev && grow dev &&
	web_lands main squash dev dev web_squash_merge shop main "$older" &&
	web_lands main squash dev dev web_squash_merge shop main "$(at_server "$dev")"
'

# Sets MADE to a commit on top of PARENT, and of SECOND if that is set: the tree of FROM, and what CMD
# does to the index.  It is on the server, on no branch.
made() {
	test_tick
	MADE=$(
		GIT_DIR=$T/shop.git GIT_INDEX_FILE=$T/made.index
		export GIT_DIR GIT_INDEX_FILE
		parent=$1
		rm -f "$GIT_INDEX_FILE" && git read-tree "$2" && shift 2 && "$@" &&
			git commit-tree -p "$parent" ${SECOND:+-p "$SECOND"} -m 'Made by hand' \
				"$(git write-tree)"
	)
}

SECOND=
adds() {
	git update-index --add --cacheinfo "100644,$(git rev-parse "$main:README.md"),$1"
}

drops() {
	printf '0 %040d\t%s\n' 0 "$1" | git update-index --index-info
}

test_expect 'MG103: a squash commit that drops what only main has, or brings something of its own' '
	hotfix && only=$NEW_FILE && grow dev && squash_commit shop "$(at_server "$main")" "$(at_server "$dev")" &&
	squashed=$NEW_COMMIT && made "$(at_server "$main")" "$squashed" drops "$only" &&
	web_rejected MG103 web_merge shop main "$MADE" &&
	made "$(at_server "$main")" "$squashed" adds more.txt &&
	web_rejected MG103 web_merge shop main "$MADE" &&
	made "$(at_server "$main")" "$squashed" : &&
	web_lands main squash dev dev web_merge shop main "$MADE"
'

test_expect 'MG102: the same as a fast-forward' '
	hotfix && only=$NEW_FILE && grow dev && squash_commit shop "$(at_server "$main")" "$(at_server "$dev")" &&
	squashed=$NEW_COMMIT && made "$(at_server "$main")" "$squashed" drops "$only" &&
	web_rejected MG102 web_ff shop main "$MADE" &&
	made "$(at_server "$main")" "$squashed" adds more.txt &&
	web_rejected MG102 web_ff shop main "$MADE" &&
	made "$(at_server "$main")" "$squashed" : && NEW_COMMIT=$MADE &&
	web_lands main squash dev dev web_ff shop main "$MADE"
'

test_expect 'MG105: a merge of a good squash commit that is not the automatic merge' '
	grow dev && squash_commit shop "$(at_server "$main")" "$(at_server "$dev")" && squashed=$NEW_COMMIT &&
	SECOND=$squashed && made "$(at_server "$main")" "$squashed" adds evil.txt && SECOND= &&
	web_rejected MG105 web_ff shop main "$MADE" && said evil.txt &&
	web_lands main squash dev dev web_merge shop main "$squashed"
'

# --- fast-forward ---

test_expect 'a fast-forward of main to dev, after dev has merged main' '
	back_merge && grow dev && web_lands main fast-forward dev dev web_ff shop main "$(at_server "$dev")"
'

test_expect 'and to an older commit of it; MG101 back, MG102 beside' '
	grow dev && older=$(at_server "$dev") && grow dev && before=$(at_server "$main") &&
	web_lands main fast-forward dev dev web_ff shop main "$older" &&
	web_rejected MG101 web_update shop "$main" "$before" &&
	expect_accept web_update shop refs/heads/aside "$older" && edit aside x.txt &&
	web_rejected MG102 web_ff shop main "$(at_server refs/heads/aside)" &&
	web_lands main fast-forward dev dev web_ff shop main "$(at_server "$dev")"
'

test_expect 'a fast-forward with squash: one commit, on no branch' '
	grow dev && grow dev && web_lands main squash dev dev web_squash_ff shop main "$(at_server "$dev")" &&
	same 1 "$(git -C shop.git rev-list --count "$main^!")" &&
	same "$(at_server "$dev^{tree}")" "$(at_server "$main^{tree}")"
'

test_expect 'it too where main has what dev does not have' '
	hotfix && grow dev && web_lands main squash dev dev web_squash_ff shop main "$(at_server "$dev")"
'

test_expect 'MG102: the same of a feature branch' '
	expect_accept web_update shop refs/heads/feature3 "$(at_server "$main")" && edit feature3 h.txt &&
	web_rejected MG102 web_squash_ff shop main "$(at_server refs/heads/feature3)" &&
	said "was made on main itself"
'

# --- semi-linear, and automatic rebase ---

# dev is rebased onto main, as its owner does who is asked for it.
rebase_dev() {
	here dev && test_tick && { git rebase -q origin/main || { git rebase --abort && return 1; }; } &&
		expect_accept gitlab_push --force origin dev
}

test_expect 'semi-linear: a merge commit of a dev that was rebased onto main' '
	hotfix && grow dev && grow dev && rebase_dev &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")" &&
	git -C "$T/shop.git" merge-base --is-ancestor "$main^1" "$main^2"
'

# Rebased by the server in the same breath, the commits are on no branch.  That they are what dev has
# can be seen only where each is the automatic merge of its parent and a commit of dev: then they are
# squashes.  Here the second one takes back what the first one did, which no merge does.
test_expect 'MG102: an automatic rebase of commits that cannot be told from commits on main itself' '
	hotfix && seq 1 9 >lines && edit dev undo.txt "$(cat lines)" &&
	expect_accept web_merge shop main "$(at_server "$dev")" && hotfix &&
	edit dev undo.txt "$(sed s/5/five/ lines)" && edit dev undo.txt "$(cat lines)" &&
	web_rejected MG102 web_rebase_merge shop main "$(at_server "$dev")" &&
	rebase_dev && web_lands main fast-forward dev dev web_ff shop main "$(at_server "$dev")"
'

test_expect 'an automatic rebase of commits that can be told is a row of squashes' '
	hotfix && grow dev && grow dev &&
	web_lands main squash dev dev web_rebase_merge shop main "$(at_server "$dev")" &&
	same 2 "$(git -C shop.git rev-list --count "$main" "^$main~2")"
'

test_expect 'MG106: it too, where squashes are not taken' '
	server_set shop "branch \"main\"" merge-methods "merge, fast-forward" && back_merge && hotfix &&
	grow dev && web_rejected MG106 web_rebase_merge shop main "$(at_server "$dev")" &&
	rebase_dev && web_lands main fast-forward dev dev web_ff shop main "$(at_server "$dev")" &&
	server_set shop "branch \"main\"" merge-methods "merge, fast-forward, squash"
'

# --- cherry-pick, revert, web editor ---

test_expect 'MG102: a commit of a feature branch picked onto main; onto dev it lands' '
	back_merge && web_rejected MG102 web_pick shop main "$(at_server refs/heads/feature3)" &&
	said "\"Picked from $(at_server refs/heads/feature3)\" was made on main itself" &&
	web_lands dev "" "" "" web_pick shop dev "$(at_server refs/heads/feature3)" &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'MG102: a commit of dev picked onto main without the one before it; with it, it is a squash' '
	back_merge && grow dev && grow dev &&
	web_rejected MG102 web_pick shop main "$(at_server "$dev")" &&
	web_lands main squash dev dev web_pick shop main "$(at_server "$dev~")" &&
	web_lands main squash dev dev web_pick shop main "$(at_server "$dev")"
'

test_expect 'MG102: a revert on main; reverted on dev and merged it lands' '
	back_merge && grow dev && expect_accept web_merge shop main "$(at_server "$dev")" &&
	web_rejected MG102 web_revert shop main "$(at_server "$main")" && said "\"Revert $(at_server "$main")\"" &&
	web_lands dev "" "" "" web_revert shop dev "$(at_server "$dev")" &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'MG102: the web editor on main and prod; on retrain its own files alone' '
	web_rejected MG102 web_edit shop main a.txt && web_rejected MG102 web_edit shop prod a.txt &&
	web_rejected MG102 web_edit shop retrain score.py && said "changes score.py" &&
	web_lands retrain direct "" retrain web_edit shop retrain retrain.py &&
	web_lands retrain direct "" retrain web_edit shop retrain rkl/notes.txt
'

# --- merges that are not the automatic one ---

test_expect 'MG105: a conflict resolved by hand; the message has the path and the way out' '
	back_merge && edit dev clash.txt base && expect_accept web_merge shop main "$(at_server "$dev")" &&
	hotfix clash.txt hot && edit dev clash.txt cold &&
	{ ! web_merge shop main "$(at_server "$dev")" 2>"$T/err" || return 1; } && said "GitLab: Merge conflicts" &&
	merge_with dev cp "$T/work/README.md" clash.txt &&
	web_rejected MG105 gitlab_push origin main && said "MG105: " && said "clash.txt" &&
	said "to fix: " && grep "to fix: .*main into dev" "$T/err"
'

test_expect 'the way out, followed: main is merged into dev, resolved there, and lands' '
	here dev && test_tick && { git merge -q origin/main || :; } && echo lukewarm >clash.txt &&
	git commit -q -a -m "Merge main into dev" && expect_accept gitlab_push origin dev &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'MG105: one that is resolved with what one side has; there is no right one' '
	edit dev clash.txt base2 && expect_accept web_merge shop main "$(at_server "$dev")" &&
	hotfix clash.txt hot2 && edit dev clash.txt cold2 &&
	merge_with dev git checkout -q --ours clash.txt &&
	web_rejected MG105 gitlab_push origin main && said clash.txt &&
	merge_with dev git checkout -q --theirs clash.txt &&
	web_rejected MG105 gitlab_push origin main && said clash.txt &&
	here dev && { git merge -q origin/main || :; } && git checkout -q --theirs clash.txt &&
	git commit -q -a -m "Merge main into dev" && expect_accept gitlab_push origin dev &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

# The automatic merge of dev into main lands after each: it is the nearest acceptance.
evil() {
	evil_do=$2 evil_paths=$3
	test_expect "MG105: $1" '
		back_merge && edit dev a.txt && edit dev b.txt && merge_with dev eval "$evil_do" &&
		web_rejected MG105 gitlab_push origin main && for path in $evil_paths; do
			grep "MG105: .*$path" "$T/err" || return 1
		done &&
		web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
	'
}

evil 'a merge that adds a file' 'echo x >smuggled.txt' smuggled.txt
evil 'a merge that changes a file which neither side has touched' 'echo x >>README.md' README.md
evil 'a merge that changes what dev has changed' 'echo x >>a.txt' a.txt
evil 'a merge that silently leaves out a change of dev' 'git checkout -q origin/main -- a.txt' a.txt
evil 'a merge that leaves out all of dev' 'git rm -q --cached -r . && git checkout -q origin/main -- .' a.txt
evil 'a merge that removes a file' 'git rm -q -f README.md' README.md
evil 'a merge that makes a file executable' 'chmod +x README.md' README.md
evil 'a merge that makes a file a link' 'rm README.md && ln -s a.txt README.md' README.md
evil 'a merge that names several files' 'for n in 1 2 3; do echo $n >"many$n.txt"; done' 'many1.txt many3.txt'

test_expect 'MG105 names five paths at most, and says that there are more' '
	back_merge && grow dev &&
	merge_with dev eval "for n in 1 2 3 4 5 6 7; do echo x >more\$n.txt; done" &&
	web_rejected MG105 gitlab_push origin main && said more1.txt && said more5.txt && said_not more6.txt &&
	grep "MG105: .*2" "$T/err" && web_lands main merge dev dev web_merge shop main "$(at_server "$dev")"
'

test_expect 'MG105: below a merge that is as it should be' '
	back_merge && grow dev && merge_with dev eval "echo x >smuggled.txt" && grow dev &&
	git fetch -q origin && git merge -q --no-ff -m "Merge dev" origin/dev &&
	web_rejected MG105 gitlab_push origin main && said smuggled.txt
'

test_expect 'MG105: on retrain, where direct commits are taken, of what they may not change' '
	merge_with_retrain() {
		here retrain && git merge -q --no-commit --no-ff origin/main && echo x >>score.py && git add -A &&
			git commit -q -m "Merge main"
	} && merge_with_retrain && web_rejected MG105 gitlab_push origin retrain && said score.py &&
	web_lands retrain merge main retrain web_merge shop retrain "$(at_server "$main")"
'

# --- content = any ---

test_expect 'content = any: merges resolved by hand, and any other content, come from a source' '
	server_set shop "branch \"main\"" content any &&
	edit dev clash.txt base3 && expect_accept web_merge shop main "$(at_server "$dev")" &&
	hotfix clash.txt hot3 && edit dev clash.txt cold3 &&
	merge_with dev eval "echo by-hand >clash.txt" && NEW_COMMIT=$(git rev-parse main) &&
	web_lands main merge dev dev gitlab_push origin main &&
	back_merge && grow dev && merge_with dev eval "echo x >smuggled.txt" &&
	NEW_COMMIT=$(git rev-parse main) && web_lands main merge dev dev gitlab_push origin main
'

test_expect 'the other rules stay: MG102, MG103 and MG104' '
	web_rejected MG102 web_edit shop main a.txt &&
	edit feature3 z.txt && web_rejected MG103 web_merge shop main "$(at_server refs/heads/feature3)" &&
	grow dev && expect_accept web_update shop "$hotfix" "$(at_server "$main")" && edit hotfix c.txt &&
	here main && octopus=$(git commit-tree -p main -p origin/dev -p origin/hotfix -m Octopus "origin/dev^{tree}") &&
	web_rejected MG104 gitlab_push origin "$octopus:main" &&
	server_set shop "branch \"main\"" content automatic &&
	web_lands main merge dev dev web_merge shop main "$(at_server "$dev")" &&
	web_lands main merge hotfix dev web_merge shop main "$(at_server "$hotfix")"
'

# --- unrelated histories ---

test_expect 'a merge of a history that has nothing in common; MG105 with something of its own' '
	here main && git switch -q --orphan island && git commit -q --allow-empty -m Island &&
	commit island.txt && gitlab_push -q --force origin HEAD:refs/heads/hotfix && git fetch -q origin &&
	here main && git merge -q --allow-unrelated-histories --no-commit origin/hotfix && echo x >own.txt &&
	git add own.txt && git commit -q -m "Merge hotfix" &&
	web_rejected MG105 gitlab_push origin main && said own.txt &&
	web_lands main merge hotfix dev web_merge shop main "$(at_server "$hotfix")"
'

test_expect 'MG101: that history in the place of main' '
	web_rejected MG101 web_update shop "$main" "$(at_server "$hotfix")"
'

# --- merge-methods ---

by_merge() {
	web_merge shop main "$(at_server "$dev")"
}

by_ff() {
	web_ff shop main "$(at_server "$dev")"
}

by_squash() {
	web_squash_ff shop main "$(at_server "$dev")"
}

by_squash_merge() {
	web_squash_merge shop main "$(at_server "$dev")"
}

# With merge-methods = $1 those of $2 land and those of $3 do not.
methods() {
	methods_key=$1 methods_good=$2 methods_bad=$3
	test_expect "MG106: merge-methods = $1" '
		server_set shop "branch \"main\"" merge-methods "$methods_key" && for by in $methods_good; do
			back_merge && grow dev && expect_accept "by_$by" &&
			same "$NEW_COMMIT" "$(at_server "$main")" || return 1
		done &&
		back_merge && grow dev && for by in $methods_bad; do
			web_rejected MG106 "by_$by" && said "main takes" || return 1
		done
	'
}

methods merge 'merge' 'ff squash squash_merge'
methods fast-forward 'ff' 'merge squash squash_merge'
methods squash 'squash squash_merge' 'merge ff'
methods 'merge, squash' 'merge squash squash_merge' 'ff'
methods 'merge, fast-forward' 'merge ff' 'squash squash_merge'
methods 'fast-forward, squash' 'ff squash squash_merge' 'merge'
methods 'merge, fast-forward, squash' 'merge ff squash squash_merge' ''

# --- creation and deletion on the web page ---

test_expect 'MG107 and MG108: branches with rules; others come and go' '
	web_rejected MG107 web_delete shop "$main" && server_set shop "branch \"release\"" merge-from main &&
	grow dev && web_rejected MG108 web_update shop refs/heads/release "$(at_server "$dev")" &&
	NEW_COMMIT=$(at_server "$main~") &&
	web_lands release create main "" web_update shop refs/heads/release "$NEW_COMMIT" &&
	expect_accept web_update shop refs/heads/any "$(at_server "$dev")" &&
	expect_accept web_delete shop refs/heads/any && same none "$(tip shop refs/heads/any)"
'

test_expect 'MG201 and MG205: names on the web page' '
	web_rejected MG201 web_update shop refs/heads/retrain-x "$(at_server "$dev")" &&
	web_rejected MG205 web_update shop refs/heads/Main "$(at_server "$dev")" &&
	web_rejected MG205 web_update shop refs/tags/main "$(at_server "$dev")" &&
	expect_accept web_update shop refs/tags/v1 "$(at_server "$dev")"
'

test_expect 'every landing with a chain has one pipeline; the log is valid' '
	shown=$(pipelines shop) && same "${shown%% *}" "$(echo "$shown" | wc -w)" &&
	same "${shown%% *}" "$(audit_count shop event=pipeline.created)" && audit_valid shop
'

test_done
