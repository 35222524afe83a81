#!/bin/sh
# A proxy between us and a real MLflow that drops, delays and garbles answers: for each fault the right end
# state, and exactly one version.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/mlflow.sh"

need_mlflow 3 'faults between us and MLflow' || test_done
versions=0

chain() { # a new model, through dev into main; its number is $number
	number=$((number + 1))
	git switch -q dev && put_model "model $number" && git switch -q main && merge_in dev &&
		expect_accept git push -q origin dev main
}

# One version more, the newest in Staging, every other archived, each of another pipeline.
is_right() {
	versions=$((versions + 1))
	pipeline_is shop "$number" success && mlflow_sees shop &&
		same $versions "$(seen "versions.*.version" | wc -l)" &&
		same $versions "$(seen "versions.*.tags.pipeline" | sort -u | wc -l)" &&
		same "$number" "$(seen "versions.$((versions - 1)).tags.pipeline")" &&
		same Staging "$(seen "versions.$((versions - 1)).stage")" &&
		same "$((versions - 1))" "$(seen "versions.*.stage" | grep -c -x Archived)" &&
		same $versions "$(seen aliases.staging)" &&
		same $versions "$(pipeline shop "$number" facts.model_version)"
}

suffered() { # KIND: it has happened, or the test shows nothing
	grep -q " $1\$" "$T/proxy.log" && : >"$T/proxy.log"
}

# A request has a quarter of the stage's time.
test_expect 'a chain through the proxy' '
	start_mlflow 3 && start_fault_proxy && new_server shop && use_mlflow shop url "$PROXY_URL" promotion both &&
	server_set shop runner stage-timeout 10 && new_project shop work && cd work && number=0 &&
	chain && drain shop && is_right
'

for kind in drop-before drop-after delay 429 429-after 500-before 500-after 503 half no-json huge; do
	test_expect "$kind, when the version is made" '
		cd work && chain &&
		fault "{\"kind\":\"$kind\",\"call\":\"model-versions/create\",\"times\":1}" &&
		drain shop && is_right && suffered "$kind"
	'
	# Of an answer that comes too late, three in one stage would be too late for the stage.
	[ "$kind" != delay ] || continue
	test_expect "$kind, once at each call" '
		cd work && chain &&
		fault "{\"kind\":\"$kind\",\"call\":\"mlflow\",\"times\":1,\"each\":true}" &&
		drain shop && is_right && suffered "$kind"
	'
done

for kind in drop-before drop-after delay 500-after huge; do
	test_expect "$kind, when the model is made" '
		fault "{}" && mlflow_delete shop && versions=0 && cd work && chain &&
		fault "{\"kind\":\"$kind\",\"call\":\"registered-models/create\",\"times\":1}" &&
		drain shop && is_right && suffered "$kind"
	'
done

for call in transition-stage set-tag registered-models/alias model-versions/search; do
	test_expect "an answer that comes too late: $call" '
		cd work && chain &&
		fault "{\"kind\":\"delay\",\"call\":\"$call\",\"times\":1}" &&
		drain shop && is_right && suffered delay
	'
done

test_expect 'a server that answers 500 for longer than anybody tries: the stage fails, later ones wait' '
	server_set shop runner retries 1 && cd work && chain &&
	fault "{\"kind\":\"500-before\",\"call\":\"mlflow\",\"times\":1000}" && drain shop &&
	stages_are shop "$number" success failed created created &&
	pipeline shop "$number" stages.1.message | grep "MLflow, GET $PROXY_URL/.*: status 500: Internal Server" &&
	same 2 "$(pipeline shop "$number" stages.1.attempt)"
'

test_expect 'retry, when it is well again' '
	fault "{}" && mg shop retry "$number" create-model && drain shop && is_right
'

test_expect 'nobody there: passing; the address of something else: its words' '
	cd work && chain && server_set shop registry url http://127.0.0.1:1 && drain shop &&
	stages_are shop "$number" success failed created created &&
	pipeline shop "$number" stages.1.message | grep "MLflow: GET http://127.0.0.1:1/.*onnect" &&
	same 2 "$(pipeline shop "$number" stages.1.attempt)" &&
	server_set shop registry url "$PROXY_URL/elsewhere" && mg shop retry "$number" create-model &&
	drain shop && stages_are shop "$number" success failed created created &&
	pipeline shop "$number" stages.1.message | grep "status 404" &&
	same 3 "$(pipeline shop "$number" stages.1.attempt)" &&
	server_set shop registry url "$PROXY_URL" && mg shop retry "$number" create-model &&
	drain shop && is_right && audit_valid shop
'

test_done
