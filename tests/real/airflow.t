#!/bin/sh
# The newest Airflow loads the DAG files that chains dev and retrain have deployed.
. "${0%/*}/../lib/test.sh"

if [ ! -x "$BUILD/venv/bin/python" ]; then
	test_skip 'Airflow loads the DAG files' 'no package index can be reached'
	test_done
fi
python=$BUILD/venv/bin/python

test_expect 'chains dev and retrain deploy two DAG files' '
	new_server churn &&
	server_set churn project repository-url "$T/churn.git" &&
	server_set churn project schedule "0 6 * * 1" &&
	server_set churn project retrain-schedule "@monthly" &&
	server_set churn project push-token-variable churn_push_token &&
	new_project churn work && cd work &&
	commit note.txt && expect_accept git push -q origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain &&
	drain churn &&
	git clone -q "$(state churn)/repositories/airflow-dev.git" "$T/airflow-dev" &&
	ls "$T/airflow-dev/dags" &&
	[ -f "$T/airflow-dev/dags/churn.py" ] && [ -f "$T/airflow-dev/dags/churn_retrain.py" ]
'

# Airflow keeps its files below AIRFLOW_HOME; nothing of it is started.
cat >"$T/load.py" <<'EOF_PYTHON'
import sys

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag

bag = DagBag(sys.argv[1])  # the examples are off by the environment
for file, error in bag.import_errors.items():
    print(f"{file}: {error}")
for dag in sorted(bag.dags.values(), key=lambda dag: dag.dag_id):
    tasks = ",".join(sorted(task.task_id for task in dag.tasks))
    retries = max(int(task.retries) for task in dag.tasks)
    print(f"{dag.dag_id} tasks={tasks} retries={retries} active={dag.max_active_runs} catchup={dag.catchup}")
sys.exit(1 if bag.import_errors else 0)
EOF_PYTHON

load_dags() {
	AIRFLOW_HOME=$T/airflow AIRFLOW__CORE__LOAD_EXAMPLES=False \
		AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR "$python" "$T/load.py" "$T/airflow-dev/dags" >"$T/loaded"
}

test_expect 'Airflow loads both without an import error' '
	mkdir airflow && { load_dags || { cat loaded && return 1; }; }
'

test_expect 'they are the DAGs that they should be: the retraining is never repeated by itself' '
	cat "$T/loaded" &&
	grep -x "churn tasks=score retries=1 active=1 catchup=False" "$T/loaded" &&
	grep -x "churn_retrain tasks=retrain retries=0 active=1 catchup=False" "$T/loaded"
'

test_done
