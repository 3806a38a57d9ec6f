"""How much a classifier learns from 300 corrected digits of hands that it never saw, and what MNIST loses by it.

The classifier is trained without semeion. Then 300 digits of semeion, whole blocks of 20 by one hand, are added as
`batchocr train --add` does, and the others are measured.

    python benchmarks/accuracy/learning.py DATA --out FOLDER [--base FILE.keras]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np

from batchocr.datasets.digits import Digits, load_npz, to_crops
from batchocr.datasets.public_digits import MNIST, digit_sets
from batchocr.recognition.network import open_device
from batchocr.training.added import AddedRecipe, continued
from batchocr.training.default import DefaultRecipe, fit
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.trained_model import probabilities

SEEDS = (1, 2, 3)
BLOCK, BLOCKS = 20, 15
BASE = DefaultRecipe(epochs=10, steps=150, precision="float32")
"""A short training: the gain is measured, not the best model."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of public data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the trainings and of learning.json")
    parser.add_argument("--base", type=Path, help="a classifier that was trained without semeion; else one is trained")
    given = parser.parse_args()
    open_device("cpu")
    progress = ProgressOptions(write=_say)
    first, _ = digit_sets(given.data)
    del first["semeion"]
    if given.base:
        base = keras.models.load_model(given.base, compile=False)
    else:
        base = fit(first, BASE, given.out / "base", progress)
    semeion, test = to_crops(load_npz(given.data / "semeion.npz", None)), load_npz(given.data / "mnist.npz", "test")
    found = []
    for seed in SEEDS:
        blocks = np.random.default_rng(seed).permutation(len(semeion) // BLOCK)[:BLOCKS]
        added = np.isin(np.arange(len(semeion)) // BLOCK, blocks)
        rest = semeion.take(np.flatnonzero(~added))
        model = continued(
            base,
            first[MNIST],
            semeion.take(np.flatnonzero(added)),
            AddedRecipe(seed=seed),
            given.out / f"seed-{seed}",
            progress,
        )
        row = {
            "seed": seed,
            "added": int(added.sum()),
            "rest": len(rest),
            "error_before": _error(base, rest),
            "error_after": _error(model, rest),
            "mnist_error_before": _error(base, test),
            "mnist_error_after": _error(model, test),
        }
        found.append(row)
        _say(json.dumps(row))
    (given.out / "learning.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _error(model: keras.Model, digits: Digits) -> float:
    """Return the share of digits read wrong; each is read as one of the ten digits."""
    answers = probabilities(model, digits.images)[:, :10].argmax(axis=1)
    return round(float((answers != digits.labels).mean()), 5)


if __name__ == "__main__":
    main()
