# shellcheck shell=sh
# For the tests of install.sh, after test.sh.  Nothing is built in the build folder at hand: another
# PREFIX or version compiles and links anew.
#
#	own_build NAME [VERSION]   $T/NAME, a build folder begun from the one at hand; install_sh uses the one
#	                           made last.  VERSION: what its programs say they are.
#	use_build NAME             install_sh uses this one.
#	install_sh ARG...          ./install.sh ARG...
#	snapshot DIR               All of a repository or a prefix but its objects, as text: names, kinds,
#	                           modes, owners, contents.
#	unchanged DIR FILE         DIR is as snapshot has written it into $T/FILE.
#	keep DIR                   A copy of DIR with everything, for:
#	is_as_kept DIR             DIR is, to the byte, mode, owner and time of each file, what keep has copied.
#	refuses TEXT CMD...        CMD fails and says TEXT.
#	ended_at SIGNAL N BELOW ARG...
#	                           ./install.sh ARG..., which gets SIGNAL with all that it has started just before
#	                           its Nth mv of a file to a place below the folder BELOW, but for the programs.
#	                           The places are in $T/moves, what it said in $T/ended.
#	leftovers DIR...           Names that end in "~".

own_build() {
	install_build=$T/$1
	mkdir "$install_build" && cp -a "$BUILD/obj" "$BUILD/lib" "$BUILD/gen" "$install_build/" || return 1
	# Which say for which PREFIX they were made.
	rm "$install_build/lib/sys.a" "$install_build/obj/common/sys/paths.o" || return 1
	echo "${2:-}" >"$install_build.version"
}

use_build() {
	install_build=$T/$1
}

install_sh() {
	install_version=$(cat "$install_build.version")
	# What `make asan` says to make must get through.
	BUILD=$install_build MAKEFLAGS="${MAKEFLAGS-}${install_version:+ VERSION=$install_version}" "$TOP/install.sh" "$@"
}

snapshot() {
	(cd "$1" && find . ! -path ./objects ! -path './objects/*' -printf '%p %y %m %U:%G\n' | sort &&
		find . -type f ! -path './objects/*' | sort | xargs -r sha256sum)
}

unchanged() {
	snapshot "$1" | diff "$T/$2" -
}

keep() {
	rm -rf "$T/kept.$(basename "$1")" && cp -a "$1" "$T/kept.$(basename "$1")"
}

install_details() {
	(cd "$1" && find . ! -type d -printf '%p %y %m %U:%G %T@ %l\n' -o -printf '%p %y %m %U:%G\n' | sort)
}

is_as_kept() {
	install_details "$T/kept.$(basename "$1")" >"$T/kept.list" && install_details "$1" | diff "$T/kept.list" - &&
		diff -r "$T/kept.$(basename "$1")" "$1"
}

refuses() {
	test_text=$1
	shift
	if "$@" >"$T/out" 2>"$T/err"; then
		cat "$T/out"
		echo "did not refuse: $*"
		return 1
	fi
	said "$test_text"
}

ended_at() {
	mkdir -p "$T/ending" && cat >"$T/ending/mv" <<-EOT && chmod 755 "$T/ending/mv" || return 1
		#!/bin/sh
		for last; do :; done
		case \$last in
		*/bin/* | */libexec/*) ;;
		"$3/"*)
			echo "\$last" >>"$T/moves"
			[ "\$(wc -l <"$T/moves")" -ne $2 ] || kill -$1 0 ;;
		esac
		exec $(command -v mv) "\$@"
	EOT
	rm -f "$T/moves"
	shift 3
	# A test that runs in the background has SIGINT ignored, and so would have what it starts.  cat ends with
	# the last that has the pipe: what clears away outlives the shell that was waiting for it.
	PATH=$T/ending:$PATH BUILD=$install_build env --default-signal=INT,TERM,HUP setsid -w "$TOP/install.sh" "$@" \
		2>&1 | cat >"$T/ended"
	[ -s "$T/moves" ]
}

leftovers() {
	find "$@" -name '*~'
}
