# shellcheck shell=sh disable=SC2034,SC2154 # variables of install.sh, which reads this file
# ./install.sh global: the hooks that a Gitaly server runs for all repositories (its custom_hooks_dir),
# and the system's file, which says for which projects they judge.
#
# What repository.sh and repo.sh do in a repository is done in that folder: gitdir is the folder, and layout
# is global.

# Is the folder $1 one of hooks for all repositories, with ours in it or without?
is_global_folder() {
	[ -d "$1" ] && [ ! -e "$1/HEAD" ] && [ ! -e "$1/.git" ] || return 1
	[ ! -f "$1/$record_name" ] || return 0
	for hook in $hooks; do
		[ ! -d "$1/$hook.d" ] || return 0
	done
	return 1
}

# Sets gitdir, owner and layout for a folder that is there or will be made.
find_global_folder() {
	layout=global
	folder_made=
	if [ -d "$1" ]; then
		gitdir=$(cd -- "$1" && pwd -P)
		if [ -e "$gitdir/HEAD" ] || [ -e "$gitdir/.git" ]; then
			die "$1 is a Git repository: ./install.sh repo $1; global takes Gitaly's custom_hooks_dir"
		fi
		owner=$(stat -c '%u:%g' "$gitdir")
	else
		if [ -e "$1" ] || [ -L "$1" ]; then
			die "$1 is no folder"
		fi
		above=$(dirname -- "$1")
		[ -d "$above" ] || die "there is no folder $above to make $1 in"
		folder_made=yes
		gitdir=$(cd -- "$above" && pwd -P)/$(basename -- "$1")
		owner=$(stat -c '%u:%g' "$above")
	fi
	if [ "$(id -u)" -ne 0 ] && [ "$(id -u)" != "${owner%:*}" ]; then
		die "$1 belongs to user ${owner%:*}: run this as that user, or as root"
	fi
	check_global_record
}

check_global_record() {
	record=$(record_file)
	[ -e "$record" ] || [ -L "$record" ] || return 0
	if [ -L "$record" ] || [ ! -f "$record" ] || [ "$(recorded layout)" != global ]; then
		die "$record is not of this command"
	fi
	# Where others can write into the folder, they can put there what its owner would believe.
	case $(stat -c %u "$record") in
	0 | "${owner%:*}") ;;
	*) die "$record belongs to $(name_of_owner "$record"), not to the owner of $gitdir" ;;
	esac
}

# Sets user_owner to the uid:gid of the user that Gitaly runs as.
find_user() {
	uid=$(id -u -- "$user" 2>/dev/null) ||
		die "there is no user $user on this machine; nothing was changed." \
			"Give the one that Gitaly runs as with --user NAME"
	user_owner=$uid:$(id -g -- "$user")
	[ "$(id -u)" -eq 0 ] || [ "$(id -u)" -eq "$uid" ] ||
		die "the state directory has to be $user's: run this as root; nothing was changed"
}

# A list of globs, one a line: as given, and as a configuration has it.
globs_of() {
	printf '%s\n' "$1" | tr ',' '\n' | sed 's/^[ \t]*//; s/[ \t]*$//; /^$/d'
}

check_globs() {
	[ -n "$(globs_of "$1")" ] || wrong_usage "global: --projects takes at least one glob: 'models/*'"
	globs_of "$1" | while IFS= read -r glob; do
		case $glob in
		*[[:space:][:cntrl:]]* | *[\;\#\$\\\"\'\`]*)
			die "a glob of --projects has no blanks, quotes and none of ; # \$ \\: $glob"
			;;
		esac
		[ "${#glob}" -le 150 ] || die "a glob of --projects has 150 characters at most: $glob"
	done || exit 1
}

system_globs() {
	globs_of "$(ini_values modelgate projects <"$(system_file)")"
}

# What a file that is there says has to be what is asked for.
check_system_file() {
	file=$(system_file)
	if [ ! -e "$file" ] && [ ! -L "$file" ]; then
		check_writable "$file" --prefix
		return
	fi
	[ -f "$file" ] || die "$file is no file; nothing was changed"
	[ -r "$file" ] || die "$file cannot be read; nothing was changed"
	source=$(system_value identity source)
	[ "$source" = gitlab ] || die "$file says source = ${source:-os} in [identity], but GitLab's hooks need" \
		"gitlab; nothing was changed.  Edit that file first"
	[ -n "$(system_globs)" ] || die "$file names no projects, so that all would be judged; nothing was" \
		"changed.  In its section [modelgate], add projects = $(globs_of "$projects" | paste -s -d ,)"
	[ "$(system_globs | sort -u)" = "$(globs_of "$projects" | sort -u)" ] ||
		die "$file says projects = $(system_globs | paste -s -d ,), not" \
			"$(globs_of "$projects" | paste -s -d ,); nothing was changed.  Edit that file first"
	used=$(system_value modelgate state)
	[ -z "$given_state" ] || [ "$given_state" = "${used:-$state_default}" ] ||
		die "$file says state = ${used:-$state_default}, not $given_state; nothing was changed." \
			"Edit that file first"
}

# Lines of a configuration have 190 bytes at most: a long list goes on as projects.2.
system_text() {
	printf '; Everything else has its default, see modelgate.ini(5).\n[modelgate]\nstate = %s\n' "$state"
	globs_of "$projects" | awk '
		{
			if (line != "" && length(line) + length($0) > 150) {
				print "projects" (n++ ? "." n : "") " = " line
				line = ""
			}
			line = line (line == "" ? "" : ", ") $0
		}
		END { print "projects" (n++ ? "." n : "") " = " line }'
	printf '\n[identity]\nsource = gitlab\n'
}

# The state directory belongs to whom the hooks run as, and so does nothing else.
check_user_state() {
	if [ -d "$state" ]; then
		[ "$(stat -c %u "$state")" = "${user_owner%:*}" ] ||
			die "$state belongs to $(name_of_owner "$state"), but Gitaly runs the hooks as $user;" \
				"nothing was changed.  Give another folder with --state"
	elif [ -e "$state" ] || [ -L "$state" ]; then
		die "$state is no folder"
	else
		check_writable "$state" --state
	fi
}

make_user_state() {
	[ ! -d "$state" ] || return 0
	mkdir -p -- "$(dirname -- "$state")"
	mkdir -m 700 -- "$state"
	chown -h "$user_owner" "$state"
	say "made   $state (store, audit log, stage logs)"
}

# Of the folder of hooks, and its owner's: what it says is believed as its owner.
write_global_record() {
	printf 'layout=global\nprefix=%s\nuser=%s\nfolder=%s\nfolders=%s\n' \
		"$prefix" "$user" "$folder_made" "$folders_made" |
		put_file "$(record_file)" 644
}

plan_global() {
	folders_made=
	if [ -f "$(record_file)" ]; then
		[ "$(recorded prefix)" = "$prefix" ] || die "modelgate is in $gitdir already, with --prefix" \
			"$(recorded prefix): ./install.sh uninstall $gitdir first"
		folder_made=$(recorded folder)
		folders_made=$(recorded folders)
	fi
	plan_folders
	plan_system_file
}

# What `uninstall` goes by, before all that it undoes; a Ctrl-C comes before it or after it.
write_global_records() {
	trap '' INT TERM
	[ -d "$gitdir" ] || as_owner mkdir -m 755 -- "$gitdir" || die "cannot make $gitdir"
	write_global_record
	mkdir -p -- "$(dirname -- "$(system_file)")"
	write_system_list "$(other_folders && printf '%s\n' "$gitdir")"
	trap - INT TERM
}

install_global() {
	umask 022
	find_user
	check_hook_folders
	check_hooks_free
	check_system_folder
	check_system_file
	state=$(system_value modelgate state)
	state=$(absolute "${given_state:-${state:-$state_default}}")
	check_user_state
	check_writable "$prefix" --prefix
	# shellcheck disable=SC2086 # a list of words
	need_packages $packages_build
	plan_global
	build_programs

	make_user_state
	write_global_records
	write_system_file
	make_folders
	# Last, so that no push meets hooks that are not configured yet.
	for hook in $hooks; do
		put_hook "$hook"
	done
	printf '\nThe hooks are in %s, for the projects %s.\n' "$gitdir" "$(system_globs | paste -s -d ,)"
	printf 'These alone are judged from now on, also where a repository has hooks of its own by this system file.\n'
	printf 'Gitaly runs them if its configuration has this folder as custom_hooks_dir.  Next:\n'
	printf '  ./install.sh check %s  # is everything in place?\n' "$gitdir"
}

command_global() {
	path=
	projects=
	prefix=/usr/local
	given_state=
	user=git
	while [ $# -gt 0 ]; do
		case $1 in
		--projects | --prefix | --state | --user)
			[ $# -gt 1 ] || wrong_usage "global: $1 takes a value"
			;;
		-*) wrong_usage "global has no option $1" ;;
		esac
		case $1 in
		--projects) projects=$2 && shift ;;
		--prefix) prefix=$2 && shift ;;
		--state) given_state=$2 && shift ;;
		--user) user=$2 && shift ;;
		*)
			[ -z "$path" ] || wrong_usage 'global takes one DIR'
			path=$1
			;;
		esac
		shift
	done
	[ -n "$path" ] || wrong_usage 'global takes a DIR, the custom_hooks_dir of Gitaly'
	[ -n "$projects" ] || wrong_usage "global takes --projects GLOBS, as in 'models/*,churn/scoring':" \
		'without it every project of the server would be judged'
	check_globs "$projects"
	prefix=$(absolute "$prefix")
	given_state=$(absolute "$given_state")
	path=$(absolute "$path")
	check_plain DIR "$path"
	check_plain --prefix "$prefix"
	check_plain --state "$given_state"
	find_global_folder "$path"
	install_global
}

# --- uninstall and check ---

is_global_installed() {
	is_installed && return
	say "modelgate is not installed in $gitdir"
	return 1
}

uninstall_global() {
	find_global_folder "$1"
	remove_all_leftovers
	is_global_installed || return 0
	prefix=$(recorded prefix)
	prefix=${prefix:-/usr/local}
	state=$(system_value modelgate state)
	state=${state:-$state_default}
	folder_made=$(recorded folder)
	# First the hooks: none is to run without its configuration.
	remove_hooks
	remove_folders
	leave_system_file
	as_owner rm -f -- "$(record_file)"
	[ -z "$folder_made" ] || as_owner rmdir -- "$gitdir" 2>/dev/null || true
	say "The store and the audit log stay in $state; the programs stay where they are."
}

check_global() {
	find_global_folder "$1"
	prefix=${prefix:-$(recorded prefix)}
	prefix=${prefix:-/usr/local}
	user=$(recorded user)
	is_global_installed || {
		say "    $(install_command)"
		exit 1
	}
	check_command
}
