"""Stands in for Apache Airflow in the demo: as much of it as a DAG file of modelgate uses.

It records the tasks of a DAG in the order in which they are made, for run_dag.py.
"""


class DAG:
    """Knows its id and its tasks; the rest of what a scheduler would want is only kept."""

    current = None

    def __init__(self, dag_id, **settings):
        self.dag_id = dag_id
        self.settings = settings
        self.tasks = []

    def __enter__(self):
        DAG.current = self
        return self

    def __exit__(self, *_):
        DAG.current = None
