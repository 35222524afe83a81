#!/bin/sh
# The retraining job of a project whose DVC remote is an s3 bucket: DVC itself adds and pushes the model.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

if [ ! -x "$BUILD/venv/bin/dvc" ] || [ ! -x "$BUILD/venv/bin/moto_server" ]; then
	test_skip 'a retraining with an s3 remote' 'no package index can be reached'
	test_done
fi
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$T/dvc-site" DVC_GLOBAL_CONFIG_DIR="$T/dvc-global" \
	DVC_SYSTEM_CONFIG_DIR="$T/dvc-system" AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret \
	AWS_DEFAULT_REGION=us-east-1 NO_PROXY=127.0.0.1

moto() {
	background "$BUILD/venv/bin/moto_server" -H 127.0.0.1 -p "$1" >"$T/.run/moto.log" 2>&1
}

# s3 EXPRESSION: its value, with the client as "s3".
s3() {
	"$BUILD/venv/bin/python" -c "import boto3
s3 = boto3.client('s3', endpoint_url='http://127.0.0.1:$(cat "$T/port")')
print($1)"
}

s3_config() {
	cat <<-INI
		[core]
		    remote = models
		['remote "models"']
		    url = s3://models/shop
		    endpointurl = http://127.0.0.1:$(cat "$T/port")
	INI
}

job() { # DATE
	(cd "$T/image" && MODELGATE_PIPELINE_ID=2 MODELGATE_DATE=$1 MODELGATE_PUSH_TOKEN='' \
		MODELGATE_GIT_SHA=$(tip shop retrain) MODELGATE_REPOSITORY_URL=$T/shop.git \
		PATH=$BUILD/venv/bin:$PATH /usr/bin/python3 retrain.py >"$T/err" 2>&1)
}

test_expect 'a project with an s3 remote is on its way' '
	test_start_server moto "$T/port" && s3 "s3.create_bucket(Bucket=\"models\")" &&
	new_server shop && server_set shop build model-fetch none && new_project shop work && cd work &&
	s3_config >.dvc/config &&
	git commit -q -a -m "An s3 remote" && expect_accept git push origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain && drain shop &&
	pipeline_is shop 2 success && mkdir "$T/image" && tar -xzf "$(pipeline shop 2 facts.image)" -C "$T/image"
'

test_expect 'its job puts the model into the bucket, and the pointer as DVC writes it into Git' '
	job 20260101 && said "pushed retrain-2-20260101" &&
	git -C shop.git show retrain-2-20260101:rkl/model.pkl.dvc >pointer &&
	md5=$(sed -n "s/^- md5: //p" pointer) && key=shop/files/md5/$(echo "$md5" | sed "s,^..,&/,") &&
	same "$key" "$(s3 "s3.list_objects_v2(Bucket=\"models\")[\"Contents\"][0][\"Key\"]")" &&
	same "$md5" "$(s3 "__import__(\"hashlib\").md5(s3.get_object(Bucket=\"models\", Key=\"$key\")[\"Body\"].read()).hexdigest()")" &&
	same rkl/model.pkl.dvc "$(git -C shop.git diff --name-only retrain retrain-2-20260101)"
'

test_expect 'without the bucket it fails, and pushes nothing' '
	s3 "[s3.delete_object(Bucket=\"models\", Key=\"$key\"), s3.delete_bucket(Bucket=\"models\")]" &&
	{ ! job 20260102 || return 1; } && said "retrain.py: dvc push failed" &&
	same none "$(tip shop retrain-2-20260102)"
'

test_done
