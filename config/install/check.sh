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

# The command that installs here what is checked.
install_command() {
	printf './install.sh repo %s' "$gitdir"
	[ "$prefix" = /usr/local ] || printf ' --prefix %s' "$prefix"
}

check_hook() {
	file=$(hook_file "$1")
	program=$prefix/libexec/modelgate/$1
	mend=$(install_command)
	if [ ! -e "$file" ]; then
		bad "$1: $file is missing" "$mend"
	elif ! as_owner test -x "$file"; then
		bad "$1: $file is not executable for $(owner_name), so it is not run" "chmod 755 $file"
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

state_is_foreign() {
	[ -d "$state" ] && [ "$(stat -c %u "$state")" != "${owner%:*}" ]
}

# How to mend a state folder of somebody else's: what they keep in it stays theirs.
give_state() {
	if [ -r "$state" ] && [ -x "$state" ] && [ -z "$(ls -A -- "$state")" ]; then
		printf 'chown %s %s\n' "$(owner_name)" "$state"
	elif [ -n "$configured" ]; then
		printf 'leave that folder to them; write another state = DIR into %s, then %s\n' \
			"$(config_file)" "$(install_command)"
	else
		printf 'leave that folder to them, and give this repository another: %s --state DIR\n' \
			"$(install_command)"
	fi
}

check_state_folder() {
	find_state ''
	if [ ! -d "$state" ]; then
		bad "state: $state is missing" "$(install_command)"
	elif state_is_foreign; then
		bad "state: $state belongs to $(name_of_owner "$state"), and the hooks run as $(owner_name)" \
			"$(give_state)"
	elif [ "$(stat -c %a "$state")" != 700 ]; then
		bad "state: $state has mode $(stat -c %a "$state")" "chmod 700 $state"
	else
		check_state_files
	fi
}

# What the hooks, which run as the owner, have to write; copies of models may be read-only.
check_state_files() {
	alien=$(find "$state/" ! -user "${owner%:*}" -print -quit)
	if [ -n "$alien" ]; then
		bad "state: $alien belongs to $(name_of_owner "$alien"), and the hooks run as $(owner_name)" \
			"chown -h $(owner_name) $alien"
		return
	fi
	for file in "$state" "$state/audit" "$state/audit/audit.jsonl" "$state/store.db"; do
		if [ -e "$file" ] && ! as_owner test -w "$file"; then
			bad "state: $(owner_name) cannot write $file" "chmod u+w $file"
			return
		fi
	done
	ok "state: $state"
}

check_hook_links() {
	for name in $(hook_folders); do
		[ ! -L "$gitdir/$name" ] ||
			bad "$gitdir/$name is a symbolic link, so that other repositories may share it" \
				"make it a folder of this repository's own, then $(install_command)"
	done
}

# The files that the programs read here: the system's and the repository's.
config_files() {
	found=$(system_file)
	[ -e "$found" ] || found=
	file=$(config_file)
	[ -z "$file" ] || found=${found:+$found, }$file
	printf '%s\n' "${found:-none: the defaults hold}"
}

# Names of branches in the file $1 that are not in the repository, while another that is, or that has
# rules by default, is one slip of the keyboard away: both names, a line each.
misspelt_branches() {
	git_in_repository for-each-ref --format='%(refname:lstrip=2)' refs/heads | awk '
		function near(a, b, i) {
			for (i = 1; i <= length(a) && substr(a, i, 1) == substr(b, i, 1); i++)
				;
			a = substr(a, i)
			b = substr(b, i)
			return substr(a, 2) == b || a == substr(b, 2) || substr(a, 2) == substr(b, 2) ||
				substr(a, 2, 1) substr(a, 1, 1) substr(a, 3) == b
		}
		function look(name, other) {
			if (name in known || name in told || length(name) < 3)
				return
			for (other in known)
				if (length(other) > 2 && near(name, other)) {
					told[name]
					print name, other
					return
				}
		}
		BEGIN {
			known["dev"]; known["main"]; known["prod"]; known["retrain"]; known["online"]
		}
		! in_file { known[$0] }
		in_file && /^\[branch/ { split($0, part, "\""); look(part[2]) }
		in_file && /^merge-from[.0-9]*[ \t]*=/ {
			sub(/^[^=]*=/, "")
			sub(/[ \t];.*/, "")
			gsub(/[ \t\r]/, "")
			n = split($0, names, ",")
			for (i = 1; i <= n; i++)
				look(names[i])
		}' - in_file=1 "$1"
}

check_branches() {
	file=$(config_file)
	[ -n "$file" ] || return 0
	misspelt_branches "$file" | while read -r name meant; do
		say "warn   branch $name in $file: there is none so far; is $meant meant?"
	done
}

check_command() {
	if [ ! -x "$prefix/bin/modelgate" ]; then
		bad "command: $prefix/bin/modelgate is missing" \
			"$(install_command)"
	elif ! as_owner test -x "$prefix/bin/modelgate"; then
		bad "command: $(owner_name) may not run $prefix/bin/modelgate" \
			"chmod a+rx it and the folders above it"
	elif answer=$(as_owner "$prefix/bin/modelgate" --repo "$gitdir" status --limit 1 2>&1); then
		ok "configuration: $(config_files)"
		check_branches
	else
		bad "configuration: $answer" "mend what it names"
	fi
}

check_push_options() {
	[ "$layout" = git ] || return 0
	if [ "$(git_in_repository config --type=bool --get receive.advertisePushOptions || true)" = true ]; then
		ok 'receive.advertisePushOptions'
	else
		bad 'receive.advertisePushOptions is off: nobody can give a reason for an override' \
			"git -C $gitdir config receive.advertisePushOptions true"
	fi
	path=$(git_in_repository config --get core.hooksPath || true)
	[ -z "$path" ] || bad "core.hooksPath is $path: git does not run $gitdir/hooks" \
		"git -C $gitdir config --unset core.hooksPath"
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
	find_repository "$path"
	find_layout "$(recorded layout | grep . || printf auto)"
	prefix=${prefix:-$(recorded prefix)}
	prefix=${prefix:-/usr/local}
	is_installed || tell_not_installed
	faults=0
	ok "repository: $gitdir, owner $(owner_name), layout $layout"
	ok "$(git --version)"
	check_hook_links
	for hook in $hooks; do
		check_hook "$hook"
	done
	check_state_folder
	check_command
	check_push_options
	[ "$faults" -eq 0 ] || exit 1
}
