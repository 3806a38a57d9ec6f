"""Fit the confidences to the user's own data: the same network with another sidecar and reading file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Labels
from batchocr.decoding.digits.joint import Calibration as Confidences
from batchocr.errors import UsageError
from batchocr.evaluation.true_pages import TruePages
from batchocr.reading_file import OWN, Measured, ReadingFile
from batchocr.recognition.calibration import (
    NOT_A_DIGIT,
    Floats,
    apply_temperature,
    default_threshold,
    digit_confidences,
    fit_temperature,
    levels,
)
from batchocr.recognition.model_file import Calibration, Sidecar, sha256, shipped_model, sidecar_path

OPTION = "--save-calibration"


@dataclass(frozen=True)
class RecalibrationParameters:
    """How confidences are fitted to the user's own data."""

    min_digits: int = 200
    """Digits that are required. With fewer nothing useful can be said: if 200 digits are all right, the true share of
    errors may still be 1.8%."""
    prior_deviation: float = 0.3
    """Standard deviation of the prior of the temperature's logarithm, and of slope and shift of the confidences: on
    other data they are usually within a third of the model's own."""


PARAMETERS = RecalibrationParameters()


class ReadDigits(NamedTuple):
    """Rows of results with known truth."""

    confidence: Floats
    """(n,): confidences."""
    right: NDArray[np.bool_]
    """(n,): whether the digit is right."""
    page: NDArray[np.int64] | None = None
    """(n,): index of the page; None for digits given one by one."""


@dataclass(frozen=True)
class CalibrationData:
    """The data that a calibration is fitted to."""

    data: str
    """Its name in words, without the path."""
    probabilities: Floats
    """(n, 11): probabilities of crops, as the model gives them with its present calibration."""
    labels: Labels
    """(n,): true classes, 0 to 9, or 10 for not a digit."""
    rows: Callable[[float, Confidences | None], ReadDigits]
    """Returns the rows of the results for a temperature on top of the model's, and for other confidences than the
    reading file's. The confidences are used for pages only."""
    pages: int = 0
    """Number of pages; 0 for digits given one by one, which the detector did not see."""


def calibration_data_of_digits(data: str, probabilities: Floats, labels: Labels) -> CalibrationData:
    """Return the data of digits given one by one.

    Args:
        data: Its name.
        probabilities: Probabilities (n, 11).
        labels: True classes (n,).
    """

    def rows(temperature: float, _: Confidences | None) -> ReadDigits:
        return ReadDigits(*digit_confidences(apply_temperature(probabilities, temperature), labels))

    return CalibrationData(data, probabilities, labels, rows)


def calibration_data_of_pages(data: str, pages: TruePages) -> CalibrationData:
    """Return the data of pages with boxes, corrected results or one digit in each file.

    A row that is not on a true digit is wrong.

    Args:
        data: Its name.
        pages: The pages.
    """

    def rows(temperature: float, confidences: Confidences | None) -> ReadDigits:
        _, pairs = pages.score(temperature, confidences)
        if pairs is None:
            raise ValueError("a truth of rows has no single digits")
        page = np.unique(np.array(pairs.pages, np.str_), return_inverse=True)[1]
        return ReadDigits(np.array(pairs.confidence, np.float64), pairs.right, page)

    return CalibrationData(data, *pages.crops(), rows, len(pages.pages_read))


def recalibrate_sidecar(sidecar: Sidecar, data_set: CalibrationData) -> Sidecar:
    """Fit temperature, threshold and table of errors.

    Args:
        sidecar: The sidecar of the measured model.
        data_set: The data.

    Returns:
        The new sidecar.

    Raises:
        UsageError: The data has too few digits.
    """
    # a model without the class "none" has no answer for a non-digit, so it counts in the table but not in the fit
    known = data_set.labels < len(sidecar.classes)
    _check_count(int((data_set.labels < NOT_A_DIGIT).sum()), data_set.data)
    factor = fit_temperature(data_set.probabilities[known], data_set.labels[known], PARAMETERS.prior_deviation)
    rows = data_set.rows(factor, None)
    _check_count(len(rows.right), data_set.data)
    calibration = Calibration(
        data=data_set.data, candidates=int(known.sum()), rows=len(rows.right), levels=levels(*rows)
    )
    return sidecar.model_copy(
        update={
            # scaling by two temperatures is scaling by their product
            "temperature": round(sidecar.temperature * factor, 4),
            "min_confidence": default_threshold(rows.confidence, rows.right),
            "calibration": calibration,
        }
    )


def recalibrated_reading(record: ReadingFile, before: Sidecar, own: Sidecar, data_set: CalibrationData) -> ReadingFile:
    """Return the reading file of the recalibrated model.

    For pages the confidences are fitted too, and threshold and table are those of their rows.

    Args:
        record: The reading file that was used.
        before: The sidecar of the measured model.
        own: The sidecar with the new calibration.
        data_set: The data.
    """
    record = record.model_copy(update={"classifier": own.sha256, "temperature": own.temperature})
    if not data_set.pages:
        return record
    factor = own.temperature / before.temperature
    calibration = record.calibration.rescaled(*fit_line(*data_set.rows(factor, None)[:2]))
    fitted = data_set.rows(factor, calibration)
    right = fitted.right
    threshold = default_threshold(fitted.confidence, right)
    accepted = fitted.confidence >= threshold
    measured = Measured(
        name=data_set.data,
        pages=data_set.pages,
        digits=int((data_set.labels < NOT_A_DIGIT).sum()),
        rows=len(right),
        wrong=int((~right).sum()),
        accepted=int(accepted.sum()),
        accepted_wrong=int((~right[accepted]).sum()),
    )
    return record.model_copy(
        update={
            "data": data_set.data,
            "calibration": calibration,
            "min_confidence": threshold,
            "levels": levels(*fitted),
            "sources": (measured,),
        }
    )


def fit_line(confidence: Floats, right: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and shift of the confidences' logits (Platt, 1999).

    The prior of slope and shift is normal about 1 and 0, so that few digits move them little.

    Args:
        confidence: Confidences (n,).
        right: Whether each digit is right, (n,).

    Returns:
        Slope and shift.
    """
    inputs = np.stack([_logit(confidence), np.ones(len(confidence))], axis=1)
    line, start = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    pull = np.eye(2) / PARAMETERS.prior_deviation**2
    for _ in range(50):
        predicted = 1 / (1 + np.exp(-inputs @ line))
        gradient = inputs.T @ (predicted - right) + pull @ (line - start)
        step = np.linalg.solve((inputs * (predicted * (1 - predicted))[:, None]).T @ inputs + pull, gradient)
        line = line - np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-8:
            break
    return max(0.1, float(line[0])), float(line[1])


def _logit(confidence: Floats) -> Floats:
    held = np.clip(confidence, 1e-4, 1 - 1e-4)
    return np.log(held / (1 - held))


def _check_count(count: int, data: str) -> None:
    if count < PARAMETERS.min_digits:
        raise UsageError(
            f"{data}: {count} digits with known truth were found, too few to calibrate on; give "
            f"{PARAMETERS.min_digits} or more (an error of 0.1% takes some 4,000)"
        )


def check_target(target: Path, model: Path) -> None:
    """Check that a calibrated copy of a model can be written. An earlier copy of the same network may be replaced.

    Args:
        target: The file to write.
        model: The measured model.

    Raises:
        UsageError: `target` has another suffix, is `model` or the shipped model, or would replace another file.
    """
    if target.suffix != model.suffix:
        raise UsageError(
            f"{OPTION} {target}: the name must end with {model.suffix}; its .json files are written beside it"
        )
    if any(target.resolve() == kept.resolve() for kept in (model, shipped_model())):
        raise UsageError(f"{OPTION} {target}: this model must not be changed; give a new name")
    copy = target.is_file() and sha256(target) == sha256(model)
    files = target, sidecar_path(target), reading_path(target)
    if not copy and (taken := next((path for path in files if path.exists()), None)):
        raise UsageError(
            f"{OPTION} {target}: {taken} exists already and is not a copy of {model.name}; give a new name"
        )


def reading_path(target: Path) -> Path:
    """Return `own.reading.json` for `own.keras`."""
    return target.with_suffix(OWN)


def save(sidecar: Sidecar, record: ReadingFile, model: Path, target: Path) -> None:
    """Write a copy of a model with a new sidecar and reading file beside it.

    Args:
        sidecar: The new sidecar.
        record: The new reading file.
        model: The model to copy.
        target: The copy.

    Raises:
        OSError: A file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.part")
    try:
        if not target.exists():
            shutil.copyfile(model, fresh)
            fresh.replace(target)
        record.write(fresh)
        fresh.replace(reading_path(target))
        sidecar.write(fresh)
        fresh.replace(sidecar_path(target))
    finally:
        fresh.unlink(missing_ok=True)
