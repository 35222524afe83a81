#!/bin/sh
# Who pushes and what they may, how far GitLab's surroundings are believed, and which repositories are
# looked at.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'

# A new commit is on dev; main, where we are, has merged it and is not pushed.
next() {
	cd "$T/work" && at dev && commit work.txt && git push -q origin dev && at main &&
	merge_in dev
}

# A commit on main itself; there is nothing else to push.
direct() {
	cd "$T/work" && at main && commit direct.txt
}

# CMD in the environment that GitLab's server gives its hooks; what is set before the call is kept.
as_gitlab() {
	env GL_ID="${GL_ID-user-17}" GL_USERNAME="${GL_USERNAME-ivanov}" GL_PROTOCOL="${GL_PROTOCOL-ssh}" \
		GL_REPOSITORY="${GL_REPOSITORY-project-5}" GL_PROJECT_PATH="${GL_PROJECT_PATH-models/churn}" \
		CORRELATION_ID="push-$(git rev-parse HEAD)" "$@"
}

# --- the operating system ---

test_expect 'source = os: the user of the process, whatever GL variables say' '
	next && expect_accept as_gitlab git push origin main &&
	recorded shop event=push.accepted "actor.id=uid-$(id -u)" "actor.name=$(id -un)" actor.protocol=local \
		repository.project=shop "repository.path=$T/shop.git" &&
	same 0 "$(audit_count shop repository.gl_repository=*)" &&
	same 0 "$(audit_count shop correlation_id=*)"
'

test_expect 'MG401: by a role whose member the pusher is not; members are names and ids' '
	server_set shop "role \"release\"" members "somebody, user-17, key-3" &&
	server_set shop "branch \"prod\"" roles release && cd work &&
	expect_reject MG401 as_gitlab git push origin origin/main:prod &&
	said "MG401: $(id -un) may not move prod: that takes the role release" &&
	said "to fix: ask a member of the role release" &&
	recorded shop event=push.rejected refs.0.code=MG401 &&
	server_set shop "role \"release\"" members "somebody, $(id -un)" && at main &&
	lands shop prod fast-forward main git push origin main:prod &&
	server_set shop "role \"release\"" members "somebody, uid-$(id -u)" && next &&
	expect_accept git push origin main &&
	lands shop prod fast-forward main git push origin main:prod
'

test_expect 'the role is asked for on that branch alone' '
	server_set shop "role \"release\"" members somebody && next &&
	expect_accept git push origin main &&
	expect_reject MG401 git push origin main:prod && expect_accept git push origin main:online
'

# --- GitLab ---

test_expect 'source = gitlab: its user, repository and correlation id, in every record of the push' '
	server_set shop identity source gitlab && next && before=$(pipelines shop | wc -w) &&
	expect_accept as_gitlab git push origin main &&
	same $((before + 1)) "$(pipelines shop | wc -w)" &&
	for event in push.accepted ref.updated pipeline.created; do
		audit_has shop event=$event actor.id=user-17 actor.name=ivanov actor.protocol=ssh \
			repository.gl_repository=project-5 "correlation_id=push-$(git rev-parse main)" || return 1
	done
'

test_expect 'its members are user names, user and key ids; a user name that looks like an id is none' '
	server_set shop "role \"release\"" members "user-18, key-3, petrov" && cd work && at main &&
	expect_reject MG401 as_gitlab git push origin main:prod &&
	said "MG401: ivanov may not move prod" &&
	GL_USERNAME=user-18 && expect_reject MG401 as_gitlab git push origin main:prod &&
	GL_USERNAME= && expect_reject MG401 as_gitlab git push origin main:prod &&
	said "MG401: user-17 may not move prod" &&
	GL_ID= && expect_reject MG401 as_gitlab git push origin main:prod &&
	said "MG401: who is not known may not" &&
	GL_ID=key-3 && lands shop prod fast-forward main as_gitlab git push origin main:prod &&
	recorded shop actor.id=key-3 actor.name= && next && unset GL_ID && GL_USERNAME=petrov &&
	expect_accept as_gitlab git push origin main main:prod && unset GL_USERNAME &&
	server_set shop "branch \"prod\"" roles ""
'

test_expect 'GL_PROTOCOL=web: a prefix that lets the web page show the lines' '
	GL_PROTOCOL=web && direct && expect_reject MG102 as_gitlab git push origin main &&
	told <<-EOT &&
		GL-HOOK-ERR: modelgate: rejected refs/heads/main $(short main~)..$(short main) MG102: commit $(short main) "direct.txt" was made on main itself
		GL-HOOK-ERR: modelgate:   main takes merges from: dev, retrain-<pipeline_id>-<date>
		GL-HOOK-ERR: modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
		GL-HOOK-ERR: modelgate:   nothing was changed; audit id ID
	EOT
	recorded shop actor.protocol=web
'

test_expect 'and nothing at all for a push that lands, though it has its pipeline' '
	next && before=$(pipelines shop | wc -w) && expect_accept as_gitlab git push origin main &&
	told </dev/null &&
	same $((before + 1)) "$(pipelines shop | wc -w)" && unset GL_PROTOCOL
'

# --- which repositories ---

# The push of what direct() has made passes without a look, and is undone again.
passes() {
	before=$(sha256sum <"$(audit shop)") && expect_accept "$@" && told </dev/null &&
		same "$before" "$(sha256sum <"$(audit shop)")" &&
		same "$(git rev-parse main)" "$(tip shop refs/heads/main)" &&
		git -C "$T/shop.git" update-ref refs/heads/main "$(git rev-parse main~)" &&
		git fetch -q origin
}

test_expect 'source = gitlab: a wiki and a design repository pass, a project does not' '
	direct && for GL_REPOSITORY in wiki-5 design-5 group-2-wiki project- project-5x; do
		passes as_gitlab git push origin main || return 1
	done && for GL_REPOSITORY in project-5 ""; do
		expect_reject MG102 as_gitlab git push origin main || return 1
	done
'

test_expect 'source = os: whatever GL_REPOSITORY says is judged' '
	server_set shop identity source os && direct && GL_REPOSITORY=wiki-5 &&
	expect_reject MG102 as_gitlab git push origin main && unset GL_REPOSITORY
'

test_expect 'projects of the system file: a repository that none of the globs names passes' '
	own_system_file shop && direct && expect_reject MG102 git push origin main &&
	for globs in "/elsewhere/*" "models/*, $T/shop" "$T/sho?.git" "$T/*"; do
		printf "[modelgate]\nprojects = %s\n" "$globs" >"$T/system.ini" &&
			case $globs in
			/elsewhere*) passes git push origin main ;;
			*) expect_reject MG102 git push origin main ;;
			esac || return 1
	done
'

test_expect 'so it does with a configuration of its own that is broken' '
	direct && printf "[modelgate]\nprojects = /elsewhere/*\n" >"$T/system.ini" &&
	cp "$(server_file shop)" "$T/good.ini" &&
	echo "[colours]" >>"$(server_file shop)" && passes git push origin main &&
	printf "[modelgate]\nprojects = *\n" >"$T/system.ini" &&
	expect_reject MG901 git push origin main &&
	cp "$T/good.ini" "$(server_file shop)" && expect_reject MG102 git push origin main
'

test_expect 'GL_PROJECT_PATH is asked too, where GitLab is believed' '
	direct && printf "[modelgate]\nprojects = models/*\n" >"$T/system.ini" &&
	passes as_gitlab git push origin main &&
	server_set shop identity source gitlab &&
	expect_reject MG102 as_gitlab git push origin main &&
	GL_PROJECT_PATH=website/shop && passes as_gitlab git push origin main &&
	unset GL_PROJECT_PATH &&
	server_set shop identity source os
'

test_expect 'MG901: projects in the file of the repository; a system file that is broken or linked' '
	direct && rm "$T/system.ini" && server_set shop modelgate projects "/elsewhere/*" &&
	expect_reject MG901 git push origin main && said projects &&
	cp "$T/good.ini" "$(server_file shop)" &&
	echo "[colours]" >"$T/system.ini" && expect_reject MG901 git push origin main &&
	said "system.ini:1: " &&
	printf "[modelgate]\nprojects = /elsewhere/*\n" >"$T/linked.ini" &&
	ln -sf "$T/linked.ini" "$T/system.ini" &&
	expect_reject MG901 git push origin main && said "a symbolic link" && rm "$T/system.ini"
'

test_expect 'MG901: allow-repository-config = no leaves the repository [project] alone; the system file says the rest' '
	direct &&
	sed "s/^\[modelgate\]/&\nallow-repository-config = no/" "$T/good.ini" >"$T/system.ini" &&
	expect_reject MG901 git push origin main &&
	printf "[project]\nname = own\n" >"$(server_file shop)" &&
	expect_reject MG102 git push origin main && recorded shop repository.project=own &&
	next && expect_accept git push origin main && rm "$T/system.ini" &&
	cp "$T/good.ini" "$(server_file shop)"
'

# --- smart HTTP ---

as_remote() {
	remote_user=$1
	shift
	env REMOTE_USER="$remote_user" GL_ID=user-17 GL_USERNAME=petrov "$@"
}

test_expect 'source = http: the user whom the web server has let in, whatever GL variables say' '
	server_set shop identity source http && server_set shop "role \"release\"" members "petrov, user-17" &&
	server_set shop "branch \"prod\"" roles release && next && expect_accept as_remote anna git push origin main &&
	recorded shop actor.id= actor.name=anna actor.protocol=http && at main &&
	expect_reject MG401 as_remote anna git push origin main:prod && said "MG401: anna may not move prod" &&
	lands shop prod fast-forward main as_remote petrov git push origin main:prod &&
	recorded shop actor.name=petrov
'

test_expect 'nobody, an empty name, and names that look like an id or like a member' '
	next && expect_accept git push origin main && at main &&
	for name in "" user-17 Petrov PETROV petro petrov2 "petrov " " petrov" "petrov,user-17" "*" "petrov@example.com"; do
		expect_reject MG401 as_remote "$name" git push origin main:prod || return 1
	done && expect_reject MG401 git push origin main:prod && said "MG401: who is not known may not" &&
	lands shop prod fast-forward main as_remote petrov git push origin main:prod
'

test_expect 'a role without members, and one that is named and not there' '
	next && expect_accept git push origin main && at main && server_set shop "role \"release\"" members "" &&
	expect_reject MG401 as_remote "" git push origin main:prod &&
	expect_reject MG401 as_remote petrov git push origin main:prod &&
	server_set shop "branch \"prod\"" roles "relaese" &&
	expect_reject MG901 as_remote petrov git push origin main:prod && said relaese &&
	server_set shop "branch \"prod\"" roles "" && expect_accept as_remote "" git push origin main:prod &&
	server_set shop identity source os
'

test_expect 'the log is valid' 'audit_valid shop'

# --- a server shaped like GitLab's ---

unset GL_ID GL_USERNAME GL_PROTOCOL GL_REPOSITORY GL_PROJECT_PATH CORRELATION_ID
. "$TEST_LIB/gitaly.sh"
. "$TEST_LIB/chains.sh"

new_gitlab lab
new_project lab bench || test_bail 'no project'

# main of lab has a new merge of dev, which prod may take; we are on main.
lab_next() {
	cd "$T/bench" && git fetch -q origin && at dev && commit work.txt && expect_accept gitlab_push origin dev &&
		expect_accept web_merge lab main "$(git rev-parse dev)" && git fetch -q origin && at main
}

# These may move prod, and those may not: pairs of id and name, "id/name".
lab_pairs() {
	lab_may=$1
	lab_may_not=$2
	for pair in $lab_may_not; do
		expect_reject MG401 as "${pair%%/*}" "${pair#*/}" gitlab_push origin main:prod || return 1
	done
	for pair in $lab_may; do
		expect_accept as "${pair%%/*}" "${pair#*/}" gitlab_push origin main:prod &&
			recorded lab "actor.id=${pair%%/*}" "actor.name=${pair#*/}" && lab_next || return 1
	done
}

test_expect 'GitLab over SSH: a key, with a name and without; over HTTP and on the web page: a user' '
	server_set lab "role \"release\"" members "anna, user-18, key-3" &&
	server_set lab "branch \"prod\"" roles release && lab_next &&
	lab_pairs "user-5/anna user-18/ key-3/ key-9/anna" \
		"user-17/ivanov key-4/ user-3/ key-18/petrov user-018/ user-1/user-18 /key-3 / user-1/Anna"
'

test_expect 'the page: the same roles, said so that the page shows it' '
	expect_reject MG401 as user-17 ivanov web_merge lab prod "$(tip lab refs/heads/main)" &&
	said "GL-HOOK-ERR: modelgate: rejected refs/heads/prod" && said "MG401: ivanov may not move prod" &&
	recorded lab actor.id=user-17 actor.protocol=web refs.0.code=MG401 &&
	expect_accept as user-18 petrov web_ff lab prod "$(tip lab refs/heads/main)" &&
	recorded lab actor.id=user-18 actor.name=petrov actor.protocol=web
'

test_expect 'GL_PROTOCOL=http is recorded, and its lines have no prefix' '
	lab_next && GL_PROTOCOL=http && expect_reject MG401 gitlab_push origin main:prod &&
	said_not GL-HOOK-ERR && recorded lab actor.protocol=http &&
	expect_accept as user-18 petrov gitlab_push origin main:prod && recorded lab actor.protocol=http &&
	GL_PROTOCOL=ssh
'

test_expect 'any of several roles' '
	lab_next && server_set lab "role \"night\"" members boris && server_set lab "branch \"prod\"" roles "release, night" &&
	expect_reject MG401 gitlab_push origin main:prod && said "that takes the role release, night" &&
	expect_accept as user-7 boris gitlab_push origin main:prod && lab_next &&
	expect_accept as user-8 anna gitlab_push origin main:prod && server_set lab "branch \"prod\"" roles ""
'

test_expect 'names cannot be given by push options' '
	lab_next && server_set lab "branch \"prod\"" roles release &&
	expect_reject MG401 gitlab_push -o GL_ID=user-18 -o modelgate.user=anna origin main:prod &&
	server_set lab "branch \"prod\"" roles ""
'

test_expect 'who may create a retrain branch is a role; deleting it is not' '
	server_set lab retrain-branch known-pipeline off && server_set lab retrain-branch roles bot &&
	server_set lab "role \"bot\"" members "key-3, retrainer" && cd bench && git fetch -q origin &&
	git switch -q -C retrain-1-20260102 origin/main && put_model new &&
	expect_reject MG401 gitlab_push origin retrain-1-20260102 && said "MG401: ivanov may not" && said "the role bot" &&
	expect_reject MG401 as key-4 "" gitlab_push origin retrain-1-20260102 &&
	expect_reject MG401 as user-3 "" web_update lab refs/heads/retrain-1-20260102 "$(git rev-parse origin/main)" &&
	expect_accept as key-3 "" gitlab_push origin retrain-1-20260102 &&
	recorded lab event=push.accepted refs.0.method=create actor.id=key-3 actor.name= &&
	git switch -q -C retrain-2-20260102 origin/main && put_model newer &&
	expect_accept as user-9 retrainer gitlab_push origin retrain-2-20260102 &&
	expect_accept gitlab_push origin :retrain-2-20260102 &&
	expect_accept web_merge lab main "$(git rev-parse origin/retrain-1-20260102)"
'

test_expect 'its log is valid' 'audit_valid lab'

test_done
