# shellcheck shell=sh
# For the tests of the gates, after test.sh: what the pusher was told, what was recorded, and programs
# that are run by hand.
#
# Work trees
#	at BRANCH                  On BRANCH as origin had it when last seen: at our last push or fetch.
#	short REV                  Its first seven digits.
#
# Told and recorded, by the push that expect_accept or expect_reject has run last
#	told                       What the gates printed is exactly what stands on standard input; "ID"
#	                           stands for the audit id.  Nothing: told </dev/null.
#	recorded NAME PATH=VALUE...    The newest push.* record of server NAME matches all, and has the
#	                           audit id that was told, if one was.
#	pushes NAME                How many push.* records there are.
#	pipelines NAME             Ids of all pipelines, newest first, in a line.
#	lands NAME BRANCH METHOD SOURCE CMD...
#	                           CMD is accepted, BRANCH is then at our HEAD, and the record says so with
#	                           this method and source ("": none).
#
# The kernel
#	has_landlock               Landlock is there, as the kernel says, and not what is tested.
#
# Programs by hand
#	hook STATUS NAME HOOK [ARG...]
#	                           Run a hook of the build under test as git does, in the repository, with
#	                           our standard input: it ends with this status.  Its standard error is
#	                           in $T/err.
#	own_system_file NAME       From now on the hooks of NAME read $T/system.ini as the system file.

at() {
	git switch -q "$1" && git reset -q --hard "origin/$1"
}

short() {
	git rev-parse "$1" | cut -c 1-7
}

gate_lines() {
	sed -n 's/^remote: //; s/ *$//; /modelgate: /p' "$T/err"
}

told() {
	gate_lines | sed 's/audit id [0-9A-HJKMNP-TV-Z]\{26\}$/audit id ID/' >"$T/.run/told"
	diff - "$T/.run/told"
}

recorded() {
	gate_server=$1
	shift
	grep '"event":"push\.' "$(audit "$gate_server")" | tail -n 1 >"$T/.run/record"
	gate_id=$(gate_lines | sed -n 's/.*audit id //p' | sort -u)
	[ "$(json_count "push_id=${gate_id:-*}" "$@" <"$T/.run/record")" -eq 1 ] && return
	cat "$T/.run/record"
	echo "is not: push_id=${gate_id:-*} $*"
	return 1
}

pushes() {
	audit_count "$1" 'event=push.*'
}

pipelines() {
	mg "$1" status --limit 1000 --json | json pipelines.*.id 2>/dev/null | tr '\n' ' ' | sed 's/ $//'
}

lands() {
	gate_server=$1
	gate_ref=refs/heads/$2
	gate_method=$3
	gate_source=$4
	shift 4
	expect_accept "$@" &&
		same "$(git rev-parse HEAD)" "$(tip "$gate_server" "$gate_ref")" &&
		recorded "$gate_server" event=push.accepted "refs.0.ref=$gate_ref" \
			"refs.0.new=$(git rev-parse HEAD)" \
			${gate_method:+"refs.0.method=$gate_method"} \
			${gate_source:+"refs.0.source=refs/heads/$gate_source"}
}

hook() {
	gate_status=$1
	gate_repository=$T/$2.git
	gate_hook=$ROOT/libexec/modelgate/$3
	shift 3
	(cd "$gate_repository" && GIT_DIR=. exec "$gate_hook" "$@") 2>"$T/err"
	gate_got=$?
	[ "$gate_got" -eq "$gate_status" ] && return
	cat "$T/err"
	echo "exit status $gate_got, not $gate_status, of ${gate_hook##*/} $*"
	return 1
}

has_landlock() {
	perl -e 'exit !(syscall(444, 0, 0, 1) > 0)' # landlock_create_ruleset: which version?
}

# The path stands in the programs as it was when they were built.  Another of the same length (slashes
# fill it up) takes its place in a copy, so that no other test sees the file.  Where a script runs the
# program (make valgrind), it runs the copy.
own_system_file() {
	perl -e '
		my ($old, $dir, @files) = @ARGV;
		my $new = $dir . "/" x (length($old) - length("$dir/system.ini")) . "/system.ini";
		die "$dir is too long a name\n" if length $new != length $old;
		sub content {
			open my $in, "<:raw", $_[0] or die "$_[0]: $!\n";
			local $/;
			return <$in>;
		}
		sub put {
			unlink $_[0];
			open my $out, ">:raw", $_[0] or die "$_[0]: $!\n";
			print $out $_[1];
			close $out or die "$_[0]: $!\n";
			chmod 0755, $_[0];
		}
		for my $file (@files) {
			my ($program, $copy) = (content($file), $file);
			if ($program =~ /^#!/) {
				my $script = $program;
				$copy = "$file.program";
				$script =~ s{\S+/valgrind/programs/\S+}{$copy} or die "$file: no program in it\n";
				$program = content($&);
				put($file, $script);
			}
			$program =~ s/\Q$old\E/$new/g or die "$file: no $old in it\n";
			put($copy, $program);
		}' "$ROOT/etc/modelgate/modelgate.ini" "$T" "$T/$1.git/hooks"/* ||
		test_bail 'no system file of its own'
}
