#!/bin/sh
# install.sh: repo, check, uninstall.  What it puts into a repository, what it leaves alone, and that
# twice is once.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/install.sh"

own_build build || test_bail 'no build to begin with'
prefix=$T/prefix

install_in() {
	test_name=$1
	shift
	install_sh repo "$T/$test_name" --prefix "$prefix" --state "$T/$test_name.state" "$@"
}

checks() {
	install_sh check "$T/$1" >"$T/checked" 2>&1 || {
		cat "$T/checked"
		return 1
	}
}

# The check of $1 fails, and says $2 and how to mend it.
check_finds() {
	if install_sh check "$T/$1" >"$T/checked" 2>&1; then
		cat "$T/checked"
		echo "nothing found to be wrong"
		return 1
	fi
	grep -A 1 -F -e "$2" "$T/checked" | grep '^       .' || {
		cat "$T/checked"
		return 1
	}
}

test_expect 'a bare repository gets three hooks, a configuration and a state folder' '
	git init -q --bare plain.git &&
	snapshot plain.git >plain.before &&
	install_in plain.git --project churn &&
	for hook in pre-receive update post-receive; do
		cmp "$prefix/libexec/modelgate/$hook" "plain.git/hooks/$hook" &&
			same 755 "$(stat -c %a "plain.git/hooks/$hook")" || return 1
	done &&
	same 644 "$(stat -c %a plain.git/modelgate.ini)" &&
	same 700 "$(stat -c %a plain.git.state)" &&
	same true "$(git -C plain.git config receive.advertisePushOptions)" &&
	grep -x "name = churn" plain.git/modelgate.ini &&
	grep -x "state = $T/plain.git.state" plain.git/modelgate.ini &&
	grep -x "source = os" plain.git/modelgate.ini &&
	[ -x "$prefix/bin/modelgate" ]
'

test_expect 'what to do next is said as it can be typed' '
	git init -q --bare next.git && install_in next.git >next.out &&
	grep -F "  ./install.sh check $T/next.git  " next.out &&
	grep -F "  $prefix/bin/modelgate new DIR --project next  " next.out &&
	grep -F "  $prefix/bin/modelgate --repo $T/next.git status  " next.out &&
	same 1 "$(sed -n "s/  # .*/|/p" next.out | sed "s/[^|]/./g" | sort -u | wc -l)"
'

test_expect 'where nothing is installed: check says so and how to, uninstall says so' '
	git init -q --bare bare.git && snapshot bare.git >bare.before &&
	! install_sh check "$T/bare.git" --prefix "$prefix" >out && same 2 "$(wc -l <out)" &&
	grep -x "modelgate is not installed in $T/bare.git" out &&
	grep -F "    ./install.sh repo $T/bare.git --prefix $prefix" out &&
	install_sh uninstall "$T/bare.git" >out && same "modelgate is not installed in $T/bare.git" "$(cat out)" &&
	unchanged bare.git bare.before
'

test_expect 'another name of the project than the configuration that is there' '
	snapshot next.git >next.before &&
	refuses "next.git/modelgate.ini says name = next, not churn" install_in next.git --project churn &&
	unchanged next.git next.before && install_in next.git --project next &&
	sed -i /^name/d next.git/modelgate.ini &&
	refuses "says no name, not churn" install_in next.git --project churn && install_in next.git
'

test_expect 'check: core.hooksPath' '
	git -C next.git config core.hooksPath /elsewhere && check_finds next.git "core.hooksPath is /elsewhere" &&
	git -C next.git config --unset core.hooksPath && checks next.git &&
	grep -x "ok     configuration: $T/next.git/modelgate.ini" checked
'

test_expect 'check warns of branches that look misspelt, and of no others' '
	git init -q --bare typo.git && install_in typo.git &&
	git -C typo.git update-ref refs/heads/release "$(git -C typo.git commit-tree -m a \
		"$(git -C typo.git mktree </dev/null)")" &&
	printf "%s\n" "[branch \"prd\"]" "merge-from = mian, release, realease ; dve" \
		"merge-from.2 = retrain-*,onlime" "[branch \"shop\"]" "merge-from = dev, develop" \
		>>typo.git/modelgate.ini &&
	checks typo.git && grep "^note .*meant" checked | sed "s/ in .*;//" >warned &&
	printf "note   branch %s is %s meant?\n" prd prod mian main realease release onlime online |
		diff - warned
'

test_expect 'check finds everything in place' '
	checks plain.git && ! grep "^wrong" checked
'

test_expect 'the hooks judge' '
	TEST_SERVERS=plain &&
	git init -q work && (cd work && commit a && git push -q ../plain.git main:dev main:main) &&
	(cd work && commit b && expect_reject MG102 git push ../plain.git main)
'

test_expect 'twice is the same as once' '
	snapshot plain.git >once && snapshot "$prefix" >prefix.once &&
	install_in plain.git --project churn &&
	unchanged plain.git once && unchanged "$prefix" prefix.once
'

test_expect 'an older copy of ours is replaced' '
	printf "older" >>plain.git/hooks/update &&
	check_finds plain.git "another version" &&
	install_in plain.git --project churn &&
	unchanged plain.git once
'

test_expect 'check says what is wrong and how to mend it: hook, mode, configuration, push options, state' '
	chmod 644 plain.git/hooks/update && check_finds plain.git "not executable" &&
	rm plain.git/hooks/update && check_finds plain.git "hooks/update is missing" &&
	cp "$prefix/libexec/modelgate/update" plain.git/hooks/ && checks plain.git &&
	cp plain.git/modelgate.ini ini && echo "colour = red" >>plain.git/modelgate.ini &&
	check_finds plain.git "colour" && cp ini plain.git/modelgate.ini && checks plain.git &&
	git -C plain.git config receive.advertisePushOptions false &&
	check_finds plain.git advertisePushOptions &&
	git -C plain.git config receive.advertisePushOptions true && checks plain.git &&
	mv plain.git.state elsewhere && check_finds plain.git "is missing" &&
	mv elsewhere plain.git.state && checks plain.git
'

test_expect 'uninstall leaves the repository as it was, and the audit log where it is' '
	cp plain.git.state/audit/audit.jsonl log && [ -s log ] &&
	rm -rf plain.git/refs/heads && mkdir plain.git/refs/heads && rm -f plain.git/FETCH_HEAD &&
	install_sh uninstall "$T/plain.git" &&
	unchanged plain.git plain.before &&
	cmp log plain.git.state/audit/audit.jsonl
'

test_expect 'uninstall puts back what push options were, and keeps a configuration that was edited' '
	git init -q --bare edited.git && git -C edited.git config receive.advertisePushOptions false &&
	install_in edited.git && install_in edited.git &&
	same true "$(git -C edited.git config receive.advertisePushOptions)" &&
	echo "; mine" >>edited.git/modelgate.ini &&
	install_sh uninstall "$T/edited.git" &&
	same false "$(git -C edited.git config receive.advertisePushOptions)" &&
	grep "; mine" edited.git/modelgate.ini
'

test_expect 'a configuration that is there stays as it is, and its state is the one that is used' '
	git init -q --bare configured.git &&
	printf "[modelgate]\nstate = %s ; here\n" "$T/own.state" >configured.git/modelgate.ini &&
	cp configured.git/modelgate.ini ini &&
	install_sh repo "$T/configured.git" --prefix "$prefix" &&
	cmp ini configured.git/modelgate.ini && [ -d own.state ] && checks configured.git &&
	refuses "not $T/other" install_sh repo "$T/configured.git" --prefix "$prefix" --state "$T/other" &&
	install_sh uninstall "$T/configured.git" && cmp ini configured.git/modelgate.ini
'

test_expect 'a hook of somebody else is never overwritten: stopped before anything is changed' '
	git init -q --bare foreign.git &&
	printf "#!/bin/sh\necho modelgate-hook is not what this is\n" >foreign.git/hooks/update &&
	sed -i "s/modelgate-hook /modelgate /" foreign.git/hooks/update &&
	chmod 755 foreign.git/hooks/update &&
	snapshot foreign.git >foreign.before &&
	refuses "$T/foreign.git/hooks/update is there already" install_in foreign.git &&
	said "mv $T/foreign.git/hooks/update" &&
	unchanged foreign.git foreign.before && [ ! -e foreign.git.state ]
'

test_expect 'a symbolic link is somebody else, wherever it points' '
	ln -sf "$prefix/libexec/modelgate/update" foreign.git/hooks/update &&
	refuses "is there already" install_in foreign.git &&
	rm foreign.git/hooks/update && ln -s /nowhere foreign.git/hooks/update &&
	refuses "is there already" install_in foreign.git &&
	[ -L foreign.git/hooks/update ]
'

test_expect 'a hook that hands over to ours is left as it is, and both judge' '
	rm foreign.git/hooks/update &&
	printf "#!/bin/sh\necho own hook >&2\nexec %s \"\$@\"\n" "$prefix/libexec/modelgate/update" \
		>foreign.git/hooks/update && chmod 755 foreign.git/hooks/update &&
	cp foreign.git/hooks/update own &&
	install_in foreign.git && cmp own foreign.git/hooks/update && checks foreign.git &&
	git -C work push ../foreign.git main:dev 2>err && said "own hook" &&
	install_sh uninstall "$T/foreign.git" && cmp own foreign.git/hooks/update
'

test_expect 'layout gitlab: beside the hooks that are there, and no push options' '
	git init -q --bare lab.git && mkdir -p lab.git/custom_hooks &&
	printf "#!/bin/sh\nexit 0\n" >lab.git/custom_hooks/pre-receive &&
	chmod 755 lab.git/custom_hooks/pre-receive && snapshot lab.git >lab.before &&
	install_in lab.git && checks lab.git &&
	for hook in pre-receive update post-receive; do
		cmp "$prefix/libexec/modelgate/$hook" "lab.git/custom_hooks/$hook.d/50-modelgate" || return 1
	done &&
	grep -x "source = gitlab" lab.git/custom_hooks/modelgate.ini &&
	! git -C lab.git config receive.advertisePushOptions &&
	[ ! -e lab.git/hooks/pre-receive ] &&
	install_sh uninstall "$T/lab.git" && unchanged lab.git lab.before
'

test_expect 'a path of GitLab is known; the other layout has to be uninstalled first' '
	mkdir -p @hashed/ab/cd && git init -q --bare @hashed/ab/cd/abcd.git &&
	snapshot @hashed/ab/cd/abcd.git >hashed.before &&
	install_sh repo "$T/@hashed/ab/cd/abcd.git" --prefix "$prefix" --state "$T/hashed.state" &&
	[ -x @hashed/ab/cd/abcd.git/custom_hooks/update.d/50-modelgate ] &&
	refuses "uninstall" install_sh repo "$T/@hashed/ab/cd/abcd.git" --prefix "$prefix" --layout git &&
	install_sh uninstall "$T/@hashed/ab/cd/abcd.git" &&
	unchanged @hashed/ab/cd/abcd.git hashed.before
'

test_expect 'so is one of Gitaly Cluster: replicas and pools' '
	for path in @cluster/repositories/ab/cd/12.git @cluster/pools/ab/cd/3.git @pools/ab/cd/abcd.git; do
		git init -q --bare "$path" && snapshot "$path" >cluster.before &&
		install_in "$path" && [ -x "$path/custom_hooks/update.d/50-modelgate" ] && [ ! -e "$path/hooks/update" ] &&
		checks "$path" && rm "$path/modelgate-installed" && rm -r "$path/custom_hooks" &&
		{ "$prefix/bin/modelgate" --repo "$path" check >checked || same 1 $?; } &&
		grep -F "$path/custom_hooks/update.d/50-modelgate is missing" checked && unchanged "$path" cluster.before || return 1
	done
'

test_expect 'the repository of a work tree' '
	git init -q tree && install_in tree && [ -x tree/.git/hooks/pre-receive ] && checks tree &&
	grep -x "name = tree" tree/.git/modelgate.ini
'

test_expect 'refused: no repository, core.hooksPath, hooks shared by a link, a folder others can write' '
	mkdir nothing && refuses "no Git repository" install_in nothing &&
	refuses "there is no repository at $T/absent; make one first: git init --bare $T/absent" \
		install_in absent &&
	git init -q --bare diverted.git && git -C diverted.git config core.hooksPath /elsewhere &&
	refuses "core.hooksPath" install_in diverted.git &&
	git init -q --bare linked.git && rm -r linked.git/hooks && mkdir shared-hooks &&
	ln -s ../shared-hooks linked.git/hooks &&
	refuses "symbolic link" install_in linked.git && [ -z "$(ls shared-hooks)" ] &&
	git init -q --bare open.git && chmod g+w open.git &&
	refuses "chmod go-w" install_in open.git && [ ! -e open.git/modelgate.ini ]
'

test_expect 'push options: true by another name is left alone, twice or nonsense is refused, bytes come back' '
	git init -q --bare push.git && git -C push.git config receive.advertisePushOptions yes &&
	cp push.git/config yes && install_in push.git && cmp yes push.git/config && checks push.git &&
	install_sh uninstall "$T/push.git" && cmp yes push.git/config &&
	git -C push.git config --add receive.advertisePushOptions false && snapshot push.git >push.before &&
	refuses "more than once" install_in push.git && unchanged push.git push.before &&
	git -C push.git config --replace-all receive.advertisePushOptions maybe &&
	refuses "neither true nor false" install_in push.git &&
	printf "[receive] ; mine\n\tadvertisePushOptions = off ; why\n" >>push.git/config &&
	sed -i "/maybe/d" push.git/config && cp push.git/config off && install_in push.git &&
	same true "$(git -C push.git config receive.advertisePushOptions)" &&
	install_sh uninstall "$T/push.git" && cmp off push.git/config &&
	install_in push.git && git -C push.git config other.key here && install_sh uninstall "$T/push.git" &&
	same off "$(git -C push.git config receive.advertisePushOptions)" &&
	same here "$(git -C push.git config other.key)"
'

test_expect 'layout gitlab: a folder of hooks that is a symbolic link is refused' '
	mkdir -p shared/update.d && git init -q --bare lab1.git && ln -s ../shared lab1.git/custom_hooks &&
	git init -q --bare lab2.git && mkdir lab2.git/custom_hooks &&
	ln -s ../../shared/update.d lab2.git/custom_hooks/update.d &&
	for name in lab1 lab2; do
		snapshot $name.git >$name.before &&
		refuses "is a symbolic link" install_in $name.git --layout gitlab &&
		unchanged $name.git $name.before || return 1
	done &&
	same shared/update.d "$(find shared -mindepth 1)"
'

test_expect 'packages that are missing are named, to who is not root' '
	mkdir fake && printf "#!/bin/sh\nprintf \"make=installed git=config-files \"\nexit 1\n" >fake/dpkg-query &&
	printf "#!/bin/sh\necho 1000\n" >fake/id && chmod 755 fake/* &&
	refuses "install -y --no-install-recommends gcc libc6-dev pkg-config" env PATH="$T/fake:$PATH" "$TOP/install.sh" demo &&
	said " git" && said_not " make"
'

test_expect 'paths that would have to be quoted are refused; make install takes blanks in DESTDIR' '
	git init -q --bare blank.git && snapshot blank.git >blank.before &&
	for name in "a b" "a;b" "a#b" "a'\''b" "a\"b" "$(printf "a\tb")"; do
		refuses "may have no blanks" install_sh repo "$T/blank.git" --prefix "$T/$name" &&
		refuses "may have no blanks" install_in blank.git --state "$T/$name" || return 1
	done &&
	unchanged blank.git blank.before &&
	mkdir "a b" && cp -a "$TOP/install.sh" "$TOP/config" "a b/" &&
	! "a b/install.sh" repo "$T/blank.git" 2>err && said "the source tree may have no blanks" &&
	make -C "$TOP" -s BUILD="$T/build" PREFIX="$prefix" DESTDIR="$T/c d" install &&
	[ -x "c d$prefix/bin/modelgate" ] &&
	grep -x "ExecStart=\"$prefix/bin/modelgate\" run" "c d$prefix/lib/systemd/system/modelgate@.service" &&
	make -C "$TOP" -s BUILD="$T/build" PREFIX="$prefix" DESTDIR="$T/c d" uninstall &&
	same "" "$(find "c d" -type f)"
'

test_expect '--state for a configuration that has none: said where to add it, nothing changed' '
	git init -q --bare less.git && printf "[project]\nname = less\n" >less.git/modelgate.ini &&
	snapshot less.git >less.before && refuses "add state = $T/less.git.state to $T/less.git/modelgate.ini" \
		install_in less.git && unchanged less.git less.before && [ ! -e less.git.state ]
'

test_expect 'the system'\''s file: its state before the default, and what it leaves to a repository' '
	mkdir -p "$prefix/etc/modelgate" && git init -q --bare under.git &&
	printf "[modelgate]\nstate = %s ; all\n" "$T/system.state" >"$prefix/etc/modelgate/modelgate.ini" &&
	install_sh repo "$T/under.git" --prefix "$prefix" && [ -d system.state ] && checks under.git &&
	install_sh uninstall "$T/under.git" && [ ! -e under.git/modelgate.ini ] &&
	echo "allow-repository-config = no" >>"$prefix/etc/modelgate/modelgate.ini" &&
	refuses "does not leave the state" install_in under.git && [ ! -e under.git/modelgate.ini ] &&
	install_sh repo "$T/under.git" --prefix "$prefix" &&
	same "[project] name = under" "$(grep -v "^;" under.git/modelgate.ini | xargs)" &&
	printf "[modelgate]\nstate = /x\n" >>under.git/modelgate.ini &&
	refuses "leaves only [project]" install_sh repo "$T/under.git" --prefix "$prefix" &&
	rm -r "$prefix/etc"
'

test_expect 'projects of the system'\''s file that leave the repository out: stopped before anything is changed' '
	mkdir -p "$prefix/etc/modelgate" && git init -q --bare scope.git && keep scope.git &&
	system() { printf "[modelgate]\nprojects = models/*, %s ; these\nprojects.2 = other/x\n" "$1" >"$prefix/etc/modelgate/modelgate.ini"; } &&
	system "/elsewhere/*" && for layout in auto git; do
		refuses "$prefix/etc/modelgate/modelgate.ini says projects = models/*,/elsewhere/*,other/x" install_in scope.git --layout $layout &&
		said "Add $T/scope.git to projects" && is_as_kept scope.git && [ ! -e scope.git.state ] || return 1
	done &&
	for glob in "$T/scope.git" "$T/scope" "$T/s*" "*"; do
		system "$glob" && install_in scope.git >out && ! grep "judges only" out && checks scope.git &&
		install_sh uninstall "$T/scope.git" && is_as_kept scope.git || return 1
	done &&
	system "/elsewhere/*" && install_in scope.git --layout gitlab >out && checks scope.git &&
	grep -F "$prefix/etc/modelgate/modelgate.ini, judges only models/*,/elsewhere/*,other/x: see that this project'\''s path in GitLab is among them." out &&
	install_sh uninstall "$T/scope.git" && is_as_kept scope.git &&
	system "$T/sc*" && install_in scope.git && system "/elsewhere/*" && check_finds scope.git "leaves this repository out" &&
	install_sh uninstall "$T/scope.git" && is_as_kept scope.git && rm -r "$prefix/etc"
'

test_expect 'ended in front of any file that it writes: nothing lies about, and uninstall leaves all as it was' '
	for layout in git gitlab; do
		git init -q --bare ended-$layout.git && keep ended-$layout.git || return 1
		for signal in TERM INT KILL; do
			for at in 1 2 3 4 5; do
				ended_at $signal $at "$T/ended-$layout.git" repo "$T/ended-$layout.git" --prefix "$prefix" --layout $layout \
					--state "$T/ended.state" &&
				! grep "The hooks are in" ended && { [ $signal = KILL ] || same "" "$(leftovers ended-$layout.git)"; } &&
				install_sh uninstall "$T/ended-$layout.git" >out &&
				{ is_as_kept ended-$layout.git || { echo "$layout, $signal, $at:"; cat moves out; return 1; }; } || return 1
			done
		done
		same 5 "$(wc -l <moves)" || return 1
	done
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'as root in the repository of another user: everything is that user'\''s' '
		chmod 755 "$T" && git init -q --bare theirs.git && chown -R 1234:2345 theirs.git &&
		install_in theirs.git && checks theirs.git &&
		same "" "$(find theirs.git theirs.git.state ! \( -user 1234 -group 2345 \))" &&
		install_in theirs.git && install_sh uninstall "$T/theirs.git" &&
		same "" "$(find theirs.git ! \( -user 1234 -group 2345 \))"
	'
	test_expect 'as root: a state folder of somebody else is refused' '
		refuses "belongs to" install_sh repo "$T/theirs.git" --prefix "$prefix" --state "$T/own.state"
	'
	test_expect 'as root: check never takes a state folder that holds something from its owner' '
		install_in theirs.git && chown daemon theirs.git.state && mkdir -p theirs.git.state/audit &&
		check_finds theirs.git "state: $T/theirs.git.state belongs to daemon" &&
		grep -F "write another state = DIR into $T/theirs.git/modelgate.ini" checked &&
		! grep chown checked &&
		rm -rf theirs.git.state/* && check_finds theirs.git "belongs to daemon" &&
		! grep chown checked && chmod 755 theirs.git.state && # it can be seen to be empty
		check_finds theirs.git "belongs to daemon" &&
		grep -x "       chown 1234 $T/theirs.git.state" checked
	'
	test_expect 'as root: a folder is not made where only the repository'\''s own file wants it' '
		git init -q --bare sly.git && mkdir roots &&
		printf "[modelgate]\nstate = %s\n" "$T/roots/sly" >sly.git/modelgate.ini &&
		chown -R 1234:2345 sly.git && snapshot sly.git >sly.before &&
		refuses "state = $T/roots/sly" install_sh repo "$T/sly.git" --prefix "$prefix" &&
		[ ! -e roots/sly ] && unchanged sly.git sly.before &&
		install_sh repo "$T/sly.git" --prefix "$prefix" --state "$T/roots/sly" &&
		same 1234 "$(stat -c %u roots/sly)" && checks sly.git
	'
	test_expect 'as root: check asks as the owner' '
		touch roots/sly/store.db && chown root roots/sly/store.db && check_finds sly.git "state: $T/roots/sly/store.db belongs to root" &&
		rm roots/sly/store.db && checks sly.git &&
		chown root sly.git/hooks/update && chmod 700 sly.git/hooks/update &&
		check_finds sly.git "update is not executable for 1234" &&
		chown 1234 sly.git/hooks/update && chmod 755 sly.git/hooks/update && checks sly.git &&
		mv sly.git/hooks sly.hooks && ln -s ../sly.hooks sly.git/hooks &&
		check_finds sly.git "hooks is a symbolic link" && rm sly.git/hooks && mv sly.hooks sly.git/hooks &&
		chmod 700 "$prefix/bin/modelgate" && check_finds sly.git "1234 may not run" &&
		chmod 755 "$prefix/bin/modelgate" && checks sly.git
	'
else
	test_skip 'as root in the repository of another user' 'not root'
	test_skip 'as root: a folder is not made where only the repository wants it' 'not root'
	test_skip 'as root: check asks as the owner' 'not root'
	test_skip 'as root: a state folder of somebody else is refused' 'not root'
	test_skip 'as root: check never takes a state folder that holds something from its owner' 'not root'
fi

test_expect 'usage: wrong commands and options exit 2 and say in a line what is wrong' '
	for arguments in "" "install" "repo" "repo --layout" "repo a b" "repo --colour red" "check" \
		"check a b" "uninstall" "global" "global x" "bundle" "bundle x" "demo --colour" "test x" "deps x"; do
		status=0
		install_sh $arguments >out 2>err || status=$?
		same "2 of <$arguments>" "$status of <$arguments>" && same 1 "$(wc -l <err)" &&
			said "see ./install.sh help" || return 1
	done &&
	install_sh help >out && grep uninstall out
'

test_done
