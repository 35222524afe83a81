"""Trains the model anew and hands it in as the branch retrain-<pipeline>-<date>.

Run by the DAG of dag-retrain.py, with these in the environment:

    MODELGATE_PIPELINE_ID     the pipeline that this retraining belongs to
    MODELGATE_DATE            the day of the run, YYYYMMDD (default: today, UTC)
    MODELGATE_GIT_SHA         the commit that the branch starts from, or the last retraining on top of it
    MODELGATE_REPOSITORY_URL  where it is pushed to
    MODELGATE_PUSH_TOKEN      token for a push over https; may be empty

The model goes into the DVC remote, and only its pointer, rkl/model.pkl.dvc, into Git.  Needs git and
Python's standard library; for a DVC remote that is no folder, the program dvc as well.
"""

import base64
import configparser
import hashlib
import math
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = "rkl/model.pkl"
POINTER = MODEL + ".dvc"
EMAIL = "retraining@localhost"  # by which the commits of retrainings are found again
FEATURES = {"months": 60.0, "calls": 10.0, "charge": 100.0}


def customers(seed, count=400):
    """Made-up customers, other ones for each seed.  Read your own data here."""
    chance = random.Random(seed)
    for _ in range(count):
        row = {name: chance.random() for name in FEATURES}
        leaves = 2.5 * row["calls"] - 3.0 * row["months"] + row["charge"] - 0.3
        yield row, 1.0 if chance.random() < 1 / (1 + math.exp(-leaves)) else 0.0


def train(seed, date, rounds=200, rate=0.5):
    """Logistic regression by gradient descent."""
    data = list(customers(seed))
    weights, bias = dict.fromkeys(FEATURES, 0.0), 0.0
    for _ in range(rounds):
        steps, step = dict.fromkeys(FEATURES, 0.0), 0.0
        for row, left in data:
            z = bias + sum(weights[name] * row[name] for name in FEATURES)
            error = 1 / (1 + math.exp(-z)) - left
            step += error
            for name in FEATURES:
                steps[name] += error * row[name]
        bias -= rate * step / len(data)
        for name in FEATURES:
            weights[name] -= rate * steps[name] / len(data)
    return {"trained": date, "bias": bias, "weights": weights, "scale": dict(FEATURES)}


def stop(reason):
    sys.exit(f"retrain.py: {reason}")


def run(*command, cwd, environment):
    if shutil.which(command[0]) is None:
        stop(f"the program {command[0]} is not installed here")
    status = subprocess.run(command, cwd=cwd, env=environment).returncode
    if status != 0:
        stop(f"{command[0]} {command[1]} failed with status {status}; what it said stands above")


def without_token():
    return {name: value for name, value in os.environ.items() if name != "MODELGATE_PUSH_TOKEN"}


def git(*arguments, cwd):
    environment = dict(without_token(), GIT_TERMINAL_PROMPT="0")
    for who in ("AUTHOR", "COMMITTER"):
        environment.update({f"GIT_{who}_NAME": "retraining", f"GIT_{who}_EMAIL": EMAIL})
    token = os.environ.get("MODELGATE_PUSH_TOKEN")
    if token:
        # Not on the command line, where every user of the machine could read it, and for no other server.
        number = int(environment.get("GIT_CONFIG_COUNT") or 0)
        basic = base64.b64encode(f"oauth2:{token}".encode()).decode()
        environment[f"GIT_CONFIG_KEY_{number}"] = f"http.{os.environ['MODELGATE_REPOSITORY_URL']}.extraHeader"
        environment[f"GIT_CONFIG_VALUE_{number}"] = f"Authorization: Basic {basic}"
        environment["GIT_CONFIG_COUNT"] = str(number + 1)
    run("git", *arguments, cwd=cwd, environment=environment)


def says(*question, cwd):
    """Does git answer with status 0?"""
    return subprocess.run(["git", *question], cwd=cwd, stdout=subprocess.DEVNULL).returncode == 0


def lines(*question, cwd):
    """What git answers."""
    return subprocess.run(["git", *question], cwd=cwd, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def find_start(clone, pipeline):
    """The commit to start from: the newest of this pipeline's retrainings, else the one of its branch retrain.

    On top of the last one the branch merges where that was merged; beside it, both would change the
    pointer, which is a conflict.  Looked for on branches with rules alone: on any other one, anybody may
    have made a commit that looks like one of these.
    """
    start = os.environ["MODELGATE_GIT_SHA"]
    branches = (f"retrain-{pipeline}-*", "main", "prod")
    refs = lines("for-each-ref", "--format=%(refname)", *(f"refs/remotes/origin/{b}" for b in branches), cwd=clone)
    of_this = (f"--committer={EMAIL}", f"--grep=^Retrain for pipeline {pipeline} on ")
    for commit in lines("rev-list", "-20", "--topo-order", "--ancestry-path", *of_this, *refs, f"^{start}", cwd=clone):
        if says("diff", "--quiet", start, commit, "--", ".", ":!rkl", cwd=clone):
            return commit
    return start


def begin(clone, branch, pipeline):
    """Clone the repository before the long work: what is missing is found out now, not after it."""
    git("clone", "--quiet", "--no-checkout", os.environ["MODELGATE_REPOSITORY_URL"], clone, cwd=HERE)
    if says("rev-parse", "--quiet", "--verify", f"refs/remotes/origin/{branch}", cwd=clone):
        stop(f"{branch} was pushed before; there is one retraining a day and pipeline")
    git("checkout", "--quiet", "-b", branch, find_start(clone, pipeline), cwd=clone)


def dvc_folder(clone):
    """The folder that is the default DVC remote; None: the remote is no folder."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((clone / ".dvc" / "config").read_text().replace("['", "[").replace("']", "]"))
    url = config[f'remote "{config["core"]["remote"]}"']["url"]
    if "://" in url and not url.startswith("file://"):
        return None
    folder = Path(url.removeprefix("file://"))
    # Made here it would go when this container or folder goes, and the model with it.
    if not folder.is_absolute() or not folder.is_dir():
        stop(f"the DVC remote {url} is no folder of this machine, named from / on; is it mounted?")
    return folder


def store(clone, model):
    """Put the bytes of a model into the DVC remote, and its pointer into the clone."""
    folder = dvc_folder(clone)
    if folder is None:
        (clone / MODEL).write_bytes(model)
        run("dvc", "add", "--quiet", MODEL, cwd=clone, environment=without_token())
        run("dvc", "push", "--quiet", POINTER, cwd=clone, environment=without_token())
        return
    md5 = hashlib.md5(model).hexdigest()
    target = folder / "files" / "md5" / md5[:2] / md5[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    # Under another name until it is whole.  What is there already is written over: it could be half.
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
        try:
            part.write(model)
            part.flush()
            os.fsync(part.fileno())
            os.chmod(part.name, 0o444)
            os.replace(part.name, target)
        except BaseException:
            os.unlink(part.name)
            raise
    (clone / POINTER).write_text(f"outs:\n- md5: {md5}\n  size: {len(model)}\n  hash: md5\n  path: model.pkl\n")


def hand_in(clone, branch, message):
    """Commit the pointer and push the branch; False: the model is the one that is there."""
    git("add", POINTER, cwd=clone)
    if says("diff", "--cached", "--quiet", cwd=clone):
        return False
    git("commit", "--quiet", "--message", message, cwd=clone)
    git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=clone)
    return True


def main():
    # The first process of a container dies of no signal that it does not catch.
    signal.signal(signal.SIGTERM, lambda *_: stop("ended by SIGTERM"))
    pipeline = os.environ["MODELGATE_PIPELINE_ID"]
    # Asked once: the run may go on beyond midnight.
    date = os.environ.get("MODELGATE_DATE") or datetime.now(timezone.utc).strftime("%Y%m%d")
    branch = f"retrain-{pipeline}-{date}"
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder)
        begin(clone, branch, pipeline)
        model = pickle.dumps(train(f"{pipeline}-{date}", date), protocol=0)
        store(clone, model)
        pushed = hand_in(clone, branch, f"Retrain for pipeline {pipeline} on {date}")
    done = f"pushed {branch}" if pushed else "the model is the one that is there: nothing is pushed"
    print(f"{done}: md5 {hashlib.md5(model).hexdigest()}, {len(model)} bytes")


if __name__ == "__main__":
    main()
