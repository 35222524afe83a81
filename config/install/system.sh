# shellcheck shell=sh disable=SC2034,SC2154 # variables of install.sh, which reads this file
# The system's file, and the list beside it of the folders of hooks for all repositories that go by it:
# without that file these hooks would judge the whole server.  With the list stands what was made.
#
# A record in a folder of hooks is its owner's, often the user git's.  What root does to the system's file
# therefore goes by this list alone, which nobody but root can have written.

system_list_name=global-folders

# The folder of the system's file, without symbolic links; nothing if there is none.
system_folder() {
	(CDPATH='' cd -- "$(dirname -- "$(system_file)")" 2>/dev/null && pwd -P) || true
}

# May nobody but root put anything in the place of $1, an absolute path without links?
is_roots_alone() (
	path=$1
	while :; do
		[ ! -L "$path" ] && [ "$(stat -c %u -- "$path")" -eq 0 ] || return 1
		case $(stat -c '%F %A' -- "$path") in
		directory*[tT]) ;; # as /tmp: what is root's in it stays so
		*?????w???? | *????????w?) return 1 ;;
		esac
		[ "$path" != / ] || return 0
		path=$(dirname -- "$path")
	done
)

# As root: the folder that the system's file is in, or will be made in.
check_system_folder() {
	[ "$(id -u)" -eq 0 ] || return 0
	folder=$(dirname -- "$(system_file)")
	while [ ! -d "$folder" ]; do
		folder=$(dirname -- "$folder")
	done
	is_roots_alone "$(CDPATH='' cd -- "$folder" && pwd -P)" ||
		die "others than root can put something in the place of $folder, or of a folder above it, and so" \
			"of $(system_file), which is for the whole server; nothing was changed"
}

# The list, if there is one and it can be believed; else nothing.
system_list() {
	list=$(system_folder)/$system_list_name
	[ -f "$list" ] && [ ! -L "$list" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		is_roots_alone "$list" || return 0
	else
		case $(stat -c %u -- "$list") in
		0 | "$(id -u)") ;;
		*) return 0 ;;
		esac
	fi
	printf '%s\n' "$list"
}

listed() {
	list=$(system_list)
	[ -z "$list" ] || sed -n "s/^$1=//p" "$list"
}

# The folders of the list but the one at hand.
other_folders() {
	listed folder | grep -vxF -e "$gitdir" || true
}

# Sets what the list will say was made: what it says already, or what is going to be made.
plan_system_file() {
	config_sum=$(listed config)
	config_folder_made=$(listed config-folder)
	file=$(system_file)
	[ -e "$file" ] || config_sum=$(system_text | sha256sum)
	[ -d "$(dirname -- "$file")" ] || config_folder_made=yes
}

# What is on standard input, a file of whoever runs this, not of the owner of the folder of hooks.
put_system_file() {
	(
		owner=$(id -u):$(id -g)
		put_file "$1" 644
	) || exit 1
}

# The folders that are given, one a line, as those that go by the system's file.
write_system_list() {
	{
		printf '# Folders of hooks that go by %s: ./install.sh uninstall FOLDER takes one out.\n' "$(system_file)"
		printf 'config=%s\nconfig-folder=%s\n' "$config_sum" "$config_folder_made"
		printf '%s\n' "$1" | sed '/^$/d; s/^/folder=/'
	} | put_system_file "$(system_folder)/$system_list_name"
}

write_system_file() {
	file=$(system_file)
	if [ -e "$file" ]; then
		say "kept   $file"
		return
	fi
	system_text | put_system_file "$file"
	say "wrote  $file"
}

# The folder at hand no longer goes by the system's file, which goes with the last that does.
leave_system_file() {
	file=$(system_file)
	list=$(system_list)
	if [ -z "$list" ] || ! listed folder | grep -qxF -e "$gitdir"; then
		[ ! -f "$file" ] || say "kept     $file: no list beside it says that it was made for $gitdir"
		return 0
	fi
	remove_system_leftovers
	config_sum=$(listed config)
	config_folder_made=$(listed config-folder)
	others=$(other_folders)
	if [ -n "$others" ]; then
		write_system_list "$others"
		say "kept     $file: hooks go by it in $(printf '%s\n' "$others" | paste -s -d ' '), says $list"
		return
	fi
	remove_system_file "$(dirname -- "$list")"
}

# What a killed installer has left beside the list.
remove_system_leftovers() {
	list=$(system_list)
	[ -z "$list" ] || (
		owner=$(id -u):$(id -g)
		remove_leftovers "$(dirname -- "$list")"
	)
}

# Of FOLDER, where the list can be believed; the list last, so that this can be done again.
remove_system_file() {
	file=$1/$config_name
	if [ -f "$file" ] && [ -n "$config_sum" ]; then
		if [ "$(sha256sum <"$file")" = "$config_sum" ]; then
			rm -f -- "$file"
			say "removed  $file"
		else
			say "kept     $file: it is not as install.sh wrote it"
		fi
	fi
	rm -f -- "$1/$system_list_name"
	[ -z "$config_folder_made" ] || rmdir -- "$1" 2>/dev/null || true
}
