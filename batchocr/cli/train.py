"""`batchocr train`: a model from digits."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code


def train(
    data: Annotated[
        str,
        typer.Option(
            help="mnist (downloaded), an .npz with x_train, y_train, x_test and y_test, MNIST's IDX files, "
            "or a folder with a folder of 28 x 28 pictures for each digit."
        ),
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the model and all that tells of it.")],
    system: Annotated[str, typer.Option(help="Which network; `batchocr models` lists them.")] = "default",
    recipe: Annotated[
        str | None, typer.Option(help="How to train it, where there are several ways.", show_default="its first")
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option(
            help="For the default system, more digits: an .npz with x and y, or a folder of pages with a truth.json "
            "that has a box for each digit."
        ),
    ] = None,
    blank: Annotated[
        list[Path] | None, typer.Option(help="For the default system, a form that nobody filled in: no digits.")
    ] = None,
    fonts: Annotated[
        list[Path] | None, typer.Option(help="For the default system, a folder of fonts: their letters are no digits.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=999, help="Passes over the data.", show_default="the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of all that is drawn at random.")] = 2017,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in the folder, from its last whole epoch.")
    ] = False,
) -> None:
    """Train one of the named systems; the default one is the shipped model.

    The folder then holds model.keras and its sidecar, for `batchocr run --model`, with history.csv, metrics.json and
    plots. The same seed gives the same figures on the same machine. A folder that holds a training is only touched
    with --resume, and with the same options as before; more --epochs may be asked of any but the default system.

    Ends with 0, or with 2 where data or options do not fit, and 7 where the folder cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.training.catalogue import system_named

        system_named(system).recipe_name(recipe)  # before Keras is waited for
        logging.getLogger("batchocr").setLevel(logging.INFO)
        from batchocr.recognition.network import open_device

        open_device("auto")
        from batchocr.training.gather import Others
        from batchocr.training.train import train as train_model

        path = train_model(
            system,
            data,
            out,
            recipe=recipe,
            others=Others(tuple(more or ()), tuple(blank or ()), tuple(fonts or ())),
            epochs=epochs,
            seed=seed,
            resume=resume,
            verbose=int(sys.stdout.isatty()),
        )
        typer.echo(f"{path}")
