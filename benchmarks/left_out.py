"""How hands fare that the network never saw: trainings that leave out one collection each, measured on it.

`python benchmarks/left_out.py RUN --data semeion.npz --data optdigits.npz --data orand-car-a/train` takes the crops
that a training of the default system left in its folder RUN, trains the same network without those of a collection, and
prints how many of that collection's digits it reads right; one that it takes for none is wrong.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from batchocr.recognition.calibration import NONE, answers
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.network import open_device
from batchocr.training.datasets import Digits, load
from batchocr.training.default import DefaultRecipe, fit
from batchocr.training.fitted import probabilities
from batchocr.training.gather import KEPT, PAGES, Others, kept, pages_of
from batchocr.training.labelled import cut_pages
from batchocr.training.pages import truth_file
from batchocr.training.train import MODEL


def main(
    run: Annotated[Path, typer.Argument(help="The folder of a training of the default system.")],
    data: Annotated[list[Path], typer.Option(help="A collection that it was trained on.")],
    out: Annotated[Path, typer.Option(help="A folder for the trainings.")],
    epochs: Annotated[int, typer.Option(help="Of each training; the shipped model had more.")] = 10,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.")] = 2017,
) -> None:
    """Print a table."""
    logging.basicConfig(level=logging.INFO)
    open_device("auto")
    gathered = kept(run / KEPT)
    recipe = DefaultRecipe(epochs=epochs, seed=seed)
    shipped = Classifier(run / MODEL)
    typer.echo("| left out | its digits | right | of its last eighth, with the rest trained on |\n|---|---|---|---|")
    for path in data:
        name = PAGES if truth_file(path) else path.stem
        rest = {group: digits for group, digits in gathered.groups.items() if name not in group}
        model = fit(rest, recipe, out / name, verbose=0)
        digits = _digits(path)
        right = (answers(probabilities(model, digits.pictures)) == digits.labels).mean()
        last = gathered.held_out[name]
        known = (answers(shipped.classify(last.pictures)) == last.labels).mean()
        typer.echo(f"| {path.name} | {len(digits)} | {right:.2%} | {known:.2%} |")


def _digits(path: Path) -> Digits:
    """All digits of a collection, as a page's are cut out."""
    if truth_file(path):
        first, last = pages_of(Others((path,)))
        found = cut_pages(first + last, 1, 0, 2, (1, 1))
        return found.part(np.flatnonzero(found.labels < NONE))
    return load(path).half(None)


if __name__ == "__main__":
    typer.run(main)
