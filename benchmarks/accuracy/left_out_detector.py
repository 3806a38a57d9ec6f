"""Trains a detector without some collections of real paper, to tell how a strange one fares.

`python benchmarks/accuracy/left_out_detector.py DATA OUT --fonts FONTS --labels LABELS.json --without cheques` trains
from new weights into OUT. What it is worth is then measured as the shipped detector is:

    BATCHOCR_DETECTOR=OUT/model.keras python benchmarks/accuracy/public_sets.py --set orand-car-a/val ...
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from batchocr.recognition.network import open_device
from batchocr.training.detection.fit import DetectorRecipe, fit_detector, write_sidecar


def main(
    data: Annotated[Path, typer.Argument(help="The folder of public data.")],
    out: Annotated[Path, typer.Argument(help="A new folder for the training, or one to go on with.")],
    fonts: Annotated[Path, typer.Option(help="A folder of fonts.")],
    labels: Annotated[Path, typer.Option(help="Boxes of known texts: batchocr.training.pseudo_labels.")],
    without: Annotated[list[str], typer.Option(help="A collection to leave out, such as cheques or registers.")],
    epochs: Annotated[int, typer.Option(help="The shipped detector had sixteen rounds of so many.")] = 14,
    precision: Annotated[
        str, typer.Option(help="Of the training; float32 is faster on processors without bf16.")
    ] = DetectorRecipe().precision,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.")] = 2017,
) -> None:
    """Train, saving after each epoch."""
    logging.basicConfig(level=logging.INFO)
    open_device("auto")
    recipe = DetectorRecipe(epochs=epochs, precision=precision, seed=seed)
    resume = out.exists()
    model = fit_detector(data, fonts, out, recipe, labels=labels, without=without, resume=resume)
    write_sidecar(model, seed)


if __name__ == "__main__":
    typer.run(main)
