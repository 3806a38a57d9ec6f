"""`batchocr train`: a model from data."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code, say

SHOWN = 48
"""Patches on a sheet of `--show`."""


def train(
    data: Annotated[
        str,
        typer.Option(
            help="mnist (downloaded), an .npz with x_train, y_train, x_test and y_test, MNIST's IDX files, "
            "or a folder with a folder of 28 x 28 pictures for each digit; for the default system and the detector, "
            "the folder of public data."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="A new folder for the model and all that tells of it.", show_default=False)
    ] = None,
    system: Annotated[str, typer.Option(help="Which network; `batchocr models` lists them.")] = "default",
    recipe: Annotated[
        str | None, typer.Option(help="How to train it, where there are several ways.", show_default="its first")
    ] = None,
    fonts: Annotated[
        Path | None, typer.Option(help="For the default system and the detector, a folder of fonts.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="For the same, boxes of known texts: the JSON that python -m batchocr.training.pseudo_labels writes."
        ),
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="For the default system, a detector: what it falsely finds is no digit.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="For the detector, another .keras file to go on from.")] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option(
            help="For the default system, more digits: an .npz with x and y, or a folder of pages with a truth.json "
            "that has a box for each digit."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=999, help="Passes over the data.", show_default="the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of all that is drawn at random.")] = 2017,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in the folder, from its last whole epoch.")
    ] = False,
    show: Annotated[
        Path | None,
        typer.Option(help="Train nothing: write a sheet of the pictures that the detector learns from, a PNG."),
    ] = None,
) -> None:
    """Train one of the named systems; `default` and `detector` are the shipped models.

    The folder then holds model.keras and its sidecar, for `batchocr run --model` or `--detector`, with history.csv; of
    digits also metrics.json and plots. The same seed gives the same figures on the same machine. A folder that holds a
    training is only touched with --resume, and with the same options as before; more --epochs may be asked of any but
    the shipped models.

    Ends with 0, or with 2 where data or options do not fit, 5 where a detector cannot be used, and 7 where the folder
    cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.training.catalogue import DETECTOR, system_named

        system_named(system).recipe_name(recipe)  # before Keras is waited for
        logging.getLogger("batchocr").setLevel(logging.INFO)
        if show is not None:
            if system != DETECTOR:
                raise UsageError(f"--show: has pictures of the detector only; add --system {DETECTOR}")
            _show(show, data, fonts, labels, seed)
            return
        if out is None:
            raise UsageError("--out is missing; give a new folder for the model")
        from batchocr.recognition.network import open_device

        open_device("auto")
        from batchocr.training.accuracy_table import accuracy_lines
        from batchocr.training.epoch_progress import ProgressOptions
        from batchocr.training.train import Material
        from batchocr.training.train import train as train_model

        path = train_model(
            system,
            data,
            out,
            recipe=recipe,
            material=Material(fonts, labels, detector, start, tuple(more or ())),
            epochs=epochs,
            seed=seed,
            resume=resume,
            progress=ProgressOptions(write=say, bar=sys.stderr.isatty()),
        )
        for line in accuracy_lines(path.parent):
            say(line)
        typer.echo(f"{path}")


def _show(path: Path, data: str, fonts: Path | None, labels: Path | None, seed: int) -> None:
    """Write the sheet. Raises UsageError for unfit data, OutputError where it cannot be written."""
    import cv2
    import numpy as np

    from batchocr.errors import OutputError, UsageError
    from batchocr.training.synthesis.patches import contact_sheet
    from batchocr.training.synthesis.shipped_maker import patch_maker

    if fonts is None:
        raise UsageError("--show: print is made of fonts; give a folder of them as --fonts")
    maker = patch_maker(Path(data), fonts, labels)
    sheet = contact_sheet([maker.make(np.random.default_rng((seed, number))) for number in range(SHOWN)])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another --show") from fault
    typer.echo(f"{path}")
