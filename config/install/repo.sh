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
	[ ! -L "$gitdir/hooks" ] || die "$gitdir/hooks is a symbolic link, so that other repositories" \
		"may share it; nothing was changed.  Make it a folder of this repository's own"
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

# The project's name as the configuration that is there has it; a file that stays cannot take another.
check_project() {
	file=$(config_file)
	if [ -n "$file" ]; then
		configured=$(config_value "$file" project name)
		now=${configured:-$(default_project)}
		if [ -n "$project" ] && [ "$project" != "$now" ]; then
			die "$file says ${configured:+name = }${configured:-no name}, not $project." \
				"Nothing was changed; edit that file first."
		fi
		project=$now
	fi
	project=${project:-$(default_project)}
}

check_state() {
	if [ ! -e "$state" ]; then
		check_writable "$state" --state
	elif [ ! -d "$state" ]; then
		die "$state is no folder"
	elif [ "$(stat -c %u "$state")" != "${owner%:*}" ]; then
		die "$state belongs to $(name_of_owner "$state"), but the hooks of this repository run as" \
			"$(owner_name); nothing was changed.  Give another folder with --state"
	fi
}

make_state() {
	[ ! -d "$state" ] || return 0
	if ! as_owner mkdir -p -m 700 -- "$state" 2>/dev/null; then
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

# Replace FILE in one step by one of MODE with what stands on standard input.
put_file() {
	# shellcheck disable=SC2016 # expanded by the shell that is started
	as_owner sh -c '
		umask 077
		temporary=$(mktemp "$(dirname -- "$1")/.modelgate.XXXXXX") || exit 1
		if cat >"$temporary" && chmod "$2" "$temporary" && mv -f -- "$temporary" "$1"; then
			exit 0
		fi
		rm -f "$temporary"
		exit 1' put_file "$1" "$2" || die "cannot write $1"
}

make_folder() {
	[ ! -d "$1" ] || return 0
	as_owner mkdir -m 755 -- "$1" || die "cannot make $1"
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
	now=$(git_in_repository config --local --get receive.advertisePushOptions || true)
	[ -f "$(record_file)" ] || push_options_before=$now
	[ "$now" != true ] || return 0
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
			"$push_options_before" "$config_sum" "$folders_made"
	} | put_file "$(record_file)" 644
}

read_record() {
	folders_made=
	config_sum=
	push_options_before=
	[ -f "$(record_file)" ] || return 0
	[ "$(recorded layout)" = "$layout" ] || die "modelgate is in this repository already, in the" \
		"layout $(recorded layout): ./install.sh uninstall $gitdir first"
	folders_made=$(recorded folders)
	config_sum=$(recorded config)
	push_options_before=$(recorded push-options)
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
	check_project
	find_state "$given_state"
	check_state
	check_writable "$prefix" --prefix
	# shellcheck disable=SC2086 # a list of words
	need_packages $packages_build
	read_record
	build_programs

	make_state
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
	turn_on_push_options
	write_record
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

restore_push_options() {
	[ "$layout" = git ] && [ -f "$(record_file)" ] || return 0
	before=$(recorded push-options)
	[ "$before" != true ] || return 0
	if [ -n "$before" ]; then
		git_in_repository config --local receive.advertisePushOptions "$before"
	else
		git_in_repository config --local --unset receive.advertisePushOptions || true
	fi
	say 'restored receive.advertisePushOptions'
}

remove_folders() {
	# The deepest first; one that holds something by now stays.
	for folder in $(recorded folders | tr ' ' '\n' | sort -r); do
		as_owner rmdir -- "$gitdir/$folder" 2>/dev/null || true
	done
}

command_uninstall() {
	[ $# -eq 1 ] || wrong_usage 'uninstall takes a PATH'
	find_repository "$1"
	find_layout "$(recorded layout | grep . || printf auto)"
	if ! is_installed; then
		say "modelgate is not installed in $gitdir"
		return
	fi
	find_state ''
	remove_hooks
	remove_config
	restore_push_options
	remove_folders
	as_owner rm -f -- "$(record_file)"
	say "The store and the audit log stay in $state; the programs stay where they are."
}
