"""The operator that runs a command of bash."""

import os
import subprocess

from airflow import DAG


class BashOperator:
    """One task: a command, and what is added to its environment."""

    def __init__(self, task_id, bash_command, env=None, append_env=False, cwd=None, **_settings):
        for text in (bash_command, *(env or {}).values()):
            if "{{" in text or "{%" in text:
                raise ValueError(f"{task_id}: the stand-in has no Jinja: {text}")
        self.task_id = task_id
        self.bash_command = bash_command
        self.env = env
        self.append_env = append_env
        self.cwd = cwd
        self.dag = DAG.current
        self.dag.tasks.append(self)

    def __rshift__(self, later):
        tasks = self.dag.tasks
        if tasks.index(later) < tasks.index(self):
            raise ValueError(f"{later.task_id} is made before {self.task_id}, which it follows")
        return later

    def run(self):
        """Runs the command as Airflow would; its exit status."""
        env = dict(self.env or {})
        if self.append_env or self.env is None:
            env = {**os.environ, **env}
        return subprocess.run(["bash", "-c", self.bash_command], env=env, cwd=self.cwd).returncode
