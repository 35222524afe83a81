#!/bin/sh
# Several references in one push, symbolic references, and hooks of which only some are installed.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

# A commit on dev and a merge of it on main, neither pushed; stays on main.
dev_and_main() {
	git fetch -q origin && at dev && commit work.txt && at main && merge_in dev
}

# The same where the server has no dev.
dev_and_main_anew() {
	git fetch -q -p origin && git switch -q -C dev origin/main && commit work.txt && at main && merge_in dev
}

# What dev_and_main has made is on the server, with a pipeline.
both_landed() {
	same "$(git rev-parse dev)" "$(tip shop refs/heads/dev)" &&
		same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
		told <<-EOT
			modelgate: pipeline $(newest) created: chain dev on main $(short main): build -> create-model -> deploy -> stage-model
		EOT
}

newest() {
	pipelines shop | sed 's/ .*//'
}

installed() {
	rm -f "$T/shop.git/hooks"/*
	for one in "$@"; do
		cp "$ROOT/libexec/modelgate/$one" "$T/shop.git/hooks/" || return 1
	done
}

new_server shop
new_project shop work || test_bail 'no project'

# --- all or nothing ---

test_expect 'one bad reference rejects the good ones beside it, and the record has them all' '
	cd work && at dev && commit a.txt && at main && commit b.txt &&
	before=$(pushes shop) &&
	expect_reject MG102 git push origin dev main dev:refs/heads/feature &&
	told <<-EOT &&
		modelgate: rejected refs/heads/main $(short main~)..$(short main) MG102: commit $(short main) "b.txt" was made on main itself
		modelgate:   main takes merges from: dev, retrain-<pipeline_id>-<date>
		modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop event=push.rejected refs.0.ref=refs/heads/dev refs.1.ref=refs/heads/main refs.1.code=MG102 \
		refs.2.ref=refs/heads/feature && same 1 "$(audit_count shop refs.*.code=*)" &&
	same $((before + 1)) "$(pushes shop)"
'

test_expect 'without it they land' '
	cd work && expect_accept git push origin dev dev:refs/heads/feature && told </dev/null
'

test_expect 'two bad ones are both told, under one audit id' '
	cd work && at main && commit b.txt &&
	expect_reject MG102,MG201 git push origin main main:retrain-x &&
	same 2 "$(grep -c "modelgate: rejected" "$T/err")" &&
	same 1 "$(grep -c "audit id" "$T/err")" &&
	recorded shop refs.*.code=MG102 refs.*.code=MG201
'

# --- dev and main together ---

# Push the references in just this order, from their tips on the server to ours.  A client of git's own
# sends those that are there by name, and then the new ones, in whatever order they are asked for.
in_order() {
	raw_atomic=
	if [ "$1" = atomic ]; then
		raw_atomic=atomic
		shift
	fi
	raw_updates=
	for one in "$@"; do
		raw_old=$(tip shop "refs/heads/$one")
		[ "$raw_old" != none ] || raw_old=0
		raw_updates="$raw_updates $raw_old:$(git rev-parse "$one"):refs/heads/$one"
	done
	# shellcheck disable=SC2086 # no blanks in any of them
	"$TEST_LIB/raw-push" "$T/shop.git" . $raw_atomic $raw_updates
}

# All three hooks have taken part, and judged once: update let pass what pre-receive had let pass.
judged_once() {
	pushed=$(pushes shop) && expect_accept "$@" && same $((pushed + 1)) "$(pushes shop)"
}

test_expect 'dev and main that merges it, in one push' '
	cd work && dev_and_main && expect_accept git push origin dev main && both_landed &&
	recorded shop event=push.accepted refs.1.ref=refs/heads/main refs.1.method=merge refs.1.source=refs/heads/dev
'

test_expect 'the other way round, and with --atomic both ways' '
	cd work && dev_and_main && expect_accept git push origin main dev && both_landed &&
	dev_and_main && expect_accept git push --atomic origin dev main && both_landed &&
	dev_and_main && expect_accept git push --atomic origin main dev && both_landed
'

test_expect 'the order is the client'"'"'s: git sends what is there by name, and then what is new' '
	cd work && dev_and_main && expect_accept git push origin main dev &&
	recorded shop refs.0.ref=refs/heads/dev refs.1.ref=refs/heads/main &&
	expect_accept git push origin :dev && dev_and_main_anew && expect_accept git push origin dev main &&
	recorded shop refs.0.ref=refs/heads/main refs.1.ref=refs/heads/dev && both_landed
'

test_expect 'dev and main in both orders, as a client of another make sends them' '
	cd work && for atomic in "" atomic; do
		for order in "dev main" "main dev"; do
			dev_and_main && judged_once in_order $atomic $order && both_landed &&
			recorded shop "refs.0.ref=refs/heads/${order%% *}" || return 1
		done
	done
'

three_landed() {
	both_landed_too dev main prod && audit_has shop event=pipeline.created "refs.0.new=$(git rev-parse main)" &&
		audit_has shop event=pipeline.created "refs.0.new=$(git rev-parse prod)"
}

both_landed_too() {
	for one in "$@"; do
		same "$(git rev-parse "$one")" "$(tip shop "refs/heads/$one")" || return 1
	done
}

test_expect 'dev, main and prod in every order' '
	cd work && for order in "dev main prod" "dev prod main" "main dev prod" "main prod dev" "prod dev main" \
		"prod main dev"; do
		for atomic in "" atomic; do
			dev_and_main && at prod && merge_in main && judged_once in_order $atomic $order &&
			three_landed || return 1
		done
	done
'

test_expect 'one bad reference rejects all three, wherever it stands' '
	cd work && for bad in dev main prod; do
		dev_and_main && at prod && merge_in main && at_now=$bad && git switch -q $bad &&
		if [ $bad = dev ]; then git commit -q --amend -m "Amended"; else commit bad.txt; fi &&
		case $bad in dev) code=MG103 ;; *) code=MG102 ;; esac &&
		expect_reject $code in_order prod dev main || return 1
	done && git fetch -q origin && at dev && at main && at prod
'

test_expect 'a branch that git moves before its source' '
	server_set shop "branch \"a-release\"" merge-from dev && cd work && at dev &&
	expect_accept git push origin dev:a-release && at dev && commit c.txt &&
	expect_accept git push origin dev dev:a-release &&
	recorded shop refs.0.ref=refs/heads/a-release refs.0.method=fast-forward refs.0.source=refs/heads/dev &&
	commit d.txt && expect_accept git push --atomic origin dev dev:a-release
'

test_expect 'dev, main and prod in one push' '
	cd work && dev_and_main && at prod && merge_in main &&
	expect_accept git push origin dev main prod &&
	same "$(git rev-parse prod)" "$(tip shop refs/heads/prod)" &&
	said "chain dev on main $(short main)" &&
	said "chain prod on prod $(short prod)"
'

test_expect 'a dev that is forced, rewound or deleted in the same push is no source' '
	cd work && dev_and_main && git branch -f good dev && git switch -q dev &&
	git commit -q --amend -m amended &&
	expect_accept git push origin dev && git reset -q --hard good &&
	expect_reject MG103 git push origin +dev main &&
	at dev && commit e.txt && expect_accept git push origin dev && at main && merge_in dev &&
	expect_reject MG103 git push origin +dev~:dev main &&
	expect_reject MG103 git push origin :dev main &&
	recorded shop refs.*.code=MG103 && lands shop main merge dev git push origin main
'

test_expect 'a dev that is created in the same push is one' '
	cd work && expect_accept git push origin :dev && commit_elsewhere=$(git rev-parse main) &&
	git switch -q -C dev "$commit_elsewhere" && commit f.txt && at main && merge_in dev &&
	expect_accept git push origin dev main && both_landed
'

test_expect 'so is a retrain branch; one with a wrong name is not' '
	server_set shop retrain-branch known-pipeline off &&
	cd work && at main && today=$(date -u +%Y%m%d) && git switch -q -C "retrain-7-$today" &&
	commit rkl/m.txt &&
	at main && merge_in "retrain-7-$today" &&
	expect_reject MG103,MG201 git push origin main "retrain-7-$today:retrain-x" &&
	expect_accept git push origin main "retrain-7-$today" &&
	recorded shop refs.0.source="refs/heads/retrain-7-$today" refs.1.method=create &&
	server_set shop retrain-branch known-pipeline require
'

test_expect 'two branches that take from each other do not let each other pass' '
	cd work && at dev && expect_accept git push origin dev:left dev:right &&
	server_set shop "branch \"left\"" merge-from "dev, right" &&
	server_set shop "branch \"right\"" merge-from left && commit x.txt &&
	expect_reject MG102 git push origin dev:left dev:right &&
	recorded shop refs.0.code=MG102 refs.1.code=MG102 && expect_accept git push origin dev &&
	expect_reject MG102 git push origin dev:left dev:right &&
	expect_accept git push origin dev:left && expect_accept git push origin dev:right &&
	recorded shop refs.0.source=refs/heads/left
'

# --- symbolic references ---

test_expect 'a symbolic reference is judged as its target: rejected' '
	git -C shop.git symbolic-ref refs/heads/trunk refs/heads/main && cd work && at main &&
	commit g.txt &&
	expect_reject MG102 git push origin main:trunk &&
	said "modelgate: rejected refs/heads/trunk" &&
	said "\"g.txt\" was made on main itself" &&
	recorded shop refs.0.ref=refs/heads/trunk refs.0.code=MG102 &&
	expect_reject MG102 git push origin main main:trunk &&
	expect_reject MG107 git push origin :trunk
'

test_expect 'and accepted, with the pipeline of its target' '
	cd work && dev_and_main && expect_accept git push origin dev main:trunk && both_landed &&
	recorded shop refs.1.ref=refs/heads/trunk refs.1.source=refs/heads/dev &&
	audit_has shop event=ref.updated refs.0.ref=refs/heads/main "refs.0.new=$(git rev-parse main)"
'

test_expect 'both in one push are one landing and one pipeline' '
	cd work && dev_and_main && expect_accept git push origin dev main main:trunk &&
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
	same 1 "$(audit_count shop event=pipeline.created "refs.0.new=$(git rev-parse main)")" &&
	same 1 "$(audit_count shop event=ref.updated "refs.0.new=$(git rev-parse main)")"
'

test_expect 'a source by another name is its target; one that runs in a circle or out of refs is MG902' '
	git -C shop.git symbolic-ref refs/heads/next refs/heads/dev && cd work &&
	git fetch -q origin && at dev && commit h.txt &&
	at main && merge_in dev && expect_accept git push origin dev:next main &&
	same "$(git rev-parse dev)" "$(tip shop refs/heads/dev)" &&
	recorded shop refs.*.source=refs/heads/dev &&
	git -C "$T/shop.git" symbolic-ref refs/heads/next refs/heads/next2 &&
	git -C "$T/shop.git" symbolic-ref refs/heads/next2 refs/heads/next &&
	echo "$(git rev-parse dev~) $(git rev-parse dev) refs/heads/next" >in &&
	hook 1 shop pre-receive <in && said MG902 && said "does not end" &&
	echo "ref: ../../elsewhere" >"$T/shop.git/refs/heads/next" && hook 1 shop pre-receive <in &&
	said MG902 &&
	rm "$T/shop.git/refs/heads/next" "$T/shop.git/refs/heads/next2"
'

# --- some of the hooks ---

test_expect 'update alone judges each reference, and what has landed launches' '
	installed update post-receive && cd work && at main && commit i.txt &&
	expect_reject MG102 git push origin main &&
	recorded shop event=push.rejected refs.0.code=MG102 &&
	dev_and_main && expect_accept git push origin dev main && both_landed &&
	expect_reject MG107 git push origin :prod &&
	expect_reject MG201 git push origin dev:retrain-x
'

test_expect 'update alone rejects one reference and lets the other pass, but not with --atomic' '
	cd work && at dev && commit j.txt && at main && commit k.txt &&
	expect_reject MG102 git push --atomic origin dev main &&
	{ ! git push origin dev main 2>"$T/err" || return 1; } && said "MG102" &&
	same "$(git rev-parse dev)" "$(tip shop refs/heads/dev)" &&
	same "$(git rev-parse main~)" "$(tip shop refs/heads/main)"
'

test_expect 'update alone under --atomic sees dev as it was: main comes in the next push' '
	cd work && dev_and_main && expect_reject MG103 git push --atomic origin dev main &&
	expect_accept git push origin dev && expect_accept git push origin main && both_landed
'

test_expect 'pre-receive alone judges' '
	installed pre-receive post-receive && cd work && at main && commit l.txt &&
	expect_reject MG102 git push origin dev main &&
	dev_and_main && expect_accept git push origin dev main && both_landed
'

test_expect 'update does not let pass what pre-receive let pass in an earlier push' '
	installed pre-receive update post-receive && cd work && dev_and_main &&
	printf "#!/bin/sh\n[ \"\$1\" != refs/heads/main ] &&
	exec %s \"\$@\"\n" "$ROOT/libexec/modelgate/update" \
		>"$T/shop.git/hooks/update" &&
	{ ! git push origin dev main 2>"$T/err" || return 1; } && said_not "modelgate: rejected" &&
	same "$(git rev-parse main~)" "$(tip shop refs/heads/main)" &&
	installed update post-receive && expect_accept git push origin +dev~:dev &&
	expect_reject MG103 git push origin main
'

test_expect 'a source whose own update is refused after pre-receive: main is there, but no chain' '
	installed pre-receive update post-receive && cd work && dev_and_main &&
	printf "#!/bin/sh\n[ \"\$1\" != refs/heads/dev ] &&
	exec %s \"\$@\"\n" "$ROOT/libexec/modelgate/update" \
		>"$T/shop.git/hooks/update" &&
	before=$(pipelines shop) && { ! git push origin dev main 2>"$T/err" || return 1; } &&
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
	same "$(git rev-parse origin/dev)" "$(tip shop refs/heads/dev)" &&
	same "$before" "$(pipelines shop)" && said_not "created" &&
	audit_has shop event=ref.unsourced refs.0.ref=refs/heads/main "refs.0.new=$(git rev-parse main)"
'

# --- what git refuses after pre-receive has let it pass ---

# A push of dev and main of which git refuses dev: main has landed, on nothing that dev holds.
main_alone_lands() {
	before=$(pipelines shop) && is=$(tip shop refs/heads/dev) &&
		{ ! "$@" >"$T/out" 2>"$T/err" || return 1; } && said_not "modelgate: rejected" &&
		said_not created && same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
		same "${now:-$is}" "$(tip shop refs/heads/dev)" && same "$before" "$(pipelines shop)" &&
		audit_has shop event=ref.unsourced refs.0.ref=refs/heads/main \
			"refs.0.new=$(git rev-parse main)" && mg shop run --drain &&
		same "$before" "$(pipelines shop)"
}

# The next push brings what was refused; main then has its chain with the next merge.
goes_on() {
	installed pre-receive update post-receive && expect_accept git push --force origin dev &&
		dev_and_main && expect_accept git push origin dev main && both_landed
}

# After our pre-receive has let the push pass, another process does this in the repository.
meanwhile() {
	printf '#!/bin/sh\n"%s" "$@" || exit\nenv -i PATH="$PATH" sh -c "%s"\n' \
		"$ROOT/libexec/modelgate/pre-receive" "cd '$T/shop.git' && $1" >"$T/shop.git/hooks/pre-receive"
}

# With this setting git refuses to move a branch off its line.  Such a dev is no source, and the push
# ends in pre-receive; so git never comes to refuse it.
test_expect 'denyNonFastForwards: a forced dev and a main that merges it are rejected as ever' '
	goes_on_first() { installed pre-receive update post-receive && git push -q --force origin dev; } &&
	cd work && goes_on_first && git -C "$T/shop.git" config receive.denyNonFastForwards true &&
	dev_and_main && git switch -q dev && git commit -q --amend -m Amended && expect_accept git push origin dev &&
	git commit -q --amend -m "Amended again" && at main && merge_in dev &&
	expect_reject MG103 git push origin +dev main
'

# It asks that question with replace refs in force, which the judge does not believe.  Where one takes
# the parents from the new tip of dev, git sees a dev that has left its line, after pre-receive has
# seen one that goes on.
test_expect 'denyNonFastForwards: git refuses dev, main is there without a chain' '
	cd work && dev_and_main && git replace --graft dev && git push -q origin "refs/replace/*:refs/replace/*" &&
	git replace -d "$(git rev-parse dev)" && now= && main_alone_lands git push origin dev main &&
	grep "non-fast-forward" "$T/err" && git -C "$T/shop.git" config receive.denyNonFastForwards false &&
	for ref in $(git -C "$T/shop.git" for-each-ref --format="%(refname)" refs/replace); do
		git push -q origin ":$ref" || return 1
	done && goes_on
'

test_expect 'a race that is lost: dev goes elsewhere before git comes to it' '
	cd work && at dev && git switch -q -c other && commit other.txt && expect_accept git push origin other &&
	dev_and_main && meanwhile "git update-ref refs/heads/dev refs/heads/other" && now=$(git rev-parse other) &&
	main_alone_lands git push origin dev main && grep "cannot lock ref" "$T/err" && now= && goes_on
'

test_expect 'one that is lost to somebody who had the same commits and more: main has its chain' '
	cd work && dev_and_main && git branch -f more dev && git switch -q more && commit more.txt &&
	expect_accept git push --force origin more && git switch -q main &&
	meanwhile "git update-ref refs/heads/dev refs/heads/more" &&
	{ ! git push origin dev main >"$T/out" 2>"$T/err" || return 1; } && grep "cannot lock ref" "$T/err" &&
	said "created: chain dev on main $(short main)" &&
	same "$(git rev-parse more)" "$(tip shop refs/heads/dev)" && git switch -q dev &&
	git merge -q more && goes_on
'

test_expect 'main alone, and dev is forced away meanwhile: no chain' '
	cd work && at dev && commit alone.txt && expect_accept git push origin dev && at main && merge_in dev &&
	meanwhile "git update-ref refs/heads/dev refs/heads/dev~" && before=$(pipelines shop) &&
	expect_accept git push origin main && said_not created && same "$before" "$(pipelines shop)" &&
	audit_has shop event=ref.unsourced "refs.0.new=$(git rev-parse main)" && goes_on
'

test_expect 'main alone, and dev goes on meanwhile: a chain' '
	cd work && at dev && commit alone.txt && expect_accept git push origin dev && at main && merge_in dev &&
	git switch -q dev && commit on.txt && expect_accept git push --force origin dev:more && git switch -q main &&
	meanwhile "git update-ref refs/heads/dev refs/heads/more" && expect_accept git push origin main &&
	said "created: chain dev on main $(short main)" && git fetch -q origin && at dev && goes_on
'

test_expect 'a dev that another process has locked' '
	cd work && dev_and_main && : >"$T/shop.git/refs/heads/dev.lock" && main_alone_lands git push origin dev main &&
	rm "$T/shop.git/refs/heads/dev.lock" && goes_on
'

test_expect 'a dev that is checked out on the server' '
	cd work && git -C "$T/shop.git" worktree add -q "$T/checked-out" dev && dev_and_main &&
	main_alone_lands git push origin dev main && grep "branch is currently checked out" "$T/err" &&
	git -C "$T/shop.git" worktree remove --force "$T/checked-out" && goes_on
'

test_expect 'a new dev for which there is no room beside refs/heads/dev/x' '
	cd work && at main && expect_accept git push origin :dev &&
	git -C "$T/shop.git" update-ref refs/heads/dev/x refs/heads/main && dev_and_main_anew &&
	main_alone_lands git push origin dev main &&
	git -C "$T/shop.git" update-ref -d refs/heads/dev/x && git fetch -q -p origin && goes_on
'

test_expect 'a deleted dev that git keeps, receive.denyDeletes: it was no source in the push' '
	git -C shop.git config receive.denyDeletes true && cd work && at dev && commit kept.txt &&
	expect_accept git push origin dev && at main && merge_in dev &&
	expect_reject MG103 git push origin :dev main &&
	git -C "$T/shop.git" config receive.denyDeletes false && expect_accept git push origin main
'

test_expect 'under --atomic git refuses all of them together, and nothing has landed' '
	cd work && git fetch -q origin && at dev && dev_and_main && : >"$T/shop.git/refs/heads/dev.lock" &&
	before=$(pipelines shop) && is=$(tip shop refs/heads/main) &&
	{ ! git push --atomic origin dev main >"$T/out" 2>"$T/err" || return 1; } &&
	same "$is" "$(tip shop refs/heads/main)" && mg shop run --drain && same "$before" "$(pipelines shop)" &&
	rm "$T/shop.git/refs/heads/dev.lock" && expect_accept git push --atomic origin dev main && both_landed
'

test_expect 'the log is valid' 'audit_valid shop'

test_done
