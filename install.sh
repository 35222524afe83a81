#!/bin/sh
# Installs modelgate: `./install.sh help` says how.
#
# What a repository was like before stands in a small file, modelgate-installed, so that `uninstall`
# leaves it so.  Everything that is made in a repository belongs to the repository's owner.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${BUILD:-$here/build}

# Debian's packages: to build, beside that for the demo, for the tests, for all that CI runs.
packages_build='gcc libc6-dev make pkg-config libgit2-dev libcurl4-openssl-dev libjson-c-dev libinih-dev libsqlite3-dev
	libyaml-dev zlib1g-dev libsodium-dev git'
packages_demo='python3'
packages_test='libcmocka-dev perl openssh-server openssh-client openssl lighttpd python3 python3-jsonschema strace'
packages_ci='clang libclang-rt-14-dev llvm valgrind clang-format cppcheck shellcheck mandoc python3-venv g++ rsync
	buildah podman skopeo docker-registry docker.io chromium chromium-driver'

hooks='pre-receive update post-receive'
marker='modelgate-hook ' # stands in each of our programs, see common/sys/paths.c
record_name=modelgate-installed
config_name=modelgate.ini
state_default=/var/lib/modelgate

usage() {
	cat <<-'END'
		usage: ./install.sh COMMAND

		  demo [--keep]     install what is missing, build, and run the whole story on throwaway
		                    repositories; --keep leaves them in place
		  test              install what is missing, build, and run the tests
		  deps [--demo|--test|--ci]
		                    install the Debian packages that are missing (as root), or say which
		  repo PATH [--project NAME] [--prefix DIR] [--state DIR] [--layout auto|git|gitlab]
		                    build, install below DIR (/usr/local), and put the hooks into one
		                    repository; state (store, audit log) below /var/lib/modelgate
		  global DIR --projects GLOBS [--prefix DIR] [--state DIR] [--user NAME]
		                    the same for the projects of a Gitaly server whose paths match: DIR is its
		                    custom_hooks_dir, NAME the user that it runs as (git).  The system's file
		                    /etc/modelgate/modelgate.ini says which projects; one that is there stays
		  bundle FILE --state DIR [--project NAME] [--prefix DIR]
		  bundle FILE --config FILE [--prefix DIR]
		                    an archive for "gitaly hooks set" with the hooks and their configuration;
		                    needs no root, and the server no package
		  check PATH [--prefix DIR]
		                    is everything in place?  Each line: ok, or what is wrong and how to mend it.
		                    PATH is a repository, or the DIR of global
		  uninstall PATH    leave the repository, or the DIR of global, as it was, and the audit log
		                    where it is

		A hook that is there already and is not modelgate's is never overwritten.
	END
}

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'install.sh: %s\n' "$*" >&2
	exit 1
}

wrong_usage() {
	printf 'install.sh: %s; see ./install.sh help\n' "$*" >&2
	exit 2
}

# WHAT PATH: neither make, nor the configuration, nor a command line that is shown has to quote PATH.
check_plain() {
	case $2 in
	*[[:space:][:cntrl:]]* | *[\;\#\$\\\"\'\`]*)
		die "$1 may have no blanks, quotes, control characters and none of ; # \$ \\ in its path: $2"
		;;
	esac
}

# --- packages ---

# dpkg-query fails where it does not know one.
missing_packages() {
	there=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "$@" 2>/dev/null || true)"
	for package in "$@"; do
		case $there in
		*" $package=installed "*) ;;
		*) printf ' %s' "$package" ;;
		esac
	done
}

# Install what is missing of the packages given.
need_packages() {
	if ! command -v dpkg-query >/dev/null 2>&1; then
		say "This is not Debian.  Assuming that what these packages bring is there: $*"
		return
	fi
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		printf 'install.sh: these packages are missing; as root, run:\n' >&2
		printf '    apt-get update && apt-get install -y --no-install-recommends%s\n' "$missing" >&2
		exit 1
	fi
	say "Installing:$missing"
	hold_services
	quietly apt-get -q update
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive quietly apt-get -q install -y --no-install-recommends $missing
	release_services
}

# The tests run servers of their own: none of the machine's may start because its package came.
# See invoke-rc.d(8) on this file.
hold_services() {
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then
		policy=
		return
	fi
	trap release_services EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

release_services() {
	[ -z "$policy" ] || rm -f "$policy"
	trap - EXIT INT TERM
}

# Run a command; what it prints is shown only if it fails.
quietly() {
	output=$(mktemp)
	if ! "$@" >"$output" 2>&1 </dev/null; then
		cat "$output" >&2
		rm -f "$output"
		die "failed: $*"
	fi
	rm -f "$output"
}

command_deps() {
	list=$packages_build
	while [ $# -gt 0 ]; do
		case $1 in
		--demo) list="$list $packages_demo" ;;
		--test) list="$list $packages_test" ;;
		--ci) list="$list $packages_test $packages_ci" ;;
		*) wrong_usage "deps takes --demo, --test or --ci, not $1" ;;
		esac
		shift
	done
	# shellcheck disable=SC2086 # a list of words
	need_packages $list
	say 'All packages are there.'
}

. "$here/config/install/repository.sh"
. "$here/config/install/repo.sh"
. "$here/config/install/system.sh"
. "$here/config/install/global.sh"
. "$here/config/install/bundle.sh"
. "$here/config/install/check.sh"

# --- demo and test ---

command_demo() {
	case $* in
	'' | --keep) ;;
	*) wrong_usage "demo takes --keep or nothing, not $*" ;;
	esac
	# shellcheck disable=SC2086 # lists of words
	need_packages $packages_build $packages_demo
	exec "$here/config/demo/demo.sh" "$@"
}

command_test() {
	[ $# -eq 0 ] || wrong_usage "test takes nothing, not $1"
	# shellcheck disable=SC2086 # lists of words
	need_packages $packages_build $packages_test
	say 'Building ...'
	exec make -C "$here" -s -j"$(nproc)" BUILD="$build" check
}

main() {
	[ $# -gt 0 ] || wrong_usage 'a command is missing'
	command=$1
	shift
	case $command in
	demo | test | repo | global | bundle)
		check_plain 'the source tree' "$here"
		check_plain BUILD "$build"
		;;
	esac
	case $command in
	demo) command_demo "$@" ;;
	test) command_test "$@" ;;
	deps) command_deps "$@" ;;
	repo) command_repo "$@" ;;
	global) command_global "$@" ;;
	bundle) command_bundle "$@" ;;
	check) command_check "$@" ;;
	uninstall) command_uninstall "$@" ;;
	help | --help | -h) usage ;;
	*) wrong_usage "there is no command $command" ;;
	esac
}

main "$@"
