#!/bin/sh
# Images as buildah and podman make them, pushed to a registry, and as skopeo sees them there.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/images.sh"

for tool in buildah podman skopeo docker-registry; do
	command -v "$tool" >"$T/.run/tool" || {
		test_skip 'images in a real registry' "$tool is not installed"
		test_done
	}
done
[ "$(id -u)" -eq 0 ] || {
	test_skip 'images in a real registry' 'only root can build images without more ado'
	test_done
}

# --- projects ---

# The real ENGINE, with a store of the server NAME's own.  vfs needs no mounts, which would outlive a test.
real_engine() { # NAME ENGINE
	chains_tool "$2" && server_set "$1" build engine "$2" &&
		cat >"$(state "$1")/$2" <<-SH &&
			#!/bin/sh
			exec $(command -v "$2") --root $T/$1.store --runroot $T/$1.run --storage-driver vfs "\$@"
		SH
		chmod 755 "$(state "$1")/$2"
}

new_shop() { # NAME ENGINE REGISTRY
	new_server "$1" && real_engine "$1" "$2" && server_set "$1" build registry "$3" &&
		server_set "$1" project repository-url https://git.example.com/churn &&
		server_set "$1" runner retries 5
}

start_registry open || test_bail 'no registry'

for engine in buildah podman; do
	test_expect "$engine: skopeo sees the digest and the labels that status and the DAG show" '
		new_shop "$engine" "$engine" "$(address open)/models" &&
		new_image_project "$engine" "$engine" && cd "$engine" && next_main one &&
		drain "$engine" && pipeline_is "$engine" 1 success && is_as_told "$engine" 1
	'
	test_expect "$engine: what is in it is the model, with the time of the commit" '
		image=$(fact "$engine" 1 image) && mkdir "$T/$engine.image" &&
		skopeo copy -q --src-tls-verify=false "docker://$image" "dir:$T/$engine.image" &&
		same "$(git -C "$engine" log -1 --format=%ct main)" \
			"$(date -d "$(json Created <"$T/image")" +%s)" &&
		blob=$(json layers.0.digest <"$T/$engine.image/manifest.json") &&
		tar -xzf "$T/$engine.image/${blob#sha256:}" -O model.pkl >"$T/model" &&
		same one "$(cat "$T/model")"
	'
	test_expect "$engine: the next build leaves one image here, and both in the registry" '
		cd "$engine" && next_main two && drain "$engine" && is_as_told "$engine" 2 &&
		inspect "$engine" 1 main^ >"$T/before" &&
		"$(state "$engine")/$engine" images --format "{{.Tag}}" >"$T/images" && cat "$T/images" &&
		same "$(tip "$engine" main)-p2" "$(grep -v none "$T/images")"
	'
done

test_expect 'the same commit, built elsewhere, is the same image; another pipeline of it is another' '
	new_shop again buildah "$(address open)/elsewhere" && server_set again project name buildah &&
	cd buildah && start=$(git rev-list --max-parents=0 main) &&
	expect_accept git push "$T/again.git" "$start:refs/heads/dev" "$start:refs/heads/main" &&
	expect_accept git push "$T/again.git" dev main^:main && drain again &&
	same "$(fact buildah 1 image_digest)" "$(fact again 1 image_digest)" &&
	expect_accept git push "$T/again.git" main && drain again &&
	same "$(fact buildah 2 image_digest)" "$(fact again 2 image_digest)" &&
	! same "$(fact again 1 image_digest)" "$(fact again 2 image_digest)"
'

# --- logins ---

test_expect 'a registry that asks for a login: without one the build fails at once, and says what to do' '
	start_registry closed ci:secret && server_set buildah build registry "$(address closed)" &&
	cd buildah && next_main three && drain buildah && pipeline_is buildah 3 failed &&
	same 1 "$(pipeline buildah 3 stages.0.attempt)" &&
	message buildah 3 | grep -F "the registry refuses the login" &&
	message buildah 3 | grep -F "[build] credentials-file"
'

test_expect 'with a wrong one too' '
	login wrong closed ci:guess && server_set buildah build credentials-file "$T/wrong" &&
	mg buildah retry 3 build && drain buildah && pipeline_is buildah 3 failed &&
	same 2 "$(pipeline buildah 3 stages.0.attempt)" &&
	message buildah 3 | grep -F "the registry refuses the login"
'

test_expect 'with the right one it is there' '
	login right closed ci:secret && server_set buildah build credentials-file "$T/right" &&
	mg buildah retry 3 build && drain buildah && pipeline_is buildah 3 success &&
	credentials=$T/right && inspect buildah 3 main >image && credentials= &&
	same "$(json Digest <image)" "$(fact buildah 3 image_digest)" &&
	server_set buildah build registry "$(address open)/models"
'

# --- faults ---

test_expect 'a registry that is down is asked again, until it is there' '
	stop_registry open && cd podman && next_main three && start_runner podman &&
	wait_for 30 failed_once podman 3 "away or busy" && start_again open &&
	wait_for 30 pipeline_is podman 3 success && wait_for 10 is_gone "$RUNNER" && is_as_told podman 3
'

test_expect 'a base image that the registry does not have is a lasting failure' '
	cd podman && git switch -q dev && commit Dockerfile "FROM $(address open)/models/nothing:1" &&
	printf "[[registry]]\nlocation = \"%s\"\ninsecure = true\n" "$(address open)" >"$T/registries.conf" &&
	cd .. && real_engine podman podman &&
	sed -i "s,^exec ,CONTAINERS_REGISTRIES_CONF=$T/registries.conf exec ," "$(state podman)/podman" &&
	cd podman && next_main four && drain podman && pipeline_is podman 4 failed &&
	same 1 "$(pipeline podman 4 stages.0.attempt)" &&
	message podman 4 | grep -F "the registry does not have what is asked for"
'

test_expect 'and one that it has is fetched' '
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
		"docker://$(fact podman 3 image)" "docker://$(address open)/models/nothing:1" &&
	mg podman retry 4 build && drain podman && pipeline_is podman 4 success && is_as_told podman 4
'

# A server that lets a build hang in the middle: it answers nothing until the file $T/answer is there.
slow_serve() { # PORT
	background perl -MIO::Socket::INET -e '
		my ($port, $dir) = @ARGV;
		my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $port,
			ReuseAddr => 1) or exit 1;
		while (1) {
			my $c = $s->accept or next;
			my $line = <$c> // next;
			if (!-e "$dir/answer") {
				open my $fh, ">", "$dir/asked";
				push @kept, $c;
				next;
			}
			print $c "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nslow\n";
			close $c;
		}' "$1" "$T"
}

# Working containers, of which a build that ends by itself leaves none.
containers() {
	case $1 in
	podman) "$(state podman)/podman" ps -aq --external ;;
	*) "$(state "$1")/buildah" containers -aq ;;
	esac
}

test_expect 'builds that failed have left no working container' '
	same "" "$(containers buildah)" && same "" "$(containers podman)"
'

for engine in buildah podman; do
	test_expect "$engine: what a build killed in the middle leaves does not disturb the next" '
		rm -f "$T/asked" "$T/answer" &&
		{ [ -e "$T/.run/slow.port" ] || test_start_server slow_serve "$T/.run/slow.port"; } &&
		cd "$engine" && git switch -q dev && commit Dockerfile "FROM scratch
ADD http://127.0.0.1:$(cat "$T/.run/slow.port")/x /x
COPY rkl/model.pkl /model.pkl" && next_main five && start_runner "$engine" &&
		wait_for 20 test -e "$T/asked" && kill -9 "$RUNNER" && wait_for 20 is_quiet "$engine" &&
		: >"$T/answer" && id=$(mg "$engine" status --json | json pipelines.0.id) &&
		containers "$engine" | grep . && drain "$engine" && pipeline_is "$engine" "$id" success && is_as_told "$engine" "$id"
	'
done

test_done
