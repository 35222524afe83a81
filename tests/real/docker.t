#!/bin/sh
# Images as docker makes them, by a daemon of the test's own, pushed to a registry.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/images.sh"

for tool in docker dockerd skopeo docker-registry; do
	PATH=$PATH:/usr/sbin command -v "$tool" >"$T/.run/tool" || {
		test_skip 'images by docker' "$tool is not installed"
		test_done
	}
done

# Without a network of its own and without mounts, which would outlive a test.
start_dockerd() {
	PATH=$PATH:/usr/sbin background dockerd --host "unix://$T/docker.sock" --data-root "$T/docker" \
		--exec-root "$T/docker.run" --pidfile "$T/.run/dockerd.pid" --bridge none --iptables=false \
		--ip6tables=false --storage-driver vfs >>"$T/.run/dockerd.log" 2>&1
	docker_pid=$!
	wait_for 30 docker_is_there_or_gone && docker_answers
}

docker_answers() {
	docker --host "unix://$T/docker.sock" version
}

docker_is_there_or_gone() {
	docker_answers || ! kill -0 "$docker_pid"
}

start_dockerd >"$T/.run/dockerd" 2>&1 || {
	sed 's/^/# /' "$T/.run/dockerd.log" | tail -n 5
	test_skip 'images by docker' 'a docker daemon cannot run here'
	test_done
}
start_registry open || test_bail 'no registry'
start_registry closed ci:secret || test_bail 'no registry'

new_server churn
new_image_project churn work || test_bail 'no project'
chains_tool docker && server_set churn build engine docker &&
	printf '#!/bin/sh\nexec %s --host unix://%s/docker.sock "$@"\n' "$(command -v docker)" "$T" \
		>"$(state churn)/docker" && chmod 755 "$(state churn)/docker" &&
	server_set churn build registry "$(address open)/models" && server_set churn runner retries 5 &&
	server_set churn project repository-url https://git.example.com/churn ||
	test_bail 'no server'

images() {
	"$(state churn)/docker" images --all --format '{{.Repository}}:{{.Tag}}'
}

test_expect 'skopeo sees the digest and the labels that status and the DAG show' '
	cd work && next_main one && drain churn && pipeline_is churn 1 success && is_as_told churn 1 &&
	same docker "$(fact churn 1 engine)"
'

test_expect 'the log says so where the image does not have the time of the commit, and only there' '
	mg churn logs 1 build >log && made=$(date -d "$(json Created <image)" +%s) &&
	if [ "$made" -eq "$(git -C work log -1 --format=%ct main)" ]; then
		! grep -F "another digest" log
	else
		grep -F "cannot give an image the commit" log
	fi
'

test_expect 'the next build leaves one image of the name here, and both in the registry' '
	cd work && next_main two && drain churn && is_as_told churn 2 && inspect churn 1 main^ &&
	same "$(registry_of churn)/churn:$(tip churn main)-p2" "$(images | grep /churn:)"
'

test_expect 'a registry that asks for a login: without one the build fails at once, and says what to do' '
	server_set churn build registry "$(address closed)" && cd work && next_main three &&
	drain churn && pipeline_is churn 3 failed && same 1 "$(pipeline churn 3 stages.0.attempt)" &&
	message churn 3 | grep -F "the registry refuses the login" &&
	message churn 3 | grep -F "[build] credentials-file"
'

test_expect 'with a wrong one too; with the right one it is there' '
	login wrong closed ci:guess && server_set churn build credentials-file "$T/wrong" &&
	mg churn retry 3 build && drain churn && pipeline_is churn 3 failed &&
	same 2 "$(pipeline churn 3 stages.0.attempt)" &&
	login right closed ci:secret && server_set churn build credentials-file "$T/right" &&
	mg churn retry 3 build && drain churn && credentials=$T/right && is_as_told churn 3 &&
	credentials=
'

test_expect 'a registry that is away is tried again, and no step of the Dockerfile that fails' '
	server_set churn build registry 127.0.0.1:1 && server_set churn runner retries 1 &&
	cd work && next_main four && drain churn && pipeline_is churn 4 failed &&
	same 2 "$(pipeline churn 4 stages.0.attempt)" && message churn 4 | grep -F "away or busy" &&
	git switch -q dev && commit Dockerfile "FROM scratch
COPY nothing /" && next_main five && drain churn && pipeline_is churn 5 failed &&
	same 1 "$(pipeline churn 5 stages.0.attempt)" &&
	message churn 5 | grep -F "a step of the Dockerfile failed"
'

test_expect 'a daemon that is gone is waited for' '
	server_set churn build registry "$(address open)/models" && server_set churn runner retries 5 &&
	cd work && git switch -q dev && commit Dockerfile "FROM scratch
COPY rkl/model.pkl /model.pkl" && next_main six && kill "$docker_pid" && wait_for 20 is_gone "$docker_pid" &&
	start_runner churn && wait_for 20 failed_once churn 6 "engine docker does not answer" &&
	start_dockerd && wait_for 30 pipeline_is churn 6 success && wait_for 10 is_gone "$RUNNER" &&
	is_as_told churn 6
'

test_done
