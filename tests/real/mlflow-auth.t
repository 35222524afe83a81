#!/bin/sh
# A real MLflow that wants to know who asks, behind TLS of an authority of its own.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"
. "$TEST_LIB/mlflow.sh"

what='MLflow with passwords, behind TLS'
need_mlflow 3 "$what" || test_done
if ! "$BUILD/venv-mlflow3/bin/python" -c 'import flask_wtf' 2>"$T/err"; then
	test_skip "$what" 'MLflow is there without its extra "auth"'
	test_done
fi

PASSWORD='let:me:in please' # a name ends at the first colon
token=$T/token id=2

start_asking_mlflow() {
	mkdir -p "$T/.run/mlflow" && cat >"$T/.run/mlflow/auth.ini" <<-EOF || return 1
		[mlflow]
		default_permission = READ
		database_uri = sqlite:///$T/.run/mlflow/users.db
		admin_username = admin
		admin_password = $PASSWORD
		authorization_function = mlflow.server.auth:authenticate_request_basic_auth
	EOF
	MLFLOW_AUTH_CONFIG_PATH=$T/.run/mlflow/auth.ini
	MLFLOW_FLASK_SERVER_SECRET_KEY='of this test'
	MLFLOW_TRACKING_USERNAME='admin' # these two are for MLflow's client
	MLFLOW_TRACKING_PASSWORD=$PASSWORD
	export MLFLOW_AUTH_CONFIG_PATH MLFLOW_FLASK_SERVER_SECRET_KEY \
		MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD
	MLFLOW_APP=basic-auth
	start_mlflow 3
}

token_is() { # TEXT
	(umask 077 && printf '%s\n' "$1" >"$token.new") && mv "$token.new" "$token"
}

# Its create-model has failed for a reason that does not pass, and says TEXT.
is_refused() { # TEXT
	drain shop && stages_are shop "$id" success failed created created &&
		pipeline shop "$id" stages.1.message >message && cat message && grep -qF -e "$1" message &&
		same $((attempt += 1)) "$(pipeline shop "$id" stages.1.attempt)" &&
		mg shop retry "$id" create-model
}

test_expect 'the password of a file, over TLS of [registry] ca-file' '
	start_asking_mlflow && tls_in_front "${MLFLOW_URL##*:}" && token_is "admin:$PASSWORD" &&
	new_server shop && new_project shop work &&
	use_mlflow shop url "https://127.0.0.1:$(cat "$T/.run/tls/port")" \
		ca-file "$T/.run/tls/ca.pem" token-file "$token" &&
	cd work && git switch -q dev && put_model one && git switch -q main && merge_in dev &&
	expect_accept git push -q origin dev main && drain shop && pipeline_is shop 1 success &&
	mlflow_sees shop && same Staging "$(seen versions.0.stage)"
'

test_expect 'another password: refused for good, and the file is named' '
	cd work && git switch -q dev && put_model two && git switch -q main && merge_in dev &&
	expect_accept git push -q origin dev main && attempt=0 &&
	token_is "admin:open sesame" &&
	is_refused "refused the token or password in $token, [registry] token-file (status 401: You are not"
'

test_expect 'a token that the server does not take' '
	token_is sesame-token && is_refused "refused the token or password in $token"
'

test_expect 'nothing that proves who asks' '
	server_set shop registry token-file "" &&
	is_refused "refused to answer without [registry] token-file (status 401"
'

test_expect 'a file that others may read is not used' '
	server_set shop registry token-file "$token" && token_is "admin:$PASSWORD" && chmod 644 "$token" &&
	is_refused "chmod 600 $token"
'

test_expect 'a file that is not there' '
	server_set shop registry token-file "$token.none" && is_refused "$token.none"
'

for authority in '' other.pem; do
	test_expect "an authority that is not trusted: ${authority:-that of the system}" '
		server_set shop registry token-file "$token" && token_is "admin:$PASSWORD" &&
		server_set shop registry ca-file "${authority:+$T/.run/tls/$authority}" &&
		is_refused "certificate"
	'
done

test_expect 'everything right again: the same pipeline goes on, with one version' '
	server_set shop registry ca-file "$T/.run/tls/ca.pem" && drain shop && pipeline_is shop 2 success &&
	mlflow_sees shop && same "Archived Staging" "$(seen "versions.*.stage" | paste -s -d " ")"
'

test_expect 'no secret stands anywhere in the state, logs and records included' '
	mg shop status 2 --json >said && mg shop logs 2 create-model >>said && audit_valid shop &&
	for secret in "let:me" "open sesame" sesame-token; do
		{ grep -r -F -e "$secret" said "$(state shop)" && return 1; } || true
	done
'

test_done
