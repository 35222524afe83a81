#!/bin/sh
# install.sh global: hooks of a Gitaly server for some of its projects, beside those of repositories and of
# other people.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/install.sh"

own_build build || test_bail 'no build to begin with'
prefix=$T/prefix
file=$prefix/etc/modelgate/modelgate.ini
log=$T/state/audit/audit.jsonl
gitaly_start || test_bail 'no Gitaly'
all='pre-receive update post-receive'

install_global() {
	install_sh global "$GITALY_GLOBAL" --projects "${globs-models/shop*, other/*}" --prefix "$prefix" \
		--state "$T/state" --user "$(id -un)" "$@"
}

checks() {
	install_sh check "$GITALY_GLOBAL" >"$T/checked" 2>&1 || { cat "$T/checked"; return 1; }
}

# The check fails, says $1, and how to mend it: $2.
check_finds() {
	install_sh check "$GITALY_GLOBAL" >"$T/checked" 2>&1 && echo "nothing found to be wrong" && return 1
	grep -A 1 -F -e "$1" "$T/checked" | grep -F -e "       $2" || { cat "$T/checked"; return 1; }
}

records() {
	json_count "$@" <"$log"
}

# A repository that has no hooks of its own, as Gitaly has it, with dev and a clone in $T/$1.
new_repository() {
	git init -q --bare "$T/$1.git" && served_by_gitaly "$1" &&
		git init -q "$T/$1" && cd "$T/$1" && git remote add origin "$T/$1.git" && git switch -q -c dev &&
		commit a && TEST_SERVERS="$TEST_SERVERS $1"
}

dev_and_main() {
	git switch -q dev && commit work.txt && git switch -q -C main "${1:-origin/main}" && merge_in dev
}

# --- installing ---

test_expect 'without --projects, or with a wrong one: usage' '
	for arguments in "" "--projects=x" "--projects" "--projects ," "--colour red" "$T/a --projects x"; do
		{ install_sh global "$GITALY_GLOBAL" $arguments >out 2>err; status=$?; } &&
		same "2 of <$arguments>" "$status of <$arguments>" && said "see ./install.sh help" || return 1
	done &&
	globs="a b" && refuses "has no blanks" install_global && globs="a;b" && refuses "has no blanks" install_global &&
	unset globs && refuses "every project of the server would be judged" install_sh global "$GITALY_GLOBAL"
'

test_expect 'no such user, a folder that is none, a repository: said, and nothing is changed' '
	other_hook "$GITALY_GLOBAL/pre-receive.d/10-other" "echo >>$T/other" && touch -d 2020-01-02 "$GITALY_GLOBAL"/*/* &&
	keep "$GITALY_GLOBAL" &&
	refuses "there is no user nobody-here on this machine" install_global --user nobody-here &&
	: >a-file && git init -q --bare a.git &&
	refuses "is no folder" install_sh global "$T/a-file" --projects x --user "$(id -un)" &&
	refuses "./install.sh repo" install_sh global "$T/a.git" --projects x --user "$(id -un)" &&
	refuses "there is no folder" install_sh global "$T/no/where" --projects x --user "$(id -un)" &&
	is_as_kept "$GITALY_GLOBAL" && [ ! -e "$prefix" ] && [ ! -e state ]
'

test_expect 'a system file that says other projects, another source or state: nothing is changed' '
	mkdir -p "$(dirname "$file")" &&
	printf "[modelgate]\nstate = %s\nprojects = models/*\n[identity]\nsource = gitlab\n" "$T/state" >"$file" &&
	refuses "$file says projects = models/*, not models/shop*,other/*" install_global &&
	sed -i "s/^projects.*/projects = other\/*\nprojects.2 = models\/shop*/" "$file" &&
	sed -i "s/gitlab/http/" "$file" && refuses "$file says source = http in [identity]" install_global &&
	sed -i "/^source/d" "$file" && refuses "$file says source = os" install_global &&
	echo "source = gitlab" >>"$file" && sed -i "s/^state.*/state = \/elsewhere/" "$file" &&
	refuses "$file says state = /elsewhere, not $T/state" install_global &&
	sed -i "/^projects/d" "$file" && refuses "add projects = models/shop*,other/*" install_global &&
	is_as_kept "$GITALY_GLOBAL" && same "$file" "$(find "$prefix" -type f)" && [ ! -e state ]
'

test_expect 'one that says the same stays as it is' '
	printf "; mine\n[modelgate]\nstate = %s ; here\nprojects = other/*\nprojects.2 = models/shop* ; two\n" \
		"$T/state" >"$file" && printf "[identity]\nsource = gitlab\n" >>"$file" && cp "$file" mine &&
	install_global && cmp mine "$file" && checks && install_sh uninstall "$GITALY_GLOBAL" && cmp mine "$file" &&
	is_as_kept "$GITALY_GLOBAL" && rm -r "$prefix/etc"
'

test_expect 'installed: hooks, the system file, the state folder; other hooks are as they were' '
	install_global && checks && ! grep "^wrong" checked &&
	for one in $all; do
		cmp "$prefix/libexec/modelgate/$one" "$GITALY_GLOBAL/$one.d/50-modelgate" &&
		same 755 "$(stat -c %a "$GITALY_GLOBAL/$one.d/50-modelgate")" || return 1
	done &&
	same "[modelgate] state = $T/state projects = models/shop*, other/* [identity] source = gitlab" \
		"$(grep -v "^;" "$file" | xargs -d "\n" | xargs)" &&
	same "700 644" "$(stat -c %a state "$file" | xargs)" &&
	cmp "$T/kept.gitaly-hooks/pre-receive.d/10-other" "$GITALY_GLOBAL/pre-receive.d/10-other" &&
	grep -F "note   pre-receive: $GITALY_GLOBAL/pre-receive.d/10-other is run before" checked
'

test_expect 'twice is the same as once' '
	snapshot "$GITALY_GLOBAL" >once && snapshot "$prefix" >prefix.once && install_global &&
	unchanged "$GITALY_GLOBAL" once && unchanged "$prefix" prefix.once && checks
'

# --- judging ---

test_expect 'a project that is named: judged, recorded, told' '
	new_repository shop && git switch -q -c main && expect_accept gitlab_push origin dev main &&
	dev_and_main && expect_accept gitlab_push origin dev main && said "created: chain dev on main" &&
	commit direct.txt && expect_reject MG102 gitlab_push origin main &&
	same "1 2" "$(records event=push.rejected) $(records event=push.accepted)" &&
	same 3 "$(records repository.project=shop actor.name=ivanov "event=push.*")"
'

test_expect 'any other project does not notice: nothing is told, and nothing recorded' '
	before=$(records "event=push.*") && new_repository free && git switch -q -c main && expect_accept gitlab_push origin dev main &&
	commit direct.txt && expect_accept gitlab_push origin main && same "" "$(gate_lines)" &&
	expect_accept web_edit free main README.md && expect_accept gitlab_push -f origin dev:main &&
	same "$before 0" "$(records "event=push.*") $(records repository.project=free)"
'

test_expect 'wikis and design repositories of a project that is named pass' '
	before=$(records "event=push.*") && cd shop && git switch -q main && for kind in wiki-5 design-5; do
		git reset -q --hard origin/main && commit $kind.txt && GL_REPOSITORY=$kind &&
		expect_accept gitlab_push origin main && same "" "$(gate_lines)" || return 1
	done && GL_REPOSITORY=project-5 && same "$before" "$(records "event=push.*")"
'

# --- hooks of a repository too ---

test_expect 'a repository with hooks of its own: each push is judged once, and told once' '
	install_sh repo "$T/shop.git" --layout gitlab --prefix "$prefix" --state "$T/state" >out &&
	grep "judges only models/shop\*,other/\*: see that this project" out &&
	before=$(records "event=push.*") && cd shop && git fetch -q && git switch -q dev && git merge -q origin/main &&
	dev_and_main && expect_accept gitlab_push origin dev main &&
	same 1 "$(gate_lines | grep -c "created: chain dev on main")" && same $((before + 1)) "$(records "event=push.*")" &&
	commit direct.txt && expect_reject MG102 gitlab_push origin main && same $((before + 2)) "$(records "event=push.*")" &&
	same 1 "$(gate_lines | grep -c "audit id")" &&
	expect_reject MG102 web_edit shop main README.md && same $((before + 3)) "$(records "event=push.*")"
'

test_expect 'its own hook judges, not the global one' '
	own=$T/shop.git/custom_hooks/pre-receive.d/50-modelgate && before=$(records "event=push.*") &&
	perl -pi -e "s/(modelgate-hook )./\${1}X/" "$own" && cd shop && commit direct.txt && expect_reject MG102 gitlab_push origin main &&
	same "1 $((before + 1))" "$(records "build=X*" event=push.rejected) $(records "event=push.*")" &&
	cp "$prefix/libexec/modelgate/pre-receive" "$own" && git fetch -q && git reset -q --hard origin/main
'

test_expect 'a copy that was built for another system file judges by that one, and the global one judges too' '
	own=$T/shop.git/custom_hooks/pre-receive.d/50-modelgate &&
	perl -0pi -e "BEGIN { \$old = shift; \$new = shift } s/\Q\$old\E/\$new/g" "$prefix/etc" "$prefix/abc" "$own" &&
	mkdir -p "$prefix/abc/modelgate" && printf "[modelgate]\nmode = shadow\n" >"$prefix/abc/modelgate/modelgate.ini" &&
	cd shop && commit direct.txt && expect_reject MG102 gitlab_push origin main && said "would be rejected" &&
	printf "[modelgate]\nprojects = elsewhere/*\n" >"$prefix/abc/modelgate/modelgate.ini" &&
	expect_reject MG102 gitlab_push origin main && said_not "would be rejected" &&
	cp "$prefix/libexec/modelgate/pre-receive" "$own" && rm -r "$prefix/abc" && expect_reject MG102 gitlab_push origin main &&
	git fetch -q && git reset -q --hard origin/main && git switch -q dev && commit later.txt && git switch -q main &&
	merge_in dev && expect_accept gitlab_push origin dev main && commit direct.txt
'

test_expect 'a copy that Gitaly would not run, or that is not ours: the global hook judges' '
	cd shop && own=$T/shop.git/custom_hooks/pre-receive.d/50-modelgate && before=$(records event=push.rejected) &&
	chmod 644 "$own" && expect_reject MG102 gitlab_push origin main && chmod 755 "$own" && mv "$own" "$T/own" &&
	other_hook "$own" "exit 0" && expect_reject MG102 gitlab_push origin main &&
	rm "$own" && ln -s "$T/own" "$own" && expect_reject MG102 gitlab_push origin main && rm "$own" &&
	mkdir "$own" && expect_reject MG102 gitlab_push origin main && rmdir "$own" &&
	expect_reject MG102 gitlab_push origin main && mv "$T/own" "$own" &&
	expect_reject MG102 gitlab_push origin main &&
	# The link was run by Gitaly as well, and has judged for itself.
	same $((before + 6)) "$(records event=push.rejected)"
'

test_expect 'whatever a pusher sends or says, a global hook judges' '
	install_sh uninstall "$T/shop.git" && cd shop && git fetch -q && git reset -q --hard origin/main &&
	mkdir -p custom_hooks/pre-receive.d && printf "#!/bin/sh\n# modelgate-hook \nexit 0\n" >custom_hooks/pre-receive.d/50-modelgate &&
	chmod 755 custom_hooks/pre-receive.d/50-modelgate && git add custom_hooks && git commit -q -m hooks &&
	expect_reject MG102 gitlab_push origin main &&
	expect_reject MG102 env GL_REPOSITORY=project-5 git push origin main
'

test_expect 'plain git: a copy below custom_hooks is run by nobody, and lifts nothing' '
	new_server plain && server_set plain identity source gitlab && server_set plain modelgate state "$T/plain.state" &&
	for one in $all; do
		mkdir -p plain.git/custom_hooks/$one.d && cp plain.git/hooks/$one plain.git/custom_hooks/$one.d/50-modelgate || return 1
	done && new_clone plain plain.work 2>/dev/null && cd plain.work && git switch -q -c dev && commit a &&
	git switch -q -c main && expect_accept git push origin dev main && commit direct.txt &&
	expect_reject MG102 git push origin main
'

# --- check ---

test_expect 'check: a hook that is not executable, another version, missing, or that others can write' '
	hook=$GITALY_GLOBAL/update.d/50-modelgate && chmod 644 "$hook" && check_finds "not executable" "chmod 755 $hook" &&
	chmod 775 "$hook" && check_finds "can be written by group or others" "chmod go-w $hook" && chmod 755 "$hook" &&
	echo >>"$hook" && check_finds "another version" "./install.sh global $GITALY_GLOBAL --projects '\''models/shop*,other/*'\''" &&
	rm "$hook" && check_finds "update.d/50-modelgate is missing" "./install.sh global" &&
	chmod 777 "$GITALY_GLOBAL/update.d" && check_finds "update.d can be written" "chmod go-w" &&
	chmod 755 "$GITALY_GLOBAL/update.d" && install_global && checks
'

test_expect 'check: another hook before ours is named, with how to have ours first' '
	checks && grep -A 1 "10-other is run before modelgate" checked | grep "pre-receive.d/60-NAME" &&
	mv "$GITALY_GLOBAL/pre-receive.d/10-other" "$GITALY_GLOBAL/pre-receive.d/60-other" && checks && ! grep "run before" checked &&
	mv "$GITALY_GLOBAL/pre-receive.d/60-other" "$GITALY_GLOBAL/pre-receive.d/10-other" &&
	other_hook "$T/shop.git/custom_hooks/pre-receive" "exit 0" && other_hook "$T/shop.git/custom_hooks/update.d/90-last" "exit 0" &&
	"$prefix/bin/modelgate" --repo shop.git check --hooks "$GITALY_GLOBAL" >checked &&
	grep "custom_hooks/pre-receive is run before" checked && grep "update.d/90-last is run before" checked &&
	rm -r shop.git/custom_hooks
'

test_expect 'check: no projects, or no gitlab, in the system file' '
	cp "$file" ini && sed -i "/^projects/d" "$file" && check_finds "names no projects" "write projects = GLOBS" &&
	cp ini "$file" && sed -i "s/gitlab/os/" "$file" && check_finds "source is not gitlab" "write source = gitlab" &&
	cp ini "$file" && checks
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'as root: check: a hook of somebody else, a state folder that is not the git user'\''s' '
		chmod 755 "$T" && chown daemon "$GITALY_GLOBAL/update.d/50-modelgate" &&
		check_finds "belongs to daemon" "chown root $GITALY_GLOBAL/update.d/50-modelgate" &&
		install_global && checks && chown -R daemon state &&
		check_finds "state: $T/state belongs to daemon, and the hooks run as root" "" && chown -R root state && checks
	'
	test_expect 'as root: state for the user that Gitaly runs as, who can write it' '
		git_hooks=$T/git-hooks && mkdir "$git_hooks" && install_sh uninstall "$GITALY_GLOBAL" && rm -rf other.state &&
		install_sh global "$git_hooks" --projects x --prefix "$prefix" --state "$T/other.state" --user daemon &&
		same "daemon 700" "$(stat -c "%U %a" other.state)" && install_sh check "$git_hooks" >checked &&
		mkdir -p other.state/audit && chown daemon other.state/audit && : >other.state/store.db && chown daemon other.state/store.db &&
		chmod 400 other.state/store.db && ! install_sh check "$git_hooks" >checked &&
		grep -A 1 "daemon cannot write $T/other.state/store.db" checked | grep "chmod u+w" &&
		chmod 700 other.state && chown root other.state && ! install_sh check "$git_hooks" >checked &&
		grep "^wrong  state: .*belongs to root, and the hooks run as daemon" checked &&
		refuses "belongs to root, but Gitaly runs the hooks as daemon" install_sh global "$git_hooks" --projects x \
			--prefix "$prefix" --user daemon &&
		install_sh uninstall "$git_hooks" && same "" "$(find git-hooks -mindepth 1)" && install_global
	'
else
	test_skip 'as root: check: a hook of somebody else, a state folder that is not the git user'\''s' 'not root'
	test_skip 'as root: state for the user that Gitaly runs as, who can write it' 'not root'
fi

# --- uninstalling ---

test_expect 'a system file that was edited stays' '
	echo "; mine" >>"$file" && install_sh uninstall "$GITALY_GLOBAL" >out && grep "kept     $file" out &&
	grep "; mine" "$file" && rm -r "$prefix/etc" && is_as_kept "$GITALY_GLOBAL" && install_global
'

test_expect 'uninstall: the folder is as it was, the system file is gone, the log is where it is' '
	cp "$log" log && install_sh uninstall "$GITALY_GLOBAL" && is_as_kept "$GITALY_GLOBAL" && [ ! -e "$prefix/etc/modelgate" ] &&
	cmp log "$log" && install_sh uninstall "$GITALY_GLOBAL" >out &&
	same "modelgate is not installed in $GITALY_GLOBAL" "$(cat out)" && ! install_sh check "$GITALY_GLOBAL" >out &&
	grep "./install.sh global $GITALY_GLOBAL --projects GLOBS" out
'

test_expect 'two folders with one system file: it goes with the last that is uninstalled, in either order' '
	second() { install_sh global "$T/second" --projects "models/shop*, other/*" --prefix "$prefix" --user "$(id -un)"; } &&
	list=$prefix/etc/modelgate/global-folders && unset globs &&
	for first in "$GITALY_GLOBAL" "$T/second"; do
		install_global && second && second && same "$GITALY_GLOBAL $T/second" "$(sed -n "s/^folder=//p" "$list" | sort | xargs)" &&
		same 644 "$(stat -c %a "$list")" && cp "$file" ini &&
		install_sh uninstall "$first" >out && grep "kept     $file: hooks go by it in" out && cmp ini "$file" &&
		last=$(sed -n "s/^folder=//p" "$list") && [ "$last" != "$first" ] && install_sh check "$last" &&
		install_sh uninstall "$last" >out && grep "removed  $file" out && [ ! -e "$prefix/etc/modelgate" ] &&
		is_as_kept "$GITALY_GLOBAL" && [ ! -e second ] || return 1
	done
'

test_expect 'ended in front of any file that it writes: uninstall leaves all as it was' '
	for signal in TERM INT KILL; do
		for at in 1 2 3 4 5 6; do
			# A kill in front of its list leaves the empty folder of the system file.
			[ $signal != KILL ] || [ $at -ge 3 ] || continue
			ended_at $signal $at "$T" global "$GITALY_GLOBAL" --projects "models/*" --prefix "$prefix" --state "$T/state" --user "$(id -un)" &&
			{ install_sh uninstall "$GITALY_GLOBAL" >out || { cat out ended; return 1; }; } &&
			{ is_as_kept "$GITALY_GLOBAL" && same "" "$(leftovers "$GITALY_GLOBAL" "$prefix")" && [ ! -e "$file" ] && [ ! -e "$prefix/etc/modelgate" ] ||
				{ echo "signal $signal in front of $at:"; cat moves out; return 1; }; } || return 1
		done
	done && same 6 "$(wc -l <moves)" && grep -x "$file" moves
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'as root: what a record of somebody else says of the system file is not believed' '
		chmod 755 "$T" && install_global && mkdir -p theirs/update.d theirs.prefix/etc/modelgate && cp "$file" theirs.prefix/etc/modelgate/ &&
		sum=$(sha256sum <"$file") && printf "config=%s\nconfig-folder=yes\nfolder=%s\n" "$sum" "$T/theirs" >theirs.prefix/etc/modelgate/global-folders &&
		chown -R daemon theirs theirs.prefix && mkdir theirs.link && ln -s "$prefix/etc" theirs.link/etc && chown -R -h daemon theirs.link &&
		for lie in "$prefix" "$T/theirs.prefix" "$T/theirs.link"; do
			printf "layout=global\nprefix=%s\nuser=daemon\nconfig=%s\nconfig-folder=yes\nfolder=\nfolders=\n" "$lie" "$sum" >theirs/modelgate-installed &&
			chown daemon theirs/modelgate-installed && install_sh uninstall "$T/theirs" >out && grep "kept     $lie/etc/modelgate" out &&
			[ -e "$file" ] && [ -e theirs.prefix/etc/modelgate/modelgate.ini ] && [ ! -e theirs/modelgate-installed ] || return 1
		done && checks &&
		printf "layout=global\nprefix=%s\n" "$prefix" >"$GITALY_GLOBAL/theirs" && mv "$GITALY_GLOBAL/modelgate-installed" record &&
		mv "$GITALY_GLOBAL/theirs" "$GITALY_GLOBAL/modelgate-installed" && chown daemon "$GITALY_GLOBAL/modelgate-installed" &&
		refuses "modelgate-installed belongs to daemon" install_sh check "$GITALY_GLOBAL" &&
		refuses "modelgate-installed belongs to daemon" install_sh uninstall "$GITALY_GLOBAL" &&
		mv -f record "$GITALY_GLOBAL/modelgate-installed" &&
		refuses "others than root can put something in the place of $T/theirs.prefix" install_sh global "$T/new" --projects "x" \
			--prefix "$T/theirs.prefix" --user daemon && [ ! -e new ] &&
		install_sh uninstall "$GITALY_GLOBAL" && is_as_kept "$GITALY_GLOBAL" && [ ! -e "$prefix/etc/modelgate" ]
	'
else
	test_skip 'as root: what a record of somebody else says of the system file is not believed' 'not root'
fi

test_expect 'a folder that was not there is made, and gone again; a long list of globs gets several lines' '
	globs=$(for n in 1 2 3 4 5 6; do printf "group-$n/%060d/*," $n; done) &&
	install_sh global "$T/new-hooks" --projects "$globs" --prefix "$prefix" --state "$T/state" --user "$(id -un)" &&
	same 0 "$(awk "length > 180" "$file" | wc -l)" && grep "^projects.2 = " "$file" && install_sh check "$T/new-hooks" &&
	install_sh global "$T/new-hooks" --projects "$globs" --prefix "$prefix" --user "$(id -un)" &&
	install_sh uninstall "$T/new-hooks" && [ ! -e new-hooks ]
'

test_expect 'somebody else'\''s hook under our name is not overwritten' '
	other_hook "$GITALY_GLOBAL/update.d/50-modelgate" "exit 0" && keep "$GITALY_GLOBAL" && unset globs &&
	refuses "is there already and is not modelgate" install_global && is_as_kept "$GITALY_GLOBAL"
'

test_expect 'Gitaly had nothing to complain of' '[ ! -s .run/gitaly.log ]'

test_done
