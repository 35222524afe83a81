"""Runs a DAG file's tasks one after another: python3 run_dag.py FILE"""

import runpy
import sys

from airflow import DAG


def main():
    names = runpy.run_path(sys.argv[1])
    dags = [value for value in names.values() if isinstance(value, DAG)]
    if len(dags) != 1 or not dags[0].tasks:
        sys.exit(f"{sys.argv[1]}: one DAG with tasks was expected")
    for task in dags[0].tasks:
        print(f"[{dags[0].dag_id}] task {task.task_id}", flush=True)
        status = task.run()
        if status != 0:
            sys.exit(f"[{dags[0].dag_id}] task {task.task_id} failed with status {status}")


if __name__ == "__main__":
    main()
