#!/bin/sh
# What git would never give a hook, and repositories that cannot be judged: the right code or the right
# verdict, never a crash, and nothing broken afterwards.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

zeros=$(printf '%040d' 0)
new_server shop
new_project shop work || test_bail 'no project'
# main stands at $old; $accepted and $rejected are what a push to it would give the hooks.
cd work && commit a.txt && git push -q origin dev && at main && merge_in dev &&
	git push -q origin main:refs/heads/merged || test_bail 'no history'
old=$(git rev-parse main~) new=$(git rev-parse main)
at main && commit direct.txt && git push -q origin main:refs/heads/direct || test_bail 'no history'
direct=$(git rev-parse main)
cd "$T" || exit 1
accepted="$old $new refs/heads/main"
rejected="$old $direct refs/heads/main"

# The file $T/in through the two hooks that read it: pre-receive rejects with CODE, post-receive does
# nothing and succeeds.
malformed() {
	before=$(audit_count shop event=push.rejected) &&
		hook 1 shop pre-receive <"$T/in" && said "modelgate: rejected $1: " &&
		same $((before + 1)) "$(audit_count shop event=push.rejected)" &&
		recorded shop event=push.rejected "refs.0.code=$1" &&
		hook 0 shop post-receive <"$T/in" && same "" "$(pipelines shop)"
}

# Log and store can be read, and there are so many pipelines.
whole() {
	audit_valid shop &&
		same "$(seq "$1" -1 1 | tr "\n" " " | sed "s/ \$//")" "$(pipelines shop)"
}

# --- pre-receive and post-receive: standard input ---

while IFS='|' read -r title text; do
	test_expect "MG904: $title" 'printf "$text" >in && malformed MG904'
done <<EOT
no input|
an empty line|\\n
half a line|$old $new
a line without its end|$accepted
one field too few|$old $new\\n
two blanks|$old  $new refs/heads/main\\n
a second line that is broken|$accepted\\n$old\\n
a carriage return|$accepted\\r\\n
a NUL byte in a name|$old $new refs/heads/ma\\0in\\n
a NUL byte at the end|$accepted\\n\\0
an object id that is too short|12345 $new refs/heads/main\\n
an object id in capitals|$(echo "$old" | tr a-f A-F) $new refs/heads/main\\n
an object id with something else|$(echo "$old" | tr 0-9 g) $new refs/heads/main\\n
neither created nor deleted|$zeros $zeros refs/heads/main\\n
a name that git does not take|$old $new refs/heads/../../etc/passwd\\n
a name outside refs|$old $new HEAD\\n
an escape sequence|$old $new refs/heads/\\033[2J\\n
EOT

test_expect 'MG904: 1 MB without a newline; 1 MB of NUL bytes; 1 MB of newlines' '
	perl -e "print q(a) x 1e6" >in && malformed MG904 &&
	head -c 1000000 /dev/zero >in && malformed MG904 &&
	perl -e "print qq(\\n) x 1e6" >in && malformed MG904
'

test_expect 'MG904: a reference of 5,000 bytes; one of 4,000 is judged' '
	perl -e "print q($accepted) . q(x) x 5000, qq(\\n)" >in && malformed MG904 &&
	perl -e "print q($zeros $new refs/heads/retrain-) . q(x) x 4000, qq(\\n)" >in &&
	hook 1 shop pre-receive <in && said MG201 &&
	perl -e "print q($zeros $new refs/heads/) . q(x/) x 2000, qq(y\\n)" >in &&
	hook 0 shop pre-receive <in && told </dev/null
'

test_expect 'the right input gets the right verdict' '
	echo "$accepted" | hook 0 shop pre-receive && told </dev/null &&
	echo "$rejected" | hook 1 shop pre-receive &&
	said "MG102: commit $(echo "$direct" | cut -c 1-7) \"direct.txt\" was made on main itself"
'

# 10,000 new branches, and then the line $1.
many() {
	perl -e 'print "'"$zeros $new"' refs/heads/many-$_\n" for 1 .. 10_000' >"$T/in" &&
	printf "$1" >>"$T/in"
}

# The last record has this event, all references and so many codes.
many_recorded() {
	tail -n 1 "$(audit crowd)" >last && grep -o "\"event\":\"$1\"" last &&
		same "$2" "$(grep -o "\"ref\":" last | wc -l)" &&
		same "$3" "$(grep -o "\"code\":" last | wc -l)"
}

new_server crowd
test_expect '10,000 references are judged at once, and are one record' '
	echo "$T/shop.git/objects" >crowd.git/objects/info/alternates &&
	many "" && began=$(date +%s) && hook 0 crowd pre-receive <in && told </dev/null &&
	hook 0 crowd post-receive <in && [ $(($(date +%s) - began)) -le 10 ] &&
	same 1 "$(wc -l <"$(audit crowd)")" && many_recorded push.accepted 10000 0
'

test_expect 'one that is rejected among 10,000 rejects them all' '
	git -C crowd.git update-ref refs/heads/main "$old" &&
	many "$rejected\\n" && hook 1 crowd pre-receive <in &&
	same 1 "$(grep -c "modelgate: rejected" err)" && said MG102 &&
	same 2 "$(wc -l <"$(audit crowd)")" && many_recorded push.rejected 10001 1 &&
	audit_valid crowd
'

test_expect 'MG904: an old value that is not where the reference is; a branch without rules is not asked' '
	for line in "$new $direct refs/heads/main" "$zeros $new refs/heads/main"; do
		echo "$line" | hook 1 shop pre-receive && said "MG904: main is at " &&
			said "to fix: git fetch origin, then try again" &&
			recorded shop event=push.rejected refs.0.code=MG904 || return 1
	done && echo "$old $new refs/heads/feature" | hook 0 shop pre-receive && told </dev/null
'

test_expect 'no pipeline came of any of it, and log and store are whole' 'whole 0'

# --- update: its arguments ---

test_expect 'update with no argument, with one, two or four, with empty and with wrong ones: MG904' '
	for arguments in "" refs/heads/main "refs/heads/main $old" "refs/heads/main $old $new more" "main $old $new" \
		"refs/heads/main old $new" "refs/heads/main $old 0" "refs/heads/main $zeros $zeros"; do
		hook 1 shop update $arguments </dev/null && said "modelgate: rejected MG904: " &&
			recorded shop event=push.rejected refs.0.code=MG904 || return 1
	done && hook 1 shop update "" "" "" && said MG904 &&
	hook 1 shop update "$(printf "refs/heads/x\n$accepted")" "$old" "$new" && said MG904 &&
	hook 0 shop update refs/heads/main "$old" "$new" && told </dev/null
'

# --- closed descriptors ---

# With the descriptors $1 closed: the status of HOOK on $T/in.
with_closed() {
	closed=$1
	program=$ROOT/libexec/modelgate/$2
	shift 2
	(
		cd "$T/shop.git" || exit 2
		exec <"$T/in" >"$T/out" 2>"$T/err"
		case $closed in *0*) exec <&- ;; esac
		case $closed in *1*) exec >&- ;; esac
		case $closed in *2*) exec 2>&- ;; esac
		GIT_DIR=. exec "$program" "$@"
	)
}

# Without standard input there is nothing to judge; with it, the same landing is told once more, and so
# is another one.
judges_with_closed() {
	echo "$accepted" >"$T/in"
	with_closed "$1" pre-receive
	case "$? $1" in
	"1 0"*) ;;
	"0 "[12]*) landings=$((landings + 1)) ;;
	*) return 1 ;;
	esac
	with_closed "$1" post-receive &&
	with_closed "$1" update refs/heads/main "$old" "$new" || return 1
	echo "$rejected" >"$T/in"
	with_closed "$1" pre-receive
	[ $? -eq 1 ] || return 1
	with_closed "$1" update refs/heads/main "$old" "$direct"
	[ $? -eq 1 ] && whole "$landings"
}

landings=0
for closed in 0 1 2 01 02 12 012; do
	test_expect "closed descriptors: $closed" 'judges_with_closed $closed'
done

test_expect 'a pusher who has gone away: standard error is a pipe without a reader' '
	echo "$rejected" >in && mkfifo fifo && { : <fifo & } && exec 7>fifo && wait $! &&
	(cd shop.git && GIT_DIR=. "$ROOT/libexec/modelgate/pre-receive" <"$T/in" 2>&7; same 1 $?) &&
	exec 7>&- && recorded shop event=push.rejected refs.0.code=MG102 && whole "$landings"
'

test_expect 'a push with descriptors closed lands, and is recorded' '
	cd work && at dev && commit b.txt && at main && merge_in dev &&
	git push origin dev main >&- 2>&- </dev/null &&
	landings=$((landings + 1)) && same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
	whole "$landings"
'

# --- where there is no repository, or one that cannot be judged ---

# A hook in the folder $1, with GIT_DIR as it is set or not; its exit status is $2.
hook_in() {
	hook_status=$2
	hook_program=$ROOT/libexec/modelgate/$3
	cd "$T/$1" || return 1
	shift 3
	echo "$zeros $new refs/heads/main" | "$hook_program" "$@" 2>"$T/err"
	same "$hook_status" $?
}

test_expect 'without GIT_DIR the folder we are in is the repository; where there is none it is MG902' '
	hook_in shop.git 1 pre-receive && said "MG904: main is at " &&
	mkdir "$T/nowhere" && cp "$(server_file shop)" "$T/nowhere/modelgate.ini" &&
	hook_in nowhere 1 pre-receive && said MG902 &&
	hook_in nowhere 1 update refs/heads/main "$old" "$new" && said MG902 &&
	hook_in nowhere 0 post-receive
'

test_expect 'a GIT_DIR that is not there: MG902' '
	GIT_DIR=$T/absent && export GIT_DIR && hook_in shop.git 1 pre-receive &&
	said "modelgate: rejected MG902: " && hook_in shop.git 0 post-receive
'
unset GIT_DIR

# A server with the hooks and another kind of repository below.
other_kind() {
	new_server "$1" && rm -rf "$T/$1.git/refs" "$T/$1.git/objects" "$T/$1.git/config" &&
		git init -q --bare --object-format="$2" "$T/$1.git"
}

test_expect 'MG902: a SHA-256 repository, in plain words' '
	other_kind s256 sha256 && git init -q --object-format=sha256 tree256 && cd tree256 &&
	commit a.txt &&
	expect_reject MG902 git push "$T/s256.git" main &&
	told <<-EOT &&
		modelgate: rejected MG902: this is a SHA-256 repository, which cannot be judged
		modelgate:   to fix: an admin looks at the repository: git -C $T/s256.git fsck
		modelgate:   nothing was changed; audit id ID
	EOT
	recorded s256 event=push.rejected refs.0.code=MG902 &&
	expect_reject MG902 git push "$T/s256.git" main:feature &&
	id=$(git rev-parse main) &&
	hook 1 s256 update refs/heads/main "$(printf "%064d" 0)" "$id" && said MG902 &&
	echo "$(printf "%064d" 0) $id refs/heads/main" | hook 0 s256 post-receive &&
	audit_valid s256
'

test_expect 'a repository of the other kind with ids of this one: MG902' '
	echo "$accepted" | hook 1 s256 pre-receive && said "SHA-256 repository" && said MG902 &&
	echo "$accepted" | hook 0 s256 post-receive
'

test_expect 'MG902: references kept as reftable, whatever branch is pushed' '
	mkdir shop.git/reftable && cd work && at dev && commit c.txt &&
	expect_reject MG902 git push origin dev &&
	said "keeps its references as reftable, which cannot be judged" &&
	recorded shop refs.0.code=MG902 &&
	rmdir "$T/shop.git/reftable" && lands shop dev "" "" git push origin dev
'

test_expect 'MG902: a namespace, whatever branch is pushed' '
	cd work && at dev && commit d.txt &&
	for branch in main feature trunk; do
		expect_reject MG902 git push --receive-pack="git --namespace=other receive-pack" origin dev:refs/heads/$branch &&
			said "namespace other of a repository cannot be judged" || return 1
	done && lands shop dev "" "" git push origin dev
'

# --- broken repositories ---

object() {
	echo "$T/shop.git/objects/$(echo "$1" | cut -c 1-2)/$(echo "$1" | cut -c 3-)"
}

test_expect 'MG902: the new commit is not there, or is a blob' '
	now=$(tip shop refs/heads/main) && missing=$(printf "%040d" 7) &&
	blob=$(git -C work rev-parse HEAD:retrain.py) && for other in $missing $blob; do
		echo "$now $other refs/heads/main" >in && hook 1 shop pre-receive <in &&
		said MG902 &&
			recorded shop refs.0.ref=refs/heads/main "refs.0.new=$other" refs.0.code=MG902 &&
			hook 1 shop update refs/heads/main "$now" "$other" && said MG902 &&
			hook 0 shop post-receive <in || return 1
	done
'

test_expect 'MG902: a parent is missing or damaged; put back, it is judged' '
	cd work && at main && tip=$(git rev-parse main) && commit e.txt && commit f.txt &&
	git push -q origin main:refs/heads/broken &&
	line="$tip $(git rev-parse main) refs/heads/main" &&
	lost=$(object "$(git rev-parse main~)") && mv "$lost" "$T/lost" &&
	echo "$line" | hook 1 shop pre-receive && said MG902 && said "$(git rev-parse main~)" &&
	said "to fix: an admin looks at the repository: git -C $T/shop.git fsck" &&
	echo nonsense >"$lost" && echo "$line" | hook 1 shop pre-receive && said MG902 &&
	: >"$lost" && echo "$line" | hook 1 shop pre-receive && said MG902 &&
	head -c 60 "$T/lost" >"$lost" && echo "$line" | hook 1 shop pre-receive && said MG902 &&
	rm "$lost" && mv "$T/lost" "$lost" && echo "$line" | hook 1 shop pre-receive && said MG102
'

test_expect 'a broken reference beside it is no source, and does not hinder others' '
	cd work && at dev && commit g.txt && at main && merge_in dev &&
	git push -q origin dev main:refs/heads/carrier &&
	echo nonsense >"$T/shop.git/refs/heads/retrain-9-20260101" &&
	echo "$(git rev-parse main~ main | tr "\n" " ")refs/heads/main" | hook 0 shop pre-receive &&
	told </dev/null &&
	recorded shop refs.0.source=refs/heads/dev && rm "$T/shop.git/refs/heads/retrain-9-20260101"
'

test_expect 'log and store are whole' 'whole "$landings"'

test_done
