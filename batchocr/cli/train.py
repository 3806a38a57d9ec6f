"""`batchocr train`: a model from digits."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code


def train(
    data: Annotated[Path, typer.Option(help="An .npz with x_train, y_train, x_test, y_test, as Keras has MNIST.")],
    out: Annotated[Path, typer.Option(help="The folder for the model, its sidecar and checkpoints.")],
    system: Annotated[str, typer.Option(help="Which network.")] = "default",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data.", show_default="the recipe's")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of all that is drawn at random.", show_default="the recipe's")
    ] = None,
) -> None:
    """Make the model again: draw the digits on sheets, cut them out with our own vision, train, calibrate.

    An interrupted training goes on from its last epoch when the same command is given again.
    """
    with ends_with_exit_code():
        logging.getLogger("batchocr").setLevel(logging.INFO)
        from batchocr.recognition.classifier import open_device

        open_device("auto")
        from batchocr.training.train import Recipe
        from batchocr.training.train import train as train_model

        asked = {"epochs": epochs, "seed": seed}
        path = train_model(system, data, out, Recipe(**{k: v for k, v in asked.items() if v is not None}))
        typer.echo(f"{path}")
