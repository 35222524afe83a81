#!/bin/sh
# The main cases over SSH and over smart HTTP: verdict, words, pipeline line, and who is recorded.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

takes_main='main takes merges from: dev, retrain-<pipeline_id>-<date>'
today=$(date -u +%Y%m%d)

# Server $server and a new project in the work tree of that name, whose origin is at this URL.
new_work() {
	modelgate new "$T/$server" --project "$server" --dvc-remote "$T/$server.dvc" >/dev/null &&
		git -C "$server" remote add origin "$1" || test_bail 'no project'
}

# All records have $actor, conditions for `recorded`.
main_cases() {
	test_expect "$server: the five branches of a new project land, and nothing is launched" '
		cd "$server" && expect_accept git push origin --all && told </dev/null &&
		same "" "$(pipelines "$server")" &&
		recorded "$server" event=push.accepted refs.4.method=create $actor
	'
	test_expect "$server: MG102, a commit on main itself; on dev it lands" '
		cd "$server" && at main && commit a.txt &&
		expect_reject MG102 git push origin main && told <<-EOT &&
			modelgate: rejected refs/heads/main $(short main~)..$(short main) MG102: commit $(short main) "a.txt" was made on main itself
			modelgate:   $takes_main
			modelgate:   to fix: push the commit to dev, then open a merge request dev -> main
			modelgate:   nothing was changed; audit id ID
		EOT
		recorded "$server" event=push.rejected refs.0.code=MG102 $actor && at dev &&
		commit a.txt &&
		lands "$server" dev "" "" git push origin dev && told </dev/null
	'
	test_expect "$server: a merge of dev lands on main, and the pusher is told of the pipeline" '
		cd "$server" && lands "$server" main merge dev merge_push dev main && told <<-EOT
			modelgate: pipeline 1 created: chain dev on main $(short main): build -> create-model -> deploy -> stage-model
		EOT
	'
	test_expect "$server: MG101, MG103, MG107, MG201, and what is next to them" '
		cd "$server" && at main && expect_reject MG101 git push --force origin main~:main &&
		at dev && commit b.txt && expect_accept git push origin dev &&
		expect_reject MG103 merge_push dev prod &&
		said "of dev, which no allowed source of prod holds" &&
		expect_reject MG107 git push origin :prod &&
		expect_accept git push origin dev:refs/heads/feature &&
		expect_accept git push origin :feature &&
		expect_reject MG201 git push origin dev:refs/heads/retrain-x && git switch -q dev &&
		server_set "$server" retrain-branch known-pipeline off &&
		lands "$server" "retrain-1-$today" create "" git push origin "dev:refs/heads/retrain-1-$today"
	'
	test_expect "$server: dev, main and prod in one push; one bad reference rejects them all" '
		cd "$server" && at dev && commit c.txt && at main && merge_in dev && at prod &&
		merge_in main &&
		expect_reject MG201 git push origin dev main prod dev:refs/heads/retraining &&
		expect_accept git push --atomic origin dev main prod &&
		same "3 2 1" "$(pipelines "$server")" &&
		said "created: chain dev on main $(short main)" &&
		said "created: chain prod on prod $(short prod)"
	'
	test_expect "$server: MG901 is told as it is" '
		cd "$server" && at dev && commit d.txt &&
		echo "[colours]" >>"$(server_file "$server")" &&
		expect_reject MG901 git push origin dev && said "colours" &&
		sed -i "\$d" "$(server_file "$server")" &&
		expect_accept git push origin dev
	'
	test_expect "$server: the log is valid, and every record names the pusher" '
		audit_valid "$server" &&
		same "$(wc -l <"$(audit "$server")")" "$(audit_count "$server" $actor)"
	'
}

start_sshd || test_bail 'no SSH server'
server=ssh
new_server ssh
new_work "$(ssh_url ssh)"
actor="actor.id=uid-$(id -u) actor.name=$(id -un) actor.protocol=ssh"
main_cases

start_httpd || test_bail 'no HTTP server'
server=http
new_server http
server_set http identity source http
new_work "$(http_url http)"
actor='actor.id= actor.name=alice actor.protocol=http'
main_cases

# --- names of HTTP ---

test_expect 'http: MG401, a role by the name that the web server has checked' '
	server_set http "role \"release\"" members alice &&
	server_set http "branch \"online\"" roles release &&
	cd http && expect_reject MG401 git push "$(http_url http boris)" origin/main:online &&
	said "MG401: boris may not move online: that takes the role release" &&
	recorded http event=push.rejected actor.name=boris refs.0.code=MG401 && at main &&
	lands http online fast-forward main git push origin main:online &&
	recorded http actor.name=alice
'

test_expect 'http: boris lands where no role is asked for, and the pipeline is his' '
	cd http && at dev && commit e.txt && at main && merge_in dev &&
	expect_accept git push "$(http_url http boris)" dev main &&
	recorded http event=push.accepted actor.name=boris &&
	same boris "$(mg http status --limit 1 --json | json pipelines.0.user)"
'

test_expect 'http: a push without a name that was checked does not come to the hooks' '
	cd http && at dev && commit f.txt && before=$(pushes http) &&
	{ ! git push "$(http_url http | sed s/:secret@/:wrong@/)" dev 2>"$T/err" || return 1; } &&
	said "Authentication failed" &&
	same "$before" "$(pushes http)"
'

test_done
