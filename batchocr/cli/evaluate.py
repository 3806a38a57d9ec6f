"""`batchocr evaluate`: how well a model reads digits or pages whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchocr.cli.common import Detector, Device, DeviceChoice, Model, counted, ends_with_exit_code

if TYPE_CHECKING:
    from batchocr.evaluation.recalibrate import CalibrationData
    from batchocr.reading_file import Reading, ReadingFile
    from batchocr.recognition.model_file import Sidecar
    from batchocr.recognition.networks import Models

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
    detector: Detector = None,
    split: Annotated[
        SplitChoice | None, typer.Option(help="Which half of the digits.", show_default="test where there is one")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Draw the confusion matrix, the reliability diagram, and digits right and wrong here."),
    ] = None,
    save_calibration: Annotated[
        Path | None,
        typer.Option(
            help="Fit the confidences to this data and write a copy of the classifier with them to this new .keras "
            "file, for `batchocr run --model`; the model measured is left as it is. Takes 200 digits or more. Pages "
            "whose truth has boxes or one digit a file also give the table that --max-error takes its threshold from; "
            "digits one by one say nothing of what a detector finds, and leave that table as it is."
        ),
    ] = None,
    device: Device = DeviceChoice.auto,
) -> None:
    """Measure the models: accuracy, errors, confusions, calibration, and how much could go unseen at 1% and 0.1% error.

    Pages are read as `batchocr run` does; digits given one by one go straight to the classifier, and no detector
    looks at them. Last comes the threshold that `batchocr run --max-error` would take by this data: the lowest
    confidence from which, with 95% certainty, no greater share of the digits read is wrong.

    Ends with 0, or with 2 where the data does not fit, 5 the model, 6 the device, 7 the output.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.evaluation.true_pages import truth_file
        from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector, shipped_model
        from batchocr.recognition.networks import Models

        path = model or shipped_model()
        sidecar = read_sidecar(path)  # before anything is waited for
        truth = truth_file(data)
        if truth and split:
            raise UsageError(f"{data}: pages have no halves; leave out --split")
        if save_calibration:
            _check_calibration(save_calibration, path, truth)
        reading = None
        if truth or save_calibration:
            from batchocr.reading_file import find_reading

            models = Models(detector or shipped_detector(), path)
            reading = find_reading(models, read_detector(models.detector)[0], sidecar)
        if truth and reading:
            figures, calibration_data = _of_pages(truth, models, reading, device.value, plots)
        else:
            figures, calibration_data = _of_digits(data, split and split.value, path, device.value, plots)
        if save_calibration and reading:
            figures["calibrated"] = _save(sidecar, reading.record, calibration_data(), path, save_calibration)
        figures = {"model": path.name, "data": _name(data), **figures}
        if json_file:
            with _writing(json_file, "--json"):
                json_file.parent.mkdir(parents=True, exist_ok=True)
                json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        for line in _told(figures):
            typer.echo(line)


def _name(data: str | Path) -> str:
    """Of a file or folder, also where it is given as `.`."""
    return Path(data).resolve().name


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    """A file that cannot be written becomes an error of ours."""
    from batchocr.errors import OutputError

    try:
        yield
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another {option}") from fault


def _check_calibration(target: Path, model: Path, truth: Path | None) -> None:
    """Raises UsageError where nothing could be calibrated or kept, before anything is waited for."""
    from batchocr.errors import UsageError
    from batchocr.evaluation.recalibrate import check_target
    from batchocr.evaluation.true_pages import read_truth

    check_target(target, model)
    if truth and read_truth(truth)[0] == "rows":
        raise UsageError(
            f"{truth}: has rows, which do not tell where each digit stands, so that no confidence can be held against "
            "it; for --save-calibration give boxes, or pictures of one digit"
        )


def _save(
    sidecar: Sidecar, reading: ReadingFile, calibration_data: CalibrationData, model: Path, target: Path
) -> dict[str, Any]:
    """Fit and keep the calibration; what is told of it."""
    from batchocr.evaluation.figures import thresholds
    from batchocr.evaluation.recalibrate import recalibrate_sidecar, recalibrated_reading, save

    own = recalibrate_sidecar(sidecar, calibration_data)
    record = recalibrated_reading(reading, sidecar, own, calibration_data)
    with _writing(target, "--save-calibration"):
        save(own, record, model, target)
    told = own.calibration
    return {
        "model": target.name,
        "temperature": own.temperature,
        "temperature_before": sidecar.temperature,
        "min_confidence": record.min_confidence,
        **(told.model_dump(include={"data", "candidates", "rows"}) if told else {}),
        **thresholds(record.levels),
    }


def _of_digits(
    data: str, split: str | None, model: Path, device: str, plots: Path | None
) -> tuple[dict[str, Any], Callable[[], CalibrationData]]:
    from batchocr.datasets.digits import load
    from batchocr.evaluation.figures import figures
    from batchocr.evaluation.recalibrate import calibration_data_of_digits
    from batchocr.recognition.calibration import answers
    from batchocr.recognition.classifier import Classifier
    from batchocr.recognition.network import open_device

    open_device(device)
    splits = load(data)
    digits = splits.select(split)
    which = split or ("test" if splits.test else "all")
    probabilities = Classifier(model, device=device).classify(digits.images)
    if plots:
        from batchocr.evaluation.plots import evaluation, label_histogram

        with _writing(plots, "--plots"):
            evaluation(digits, probabilities, plots)
            label_histogram({"measured on": digits.labels}, plots / "labels.png")
    predicted = answers(probabilities[:SHOWN]).tolist()
    told = {
        "split": which,
        **figures(probabilities, digits.labels),
        "first": {"true": digits.labels[:SHOWN].tolist(), "predicted": predicted},
    }
    name = _name(data) if which == "all" else f"{_name(data)}, {which} half"
    return told, partial(calibration_data_of_digits, name, probabilities, digits.labels)


def _of_pages(
    truth: Path, models: Models, reading: Reading, device: str, plots: Path | None
) -> tuple[dict[str, Any], Callable[[], CalibrationData]]:
    from batchocr.evaluation.recalibrate import calibration_data_of_pages
    from batchocr.evaluation.true_pages import read_pages

    pages = read_pages(truth, models, reading, device)
    figures, pairs = pages.score()
    if plots and pairs and pairs.true:
        from batchocr.evaluation.plots import pairs_evaluation

        with _writing(plots, "--plots"):
            pairs_evaluation(pairs, plots)
    return figures, partial(
        calibration_data_of_pages, f"{_name(truth.parent)}, {counted(len(pages.pages_read), 'page')}", pages
    )


def _told(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures for a person."""
    for name, value in figures.items():
        if name == "confusions":
            pairs = ", ".join(f"{p['true']} as {p['predicted']}: {p['count']}" for p in value[:SHOWN])
            yield f"{'confusions':<30}{pairs or 'none'}"
        elif name == "first":
            for which, digits in value.items():
                yield f"{f'the first ones, {which}':<30}{' '.join('-' if d > 9 else str(d) for d in digits)}"
        elif name not in ("thresholds", "least_max_error", "calibrated") and value is not None:
            yield f"{name.replace('_', ' '):<30}{value}"
    if "thresholds" in figures:
        yield from _table(figures, "thresholds by this data")
    if own := figures.get("calibrated"):
        yield ""
        yield (
            f"{own['model']}: calibrated on {counted(own['candidates'], 'picture')}, {counted(own['rows'], 'digit')} "
            f"read; temperature {own['temperature']}, before {own['temperature_before']}; "
            f"default threshold {own['min_confidence']}"
        )
        yield from _table(own, f"thresholds of {own['model']}")


def _table(figures: Mapping[str, Any], title: str) -> Iterator[str]:
    """What `--max-error` would take, a line for each error."""
    yield f"\n{title}, with 95% certainty:"
    yield "max error   threshold   accepted             wrong   error    95% bounds"
    for level in figures["thresholds"]:
        error = f"{level['max_error']:.1%}"
        if level["confidence"] is None:
            yield f"{error:>9}   none"
            continue
        accepted = f"{level['accepted']} ({level['share']:.1%})"
        yield (
            f"{error:>9}   {level['confidence']:<9.4f}   {accepted:<18}   {level['wrong']:<5}   "
            f"{level['error']:<6.3%}   {level['low']:.3%} to {level['high']:.3%}"
        )
    if figures["least_max_error"] is not None:
        yield f"the least --max-error that this can warrant: {figures['least_max_error']:f}"
