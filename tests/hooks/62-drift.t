#!/bin/sh
# ref.drifted: a reference with rules that is elsewhere than its last landing left it is told, once; what
# lands in the normal ways never is.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

drifts() {
	same "$1" "$(audit_count shop event=ref.drifted)"
}

drifted() {
	audit_has shop event=ref.drifted "refs.0.ref=$1" "refs.0.old=$2" "refs.0.new=$3" repository.project=shop
}

moved_to() {
	git -C "$T/shop.git" update-ref "$1" "$2"
}

next_merge() {
	git fetch -q origin && at dev && commit work.txt && at main && merge_in dev && merged=$(git rev-parse main)
}

installed() {
	rm -f "$T/shop.git/hooks"/*
	for one in "$@"; do
		cp "$ROOT/libexec/modelgate/$one" "$T/shop.git/hooks/" || return 1
	done
}

new_server shop
zeros=$(printf '%040d' 0)

# --- the normal ways ---

test_expect 'a repository that was there before the hooks' '
	installed && modelgate new "$T/work" --project shop --dvc-remote "$T/dvc" && cd work &&
	git remote add origin "$T/shop.git" && git push -q origin --all && installed pre-receive update post-receive &&
	drain shop && next_merge && expect_accept git push origin dev main && drain shop && drifts 0
'

test_expect 'one landing after the other, dev forced and deleted, free branches' '
	cd work && next_merge && expect_accept git push origin dev main && at prod && merge_in main &&
	expect_accept git push origin prod && at dev && git commit -q --amend -m amended &&
	expect_accept git push --force origin dev && expect_accept git push origin :dev dev:refs/heads/x &&
	git reset -q --hard origin/main && expect_accept git push origin dev && drain shop && drifts 0
'

test_expect 'deleted by an override and created again, overridden, in shadow mode' '
	server_set shop "role \"r\"" members "$(id -un)" && server_set shop override role r && cd work &&
	expect_accept git push -o modelgate.override=gone origin :online && drain shop &&
	at main && expect_accept git push origin main:online && commit direct.txt &&
	expect_accept git push -o modelgate.override=now origin main && drain shop &&
	server_set shop modelgate mode shadow && commit direct.txt && expect_accept git push origin main &&
	expect_accept git push --force origin main~:main && server_set shop modelgate mode enforce &&
	drain shop && drifts 0
'

test_expect 'a landing that nobody has recorded yet, and one that git refused after pre-receive' '
	cd work && git reset -q --hard && next_merge && installed pre-receive update && expect_accept git push origin dev main &&
	drifts 0 && installed pre-receive update post-receive && printf "#!/bin/sh\nexit 1\n" >"$T/shop.git/hooks/update" &&
	next_merge && { ! git push origin dev main 2>"$T/err" || return 1; } && drain shop &&
	installed pre-receive update post-receive && expect_accept git push origin dev main && drain shop && drifts 0
'

test_expect 'a landing whose source was refused: ref.unsourced, and no drift' '
	cd work && next_merge && printf "#!/bin/sh\n[ \"\$1\" != refs/heads/dev ] && exec %s \"\$@\"\n" \
		"$ROOT/libexec/modelgate/update" >"$T/shop.git/hooks/update" &&
	{ ! git push origin dev main 2>"$T/err" || return 1; } && audit_has shop event=ref.unsourced "refs.0.new=$merged" &&
	installed pre-receive update post-receive && expect_accept git push origin dev && next_merge &&
	expect_accept git push origin dev main && drain shop && drifts 0
'

# --- drift ---

test_expect 'a restore is told by the next runner, once' '
	is=$(tip shop main) && before=$(git -C shop.git rev-parse main~) && moved_to refs/heads/main "$before" &&
	drain shop && drifts 1 && drifted refs/heads/main "$is" "$before" && drain shop && drifts 1
'

test_expect 'and the way back is another' '
	moved_to refs/heads/main "$is" && drain shop && drifts 2 && drifted refs/heads/main "$before" "$is" &&
	cd work && next_merge && expect_accept git push origin dev main && drain shop && drifts 2
'

test_expect 'where no runner has looked the next landing tells it first' '
	cd work && is=$(tip shop prod) && moved_to refs/heads/prod "$is~" && before=$(tip shop prod) &&
	git fetch -q origin && at prod && merge_in main && expect_accept git push origin prod &&
	drifts 3 && drifted refs/heads/prod "$is" "$before" && drain shop && drifts 3
'

test_expect 'a branch that somebody has deleted, or that a mirror has brought back' '
	is=$(tip shop prod) && git -C shop.git update-ref -d refs/heads/prod && drain shop && drifts 4 &&
	drifted refs/heads/prod "$is" "$zeros" && moved_to refs/heads/prod "$is" && drain shop && drifts 5 &&
	drifted refs/heads/prod "$zeros" "$is"
'

test_expect 'what has no rules may be moved by anybody; so may what has none any more' '
	moved_to refs/heads/dev main~ && server_set shop "branch \"release\"" merge-from main && cd work &&
	git fetch -q origin && expect_accept git push origin origin/main:refs/heads/release && drain shop &&
	sed -i "/^.branch \"release\"/,/^merge-from/d" "$(server_file shop)" &&
	moved_to refs/heads/release main~ && drain shop && drifts 5
'

test_expect 'a repository that is gone is passed over' '
	new_server other && server_set other modelgate state "$T/shop.state" && mv shop.git away.git &&
	mg other run --drain >out 2>err && same "" "$(cat err)" && mv away.git shop.git && drifts 5
'

test_expect 'the log is valid' 'audit_valid shop'

test_done
