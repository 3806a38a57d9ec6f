"""Measure the accuracy on collections that the classifier was not trained on.

`python benchmarks/accuracy/left_out.py RUN OUT --group semeion --group "real pages"` takes the crops that a training of
the default system wrote to its folder RUN. For each group it trains the same network without that group and prints how
many digits of the group are read correctly. A digit that is classified as "not a digit" is wrong.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from batchocr.errors import UsageError
from batchocr.recognition.calibration import NOT_A_DIGIT, predicted_classes
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.network import open_device
from batchocr.training.crop_collection import CROPS_FILE, load_crops
from batchocr.training.default import DefaultRecipe, fit
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.train import MODEL
from batchocr.training.trained_model import probabilities


def main(
    run: Annotated[Path, typer.Argument(help="Folder of a training of the default system.")],
    out: Annotated[Path, typer.Argument(help="Folder for the new trainings.")],
    group: Annotated[list[str], typer.Option(help="Group of digits to leave out. May repeat.")],
    epochs: Annotated[int, typer.Option(help="Epochs of each training; the shipped model had more.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 2017,
) -> None:
    """Train without each group and print a row for it."""
    logging.basicConfig(level=logging.INFO)
    open_device("auto")
    collections = load_crops(run / CROPS_FILE)
    recipe = DefaultRecipe(epochs=epochs, seed=seed)
    shipped = Classifier(run / MODEL)
    typer.echo(
        "| left out | digits | right | right of its held-out digits, when trained on the rest |\n|---|---|---|---|"
    )
    for name in group:
        if name not in collections.groups:
            raise UsageError(f"{run}: has no group {name}; choose one of {', '.join(collections.groups)}")
        rest = {other: digits for other, digits in collections.groups.items() if other != name}
        digits = collections.groups[name]
        digits = digits.take(np.flatnonzero(digits.labels < NOT_A_DIGIT))
        model = fit(rest, recipe, out / name.replace(" ", "-"), ProgressOptions())
        right = (predicted_classes(probabilities(model, digits.images)) == digits.labels).mean()
        last = collections.held_out.get(name)
        known = (
            "" if last is None else f"{(predicted_classes(shipped.classify(last.images)) == last.labels).mean():.2%}"
        )
        typer.echo(f"| {name} | {len(digits)} | {right:.2%} | {known} |")


if __name__ == "__main__":
    typer.run(main)
