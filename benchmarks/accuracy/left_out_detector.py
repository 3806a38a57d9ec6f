"""Train a detector without some collections of real paper, to measure the accuracy on an unknown collection.

`python benchmarks/accuracy/left_out_detector.py DATA OUT --fonts FONTS --labels LABELS.json --without cheques` trains
from new weights into OUT. Measure it in the same way as the shipped detector:

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
    data: Annotated[Path, typer.Argument(help="Folder of the public data.")],
    out: Annotated[Path, typer.Argument(help="New folder for the training, or that of one to resume.")],
    fonts: Annotated[Path, typer.Option(help="Folder of fonts.")],
    labels: Annotated[Path, typer.Option(help="Pseudo-labels, by batchocr.training.pseudo_labels.")],
    without: Annotated[
        list[str], typer.Option(help="Collection to leave out, such as cheques or registers. May repeat.")
    ],
    epochs: Annotated[int, typer.Option(help="Epochs; the shipped detector had sixteen rounds of 14.")] = 14,
    precision: Annotated[
        str, typer.Option(help="Precision; float32 is faster on processors without bf16.")
    ] = DetectorRecipe().precision,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 2017,
) -> None:
    """Train the detector; it is saved after each epoch."""
    logging.basicConfig(level=logging.INFO)
    open_device("auto")
    recipe = DetectorRecipe(epochs=epochs, precision=precision, seed=seed)
    resume = out.exists()
    model = fit_detector(data, fonts, out, recipe, labels=labels, without=without, resume=resume)
    write_sidecar(model, seed)


if __name__ == "__main__":
    typer.run(main)
