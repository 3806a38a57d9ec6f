"""`batchocr evaluate`: how well a model reads digits or pages whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from batchocr.cli.common import Device, DeviceChoice, Model, ends_with_exit_code

SHOWN = 20
"""Digits and confusions of the short lists."""


class SplitChoice(StrEnum):
    train = "train"
    test = "test"


def evaluate(
    data: Annotated[
        str,
        typer.Option(
            help="Digits, as `batchocr train` takes them, or a folder of pages with a truth.json (or that file)."
        ),
    ],
    model: Model = None,
    split: Annotated[
        SplitChoice | None, typer.Option(help="Which half of the digits.", show_default="test where there is one")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Draw the confusion matrix, the reliability diagram, and digits right and wrong here."),
    ] = None,
    device: Device = DeviceChoice.auto,
) -> None:
    """Measure a model: accuracy, errors, confusions, calibration, and how much could go unseen at 1% and 0.1% error.

    Pages are read as `batchocr run` does; digits given one by one go straight to the network.

    Ends with 0, or with 2 where the data does not fit, 5 the model, 6 the device, 7 the output.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.recognition.model import read_sidecar, shipped_model
        from batchocr.training.pages import truth_file

        path = model or shipped_model()
        read_sidecar(path)  # before anything is waited for
        if truth := truth_file(data):
            if split:
                raise UsageError(f"{data}: pages have no halves; leave out --split")
            figures = _of_pages(truth, path, device.value, plots)
        else:
            figures = _of_digits(data, split and split.value, path, device.value, plots)
        figures = {"model": path.name, "data": Path(data).name, **figures}
        if json_file:
            with _writing(json_file, "--json"):
                json_file.parent.mkdir(parents=True, exist_ok=True)
                json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        for line in _told(figures):
            typer.echo(line)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    """A file that cannot be written becomes an error of ours."""
    from batchocr.errors import OutputError

    try:
        yield
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another {option}") from fault


def _of_digits(data: str, split: str | None, model: Path, device: str, plots: Path | None) -> dict[str, Any]:
    from batchocr.recognition.classifier import Classifier, open_device
    from batchocr.training.datasets import load
    from batchocr.training.evaluate import figures

    open_device(device)
    halves = load(data)
    digits = halves.half(split)
    probabilities = Classifier(model, device=device).classify(digits.pictures)
    if plots:
        from batchocr.training.plots import evaluation, label_histogram

        with _writing(plots, "--plots"):
            evaluation(digits, probabilities, plots)
            label_histogram({"measured on": digits.labels}, plots / "labels.png")
    predicted = probabilities.argmax(1)[:SHOWN].tolist()
    return {
        "split": split or ("test" if halves.test else "all"),
        **figures(probabilities, digits.labels),
        "first": {"true": digits.labels[:SHOWN].tolist(), "predicted": predicted},
    }


def _of_pages(truth: Path, model: Path, device: str, plots: Path | None) -> dict[str, Any]:
    from batchocr.job import Settings
    from batchocr.training.pages import evaluate_pages

    figures, pairs = evaluate_pages(truth, Settings(model=model, device=device))
    if plots and pairs and pairs.true:
        from batchocr.training.plots import pairs_evaluation

        with _writing(plots, "--plots"):
            pairs_evaluation(pairs, plots)
    return figures


def _told(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures for a person."""
    for name, value in figures.items():
        if name == "confusions":
            pairs = ", ".join(f"{p['true']} as {p['predicted']}: {p['count']}" for p in value[:SHOWN])
            yield f"{'confusions':<30}{pairs or 'none'}"
        elif name == "first":
            for which, digits in value.items():
                yield f"{f'the first ones, {which}':<30}{' '.join('-' if d > 9 else str(d) for d in digits)}"
        elif value is not None:
            yield f"{name.replace('_', ' '):<30}{value}"
