"""How hands fare that the network never saw: trainings that leave out one collection each, measured on it.

`python benchmarks/accuracy/left_out.py RUN OUT --group semeion --group "real pages"` takes the crops that a training of
the default system left in its folder RUN, trains the same network without those of a group, and prints how many of that
group's digits it reads right; one that it takes for none is wrong.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from batchocr.errors import UsageError
from batchocr.recognition.calibration import NONE, answers
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.network import open_device
from batchocr.training.crop_collection import CROPS_FILE, load_crops
from batchocr.training.default import DefaultRecipe, fit
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.train import MODEL
from batchocr.training.trained_model import probabilities


def main(
    run: Annotated[Path, typer.Argument(help="The folder of a training of the default system.")],
    out: Annotated[Path, typer.Argument(help="A folder for the trainings.")],
    group: Annotated[list[str], typer.Option(help="A group of digits that it was trained on.")],
    epochs: Annotated[int, typer.Option(help="Of each training; the shipped model had more.")] = 10,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.")] = 2017,
) -> None:
    """Print a table."""
    logging.basicConfig(level=logging.INFO)
    open_device("auto")
    collections = load_crops(run / CROPS_FILE)
    recipe = DefaultRecipe(epochs=epochs, seed=seed)
    shipped = Classifier(run / MODEL)
    typer.echo("| left out | its digits | right | of those kept out, with the rest trained on |\n|---|---|---|---|")
    for name in group:
        if name not in collections.groups:
            raise UsageError(f"{run}: has no group {name}; choose one of {', '.join(collections.groups)}")
        rest = {other: digits for other, digits in collections.groups.items() if other != name}
        digits = collections.groups[name]
        digits = digits.take(np.flatnonzero(digits.labels < NONE))
        model = fit(rest, recipe, out / name.replace(" ", "-"), ProgressOptions())
        right = (answers(probabilities(model, digits.images)) == digits.labels).mean()
        last = collections.held_out.get(name)
        known = "" if last is None else f"{(answers(shipped.classify(last.images)) == last.labels).mean():.2%}"
        typer.echo(f"| {name} | {len(digits)} | {right:.2%} | {known} |")


if __name__ == "__main__":
    typer.run(main)
