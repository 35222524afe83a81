#!/bin/sh
# install.sh on what is installed, while pushes go on: each push meets whole programs, and is judged once.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/install.sh"

prefix=$T/prefix
own_build one 1.one && own_build two 2.two || test_bail 'no build to begin with'

# Two versions in turn into the repository $1, until $T/stop is there; each that came to its end is a line
# of $T/installed.
install_in_turn() {
	while [ ! -e "$T/stop" ]; do
		for version in one two; do
			use_build $version
			install_sh repo "$T/$1" --prefix "$prefix" --state "$T/$1.state" >"$T/install.log" 2>&1 ||
				echo "failed" >>"$T/install.failed"
			echo "$version" >>"$T/installed"
		done
	done
}

count() {
	wc -l <"$T/installed"
}

installs() {
	[ "$(count)" -ge "$1" ]
}

log_of() {
	echo "$T/$1.state/audit/audit.jsonl"
}

# How many records of the server's log match.
records() {
	log=$(log_of "$1")
	shift
	json_count "$@" <"$log"
}

# Pushes by PUSH to dev while both versions are put into REPOSITORY in turn, until that was done 8 times,
# and at least 40 of them: each lands, with one record.
push_while_installing() {
	rm -f "$T/stop" "$T/installed" "$T/install.failed" && : >"$T/installed" && before=$(records "$1" "event=push.*") &&
		{ install_in_turn "$1" & } && installer=$! && TEST_PIDS="$TEST_PIDS $installer" && shift || return 1
	pushed=0
	deadline=$(($(test_uptime) + 120))
	until [ "$pushed" -ge 40 ] && installs 8; do
		[ "$(test_uptime)" -le "$deadline" ] && commit work.txt && expect_accept "$@" || break
		pushed=$((pushed + 1))
	done
	: >"$T/stop"
	wait "$installer"
	[ "$pushed" -ge 40 ] && installs 8 || return 1
	[ ! -e "$T/install.failed" ] || { cat "$T/install.log"; return 1; }
}

# Each of those pushes has one record, an accepted one, and both versions have judged.
judged_once() {
	same $((before + pushed)) "$(records "$1" "event=push.*")" &&
		same $((before + pushed)) "$(records "$1" event=push.accepted)" &&
		[ "$(records "$1" event=push.accepted build=1.one)" -gt 0 ] &&
		[ "$(records "$1" event=push.accepted build=2.two)" -gt 0 ]
}

# A shop.git that is installed, with a project and a work tree in $T/$2.
installed_server() {
	use_build one && install_sh repo "$T/$1" --prefix "$prefix" --state "$T/$1.state" --project "$2" &&
		printf '[runner]\nwake = none\n' >>"$T/$1/$3modelgate.ini" &&
		git init -q "$T/$2" && cd "$T/$2" && git remote add origin "$T/$1" && git switch -q -c dev
}

test_expect 'layout git: pushes land while two versions take turns' '
	git init -q --bare plain.git && installed_server plain.git plain "" && commit a &&
	expect_accept git push origin dev && push_while_installing plain.git git push -q origin dev &&
	judged_once plain.git
'

test_expect 'a hook of one'\''s own that hands over to the installed program' '
	git init -q --bare chained.git && for one in pre-receive update post-receive; do
		printf "#!/bin/sh\nexec %s/libexec/modelgate/%s \"\$@\"\n" "$prefix" $one >chained.git/hooks/$one &&
		chmod 755 chained.git/hooks/$one || return 1
	done && installed_server chained.git chained "" && commit a && expect_accept git push origin dev &&
	push_while_installing chained.git git push -q origin dev && judged_once chained.git
'

test_expect 'layout gitlab: the same through Gitaly' '
	git init -q --bare lab.git && served_by_gitaly lab &&
	mkdir lab.git/custom_hooks && installed_server lab.git lab custom_hooks/ && commit a &&
	gitaly_operation lab && expect_accept gitlab_push origin dev &&
	push_while_installing lab.git gitlab_push -q origin dev && judged_once lab.git &&
	[ ! -s "$T/.run/gitaly.log" ]
'

# --- what lies there while a program is replaced ---

# In front of each mv that the installer does: what Gitaly would run, and whether each is one of the two
# versions as it was built.
watching_mv() {
	mkdir -p "$T/watch" && cat >"$T/watch/mv" <<-EOT && chmod 755 "$T/watch/mv"
		#!/bin/sh
		for hook in pre-receive update post-receive; do
			perl "$TEST_LIB/gitaly-hook" list "$T/lab.git" "$GITALY_GLOBAL" \$hook >"$T/listed"
			echo "$T/lab.git/custom_hooks/\$hook.d/50-modelgate" | cmp -s - "$T/listed" ||
				cat "$T/listed" >>"$T/seen"
			for file in "$T/lab.git/custom_hooks/\$hook.d/50-modelgate" "$prefix/libexec/modelgate/\$hook"; do
				cmp -s "\$file" "$T/one/bin/\$hook" || cmp -s "\$file" "$T/two/bin/\$hook" ||
					echo "\$file is half" >>"$T/seen"
			done
		done
		for last; do :; done
		echo "\$last" >>"$T/moved"
		exec $(command -v mv) "\$@"
	EOT
}

test_expect 'at no time is a hook missing, half written, or there twice; nor is a program' '
	watching_mv && rm -f moved seen && for version in one two; do
		use_build $version &&
		PATH=$T/watch:$PATH install_sh repo "$T/lab.git" --prefix "$prefix" --state "$T/lab.git.state" >out ||
			return 1
	done && { [ ! -e seen ] || { cat seen; return 1; }; } &&
	for hook in pre-receive update post-receive; do
		grep -x "$T/lab.git/custom_hooks/$hook.d/50-modelgate" moved &&
		grep -x "$prefix/libexec/modelgate/$hook" moved || return 1
	done && grep -x "$prefix/bin/modelgate" moved
'

test_expect 'and nothing is left over' '
	same "" "$(find lab.git/custom_hooks plain.git/hooks "$prefix" -name "*~")" &&
	same "1 1 1" "$(for hook in pre-receive update post-receive; do
		ls -A lab.git/custom_hooks/$hook.d | wc -l
	done | xargs)"
'

test_done
