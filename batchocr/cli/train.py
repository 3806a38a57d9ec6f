"""`batchocr train`: train a model."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code, say

SHOWN = 48
"""Number of patches on the sheet of `--show`."""


def train(
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="mnist (downloaded), an .npz with x_train, y_train, x_test and y_test, MNIST's IDX files, "
            "or a folder with a folder of 28 x 28 images for each digit; for the default system and the detector, "
            "the folder of public data.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="A new folder for the model, its figures and plots. Required without --show.",
            show_default=False,
        ),
    ] = None,
    system: Annotated[
        str, typer.Option(metavar="NAME", help="The network to train; `batchocr models` lists them.")
    ] = "default",
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="How to train it, if the system has several recipes.", show_default="its first recipe"
        ),
    ] = None,
    fonts: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For the default system and the detector, a folder of fonts.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For the default system and the detector, boxes of known texts: the JSON that "
            "python -m batchocr.training.pseudo_labels writes.",
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For the default system, a detector; its false detections train the class not a digit."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A .keras file whose weights the training starts with: for the detector, and with --add.",
            show_default="with --add the shipped classifier",
        ),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Continue the training of a classifier with the crops of `batchocr correct --save-crops`; --data is "
            "then the digits that it must not forget: mnist, or an .npz. May be given several times.",
            show_default=False,
        ),
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="For the default system, digits of your own: an .npz with x and y, or a folder of pages with a "
            "truth.json that has a box for each digit. May be given several times.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=999, help="Passes over the data.", show_default="the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**31, help="Seed of all random draws.")] = 2017,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the training in the folder after its last finished epoch.")
    ] = False,
    show: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Train nothing; write a sheet of images that the detector learns from, as a PNG."
        ),
    ] = None,
) -> None:
    """Train one of the named systems; `default` and `detector` are the shipped models.

    After each epoch one line reports its loss, its accuracies and the remaining time; at the end a table says what
    each accuracy was measured on. The folder then has model.keras with its sidecar, for `batchocr run --model` or
    `--detector`, and history.csv; of digits also metrics.json and plots. The same seed gives the same figures on the
    same machine. A folder with a training is only changed with --resume and the same options as before; more --epochs
    are allowed except for the shipped models.

    Exit code 0, or 2 if data or options do not fit, 5 if a detector cannot be used, 7 if the folder cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.training.catalogue import DEFAULT, DETECTOR, system_named

        if add and (system != DEFAULT or recipe or fonts or labels or detector or more):
            raise UsageError(
                "--add: continues the training of a classifier: give --data, --out, --start, --epochs only"
            )
        system_named(system).recipe_name(recipe)  # a wrong name is reported before Keras is loaded
        logging.getLogger("batchocr").setLevel(logging.INFO)
        if show is not None:
            if system != DETECTOR:
                raise UsageError(f"--show: shows images of the detector's training only; add --system {DETECTOR}")
            _show(show, data, fonts, labels, seed)
            return
        if out is None:
            raise UsageError("--out is missing; give a new folder for the model")
        from batchocr.recognition.network import open_device

        open_device("auto")
        from batchocr.training.accuracy_table import accuracy_lines
        from batchocr.training.epoch_progress import ProgressOptions
        from batchocr.training.train import Material, train_added
        from batchocr.training.train import train as train_model

        progress = ProgressOptions(write=say, bar=sys.stderr.isatty())
        if add:
            path = train_added(data, tuple(add), out, start, epochs=epochs, seed=seed, resume=resume, progress=progress)
            for line in accuracy_lines(path.parent):
                say(line)
            typer.echo(f"{path}")
            return
        path = train_model(
            system,
            data,
            out,
            recipe=recipe,
            material=Material(fonts, labels, detector, start, tuple(more or ())),
            epochs=epochs,
            seed=seed,
            resume=resume,
            progress=progress,
        )
        for line in accuracy_lines(path.parent):
            say(line)
        typer.echo(f"{path}")


def _show(path: Path, data: str, fonts: Path | None, labels: Path | None, seed: int) -> None:
    """Write the sheet. Raises UsageError if the data does not fit, OutputError if the sheet cannot be written."""
    import cv2
    import numpy as np

    from batchocr.errors import OutputError, UsageError
    from batchocr.training.synthesis.patches import contact_sheet
    from batchocr.training.synthesis.shipped_maker import patch_maker

    if fonts is None:
        raise UsageError("--show: print needs fonts; give a folder of fonts as --fonts")
    maker = patch_maker(Path(data), fonts, labels)
    sheet = contact_sheet([maker.make(np.random.default_rng((seed, number))) for number in range(SHOWN)])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another --show") from fault
    typer.echo(f"{path}")
