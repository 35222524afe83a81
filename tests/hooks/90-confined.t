#!/bin/sh
# What a hook can do after its start: read its repository, write its state, run the server's git; and the
# shapes of repositories in which that has to be enough.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

# --- repositories whose next push has git itself merge, and starts a runner ---

# The repository base with its clone, in which main is ahead of origin by a merge of dev: both sides have changed
# the same file since they parted, in different lines.
diverge() {
	new_server base && server_set base "branch \"main\"" merge-from "dev, hotfix" && new_project base base.work &&
		cd base.work && commit both.txt "$(seq 9)" && expect_accept git push -q origin dev &&
		expect_accept merge_push dev main && at main && git switch -q -c hotfix && change 1 &&
		at dev && change 9 && at main && merge_in hotfix &&
		expect_accept git push -q origin hotfix dev main && merge_in dev && cd "$T" || return 1
}

# New repository NAME with a clone NAME.work, a copy of it.
diverged() {
	for part in git state work; do
		cp -a "base.$part" "$1.$part" || return 1
	done
	sed -i "s,base,$1,g" "$(server_file "$1")" && git -C "$1.work" remote set-url origin "$T/$1.git" &&
		TEST_SERVERS="$TEST_SERVERS $1"
}

change() {
	sed -i "$1s/\$/x/" both.txt && test_tick && git commit -q -a -m "Line $1"
}

# Its push lands, by way of URL if given.
lands_merged() {
	expect_accept git -C "$T/$1.work" push "${2:-origin}" main && said "created: chain dev on main" &&
		audit_has "$1" event=push.accepted refs.0.method=merge "refs.0.new=$(git -C "$T/$1.work" rev-parse main)"
}

# --- calls ---

# Why ordinary users see less of a gate.
hides='not root, who alone can look into a confined process'

test_expect 'a repository' '
	diverge && diverged shop && server_set shop runner wake spawn
'

test_expect 'a process is left out that was made before the hook gave up its rights, none that was made later' '
	printf "%s\n" "1 execve(\"hooks/update\", []) = 0" "1 clone(child_stack=NULL) = 2" "2 setsid() = 2" \
		"2 socket(AF_INET) = 3" "1 landlock_restrict_self(3, 0) = 0" "1 clone(child_stack=NULL) = 4" \
		"4 setsid() = 4" "4 connect(3) = 0" >crafted && "$TEST_LIB/gate-calls" crafted >left &&
	grep -x "update starter" left && grep -x "update connect" left && grep -x "update held" left && { ! grep socket left; }
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'a push that has git merge, and starts a runner, is traced' '
		cd shop.work && expect_accept env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -qq -o "$T/trace" git push origin main &&
		said "pipeline" && "$TEST_LIB/gate-calls" "$T/trace" >"$T/calls" &&
		wait_for 30 audit_has shop event=pipeline.finished repository.project=shop
	'

	test_expect 'all three hooks were seen, with the git that one started and nothing else' '
		for one in pre-receive update post-receive; do
			grep -x "$one exit_group" calls && grep -x "$one openat" calls || return 1
		done &&
		if has_landlock; then
			same "post-receive held pre-receive held update held" "$(grep held calls | sort | xargs)" || return 1
		fi &&
		same "pre-receive executes /usr/bin/git" "$(grep executes calls)" &&
		same "post-receive starter pre-receive starter update starter" "$(grep starter calls | sort | xargs)"
	'

	# But that git cannot freshen an object which it would write again: then it writes it, into the scratch folder.
	test_expect 'no call of theirs has to do with the network, and none was refused' '
		! grep -E " (socket|socketpair|connect|bind|listen|accept4?|send(to|msg|mmsg)|recv(from|msg|mmsg)|getaddrinfo)$" calls &&
		grep -E "^[0-9]+ +socket\(" trace | head -n 1 >control && [ -s control ] &&
		! grep -E " = -1 E(PERM|ACCES) " trace | grep -v -e TCGETS -e "utimensat(AT_FDCWD, .*/objects/"
	'

	test_expect 'and nothing was written but the state' '
		grep " writes $T/shop.state/store.db" calls && grep " writes $T/shop.state/audit/audit.jsonl" calls &&
		! grep " writes " calls | grep -v -e " /dev/null$" -e " writes $T/shop.state/"
	'
else
	test_skip 'a push that has git merge, and starts a runner, is traced' "$hides"
	test_skip 'all three hooks were seen, with the git that one started and nothing else' "$hides"
	test_skip 'no call of theirs has to do with the network, and none was refused' "$hides"
	test_skip 'and nothing was written but the state' "$hides"
fi

# --- who starts the runner, lost ---

# The starter of repository NAME's post-receive stops as it begins.
stop_starter() {
	mv "$1.git/hooks/post-receive" "$1.git/last" &&
		printf '#!/bin/sh\nexec strace -f -qq -o "%s" -e trace=setsid,write -e inject=setsid:signal=SIGSTOP "%s"\n' \
			"$T/stopped" "$T/$1.git/last" >"$1.git/hooks/post-receive" && chmod 755 "$1.git/hooks/post-receive"
}

# It shows nothing to other processes of its user, and leaves no core file.
is_hidden() {
	grep -q "^Max core file size *0 *0 " "/proc/$1/limits"
}

was_told() {
	grep -E "write\([0-9]+, \"w\", 1" "$T/stopped"
}

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'a starter that is killed before it has read what it was told: no runner was started, and that is said' '
		diverged lost && server_set lost runner wake spawn && stop_starter lost &&
		{ ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" prlimit --core=unlimited:unlimited \
			git -C lost.work push origin main >"$T/out" 2>"$T/err" & } && PUSHER=$! &&
		wait_for 30 was_told && STARTER=$(sed -n "s/ .*setsid().*//p" stopped) && is_hidden "$STARTER" && kill -s KILL "$STARTER" && wait "$PUSHER" &&
		said "could not be started now: no runner was started" && said "run --drain" &&
		audit_has lost event=push.accepted "refs.0.new=$(git -C lost.work rev-parse main)"
	'

	test_expect 'the next push has it started, for both' '
		mv lost.git/last lost.git/hooks/post-receive && cd lost.work && expect_accept git push -q origin main:feature && cd "$T" &&
		wait_for 30 audit_has lost event=pipeline.finished
	'
else
	test_skip 'a starter that is killed before it has read what it was told: no runner was started, and that is said' "$hides"
	test_skip 'the next push has it started, for both' "$hides"
fi

# --- what a process shows of itself, and leaves when it crashes ---

# CMD in the folder cores, where it may leave a core file as large as it likes.
mkdir cores
may_leave_a_core() {
	cd "$T/cores" && exec prlimit --core=unlimited:unlimited "$@" >"$T/out" 2>"$T/err"
}

# How many filters of calls the process PID has; below a container's, each has one already.
filters_of() {
	sed -n "s/^Seccomp_filters:.//p" "/proc/$1/status"
}

is_confined() {
	HELD=$(cat "$T/held") && grep -qx "NoNewPrivs:.1" "/proc/$HELD/status" &&
		[ "$(filters_of "$HELD")" -gt "$(filters_of $$)" ]
}

# A core file is written where the process is, or where the machine has it.
no_core() {
	same "" "$(find "$T/cores" "$T/quiet.git" -name "*core*" -type f)"
}

test_expect 'a hook at work has given up what it can' '
	diverged quiet && : >open && mv quiet.git/hooks/pre-receive quiet.git/real &&
	printf "#!/bin/sh\necho \$\$ >\"%s\"\nexec \"%s\" 7<\"%s\"\n" "$T/held" "$T/quiet.git/real" "$T/open" >quiet.git/hooks/pre-receive &&
	chmod 755 quiet.git/hooks/pre-receive &&
	background flock -o "$(state quiet)/audit/lock" sleep 100 && HOLDER=$! &&
	{ may_leave_a_core git -C "$T/quiet.work" push origin main & } && PUSHER=$! &&
	wait_for 20 is_confined && is_hidden "$HELD"
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'of what was open it has closed what is not its own' '
		ls -l "/proc/$HELD/fd" >fds && grep pipe fds && { ! grep "$T/open\$" fds; }
	'
else
	test_skip 'of what was open it has closed what is not its own' "$hides"
fi

test_expect 'crashed, it leaves no core file, and has let nothing pass' '
	before=$(tip quiet main) && kill -s SYS "$HELD" && { ! wait "$PUSHER"; } && said "pre-receive hook declined" &&
	same "$before" "$(tip quiet main)" && no_core
'

test_expect 'so does the command, which reads secrets' '
	{ may_leave_a_core modelgate --repo "$T/quiet.git" audit verify & } && VERIFIER=$! &&
	wait_for 20 is_hidden "$VERIFIER" && kill -s SYS "$VERIFIER" && { ! wait "$VERIFIER"; } && no_core
'

test_expect 'where another program crashes, there is one, if the machine writes them there' '
	{ may_leave_a_core sleep 100 & } && sleeper=$! && wait_for 10 grep -q "^Name:.sleep" "/proc/$sleeper/status" &&
	! is_hidden "$sleeper" && kill -s SYS "$sleeper" && { ! wait "$sleeper"; } &&
	{ [ "$(cat /proc/sys/kernel/core_pattern)" != core ] || [ -n "$(find cores -name "core*")" ]; } &&
	rm -f cores/*
'

test_expect 'the next push lands' '
	kill "$HOLDER" && { wait "$HOLDER" || :; } && lands_merged quiet && audit_valid quiet
'

# --- what has to be enough ---

test_expect 'objects of a pool, which has its own of another one by a relative path' '
	diverged borrower && git init -q --bare pool.git && git init -q --bare deep.git &&
	cp -a borrower.git/objects/. deep.git/objects/ && rm -r borrower.git/objects/?? &&
	echo ../../deep.git/objects >pool.git/objects/info/alternates &&
	echo "$T/pool.git/objects" >borrower.git/objects/info/alternates && lands_merged borrower
'

test_expect 'a repository, its parts and its state that are links to elsewhere; a path with links' '
	diverged linked && mkdir -p far/parts && for one in objects refs; do
		mv "linked.git/$one" far/parts/ && ln -s "$T/far/parts/$one" "linked.git/$one" || return 1
	done &&
	mv "$(state linked)" far/state && ln -s far/state "$(state linked)" &&
	mv far/state/audit far/audit && ln -s ../audit far/state/audit &&
	ln -s linked.git by-a-link && lands_merged linked "$T/by-a-link"
'

test_expect 'pools of which parts are links to elsewhere' '
	diverged packed && cp -a packed.git under.git && git -C under.git repack -a -d -q && git init -q --bare over.git &&
	mkdir -p far/pools && mv under.git/objects/pack far/pools/ && ln -s "$T/far/pools/pack" under.git/objects/pack &&
	mv over.git/objects/info far/pools/ && ln -s "$T/far/pools/info" over.git/objects/info &&
	echo "$T/under.git/objects" >far/pools/info/alternates && rm -rf packed.git/objects/?? packed.git/objects/pack/* &&
	echo "$T/over.git/objects" >packed.git/objects/info/alternates && lands_merged packed
'

test_expect 'a linked worktree' '
	diverged tree && git -C tree.git worktree add -q --detach "$T/tree.linked" main && lands_merged tree "$T/tree.linked"
'

test_expect 'a configuration that includes others, which include others' '
	diverged including && mkdir -p far/config && printf "[core]\n\tlogAllRefUpdates = true\n" >far/config/deepest &&
	printf "[include]\n\tpath = deepest\n" >far/config/deep && printf "[include]\n\tpath = deep\n" >far/config/one &&
	git -C including.git config include.path "$T/far/config/one" &&
	git -C including.git config includeIf.gitdir:/.path ../far/config/deep &&
	same true "$(git -C including.git config core.logAllRefUpdates)" && lands_merged including
'

# A file that names itself: there is no end to its names.
test_expect 'a configuration that includes others on conditions, one reached through the other' '
	diverged conditions && mkdir -p far/conditions && printf "[core]\n\tlogAllRefUpdates = true\n" >far/conditions/third &&
	printf "[includeIf \"gitdir:/\"]\n\tpath = third\n[includeIf \"gitdir:/none/\"]\n\tpath = ./second\n" >far/conditions/second &&
	printf "[include]\n\tpath = second\n" >far/conditions/first &&
	git -C conditions.git config includeIf.gitdir:/.path ../far/conditions/first &&
	same true "$(git -C conditions.git config core.logAllRefUpdates)" && lands_merged conditions
'

test_expect 'hooks by a relative path' '
	diverged relative && mv relative.git/hooks hooks.relative &&
	git -C relative.git config core.hooksPath ../hooks.relative && lands_merged relative
'

test_expect 'no state directory: said, not made elsewhere; with one, the same push lands' '
	diverged homeless && mv "$(state homeless)" kept.state && cd homeless.work &&
	expect_reject MG903 git push origin main:feature && [ ! -e "$(state homeless)" ] &&
	mv "$T/kept.state" "$(state homeless)" && lands_merged homeless
'

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'a repository in which the user of the hook may not write' '
		diverged strict && cd strict.work && expect_accept git push -q origin main:refs/heads/feature && cd "$T" &&
		chmod 755 "$T" && chmod -R a+rX strict.git && chown -R 65534 "$(state strict)" &&
		echo "$(tip strict main) $(git -C strict.work rev-parse main) refs/heads/main" >input &&
		(cd strict.git && GIT_DIR=. setpriv --reuid 65534 --clear-groups hooks/pre-receive <"$T/input" 2>"$T/err") &&
		audit_has strict event=push.accepted refs.0.method=merge "refs.0.new=$(git -C strict.work rev-parse main)"
	'
else
	test_skip 'a repository in which the user of the hook may not write' 'only root can be another user'
fi

# --- a kernel that refuses ---

# COMMAND in sixteen layers of Landlock, after which the kernel takes no more.
in_layers() {
	perl -e '
		my $prctl = { x86_64 => 157, aarch64 => 167 }->{ (split " ", `uname -m`)[0] } or die "which machine?\n";
		syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "prctl: $!\n";
		for (1 .. 16) {
			my $handled = pack "Q", 1 << 6; # to make character devices
			my $rules = syscall(444, $handled, 8, 0);
			die "Landlock: $!\n" if $rules < 0;
			syscall(446, $rules, 0) == 0 or die "restrict: $!\n";
		}
		exec @ARGV or die "$ARGV[0]: $!\n"' "$@"
}

# What a hook of REPOSITORY is given for the move of main to its clone's.
main_moves() {
	echo "$(tip "$1" main) $(git -C "$1.work" rev-parse main) refs/heads/main" >"$T/in"
}

if has_landlock; then
	test_expect 'a hook that cannot be confined rejects' '
		diverged held && expect_accept git -C held.work push -q origin main:feature && main_moves held && cd held.git &&
		{ ! GIT_DIR=. in_layers hooks/pre-receive <"$T/in" 2>"$T/err"; } && said MG902 && said "cannot be confined" &&
		GIT_DIR=. hooks/pre-receive <"$T/in"
	'

	test_expect 'post-receive says so, and goes on' '
		cd held.git && git update-ref refs/heads/main feature && GIT_DIR=. in_layers hooks/post-receive <"$T/in" 2>"$T/err" &&
		said "warning: the hook cannot be confined" && said "created: chain dev on main"
	'
else
	test_skip 'a hook that cannot be confined' 'this kernel has no Landlock that could refuse'
fi

# --- what somebody has planted ---

# Programs that leave a mark, wherever git or a library would run one: in the configuration and attributes of the
# repository, in the environment (PLANTED), on the path.  GIT is the one that is found without it.
GIT=$(command -v git)

make_evil() {
	mkdir evil && printf '#!/bin/sh\necho "$0 $*" >>"%s"\nexit 1\n' "$T/marked" >evil/mark && chmod 755 evil/mark &&
		cp evil/mark evil/git && cp evil/mark evil/git-merge-tree && cp evil/mark evil/sh &&
		printf '[core]\n\tfsmonitor = %s\n' "$T/evil/mark" >evil/included &&
		cc -shared -fPIC -o evil/mark.so -x c - <<-C
			#include <stdio.h>
			static void __attribute__((constructor)) mark(void)
			{
				FILE *f = fopen("$T/marked", "a");

				if (f != NULL && fputs("preloaded\n", f) >= 0)
					fclose(f);
			}
		C
}

plant() {
	printf '* merge=evil diff=evil filter=evil\n' >"$1.git/info/attributes" || return 1
	for one in core.fsmonitor core.sshCommand core.editor core.pager core.askPass core.gitProxy diff.external \
		core.alternateRefsCommand uploadpack.packObjectsHook gpg.program gpg.ssh.program sequence.editor \
		merge.evil.driver diff.evil.command diff.evil.textconv filter.evil.clean filter.evil.smudge \
		filter.evil.process credential.helper; do
		git -C "$1.git" config "$one" "$T/evil/mark" || return 1
	done
	git -C "$1.git" config core.hooksPath "$T/evil" && git -C "$1.git" config alias.merge-tree "!$T/evil/mark" &&
		git -C "$1.git" config include.path "$T/evil/included" &&
		git -C "$1.git" config trace2.normalTarget "$T/marked" || return 1
	PLANTED="PATH=$T/evil:$PATH BASH_ENV=$T/evil/mark ENV=$T/evil/mark GIT_EXEC_PATH=$T/evil GIT_TEMPLATE_DIR=$T/evil
		GIT_CONFIG_NOSYSTEM=0 GIT_CONFIG_GLOBAL=$T/$1.git/config GIT_CONFIG_SYSTEM=$T/$1.git/config
		GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=merge.default GIT_CONFIG_VALUE_0=evil"
	for one in EXTERNAL_DIFF SSH SSH_COMMAND ASKPASS EDITOR SEQUENCE_EDITOR PAGER PROXY_COMMAND; do
		PLANTED="$PLANTED GIT_$one=$T/evil/mark"
	done
	for one in TRACE TRACE2 TRACE2_EVENT TRACE2_PERF TRACE_SETUP TRACE_PERFORMANCE TRACE_PACK_ACCESS; do
		PLANTED="$PLANTED GIT_$one=$T/marked"
	done
	# A gate that was built with sanitizers is linked dynamically, and wants to be loaded first.
	readelf -lW "$1.git/hooks/pre-receive" | grep -q '^  INTERP ' ||
		PLANTED="$PLANTED LD_PRELOAD=$T/evil/mark.so"
}

# CMD in repository NAME, with all that is planted.
among() {
	cd "$T/$1.git" && shift && env $PLANTED GIT_DIR=. "$@"
}

test_expect 'nothing is run that is planted in the repository or in the environment, when git merges' '
	diverged sown && cd sown.work && expect_accept git push -q origin main:refs/heads/feature && cd "$T" &&
	echo "$(tip sown main) $(git -C sown.work rev-parse main) refs/heads/main" >input &&
	OURS=$(git -C sown.work rev-parse main^1) && THEIRS=$(git -C sown.work rev-parse main^2) && make_evil && plant sown &&
	(among sown hooks/pre-receive <input 2>"$T/err" || { cat "$T/err" && exit 1; }) &&
	audit_has sown event=push.accepted refs.0.method=merge "refs.0.new=$(git -C sown.work rev-parse main)" &&
	[ ! -e marked ]
'

test_expect 'where git is run as it is, it is' '
	{ (among sown "$GIT" merge-tree --write-tree "$OURS" "$THEIRS") || :; } && grep "evil/mark" marked >marks &&
	case $PLANTED in *LD_PRELOAD*) grep preloaded marked ;; esac
'

test_done
