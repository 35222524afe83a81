#!/bin/sh
# Ways around the rules that a hostile reader of them can think of, and the cases that other gates are
# known by.  Each rejection beside its nearest acceptance.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

new_server shop
new_project shop work || test_bail 'no project'

# A commit with this tree, these parents (-p ...), and what stands in the file $T/headers, if it is
# there, among its headers.  Sets MADE.
made() {
	test_tick
	made_tree=$(git rev-parse "$1^{tree}")
	shift
	MADE=$(git commit-tree "$@" -m "Made by hand" "$made_tree") || return 1
	[ ! -e "$T/headers" ] || MADE=$({
		git cat-file commit "$MADE" | sed '/^$/,$d'
		cat "$T/headers"
		git cat-file commit "$MADE" | sed -n '/^$/,$p'
	} | git hash-object -t commit -w --stdin --literally)
}

# As in gate.sh, whatever the work tree has been left like.
at() {
	{ git merge --abort || git rebase --abort || :; } 2>/dev/null
	git reset -q --hard && git clean -qfd && git switch -q "$1" && git reset -q --hard "origin/$1"
}

# One commit more on dev and on the server, of a new file; main as it is there, and we are on it.
GROWN=0
dev_goes_on() {
	GROWN=$((GROWN + 1))
	NEW_FILE=work-$GROWN.txt
	git fetch -q -p origin && at dev && commit "$NEW_FILE" && expect_accept git push origin dev && at main
}

# The tree of the automatic merge of dev into main, as a commit to take it from.
automatic() {
	AUTOMATIC=$(git merge-tree --write-tree origin/main origin/dev)
}

lands_by_merge() {
	git fetch -q origin && at main && merge_in origin/dev && lands shop main merge dev git push origin main
}

# --- squashes ---

test_expect 'MG102: a squash that drops what only main has' '
	server_set shop "branch \"main\"" merge-from "dev, hotfix, retrain-*" && cd work && at main &&
	git switch -q -c hotfix && commit only-main.txt && expect_accept git push origin hotfix && at main &&
	merge_in hotfix && expect_accept git push origin main && dev_goes_on && made dev -p origin/main &&
	expect_reject MG102 git push origin "$MADE:main" &&
	automatic && made "$AUTOMATIC" -p origin/main && git switch -q --detach "$MADE" &&
	lands shop main squash dev git push origin "HEAD:main"
'

test_expect 'MG102: a squash of dev and of something more; of nothing; of what is there already' '
	cd work && dev_goes_on && automatic && git switch -q --detach origin/main && git read-tree "$AUTOMATIC" &&
	git checkout-index -qaf && commit more.txt && made HEAD -p origin/main &&
	expect_reject MG102 git push origin "$MADE:main" && git reset -q --hard &&
	made origin/main -p origin/main && expect_reject MG102 git push origin "$MADE:main" &&
	lands_by_merge && made main -p main && expect_reject MG102 git push origin "$MADE:main"
'

test_expect 'MG102: empty commits, also below a good merge and on top of one' '
	cd work && dev_goes_on && git commit -q --allow-empty -m empty && expect_reject MG102 git push origin main &&
	merge_in dev && expect_reject MG102 git push origin main && at main && merge_in dev &&
	git commit -q --allow-empty -m empty && expect_reject MG102 git push origin main && lands_by_merge
'

test_expect 'an empty commit of dev: its merge changes no file, and lands' '
	cd work && git fetch -q origin && at dev && git commit -q --allow-empty -m empty &&
	expect_accept git push origin dev && lands_by_merge && same "" "$(git diff main~ main)"
'

test_expect 'MG102: a merge that changes no file, of a dev that does' '
	cd work && dev_goes_on && made origin/main -p origin/main &&
	expect_reject MG102 git push origin "$MADE:main" && made origin/main -p origin/main -p origin/dev &&
	expect_reject MG105 git push origin "$MADE:main" && lands_by_merge
'

# --- parents ---

test_expect 'the same parent twice: git keeps it once, a hand-made commit does not, and it is MG102' '
	cd work && dev_goes_on && made origin/main -p origin/main && printf "" >"$T/headers" &&
	twice=$(git cat-file commit "$MADE" | sed "s/^parent .*/&\n&/" | git hash-object -t commit -w --stdin --literally) &&
	rm "$T/headers" && same 2 "$(git cat-file commit "$twice" | grep -c ^parent)" &&
	expect_reject MG102 git push origin "$twice:main"
'

test_expect 'MG102: dev as both parents; main as the second one' '
	cd work && automatic && both=$(printf "tree %s\nparent %s\nparent %s\n%s\n" "$AUTOMATIC" \
		"$(git rev-parse origin/dev)" "$(git rev-parse origin/dev)" \
		"$(git cat-file commit HEAD | sed "/^tree/d; /^parent/d")" |
		git hash-object -t commit -w --stdin --literally) &&
	expect_reject MG101 git push --force origin "$both:main" &&
	made "$AUTOMATIC" -p origin/dev -p origin/main && expect_reject MG102 git push origin "$MADE:main" &&
	said "past the tip of main" && made "$AUTOMATIC" -p origin/main -p origin/dev &&
	git switch -q --detach "$MADE" && lands shop main merge dev git push origin HEAD:main
'

test_expect 'MG102: a merge of main into itself, or of what it holds' '
	cd work && git fetch -q origin && made origin/main -p origin/main -p origin/main~ &&
	expect_reject MG102 git push origin "$MADE:main" && made origin/main -p origin/main -p origin/main^2 &&
	expect_reject MG102 git push origin "$MADE:main"
'

test_expect 'MG104: three parents, and sixty; also with dev among them; one after the other they land' '
	cd work && at dev && parents= && for n in $(seq 60); do
		made origin/dev -p origin/dev && parents="$parents -p $MADE" || return 1
	done &&
	made origin/main -p origin/main $parents && expect_reject MG104 git push origin "$MADE:main" &&
	dev_goes_on && automatic && made "$AUTOMATIC" -p origin/main -p origin/dev -p origin/dev~ &&
	expect_reject MG104 git push origin "$MADE:main" && lands_by_merge
'

test_expect 'MG103: a merge of dev whose second parent is one commit beyond dev' '
	cd work && dev_goes_on && git switch -q --detach origin/dev && commit beyond.txt && beyond=$(git rev-parse HEAD) &&
	at main && merge_in "$beyond" && expect_reject MG103 git push origin main && lands_by_merge
'

test_expect 'MG101: a root that is no descendant of main; MG102: one below a merge' '
	cd work && made origin/main && root=$MADE && expect_reject MG101 git push --force origin "$root:main" &&
	made origin/main -p "$root" -p origin/main && expect_reject MG102 git push origin "$MADE:main"
'

# --- what a commit says of itself ---

test_expect 'dates of the past and the future change nothing' '
	cd work && at dev && for date in "@1 +0000" "@4000000000 +0000" "@1700000000 -1200"; do
		GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git commit -q --allow-empty -m "$date" || return 1
	done && commit dated.txt && expect_accept git push origin dev && at main &&
	GIT_AUTHOR_DATE="@2 +0000" GIT_COMMITTER_DATE="@2 +0000" git merge -q --no-ff -m "Merge dev" dev &&
	lands shop main merge dev git push origin main &&
	GIT_AUTHOR_DATE="@1 +0000" GIT_COMMITTER_DATE="@1 +0000" git commit -q --allow-empty -m "Long ago" &&
	expect_reject MG102 git push origin main
'

test_expect 'headers that look like others: parent and tree in a signature or a merged tag' '
	cd work && dev_goes_on && automatic &&
	printf "encoding ISO-8859-1\ngpgsig -----BEGIN PGP SIGNATURE-----\n parent %s\n -----END PGP SIGNATURE-----\nmergetag object %s\n type commit\n tag v1\n tagger A <a@b> 1 +0000\n \n parent %s\n" \
		"$(git rev-parse origin/dev)" "$(git rev-parse origin/dev)" "$(git rev-parse origin/dev)" >"$T/headers" &&
	made "$AUTOMATIC" -p origin/main -p origin/dev && git switch -q --detach "$MADE" &&
	lands shop main merge dev git push origin HEAD:main && made origin/main -p "$MADE" &&
	expect_reject MG102 git push origin "$MADE:main" && rm "$T/headers"
'

test_expect 'MG102: a merge in words only; a squash in words only' '
	cd work && git fetch -q origin && at main && echo x >words.txt && git add words.txt &&
	git commit -q -m "Merge branch dev into main" -m "See merge request models/shop!7" &&
	expect_reject MG102 git push origin main && at main
'

# --- what a branch is pushed to ---

test_expect 'a tag, a tree or a blob in the place of a commit' '
	cd work && dev_goes_on && git tag -f -a -m v9 v9 origin/dev &&
	for object in "$(git rev-parse v9)" "$(git rev-parse origin/dev^{tree})" "$(git rev-parse origin/dev:score.py)"; do
		before=$(git -C "$T/shop.git" for-each-ref) &&
		{ ! "$TEST_LIB/raw-push" "$T/shop.git" . "$(tip shop refs/heads/main):$object:refs/heads/main" \
			2>"$T/err" || return 1; } &&
		grep "modelgate: rejected" "$T/err" &&
		same "$before" "$(git -C "$T/shop.git" for-each-ref)" || return 1
	done && expect_accept git push origin v9 && lands_by_merge
'

test_expect 'MG904: main to where it is, which no client sends; no pipeline is made' '
	cd work && before=$(pipelines shop) && is=$(tip shop refs/heads/main) &&
	{ ! "$TEST_LIB/raw-push" "$T/shop.git" . "$is:$is:refs/heads/main" 2>"$T/err" || return 1; } &&
	said "rejected MG904: " && same "$is" "$(tip shop refs/heads/main)" && same "$before" "$(pipelines shop)"
'

# Of the two updates of one reference git lets the first one through, or neither.
test_expect 'one reference twice in a push: a bad one does not hide behind a good one' '
	cd work && dev_goes_on && is=$(tip shop refs/heads/main) && commit direct.txt && bad=$(git rev-parse main) &&
	at main && merge_in dev && good=$(git rev-parse main) &&
	for updates in "$is:$good:refs/heads/main $is:$bad:refs/heads/main" \
		"$is:$bad:refs/heads/main $is:$good:refs/heads/main" \
		"$is:$good:refs/heads/main $good:$is:refs/heads/main" \
		"$is:$good:refs/heads/main $good:0:refs/heads/main" \
		"$is:0:refs/heads/main 0:$good:refs/heads/main"; do
		for atomic in "" atomic; do
			{ ! "$TEST_LIB/raw-push" "$T/shop.git" . $atomic $updates 2>"$T/err" || return 1; } &&
			grep "modelgate: rejected" "$T/err" && same "$is" "$(tip shop refs/heads/main)" || return 1
		done
	done && lands_by_merge
'

test_expect 'MG103: a source that goes on and back in the same push, or that the push has from elsewhere' '
	cd work && git fetch -q origin && at dev && was=$(git rev-parse dev) && commit flicker.txt &&
	on=$(git rev-parse dev) && at main && merge_in dev && is=$(tip shop refs/heads/main) &&
	for updates in "$was:$on:refs/heads/dev $on:$was:refs/heads/dev" \
		"$on:$was:refs/heads/dev $was:$on:refs/heads/dev" "0:$on:refs/heads/dev" "$on:$on:refs/heads/dev"; do
		for order in "$updates $is:$(git rev-parse main):refs/heads/main" "$is:$(git rev-parse main):refs/heads/main $updates"; do
			{ ! "$TEST_LIB/raw-push" "$T/shop.git" . $order 2>"$T/err" || return 1; } &&
			grep "modelgate: rejected" "$T/err" && same "$is" "$(tip shop refs/heads/main)" || return 1
		done
	done && expect_accept git push origin dev main &&
	recorded shop refs.1.ref=refs/heads/main refs.1.method=merge refs.1.source=refs/heads/dev
'

test_expect 'an old value that is not where main is, as of a push that came late' '
	cd work && dev_goes_on && merge_in dev && is=$(tip shop refs/heads/main) &&
	{ ! "$TEST_LIB/raw-push" "$T/shop.git" . "$(git rev-parse main~2):$(git rev-parse main):refs/heads/main" \
		2>"$T/err" || return 1; } && same "$is" "$(tip shop refs/heads/main)" &&
	{ ! "$TEST_LIB/raw-push" "$T/shop.git" . "0:$(git rev-parse main):refs/heads/main" 2>"$T/err" || return 1; } &&
	same "$is" "$(tip shop refs/heads/main)" && lands shop main merge dev git push origin main
'

test_expect 'HEAD, and what is no full name' '
	cd work && at main && commit direct.txt && for ref in HEAD main refs/main FETCH_HEAD refs/heads refs/heads/; do
		is=$(tip shop refs/heads/main) && { ! "$TEST_LIB/raw-push" "$T/shop.git" . \
			"$is:$(git rev-parse main):$ref" 2>"$T/err" || return 1; } &&
		same "$is" "$(tip shop refs/heads/main)" || return 1
	done && at main
'

# --- sources that are none ---

# The commits of dev-to-be are on the server under REF, and their merge into main is MG103.
under() {
	test_expect "MG103: a source under $1" '
		cd work && git fetch -q origin && at dev && commit hidden.txt && hidden=$(git rev-parse dev) &&
		expect_accept git push origin "$hidden:$under" && at main && merge_in "$hidden" &&
		expect_reject MG103 git push origin main && expect_reject MG103 git push origin main "+$hidden:$under" &&
		expect_accept git push origin ":$under" && expect_accept git push origin "$hidden:refs/heads/dev" &&
		lands shop main merge dev git push origin main
	'
}

for under in refs/tags/v2 refs/tags/refs/heads/dev refs/notes/commits refs/remotes/origin/dev refs/x/dev \
	refs/heads/refs/heads/dev refs/replace/0123456789012345678901234567890123456789 refs/pull/1/head refs/merge-requests/1/head refs/keep-around/x \
	refs/heads/deva refs/heads/x/dev refs/heads/-dev- refs/heads/dev@2; do
	under "$under"
done

test_expect 'MG205: names below dev and main, and names that differ by case' '
	cd work && at dev && commit hidden.txt && hidden=$(git rev-parse dev) && expect_accept git push origin :dev &&
	for name in dev/x Dev DEV dEv main/x prod/dev; do
		expect_reject MG205 git push origin "$hidden:refs/heads/$name" || return 1
	done && at main && merge_in "$hidden" && expect_reject MG205 git push origin main "$hidden:refs/heads/DEV" &&
	expect_accept git push origin "$hidden:refs/heads/dev" && lands shop main merge dev git push origin main
'

test_expect 'names that are odd and legal are plain branches, and no sources' '
	cd work && git fetch -q origin && at dev && commit odd.txt && odd=$(git rev-parse dev) && at main && merge_in "$odd" &&
	for name in "dév" "dev;x" "dev\$(x)" "dev%s%n" "dev\"x\"" "dev|x" "d ev" "+dev" "de{v}" "dev#1" "@dev"; do
		case $name in *" "*) continue ;; esac
		expect_accept git push origin "$odd:refs/heads/$name" && expect_reject MG103 git push origin main &&
		expect_accept git push origin ":refs/heads/$name" || return 1
	done && expect_accept git push origin "$odd:refs/heads/dev" && lands shop main merge dev git push origin main
'

# --- symbolic references of the server ---

test_expect 'a symbolic reference that leads to main: pushed by another name it is main' '
	git -C shop.git symbolic-ref refs/heads/latest refs/heads/main && cd work && at main && commit direct.txt &&
	expect_reject MG102 git push origin main:latest && expect_reject MG107 git push origin :latest &&
	expect_reject MG101 git push --force origin main~3:latest && dev_goes_on && merge_in dev &&
	expect_accept git push origin main:latest && same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
	git -C "$T/shop.git" symbolic-ref -d refs/heads/latest
'

# dev becomes another name of the branch real on the server.
test_expect 'dev as a symbolic reference: what is pushed to its target in the same push is on dev' '
	cd work && git fetch -q -p origin && git -C "$T/shop.git" update-ref -d refs/heads/dev &&
	git push -q origin origin/dev:refs/heads/real &&
	git -C "$T/shop.git" symbolic-ref refs/heads/dev refs/heads/real && git fetch -q origin &&
	git switch -q -C real origin/real && commit real.txt && at main && merge_in real &&
	expect_reject MG103 git push origin main && expect_accept git push origin real main
'

test_expect 'MG103: and what its target is forced away from in the same push is not' '
	cd work && git fetch -q origin && at real && commit more-real.txt && expect_accept git push origin real &&
	at main && merge_in real && expect_reject MG103 git push origin +real~:real main &&
	expect_reject MG103 git push origin :real main && expect_accept git push origin main
'

test_expect 'dev is a branch of its own again' '
	git -C shop.git symbolic-ref -d refs/heads/dev && cd work && git fetch -q -p origin &&
	git -C "$T/shop.git" update-ref refs/heads/dev "$(git rev-parse origin/main)" &&
	expect_accept git push origin :real && git fetch -q -p origin && at dev
'

test_expect 'a tag that is a symbolic reference to main' '
	git -C shop.git symbolic-ref refs/tags/moving refs/heads/main && cd work && at main && commit direct.txt &&
	expect_reject MG102 git push --force origin main:refs/tags/moving &&
	git -C "$T/shop.git" symbolic-ref -d refs/tags/moving && expect_accept git push origin main:refs/tags/moving
'

# --- what the server would see with other eyes ---

# A bad commit on main, of which a replace ref says that it merges dev.
test_expect 'MG102: replace refs that make a direct commit look like a merge, in that push or before it' '
	cd work && dev_goes_on && commit direct.txt && direct=$(git rev-parse main) &&
	git replace --graft "$direct" origin/main origin/dev && git push -q origin "refs/replace/*:refs/replace/*" &&
	expect_reject MG102 git push origin "$direct:main" && git push -q origin ":refs/replace/$direct" &&
	expect_reject MG102 git push origin "$direct:main" "refs/replace/*:refs/replace/*" &&
	git replace -d "$direct" && lands_by_merge
'

test_expect 'replace refs that make a good merge look like a direct commit: it lands all the same' '
	cd work && dev_goes_on && merge_in dev && merge=$(git rev-parse main) && git replace --graft "$merge" &&
	git push -q origin "refs/replace/*:refs/replace/*" && git replace -d "$merge" &&
	lands shop main merge dev git push origin main && git push -q origin ":refs/replace/$merge"
'

test_expect 'MG105: a replaced blob or tree that makes smuggled content look right' '
	cd work && dev_goes_on && git merge -q --no-commit --no-ff dev && echo smuggled >"$NEW_FILE" && git add "$NEW_FILE" &&
	git commit -q -m "Merge dev" && GIT_NO_REPLACE_OBJECTS=1 && export GIT_NO_REPLACE_OBJECTS &&
	git update-ref "refs/replace/$(git rev-parse main:$NEW_FILE)" "$(git rev-parse "origin/dev:$NEW_FILE")" &&
	git update-ref "refs/replace/$(git rev-parse main^{tree})" "$(git merge-tree --write-tree origin/main origin/dev)" &&
	git push -q origin "refs/replace/*:refs/replace/*" && expect_reject MG105 git push origin main &&
	said "$NEW_FILE" && for ref in $(git for-each-ref --format="%(refname)" refs/replace); do
		git push -q origin ":$ref" && git update-ref -d "$ref" || return 1
	done && unset GIT_NO_REPLACE_OBJECTS && lands_by_merge
'

test_expect 'grafts and a shallow file in the repository' '
	cd work && dev_goes_on && commit direct.txt && direct=$(git rev-parse main) &&
	echo "$direct $(git rev-parse origin/main) $(git rev-parse origin/dev)" >"$T/shop.git/info/grafts" &&
	expect_reject MG102 git push origin main && rm "$T/shop.git/info/grafts" &&
	at main && merge_in dev && git rev-parse origin/main >"$T/shop.git/shallow" &&
	{ git push origin main >"$T/out" 2>"$T/err" || said "modelgate: rejected"; } &&
	rm "$T/shop.git/shallow" && { git push -q origin main || :; } &&
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)"
'

# Both sides change the same line; a merge driver that the repository has would take ours.
test_expect 'MG105: attributes and merge drivers of the repository decide nothing' '
	git -C shop.git config merge.ours.driver true && echo "* merge=ours" >shop.git/info/attributes &&
	git -C shop.git config merge.union.driver "touch $T/driver-ran; false" &&
	git -C shop.git config core.attributesFile "$T/attributes" && echo "* merge=union" >attributes &&
	cd work && git fetch -q origin && at dev && commit both.txt base && echo "both.txt merge=ours" >.gitattributes &&
	git add .gitattributes && commit more.txt && expect_accept git push origin dev && lands_by_merge &&
	git switch -q hotfix && git reset -q --hard origin/main && commit both.txt hot && expect_accept git push --force origin hotfix &&
	at main && merge_in hotfix && expect_accept git push origin main && at dev && commit both.txt cold &&
	expect_accept git push origin dev && at main && { git merge -q --no-commit dev || :; } &&
	git checkout -q --ours both.txt && git add both.txt && git commit -q -m "Merge dev" &&
	expect_reject MG105 git push origin main && said both.txt && [ ! -e "$T/driver-ran" ] &&
	rm "$T/shop.git/info/attributes" && git -C "$T/shop.git" config --unset core.attributesFile &&
	at dev && { git merge -q origin/main || :; } && echo warm >both.txt && git commit -q -a -m "Merge main" &&
	expect_accept git push origin dev && lands_by_merge
'

test_expect 'settings of the repository that change how Git merges decide nothing' '
	git -C shop.git config merge.renames false && git -C shop.git config diff.renames false &&
	git -C shop.git config merge.default union && git -C shop.git config merge.directoryRenames true && cd work &&
	git fetch -q origin && at dev && seq 1 30 >moved.txt && git add moved.txt && commit x.txt &&
	expect_accept git push origin dev && lands_by_merge && git switch -q hotfix && git reset -q --hard origin/main &&
	git mv moved.txt renamed.txt && commit y.txt && expect_accept git push --force origin hotfix && at main && merge_in hotfix &&
	expect_accept git push origin main && at dev && sed "s/^15$/fifteen/" moved.txt >new && mv new moved.txt &&
	git add moved.txt && commit z.txt && expect_accept git push origin dev && lands_by_merge &&
	grep fifteen renamed.txt
'

# --- an intent that is stale ---

# Another hook refuses what ours has let pass, and its intent stays.  Then the rules change.
test_expect 'MG401 and MG103: the same old and new by another pusher, under other rules, is judged anew' '
	cd work && dev_goes_on && merge_in dev && mv "$T/shop.git/hooks/update" "$T/kept" &&
	printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" && chmod 755 "$T/shop.git/hooks/update" &&
	{ ! git push origin main >"$T/out" 2>"$T/err" || return 1; } && said_not "modelgate: rejected" &&
	mv "$T/kept" "$T/shop.git/hooks/update" && server_set shop "role \"release\"" members nobody-at-all &&
	server_set shop "branch \"main\"" roles release && expect_reject MG401 git push origin main &&
	server_set shop "branch \"main\"" roles "" && server_set shop "branch \"main\"" merge-from hotfix &&
	expect_reject MG103 git push origin main && server_set shop "branch \"main\"" merge-from "dev, hotfix, retrain-*" &&
	expect_accept git push origin +dev~:dev && expect_reject MG103 git push origin main &&
	expect_accept git push origin dev && lands shop main merge dev git push origin main &&
	same 1 "$(audit_count shop event=pipeline.created "refs.0.new=$(git rev-parse main)")"
'

test_expect 'nor does it let update pass where pre-receive is taken away' '
	cd work && dev_goes_on && merge_in dev && mv "$T/shop.git/hooks/update" "$T/kept" &&
	printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" && chmod 755 "$T/shop.git/hooks/update" &&
	{ ! git push origin main >"$T/out" 2>"$T/err" || return 1; } && mv "$T/kept" "$T/shop.git/hooks/update" &&
	mv "$T/shop.git/hooks/pre-receive" "$T/kept" && expect_accept git push origin +dev~:dev &&
	expect_reject MG103 git push origin main && mv "$T/kept" "$T/shop.git/hooks/pre-receive" &&
	expect_accept git push origin dev && lands shop main merge dev git push origin main
'

# A retrain branch of a push that was refused afterwards has not been there.
test_expect 'a branch that was let pass and then refused is no source' '
	server_set shop retrain-branch known-pipeline off && server_set shop retrain-branch may-change "" && cd work &&
	git fetch -q origin && at main && name=retrain-9-20260102 && git switch -q -C "$name" && put_model nine &&
	mv "$T/shop.git/hooks/update" "$T/kept" && printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" &&
	chmod 755 "$T/shop.git/hooks/update" && { ! git push origin "$name" >"$T/out" 2>"$T/err" || return 1; } &&
	said_not "modelgate: rejected" && mv "$T/kept" "$T/shop.git/hooks/update" && at main && merge_in "$name" &&
	expect_reject MG103 git push origin main && expect_accept git push origin "$name" &&
	lands shop main merge "$name" git push origin main &&
	server_set shop retrain-branch known-pipeline require && server_set shop retrain-branch may-change "rkl/*"
'

# --- what gitolite tests of merges: linear pushes, merges and rewinds of one branch by several people ---

test_expect 'merges and rewinds on dev are free to all; main takes the merge, and no rewind' '
	cd work && git fetch -q origin && at dev && git switch -q -c topic && commit bb && commit cc && at dev &&
	commit dd && commit ee && merge_in topic && commit ff && start=$(git rev-parse origin/dev) &&
	lands shop dev "" "" git push origin dev && expect_accept git push --force origin "$start:dev" &&
	lands shop dev "" "" git push origin dev && before=$(git rev-parse origin/main) && lands_by_merge &&
	expect_reject MG101 git push --force origin "$before:main"
'

test_expect 'a merge somewhere below is seen as well as one at the tip' '
	cd work && git fetch -q origin && at main && git switch -q -C topic && commit gg && at main && merge_in topic &&
	below=$(git rev-parse main) && expect_reject MG103 git push origin main && dev_goes_on &&
	git reset -q --hard "$below" && merge_in dev && expect_reject MG103 git push origin main && lands_by_merge
'

# --- what Gerrit tests of implicit merges: commits for main that stand on another branch ---

test_expect 'MG102: one commit for main on top of dev, not merged; a chain of them' '
	cd work && dev_goes_on && git switch -q --detach origin/dev && commit on-dev.txt && merge_in origin/main &&
	expect_reject MG102 git push origin HEAD:main && git switch -q --detach origin/dev && commit one.txt &&
	commit two.txt && commit three.txt && expect_reject MG101 git push --force origin HEAD:main
'

test_expect 'MG102: such a chain that ends in an explicit merge of main into it' '
	cd work && git fetch -q origin && git switch -q --detach origin/dev && commit one.txt && commit two.txt && merge_in origin/main &&
	expect_reject MG102 git push origin HEAD:main
'

test_expect 'MG103: and merged into main explicitly, from a branch that is no source; on dev it is one' '
	cd work && git switch -q --detach origin/dev && commit one.txt && commit two.txt && chain=$(git rev-parse HEAD) &&
	at main && merge_in "$chain" && expect_reject MG103 git push origin main &&
	expect_accept git push origin "$chain:refs/heads/dev" && lands shop main merge dev git push origin main
'

test_expect 'MG103: an explicit merge of dev, and below it one of a third branch' '
	cd work && git fetch -q origin && at main && git switch -q -C third && commit third.txt && expect_accept git push origin third &&
	dev_goes_on && merge_in third && merge_in dev && expect_reject MG103 git push origin main && lands_by_merge
'

test_expect 'two chains in one push, one of them bad: neither lands' '
	cd work && git fetch -q origin && at dev && commit good.txt && at prod && merge_in dev &&
	expect_reject MG103 git push origin dev prod && expect_accept git push origin dev && lands_by_merge &&
	at prod && merge_in main && lands shop prod merge main git push origin prod
'

# --- what git tests of its own hooks: arguments, input, output, refusals of one of two references ---

test_expect 'a refusal of one reference by another update hook: post-receive hears of the other alone' '
	printf "#!/bin/sh\ncase \$1 in *tofail) exit 1 ;; esac\nexec %s \"\$@\"\n" "$ROOT/libexec/modelgate/update" \
		>shop.git/hooks/update && cd work && git fetch -q origin && at dev && commit some.txt && at main && merge_in dev &&
	before=$(audit_count shop event=ref.updated) &&
	{ ! git push origin dev main dev:tofail >"$T/out" 2>"$T/err" || return 1; } &&
	said "created: chain dev on main $(short main)" && same none "$(tip shop refs/heads/tofail)" &&
	same $((before + 1)) "$(audit_count shop event=ref.updated)" && cp "$ROOT/libexec/modelgate/update" "$T/shop.git/hooks/"
'

test_expect 'nothing on standard output but what goes to the pusher; no input that is not read' '
	cd work && git fetch -q origin && at dev && for n in $(seq 500); do echo "update refs/heads/many/$n $(git rev-parse dev)"; done >"$T/many" &&
	git update-ref --stdin <"$T/many" && expect_accept git push origin "refs/heads/many/*:refs/heads/many/*" && [ ! -s "$T/out" ] &&
	commit some.txt && at main && commit direct.txt && expect_reject MG102 git push origin main dev "refs/heads/many/*:refs/heads/many2/*" &&
	expect_accept git push -q origin --delete $(git for-each-ref --format="%(refname)" refs/heads/many)
'

test_expect 'every landing that has a chain made one pipeline; the log is valid' '
	shown=$(pipelines shop) && same "$(audit_count shop event=pipeline.created)" "${shown%% *}" && audit_valid shop
'

test_done
