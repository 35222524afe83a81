"""Scores customers with the model in rkl/model.pkl.  Python's standard library is all it needs.

    python3 score.py [CUSTOMERS.csv]

The file has a heading with the names of the features; without a file, two made-up customers are
scored.  One line a customer: its number and the probability that it leaves.
"""

import csv
import io
import math
import pickle
import sys
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "rkl" / "model.pkl"

EXAMPLE = """months,calls,charge
3,7,80
48,1,35
"""


class PlainData(pickle.Unpickler):
    """A model here is numbers and names.  A pickle that wants to run code is none of ours."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"the model wants {module}.{name}")


def load(path=MODEL):
    with open(path, "rb") as file:
        return PlainData(file).load()


def score(model, customer):
    z = model["bias"] + sum(
        weight * float(customer[name]) / model["scale"][name]
        for name, weight in model["weights"].items()
    )
    return 1 / (1 + math.exp(-z))


def main():
    model = load()
    source = open(sys.argv[1], newline="") if len(sys.argv) > 1 else io.StringIO(EXAMPLE)
    with source:
        print(f"model trained {model['trained']}")
        for number, customer in enumerate(csv.DictReader(source), 1):
            print(f"{number} {score(model, customer):.4f}")


if __name__ == "__main__":
    main()
