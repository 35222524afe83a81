# shellcheck shell=sh disable=SC2154 # variables of install.sh, which reads this file
# A repository as install.sh sees it: where its hooks and its configuration lie, whose it is, and what
# was there before modelgate.

# Run a command as the repository's owner: root follows no link and believes no file of somebody
# else's, and what is made is the owner's.
as_owner() {
	if [ "$(id -u)" -eq "${owner%:*}" ]; then
		"$@"
	else
		setpriv --reuid="${owner%:*}" --regid="${owner#*:}" --clear-groups env HOME=/ "$@"
	fi
}

git_in_repository() {
	as_owner env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git --git-dir="$gitdir" "$@"
}

# Sets gitdir (absolute, no symbolic links) and owner (uid:gid).
find_repository() {
	[ -d "$1" ] || die "$1 is no folder"
	command -v git >/dev/null 2>&1 || die 'git is missing: ./install.sh deps'
	gitdir=$(cd -- "$1" && pwd -P)
	if [ -f "$gitdir/.git" ]; then
		die "$1 is a work tree of a repository elsewhere: give that one"
	elif [ -d "$gitdir/.git" ]; then
		gitdir=$gitdir/.git
	fi
	if [ ! -f "$gitdir/HEAD" ] || [ ! -d "$gitdir/objects" ] || [ ! -d "$gitdir/refs" ]; then
		die "$1 is no Git repository (a bare one, or a work tree with one)"
	fi
	owner=$(stat -c '%u:%g' "$gitdir")
	if [ "$(id -u)" -ne 0 ] && [ "$(id -u)" != "${owner%:*}" ]; then
		die "$gitdir belongs to $(owner_name): run this as that user, or as root"
	fi
	git_in_repository rev-parse --git-dir >/dev/null || die "$1 is no Git repository"
}

owner_name() {
	name_of_owner "$gitdir"
}

# Whose a file is: the user's name, or the number of one that has none.
name_of_owner() {
	name=$(stat -c %U "$1")
	[ "$name" != UNKNOWN ] || name=$(stat -c %u "$1")
	printf '%s\n' "$name"
}

find_layout() {
	case $1 in
	git | gitlab) layout=$1 ;;
	auto)
		layout=git
		case $gitdir in
		*/@hashed/*/*.git | */@cluster/*/*.git | */@pools/*/*.git | */git-data/repositories/*) layout=gitlab ;;
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
	global) printf '%s\n' "$gitdir/$1.d/50-modelgate" ;;
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

# The values of a key in the configuration on standard input, a line each, with those of KEY.2 and so on by
# which a list goes on: SECTION KEY.
ini_values() {
	awk -v section="[$1]" -v key="$2" '
		/^\[/ { inside = index($0, section) == 1 }
		inside && $0 ~ "^" key "([.][0-9]+)?[ \t]*=" {
			sub(/^[^=]*=/, "")
			sub(/[ \t];.*/, "")
			gsub(/^[ \t]+|[ \t\r]+$/, "")
			print
		}'
}

ini_value() {
	ini_values "$1" "$2" | head -n 1
}

# The same of the repository's file, read as its owner; nothing if there is none.
repository_value() {
	file=$(config_file)
	[ -z "$file" ] || as_owner cat -- "$file" 2>/dev/null | ini_value "$1" "$2"
}

# The system's file, as the Makefile has it.
system_file() {
	case $prefix in
	/usr | /usr/local) printf '%s\n' "/etc/modelgate/$config_name" ;;
	*) printf '%s\n' "$prefix/etc/modelgate/$config_name" ;;
	esac
}

system_value() {
	file=$(system_file)
	[ ! -r "$file" ] || ini_value "$1" "$2" <"$file"
}

# May the repository's file say more than [project]?
is_config_allowed() {
	[ "$(system_value modelgate allow-repository-config)" != no ]
}

# A program of ours is known by what it holds.  It is never run to find out.
is_ours() {
	[ -f "$1" ] && [ ! -L "$1" ] && grep -qaF "$marker" "$1"
}

# A record, or any hook that is ours or calls ours.
is_installed() {
	[ ! -f "$(record_file)" ] || return 0
	for hook in $hooks; do
		file=$(hook_file "$hook")
		if is_ours "$file" || is_chained "$file" "$hook"; then
			return 0
		fi
	done
	return 1
}

# Somebody's own hook that calls ours.
is_chained() {
	[ -f "$1" ] && grep -qF "libexec/modelgate/$2" "$1"
}
