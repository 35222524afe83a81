# shellcheck shell=sh disable=SC2154 # variables of install.sh, which reads this file
# ./install.sh repo and ./install.sh uninstall.

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

absolute() {
	case $1 in
	'' | /*) printf '%s\n' "$1" ;;
	*) printf '%s\n' "$(pwd -P)/$1" ;;
	esac
}

# The state folder that the hooks will use: as the repository's file has it (configured), else as given,
# else as the system's file has it, else the default.
find_state() {
	configured=
	if is_config_allowed; then
		configured=$(repository_value modelgate state)
	fi
	state=$(system_value modelgate state)
	state=$(absolute "${configured:-${1:-${state:-$state_default}}}")
}

# A folder that is given has to be the one that the hooks will use.
check_given_state() {
	file=$(config_file)
	if ! is_config_allowed; then
		[ -z "$(repository_value modelgate state)" ] ||
			die "$(system_file) leaves only [project] to $file, which has a state;" \
				"nothing was changed.  Take it out of that file"
		used=$(system_value modelgate state)
		[ -z "$given_state" ] || [ "$given_state" = "${used:-$state_default}" ] ||
			die "$(system_file) does not leave the state to a repository: it is" \
				"${used:-$state_default}; nothing was changed"
	elif [ -n "$file" ] && [ -n "$given_state" ] && [ "$configured" != "$given_state" ]; then
		[ -z "$configured" ] || die "$file says state = $configured, not $given_state." \
			"Nothing was changed; edit that file first."
		die "$file has no state, and stays as it is; nothing was changed." \
			"In its section [modelgate], add state = $given_state to $file"
	fi
}

# The project's name as the configuration that is there has it; a file that stays cannot take another.
check_project() {
	file=$(config_file)
	if [ -n "$file" ]; then
		as_owner test -r "$file" || die "$(owner_name) cannot read $file; nothing was changed"
		named=$(repository_value project name)
		now=${named:-$(default_project)}
		if [ -n "$project" ] && [ "$project" != "$now" ]; then
			die "$file says ${named:+name = }${named:-no name}, not $project." \
				"Nothing was changed; edit that file first."
		fi
		project=$now
	fi
	project=${project:-$(default_project)}
}

# Where the hooks of this repository will have the pusher's name from.
identity_source() {
	source=
	if is_config_allowed; then
		source=$(repository_value identity source)
		if [ -z "$(config_file)" ]; then
			[ "$layout" = gitlab ] && source=gitlab || source=os
		fi
	fi
	source=${source:-$(system_value identity source)}
	printf '%s\n' "${source:-os}"
}

# Is the repository one of the system file's projects by its path, as the hooks see it?
is_path_named() {
	system_globs | while IFS= read -r glob; do
		for path in "$gitdir" "${gitdir%.git}"; do
			# shellcheck disable=SC2254 # a pattern
			case $path in
			$glob) echo yes ;;
			esac
		done
	done | grep -q .
}

# Hooks of a repository that the system file's projects leave out would let every push pass.  Sets only_projects
# where GitLab's path of the project decides, which nobody knows here.
check_projects() {
	only_projects=
	[ -r "$(system_file)" ] && [ -n "$(system_globs)" ] || return 0
	! is_path_named || return 0
	only_projects=$(system_globs | paste -s -d ,)
	[ "$(identity_source)" = gitlab ] ||
		die "$(system_file) says projects = $only_projects, and pushes to others pass unjudged, so that hooks in" \
			"$gitdir would do nothing; nothing was changed.  Add $gitdir to projects in that file"
}

# Only root's own word, never a file of the repository, makes root give away a folder.
is_state_roots() {
	[ -z "$configured" ] || [ "$configured" = "$given_state" ]
}

check_state() {
	if [ -d "$state" ]; then
		[ "$(stat -c %u "$state")" = "${owner%:*}" ] ||
			die "$state belongs to $(name_of_owner "$state"), but the hooks of this repository" \
				"run as $(owner_name); nothing was changed.  Give another folder with --state"
	elif [ -e "$state" ] || [ -L "$state" ]; then
		die "$state is no folder"
	elif is_state_roots; then
		check_writable "$state" --state
	else
		folder=$state
		while ! as_owner test -e "$folder"; do
			folder=$(dirname -- "$folder")
		done
		as_owner test -w "$folder" || die_of_state
	fi
}

die_of_state() {
	die "$(config_file) says state = $state, which is not there, and which $(owner_name) cannot make;" \
		"nothing was changed.  Make that folder for $(owner_name), or give it with --state as well"
}

make_state() {
	[ ! -d "$state" ] || return 0
	if ! as_owner mkdir -p -m 700 -- "$state" 2>/dev/null; then
		is_state_roots || die_of_state
		mkdir -p -- "$(dirname -- "$state")"
		mkdir -m 700 -- "$state"
		chown -h "$owner" "$state"
	fi
	say "made   $state (store, audit log, stage logs)"
}

build_programs() {
	say "Building, and installing below $prefix ..."
	quietly make -C "$here" -s -j"$(nproc)" BUILD="$build" PREFIX="$prefix" DESTDIR= install
}

# Replace FILE in one step by one of MODE with what stands on standard input.  Gitaly runs whatever it
# finds in a folder of hooks, unless its name ends in "~".  A Ctrl-C leaves nothing, and what a kill leaves
# remove_leftovers knows.
put_file() {
	# shellcheck disable=SC2016 # expanded by the shell that is started
	as_owner sh -c '
		umask 077
		temporary=
		trap "rm -f -- \"\$temporary\"; exit 1" HUP INT TERM
		temporary=$(mktemp "$(dirname -- "$1")/.modelgate.XXXXXX~") || exit 1
		if cat >"$temporary" && chmod "$2" "$temporary" && mv -f -- "$temporary" "$1"; then
			exit 0
		fi
		rm -f "$temporary"
		exit 1' put_file "$1" "$2" || die "cannot write $1"
}

# The folders that hooks lie in, below the repository, the outer first.
hook_folders() {
	case $layout in
	git) printf 'hooks\n' ;;
	gitlab)
		printf 'custom_hooks\n'
		for hook in $hooks; do
			printf '%s\n' "custom_hooks/$hook.d"
		done
		;;
	global)
		for hook in $hooks; do
			printf '%s\n' "$hook.d"
		done
		;;
	esac
}

check_hook_folders() {
	for name in $(hook_folders); do
		[ ! -L "$gitdir/$name" ] || die "$gitdir/$name is a symbolic link, so that other" \
			"repositories may share it; nothing was changed.  Make it a folder of this repository's own"
		[ ! -e "$gitdir/$name" ] || [ -d "$gitdir/$name" ] ||
			die "$gitdir/$name is no folder; nothing was changed"
	done
}

plan_folders() {
	for name in $(hook_folders); do
		[ -d "$gitdir/$name" ] || folders_made="$folders_made $name"
	done
}

make_folders() {
	for name in $(hook_folders); do
		[ -d "$gitdir/$name" ] || as_owner mkdir -m 755 -- "$gitdir/$name" ||
			die "cannot make $gitdir/$name"
	done
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
	printf '; Everything else has its default, see modelgate.ini(5).\n'
	if [ -n "$project" ]; then
		printf '[project]\nname = %s\n\n' "$project"
	fi
	is_config_allowed || return 0
	printf '[modelgate]\nstate = %s\n\n[identity]\nsource = ' "$state"
	case $layout in
	git) printf 'os\n' ;;
	gitlab) printf 'gitlab\n' ;;
	esac
}

plan_config() {
	[ -n "$(config_file)" ] || config_sum=$(config_text | sha256sum)
}

write_config() {
	file=$(config_file)
	if [ -n "$file" ]; then
		say "kept   $file"
		return
	fi
	file=$(config_folder)/$config_name
	config_text | put_file "$file" 644
	say "wrote  $file"
}

# Sets push_options: on, or the one value that there is, or nothing.
check_push_options_value() {
	push_options=on
	[ "$layout" = git ] || return 0
	key=receive.advertisePushOptions
	[ "$(git_in_repository config --local --get-all $key | wc -l)" -le 1 ] ||
		die "$gitdir/config has $key more than once; nothing was changed." \
			"Leave one value: git -C $gitdir config --replace-all $key true"
	push_options=$(git_in_repository config --local --get $key || true)
	[ -n "$push_options" ] || git_in_repository config --local --get $key >/dev/null || return 0
	now=$(git_in_repository config --local --type=bool --get $key 2>/dev/null) ||
		die "$gitdir/config: $key is neither true nor false; nothing was changed"
	[ "$now" != true ] || push_options=on
}

# What git's configuration was, byte by byte, and the sum of what it will be; the value alone if the
# file is a link, or was changed by us before.
plan_push_options() {
	if [ -f "$(record_file)" ]; then
		[ "$push_options" = on ] || git_config_before=
		return
	fi
	push_options_before=$push_options
	if [ "$push_options" = on ]; then
		push_options_before=true
		return
	fi
	[ ! -L "$gitdir/config" ] || return 0
	copy=$(mktemp -d)
	as_owner cat -- "$gitdir/config" >"$copy/config" || die "cannot read $gitdir/config"
	git_config_before=$(base64 -w 0 <"$copy/config")
	git_config_time=$(stat -c %y "$gitdir/config")
	git config --file "$copy/config" receive.advertisePushOptions true
	git_config_sum=$(sha256sum <"$copy/config")
	rm -r -- "$copy"
}

turn_on_push_options() {
	[ "$push_options" != on ] || return 0
	git_in_repository config --local receive.advertisePushOptions true
	say "set    receive.advertisePushOptions = true"
}

put_hook() {
	file=$(hook_file "$1")
	program=$prefix/libexec/modelgate/$1
	if is_chained "$file" "$1" && ! is_ours "$file"; then
		say "kept   $file, which calls modelgate's"
		return
	fi
	if cmp -s "$program" "$file" && [ "$(stat -c '%a %u' "$file")" = "755 ${owner%:*}" ]; then
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
			"$push_options_before" "$config_sum" "$folders_made"
		printf 'git-config=%s\ngit-config-sum=%s\n' "$git_config_before" "$git_config_sum"
		printf 'git-config-time=%s\n' "$git_config_time"
	} | put_file "$(record_file)" 600 # git's configuration may hold a password
}

read_record() {
	folders_made=
	config_sum=
	push_options_before=
	git_config_before=
	git_config_sum=
	git_config_time=
	[ -f "$(record_file)" ] || return 0
	[ "$(recorded layout)" = "$layout" ] || die "modelgate is in this repository already, in the" \
		"layout $(recorded layout): ./install.sh uninstall $gitdir first"
	folders_made=$(recorded folders)
	config_sum=$(recorded config)
	push_options_before=$(recorded push-options)
	git_config_before=$(recorded git-config)
	git_config_sum=$(recorded git-config-sum)
	git_config_time=$(recorded git-config-time)
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
		-*) wrong_usage "repo has no option $1" ;;
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
	[ -e "$path" ] || die "there is no repository at $path; make one first: git init --bare $path"
	prefix=$(absolute "$prefix")
	given_state=$(absolute "$given_state")
	check_plain --prefix "$prefix"
	check_plain --state "$given_state"
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
	check_hook_folders
	check_hooks_free
	check_config_folder
	check_hooks_path
	check_push_options_value
	check_project
	check_projects
	find_state "$given_state"
	check_given_state
	check_state
	check_writable "$prefix" --prefix
	# shellcheck disable=SC2086 # a list of words
	need_packages $packages_build
	read_record
	build_programs

	make_state
	plan_folders
	plan_config
	plan_push_options
	# First, so that `uninstall` can undo what is not done to its end.
	write_record
	make_folders
	write_config
	turn_on_push_options
	# Last, so that no push meets hooks that are not configured yet.
	for hook in $hooks; do
		put_hook "$hook"
	done
	tell_next_steps
}

tell_next_steps() {
	program=$prefix/bin/modelgate
	check="./install.sh check $gitdir"
	new="$program new DIR --project ${project:-NAME}"
	status="$program --repo $gitdir status"
	width=${#check}
	[ "$width" -ge "${#new}" ] || width=${#new}
	[ "$width" -ge "${#status}" ] || width=${#status}
	[ -z "$only_projects" ] || printf '\nThe system file, %s, judges only %s: see that %s\n' \
		"$(system_file)" "$only_projects" "this project's path in GitLab is among them."
	printf '\nThe hooks are in %s (layout %s).  Next:\n' "$gitdir" "$layout"
	printf "  %-${width}s  # %s\n" "$check" 'is everything in place?' \
		"$new" 'a new project to push here' "$status" 'its pipelines'
}

# --- uninstall ---

remove_hooks() {
	for hook in $hooks; do
		file=$(hook_file "$hook")
		if is_ours "$file"; then
			as_owner rm -f -- "$file"
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
		as_owner rm -f -- "$file"
		say "removed  $file"
	else
		say "kept     $file: it is not as install.sh wrote it"
	fi
}

is_git_config_ours() {
	[ -n "$(recorded git-config)" ] && [ ! -L "$gitdir/config" ] &&
		[ "$(as_owner cat -- "$gitdir/config" | sha256sum)" = "$(recorded git-config-sum)" ]
}

restore_push_options() {
	[ "$layout" = git ] && [ -f "$(record_file)" ] || return 0
	before=$(recorded push-options)
	[ "$before" != true ] || return 0
	if is_git_config_ours; then
		recorded git-config | base64 -d | put_file "$gitdir/config" "$(stat -c %a "$gitdir/config")"
		as_owner touch -d "$(recorded git-config-time)" -- "$gitdir/config" 2>/dev/null || true
	elif [ -n "$before" ]; then
		git_in_repository config --local --replace-all receive.advertisePushOptions "$before"
	else
		git_in_repository config --local --unset-all receive.advertisePushOptions || true
	fi
	say 'restored receive.advertisePushOptions'
}

# Files of put_file in FOLDER that never got their names.
remove_leftovers() {
	for leftover in "$1"/.modelgate.??????~; do
		if [ -f "$leftover" ] && [ ! -L "$leftover" ] && as_owner rm -f -- "$leftover"; then
			say "removed  $leftover"
		fi
	done
}

remove_all_leftovers() {
	remove_leftovers "$gitdir"
	for name in $(hook_folders); do
		remove_leftovers "$gitdir/$name"
	done
}

remove_folders() {
	# The deepest first; one that holds something by now stays.
	for folder in $(recorded folders | tr ' ' '\n' | sort -r); do
		as_owner rmdir -- "$gitdir/$folder" 2>/dev/null || true
	done
}

command_uninstall() {
	[ $# -eq 1 ] || wrong_usage 'uninstall takes a PATH'
	if is_global_folder "$1"; then
		uninstall_global "$1"
		return
	fi
	find_repository "$1"
	find_layout "$(recorded layout | grep . || printf auto)"
	remove_all_leftovers
	if ! is_installed; then
		say "modelgate is not installed in $gitdir"
		return
	fi
	prefix=$(recorded prefix)
	prefix=${prefix:-/usr/local}
	find_state ''
	remove_hooks
	remove_config
	restore_push_options
	remove_folders
	as_owner rm -f -- "$(record_file)"
	say "The store and the audit log stay in $state; the programs stay where they are."
}
