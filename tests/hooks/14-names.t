#!/bin/sh
# What branches and tags may be called, what becomes of retrain branches, and that no name or message
# does anything to a terminal.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

day() {
	date -u -d "$1" "+${2:-%Y%m%d}"
}

today=$(day now)
new_server shop
new_project shop work || test_bail 'no project'

# A branch with a new model, as the retraining job pushes it.
retrained() {
	at main && git switch -q -C "$1" && commit "rkl/$1.txt"
}

# --- MG201: names that start with retrain ---

for name in retraining retrain- retrain-12 retrain-12- "retrain-x-$today" "retrain-$today" retrain_2 \
	"Retrain-12-$today" "RETRAIN-12-$today" retrain/x; do
	test_expect "MG201: $name" '
		cd work && expect_reject MG201 git push origin "dev:refs/heads/$name" &&
		said "MG201: $name is neither retrain nor retrain-<pipeline_id>-<date>" &&
		recorded shop event=push.rejected "refs.0.ref=refs/heads/$name" refs.0.code=MG201
	'
done

test_expect 'a name that has retrain elsewhere is free; so is a tag' '
	cd work &&
	lands shop "my-retrain-12" "" "" git push origin "dev:refs/heads/my-retrain-12" &&
	expect_accept git push origin "dev:refs/tags/retraining"
'

test_expect 'a name from the time before the rules may move and go, but not come again' '
	git -C shop.git update-ref refs/heads/retraining refs/heads/main && cd work && at dev &&
	commit a.txt &&
	lands shop retraining "" "" git push origin dev:refs/heads/retraining &&
	expect_accept git push origin :refs/heads/retraining &&
	expect_reject MG201 git push origin dev:refs/heads/retraining && at dev
'

# --- MG202 and MG203: the date and the pipeline ---

for date in 20260231 20261301 20260100 2026111 26-01-01 2026-1-1 "$today-2" "$today/x" now; do
	test_expect "MG202: $date is no date" '
		cd work && expect_reject MG202 git push origin "dev:refs/heads/retrain-12-$date" &&
		said "MG202: $date is no date written as %Y%m%d or %Y-%m-%d" &&
		recorded shop "refs.0.ref=refs/heads/retrain-12-$date" refs.0.code=MG202
	'
done

test_expect 'MG202: the day after tomorrow has begun nowhere' '
	cd work && expect_reject MG202 git push origin "dev:retrain-12-$(day "now + 2 days")" &&
	said "is a day that has not begun anywhere"
'

test_expect 'today lands in both formats, an old day too; the day at UTC+14 as well' '
	server_set shop retrain-branch known-pipeline off &&
	cd work && retrained "retrain-12-$today" &&
	lands shop "retrain-12-$today" create "" git push origin HEAD &&
	retrained "retrain-13-$(day now %Y-%m-%d)" &&
	lands shop "retrain-13-$(day now %Y-%m-%d)" create "" git push origin HEAD &&
	retrained retrain-14-20240229 &&
	lands shop retrain-14-20240229 create "" git push origin HEAD &&
	retrained "retrain-15-$(day "now + 14 hours")" && expect_accept git push origin HEAD
'

test_expect 'a format of the configuration is the only one then' '
	server_set shop retrain-branch date-formats "%d.%m.%Y" && cd work &&
	expect_reject MG202 git push origin "dev:retrain-16-$today" && said "written as %d.%m.%Y" &&
	retrained "retrain-16-$(day now %d.%m.%Y)" && expect_accept git push origin HEAD &&
	server_set shop retrain-branch date-formats "%Y%m%d, %Y-%m-%d"
'

test_expect 'MG203: a pipeline id has no leading zeros' '
	cd work && expect_reject MG203 git push origin "dev:retrain-012-$today" &&
	expect_reject MG202 git push origin dev:retrain-0-20260231 &&
	recorded shop refs.0.code=MG202 refs.0.codes.1=MG203
'

# --- the life of a retrain branch ---

test_expect 'MG204: it never moves, forwards or otherwise' '
	cd work && git switch -q "retrain-12-$today" && commit rkl/again.txt &&
	expect_reject MG204 git push origin HEAD &&
	said "MG204: retrain-12-$today is the result of one retraining: it is created once and never moved" &&
	recorded shop refs.0.code=MG204 "refs.0.ref=refs/heads/retrain-12-$today" &&
	expect_reject MG204 git push --force origin "dev:retrain-12-$today"
'

test_expect 'it is a source of main and of prod, and launches their chains; of online it is none' '
	cd work && git reset -q --hard "origin/retrain-12-$today" &&
	expect_reject MG103 merge_push "retrain-12-$today" online &&
	said "merges $(short "retrain-12-$today") of retrain-12-$today, which no allowed source of online holds" &&
	lands shop main merge "retrain-12-$today" merge_push "retrain-12-$today" main &&
	said "pipeline 1 created: chain dev on main $(short main)" &&
	lands shop prod merge "retrain-12-$today" merge_push "retrain-12-$today" prod &&
	said "pipeline 2 created: chain prod on prod $(short prod)"
'

test_expect 'deleting it is allowed, and recorded' '
	cd work && expect_accept git push origin ":retrain-12-$today" && told </dev/null &&
	recorded shop event=push.accepted "refs.0.ref=refs/heads/retrain-12-$today" refs.0.method=delete
'

test_expect 'MG103: one that came past the gates is no source, unless pipelines need not be known' '
	server_set shop retrain-branch known-pipeline require &&
	cd work && retrained "retrain-20-$today" &&
	git push -q "$T/shop.git" HEAD:refs/heads/hidden &&
	git -C "$T/shop.git" update-ref "refs/heads/retrain-20-$today" refs/heads/hidden &&
	git -C "$T/shop.git" update-ref -d refs/heads/hidden &&
	expect_reject MG103 merge_push "retrain-20-$today" main &&
	said "of retrain-20-$today, which no allowed source of main holds" &&
	server_set shop retrain-branch known-pipeline off &&
	lands shop main merge "retrain-20-$today" merge_push "retrain-20-$today" main &&
	server_set shop retrain-branch known-pipeline require
'

test_expect 'one that came by the gates and was moved past them is no source at its new tip' '
	cd work && git switch -q --detach "retrain-13-$(day now %Y-%m-%d)" &&
	commit rkl/moved.txt &&
	git push -q "$T/shop.git" HEAD:refs/heads/hidden && moved=$(git rev-parse HEAD) &&
	git -C "$T/shop.git" update-ref "refs/heads/retrain-13-$(day now %Y-%m-%d)" "$moved" &&
	git -C "$T/shop.git" update-ref -d refs/heads/hidden &&
	expect_reject MG103 merge_push "$moved" main
'

# --- MG205: what could be mistaken for a branch with rules ---

for ref in heads/Main heads/DEV heads/prod/x heads/dev/x heads/main/a/b tags/main tags/Prod tags/dev \
	heads/Online "tags/retrain-12-$today"; do
	test_expect "MG205: refs/$ref" '
		cd work && expect_reject MG205 git push origin "dev:refs/$ref" &&
		said "MG205: refs/$ref could be mistaken for" &&
		recorded shop "refs.0.ref=refs/$ref" refs.0.code=MG205
	'
done

test_expect 'MG201 and MG205 of one name: the lowest is told, both are recorded' '
	cd work && expect_reject MG201 git push origin dev:refs/heads/RETRAIN &&
	told <<-EOT &&
		modelgate: rejected refs/heads/RETRAIN 0000000..$(short dev) MG201: RETRAIN is neither retrain nor retrain-<pipeline_id>-<date>
		modelgate:   to fix: let the retraining job push its branch, as in retrain-42-20261231, or choose a name that does not start with retrain
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop refs.0.code=MG201 "refs.0.codes.1=MG205"
'

test_expect 'names that only begin alike are free' '
	cd work &&
	expect_accept git push origin dev:refs/heads/mainline dev:refs/heads/x/main dev:refs/heads/production \
		dev:refs/tags/main-1.0 dev:refs/heads/device && told </dev/null
'

test_expect 'MG205 for a branch of the configuration, from then on' '
	cd work && expect_accept git push origin dev:refs/heads/Release &&
	git push -q origin :Release &&
	server_set shop "branch \"release\"" merge-from main &&
	expect_reject MG205 git push origin dev:refs/heads/Release
'

test_expect 'references that are kept for modelgate itself' '
	cd work && expect_reject MG904 git push origin dev:refs/modelgate/1/build &&
	said "references below refs/modelgate/ are kept for modelgate"
'

# --- harmless on a terminal ---

plain_text() {
	! LC_ALL=C grep -n "$(printf "[\001-\010\013-\037\177]")" "$T/err" &&
	! grep -n "$(printf "\342\200\256")" "$T/err"
}

test_expect 'escape sequences in a commit message, a branch and a path are printed, not sent' '
	cd work && at main && git commit -q --allow-empty \
		-m "$(printf "\033]0;title\007\033[2J red \302\233m \342\200\256 back \r end")" &&
	expect_reject MG102 git push origin main && plain_text &&
	said "\\x1b]0;title\\x07\\x1b[2J red" &&
	name=$(printf "feature/\342\200\256evil") && at main && git switch -q -C "$name" &&
	commit evil.txt &&
	expect_accept git push origin HEAD && expect_reject MG103 merge_push "$name" main &&
	plain_text &&
	said "of feature/\\xe2\\x80\\xaeevil" &&
	at retrain && commit "$(printf "a\033[31m\nb")" &&
	expect_reject MG102 git push origin retrain && plain_text &&
	said "changes a\\x1b[31m\\x0ab;" && audit_valid shop
'

test_expect 'letters of any language stay what they are, and a long subject is cut' '
	cd work && at main && git commit -q --allow-empty -m "Цена модели" &&
	expect_reject MG102 git push origin main &&
	said "\"Цена модели\" was made on main itself" &&
	at main && git commit -q --allow-empty -m "$(printf "%0200d" 7)" &&
	expect_reject MG102 git push origin main &&
	said "00...\" was made" && [ "$(wc -c <"$T/err")" -lt 1000 ]
'

test_done
