#!/bin/sh
# Installs modelgate: `./install.sh help` says how.
#
# What a repository was like before stands in a small file, modelgate-installed, so that `uninstall`
# leaves it so.  Everything that is made in a repository belongs to the repository's owner.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${BUILD:-$here/build}

# Debian's packages: to build, beside that for the demo, for the tests, for all that CI runs.
packages_build='gcc libc6-dev make pkg-config libgit2-dev libjson-c-dev libinih-dev libsqlite3-dev
	libyaml-dev zlib1g-dev git'
packages_demo='python3'
packages_test='libcmocka-dev perl openssh-server openssh-client lighttpd python3'
packages_ci='clang libclang-rt-14-dev clang-format cppcheck shellcheck mandoc python3-venv'

hooks='pre-receive update post-receive'
marker='modelgate-hook ' # stands in each of our programs, see common/sys/paths.c
record_name=modelgate-installed
config_name=modelgate.ini

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
		  check PATH [--prefix DIR]
		                    is everything in place?  Each line: ok, or what is wrong and how to mend it
		  uninstall PATH    leave the repository as it was, and the audit log where it is

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
	printf 'install.sh: %s\n' "$*" >&2
	usage >&2
	exit 2
}

# --- packages ---

package_is_there() {
	case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in
	installed) return 0 ;;
	*) return 1 ;;
	esac
}

missing_packages() {
	for package in "$@"; do
		package_is_there "$package" || printf ' %s' "$package"
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
	quietly apt-get -q update
	# No service may start here just because its package came.
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive quietly apt-get -q install -y --no-install-recommends $missing
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
		*) wrong_usage "deps: $1?" ;;
		esac
		shift
	done
	# shellcheck disable=SC2086 # a list of words
	need_packages $list
	say 'All packages are there.'
}

# --- the repository ---

# git, whoever owns the repository, and whatever the surroundings say.
git_in_repository() {
	env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE \
		git -c "safe.directory=*" --git-dir="$gitdir" "$@"
}

# Sets gitdir (absolute, no symbolic links) and owner (uid:gid).
find_repository() {
	[ -d "$1" ] || die "$1 is no folder"
	command -v git >/dev/null 2>&1 || die 'git is missing: ./install.sh deps'
	gitdir=$(cd -- "$1" && pwd -P)
	if [ -e "$gitdir/.git" ]; then
		gitdir=$(git -c "safe.directory=*" -C "$gitdir" rev-parse --git-common-dir) ||
			die "$1 is no Git repository"
		gitdir=$(cd -- "$1" && cd -- "$gitdir" && pwd -P)
	fi
	if [ ! -f "$gitdir/HEAD" ] || [ ! -d "$gitdir/objects" ] || [ ! -d "$gitdir/refs" ]; then
		die "$1 is no Git repository (a bare one, or a work tree with one)"
	fi
	git_in_repository rev-parse --git-dir >/dev/null || die "$1 is no Git repository"
	owner=$(stat -c '%u:%g' "$gitdir")
	if [ "$(id -u)" -ne 0 ] && [ "$(id -u)" != "${owner%:*}" ]; then
		die "$gitdir belongs to $(stat -c %U "$gitdir"): run this as that user, or as root"
	fi
}

owner_name() {
	stat -c %U "$gitdir"
}

# Give what was just made to the repository's owner.
give() {
	[ "$(id -u)" -ne 0 ] || chown -h "$owner" "$@"
}

find_layout() {
	case $1 in
	git | gitlab) layout=$1 ;;
	auto)
		layout=git
		case $gitdir in
		*/@hashed/*/*.git | */git-data/repositories/*) layout=gitlab ;;
		esac
		if [ -d "$gitdir/custom_hooks" ]; then
			layout=gitlab
		fi
		;;
	*) wrong_usage "--layout is auto, git or gitlab, not $1" ;;
	esac
}

# The file that git or Gitaly runs for a hook, in this layout.
hook_file() {
	case $layout in
	git) printf '%s\n' "$gitdir/hooks/$1" ;;
	gitlab) printf '%s\n' "$gitdir/custom_hooks/$1.d/50-modelgate" ;;
	esac
}

config_folder() {
	case $layout in
	git) printf '%s\n' "$gitdir" ;;
	gitlab) printf '%s\n' "$gitdir/custom_hooks" ;;
	esac
}

# The configuration file that is there; nothing if there is none.
config_file() {
	for file in "$gitdir/custom_hooks/$config_name" "$gitdir/$config_name"; do
		if [ -e "$file" ] || [ -L "$file" ]; then
			printf '%s\n' "$file"
			return
		fi
	done
}

# A program of ours is known by what it holds.  It is never run to find out.
is_ours() {
	[ -f "$1" ] && [ ! -L "$1" ] && grep -qaF "$marker" "$1"
}

# Somebody's own hook that calls ours.
is_chained() {
	[ -f "$1" ] && grep -qF "libexec/modelgate/$2" "$1"
}

# --- repo ---

check_hooks_free() {
	for hook in $hooks; do
		file=$(hook_file "$hook")
		if [ ! -e "$file" ] && [ ! -L "$file" ]; then
			continue
		fi
		if is_ours "$file" || is_chained "$file" "$hook"; then
			continue
		fi
		explain_foreign_hook "$file" "$hook"
		exit 1
	done
}

explain_foreign_hook() {
	cat >&2 <<-END
		install.sh: $1 is there already and is not modelgate's.  Nothing was changed.
		  If it is no longer needed, move it away and run this again:
		    mv $1 $1.before-modelgate
		  To keep it, let its last line hand over to modelgate's, which judges what it is given on
		  standard input (your hook must not have read it, or must hand it on) and its arguments:
		    exec $prefix/libexec/modelgate/$2 "\$@"
		  and run this again: a hook with this line is left as it is.
	END
}

check_config_folder() {
	folder=$(config_folder)
	[ -d "$folder" ] || return 0
	case $(stat -c %A "$folder") in
	?????w???? | ????????w?)
		die "$folder is writable by group or others, so that a configuration in it would not be" \
			"believed; nothing was changed.  Run: chmod go-w $folder"
		;;
	esac
}

check_hooks_path() {
	[ "$layout" = git ] || return 0
	path=$(git_in_repository config --get core.hooksPath || true)
	[ -z "$path" ] || die "core.hooksPath is $path, so git would not run hooks in" \
		"$gitdir/hooks; nothing was changed.  Run: git -C $gitdir config --unset core.hooksPath"
}

check_writable() {
	folder=$1
	while [ ! -e "$folder" ]; do
		folder=$(dirname -- "$folder")
	done
	[ -w "$folder" ] ||
		die "cannot write to $folder: run this as root, or give a folder of your own with $2"
}

# The value of a key of a configuration file: FILE SECTION KEY.
config_value() {
	sed -n "/^\\[$2\\]/,/^\\[/s/^$3[[:space:]]*=[[:space:]]*//p" "$1" |
		sed 's/[[:space:]]*;.*//; s/[[:space:]]*$//; q'
}

# The state folder that the hooks will use: as configured, else as given, else the default.
find_state() {
	file=$(config_file)
	configured=
	if [ -n "$file" ]; then
		configured=$(config_value "$file" modelgate state)
		if [ -n "$configured" ] && [ -n "$1" ] && [ "$configured" != "$1" ]; then
			die "$file says state = $configured, not $1.  Nothing was changed; edit that file first."
		fi
	fi
	state=${configured:-${1:-/var/lib/modelgate}}
	case $state in
	/*) ;;
	*) state=$(pwd -P)/$state ;;
	esac
}

check_state() {
	if [ ! -e "$state" ]; then
		check_writable "$state" --state
	elif [ ! -d "$state" ]; then
		die "$state is no folder"
	elif [ "$(stat -c %u "$state")" != "${owner%:*}" ]; then
		die "$state belongs to $(stat -c %U "$state"), but the hooks of this repository run as" \
			"$(owner_name); nothing was changed.  Give another folder with --state"
	fi
}

make_state() {
	[ ! -d "$state" ] || return 0
	mkdir -p -- "$(dirname -- "$state")"
	mkdir -m 700 -- "$state"
	give "$state"
	say "made   $state (store, audit log, stage logs)"
}

build_programs() {
	say "Building, and installing below $prefix ..."
	quietly make -C "$here" -s -j"$(nproc)" BUILD="$build" PREFIX="$prefix" DESTDIR= install
}

# Replace a file in one step: TARGET MODE, content on standard input.
put_file() {
	temporary=$(mktemp "$(dirname -- "$1")/.modelgate.XXXXXX")
	cat >"$temporary"
	chmod "$2" "$temporary"
	give "$temporary"
	mv -f -- "$temporary" "$1"
}

make_folder() {
	[ ! -d "$1" ] || return 0
	mkdir -- "$1"
	chmod 755 "$1"
	give "$1"
	folders_made="$folders_made ${1#"$gitdir"/}"
}

# The project's name by the repository's; GitLab itself says it with each push.
default_project() {
	[ "$layout" = git ] || return 0
	name=$gitdir
	[ "${name##*/}" != .git ] || name=$(dirname -- "$name")
	name=${name##*/}
	printf '%s\n' "${name%.git}" | sed 's/[^A-Za-z0-9_-]/_/g'
}

config_text() {
	project=${project:-$(default_project)}
	printf '; Everything else has its default, see modelgate.ini(5).\n'
	if [ -n "$project" ]; then
		printf '[project]\nname = %s\n\n' "$project"
	fi
	printf '[modelgate]\nstate = %s\n\n[identity]\nsource = ' "$state"
	case $layout in
	git) printf 'os\n' ;;
	gitlab) printf 'gitlab\n' ;;
	esac
}

write_config() {
	file=$(config_file)
	if [ -n "$file" ]; then
		say "kept   $file"
		return
	fi
	file=$(config_folder)/$config_name
	config_text | put_file "$file" 644
	config_sum=$(sha256sum <"$file")
	say "wrote  $file"
}

turn_on_push_options() {
	[ "$layout" = git ] || return 0
	old_push_options=$(git_in_repository config --local --get receive.advertisePushOptions || true)
	[ "$old_push_options" != true ] || return 0
	git_in_repository config --local receive.advertisePushOptions true
	give "$gitdir/config"
	say "set    receive.advertisePushOptions = true"
}

put_hook() {
	file=$(hook_file "$1")
	program=$prefix/libexec/modelgate/$1
	if is_chained "$file" "$1" && ! is_ours "$file"; then
		say "kept   $file, which calls modelgate's"
		return
	fi
	if cmp -s "$program" "$file" && [ "$(stat -c %a "$file")" = 755 ]; then
		say "same   $file"
		return
	fi
	put_file "$file" 755 <"$program"
	say "hook   $file"
}

record_file() {
	printf '%s\n' "$gitdir/$record_name"
}

recorded() {
	[ ! -f "$(record_file)" ] || sed -n "s/^$1=//p" "$(record_file)"
}

# What was there before is recorded the first time, and kept after that.
write_record() {
	{
		printf 'layout=%s\nprefix=%s\n' "$layout" "$prefix"
		printf 'push-options=%s\nconfig=%s\nfolders=%s\n' \
			"$old_push_options" "$config_sum" "$folders_made"
	} | put_file "$(record_file)" 644
}

read_record() {
	folders_made=
	config_sum=
	old_push_options=
	[ -f "$(record_file)" ] || return 0
	[ "$(recorded layout)" = "$layout" ] || die "modelgate is in this repository already, in the" \
		"layout $(recorded layout): ./install.sh uninstall $gitdir first"
	folders_made=$(recorded folders)
	config_sum=$(recorded config)
}

command_repo() {
	path=
	project=
	prefix=/usr/local
	given_state=
	given_layout=auto
	while [ $# -gt 0 ]; do
		case $1 in
		--project | --prefix | --state | --layout)
			[ $# -gt 1 ] || wrong_usage "repo: $1 takes a value"
			;;
		-*) wrong_usage "repo: $1?" ;;
		esac
		case $1 in
		--project) project=$2 && shift ;;
		--prefix) prefix=$2 && shift ;;
		--state) given_state=$2 && shift ;;
		--layout) given_layout=$2 && shift ;;
		*)
			[ -z "$path" ] || wrong_usage 'repo takes one PATH'
			path=$1
			;;
		esac
		shift
	done
	[ -n "$path" ] || wrong_usage 'repo takes a PATH'
	case $prefix in
	/*) ;;
	*) prefix=$(pwd -P)/$prefix ;;
	esac
	case $project in
	*[!A-Za-z0-9_-]*) die "a project's name has letters, digits, _ and - alone: $project" ;;
	esac
	find_repository "$path"
	[ "$given_layout" != auto ] || given_layout=$(recorded layout)
	find_layout "${given_layout:-auto}"
	install_repository
}

install_repository() {
	umask 022
	check_hooks_free
	check_config_folder
	check_hooks_path
	find_state "$given_state"
	check_state
	check_writable "$prefix" --prefix
	# shellcheck disable=SC2086 # a list of words
	need_packages $packages_build
	read_record
	build_programs

	make_state
	first_push_options=$(recorded push-options)
	case $layout in
	git) make_folder "$gitdir/hooks" ;;
	gitlab)
		make_folder "$gitdir/custom_hooks"
		for hook in $hooks; do
			make_folder "$gitdir/custom_hooks/$hook.d"
		done
		;;
	esac
	write_config
	if [ -f "$(record_file)" ]; then
		turn_on_push_options
		old_push_options=$first_push_options
	else
		turn_on_push_options
	fi
	write_record
	# Last, so that no push meets hooks that are not configured yet.
	for hook in $hooks; do
		put_hook "$hook"
	done
	tell_next_steps
}

tell_next_steps() {
	cat <<-END

		The hooks are in $gitdir (layout $layout).  Next:
		  ./install.sh check $gitdir
		  $prefix/bin/modelgate new DIR --project NAME    # a new project to push here
		  $prefix/bin/modelgate --repo $gitdir status     # its pipelines
	END
}

# --- check ---

ok() {
	say "ok     $*"
}

# WHAT MEND
bad() {
	say "wrong  $1"
	say "       $2"
	faults=$((faults + 1))
}

check_hook() {
	file=$(hook_file "$1")
	program=$prefix/libexec/modelgate/$1
	mend="./install.sh repo $gitdir --prefix $prefix"
	if [ ! -e "$file" ]; then
		bad "$1: $file is missing" "$mend"
	elif [ ! -x "$file" ]; then
		bad "$1: $file is not executable, so it is not run" "chmod 755 $file"
	elif is_ours "$file"; then
		if [ ! -e "$program" ]; then
			bad "$1: $program is missing" "$mend"
		elif ! cmp -s "$file" "$program"; then
			bad "$1: $file is another version than $program" "$mend"
		else
			ok "$1: $file"
		fi
	elif is_chained "$file" "$1"; then
		ok "$1: $file calls modelgate's"
	else
		bad "$1: $file is not modelgate's" "move it away, then $mend"
	fi
}

check_state_folder() {
	find_state ''
	if [ ! -d "$state" ]; then
		bad "state: $state is missing" "./install.sh repo $gitdir --prefix $prefix"
	elif [ "$(stat -c %u "$state")" != "${owner%:*}" ]; then
		bad "state: $state belongs to $(stat -c %U "$state"); the hooks run as $(owner_name)" \
			"chown -R $owner $state"
	elif [ "$(stat -c %a "$state")" != 700 ]; then
		bad "state: $state has mode $(stat -c %a "$state")" "chmod 700 $state"
	else
		ok "state: $state"
	fi
}

check_command() {
	if [ ! -x "$prefix/bin/modelgate" ]; then
		bad "command: $prefix/bin/modelgate is missing" \
			"./install.sh repo $gitdir --prefix $prefix"
	elif answer=$("$prefix/bin/modelgate" --repo "$gitdir" status --limit 1 2>&1); then
		ok "configuration: $(config_file)"
	else
		bad "configuration: $answer" "mend what it names"
	fi
}

check_push_options() {
	[ "$layout" = git ] || return 0
	if [ "$(git_in_repository config --get receive.advertisePushOptions || true)" = true ]; then
		ok 'receive.advertisePushOptions'
	else
		bad 'receive.advertisePushOptions is off: nobody can give a reason for an override' \
			"git -C $gitdir config receive.advertisePushOptions true"
	fi
	path=$(git_in_repository config --get core.hooksPath || true)
	[ -z "$path" ] || bad "core.hooksPath is $path: git does not run $gitdir/hooks" \
		"git -C $gitdir config --unset core.hooksPath"
}

command_check() {
	path=
	prefix=
	while [ $# -gt 0 ]; do
		case $1 in
		--prefix)
			[ $# -gt 1 ] || wrong_usage 'check: --prefix takes a value'
			prefix=$2
			shift
			;;
		-*) wrong_usage "check: $1?" ;;
		*) path=$1 ;;
		esac
		shift
	done
	[ -n "$path" ] || wrong_usage 'check takes a PATH'
	find_repository "$path"
	find_layout "$(recorded layout | grep . || printf auto)"
	prefix=${prefix:-$(recorded prefix)}
	prefix=${prefix:-/usr/local}
	faults=0
	ok "repository: $gitdir, owner $(owner_name), layout $layout"
	ok "$(git --version)"
	for hook in $hooks; do
		check_hook "$hook"
	done
	check_state_folder
	check_command
	check_push_options
	[ "$faults" -eq 0 ] || exit 1
}

# --- uninstall ---

remove_hooks() {
	for hook in $hooks; do
		file=$(hook_file "$hook")
		if is_ours "$file"; then
			rm -f -- "$file"
			say "removed  $file"
		elif is_chained "$file" "$hook"; then
			say "kept     $file: take the line that calls modelgate's out of it"
		fi
	done
}

remove_config() {
	file=$(config_folder)/$config_name
	[ -f "$file" ] || return 0
	if [ "$(sha256sum <"$file")" = "$(recorded config)" ]; then
		rm -f -- "$file"
		say "removed  $file"
	else
		say "kept     $file: it is not as install.sh wrote it"
	fi
}

restore_push_options() {
	[ "$layout" = git ] && [ -f "$(record_file)" ] || return 0
	before=$(recorded push-options)
	[ "$before" != true ] || return 0
	if [ -n "$before" ]; then
		git_in_repository config --local receive.advertisePushOptions "$before"
	else
		git_in_repository config --local --unset receive.advertisePushOptions || true
	fi
	give "$gitdir/config"
	say 'restored receive.advertisePushOptions'
}

remove_folders() {
	# The deepest first; one that holds something by now stays.
	for folder in $(recorded folders | tr ' ' '\n' | sort -r); do
		rmdir -- "$gitdir/$folder" 2>/dev/null || true
	done
}

command_uninstall() {
	[ $# -eq 1 ] || wrong_usage 'uninstall takes a PATH'
	find_repository "$1"
	find_layout "$(recorded layout | grep . || printf auto)"
	find_state ''
	remove_hooks
	remove_config
	restore_push_options
	remove_folders
	rm -f -- "$(record_file)"
	say "The store and the audit log stay in $state; the programs stay where they are."
}

# --- demo and test ---

command_demo() {
	# shellcheck disable=SC2086 # lists of words
	need_packages $packages_build $packages_demo
	exec "$here/config/demo/demo.sh" "$@"
}

command_test() {
	[ $# -eq 0 ] || wrong_usage "test: $1?"
	# shellcheck disable=SC2086 # lists of words
	need_packages $packages_build $packages_test
	say 'Building ...'
	exec make -C "$here" -s -j"$(nproc)" BUILD="$build" check
}

main() {
	[ $# -gt 0 ] || wrong_usage 'which command?'
	command=$1
	shift
	case $command in
	demo) command_demo "$@" ;;
	test) command_test "$@" ;;
	deps) command_deps "$@" ;;
	repo) command_repo "$@" ;;
	check) command_check "$@" ;;
	uninstall) command_uninstall "$@" ;;
	help | --help | -h) usage ;;
	*) wrong_usage "$command?" ;;
	esac
}

main "$@"
