"""A model's confidences fitted to scans of one's own: the same network with a sidecar of another calibration."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.recognition.calibration import (
    NONE,
    Floats,
    default_threshold,
    fit_temperature,
    levels,
    rows_of,
    scale,
)
from batchocr.recognition.model import Calibration, Sidecar, sha256, shipped_model, sidecar_path
from batchocr.training.datasets import Labels
from batchocr.training.pages import TruePages

LEAST_DIGITS = 200
"""Of fewer nothing useful can be said: even with none of 200 wrong, the share of errors may be 1.8%."""
SPREAD = 0.3
"""Of the temperature's logarithm before one's own digits are seen: as a rule it is within a third of the model's."""
OPTION = "--save-calibration"


@dataclass(frozen=True)
class Evidence:
    """What a calibration rests on."""

    data: str
    """In words, without the path."""
    probabilities: Floats
    """(n, 11) of crops, as the model gives them with the calibration it has."""
    labels: Labels
    """(n,) what they are: 0 to 9, or 10 for no digit."""
    rows: Callable[[float], tuple[Floats, NDArray[np.bool_]]]
    """Confidence of each row of the results, and whether it is right, with a temperature on top of the model's."""


def digits_evidence(data: str, probabilities: Floats, labels: Labels) -> Evidence:
    """Of digits given one by one."""
    return Evidence(data, probabilities, labels, lambda temperature: rows_of(scale(probabilities, temperature), labels))


def pages_evidence(data: str, pages: TruePages) -> Evidence:
    """Of pages whose truth has boxes, or one digit a file. A row where no digit stands is wrong."""

    def rows(temperature: float) -> tuple[Floats, NDArray[np.bool_]]:
        _, pairs = pages.score(temperature)
        if pairs is None:
            raise ValueError("rows of truth say nothing of single digits")
        return np.array(pairs.confidence, np.float64), pairs.right

    return Evidence(data, *pages.crops(), rows)


def recalibrated(sidecar: Sidecar, evidence: Evidence) -> Sidecar:
    """The sidecar with temperature, threshold and table of errors fitted to the evidence.

    Raises UsageError where that holds fewer than LEAST_DIGITS digits.
    """
    # a model without the class "none" has no answer to what is no digit: that counts in the table, not in the fit
    known = evidence.labels < len(sidecar.classes)
    _check_count(int((evidence.labels < NONE).sum()), evidence.data)
    more = fit_temperature(evidence.probabilities[known], evidence.labels[known], SPREAD)
    confidence, right = evidence.rows(more)
    _check_count(len(confidence), evidence.data)
    calibration = Calibration(
        data=evidence.data, candidates=int(known.sum()), rows=len(confidence), levels=levels(confidence, right)
    )
    return sidecar.model_copy(
        update={
            # scaling twice is scaling once by the product
            "temperature": round(sidecar.temperature * more, 4),
            "min_confidence": default_threshold(confidence, right),
            "calibration": calibration,
        }
    )


def _check_count(count: int, data: str) -> None:
    if count < LEAST_DIGITS:
        raise UsageError(
            f"{data}: {count} digits with known truth were found, too few to calibrate on; give {LEAST_DIGITS} or more "
            "(an error of 0.1% takes some 4,000)"
        )


def check_target(target: Path, model: Path) -> None:
    """Raises UsageError where `target` cannot be the calibrated copy of `model`.

    It is no model's name, `model` itself or the shipped one, or there is another file that would be lost; an earlier
    copy of the same network is written anew.
    """
    if target.suffix != model.suffix:
        raise UsageError(f"{OPTION} {target}: the name must end with {model.suffix}; its .json is written beside it")
    if any(target.resolve() == kept.resolve() for kept in (model, shipped_model())):
        raise UsageError(f"{OPTION} {target}: this model is kept as it is; give a new name")
    copy = target.is_file() and sha256(target) == sha256(model)
    if not copy and (taken := next((path for path in (target, sidecar_path(target)) if path.exists()), None)):
        raise UsageError(f"{OPTION} {target}: {taken} is there already, and no copy of {model.name}; give a new name")


def save(sidecar: Sidecar, model: Path, target: Path) -> None:
    """A copy of `model` at `target` with its new sidecar beside it; raises OSError where that cannot be written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.part")
    try:
        if not target.exists():
            shutil.copyfile(model, fresh)
            fresh.replace(target)
        sidecar.write(fresh)
        fresh.replace(sidecar_path(target))
    finally:
        fresh.unlink(missing_ok=True)
