"""Trains the model anew and hands it in as the branch retrain-<pipeline>-<date>.

Run by the DAG of dag-retrain.py, with these in the environment:

    MODELGATE_PIPELINE_ID     the pipeline that this retraining belongs to
    MODELGATE_DATE            the day of the run, YYYYMMDD (default: today, UTC)
    MODELGATE_GIT_SHA         the commit that the branch starts from
    MODELGATE_REPOSITORY_URL  where it is pushed to
    MODELGATE_PUSH_TOKEN      token for a push over https; may be empty

The model goes into the DVC remote, and only its pointer, rkl/model.pkl.dvc, into Git.  Needs git and
Python's standard library.
"""

import base64
import configparser
import hashlib
import math
import os
import pickle
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
POINTER = "rkl/model.pkl.dvc"
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


def dvc_remote():
    """The folder of the default remote in .dvc/config."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((HERE / ".dvc" / "config").read_text().replace("['", "[").replace("']", "]"))
    url = config[f'remote "{config["core"]["remote"]}"']["url"]
    if url.startswith("file://"):
        url = url[len("file://"):]
    if "://" in url:
        sys.exit(f"retrain.py: DVC remote {url} is no local folder; use the program dvc here")
    return (HERE / ".dvc" / url).resolve()


def store(model):
    """Put the bytes of a model into the DVC remote; the text of its pointer."""
    md5 = hashlib.md5(model).hexdigest()
    target = dvc_remote() / "files" / "md5" / md5[:2] / md5[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        part = target.with_name(target.name + f".{os.getpid()}")
        part.write_bytes(model)
        part.rename(target)
    return f"outs:\n- md5: {md5}\n  size: {len(model)}\n  hash: md5\n  path: model.pkl\n"


def git(*arguments, cwd=None):
    environment = dict(os.environ, GIT_TERMINAL_PROMPT="0")
    token = environment.pop("MODELGATE_PUSH_TOKEN", "")
    if token:
        # Not on the command line, where every user of the machine could read it.
        basic = base64.b64encode(f"oauth2:{token}".encode()).decode()
        environment.update(
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="http.extraHeader",
            GIT_CONFIG_VALUE_0=f"Authorization: Basic {basic}",
        )
    subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True)


def hand_in(pointer, branch, message):
    url, start = os.environ["MODELGATE_REPOSITORY_URL"], os.environ["MODELGATE_GIT_SHA"]
    with tempfile.TemporaryDirectory() as clone:
        git("clone", "--quiet", "--no-checkout", url, clone)
        git("checkout", "--quiet", "-b", branch, start, cwd=clone)
        (Path(clone) / POINTER).write_text(pointer)
        git("add", POINTER, cwd=clone)
        git(
            *("-c", "user.name=retraining", "-c", "user.email=retraining@localhost"),
            *("commit", "--quiet", "--message", message),
            cwd=clone,
        )
        git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=clone)


def main():
    pipeline = os.environ["MODELGATE_PIPELINE_ID"]
    date = os.environ.get("MODELGATE_DATE") or datetime.now(timezone.utc).strftime("%Y%m%d")
    branch = f"retrain-{pipeline}-{date}"
    model = pickle.dumps(train(f"{pipeline}-{date}", date), protocol=0)
    hand_in(store(model), branch, f"Retrain for pipeline {pipeline} on {date}")
    print(f"pushed {branch}: md5 {hashlib.md5(model).hexdigest()}, {len(model)} bytes")


if __name__ == "__main__":
    main()
