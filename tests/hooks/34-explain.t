#!/bin/sh
# modelgate explain: what the hooks would say of an update, how each commit is classed, and which line of
# the configuration decided; without a push.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

new_server shop
new_project shop work || test_bail 'no project'
ini=$(server_file shop)
cp "$ini" good.ini
user="$(id -un) (uid-$(id -u))"

# Line of the first line of the configuration that is $1.
line() {
	grep -nxF -e "$1" "$ini" | head -n 1 | cut -d : -f 1
}

# explain of the server, with these arguments, says what stands on standard input and exits with $1.
explains() {
	test_status=$1
	shift
	mg shop explain "$@" >"$T/out" 2>"$T/err"
	same "$test_status" $? && diff - "$T/out" && same "" "$(cat "$T/err")"
}

# explain ARGS --json: each PATH=VALUE before "--" holds, and the exit status is $1.
finds() {
	test_status=$1
	shift
	test_wanted=
	while [ "$1" != -- ]; do
		test_wanted="$test_wanted $1"
		shift
	done
	shift
	mg shop explain "$@" --json >"$T/out" 2>"$T/err"
	same "$test_status" $? || return 1
	# shellcheck disable=SC2086 # a list of words
	same 1 "$(json_count $test_wanted <"$T/out")" && return
	cat "$T/out" "$T/err"
	return 1
}

# A branch of the server for commits that are only looked at: it has no rules.
shown() {
	git push -q origin "+HEAD:refs/heads/shown"
}

merge_of_dev() {
	cd "$T/work" && at dev && commit work.txt && git push -q origin dev && at main && merge_in dev
}

# --- for people ---

test_expect 'what would land: the class of each commit, its source, the chain, the rules that let it pass' '
	merge_of_dev && shown && explains 0 main main shown <<-EOT
		refs/heads/main $(short main^)..$(short main): accepted
		  user    $user
		  method  merge
		  source  refs/heads/dev, which holds $(short dev)
		  chain   dev: build -> create-model -> deploy -> stage-model

		COMMIT   CLASS        CONTENT    SOURCE       SUBJECT
		$(short main)  merge        automatic  dev $(short dev)  Merge dev
		$(short main^)  the old tip  -          -            Start the project

		  rule: built-in default: [branch "main"] merge-from = dev, retrain-*
		  rule: built-in default: [branch "main"] merge-methods = merge, fast-forward, squash
		  rule: built-in default: [branch "main"] content = automatic
	EOT
'

test_expect 'what would not: each finding with what to do next and the line that decided' '
	printf "[branch \"main\"]\ndirect-push = deny ; as ever\n" >>"$ini" &&
	cd work && commit "quick.txt" && shown && explains 1 main main shown <<-EOT
		refs/heads/main $(short main~2)..$(short main): would be rejected MG102
		  user    $user
		  method  direct
		  source  refs/heads/dev, which holds $(short dev)

		COMMIT   CLASS        CONTENT    SOURCE       SUBJECT
		$(short main)  direct       -          -            quick.txt
		$(short main^)  merge        automatic  dev $(short dev)  Merge dev
		$(short main~2)  the old tip  -          -            Start the project

		MG102: commit $(short main) "quick.txt" was made on main itself
		  to fix: push the commit to dev, then open a merge request dev -> main
		  rule: $ini:$(line "direct-push = deny ; as ever"): [branch "main"] direct-push = deny
	EOT
'

test_expect 'the same in JSON' '
	cp good.ini "$ini" && (cd work && git push -q origin main~1:main) && cat >>"$ini" <<-INI &&
		[role "release"]
		members = ivanov, user-17
		[branch "prod"]
		roles = release
	INI
	finds 1 ref=refs/heads/main "old=$(tip shop main~1)" "new=$(tip shop shown)" verdict=rejected \
		mode=enforce scope=in "codes=[\"MG102\"]" method=direct source=refs/heads/dev \
		"source_oid=$(tip shop dev)" chain=null commits.0.class=direct commits.1.class=merge \
		commits.1.source=refs/heads/dev "commits.1.source_oid=$(tip shop dev)" \
		commits.1.content=automatic commits.2.class=old "commits.2.oid=$(tip shop main~1)" \
		commits.0.subject=quick.txt findings.0.code=MG102 findings.0.rule.file=null \
		findings.0.rule.line=null findings.0.rule.section=branch findings.0.rule.name=main \
		findings.0.rule.key=direct-push findings.0.rule.value=deny rules=[] -- main main~1 shown &&
	finds 1 "codes=[\"MG401\"]" user.name=petrova "findings.0.rule.file=$ini" \
		"findings.0.rule.line=$(line "roles = release")" findings.0.rule.name=prod \
		findings.0.rule.value=release -- prod prod main --user petrova &&
	finds 0 verdict=accepted codes=[] chain=dev findings=[] rules.0.key=merge-from \
		rules.1.key=merge-methods -- main main~1 main
'

# --- whose push ---

test_expect '--user: by name, by id, and whoever asks' '
	finds 0 user.name=ivanov chain=prod -- prod prod main --user ivanov &&
	finds 0 user.id=user-17 rules.2.key=roles "rules.2.file=$ini" -- prod prod main --user user-17 &&
	finds 1 codes.0=MG401 user.id=user-18 -- prod prod main --user=user-18 &&
	finds 1 codes.0=MG401 user.id= user.name= -- prod prod main --user= &&
	finds 1 codes.0=MG401 "user.id=uid-$(id -u)" "user.name=$(id -un)" -- prod prod main &&
	server_set shop "role \"release\"" members "uid-$(id -u)" &&
	finds 0 "user.id=uid-$(id -u)" -- prod prod main --user "$(id -un)" &&
	server_set shop identity source http &&
	finds 1 user.id= "user.name=$(id -un)" -- prod prod main --user "$(id -un)" &&
	cp good.ini "$ini"
'

# --- what the words may be ---

test_expect 'references and revisions: as people write them' '
	cd work && git push -q origin main~1:refs/tags/v1 && old=$(tip shop main~1) &&
	for new in v1 refs/tags/v1 "$(tip shop v1)" "$(git rev-parse --short=8 main~1)" shown~1 "shown^" dev; do
		finds 0 "old=$old" verdict=accepted -- main "$old" "$new" &&
			finds 0 ref=refs/heads/main -- refs/heads/main main~1 "$new" || return 1
	done &&
	finds 1 "new=0000000000000000000000000000000000000000" codes.0=MG107 method=delete -- main main 0 &&
	finds 0 "old=0000000000000000000000000000000000000000" method=create -- main \
		0000000000000000000000000000000000000000 dev &&
	finds 0 "new=$(tip shop v1)" -- refs/tags/v2 0 v1
'

test_expect 'what cannot be asked: 2; what names nothing: 3' '
	is_usage "explain: REF is missing: modelgate explain REF OLD NEW" mg shop explain &&
	is_usage "NEW is missing" mg shop explain main dev &&
	is_usage "one too many" mg shop explain main dev v1 v1 &&
	is_usage "is no name of a reference" mg shop explain "ma..in" main dev &&
	is_usage "is no name of a reference" mg shop explain refs/heads/ main dev &&
	is_usage "nothing would move" mg shop explain main main main &&
	is_usage "nothing would move" mg shop explain main 0 00 &&
	is_unknown "\"nothing\" names no single commit here" mg shop explain main main nothing &&
	is_unknown "\"\" names no single commit here" mg shop explain main "" dev &&
	is_unknown "names no single commit here" mg shop explain main main v1:score.py &&
	is_unknown "names no single commit here" mg shop explain main main \
		1111111111111111111111111111111111111111
'

test_expect 'without --repo: the repository around us' '
	(cd shop.git/objects && modelgate explain main main shown | head -n 1 >"$T/out") &&
	grep "would be rejected MG102" out &&
	mkdir none && (cd none && ! modelgate explain main main shown 2>"$T/err") && said "--repo PATH is not given" &&
	said "lies in no Git repository"
'

test_expect 'a clone without state: a merge that git itself must judge leaves nothing behind' '
	cd work && at main && git switch -q -c side dev && printf "1\n2\n3\n4\n5\n6\n7\n8\n9\n" >long.txt &&
	git add long.txt && git commit -q -m long && git push -q origin side:dev && git fetch -q origin &&
	at main && merge_in origin/dev && git switch -q side && sed -i s/1/one/ long.txt &&
	git commit -q -a -m one && one=$(git rev-parse HEAD) && git switch -q main && sed -i s/9/nine/ long.txt &&
	git commit -q -a -m nine && nine=$(git rev-parse HEAD) && git merge -q --no-ff -m both "$one" && git branch -f dev "$one" &&
	printf "[modelgate]\nstate = %s/absent\n" "$T" >"$T/nowhere.ini" && mkdir "$T/tmp" &&
	TMPDIR=$T/tmp && export TMPDIR &&
	modelgate --config "$T/nowhere.ini" explain main "$nine" HEAD >"$T/out" &&
	grep "^$(short HEAD)  merge  *automatic  dev" "$T/out" && echo more >>long.txt && git commit -q -a --amend -m evil &&
	{ modelgate --config "$T/nowhere.ini" explain main "$nine" HEAD >"$T/out" || same 1 $?; } &&
	grep "^$(short HEAD)  merge  *differs  dev" "$T/out" && grep "^MG105: .*long.txt" "$T/out" &&
	[ ! -e "$T/absent" ] && same "" "$(ls "$T/tmp")" && unset TMPDIR
'

# --- the same judge ---

# explain says CODES ("" if it would land) of BRANCH to our HEAD; then so do the hooks.
agrees() {
	shown && mg shop explain "$2" "$2" shown --json >"$T/explained"
	same "$1" "$(json "codes.*" <"$T/explained" 2>"$T/err" | tr "\n" " " | sed "s/ $//")" || return 1
	if [ -z "$1" ]; then
		expect_accept git push origin "+HEAD:$2"
	else
		expect_reject "${1%% *}" git push origin "+HEAD:$2" &&
			recorded shop event=push.rejected "refs.0.code=${1%% *}"
	fi
}

class() {
	json "commits.$1.class" <"$T/explained"
}

test_expect 'direct, fast-forward, squash, merge: what explain says the hooks do' '
	cd work && at main && commit direct.txt && agrees MG102 main && same direct "$(class 0)" &&
	at dev && merge_in origin/main && commit fast.txt && git push -q origin dev && at main && git merge -q --ff-only dev &&
	agrees "" main && same fast-forward "$(class 0)" &&
	at dev && commit s1.txt && commit s2.txt && git push -q origin dev && at main && git merge -q --squash dev &&
	test_tick && git commit -q -m squashed && agrees "" main && same squash "$(class 0)" &&
	at dev && commit m.txt && git push -q origin dev && at main && merge_in dev && agrees "" main &&
	same merge "$(class 0)"
'

test_expect 'foreign merge, octopus, rewrite, evil merge, a merge that conflicts' '
	cd work && at dev && git switch -q -C feature dev && commit f.txt && git push -q origin feature && at main &&
	merge_in feature && agrees MG103 main && same foreign-merge "$(class 0)" && grep feature "$T/explained" &&
	at dev && commit o.txt && git push -q origin dev && at main && test_tick &&
	git merge -q -m octopus dev feature && agrees MG104 main && same octopus "$(class 0)" &&
	git reset -q --hard origin/main~1 && git switch -q -C old && commit r.txt && agrees MG101 main &&
	at main && git merge -q --no-ff --no-commit dev && echo evil >evil.txt && git add evil.txt &&
	test_tick && git commit -q -m evil && agrees MG105 main &&
	same differs "$(json commits.0.content <"$T/explained")"
'

test_expect 'a retrain branch: why its name is refused, and by which key' '
	cd work && at dev && git rm -q rkl/model.pkl.dvc && git commit -q -m "No model" && shown &&
	finds 1 "codes=[\"MG203\",\"MG302\"]" findings.0.rule.section=retrain-branch \
		findings.0.rule.key=known-pipeline findings.0.rule.name=null -- retrain-1-20200101 0 shown &&
	finds 1 codes.0=MG201 -- retrain-new 0 shown && finds 1 codes.0=MG205 -- prod/x 0 shown &&
	finds 1 codes.0=MG205 findings.0.rule=null -- refs/tags/main 0 shown
'

test_expect 'mode = shadow is told, and what would land all the same' '
	server_set shop modelgate mode shadow && cd work && at main && commit shadow.txt && shown &&
	finds 1 mode=shadow verdict=rejected codes.0=MG102 chain=dev -- main main shown &&
	{ mg shop explain main main shown >"$T/out" || same 1 $?; } &&
	grep -F "  mode    shadow ($ini:$(line "mode = shadow")): it would land all the same" "$T/out" &&
	cp "$T/good.ini" "$ini" && finds 1 mode=enforce chain=null -- main main shown
'

test_expect 'a repository that projects leaves out' '
	cp good.ini "$ini" && printf "[modelgate]\nprojects = /elsewhere/*\nstate = %s\n" "$(state shop)" >system.ini &&
	{ modelgate --repo shop.git --config system.ini explain main main shown >out || same 1 $?; } &&
	grep -F "  scope   not one of projects ($T/system.ini:2)" out &&
	finds 1 scope=in -- main main shown
'

# --- nothing is done ---

everything() {
	(cd "$T" && find shop.git shop.state -type f ! -name "*-shm" ! -name "*-wal" | sort | xargs sha256sum)
}

test_expect 'nothing is recorded, and nothing changed' '
	everything >before && finds 1 codes.0=MG102 -- main main shown && finds 0 codes=[] -- feature 0 dev &&
	finds 1 codes.0=MG203 -- retrain-1-20200101 0 dev && everything | diff before -
'

# --- what cannot be told ---

test_expect '3, with the code that the hooks would say' '
	echo "colour = red" >>"$ini" && is_unknown "MG901: $ini:" mg shop explain main main shown &&
	cp good.ini "$ini" && mv "$(state shop)/store.db" store.db && echo nonsense >"$(state shop)/store.db" &&
	is_unknown "MG905: " mg shop explain retrain-1-20200101 0 shown &&
	finds 1 codes.0=MG102 -- main main shown &&
	rm "$(state shop)/store.db" && finds 1 codes.0=MG203 -- retrain-1-20200101 0 shown &&
	[ ! -e "$(state shop)/store.db" ] && mv store.db "$(state shop)/" &&
	git init -q --bare --object-format=sha256 other.git &&
	is_unknown "MG902: " modelgate --repo other.git --config system.ini explain main 0 1 &&
	said "SHA-256" &&
	cd work && commit one.txt && commit two.txt && shown && lost=$(tip shop shown~1) &&
	lost=$T/shop.git/objects/$(echo "$lost" | sed "s,^..,&/,") && mv "$lost" "$T/lost" &&
	is_unknown "MG902: " mg shop explain main main shown && mv "$T/lost" "$lost" &&
	finds 1 codes.0=MG102 -- main main shown
'

# --- a terminal ---

test_expect 'no control character of a commit, a user or a name gets through' '
	esc=$(printf "\033") && cd work && at dev && commit esc.txt && test_tick &&
	git commit -q --amend -m "red ${esc}[31m and ${esc}]0;title" && git push -q origin dev && at main && merge_in dev &&
	commit own.txt && test_tick && git commit -q --amend -m "${esc}[2J" && shown &&
	{ mg shop explain main main shown --user "${esc}[1mX" >"$T/out" 2>&1 || same 1 $?; } &&
	{ mg shop explain main main "${esc}[1mX" >>"$T/out" 2>&1 || same 3 $?; } &&
	{ mg shop explain "${esc}[1mX" main dev >>"$T/out" 2>&1 || same 2 $?; } &&
	{ mg shop explain main main shown --user "${esc}[1mX" --json >>"$T/out" 2>&1 || same 1 $?; } &&
	same 0 "$(tr -d "[:print:]\n" <"$T/out" | wc -c)" && grep "x1b" "$T/out"
'

test_done
