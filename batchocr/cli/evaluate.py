"""`batchocr evaluate`: measure how well the models read digits or pages with known text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchocr.cli.common import Detector, Device, DeviceChoice, Model, counted, ends_with_exit_code

if TYPE_CHECKING:
    from batchocr.evaluation.recalibrate import CalibrationData
    from batchocr.evaluation.true_pages import Truth
    from batchocr.reading_file import Reading, ReadingFile
    from batchocr.recognition.model_file import Sidecar
    from batchocr.recognition.networks import Models

SHOWN = 20
"""Digits of the list of first digits."""


class SplitChoice(StrEnum):
    train = "train"
    test = "test"


def evaluate(
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="Digits, as `batchocr train` takes them; or a folder of pages with a truth.json (or that file); with "
            "--truth the scans that `batchocr run` read.",
        ),
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Corrected results as ground truth: the results.numbers.csv of a run with a corrected column text, or "
            "its results.csv with a corrected column digit. Write x for a digit that is not one, and ? for one that "
            "cannot be read; take out the rows that you have not checked.",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --truth, the results.csv of the same run, which has the boxes.",
            show_default="the one beside --truth",
        ),
    ] = None,
    model: Model = None,
    detector: Detector = None,
    split: Annotated[
        SplitChoice | None, typer.Option(help="Which split of the digits.", show_default="test if there is one")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file.")
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Draw the confusion matrix and the reliability diagram here; for digits given one by one, digits "
            "read right and wrong too.",
        ),
    ] = None,
    save_calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Fit the confidences to this data and write a copy of the classifier with them to this new .keras "
            "file, for `batchocr run --model`; the measured model is not changed. At least 200 digits are required. "
            "Pages with boxes, corrected results and pages of one digit also give the table from which --max-error "
            "takes its threshold; digits given one by one say nothing about the detector and do not change that table.",
        ),
    ] = None,
    device: Device = DeviceChoice.auto,
) -> None:
    """Measure the models: accuracy, errors, confusions, calibration, and coverage at 1% and 0.1% error.

    Pages are read as `batchocr run` reads them. Digits given one by one go to the classifier; the detector is not
    measured. The report says for each figure what it means. Its last table has the thresholds that
    `batchocr run --max-error` would take by this data: the lowest confidence from which, with 95% certainty, no
    greater share of the digits read is wrong.

    Exit code 0, or 2 if the data does not fit, 5 for the model, 6 for the device, 7 for the output.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.evaluation.report import report_lines
        from batchocr.evaluation.true_pages import truth_file
        from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector, shipped_model
        from batchocr.recognition.networks import Models

        path = model or shipped_model()
        sidecar = read_sidecar(path)  # a fault of the model is reported before the data is read
        if split and (truth is not None or truth_file(data)):
            raise UsageError(f"{data}: pages have no splits; leave out --split")
        pages = _truth(data, truth, results)
        if save_calibration:
            _check_calibration(save_calibration, path, data, pages)
        reading = None
        if pages or save_calibration:
            from batchocr.reading_file import find_reading

            models = Models(detector or shipped_detector(), path)
            reading = find_reading(models, read_detector(models.detector)[0], sidecar)
        if pages and reading:
            figures, calibration_data = _of_pages(
                _name(Path(data).parent if Path(data).is_file() else data), pages, models, reading, device.value, plots
            )
        else:
            figures, calibration_data = _of_digits(data, split and split.value, path, device.value, plots)
        if save_calibration and reading:
            figures["calibrated"] = _save(sidecar, reading.record, calibration_data(), path, save_calibration)
        figures = {"model": path.name, "data": _name(data), **figures}
        if json_file:
            with _writing(json_file, "--json"):
                json_file.parent.mkdir(parents=True, exist_ok=True)
                json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        for line in report_lines(figures):
            typer.echo(line)


def _name(data: str | Path) -> str:
    """Return the name of a file or folder, also if it is given as `.`."""
    return Path(data).resolve().name


def _truth(data: str, corrected: Path | None, results: Path | None) -> Truth | None:
    """Return the truth of pages; None if `data` is digits. Raises UsageError for options that do not fit."""
    from batchocr.errors import UsageError
    from batchocr.evaluation.true_pages import load_corrected, load_truth, truth_file

    if corrected is not None:
        return load_corrected(corrected, Path(data), results)
    if results is not None:
        raise UsageError("--results: is only used with --truth; leave it out, or give the corrected table as --truth")
    path = truth_file(data)
    return None if path is None else load_truth(path)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    """Turn a fault in writing `path` into an OutputError."""
    from batchocr.errors import OutputError

    try:
        yield
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another {option}") from fault


def _check_calibration(target: Path, model: Path, data: str, truth: Truth | None) -> None:
    """Raise UsageError if nothing could be calibrated or saved, before the pages are read."""
    from batchocr.errors import UsageError
    from batchocr.evaluation.recalibrate import check_target

    check_target(target, model)
    if truth and truth.form == "rows":
        raise UsageError(
            f"{data}: its truth has rows without boxes, so it is not known which digit read is right; for "
            "--save-calibration give boxes, corrected results (--truth), or images of one digit"
        )


def _save(
    sidecar: Sidecar, reading: ReadingFile, calibration_data: CalibrationData, model: Path, target: Path
) -> dict[str, Any]:
    """Fit and save the calibration; return what is reported of it."""
    from batchocr.evaluation.figures import thresholds
    from batchocr.evaluation.recalibrate import recalibrate_sidecar, recalibrated_reading, save

    own = recalibrate_sidecar(sidecar, calibration_data)
    record = recalibrated_reading(reading, sidecar, own, calibration_data)
    with _writing(target, "--save-calibration"):
        save(own, record, model, target)
    calibration = own.calibration
    return {
        "model": target.name,
        "temperature": own.temperature,
        "temperature_before": sidecar.temperature,
        "min_confidence": record.min_confidence,
        **(calibration.model_dump(include={"data", "candidates", "rows"}) if calibration else {}),
        **thresholds(record.levels),
    }


def _of_digits(
    data: str, split: str | None, model: Path, device: str, plots: Path | None
) -> tuple[dict[str, Any], Callable[[], CalibrationData]]:
    """Measure the classifier on digits given one by one."""
    from batchocr.datasets.digits import load
    from batchocr.evaluation.figures import figures
    from batchocr.evaluation.recalibrate import calibration_data_of_digits
    from batchocr.recognition.calibration import predicted_classes
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
    predicted = predicted_classes(probabilities[:SHOWN]).tolist()
    measured = {
        "split": which,
        **figures(probabilities, digits.labels),
        "first": {"true": digits.labels[:SHOWN].tolist(), "predicted": predicted},
    }
    name = _name(data) if which == "all" else f"{_name(data)}, {which} split"
    return measured, partial(calibration_data_of_digits, name, probabilities, digits.labels)


def _of_pages(
    name: str, truth: Truth, models: Models, reading: Reading, device: str, plots: Path | None
) -> tuple[dict[str, Any], Callable[[], CalibrationData]]:
    """Measure both networks on pages."""
    from batchocr.evaluation.recalibrate import calibration_data_of_pages
    from batchocr.evaluation.true_pages import read_pages

    pages = read_pages(truth, models, reading, device)
    figures, pairs = pages.score()
    if plots and pairs and pairs.true:
        from batchocr.evaluation.plots import pairs_evaluation

        with _writing(plots, "--plots"):
            pairs_evaluation(pairs, plots)
    return figures, partial(calibration_data_of_pages, f"{name}, {counted(len(pages.pages_read), 'page')}", pages)
