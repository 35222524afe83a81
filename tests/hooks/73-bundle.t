#!/bin/sh
# install.sh bundle: what it packs, and that this judges on a server that has Git and nothing else; and
# repositories where GitLab has them, before and after.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chroot.sh"
. "$TEST_LIB/install.sh"

own_build build || test_bail 'no build to begin with'
hash=$(printf '%s' 5 | sha256sum | cut -d ' ' -f 1)
hashed=@hashed/$(echo "$hash" | cut -c 1-2)/$(echo "$hash" | cut -c 3-4)/$hash.git
all='pre-receive update post-receive'

bundle() {
	install_sh bundle "$@" >"$T/said" 2>"$T/err" || {
		cat "$T/err"
		return 1
	}
}

# --- the archive ---

test_expect 'the members, their order, owners, modes and times' '
	bundle "$T/a.tar" --state /var/opt/modelgate --project churn && cat >expected <<-EOT &&
		drwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/
		-rw-r--r-- 0/0 2000-01-01 00:00 custom_hooks/modelgate.ini
		drwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/post-receive.d/
		-rwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/post-receive.d/50-modelgate
		drwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/pre-receive.d/
		-rwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/pre-receive.d/50-modelgate
		drwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/update.d/
		-rwxr-xr-x 0/0 2000-01-01 00:00 custom_hooks/update.d/50-modelgate
	EOT
	tar --numeric-owner -tvf a.tar | awk "{ print \$1, \$2, \$4, \$5, \$6 }" >listed && diff expected listed &&
	same 644 "$(stat -c %a a.tar)" && grep "gitaly hooks set" said && grep -F "install -d -m 700" said
'

test_expect 'the configuration: GitLab, the state, no runner; the hooks are those that were built' '
	mkdir a && tar -C a -xf a.tar custom_hooks && for hook in $all; do
		cmp "build/bin/$hook" "a/custom_hooks/$hook.d/50-modelgate" || return 1
	done &&
	same "[project] name = churn [modelgate] state = /var/opt/modelgate [identity] source = gitlab [runner] wake = none" \
		"$(sed "s/ *;.*//; /^$/d" a/custom_hooks/modelgate.ini | xargs)"
'

test_expect 'made again, elsewhere and by another umask, it is the same to the byte' '
	mkdir deep && (umask 077 && cd deep && bundle b.tar --state /var/opt/modelgate --project churn) &&
	cmp a.tar deep/b.tar && same b.tar "$(ls -A deep)" && same 644 "$(stat -c %a deep/b.tar)"
'

test_expect 'a configuration of one'\''s own goes in as it is' '
	printf "; mine\n[modelgate]\nstate = /srv/gate\nmode = shadow\n[identity]\nsource = gitlab\n" >own.ini &&
	bundle "$T/own.tar" --config own.ini && tar -xOf own.tar custom_hooks/modelgate.ini | cmp - own.ini &&
	grep -F "/srv/gate" said
'

test_expect 'a key that only the system'\''s file may have is MG901 on the server, and so here' '
	cp own.tar before && for line in "projects = models/*" "allow-repository-config = yes"; do
		sed "2s,\$,\n$line," own.ini >keys.ini && grep -xF -e "$line" keys.ini &&
		refuses "MG901" install_sh bundle own.tar --config keys.ini && said "keys.ini" && cmp own.tar before || return 1
	done &&
	mkdir -p strict/etc/modelgate && printf "[modelgate]\nallow-repository-config = no\n" >strict/etc/modelgate/modelgate.ini &&
	bundle "$T/strict.tar" --config own.ini --prefix "$T/strict" && bundle "$T/own.tar" --config own.ini
'

test_expect 'refused, and an archive that is there stays: no state, a relative one, a wrong configuration' '
	cp a.tar before && for arguments in "" "--state" "--state var/x" "--state /x --config own.ini" "x --state /x" \
		"--project a --config own.ini" "--colour red"; do
		{ install_sh bundle a.tar $arguments >out 2>err; status=$?; } &&
		same "2 of <$arguments>" "$status of <$arguments>" && said "see ./install.sh help" || return 1
	done &&
	refuses "no file" install_sh bundle a.tar --config absent && echo "colour = red" >>own.ini &&
	refuses "MG901" install_sh bundle a.tar --config own.ini && sed -i "/colour/d; s/gitlab/os/" own.ini &&
	refuses "says source = os" install_sh bundle a.tar --config own.ini &&
	refuses "there is no folder" install_sh bundle absent/a.tar --state /x &&
	refuses "is a folder" install_sh bundle deep --state /x && cmp a.tar before && same "" "$(ls -A | grep "~$")"
'

test_expect 'ended in front of the last step: the archive that is there stays, and nothing else' '
	mkdir bundles && cp a.tar bundles/c.tar && for signal in TERM INT; do
		ended_at $signal 1 "$T/bundles" bundle "$T/bundles/c.tar" --state /elsewhere && ! grep "^wrote" ended &&
		cmp a.tar bundles/c.tar && same c.tar "$(ls -A bundles)" || return 1
	done
'

# --- where GitLab has repositories ---

test_expect 'repo on a hashed path: the layout is GitLab'\''s; uninstall leaves it to the byte' '
	git init -q --bare "$hashed" && keep "$hashed" && install_sh repo "$T/$hashed" --prefix "$T/prefix" --state "$T/hashed.state" &&
	install_sh check "$T/$hashed" && for hook in $all; do
		cmp "prefix/libexec/modelgate/$hook" "$hashed/custom_hooks/$hook.d/50-modelgate" || return 1
	done && grep -x "source = gitlab" "$hashed/custom_hooks/modelgate.ini" &&
	install_sh repo "$T/$hashed" --prefix "$T/prefix" --state "$T/hashed.state" &&
	install_sh uninstall "$T/$hashed" && is_as_kept "$hashed"
'

test_expect 'uninstall leaves a repository with hooks of its own, and a plain one, to the byte' '
	mkdir -p "$hashed/custom_hooks/update.d" && printf "#!/bin/sh\nexit 0\n" >"$hashed/custom_hooks/update.d/20-own" &&
	chmod 755 "$hashed/custom_hooks/update.d/20-own" && touch -d 2020-02-02 "$hashed/custom_hooks/update.d/20-own" &&
	keep "$hashed" && install_sh repo "$T/$hashed" --prefix "$T/prefix" --state "$T/hashed.state" &&
	install_sh uninstall "$T/$hashed" && is_as_kept "$hashed" &&
	git init -q --bare plain.git && git -C plain.git config receive.denyDeletes true && touch -d 2020-02-02 plain.git/config &&
	keep plain.git && install_sh repo "$T/plain.git" --prefix "$T/prefix" --state "$T/plain.state" &&
	install_sh uninstall "$T/plain.git" && is_as_kept plain.git
'

# --- on a server with Git and nothing else ---

# Git as the server has it, one repository of the user 1234, and the way to it.  Git itself is in the place of
# Gitaly here: its hooks are links to those of the bundle.
new_git_server() {
	git=$(command -v git) && core=$(git --exec-path)/git && new_chroot server &&
		chroot_take server "$git" "$core" && git init -q --bare "server/$hashed" &&
		rm -f "server/$hashed/hooks"/* && git -C "server/$hashed" config receive.autogc false &&
		for hook in $all; do
			ln -s "../custom_hooks/$hook.d/50-modelgate" "server/$hashed/hooks/$hook" || return 1
		done &&
		echo "git:x:1234:1234::/:/bin/false" >server/etc/passwd &&
		install -d -m 700 -o 1234 -g 1234 server/state && chown -R 1234:1234 server/@hashed &&
		cat >serve <<-EOT && chmod 755 serve
			#!/bin/sh
			. "$TEST_LIB/chroot.sh"
			T=$T
			in_chroot server 1234 GL_ID=user-17 GL_USERNAME=ivanov GL_REPOSITORY=project-5 GL_PROTOCOL=ssh \\
				GL_PROJECT_PATH=models/churn CORRELATION_ID=push-\$\$ $git "\${1#git-}" "/$hashed"
		EOT
}

# As Gitaly does it: as its user, in the repository.
hooks_set() {
	(umask "${2:-022}" && cd "$T/server/$hashed" &&
		setpriv --reuid=1234 --regid=1234 --clear-groups tar -xf - custom_hooks) <"$1"
}

push_there() {
	git -c protocol.ext.allow=always push "ext::$T/serve %S" "$@"
}

records() {
	json_count "$@" <"$T/server/state/audit/audit.jsonl"
}

there() {
	git -c safe.directory='*' -C "$T/server/$hashed" rev-parse -q --verify "$1"
}

if [ "$(id -u)" -ne 0 ]; then
	test_expect 'root is needed for what follows: chroot(2), mknod(2)' 'echo "run this test as root" && false'
else
	test_expect 'a server that holds git, its libraries, dev/null, dev/urandom and etc/passwd' '
		new_git_server && bundle "$T/c.tar" --state /state && hooks_set c.tar &&
		chroot_take_gate server "$T/build/bin/pre-receive" &&
		same "1234" "$(find "server/$hashed/custom_hooks" -printf "%U\n" | sort -u)" &&
		[ ! -e server/bin/sh ] && [ ! -e server/usr/bin/sh ]
	'
	test_expect 'there a merge lands: judged, recorded, by whom GitLab says, with its pipeline' '
		git init -q work && cd work && git switch -q -c dev && commit a && git switch -q -c main &&
		expect_accept push_there dev main && git switch -q dev && commit b && git switch -q main && merge_in dev &&
		expect_accept push_there dev main && said "created: chain dev on main $(short main)" &&
		same "$(git rev-parse main)" "$(there main)" && same "2 2" \
			"$(records event=push.accepted) $(records "event=push.*" actor.name=ivanov repository.project=churn)"
	'
	test_expect 'and a direct commit does not: MG102, nothing has changed' '
		cd work && before=$(there main) && commit direct.txt &&
		{ ! push_there main 2>"$T/err" || return 1; } && said "MG102: " && said "was made on main itself" &&
		same "$before" "$(there main)" && same 1 "$(records event=push.rejected refs.0.code=MG102)" &&
		git reset -q --hard HEAD~1 && git switch -q dev && commit c && git switch -q main && merge_in dev &&
		expect_accept push_there dev main && same "$(git rev-parse main)" "$(there main)"
	'
	test_expect 'the same set again, by the umask of a careful server' '
		rm -r "server/$hashed/custom_hooks" && hooks_set c.tar 077 && cd work && commit direct.txt &&
		{ ! push_there main 2>"$T/err" || return 1; } && said "MG102: " &&
		git reset -q --hard HEAD~1 && git switch -q dev && commit d && expect_accept push_there dev
	'
fi

test_done
