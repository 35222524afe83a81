# shellcheck shell=sh
# An almost empty machine, after test.sh: a folder to be chroot(2)ed into, as root.
#
#	new_chroot DIR             $T/DIR: folders etc, tmp and dev, with dev/null and dev/urandom (which Git
#	                           reads), and no more.
#	chroot_take DIR PROGRAM... Copies of programs (absolute paths), each with the libraries that ldd(1)
#	                           names and its dynamic linker, at the places that they have here.
#	chroot_take_gate DIR PROGRAM
#	                           What PROGRAM, a gate which is there already, needs: nothing, but where it
#	                           was built with sanitizers.
#	in_chroot DIR USER COMMAND...
#	                           Run it there in "/", as the user with this number, in an empty
#	                           environment; NAME=VALUE, without blanks, may stand before the command.

new_chroot() {
	mkdir -p "$T/$1/etc" "$T/$1/tmp" "$T/$1/dev" && chmod 755 "$T" "$T/$1" && chmod 1777 "$T/$1/tmp" &&
		mknod -m 666 "$T/$1/dev/null" c 1 3 &&
		mknod -m 666 "$T/$1/dev/urandom" c 1 9
}

chroot_take() {
	chroot_dir=$T/$1
	shift
	for chroot_program in "$@"; do
		for chroot_file in "$chroot_program" $(ldd "$chroot_program" | grep -o '/[^ ]*'); do
			[ ! -e "$chroot_dir$chroot_file" ] || continue
			mkdir -p "$chroot_dir$(dirname "$chroot_file")" &&
				cp -L "$chroot_file" "$chroot_dir$chroot_file" || return 1
		done
	done
}

# Sanitizers have to be linked dynamically; they read their options in /proc, and what looks for leaks needs
# more of it.
chroot_take_gate() {
	chroot_dir=$T/$1
	readelf -lW "$2" | grep -q '^  INTERP ' || return 0
	chroot_take "$1" "$2" && mkdir -p "$chroot_dir/proc/self" &&
		printf 'ASAN_OPTIONS=detect_leaks=0\0' >"$chroot_dir/proc/self/environ"
}

in_chroot() {
	chroot_dir=$T/$1
	chroot_user=$2
	shift 2
	chroot_variables=
	while case $1 in *=*) ;; *) false ;; esac do
		chroot_variables="$chroot_variables $1"
		shift
	done
	# shellcheck disable=SC2086 # a list of words
	env -i LC_ALL=C TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin $chroot_variables chroot \
		--userspec="$chroot_user:$chroot_user" --groups= "$chroot_dir" "$@"
}
