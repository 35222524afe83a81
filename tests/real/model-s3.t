#!/bin/sh
# Models on s3: what DVC itself has pushed there, fetched with the signature that botocore makes too.  The
# server is moto; with its IAM it refuses every request whose signature is not the one that botocore
# computes for it.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

if [ ! -x "$BUILD/venv/bin/moto_server" ] || [ ! -x "$BUILD/venv/bin/dvc" ]; then
	test_skip 'models on s3' 'no package index can be reached'
	test_done
fi
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$T/dvc-site" DVC_GLOBAL_CONFIG_DIR="$T/dvc-global" \
	DVC_SYSTEM_CONFIG_DIR="$T/dvc-system" AWS_EC2_METADATA_DISABLED=true
dvc() {
	"$BUILD/venv/bin/dvc" "$@"
}

test_moto() {
	background "$BUILD/venv/bin/moto_server" -H 127.0.0.1 -p "$1" >>"$T/.run/moto.log" 2>&1
}

endpoint() {
	echo "http://127.0.0.1:$(cat "$T/.run/moto")"
}

# setup.py ENDPOINT BUCKET...: buckets, a user that may read and write them, and a role that may too.  Prints
# the user's key, then the key and the session token of who took the role.  From then on moto asks for
# signatures.
cat >"$T/.run/setup.py" <<'EOF_PYTHON'
import json
import sys
import urllib.request

import boto3

endpoint = sys.argv[1]
kind = dict(endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
s3 = boto3.client("s3", **kind)
for bucket in sys.argv[2:]:
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

iam = boto3.client("iam", **kind)
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.create_user(UserName="runner")
iam.put_user_policy(UserName="runner", PolicyName="s3", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="runner")["AccessKey"]
role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")["Role"]
iam.put_role_policy(RoleName="reader", PolicyName="s3", PolicyDocument=json.dumps(policy))
taken = boto3.client("sts", **kind).assume_role(RoleArn=role["Arn"], RoleSessionName="build")["Credentials"]

reset = f"{endpoint}/moto-api/reset-auth"
urllib.request.urlopen(urllib.request.Request(reset, data=b"0", headers={"Content-Type": "text/plain"}))
print(key["AccessKeyId"], key["SecretAccessKey"])
print(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
EOF_PYTHON

# credentials ID SECRET [LINE]: what the server gives the build stage, as the profile team.
credentials() {
	printf '[team]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = eu-west-1\n%s\n' \
		"$1" "$2" "endpoint_url = $(endpoint)/" >"$T/credentials" &&
		printf '%s\n' "${3-}" >>"$T/credentials" && chmod 600 "$T/credentials"
}

# Push dev, merge it into main, and run what follows; the newest pipeline is then PIPELINE.
land() {
	expect_accept git push -q origin dev && expect_accept merge_push dev main &&
		git switch -q dev && git merge -q --ff-only main && drain churn &&
		PIPELINE=$(mg churn status --json | json pipelines.0.id)
}

# set_key KEY VALUE: of the remote; many times quicker than dvc itself.
set_key() {
	sed -i "s|^\\( *$1 =\\).*|\\1 $2|" .dvc/config && git add .dvc/config
}

again() {
	test_tick && git commit -q --allow-empty -m Again && land
}

built() {
	mg churn logs "$PIPELINE" build >"$T/err" && stage_is churn "$PIPELINE" build success || {
		cat "$T/err"
		return 1
	}
}

fails_with() {
	stage_is churn "$PIPELINE" build failed && mg churn logs "$PIPELINE" build >"$T/err" && said "$1"
}

# unpack DIR: what was built, in $T/DIR.
unpack() {
	mkdir "$T/$1" && tar -xzf "$(pipeline churn "$PIPELINE" facts.image)" -C "$T/$1"
}

asked() {
	wc -l <"$T/.run/moto.log"
}

test_expect 'a server of s3 that asks for signatures' '
	test_start_server test_moto "$T/.run/moto" &&
	"$BUILD/venv/bin/python" "$T/.run/setup.py" "$(endpoint)" models a.b-c >"$T/.run/keys" &&
	{ read -r id secret && read -r role_id role_secret token; } <"$T/.run/keys" &&
	mkdir -m 700 "$HOME/.aws" && credentials "$id" "$secret" && cp "$T/credentials" "$HOME/.aws/"
'

test_expect 'a model that dvc has added and pushed is fetched, and the registry names where it lies' '
	new_server churn && server_set churn build model-credentials-file "$T/credentials" &&
	new_project churn work && cd work &&
	dvc remote add -q -f -d store "s3://models/team @+x=/(y)~z" &&
	printf "    endpointurl = %s\n    profile = team\n" "$(endpoint)" >>.dvc/config &&
	rm -f rkl/model.pkl && head -c 3000000 /dev/urandom >rkl/model.pkl && dvc add -q rkl/model.pkl &&
	dvc push -q && git add -A && test_tick && git commit -q -m "A model on s3" && land && built &&
	unpack file && cmp rkl/model.pkl "$T/file/rkl/model.pkl" &&
	grep -rqF "s3://models/team @+x=/(y)~z/files/md5/" "$(state churn)" &&
	{ ! grep -rF "$secret" "$(state churn)"; }
'

test_expect 'so is a folder, by its listing; the bucket has a dot in its name' '
	cd work && git rm -q rkl/model.pkl.dvc && set_key url s3://a.b-c/m &&
	mkdir -p rkl/model/deep && head -c 100000 /dev/urandom >rkl/model/w.bin && echo "{}" >rkl/model/deep/c.json &&
	: >rkl/model/empty && dvc add -q rkl/model && mv rkl/model.dvc rkl/model.pkl.dvc && dvc push -q && git add -A && test_tick && git commit -q -m "A folder on s3" && land && built &&
	unpack folder && diff -r rkl/model "$T/folder/rkl/model" &&
	said "rkl/model is a folder of 3 files"
'

test_expect 'what was built with dvc pulls nothing else from there' '
	git clone -q "$T/churn.git" "$T/fresh" -b dev && cd fresh && dvc pull -q && dvc status -q &&
	diff -r rkl/model "$T/folder/rkl/model"
'

test_expect 'with a session token' '
	cd work && credentials "$role_id" "$role_secret" "aws_session_token = $token" && again && built &&
	{ ! grep -rF "$token" "$(state churn)"; }
'

test_expect 'a wrong secret, an unknown id: told, once, and not shown' '
	cd work && credentials "$id" "wrong$secret" && again && fails_with "403 SignatureDoesNotMatch" &&
	said_not "$secret" && same 1 "$(pipeline churn "$PIPELINE" stages.0.attempt)" &&
	credentials AKIAUNKNOWN "$secret" && again && fails_with "InvalidAccessKeyId" &&
	credentials "$id" "$secret" && mg churn retry "$PIPELINE" build && drain churn && built
'

test_expect 'a server that whoever pushes has named is sent no signature' '
	cd work && before=$(asked) && set_key endpointurl "$(endpoint)/elsewhere" &&
	again && fails_with "are for $(endpoint)/ alone" && same "$before" "$(asked)" &&
	set_key endpointurl "$(endpoint)" && again && built
'

test_expect 'an object that is not there' '
	cd work && set_key url s3://models/nothing &&
	again && fails_with "is not in DVC remote store: there is no $(endpoint)/models/nothing/files/md5/" &&
	said "dvc push"
'

# dvc as it would be installed, but found where the programs under test look first.
cat >"$T/.run/dvc" <<-SH
	#!/bin/sh
	exec "$BUILD/venv/bin/dvc" "\$@"
SH

test_expect 'model-fetch = dvc: without dvc a clear failure; with it the same folder' '
	cd work && set_key url s3://a.b-c/m &&
	server_set churn build model-fetch dvc && rm -f "$ROOT/tools/dvc" && again &&
	{ command -v /usr/bin/dvc || command -v /usr/local/bin/dvc ||
		fails_with "there is no program dvc on this machine"; } &&
	mkdir -p "$ROOT/tools" && install -m 755 "$T/.run/dvc" "$ROOT/tools/dvc" &&
	mg churn retry "$PIPELINE" build && drain churn && built &&
	unpack by-dvc && diff -r rkl/model "$T/by-dvc/rkl/model" && rm "$ROOT/tools/dvc"
'

test_expect 'dvc is not given what names a file of this machine, and no server but the profile says' '
	cd work && install -m 755 "$T/.run/dvc" "$ROOT/tools/dvc" &&
	echo "    credentialpath = /etc/passwd" >>.dvc/config && git add -A && again && built &&
	said "warning: credentialpath of DVC remote store is not given to dvc" && before=$(asked) &&
	set_key endpointurl "$(endpoint)/elsewhere" &&
	again && fails_with "are for $(endpoint)/ alone" && same "$before" "$(asked)" && rm "$ROOT/tools/dvc"
'

test_done
