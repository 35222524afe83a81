#!/bin/sh
# Too little memory, too few descriptors, files that may not grow, in steps from "cannot start" to
# "enough": a gate rejects with a status other than 0 and never by a crash, or accepts and has recorded it;
# post-receive exits 0; and all that was recorded is there.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

if grep -q __asan_init "$ROOT/bin/modelgate"; then
	test_skip 'hooks with too little memory' 'sanitizers map more than is there'
	test_done
fi

new_server shop
server_set shop 'chain "dev"' stages build
new_project shop work || test_bail 'no project'
{ cd work && at dev && commit work.txt && git push -q origin dev && at main && merge_in dev; } ||
	test_bail 'no merge'
old=$(git rev-parse origin/main) new=$(git rev-parse main)
git push -q origin main:refs/heads/carrier || test_bail 'no objects'
cd "$T" || exit 1
echo "$old $new refs/heads/main" >in

# The hook $1 with the limit $2 (an option of ulimit) at $3: STATUS.
limited() {
	limit="$2 $3"
	program=$ROOT/libexec/modelgate/$1
	case $1 in
	update) set -- refs/heads/main "$old" "$new" ;;
	*) set -- ;;
	esac
	# shellcheck disable=SC2086 # words
	(
		cd "$T/shop.git" && exec <"$T/in" >"$T/out" 2>"$T/err" && export GIT_DIR=. && ulimit $limit &&
			exec "$program" "$@"
	)
	STATUS=$?
}

# All steps of $2 $3... for the hook $1: what has once been started ends by itself from then on.
walk() {
	walked=$1 option=$2 first=$3 step=$4 last=$5
	STARTED=0 REJECTED=0 ACCEPTED=0
	for size in $(seq "$first" "$step" "$last"); do
		before=$(pushes shop)
		limited "$walked" "$option" "$size"
		echo "$walked $option $size: $STATUS $(head -n 1 "$T/err")"
		case $STATUS in
		0)
			STARTED=1 ACCEPTED=$((ACCEPTED + 1))
			[ "$walked" != pre-receive ] || same $((before + 1)) "$(pushes shop)" || return 1
			[ "$walked" = pre-receive ] || audit_has shop event=push.accepted "refs.0.new=$new" || return 1
			;;
		1 | 3)
			STARTED=1 REJECTED=$((REJECTED + 1))
			[ "$walked" != post-receive ] || return 1
			;;
		*) [ "$STARTED" -eq 0 ] || return 1 ;; # the kernel or the C library could not start it
		esac
	done
	audit_valid shop && [ "$STATUS" -eq 0 ] && [ "$ACCEPTED" -gt 0 ] &&
		{ [ "$walked" = post-receive ] || [ "$REJECTED" -ge "$6" ]; }
}

# -d and -v: kB; -f: of 512 bytes.
# update first: where pre-receive has let the same pass, there is nothing to judge any more.
for hook in update pre-receive; do
	test_expect "$hook, too little memory to write to" 'walk $hook -d 250 50 1000 4'
	test_expect "$hook, too little address space" 'walk $hook -v 4480 80 5800 2'
	test_expect "$hook, too few descriptors" 'walk $hook -n 4 1 14 2'
	test_expect "$hook, files that may not grow" 'walk $hook -f 0 20 320 3'
done

test_expect 'main has landed, and post-receive has not run' '
	mv shop.git/hooks/post-receive kept && git -C work push -q origin main && mv kept shop.git/hooks/post-receive &&
	same "" "$(pipelines shop)"
'

test_expect 'post-receive exits 0, and tells what it could not do' '
	limited post-receive -n 6 && same 0 "$STATUS" && said "its pipeline could not be started now" &&
	limited post-receive -f 8 && same 0 "$STATUS" && said "its pipeline could not be started now" &&
	limited post-receive -d 400 && same 0 "$STATUS" && said "out of memory" && same "" "$(pipelines shop)"
'
test_expect 'post-receive, too little memory to write to' 'walk post-receive -d 250 75 1000'
test_expect 'post-receive, too little address space' 'walk post-receive -v 4480 130 5800'
test_expect 'post-receive, too few descriptors' 'walk post-receive -n 4 1 14'
test_expect 'post-receive, files that may not grow' 'walk post-receive -f 0 20 200'

test_expect 'of all that there is one pipeline, and the next push is fine' '
	drain shop && same 1 "$(pipelines shop)" && pipeline_is shop 1 success &&
	cd work && git fetch -q && at dev && commit more.txt && at main && merge_in dev &&
	expect_accept git push origin dev main && said "pipeline 2 created" && audit_valid shop
'

test_done
