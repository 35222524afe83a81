#!/bin/sh
# Models on s3: what DVC itself has pushed there, fetched with the signature that botocore makes too.  The
# server is moto; with its IAM it refuses every request whose signature is not the one that botocore
# computes for it.
. "${0%/*}/../lib/test.sh"

if [ ! -x "$BUILD/venv/bin/moto_server" ]; then
	test_skip 'models on s3' 'no package index can be reached'
	test_done
fi
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$T/dvc-site" DVC_GLOBAL_CONFIG_DIR="$T/dvc-global" \
	DVC_SYSTEM_CONFIG_DIR="$T/dvc-system" AWS_EC2_METADATA_DISABLED=true
dvc() {
	LC_ALL=C.UTF-8 "$BUILD/venv/bin/dvc" "$@"
}

test_moto() {
	background "$BUILD/venv/bin/moto_server" -H 127.0.0.1 -p "$1" >>"$T/.run/moto.log" 2>&1
}

endpoint() {
	echo "http://127.0.0.1:$(cat "$T/.run/moto")"
}

# A bucket, and a user that may read and write it; prints the user's key.  From then on moto asks for
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
iam.create_user(UserName="runner")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="runner", PolicyName="s3", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="runner")["AccessKey"]
reset = f"{endpoint}/moto-api/reset-auth"
urllib.request.urlopen(urllib.request.Request(reset, data=b"0", headers={"Content-Type": "text/plain"}))
print(key["AccessKeyId"], key["SecretAccessKey"])
EOF_PYTHON

# credentials FILE ID SECRET [LINE]: the profile team, and no default one.
credentials() {
	printf '[team]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = eu-west-1\n%s\n' \
		"$2" "$3" "${4-}" >"$1" && chmod 600 "$1"
}

test_expect 'a server of s3 that asks for signatures' '
	test_start_server test_moto "$T/.run/moto" &&
	"$BUILD/venv/bin/python" "$T/.run/setup.py" "$(endpoint)" models a.b_c >"$T/.run/key" &&
	read -r id secret <"$T/.run/key" &&
	credentials "$T/credentials" "$id" "$secret" "endpoint_url = $(endpoint)/" &&
	mkdir "$HOME/.aws" && credentials "$HOME/.aws/credentials" "$id" "$secret"
'

test_expect 'what dvc add and dvc push have put there is fetched by the build stage' '
	new_server churn &&
	server_set churn build model-credentials-file "$T/credentials" &&
	new_project churn work && cd work &&
	dvc remote add -q -f -d store "s3://models/team @+x=/(y)~z" &&
	dvc remote modify store endpointurl "$(endpoint)" && dvc remote modify store profile team &&
	rm -f rkl/model.pkl && head -c 3000000 /dev/urandom >rkl/model.pkl && dvc add -q rkl/model.pkl &&
	dvc push -q && git add -A && git commit -q -m "A model on s3" &&
	expect_accept git push -q origin dev && expect_accept merge_push dev main &&
	drain churn && { mg churn logs 1 build; stage_status churn 1 build; }
'
mg churn logs 1 build
tail -5 $T/.run/moto.log
sh -c "cd $T/work && cat .dvc/config; git status --short"
test_done
