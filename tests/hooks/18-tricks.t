#!/bin/sh
# Ways around the rules that somebody has thought of.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"

new_server shop
new_project shop work >/dev/null || test_bail 'no project'

test_expect 'a push to a linked worktree of the server is one to its repository' '
	git -C shop.git worktree add -q --detach "$T/linked" main && cd work &&
	git switch -q main && commit direct.txt && expect_reject MG102 git push "$T/linked" main &&
	audit_has shop event=push.rejected "repository.path=$T/shop.git" refs.0.code=MG102 &&
	git reset -q --hard origin/main && git switch -q dev && commit work.txt &&
	expect_accept git push origin dev && git switch -q main && merge_in dev &&
	expect_accept git push "$T/linked" main && said "pipeline 1 created: chain dev on main" &&
	git fetch -q origin
'

test_expect 'so are the rules of the repository' '
	server_set shop "role \"nobody\"" members nobody-at-all &&
	server_set shop "branch \"main\"" roles nobody &&
	cd work && git switch -q dev && commit more.txt && expect_accept git push origin dev &&
	git switch -q main && merge_in dev && expect_reject MG401 git push "$T/linked" main &&
	server_set shop "branch \"main\"" roles "" && expect_accept git push "$T/linked" main &&
	git fetch -q origin
'

test_expect 'hooks that a script starts belong to one push' '
	mkdir shop.git/real && for hook in pre-receive update post-receive; do
		mv "shop.git/hooks/$hook" "shop.git/real/$hook" &&
		printf "#!/bin/sh\n\"%s\" \"\$@\"\nexit \$?\n" "$T/shop.git/real/$hook" >"shop.git/hooks/$hook" &&
		chmod +x "shop.git/hooks/$hook" || return 1
	done &&
	cd work && git switch -q dev && commit script.txt && git switch -q main && merge_in dev &&
	before=$(audit_count shop event=push.accepted) &&
	expect_accept git push --atomic origin dev main &&
	same "$(audit_count shop event=push.accepted)" $((before + 1))
'

test_expect 'two branches that take from each other are not witnesses for one another' '
	server_set shop "branch \"main\"" merge-from "dev, prod" &&
	cd work && git switch -q main && commit evil.txt && expect_reject MG102 git push origin main main:prod &&
	git reset -q --hard origin/main &&
	server_set shop "branch \"main\"" merge-from "dev, retrain-*"
'

new_server gone
new_project gone far >/dev/null || test_bail 'no project'

test_expect 'a landing that post-receive never saw gets its pipeline without another push' '
	server_set gone runner wake spawn && rm gone.git/hooks/post-receive &&
	cd far && commit lost.txt && expect_accept git push origin dev && git switch -q main && merge_in dev &&
	expect_accept git push origin main && said_not pipeline &&
	wait_for 30 audit_has gone event=pipeline.finished status=success &&
	same "$(audit_count gone event=pipeline.reconciled)" 1 &&
	same "$(mg gone status --json | json pipelines.0.status)" success
'

test_expect 'the logs are whole' '
	audit_valid shop && audit_valid gone
'

test_done
