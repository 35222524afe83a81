#!/bin/sh
# Models that are kept behind http: real pushes, and what the build stage says of a remote that does not
# hold what the pointer says.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# The remote's folder is $T/shop.dvc, where put_model puts models; asked for below /models, with a password
# below /secret.  Nothing is kept open that was asked for before: what is removed is gone at once.
test_files() {
	printf 'reader:q7-opaque\n' >"$T/.run/readers"
	cat >"$T/.run/files" <<-EOF
		server.document-root = "$T/shop.dvc"
		server.bind = "127.0.0.1"
		server.port = $1
		server.errorlog = "$T/.run/files.log"
		server.stat-cache-engine = "disable"
		server.modules = ("mod_alias", "mod_auth", "mod_authn_file")
		alias.url = ("/models" => "$T/shop.dvc", "/secret" => "$T/shop.dvc")
		auth.backend = "plain"
		auth.backend.plain.userfile = "$T/.run/readers"
		auth.require = ("/secret" => ("method" => "basic", "realm" => "x", "require" => "valid-user"))
	EOF
	background "$(PATH=$PATH:/usr/sbin command -v lighttpd)" -D -f "$T/.run/files" 2>>"$T/.run/files.log"
}

# From now on .dvc/config of the work tree, which put_model reads, names this url; more lines follow.
remote_is() {
	printf "[core]\n    remote = web\n['remote \"web\"']\n    url = http://127.0.0.1:%s%s\n" \
		"$(cat "$T/.run/port")" "$1" >.dvc/config &&
		shift &&
		for model_line; do echo "    $model_line" >>.dvc/config || return 1; done &&
		git add .dvc/config && test_tick && git commit -q --allow-empty -m "Remote"
}

# put CONTENT: a model in the folder that is served, and its pointer in a commit.
put() {
	MODEL_MD5=$(printf '%s\n' "$1" | md5sum | cut -c 1-32)
	MODEL_OBJECT=$T/shop.dvc/files/md5/$(echo "$MODEL_MD5" | sed 's,^..,&/,')
	mkdir -p "${MODEL_OBJECT%/*}" && printf '%s\n' "$1" >"$MODEL_OBJECT" &&
		printf 'outs:\n- md5: %s\n  size: %d\n  hash: md5\n  path: model.pkl\n' \
			"$MODEL_MD5" "$(wc -c <"$MODEL_OBJECT")" >rkl/model.pkl.dvc &&
		git add rkl/model.pkl.dvc && test_tick && git commit -q -m "Model $1"
}

# Push dev, merge it into main, and run what follows; the newest pipeline is then PIPELINE.
land() {
	expect_accept git push -q origin dev && expect_accept merge_push dev main &&
		git switch -q dev && git merge -q --ff-only main && drain shop &&
		PIPELINE=$(mg shop status --json | json pipelines.0.id)
}

built_of() {
	tar -xOzf "$(pipeline shop "$PIPELINE" facts.image)" "./$1" 2>/dev/null ||
		tar -xOzf "$(pipeline shop "$PIPELINE" facts.image)" "$1"
}

log_says() {
	mg shop logs "$PIPELINE" build >"$T/err" && said "$1"
}

fails_with() {
	land && stage_is shop "$PIPELINE" build failed && log_says "$1"
}

test_expect 'a model is fetched by http, and the registry names where it lies' '
	new_server shop && new_project shop work && cd work &&
	test_start_server test_files "$T/.run/port" &&
	remote_is /models && put one && land &&
	stages_are shop "$PIPELINE" success success success success &&
	same one "$(built_of rkl/model.pkl)" &&
	same "$MODEL_MD5" "$(pipeline shop "$PIPELINE" facts.model_md5)" &&
	grep -rqF "http://127.0.0.1:$(cat "$T/.run/port")/models/files/md5/$(echo "$MODEL_MD5" |
		sed "s,^..,&/,")" "$(state shop)"
'

test_expect 'a model that is not there fails the build once, with what to do; pushed, it is fetched' '
	cd work && put two && mv "$MODEL_OBJECT" "$T/kept" &&
	fails_with "is not in DVC remote web: there is no http://127.0.0.1" && said "dvc push" &&
	same 1 "$(pipeline shop "$PIPELINE" stages.0.attempt)" &&
	stage_is shop "$PIPELINE" create-model created &&
	mv "$T/kept" "$MODEL_OBJECT" && mg shop retry "$PIPELINE" build && drain shop &&
	stages_are shop "$PIPELINE" success success success success && same two "$(built_of rkl/model.pkl)"
'

test_expect 'another content of the same length fails the build' '
	cd work && put three && echo Three >"$MODEL_OBJECT" &&
	fails_with "files/md5/$(echo "$MODEL_MD5" | sed "s,^..,&/,") in DVC remote web has md5" &&
	said "says md5 $MODEL_MD5"
'

test_expect 'too short a content fails the build' '
	cd work && put four && printf four >"$MODEL_OBJECT" && fails_with "and 4 bytes, but rkl/model.pkl.dvc"
'

test_expect 'too long a content fails the build' '
	cd work && put five && echo more >>"$MODEL_OBJECT" &&
	fails_with "it has more than the 5 bytes that it may have"
'

test_expect 'without the password: told which keys are wanted; with it, fetched, and it is in no log' '
	cd work && remote_is /secret && put six && fails_with "answers with status 401: user and password" &&
	remote_is /secret "auth = basic" "user = reader" "password = q7-opaque" && land &&
	stages_are shop "$PIPELINE" success success success success && same six "$(built_of rkl/model.pkl)" &&
	log_says "warning: the password of DVC remote web stands in .dvc/config" &&
	grep -rqF "stands in .dvc/config" "$(state shop)" && ! grep -rF q7-opaque "$(state shop)"
'

test_expect 'an address with the password in it is refused before anything is asked' '
	cd work && remote_is /models && sed -i "s,//,//reader:q7-opaque@," .dvc/config &&
	git commit -q -a -m "Remote" && fails_with "must have no user and no password before its host" &&
	said_not q7-opaque
'

test_expect 'a folder is fetched file by file' '
	cd work && remote_is /models && put weights && weights=$MODEL_MD5 && put "{}" && settings=$MODEL_MD5 &&
	printf "[{\"md5\": \"%s\", \"relpath\": \"a/w.bin\"}, {\"md5\": \"%s\", \"relpath\": \"c.json\"}]" \
		"$weights" "$settings" >"$T/listing" &&
	md5=$(md5sum <"$T/listing" | cut -c 1-32) &&
	mkdir -p "$T/shop.dvc/files/md5/$(echo "$md5" | cut -c 1-2)" &&
	cp "$T/listing" "$T/shop.dvc/files/md5/$(echo "$md5" | sed "s,^..,&/,").dir" &&
	printf "outs:\n- md5: %s.dir\n  size: 11\n  nfiles: 2\n  hash: md5\n  path: model\n" "$md5" \
		>rkl/model.pkl.dvc && git commit -q -a -m Folder && land &&
	stages_are shop "$PIPELINE" success success success success &&
	same weights "$(built_of rkl/model/a/w.bin)" && same "{}" "$(built_of rkl/model/c.json)"
'

test_expect 'a file that is missing in the folder fails the build' '
	cd work && rm "$T/shop.dvc/files/md5/$(printf "weights\n" | md5sum | cut -c 1-32 | sed "s,^..,&/,")" &&
	test_tick && git commit -q --allow-empty -m Again && fails_with "is not in DVC remote web: there is no"
'

test_expect 'where models may come from is for the server to say' '
	cd work && put seven && server_set shop build model-remotes "s3://models/*" &&
	fails_with "is none of the addresses that models may come from" &&
	server_set shop build model-remotes "http://127.0.0.1:$(cat "$T/.run/port")/*" &&
	mg shop retry "$PIPELINE" build && drain shop &&
	stages_are shop "$PIPELINE" success success success success
'

test_done
