# shellcheck shell=sh
# For the tests of images in a real registry, after test.sh and chains.sh.
#
# Registries, Debian's docker-registry, on loopback
#	start_registry NAME [USER:PASSWORD]   One that asks for that login, or for none.
#	address NAME               Its host and port.
#	stop_registry NAME; start_again NAME  At the same address.
#	login FILE NAME USER:PASSWORD   Write a credentials file for it.
#
# Projects whose image holds the model alone
#	new_image_project NAME DIR
#	next_main MODEL            Another model, merged into main and pushed, in the project's folder.
#	fact NAME ID FACT; message NAME ID   Of its build stage.
#	inspect NAME ID REF        What skopeo sees at the tag of pipeline ID for the commit REF, as JSON.
#	                           With a login: credentials=FILE.
#	start_runner NAME          In the background; RUNNER is its id.  is_gone PID.
#	failed_once NAME ID TEXT   The build has failed once for the reason TEXT, and is tried again.
#	is_as_told NAME ID         The digest and the labels in the registry are those that status shows and
#	                           the DAG runs.

registry_serve() { # PORT
	sed "s/@port@/$1/" "$T/.run/$registry.yml.in" >"$T/.run/$registry.yml"
	background docker-registry serve "$T/.run/$registry.yml" >>"$T/.run/$registry.log" 2>&1
}

start_registry() {
	registry=$1
	cat >"$T/.run/$1.yml.in" <<-YAML
		version: 0.1
		log: {level: warn}
		storage: {filesystem: {rootdirectory: $T/$1.registry}}
		http: {addr: "127.0.0.1:@port@"}
	YAML
	[ -z "${2:-}" ] || {
		perl -e '($u, $p) = split /:/, shift; print "$u:", crypt($p, "\$2y\$05\$" . "a" x 22), "\n"' "$2" \
			>"$T/.run/$1.htpasswd" &&
			echo "auth: {htpasswd: {realm: test, path: $T/.run/$1.htpasswd}}" >>"$T/.run/$1.yml.in"
	} || return 1
	test_start_server registry_serve "$T/.run/$1.port" && echo "${TEST_PIDS##* }" >"$T/.run/$1.pid"
}

address() {
	echo "127.0.0.1:$(cat "$T/.run/$1.port")"
}

does_not_answer() {
	! test_answers "$1"
}

stop_registry() {
	kill "$(cat "$T/.run/$1.pid")" && wait_for 10 does_not_answer "$(cat "$T/.run/$1.port")"
}

start_again() {
	registry=$1
	registry_serve "$(cat "$T/.run/$1.port")"
	echo "$!" >"$T/.run/$1.pid"
	wait_for 10 test_answers "$(cat "$T/.run/$1.port")"
}

login() { # FILE NAME USER:PASSWORD
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$(address "$2")" "$(printf '%s' "$3" | base64)" >"$1" &&
		chmod 600 "$1"
}

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push "${2:-origin}" dev main
}

new_image_project() { # NAME DIR
	new_project "$1" "$2" && cd "$2" && commit Dockerfile "FROM scratch
COPY rkl/model.pkl /model.pkl" && cd ..
}

fact() {
	pipeline "$1" "$2" "facts.$3"
}

message() {
	pipeline "$1" "$2" stages.0.message
}

registry_of() {
	sed -n 's/^registry = //p' "$(server_file "$1")"
}

inspect() {
	skopeo inspect --tls-verify=false ${credentials:+--authfile "$credentials"} \
		"docker://$(registry_of "$1")/$1:$(tip "$1" "$3")-p$2"
}

is_as_told() { # NAME PIPELINE
	inspect "$1" "$2" main >"$T/image" && digest=$(json Digest <"$T/image") &&
		same "$digest" "$(fact "$1" "$2" image_digest)" &&
		same "$(registry_of "$1")/$1@$digest" "$(fact "$1" "$2" image)" &&
		git -C "$(state "$1")/repositories/airflow-dev.git" show "main:dags/$1.py" |
		grep -F "$1@$digest" &&
		perl -e 'local $/; my $t = <STDIN>; for (@ARGV) { my ($k, $v) = split /=/, $_, 2;
			$t =~ /"\Q$k\E": "\Q$v\E"/ or die "no label $_ in $t" }' \
			"org.opencontainers.image.revision=$(tip "$1" main)" \
			"org.opencontainers.image.source=https://git.example.com/churn" \
			"org.opencontainers.image.title=$1" \
			"org.opencontainers.image.version=$(tip "$1" main)-p$2" \
			"modelgate.pipeline=$2" <"$T/image"
}

start_runner() {
	background modelgate --repo "$T/$1.git" run --drain >>"$T/.run/runner.log" 2>&1
	# shellcheck disable=SC2034 # for the tests
	RUNNER=$!
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

failed_once() {
	[ "$(pipeline "$1" "$2" stages.0.attempt)" = 1 ] && stage_is "$1" "$2" build pending &&
		message "$1" "$2" | grep -F "$3"
}
