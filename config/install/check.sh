# shellcheck shell=sh disable=SC2154 # variables of install.sh, which reads this file
# ./install.sh check: is everything in place?

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
