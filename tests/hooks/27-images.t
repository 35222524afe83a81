#!/bin/sh
# Images: what each engine is asked for, what comes of it, and what becomes of a failure.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

registry=registry.example.com/models

next_main() {
	git switch -q dev && put_model "$1" && git switch -q main && merge_in dev &&
		expect_accept git push origin dev main
}

# A server NAME with a project in $T/NAME, whose engine is a double.
new_shop() {
	new_server "$1" && new_project "$1" "$1" && engine_double "$1" "$2" &&
		server_set "$1" project repository-url https://git.example.com/shop &&
		server_set "$1" build registry "$registry" && server_set "$1" runner retries 1
}

fact() {
	pipeline "$1" "$2" "facts.$3"
}

message() {
	pipeline "$1" "$2" stages.0.message
}

log() {
	mg "$1" logs "$2" build
}

# What was called, with what is another in each run put as a word.
calls() {
	engine_calls "$1" | sed -e "s,$T/$1.state/work/[^/ ]*,WORK,g" -e "s,$(tip "$1" main),SHA,g" \
		-e 's,2026-[0-9T:.-]*Z,TIME,g' -e "s,$T,T,g"
}

labels='--label org.opencontainers.image.revision=SHA --label org.opencontainers.image.source=https://git.example.com/shop --label org.opencontainers.image.created=TIME --label modelgate.pipeline=1 --label org.opencontainers.image.title=NAME --label org.opencontainers.image.version=SHA-p1'

labels_of() {
	echo "$labels" | sed "s/NAME/$1/"
}

# --- an engine that hangs: it has its time while the rest is tested ---

test_expect 'two engines that hang begin' '
	for server in hangs auto-hangs; do
		new_shop "$server" podman && server_set "$server" runner retries 0 &&
			: >"$(state "$server")/engine/hangs" && cd "$server" && next_main one && cd .. || return 1
	done &&
	server_set auto-hangs build registry "" && server_set auto-hangs build engine auto &&
	for engine in docker buildah; do
		chains_tool "$engine" && printf "#!/bin/sh\nexit 1\n" >"$(state auto-hangs)/$engine" &&
			chmod 755 "$(state auto-hangs)/$engine" || return 1
	done &&
	for server in hangs auto-hangs; do
		background modelgate --repo "$T/$server.git" run --drain >>"$T/.run/runner.log" 2>&1 || return 1
	done
'

# --- what is asked for ---

test_expect 'docker: the date of the commit, and the digest of what was pushed, not the first it knows' '
	new_shop docker docker && cd docker && next_main one && drain docker &&
	date=$(git log -1 --format=%ct main) &&
	env="BUILDX_NO_DEFAULT_ATTESTATIONS=1 SOURCE_DATE_EPOCH=$date docker" &&
	image=$registry/docker:SHA-p1 &&
	cat >"$T/expected" <<-CALLS &&
		$env version --format {{.Server.Version}}
		$env build --force-rm --iidfile WORK/image-id --tag $image --file WORK/context/Dockerfile $(labels_of docker) WORK/context
		$env image inspect --format {{.Created}} $image
		$env push $image
		$env image inspect --format {{range .RepoDigests}}{{println .}}{{end}} $image
	CALLS
	calls docker | diff "$T/expected" - &&
	digest=$(cut -d " " -f 2 "$(state docker)/engine/pushed") &&
	same "$registry/docker@$digest" "$(fact docker 1 image)" &&
	same "$digest" "$(fact docker 1 image_digest)" && same docker "$(fact docker 1 engine)"
'

test_expect 'podman: the same by its own flags' '
	new_shop podman podman && cd podman && next_main one && drain podman &&
	date=$(git log -1 --format=%ct main) && image=$registry/podman:SHA-p1 &&
	cat >"$T/expected" <<-CALLS &&
		podman info --format {{.Version.Version}}
		podman build --force-rm --timestamp $date --iidfile WORK/image-id --tag $image --file WORK/context/Dockerfile $(labels_of podman) WORK/context
		podman push --digestfile WORK/image-digest $image
	CALLS
	calls podman | diff "$T/expected" - &&
	digest=$(cut -d " " -f 2 "$(state podman)/engine/pushed") &&
	same "$registry/podman@$digest" "$(fact podman 1 image)"
'

test_expect 'buildah: the same by its own flags' '
	new_shop buildah buildah && cd buildah && next_main one && drain buildah &&
	date=$(git log -1 --format=%ct main) && image=$registry/buildah:SHA-p1 &&
	cat >"$T/expected" <<-CALLS &&
		buildah info
		buildah bud --isolation chroot --timestamp $date --iidfile WORK/image-id --tag $image --file WORK/context/Dockerfile $(labels_of buildah) WORK/context
		buildah push --digestfile WORK/image-digest $image
	CALLS
	calls buildah | diff "$T/expected" - &&
	digest=$(cut -d " " -f 2 "$(state buildah)/engine/pushed") &&
	same "$registry/buildah@$digest" "$(fact buildah 1 image)"
'

test_expect 'the DAG runs the image by its digest' '
	git -C "$(state podman)/repositories/airflow-dev.git" show main:dags/podman.py >dag &&
	grep -F "$(fact podman 1 image)" dag && ! grep -F ":$(tip podman main)-p1" dag
'

test_expect 'a registry on this machine may speak plain HTTP, one that only looks like it may not' '
	for host in 127.0.0.1:5000 localhost:5000/models 127.0.0.1.example.com localhost.example.com:5000; do
		server_set podman build registry "$host" && cd podman && next_main "at $host" &&
		cd .. && drain podman || return 1
	done &&
	engine_calls podman | grep " push " >pushes && cat pushes &&
	same "127.0.0.1:5000/podman localhost:5000/models/podman" \
		"$(sed -n "s/.* --tls-verify=false .* \(.*\):.*/\1/p" pushes | paste -s -d " ")" &&
	same 5 "$(wc -l <pushes)" && server_set podman build registry registry.example.com/models
'

test_expect 'docker that does not know the time of a commit: it builds, and the log says what that means' '
	log docker 1 >log1 && ! grep -F "another digest" log1 &&
	touch "$(state docker)/engine/old" && cd docker && next_main two && drain docker &&
	pipeline_is docker 2 success &&
	log docker 2 | grep -F "this docker cannot give an image the commit"
'

# --- room on this machine ---

test_expect 'once an image is in the registry, the one before it goes' '
	same "$registry/docker:$(tip docker main)-p2" \
		"$(cut -d " " -f 1 "$(state docker)/engine/images")" &&
	log docker 2 | grep -F "removing the earlier image $registry/docker:$(tip docker main^)-p1"
'

test_expect 'also that of a build that did not come to its end; one that is gone already harms nothing' '
	engine_fails docker "push 1 denied: requested access to the resource is denied" &&
	cd docker && next_main three && drain docker && pipeline_is docker 3 failed &&
	same 2 "$(wc -l <"$(state docker)/engine/images")" && engine_fails docker &&
	sed -i "/-p2 /d" "$(state docker)/engine/images" &&
	next_main four && drain docker && pipeline_is docker 4 success &&
	same "$registry/docker:$(tip docker main)-p4" \
		"$(cut -d " " -f 1 "$(state docker)/engine/images")" &&
	log docker 4 | grep -F "the earlier image $registry/docker:$(tip docker main^^)-p2 is not there, or in use"
'

test_expect 'without a registry they stay: they may be in use here' '
	server_set buildah build registry "" && cd buildah && next_main two && drain buildah &&
	next_main three && drain buildah && pipeline_is buildah 3 success &&
	same "buildah:$(tip buildah main)-p3" "$(fact buildah 3 image)" &&
	same 3 "$(wc -l <"$(state buildah)/engine/images")"
'

# --- logins ---

credentials() { # FILE PASSWORD
	printf '{"auths":{"registry.example.com":{"auth":"%s"}}}' "$(printf '%s' "ci:$2" | base64)" >"$1" &&
		chmod 600 "$1"
}

for engine in docker podman; do
	test_expect "$engine: the login comes from the credentials file" '
		server=login-$engine && new_shop "$server" "$engine" && credentials "$T/right" secret &&
		printf "ci:secret" | base64 | tr -d "\n" >"$(state "$server")/engine/login" &&
		server_set "$server" build credentials-file "$T/right" &&
		cd "$server" && next_main one && drain "$server" && pipeline_is "$server" 1 success
	'
	test_expect "$engine: nothing of it is in a command line, the log or the work folder" '
		engine_calls "$server" >calls && grep -c . calls &&
		! grep -F "$(cat "$(state "$server")/engine/login")" calls &&
		log "$server" 1 >log1 && ! grep -F "$(cat "$(state "$server")/engine/login")" log1 &&
		same "" "$(ls "$(state "$server")/work")"
	'
	test_expect "$engine: a wrong login is a lasting failure, and it is said what to do" '
		credentials "$T/wrong" guess && server_set "$server" build credentials-file "$T/wrong" &&
		cd "$server" && next_main two && drain "$server" && pipeline_is "$server" 2 failed &&
		same 1 "$(pipeline "$server" 2 stages.0.attempt)" &&
		message "$server" 2 | grep -F "the registry refuses the login" &&
		message "$server" 2 | grep -F "[build] credentials-file"
	'
	test_expect "$engine: with the right one the stage goes on" '
		server_set "$server" build credentials-file "$T/right" && mg "$server" retry 2 build &&
		drain "$server" && pipeline_is "$server" 2 success
	'
	test_expect "$engine: a file that others may read is not used" '
		chmod 640 "$T/right" && cd "$server" && next_main three && drain "$server" &&
		pipeline_is "$server" 3 failed && same 1 "$(pipeline "$server" 3 stages.0.attempt)" &&
		message "$server" 3 | grep -F "[build] credentials-file: $T/right" &&
		message "$server" 3 | grep -F "chmod 600 $T/right"
	'
done

# --- failures ---

test_expect 'a registry that is away is tried again' '
	engine_fails podman "once push 125 Error: pinging container registry: dial tcp: connection refused" &&
	cd podman && next_main "registry away" && drain podman && pipeline_is podman 6 success &&
	same 2 "$(pipeline podman 6 stages.0.attempt)"
'

test_expect 'a step of the Dockerfile that fails is not, whatever it printed' '
	engine_fails podman "build 1 Error: building at STEP \"RUN curl\": connection refused: exit status 7" &&
	cd podman && next_main "step" && drain podman && pipeline_is podman 7 failed &&
	same 1 "$(pipeline podman 7 stages.0.attempt)" &&
	message podman 7 | grep -F "podman build ended with status 1: a step of the Dockerfile failed" &&
	log podman 7 | grep -F "STEP \"RUN curl\""
'

test_expect 'an engine that something killed is tried again' '
	engine_fails podman "once build 137 killed" && mg podman retry 7 build && drain podman &&
	pipeline_is podman 7 success && same 3 "$(pipeline podman 7 stages.0.attempt)"
'

test_expect 'a push that ends without a digest is no success' '
	engine_fails docker && : >"$(state docker)/engine/pushed" &&
	engine_fails docker "once push 0 nothing was pushed" &&
	cd docker && next_main five && drain docker && pipeline_is docker 5 failed &&
	message docker 5 | grep -F "docker knows no digest of $registry/docker after its push"
'

test_expect 'an engine that cannot say what it has pushed is tried again' '
	engine_fails docker "once image inspect 1 gone" "once image inspect 1 gone" &&
	mg docker retry 5 build && drain docker && pipeline_is docker 5 success &&
	same 3 "$(pipeline docker 5 stages.0.attempt)"
'

# --- auto ---

test_expect 'auto without a Dockerfile: an archive where no registry waits, else a failure that says so' '
	new_server auto && new_project auto auto && server_set auto build engine auto && cd auto &&
	git switch -q dev && git rm -q Dockerfile && test_tick && git commit -q -m "No Dockerfile" &&
	next_main one && drain auto && pipeline_is auto 1 success && same archive "$(fact auto 1 engine)" &&
	server_set auto build registry "$registry" && next_main two && drain auto &&
	pipeline_is auto 2 failed && same 1 "$(pipeline auto 2 stages.0.attempt)" &&
	message auto 2 | grep -F "the commit has no Dockerfile, so no image can be made for [build] registry = $registry"
'

test_expect 'engine = archive beside a registry is what somebody wrote: an archive, and a warning' '
	server_set auto build engine archive && mg auto retry 2 build && drain auto &&
	pipeline_is auto 2 success && log auto 2 | grep -F "warning: [build] registry takes images"
'

# --- modelgate check ---

checked() { # NAME STATUS WHAT
	mg "$1" check >"$T/checked"
	same "$2" "$?" && grep -F "$3" "$T/checked"
}

# A registry that answers with the status in $T/status.
registry_serve() { # PORT
	background perl -MIO::Socket::INET -e '
		my ($port, $status) = @ARGV;
		my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $port,
			ReuseAddr => 1) or exit 1;
		while (my $c = $s->accept) {
			my $line = <$c> // next;
			open my $fh, "<", $status or die;
			my $answer = $line =~ m{^GET /v2/ } ? <$fh> : "400 Bad Request";
			chomp $answer;
			print $c "HTTP/1.1 $answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
		}' "$1" "$T/status"
}

test_expect 'check: the engine, the login and the registry' '
	server=login-podman && echo "401 Unauthorized" >status &&
	test_start_server registry_serve "$T/port" && chmod 600 "$T/right" &&
	server_set "$server" build registry "127.0.0.1:$(cat port)/models" &&
	checked "$server" 0 "ok     engine: podman answers" &&
	grep -x "ok     \[build\] credentials-file: $T/right" checked &&
	grep -x "ok     \[build\] registry: http://127.0.0.1:$(cat port)/v2/ answers" checked
'

test_expect 'check: a login that others may read' '
	chmod 644 "$T/right" && checked "$server" 1 "wrong  [build] credentials-file: $T/right may be read" &&
	chmod 600 "$T/right"
'

test_expect 'check: an address that is no registry, and one where nobody is' '
	echo "404 Not Found" >status && checked "$server" 1 "wrong  [build] registry: http://127.0.0.1:$(cat port)/v2/ answers with status 404" &&
	server_set "$server" build registry "127.0.0.1:1/models" &&
	checked "$server" 1 "wrong  [build] registry: " && server_set "$server" build registry ""
'

test_expect 'check: an engine that does not answer' '
	printf "#!/bin/sh\necho noise\necho noise >&2\nexit 1\n" >"$(state "$server")/podman" &&
	checked "$server" 1 "wrong  engine: podman is installed, but does not answer" &&
	grep -F "podman info says why" checked && ! grep noise checked
'

test_expect 'check: archives beside a registry' '
	server_set auto build engine archive && server_set auto build registry "$registry" &&
	checked auto 0 "note   engine: archives stay on this machine; [build] registry = $registry gets nothing"
'

# --- whose name it is ---

test_expect 'two projects whose names make one image name: the second is refused, and hears whose it is' '
	new_server Podman && new_project Podman second && engine_double Podman podman &&
	server_set Podman modelgate state "$(state podman)" && cd second && next_main one &&
	drain Podman && is_quiet podman && mg Podman status --json >"$T/status" &&
	json "pipelines.0.stages.0.message" <"$T/status" |
		grep -F "image name podman belongs to $T/podman.git"
'

# --- the engines that hang ---

test_expect 'one that is asked for by name and hangs: the build fails, for a reason that may pass' '
	wait_for 40 pipeline_is hangs 1 failed && message hangs 1 | grep -F "engine podman does not answer"
'

test_expect 'auto passes over it' '
	wait_for 40 pipeline_is auto-hangs 1 success && same archive "$(fact auto-hangs 1 engine)" &&
	log auto-hangs 1 | grep -F "engine podman is installed, but does not answer" &&
	wait_for 10 is_quiet hangs && wait_for 10 is_quiet auto-hangs
'

test_done
