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

test_expect 'the log is valid' 'audit_valid shop'

test_done
