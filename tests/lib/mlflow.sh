# shellcheck shell=sh
# For tests/real, after test.sh and chains.sh: a real MLflow server, and what MLflow's own client sees.
#
#	need_mlflow MAJOR WHAT     Its environment is there; else WHAT is reported as not run, status 1.
#	start_mlflow MAJOR         A server of that major version on loopback, with a database of its own:
#	                           MLFLOW_URL.  Once a test file for each.  MLFLOW_APP: with --app-name.
#	start_fault_proxy          tests/real/fault-proxy in front of it: PROXY_URL, log in $T/proxy.log.
#	fault JSON                 Tell it what to do to answers.
#	use_mlflow NAME [KEY VALUE]...   Server NAME uses it; more keys of [registry] in pairs.
#	mlflow_sees MODEL          What MLflow's client says of MODEL, as JSON: owner, description, aliases
#	                           (an object), versions (oldest first: version, stage, source, description,
#	                           tags, without "modelgate.").  Also in $T/seen.
#	seen PATH                  A value of the last one.
#	mlflow_post CALL JSON      A call of MLflow's API: mlflow_post registered-models/create '{...}'
#	mlflow_delete MODEL        Remove MODEL, as an admin would.

need_mlflow() {
	[ -x "$BUILD/venv-mlflow$1/bin/mlflow" ] && return
	test_skip "$2" "MLflow $1 is not there: no package index can be reached"
	return 1
}

mlflow_serve() {
	(
		cd "$T/.run/mlflow" || exit 1
		# Seven processes for evaluations; the registry, which is all that is asked, needs none of them.
		export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
		exec setsid "$BUILD/venv-mlflow$MLFLOW_MAJOR/bin/mlflow" server --host 127.0.0.1 --port "$1" \
			${MLFLOW_APP:+--app-name "$MLFLOW_APP"} \
			--backend-store-uri "sqlite:///$T/.run/mlflow/$MLFLOW_MAJOR.db" --workers 1
	) >>"$T/.run/mlflow-$MLFLOW_MAJOR.log" 2>&1 &
	TEST_PIDS="$TEST_PIDS -$!" # its workers do not always end with it
}

start_mlflow() {
	MLFLOW_MAJOR=$1
	mkdir -p "$T/.run/mlflow" && test_start_server mlflow_serve "$T/.run/mlflow/port" || return 1
	MLFLOW_URL=http://127.0.0.1:$(cat "$T/.run/mlflow/port")
}

PROXY_URL=

start_fault_proxy() {
	background "$TOP/tests/real/fault-proxy" "${MLFLOW_URL##*:}" \
		"$T/.run/proxy-port-$MLFLOW_MAJOR" "$T/proxy.log" &&
		wait_for 10 test -e "$T/.run/proxy-port-$MLFLOW_MAJOR" &&
		PROXY_URL=http://127.0.0.1:$(cat "$T/.run/proxy-port-$MLFLOW_MAJOR")
}

fault() {
	perl -MHTTP::Tiny -e '
		exit !HTTP::Tiny->new->post($ARGV[0], { content => $ARGV[1] })->{success}' \
		"$PROXY_URL/_fault" "$1"
}

use_mlflow() {
	mlflow_server=$1
	shift
	server_set "$mlflow_server" registry backend mlflow &&
		server_set "$mlflow_server" registry url "$MLFLOW_URL" || return 1
	while [ $# -gt 0 ]; do
		server_set "$mlflow_server" registry "$1" "$2" || return 1
		shift 2
	done
}

cat >"$T/.run/mlflow-client.py" <<'EOF_PYTHON'
# Answers "show MODEL" and "delete MODEL", one a line, until its input ends: MLflow takes seconds to start.
import json
import sys

from mlflow import MlflowClient

client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])


def show(name):
    model = client.get_registered_model(name)
    versions = [client.get_model_version(name, v.version) for v in client.search_model_versions(f"name='{name}'")]
    return {
        "owner": model.tags.get("modelgate.owner"),
        "description": model.description,
        "aliases": {alias: int(version) for alias, version in model.aliases.items()},
        "versions": [
            {"version": int(v.version), "stage": v.current_stage, "source": v.source,
             "description": v.description,
             "tags": {key.removeprefix("modelgate."): value for key, value in v.tags.items()}}
            for v in sorted(versions, key=lambda v: int(v.version))
        ],
    }


for line in sys.stdin:
    what, name = line.split()
    try:
        answer = show(name) if what == "show" else client.delete_registered_model(name) or {}
    except Exception as fault:
        answer = {"fault": str(fault)}
    print(json.dumps(answer), flush=True)
EOF_PYTHON

mlflow_start_client() {
	rm -f "$T/.run/mlflow-in" "$T/.run/mlflow-out"
	mkfifo "$T/.run/mlflow-in" "$T/.run/mlflow-out" || return 1
	"$BUILD/venv-mlflow$MLFLOW_MAJOR/bin/python" -W ignore "$T/.run/mlflow-client.py" "$MLFLOW_URL" \
		<"$T/.run/mlflow-in" >"$T/.run/mlflow-out" 2>"$T/.run/mlflow-client.log" &
	TEST_PIDS="$TEST_PIDS $!"
	# Its pipes stay open as long as this shell is there.
	exec 7>"$T/.run/mlflow-in" 8<"$T/.run/mlflow-out"
	MLFLOW_CLIENT=$MLFLOW_MAJOR
}

mlflow_ask() {
	[ "${MLFLOW_CLIENT:-}" = "$MLFLOW_MAJOR" ] || mlflow_start_client || return 1
	echo "$*" >&7
	if ! IFS= read -r mlflow_answer <&8; then
		cat "$T/.run/mlflow-client.log"
		return 1
	fi
	printf '%s\n' "$mlflow_answer" >"$T/seen"
	case $mlflow_answer in
	'{"fault"'*)
		cat "$T/seen"
		return 1
		;;
	esac
}

mlflow_sees() {
	mlflow_ask show "$1" && cat "$T/seen"
}

seen() {
	json "$1" <"$T/seen"
}

mlflow_post() { # CALL JSON
	perl -MHTTP::Tiny -e '
		my ($url, $body) = @ARGV;
		my $answer = HTTP::Tiny->new->post($url,
			{ headers => { "Content-Type" => "application/json" }, content => $body });
		print "$answer->{status} $answer->{content}\n";
		exit !$answer->{success}' "$MLFLOW_URL/api/2.0/mlflow/$1" "$2"
}

mlflow_delete() {
	mlflow_ask delete "$1"
}
