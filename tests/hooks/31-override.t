#!/bin/sh
# Breaking the glass: who may, with which reason, what it lifts and what it does not; and that everything
# of it is in the log.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'
user=$(id -un)
dev_stages='build -> create-model -> deploy -> stage-model'
takes_main='main takes merges from: dev, retrain-<pipeline_id>-<date>'
how='git push -o modelgate.override="why it must land now"'

# A commit on main itself, from $old to $new; there is nothing else to push.
direct() {
	cd "$T/work" && git fetch -q origin && at main && old=$(short main) && commit direct.txt &&
		new=$(short main)
}

# `push OPTION... -- REF...`: with these push options.
push() {
	options=
	while [ "$1" != -- ]; do
		options="$options --push-option='$1'"
		shift
	done
	shift
	eval "git push $options origin \"\$@\""
}

# What $T/err says of the direct commit, and then what standard input says.
rejected_direct() {
	{
		cat <<-EOT
			modelgate: rejected refs/heads/main $old..$new MG102: commit $new "direct.txt" was made on main itself
			modelgate:   $takes_main
			modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		EOT
		cat
		echo 'modelgate:   nothing was changed; audit id ID'
	} | told
}

# --- refused: MG402 ---

test_expect 'MG402: overrides are off as long as no role is named' '
	direct && expect_reject MG102,MG402 push modelgate.override="prod is down" -- main &&
	rejected_direct <<-EOT &&
		modelgate:   override refused, MG402: overrides are off in this repository
		modelgate:   to fix: mend what is told above, or ask an admin for a role in section [override] of modelgate.ini
	EOT
	recorded shop event=push.rejected refs.0.code=MG102 refs.0.codes.1=MG402 \
		"refs.0.reason=*was made on main itself; override refused: overrides are off in this repository"
'

test_expect 'MG402: the pusher is no member of the role' '
	server_set shop "role \"release\"" members somebody &&
	server_set shop override role release &&
	direct && expect_reject MG102,MG402 push modelgate.override="prod is down" -- main &&
	rejected_direct <<-EOT &&
		modelgate:   override refused, MG402: $user may not override: that takes the role release
		modelgate:   to fix: push without it, or ask a member of the role release to push
	EOT
	recorded shop event=push.rejected refs.0.codes.1=MG402
'

test_expect 'MG402 stands at each reference with findings, and at no other' '
	direct && at prod && commit direct.txt && at dev && git switch -q -C free &&
	expect_reject MG102,MG402 push modelgate.override=x -- main prod free &&
	same 1 "$(grep -c "override refused" "$T/err")" &&
	recorded shop refs.*.codes.1=MG402 &&
	grep -o "\"MG402\"" "$T/.run/record" >"$T/codes" && same 2 "$(wc -l <"$T/codes")"
'

server_set shop 'role "release"' members "$user"

# Refused with the text $1: with the push options that follow.
refused() {
	text=$1
	shift
	direct && expect_reject MG102,MG402 push "$@" -- main &&
		rejected_direct <<-EOT && recorded shop event=push.rejected refs.0.codes.1=MG402
			modelgate:   override refused, MG402: $text
			modelgate:   to fix: give one of 1 to 500 printable characters: $how
		EOT
}

test_expect 'MG402: no value' 'refused "it gives no reason" modelgate.override'
test_expect 'MG402: an empty one' 'refused "it gives no reason" modelgate.override='
test_expect 'MG402: blanks' 'refused "it gives no reason" "modelgate.override=   "'
test_expect 'MG402: 501 characters' '
	refused "its reason is longer than 500 characters" "modelgate.override=$(printf "%0501d" 0)"
'
test_expect 'MG402: an escape sequence' '
	refused "its reason has a character that cannot be printed" "modelgate.override=$(printf "\033[2Jx")"
'
test_expect 'MG402: text turned around' '
	refused "its reason has a character that cannot be printed" \
		"modelgate.override=$(printf "x\342\200\256y")"
'
test_expect 'MG402: bytes that are no text' '
	refused "its reason is not UTF-8 text" "modelgate.override=$(printf "x\377")"
'

test_expect 'MG402: asked for twice' '
	direct && expect_reject MG402 push modelgate.override=a modelgate.override=b -- main &&
	rejected_direct <<-EOT
		modelgate:   override refused, MG402: it is asked for more than once
		modelgate:   to fix: ask once for the whole push: $how
	EOT
'

test_expect 'a slip in the name is named, and lifts nothing' '
	direct && expect_reject MG102 push modelgate.overide=x ci.skip -- main &&
	rejected_direct <<-EOT &&
		modelgate:   push option modelgate.overide is not known; did you mean modelgate.override="reason"?
	EOT
	recorded shop event=push.rejected refs.0.code=MG102 && ! grep -q MG402 "$T/.run/record" &&
	direct && expect_reject MG102 push "$(printf "modelgate.\033[2J=x")" -- main &&
	said "push option modelgate.\\x1b[2J is not known"
'

# --- granted ---

test_expect 'granted: it lands, its chain is launched, and the record has codes and reason' '
	direct && expect_accept push ci.skip "modelgate.override=prod is down, see #17" -- main &&
	told <<-EOT &&
		modelgate: overridden refs/heads/main $old..$new MG102: recorded with your reason; audit id ID
		modelgate: pipeline 1 created: chain dev on main $new: $dev_stages
	EOT
	same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
	recorded shop event=push.overridden "reason=prod is down, see #17" refs.0.ref=refs/heads/main \
		refs.0.code=MG102 refs.0.method=direct "refs.0.reason=commit $new \"direct.txt\" was made on main itself" &&
	audit_has shop event=ref.updated refs.0.ref=refs/heads/main "refs.0.new=$(git rev-parse main)" &&
	same 1 "$(pipelines shop)" && mg shop audit show --event push.overridden >"$T/err" &&
	said "refs/heads/main $old..$new MG102 " &&
	said ": commit $new \"direct.txt\" was made on main itself; prod is down, see #17"
'

test_expect 'what follows on it is judged as ever' '
	direct && expect_reject MG102 git push origin main &&
	at dev && merge_in origin/main && commit a.txt && expect_accept git push origin dev &&
	lands shop main merge dev merge_push dev main &&
	lands shop prod merge main merge_push main prod
'

test_expect 'a reason in any language, of 500 characters' '
	reason=$(perl -e "print qq(\\xd0\\xbd) x 500") && direct &&
	expect_accept push "modelgate.override=$reason" -- main &&
	recorded shop event=push.overridden "reason=$reason" &&
	direct && expect_reject MG102,MG402 push "modelgate.override=${reason}x" -- main
'

test_expect 'MG101, MG103, MG107 and MG108 in one push: each has its line and its codes' '
	server_set shop "branch \"release\"" merge-from main && cd work && at main &&
	git switch -q -C feature && commit feature.txt && foreign=$(short feature) &&
	at main && back=$(short main~) && front=$(short main) && at prod && merge_in feature &&
	from=$(short prod~) && to=$(short prod) && online=$(short origin/online) &&
	before=$(pipelines shop | wc -w) &&
	expect_accept push "modelgate.override=start again" -- +main~:main prod :online feature:refs/heads/release &&
	gate_lines | sort >"$T/lines" && cat "$T/lines" &&
	for line in "main $front..$back MG101" "prod $from..$to MG103" "online $online..0000000 MG107" \
		"release 0000000..$foreign MG108"; do
		grep -q "^modelgate: overridden refs/heads/$line: recorded" "$T/lines" || return 1
	done &&
	same 4 "$(grep -c overridden "$T/lines")" &&
	recorded shop event=push.overridden "reason=start again" refs.*.code=MG101 refs.*.code=MG103 \
		refs.*.code=MG107 refs.*.code=MG108 &&
	same none "$(tip shop refs/heads/online)" && same "$(git rev-parse feature)" "$(tip shop refs/heads/release)" &&
	same $((before + 2)) "$(pipelines shop | wc -w)"
'

test_expect 'MG301: without the file that retraining needs' '
	cd work && git fetch -q origin && at retrain && test_tick && git rm -q dag-retrain.py &&
	git commit -q -m gone && expect_reject MG301 git push origin retrain &&
	expect_accept push modelgate.override=x -- retrain && said "MG301: recorded with your reason" &&
	recorded shop event=push.overridden refs.0.code=MG301
'

# --- what it does not lift ---

test_expect 'MG201 and MG205 are not lifted, and with them nothing else is' '
	direct && expect_reject MG102,MG201 push modelgate.override=x -- main dev:refs/heads/retraining dev:refs/tags/main &&
	said "modelgate:   an override does not lift MG201" && said "modelgate:   an override does not lift MG205" &&
	recorded shop event=push.rejected "reason=an override was asked for: x" &&
	same 2 "$(grep -c "does not lift" "$T/err")" && said_not MG402 && recorded shop event=push.rejected refs.*.code=MG102 refs.*.code=MG201 refs.*.code=MG205 &&
	same none "$(tip shop refs/heads/retraining)"
'

test_expect 'MG401 is not lifted' '
	server_set shop "role \"others\"" members somebody && server_set shop "branch \"prod\"" roles others &&
	cd work && git fetch -q origin && at prod && commit b.txt &&
	old=$(short prod~) && new=$(short prod) && expect_reject MG102,MG401 push modelgate.override=x -- prod &&
	told <<-EOT &&
		modelgate: rejected refs/heads/prod $old..$new MG102: commit $new "b.txt" was made on prod itself
		modelgate:   prod takes merges from: main, retrain-<pipeline_id>-<date>
		modelgate:   to fix: push the commit to dev, then open merge requests dev -> main and main -> prod
		modelgate:   an override does not lift MG401: $user may not move prod: that takes the role others
		modelgate:   to fix: ask a member of the role others
		modelgate:   nothing was changed; audit id ID
	EOT
	server_set shop "branch \"prod\"" roles ""
'

test_expect 'MG904 is not lifted' '
	cd work && expect_reject MG904 push modelgate.override=x -- dev:refs/modelgate/x &&
	said "an override does not lift MG904"
'

# --- nothing to lift ---

test_expect 'where there is nothing to lift it changes nothing, granted or refused or misspelt' '
	for option in modelgate.override=x modelgate.override modelgate.overide=x; do
		cd "$T/work" && git fetch -q origin && at dev && { git merge -q origin/main || return 1; } &&
		commit c.txt && expect_accept git push origin dev &&
		lands shop main merge dev eval "git switch -q main && git reset -q --hard origin/main &&
			merge_in dev && push $option -- main" && said_not overrid && said_not option &&
		! grep -q "\"reason\"" "$T/.run/record" || return 1
	done
'

# --- update has no push options ---

test_expect 'an update hook that judges alone grants nothing, whatever its environment says' '
	direct && git push -q origin main:refs/heads/direct && GIT_PUSH_OPTION_COUNT=1 &&
	GIT_PUSH_OPTION_0=modelgate.override=x && export GIT_PUSH_OPTION_COUNT GIT_PUSH_OPTION_0 &&
	hook 1 shop update refs/heads/main "$(git rev-parse main~)" "$(git rev-parse main)" </dev/null &&
	said "MG102: commit $new" && said_not override &&
	unset GIT_PUSH_OPTION_COUNT GIT_PUSH_OPTION_0 &&
	mv "$T/shop.git/hooks/pre-receive" "$T/pre-receive" &&
	expect_reject MG102 push modelgate.override=x -- main && mv "$T/pre-receive" "$T/shop.git/hooks/"
'

test_expect 'update alone in the way of an override: it passes what pre-receive let pass, in that push alone' '
	direct && expect_accept push modelgate.override=x -- main &&
	hook 1 shop update refs/heads/main "$(git rev-parse main~)" "$(git rev-parse main)" </dev/null &&
	said MG904 && at main
'

# --- GitLab ---

test_expect 'over the web page nothing is printed when it lands; a refusal has the prefix' '
	server_set shop identity source gitlab && server_set shop "role \"release\"" members user-17 &&
	direct && GL_PROTOCOL=web && GL_ID=user-17 && GL_USERNAME=ivanov && export GL_PROTOCOL GL_ID GL_USERNAME &&
	expect_accept push modelgate.override=x -- main && told </dev/null &&
	recorded shop event=push.overridden actor.id=user-17 reason=x &&
	GL_ID=user-18 && direct && expect_reject MG102,MG402 push modelgate.override=x -- main &&
	gate_lines >"$T/lines" && ! grep -v "^GL-HOOK-ERR: modelgate: " "$T/lines" &&
	said "GL-HOOK-ERR: modelgate:   override refused, MG402: ivanov may not override" &&
	unset GL_PROTOCOL GL_ID GL_USERNAME && server_set shop identity source os
'

# --- over HTTP ---

test_expect 'over HTTP it is the user of the web server who may or may not' '
	start_httpd && server_set shop identity source http && server_set shop "role \"release\"" members boris &&
	direct && git push -q "$(http_url shop)" main:refs/heads/over-http &&
	expect_reject MG102,MG402 git push -o modelgate.override=x "$(http_url shop)" main &&
	said "alice may not override: that takes the role release" &&
	expect_accept git push -o modelgate.override=x "$(http_url shop boris)" main &&
	said "modelgate: overridden refs/heads/main $old..$new MG102" &&
	recorded shop event=push.overridden actor.name=boris actor.protocol=http reason=x &&
	server_set shop identity source os
'

test_expect 'every landing has its pipeline, and the log is valid' '
	same "$(pipelines shop | wc -w)" "$(audit_count shop event=pipeline.created)" && audit_valid shop
'

test_done
