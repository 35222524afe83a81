#!/bin/sh
# Small packs that are much more once they are read (tests/lib/bomb): what a gate would have to read of them
# is MG902, in bounded processor time and memory; what it need not read is judged as ever; and the next push
# is fine.  The bounds hold for pre-receive and the git that it starts, not for the git receive-pack and
# git index-pack that take the pack in before any hook is asked.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
server_set shop 'branch "retrain"' direct-push allow
server_set shop 'branch "main"' merge-from 'dev, fix'
new_project shop work || test_bail 'no project'
# Packs stay packs; and dev and main go on from another, so that a merge is made of both.
git -C shop.git config receive.unpackLimit 1
{ cd work && at main && commit own.txt && git push -q origin main:refs/heads/own &&
	git -C "$T/shop.git" update-ref refs/heads/main refs/heads/own &&
	git fetch -q; } || test_bail 'no history'
cd "$T" || exit 1
mv shop.git/hooks/pre-receive pre-receive
cat >shop.git/hooks/pre-receive <<-EOF
	#!/bin/sh
	exec "$TEST_LIB/measure" "$T/measured" "$T/pre-receive"
EOF
chmod 755 shop.git/hooks/pre-receive

bomb() {
	rm -f "$T/measured" && timeout -s KILL 120 "$TEST_LIB/bomb" "$T/shop.git" "$@"
}

# pre-receive has used at most $1 seconds of the processor and $2 MB.
bounded() {
	echo "$(cat "$T/measured"); at most $1 s, $2 MB" && same 1 "$(wc -l <"$T/measured")" || return 1
	grep -q __asan_init "$ROOT/bin/modelgate" && return
	awk -v s="$1" -v m="$2" '{ exit !($1 <= s && $2 <= m) }' "$T/measured"
}

# The bomb $1 in this way is rejected with $3, which says $4, within $5 seconds and $6 MB.
rejects() {
	expect_reject "$3" bomb "$1" "$2" && said "$4" && bounded "$5" "$6" && recorded shop event=push.rejected "refs.*.code=$3"
}

# It lands within so much, and is taken away again.
accepts() {
	was=$(tip shop main) was_dev=$(tip shop dev) && expect_accept bomb "$1" "$2" && bounded "$3" "$4" &&
		recorded shop event=push.accepted && git -C shop.git update-ref refs/heads/main "$was" &&
		git -C shop.git update-ref refs/heads/dev "$was_dev"
}

test_expect 'an ordinary folder: judged as ever' '
	rejects plain direct MG102 "was made on retrain itself" 2 30 && accepts plain merge 2 30
'
test_expect 'one folder of 21 MB' '
	rejects folder merge MG902 "has 21000000 bytes; at most 16777216 are read" 2 30
'
test_expect 'ten objects that are 10,000,000,000 files' '
	rejects nested direct MG102 "changes zz-nested-direct/0/0/0/0/0/0/0/0/0/0" 5 50 && accepts nested merge 5 50
'
test_expect 'the same, where each file has to be looked at' '
	server_set shop content forbid "*.nothing" && server_set shop content max-file-size 10M &&
	rejects nested merge MG902 "more than 2000000 files and folders differ" 20 50 &&
	server_set shop content forbid "" && server_set shop content max-file-size 0
'
test_expect 'a merge of two such trees that differ in every file' '
	rejects clash merge MG902 "git merge-tree ended with status 128: fatal: Out of memory" 30 1100
'
test_expect '3,000 folders, each in the one before' '
	rejects deep direct MG902 "folders are more than 128 deep" 2 30 && accepts deep merge 2 50
'
test_expect 'a commit of 20 MB; on a branch without rules nobody reads it' '
	rejects message merge MG902 "has 20000209 bytes; at most 16777216 are read" 2 30 && accepts message aside 2 30
'
test_expect 'a commit with 100,000 parents' '
	rejects parents direct MG102 "was made on retrain itself" 5 100 && accepts parents merge 5 100
'
test_expect 'a tree of 67 MB by deltas that say the same over and over' '
	rejects multiplied direct MG902 "at most 16777216 are read" 2 30
'
test_expect 'a small tree that is a delta of 285 MB' '
	rejects base direct MG902 "it takes more memory than a gate gives to one object or list" 5 50
'
test_expect 'a tree at the end of 20,000 deltas' '
	rejects chain direct MG102 "changes zz-chain-direct/20000" 5 50
'

test_expect 'the log is whole, no folder of merges is left, and the next push is fine' '
	audit_valid shop && same "" "$(ls -A "$(state shop)/work")" && cd work && git fetch -q &&
	at dev && commit work.txt && git push -q origin dev && at main && merge_in dev &&
	expect_accept git push origin main && said "created: chain dev on main $(short main)" && audit_valid shop
'

test_done
