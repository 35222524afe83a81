#!/bin/sh
# Several references in one push, symbolic references, and hooks of which only some are installed.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

# A commit on dev and a merge of it on main, neither pushed; stays on main.
dev_and_main() {
	git fetch -q origin && at dev && commit work.txt && at main && merge_in dev
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

test_expect 'dev and main that merges it, in one push' '
	cd work && dev_and_main && expect_accept git push origin dev main && both_landed &&
	recorded shop event=push.accepted refs.1.ref=refs/heads/main refs.1.method=merge refs.1.source=refs/heads/dev
'

test_expect 'the other way round, and with --atomic both ways' '
	cd work && dev_and_main && expect_accept git push origin main dev && both_landed &&
	dev_and_main && expect_accept git push --atomic origin dev main && both_landed &&
	dev_and_main && expect_accept git push --atomic origin main dev && both_landed
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

test_expect 'the log is valid' 'audit_valid shop'

test_done
