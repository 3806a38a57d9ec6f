"""Confidences fitted to scans of one's own: the same network with a sidecar and a reading file of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Labels
from batchocr.decoding.joint import Calibration as Confidences
from batchocr.errors import UsageError
from batchocr.evaluation.true_pages import TruePages
from batchocr.reading_file import OWN, Measured, ReadingFile
from batchocr.recognition.calibration import (
    NONE as NOT_A_DIGIT,
)
from batchocr.recognition.calibration import (
    Floats,
    default_threshold,
    fit_temperature,
    levels,
    rows_of,
    scale,
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
    """Rows of results whose truth is known."""

    confidence: Floats
    """(n,)."""
    right: NDArray[np.bool_]
    """(n,)."""
    page: NDArray[np.int64] | None = None
    """(n,): the place of its page; None for digits given one by one."""


@dataclass(frozen=True)
class CalibrationData:
    """What a calibration rests on."""

    data: str
    """In words, without the path."""
    probabilities: Floats
    """(n, 11) of crops, as the model gives them with the calibration it has."""
    labels: Labels
    """(n,) what they are: 0 to 9, or 10 for no digit."""
    rows: Callable[[float, Confidences | None], ReadDigits]
    """The rows of the results, with a temperature on top of the model's.

    And with other confidences than the reading file's, where they are given and the rows are those of pages.
    """
    pages: int = 0
    """Whose rows they are; 0 for digits given one by one, which no detector saw."""


def calibration_data_of_digits(data: str, probabilities: Floats, labels: Labels) -> CalibrationData:
    """Of digits given one by one."""

    def rows(temperature: float, _: Confidences | None) -> ReadDigits:
        return ReadDigits(*rows_of(scale(probabilities, temperature), labels))

    return CalibrationData(data, probabilities, labels, rows)


def calibration_data_of_pages(data: str, pages: TruePages) -> CalibrationData:
    """Of pages whose truth has boxes, or one digit a file. A row where no digit stands is wrong."""

    def rows(temperature: float, confidences: Confidences | None) -> ReadDigits:
        _, pairs = pages.score(temperature, confidences)
        if pairs is None:
            raise ValueError("rows of truth say nothing of single digits")
        page = np.unique(np.array(pairs.pages, np.str_), return_inverse=True)[1]
        return ReadDigits(np.array(pairs.confidence, np.float64), pairs.right, page)

    return CalibrationData(data, *pages.crops(), rows, len(pages.pages_read))


def recalibrate_sidecar(sidecar: Sidecar, data_set: CalibrationData) -> Sidecar:
    """The sidecar with temperature, threshold and table of errors fitted to the evidence.

    Raises UsageError where that holds fewer than LEAST_DIGITS digits.
    """
    # a model without the class "none" has no answer to what is no digit: that counts in the table, not in the fit
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
            # scaling twice is scaling once by the product
            "temperature": round(sidecar.temperature * factor, 4),
            "min_confidence": default_threshold(rows.confidence, rows.right),
            "calibration": calibration,
        }
    )


def recalibrated_reading(record: ReadingFile, before: Sidecar, own: Sidecar, data_set: CalibrationData) -> ReadingFile:
    """The reading file for the model with its `own` calibration, from the one that was used with that of `before`.

    Of pages the confidences are fitted too, and threshold and table are those of their rows.
    """
    record = record.model_copy(update={"classifier": own.sha256, "temperature": own.temperature})
    if not data_set.pages:
        return record
    factor = own.temperature / before.temperature
    calibration = record.calibration.moved(*fit_line(*data_set.rows(factor, None)[:2]))
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
    """Slope and shift of the confidences' logits (n,) that make what is right likeliest (Platt, 1999).

    Both are before any digit is seen normal about 1 and 0 with the deviation SPREAD: few digits move them little.
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
    """Raises UsageError where `target` cannot be the calibrated copy of `model`.

    It is no model's name, `model` itself or the shipped one, or there is another file that would be lost; an earlier
    copy of the same network is written again.
    """
    if target.suffix != model.suffix:
        raise UsageError(
            f"{OPTION} {target}: the name must end with {model.suffix}; its .json files are written beside it"
        )
    if any(target.resolve() == kept.resolve() for kept in (model, shipped_model())):
        raise UsageError(f"{OPTION} {target}: this model is kept as it is; give a new name")
    copy = target.is_file() and sha256(target) == sha256(model)
    files = target, sidecar_path(target), reading_path(target)
    if not copy and (taken := next((path for path in files if path.exists()), None)):
        raise UsageError(f"{OPTION} {target}: {taken} is there already, and no copy of {model.name}; give a new name")


def reading_path(target: Path) -> Path:
    """`own.keras` → `own.reading.json`."""
    return target.with_suffix(OWN)


def save(sidecar: Sidecar, record: ReadingFile, model: Path, target: Path) -> None:
    """A copy of `model` at `target` with its new sidecar and reading file beside it.

    Raises OSError where they cannot be written.
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
