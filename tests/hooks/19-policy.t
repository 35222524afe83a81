#!/bin/sh
# A change of the policy is told in the audit log before the first push that is judged by it.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"

new_server shop

test_expect 'the first push tells no change' '
	git init -q -b dev work && cd work && git remote add origin "$T/shop.git" &&
	commit a && git branch main && expect_accept git push origin dev main &&
	same "$(audit_count shop event=policy.changed)" 0
'

test_expect 'nor does the next one under the same policy' '
	cd work && commit b && expect_accept git push origin dev &&
	git switch -q main && merge_in dev && expect_accept git push origin main &&
	same "$(audit_count shop event=policy.changed)" 0
'

test_expect 'a changed policy is told once, with the one before' '
	before=$(tail -n 1 "$(audit shop)" | json policy) &&
	server_set shop runner parallel 1 &&
	cd work && git switch -q dev && commit c && expect_accept git push origin dev &&
	git switch -q main && merge_in dev && expect_accept git push origin main &&
	git switch -q dev && commit d && expect_accept git push origin dev &&
	git switch -q main && merge_in dev && expect_accept git push origin main &&
	same "$(audit_count shop event=policy.changed)" 1 &&
	audit_has shop event=policy.changed "reason=first push with rules under this policy; before it was $before" &&
	audit_valid shop
'

test_expect 'it stands right before the push that it judged' '
	grep -A1 "\"policy.changed\"" "$(audit shop)" >pair &&
	same "$(sed -n 1p pair | json push_id)" "$(sed -n 2p pair | json push_id)" &&
	same "$(sed -n 2p pair | json event)" push.accepted &&
	same "$(sed -n 1p pair | json policy)" "$(sed -n 2p pair | json policy)"
'

test_done
