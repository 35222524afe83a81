"""run-dag.py FOLDER [NAME=VALUE...] DAG...: Airflow runs these DAGs of the folder, one after the other.

NAME=VALUE sets an Airflow variable first.  Prints "DAG STATE" for each run on the descriptor 3; what the
tasks say is on standard output.  Works with Airflow 2 and 3; AIRFLOW_HOME has a migrated database.
"""

import os
import sys

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow 2
    from airflow.models import DagBag
from airflow.models import Variable


def run(dag):
    """The state in which the run ends; a task that fails is told by Airflow 2 with an exception too."""
    try:
        return dag.test().state
    except Exception as error:
        print(f"{dag.dag_id}: {error}")
        return "failed"


def main():
    folder, *arguments = sys.argv[1:]
    bag = DagBag(folder)
    if bag.import_errors:
        sys.exit(f"{bag.import_errors}")
    with os.fdopen(3, "w") as answer:
        for argument in arguments:
            name, is_variable, value = argument.partition("=")
            if is_variable:
                Variable.set(name, value)
            else:
                print(name, getattr(state := run(bag.dags[name]), "value", state), file=answer, flush=True)


if __name__ == "__main__":
    main()
