#!/bin/sh
# Airflow, the newest 3.x and 2.x, loads the DAG files that the chains dev, retrain and prod have deployed:
# those of the default templates, and a project's own.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# --- two projects that share their Airflow repositories ---

airflow_here() {
	for airflow_name in airflow-dev airflow-prod; do
		server_set "$1" "airflow \"$airflow_name\"" repository "$T/$airflow_name.git" || return 1
	done
	for airflow_chain in dev prod; do
		server_set "$1" "chain \"$airflow_chain\"" start automatic || return 1
	done
}

own_dag() {
	cat <<-'PYTHON'
		"""A project's own DAG file, as somebody wrote it."""
		from datetime import datetime

		try:
		    from airflow.sdk import dag, task
		except ImportError:
		    from airflow.decorators import dag, task

		@dag(
		    dag_id="@DAG_ID@", schedule="@SCHEDULE@" or None, start_date=datetime(2025, 1, 1),
		    catchup=False, max_active_runs=1, default_args={"retries": 3}, tags=["@PROJECT@"],
		)
		def flow():
		    @task
		    def extract():
		        return "@IMAGE@"

		    @task
		    def score(image):
		        print(image, "@MODEL_NAME@", "@MODEL_VERSION@", "@MODEL_STAGE@", "@GIT_SHA@")

		    score(extract())

		flow()
	PYTHON
}

test_expect 'the chains dev, retrain and prod of a project without DAG files deploy the default ones' '
	new_server churn && airflow_here churn &&
	server_set churn project repository-url https://gitlab.example.com/ds/churn.git &&
	server_set churn project schedule "0 6 * * 1" &&
	server_set churn project retrain-schedule "@monthly" &&
	server_set churn project push-token-variable churn_push_token &&
	server_set churn "branch \"retrain\"" require-files retrain.py &&
	new_project churn churn.work && cd churn.work && git rm -q dag.py dag-retrain.py &&
	git commit -q -m "No DAG files" && expect_accept git push -q origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain && drain churn &&
	expect_accept merge_push main prod && drain churn && pipeline_is churn 1 success &&
	pipeline_is churn 2 success && pipeline_is churn 3 success &&
	mg churn logs 1 deploy | grep -F "no dag.py in the project: the default is used"
'

test_expect 'and those of a project that has its own: dag.py by hand, dag-retrain.py as it was made' '
	new_server own && airflow_here own && new_project own own.work && cd own.work &&
	own_dag >dag.py && git commit -q -a -m "Own DAG" && expect_accept git push -q origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain && drain own &&
	expect_accept merge_push main prod && drain own && pipeline_is own 1 success &&
	pipeline_is own 2 success && pipeline_is own 3 success
'

for name in airflow-dev airflow-prod; do
	git clone -q "$T/$name.git" "$T/$name"
done

# --- Airflow itself: its files lie below AIRFLOW_HOME, nothing of it is started ---

cat >"$T/load.py" <<'EOF_PYTHON'
import sys

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag

failed = 0
for folder in sys.argv[1:]:
    bag = DagBag(folder + "/dags")  # the examples are off by the environment
    for file, error in bag.import_errors.items():
        print(f"{file}: {error}")
        failed = 1
    for dag in sorted(bag.dags.values(), key=lambda dag: dag.dag_id):
        tasks = ",".join(sorted(task.task_id for task in dag.tasks))
        retries = max(int(task.retries) for task in dag.tasks)
        schedule = dag.schedule if hasattr(dag, "schedule") else dag.schedule_interval
        print(
            f"{folder}: {dag.dag_id} tasks={tasks} schedule={schedule} retries={retries}"
            f" active={dag.max_active_runs} catchup={dag.catchup}"
        )
sys.exit(failed)
EOF_PYTHON

load_dags() {
	mkdir "$T/home-$1" && cd "$T" &&
		AIRFLOW_HOME=$T/home-$1 AIRFLOW__CORE__LOAD_EXAMPLES=False \
			AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR \
			"$BUILD/$1/bin/python" "$T/load.py" airflow-dev airflow-prod >"$T/$1.loaded" \
			2>"$T/$1.err" || {
		cat "$T/$1.loaded" "$T/$1.err"
		return 1
	}
}

# The retraining is never repeated by itself; the rest is as the templates and the project say.
expected() {
	cat <<-EOT
		airflow-dev: churn tasks=score schedule=0 6 * * 1 retries=1 active=1 catchup=False
		airflow-dev: churn_retrain tasks=retrain schedule=@monthly retries=0 active=1 catchup=False
		airflow-dev: own tasks=extract,score schedule=None retries=3 active=1 catchup=False
		airflow-dev: own_retrain tasks=retrain schedule=None retries=0 active=1 catchup=False
		airflow-prod: churn tasks=score schedule=0 6 * * 1 retries=1 active=1 catchup=False
		airflow-prod: own tasks=extract,score schedule=None retries=3 active=1 catchup=False
	EOT
}

for venv in venv venv-airflow2; do
	python=$BUILD/$venv/bin/python
	if [ ! -x "$python" ] || ! "$python" -c 'import airflow' 2>/dev/null; then
		test_skip "Airflow in $venv loads the DAG files" 'it is not installed: no package index can be reached'
		continue
	fi
	version=$("$python" -c 'from importlib.metadata import version; print(version("apache-airflow"))')
	test_expect "Airflow $version loads every DAG file without an import error, as the DAGs they should be" '
		load_dags "$venv" && expected | diff - "$venv.loaded"
	'
done

test_done
