# shellcheck shell=sh disable=SC2154 # variables of install.sh, which reads this file
# ./install.sh check: is everything in place?

# Whether the command can be asked is found out here; the rest it says itself, in lines of this form.
ok() {
	say "ok     $*"
}

# WHAT MEND
bad() {
	say "wrong  $1"
	say "       $2"
}

# The command that installs here what is checked.
install_command() {
	case $layout in
	global) printf './install.sh global %s --projects GLOBS' "$gitdir" ;;
	*) printf './install.sh repo %s' "$gitdir" ;;
	esac
	[ "$prefix" = /usr/local ] || printf ' --prefix %s' "$prefix"
}

state_is_foreign() {
	[ -d "$state" ] && [ "$(stat -c %u "$state")" != "${owner%:*}" ]
}

# All that the command looks at, as whom the hooks run as: root does not run what a repository names.
run_check() {
	status=0
	case $layout in
	global) as_owner "$prefix/bin/modelgate" check --hooks "$gitdir" --user "${user:-git}" || status=$? ;;
	*) as_owner "$prefix/bin/modelgate" --repo "$gitdir" check || status=$? ;;
	esac
	case $status in
	0) ;;
	2)
		bad "command: $prefix/bin/modelgate is older than this install.sh" "$(install_command)"
		exit 1
		;;
	*) exit 1 ;;
	esac
}

check_command() {
	if [ ! -x "$prefix/bin/modelgate" ]; then
		bad "command: $prefix/bin/modelgate is missing" "$(install_command)"
	elif ! as_owner test -x "$prefix/bin/modelgate"; then
		bad "command: $(owner_name) may not run $prefix/bin/modelgate" \
			"chmod a+rx it and the folders above it"
	else
		ok "installed: layout $layout, prefix $prefix"
		run_check
		return
	fi
	exit 1
}

tell_not_installed() {
	mend=$(install_command)
	find_state ''
	if [ -z "$configured" ] && state_is_foreign; then
		mend="$mend --state DIR"
	fi
	say "modelgate is not installed in $gitdir"
	say "    $mend"
	exit 1
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
		-*) wrong_usage "check has no option $1" ;;
		*)
			[ -z "$path" ] || wrong_usage 'check takes one PATH'
			path=$1
			;;
		esac
		shift
	done
	[ -n "$path" ] || wrong_usage 'check takes a PATH'
	if is_global_folder "$path"; then
		check_global "$path"
		return
	fi
	find_repository "$path"
	find_layout "$(recorded layout | grep . || printf auto)"
	prefix=${prefix:-$(recorded prefix)}
	prefix=${prefix:-/usr/local}
	is_installed || tell_not_installed
	check_command
}
