# shellcheck shell=sh
# The library of the hook tests: TAP for prove(1), throwaway servers and clones, real pushes.
#
#	#!/bin/sh
#	# What this file shows, in a line.
#	. "${0%/*}/../lib/test.sh"
#
#	new_server shop                        # $T/shop.git, with the hooks of the build under test
#	new_clone shop work                    # $T/work, with origin
#	test_expect 'a commit on main itself is rejected' '
#		cd work && git switch -q main && commit a.txt &&
#		expect_reject MG102 git push origin main &&
#		audit_has shop event=push.rejected refs.0.code=MG102
#	'
#	test_done
#
# Run one file with `make test-root && prove -v tests/hooks/NN-name.t`, all with `make hooks-test`.
#
# The surroundings.  Nothing of the machine's is seen: HOME, Git's configuration, names, dates, time
# zone, language and umask (022) are the test's own.  T is a private folder, removed at the end with
# all that was started; where KEEP=1 it stays and is named.  Work in it, under any name.
#	T           the test's folder, absolute
#	TOP         the source tree
#	BUILD       the build folder, absolute; ROOT the prefix in it with the programs under test
#
# Tests
#	test_expect TITLE SCRIPT   Run SCRIPT in this shell, in $T; it must succeed.  Its commands are
#	                           joined by &&, so that no failure goes unseen: a script that is not is
#	                           a failed test (put what needs || into { } or a function).  What it
#	                           prints is shown if it fails.  Variables stay set; `return 1` ends it.
#	test_skip TITLE WHY        One skipped test, for what this machine cannot do.  Never skip what
#	                           the test packages of install.sh bring.
#	test_done                  Last line of every file.  Every record of every audit log below $T is
#	                           held against config/audit-record.schema.json.
#
# Servers and clones
#	new_server NAME            Bare repository $T/NAME.git with our three hooks, state folder
#	                           $T/NAME.state (mode 0700), and a modelgate.ini that says: [project]
#	                           name = NAME, that state, source = os, engine = archive, wake = none.
#	server_set NAME SECTION KEY VALUE
#	                           Set one key there, adding section or key: server_set shop runner wake
#	                           spawn; server_set shop 'branch "prod"' roles release
#	server_file NAME           Path of that modelgate.ini, to be written as a whole.
#	new_clone NAME DIR [URL]   Clone of NAME at $T/DIR (from URL if given).
#	new_project NAME DIR       `modelgate new` at $T/DIR with origin NAME, the five branches pushed;
#	                           HEAD is on dev.  The DVC remote is $T/NAME.dvc.
#	tip NAME REF               Id of REF on the server; "none" where there is none.
#	state NAME                 Path of its state folder.
#
# Commits, in the work tree we are in; each is a minute younger than the last
#	commit FILE [CONTENT]      Write FILE (CONTENT, or its name and a number), add, commit.
#	merge_in SOURCE            Merge SOURCE into the checked-out branch, always by a merge commit.
#	merge_push SOURCE TARGET   Fetch, bring TARGET to origin's, merge SOURCE into it (in that way),
#	                           push TARGET.  SOURCE is a local name.  Stays on TARGET.
#	test_tick                  Move the date on by a minute, before a git command that makes commits.
#
# Pushes; what the command printed is in $T/out and $T/err
#	expect_accept CMD...       CMD succeeds, and prints no "modelgate: rejected".
#	expect_reject CODE CMD...  CMD fails, prints a line "modelgate: ... CODE: ...", and not one
#	                           reference of any server has changed.  Several codes: MG102,MG201.
#	said TEXT                  $T/err holds TEXT (fixed text, one line).
#	said_not TEXT
#
# Looking
#	mg NAME ARG...             The command on that server: modelgate --repo $T/NAME.git ARG...
#	drain NAME                 mg NAME run --drain: every stage that can run has run.
#	json PATH                  Standard input is JSON; print the value at PATH: pipelines.0.status
#	                           (objects and arrays come as JSON; nothing there: fails).
#	json_count PATH=VALUE...   Standard input is JSON, one a line; how many match all.  VALUE may be
#	                           a glob; a "*" in PATH stands for any index: refs.*.ref=refs/heads/x
#	audit NAME                 Path of the server's audit.jsonl.
#	audit_has NAME PATH=VALUE...   A record matches all.
#	audit_count NAME PATH=VALUE... How many do.
#	audit_valid NAME           modelgate audit verify says that nothing was touched.
#	stage_status NAME ID STAGE     Status word of a stage of pipeline ID.
#	same A B                   The two texts are equal; both are shown if not.
#	wait_for SECONDS CMD...    Until CMD succeeds, at most that long, TEST_PATIENCE (1) times.  There is no other
#	                           waiting.
#
# Transports; each is started once, listens on loopback only, and ends with the test
#	start_sshd                 ssh_url NAME gives the URL.  Pushers are the user who runs the test.
#	start_httpd                http_url NAME [USER] gives the URL; users are alice (default), boris.
#	background CMD...          Start CMD; it ends with the test.  Its id is in $!.

set -u

TEST_LIB=$(cd "${0%/*}/../lib" && pwd) || exit 1
TOP=$(cd "$TEST_LIB/../.." && pwd) || exit 1
BUILD=${MODELGATE_BUILD:-$TOP/build}
case $BUILD in
/*) ;;
*) BUILD=$TOP/$BUILD ;;
esac
ROOT=$BUILD/root

TEST_COUNT=0
TEST_FAILED=0
TEST_PIDS=
TEST_SERVERS=
TEST_DATE=1788250000

test_bail() {
	echo "Bail out! $*"
	exit 1
}

for test_program in bin/modelgate libexec/modelgate/pre-receive libexec/modelgate/update \
	libexec/modelgate/post-receive; do
	[ -x "$ROOT/$test_program" ] || test_bail "$ROOT/$test_program is missing: make test-root"
done

T=$(mktemp -d "${TMPDIR:-/tmp}/modelgate-test.XXXXXX") || test_bail 'no temporary folder'
T=$(cd "$T" && pwd -P) || test_bail 'no temporary folder'

# What the user's surroundings say must not matter.  (With PYTHONDONTWRITEBYTECODE an MLflow takes twice as long to
# start, each time.)
for test_variable in $(env | sed -n 's/^\(GIT_[A-Z_]*\|GL_[A-Z_]*\|SSH_[A-Z_]*\|[A-Za-z]*_proxy\|[A-Z]*_PROXY\|SSL_CERT_[A-Z]*\|NOTIFY_SOCKET\|WATCHDOG_[A-Z]*\|REMOTE_USER\|SUDO_UID\|CORRELATION_ID\|PYTHON[A-Z]*\)=.*/\1/p'); do
	unset "$test_variable"
done
unset CDPATH MODELGATE_BUILD test_variable test_program
umask 022
HOME=$T/home
XDG_CONFIG_HOME=$HOME/.config
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=$HOME/.gitconfig
GIT_TERMINAL_PROMPT=0
GIT_AUTHOR_NAME='A. Ivanov' GIT_AUTHOR_EMAIL=ivanov@example.com
GIT_COMMITTER_NAME='A. Ivanov' GIT_COMMITTER_EMAIL=ivanov@example.com
GIT_MERGE_AUTOEDIT=no
LC_ALL=C
TZ=UTC
TERM=dumb
PATH=$ROOT/bin:$PATH
export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_TERMINAL_PROMPT \
	GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_MERGE_AUTOEDIT \
	LC_ALL TZ TERM PATH
# Debian's, which the packages are for: a user's may be a script that looks for versions, ten times as long.
python3() {
	/usr/bin/python3 "$@"
}

mkdir -p "$HOME" "$T/.run" || test_bail 'no temporary folder'
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.auto 0
# With that there would be nothing for it to do, at each push and commit.
git config --global receive.autogc false
git config --global maintenance.auto false
cd "$T" || exit 1

test_clean() {
	test_status=$?
	trap '' INT TERM HUP
	for test_pid in $TEST_PIDS; do # a negative one: its whole process group
		kill -s TERM -- "$test_pid" 2>/dev/null && wait "${test_pid#-}" 2>/dev/null
	done
	cd /
	if [ "${KEEP:-}" = 1 ]; then
		echo "# kept: $T"
	else
		test_remove
	fi
	exit "$test_status"
}

# A runner that a push has started may still write here: it ends by itself when nothing is left.
test_remove() {
	test_tries=0
	until rm -rf "$T" 2>/dev/null && [ ! -e "$T" ]; do
		test_tries=$((test_tries + 1))
		[ "$test_tries" -gt 100 ] && echo "# cannot remove $T" && return
		sleep 0.1
	done
}
trap test_clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

test_tick() {
	TEST_DATE=$((TEST_DATE + 60))
	GIT_AUTHOR_DATE="$TEST_DATE +0000"
	GIT_COMMITTER_DATE="$TEST_DATE +0000"
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
}
test_tick

# --- tests ---

# The status 117 gets through only if everything in the script hangs together by &&.
test_is_chained() {
	(eval "(exit 117) && $1") >/dev/null 2>&1 </dev/null
	[ $? -eq 117 ]
}

# A function, so that a `return 1` in a script ends the script.
test_run() {
	eval "$1"
}

test_expect() {
	TEST_COUNT=$((TEST_COUNT + 1))
	cd "$T" || exit 1
	if ! test_is_chained "$2"; then
		echo 'the script has a line whose failure would go unseen: join all by &&' >"$T/.run/log"
		test_result=1
	elif test_run "$2" >"$T/.run/log" 2>&1 </dev/null; then
		test_result=0
	else
		test_result=1
	fi
	cd "$T" || exit 1
	if [ "$test_result" -eq 0 ]; then
		echo "ok $TEST_COUNT - $1"
	else
		TEST_FAILED=$((TEST_FAILED + 1))
		echo "not ok $TEST_COUNT - $1"
		sed 's/^/# /' "$T/.run/log"
	fi
}

test_skip() {
	TEST_COUNT=$((TEST_COUNT + 1))
	echo "ok $TEST_COUNT - $1 # SKIP $2"
	# Where somebody keeps account of what was not run: see tests/real/run.
	[ -z "${MODELGATE_NOT_RUN:-}" ] || echo "${0##*/}: $1: $2" >>"$MODELGATE_NOT_RUN"
}

# Whatever a test has had recorded, in whichever state folder.
test_records() {
	TEST_LOGS=$(find "$T" -path '*/audit/audit*.jsonl' -type f -size +0 2>/dev/null)
	[ -n "$TEST_LOGS" ] || return 0
	# shellcheck disable=SC2016 # expanded when it is run
	test_expect 'every record fits its schema' '
		"$TEST_LIB/audit-schema" "$TOP/config/audit-record.schema.json" $TEST_LOGS
	'
}

test_done() {
	test_records
	echo "1..$TEST_COUNT"
	[ "$TEST_FAILED" -eq 0 ] || exit 1
	exit 0
}

# --- servers and clones ---

server_file() {
	echo "$T/$1.git/modelgate.ini"
}

state() {
	echo "$T/$1.state"
}

test_make_server() {
	git init -q --bare "$T/$1.git" &&
		git -C "$T/$1.git" config receive.advertisePushOptions true &&
		rm -f "$T/$1.git/hooks"/*.sample &&
		cp "$ROOT/libexec/modelgate"/* "$T/$1.git/hooks/" &&
		mkdir -m 700 "$(state "$1")" &&
		cat >"$(server_file "$1")" <<-INI
			[modelgate]
			state = $(state "$1")
			[identity]
			source = os
			[project]
			name = $1
			[runner]
			wake = none
			[build]
			engine = archive
		INI
}

new_server() {
	test_make_server "$1" || test_bail "cannot make the server $1"
	TEST_SERVERS="$TEST_SERVERS $1"
}

server_set() {
	perl "$TEST_LIB/ini-set" "$(server_file "$1")" "$2" "$3" "$4"
}

new_clone() {
	git clone -q "${3:-$T/$1.git}" "$T/$2" 2>"$T/.run/clone" || {
		cat "$T/.run/clone"
		return 1
	}
}

new_project() {
	modelgate new "$T/$2" --project "$1" --dvc-remote "$T/$1.dvc" >"$T/.run/new" || return 1
	git -C "$T/$2" remote add origin "$T/$1.git" &&
		expect_accept git -C "$T/$2" push origin --all &&
		git -C "$T/$2" switch -q dev
}

tip() {
	git -C "$T/$1.git" rev-parse -q --verify "$2" || echo none
}

# --- commits ---

commit() {
	test_tick
	mkdir -p "$(dirname "$1")" &&
		printf '%s\n' "${2-$1 $TEST_DATE}" >"$1" &&
		git add -- "$1" &&
		git commit -q -m "${1##*/}"
}

merge_in() {
	test_tick
	git merge -q --no-ff -m "Merge $1" "$1"
}

merge_push() {
	git fetch -q origin &&
		git switch -q "$2" &&
		git reset -q --hard "origin/$2" &&
		merge_in "$1" &&
		git push origin "$2"
}

# --- pushes ---

test_refs() {
	for test_server in $TEST_SERVERS; do
		read -r test_head <"$T/$test_server.git/HEAD"
		echo "$test_server $test_head"
		git -C "$T/$test_server.git" for-each-ref --format='%(refname) %(objectname) %(symref)'
	done
}

test_show() {
	echo "\$ $*"
	cat "$T/out" "$T/err"
}

expect_accept() {
	if ! "$@" >"$T/out" 2>"$T/err"; then
		test_show "$@"
		echo 'should have been accepted'
		return 1
	fi
	if grep -q 'modelgate: rejected' "$T/err"; then
		test_show "$@"
		echo 'succeeded, but a rejection was printed'
		return 1
	fi
}

expect_reject() {
	test_codes=$1
	shift
	test_before=$(test_refs)
	if "$@" >"$T/out" 2>"$T/err"; then
		test_show "$@"
		echo "should have been rejected with $test_codes"
		return 1
	fi
	while [ -n "$test_codes" ]; do
		test_code=${test_codes%%,*}
		test_codes=${test_codes#"$test_code"}
		test_codes=${test_codes#,}
		if ! grep -q "modelgate: .*\\b$test_code: " "$T/err"; then
			test_show "$@"
			echo "rejected, but not with $test_code"
			return 1
		fi
	done
	test_after=$(test_refs)
	if [ "$test_before" != "$test_after" ]; then
		printf 'before:\n%s\nafter:\n%s\n' "$test_before" "$test_after"
		test_show "$@"
		echo 'rejected, but references have changed'
		return 1
	fi
}

said() {
	grep -qF -e "$1" "$T/err" && return
	cat "$T/err"
	echo "does not say: $1"
	return 1
}

said_not() {
	grep -qF -e "$1" "$T/err" || return 0
	cat "$T/err"
	echo "says: $1"
	return 1
}

# --- looking ---

mg() {
	test_server=$1
	shift
	modelgate --repo "$T/$test_server.git" "$@"
}

drain() {
	mg "$1" run --drain
}

json() {
	perl "$TEST_LIB/json" get "$@"
}

json_count() {
	perl "$TEST_LIB/json" count "$@"
}

audit() {
	echo "$(state "$1")/audit/audit.jsonl"
}

audit_count() {
	test_server=$1
	shift
	json_count "$@" <"$(audit "$test_server")"
}

audit_has() {
	[ "$(audit_count "$@")" -gt 0 ] && return
	tail -n 5 "$(audit "$1")"
	echo "no such record: $*"
	return 1
}

audit_valid() {
	mg "$1" audit verify
}

stage_status() {
	mg "$1" status "$2" --json >"$T/.run/status" || return 1
	perl "$TEST_LIB/json" stage "$3" <"$T/.run/status"
}

same() {
	[ "$1" = "$2" ] && return
	echo "these differ:"
	echo "  $1"
	echo "  $2"
	return 1
}

# Seconds of a clock that nobody sets.
test_uptime() {
	cut -d . -f 1 /proc/uptime
}

wait_for() {
	test_deadline=$(($(test_uptime) + $1 * ${TEST_PATIENCE:-1}))
	shift
	until "$@" >"$T/.run/wait" 2>&1; do
		if [ "$(test_uptime)" -gt "$test_deadline" ]; then
			cat "$T/.run/wait"
			echo "did not come in time: $*"
			return 1
		fi
		sleep 0.1
	done
}

# --- transports ---

background() {
	"$@" &
	TEST_PIDS="$TEST_PIDS $!"
}

test_free_port() {
	perl -MIO::Socket::INET -e '
		print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

test_answers() {
	perl -MIO::Socket::INET -e '
		exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$1"
}

# Another process may take the port between our choice and the start: then another one is tried.
# Calls the function $1 with a port, which starts a server; the port is then in the file $2.
test_start_server() {
	for test_try in 1 2 3 4 5; do
		test_port=$(test_free_port)
		"$1" "$test_port"
		test_pid=$!
		until test_answers "$test_port"; do
			kill -0 "$test_pid" 2>/dev/null || continue 2
			sleep 0.05
		done
		echo "$test_port" >"$2"
		return
	done
	cat "$T/.run"/*.log 2>/dev/null
	echo "cannot start a server (try $test_try)"
	return 1
}

# What `make asan` says to the sanitizers must get through: each variable in the form $1.
test_sanitizers() {
	env | sed -n "s|^\([ALU]B*SAN_OPTIONS\)=\(.*\)|$1|p" | tr '\n' ' '
}

# A session's environment is the user's own: put the test's in its place, and its home before a shell reads there.
test_sshd() {
	cat >"$T/.run/ssh/shell" <<-EOF
		#!/bin/sh
		exec env -i HOME='$HOME' PATH='$PATH' LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 \\
			GIT_CONFIG_GLOBAL='$GIT_CONFIG_GLOBAL' SSH_CONNECTION="\$SSH_CONNECTION" \\
			$(test_sanitizers "\1='\2'") /bin/sh -c "\$SSH_ORIGINAL_COMMAND"
	EOF
	chmod 755 "$T/.run/ssh/shell"
	cat >"$T/.run/ssh/config" <<-EOF
		Port $1
		ListenAddress 127.0.0.1
		HostKey $T/.run/ssh/host
		AuthorizedKeysFile $T/.run/ssh/authorized
		ForceCommand $T/.run/ssh/shell
		PidFile none
		SetEnv HOME=$HOME
		PermitRootLogin yes
		StrictModes no
		UsePAM no
	EOF
	background "$(PATH=$PATH:/usr/sbin command -v sshd)" -D -e -f "$T/.run/ssh/config" \
		2>>"$T/.run/sshd.log"
}

start_sshd() {
	mkdir -p "$T/.run/ssh" &&
		ssh-keygen -q -t ed25519 -N '' -f "$T/.run/ssh/host" &&
		ssh-keygen -q -t ed25519 -N '' -f "$T/.run/ssh/key" &&
		cp "$T/.run/ssh/key.pub" "$T/.run/ssh/authorized" || return 1
	if [ "$(id -u)" -eq 0 ]; then # where sshd has its children confined
		mkdir -p /run/sshd && chmod 755 /run/sshd || return 1
	fi
	test_start_server test_sshd "$T/.run/ssh/port" || return 1
	GIT_SSH_COMMAND="ssh -F none -i $T/.run/ssh/key -o IdentitiesOnly=yes -o BatchMode=yes \
-o UserKnownHostsFile=$T/.run/ssh/known -o StrictHostKeyChecking=no -o LogLevel=ERROR"
	export GIT_SSH_COMMAND
}

ssh_url() {
	echo "ssh://$(id -un)@127.0.0.1:$(cat "$T/.run/ssh/port")$T/$1.git"
}

test_httpd() {
	printf '%s\n' alice:secret boris:secret >"$T/.run/http/users"
	cat >"$T/.run/http/config" <<-EOF
		server.document-root = "$T/.run/http/empty"
		server.bind = "127.0.0.1"
		server.port = $1
		server.errorlog = "$T/.run/httpd.log"
		server.modules = ("mod_alias", "mod_setenv", "mod_auth", "mod_authn_file", "mod_cgi")
		alias.url = ("/git" => "$(git --exec-path)/git-http-backend")
		cgi.assign = ("" => "")
		setenv.add-environment = ("GIT_PROJECT_ROOT" => "$T", "GIT_HTTP_EXPORT_ALL" => "1",
			"HOME" => "$HOME", "PATH" => "$PATH", "LC_ALL" => "C", "TZ" => "UTC",
			$(test_sanitizers '"\1" => "\2",')
			"GIT_CONFIG_NOSYSTEM" => "1", "GIT_CONFIG_GLOBAL" => "$GIT_CONFIG_GLOBAL")
		auth.backend = "plain"
		auth.backend.plain.userfile = "$T/.run/http/users"
		auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
	EOF
	background "$(PATH=$PATH:/usr/sbin command -v lighttpd)" -D -f "$T/.run/http/config" \
		2>>"$T/.run/httpd.log"
}

start_httpd() {
	mkdir -p "$T/.run/http/empty" && test_start_server test_httpd "$T/.run/http/port"
}

http_url() {
	echo "http://${2:-alice}:secret@127.0.0.1:$(cat "$T/.run/http/port")/git/$1.git"
}
