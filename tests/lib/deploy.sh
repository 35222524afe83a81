# shellcheck shell=sh
# For the tests that deploy into repositories on servers, after test.sh and chains.sh.
#
#	deploying NAME URL         A server NAME with a project whose chain dev is build and deploy, into
#	                           [airflow "airflow-dev"] repository = URL.  Its clone is $T/NAME.work.
#	airflow_set NAME KEY VALUE One key of that section.
#	next_deploy NAME           Merge something new into main: another pipeline of chain dev.
#	deploy_ends NAME WORD      Run what there is to run; the newest pipeline's deploy ends as WORD.
#	log_says NAME TEXT         The log of the newest pipeline's deploy holds TEXT.
#	newest NAME                The id of the newest pipeline.
#	commits REPOSITORY [BRANCH]    How many commits there are on that bare repository's branch (main).
#	start_tls                  TLS in front of start_httpd; tls_url NAME gives the URL.  Its authority is
#	                           $T/.run/tls/ca.pem; misbehave cut: see tests/lib/tls-proxy.
#	tls_in_front PORT          The same in front of another server; its port is in $T/.run/tls/port.
#	ten_projects               Servers p0 ... p9, each with a project of its own name whose pipeline 1 is
#	                           to be run; ten_push makes another one each.
#	ten_deploy ID URL          Run them all at once, into the repository URL: the pipelines ID succeed.

deploying() {
	new_server "$1" && server_set "$1" 'chain "dev"' stages 'build, deploy' &&
		server_set "$1" runner retries 0 &&
		airflow_set "$1" repository "$2" &&
		new_project "$1" "$1.work"
}

airflow_set() {
	server_set "$1" 'airflow "airflow-dev"' "$2" "$3"
}

next_deploy() {
	cd "$T/$1.work" && git switch -q dev && commit note.txt && git switch -q main && merge_in dev &&
		expect_accept git push -q origin dev main && cd "$T" || return 1
}

newest() {
	mg "$1" status --limit 1 --json | json pipelines.0.id
}

deploy_ends() {
	drain "$1" >"$T/$1.drain" 2>&1 || true
	same "$2" "$(stage_status "$1" "$(newest "$1")" deploy)" || {
		mg "$1" logs "$(newest "$1")" deploy
		return 1
	}
}

log_says() {
	mg "$1" logs "$(newest "$1")" deploy >"$T/log" && grep -qF -e "$2" "$T/log" && return
	cat "$T/log"
	echo "does not say: $2"
	return 1
}

commits() {
	git -C "$1" rev-list --count "${2:-main}" --
}

deploy_authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj '/CN=authority of a test' -keyout "$T/.run/tls/ca.key" -out "$T/.run/tls/$1.pem"
}

tls_in_front() {
	mkdir -p "$T/.run/tls" && {
		deploy_authority other && deploy_authority ca &&
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
				-subj '/CN=127.0.0.1' -keyout "$T/.run/tls/key.pem" \
				-out "$T/.run/tls/request.pem" &&
			echo 'subjectAltName = IP:127.0.0.1' >"$T/.run/tls/extensions" &&
			openssl x509 -req -in "$T/.run/tls/request.pem" -CA "$T/.run/tls/ca.pem" \
				-CAkey "$T/.run/tls/ca.key" -CAcreateserial -days 2 \
				-extfile "$T/.run/tls/extensions" -out "$T/.run/tls/cert.pem"
	} 2>"$T/.run/tls/log" || return 1
	background "$TEST_LIB/tls-proxy" "$T/.run/tls/cert.pem" "$T/.run/tls/key.pem" \
		"$1" "$T/.run/tls/port" "$T/.run/tls/mischief"
	wait_for 10 test -e "$T/.run/tls/port"
}

start_tls() {
	start_httpd && tls_in_front "$(cat "$T/.run/http/port")"
}

tls_url() {
	echo "https://127.0.0.1:$(cat "$T/.run/tls/port")/git/$1.git"
}

misbehave() {
	echo "$1" >"$T/.run/tls/mischief"
}

# One work tree serves all: what they deploy differs by the project's name.
ten_projects() {
	modelgate new "$T/ten" --project ten --dvc-remote "$T/ten.dvc" >"$T/.run/new" || return 1
	for deploy_n in 0 1 2 3 4 5 6 7 8 9; do
		new_server "p$deploy_n" && server_set "p$deploy_n" 'chain "dev"' stages 'build, deploy' &&
			git -C "$T/ten" push -q "$T/p$deploy_n.git" --all || return 1
	done
	ten_push
}

ten_push() {
	cd "$T/ten" && git switch -q dev && commit note.txt && git switch -q main && merge_in dev &&
		cd "$T" || return 1
	for deploy_n in 0 1 2 3 4 5 6 7 8 9; do
		expect_accept git -C "$T/ten" push -q "$T/p$deploy_n.git" dev main || return 1
	done
}

ten_deploy() {
	deploy_pids=
	for deploy_n in 0 1 2 3 4 5 6 7 8 9; do
		airflow_set "p$deploy_n" repository "$2" || return 1
	done
	for deploy_n in 0 1 2 3 4 5 6 7 8 9; do
		drain "p$deploy_n" >"$T/p$deploy_n.drain" 2>&1 &
		deploy_pids="$deploy_pids $!"
	done
	for deploy_pid in $deploy_pids; do
		wait "$deploy_pid" || return 1
	done
	for deploy_n in 0 1 2 3 4 5 6 7 8 9; do
		stages_are "p$deploy_n" "$1" success success || return 1
	done
}
