"""Calibrated probabilities: temperature scaling, and the measured error at or above each confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from batchocr.recognition.error_bounds import PARAMETERS as BOUNDS
from batchocr.recognition.error_bounds import BoundsParameters, design_effect, error_bounds

Floats = NDArray[np.float64]

NOT_A_DIGIT = 10
"""Class after the digits 0 to 9, which means "not a digit"."""
DECIMALS = 4
"""Decimals of a confidence in the results. Thresholds are compared with the rounded value."""


@dataclass(frozen=True)
class CalibrationParameters:
    """How temperatures and thresholds are fitted and how errors are measured."""

    min_probability: float = 1e-12
    """Smallest probability whose logarithm is taken. Basis: chosen by eye, far below the resolution of float32."""
    min_temperature: float = 0.25
    """Smallest temperature that a fit may give. Basis: chosen by eye."""
    max_temperature: float = 8.0
    """Largest temperature that a fit may give. Basis: chosen by eye."""
    temperature_steps: int = 40
    """Steps of the golden-section search for a temperature. Basis: 0.618 to the power of 40 is 4e-9, while four
    decimals are kept."""
    max_default_error: float = 0.01
    """Share of wrong digits at or above the default threshold. Basis: chosen as one digit in a hundred."""
    min_default_threshold: float = 0.5
    """Lower limit of the default threshold. Basis: a digit below it is more likely wrong than right."""
    min_not_a_digit_probability: float = 0.5
    """Probability above which a crop is read as "not a digit". Basis: then this is more likely than all ten digits
    together."""
    coarse_confidences: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4)
    """Confidences below `min_fine_confidence` at which errors are measured. Basis: chosen by eye; such thresholds are
    rarely used."""
    min_fine_confidence: float = 0.5
    """Confidence from which errors are measured at fine steps. Basis: the lower limit of the default threshold."""
    fine_levels: int = 48
    """Number of fine steps, which get smaller towards 1. Basis: chosen by eye."""
    confidence_bins: int = 15
    """Bins of the expected calibration error. Basis: Guo et al. (2017) use 15."""
    bounds: BoundsParameters = BOUNDS
    """How bounds of errors are computed."""


PARAMETERS = CalibrationParameters()


def confidence_grid(parameters: CalibrationParameters = PARAMETERS) -> Floats:
    """Compute the confidences at which errors are measured.

    Args:
        parameters: Has the coarse confidences and the number of fine ones.

    Returns:
        Rising confidences (n,) from 0 to 1 with `DECIMALS` decimals.
    """
    unit = 10**DECIMALS
    fine = unit - np.rint(np.geomspace(1, unit * (1 - parameters.min_fine_confidence), parameters.fine_levels))
    return np.unique(np.r_[np.rint(np.multiply(parameters.coarse_confidences, unit)), fine, unit]) / unit


class Level(BaseModel):
    """The measured error of the rows whose confidence is at or above `confidence`; the fields are keys of a sidecar."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float = Field(ge=0, le=1)
    """Lowest confidence of the accepted rows."""
    accepted: int = Field(ge=0)
    """Number of accepted rows."""
    share: float = Field(ge=0, le=1)
    """Share of all measured rows that are accepted."""
    wrong: int = Field(ge=0)
    """Number of accepted rows that are wrong."""
    error: float = Field(ge=0, le=1)
    """Share of the accepted rows that are wrong."""
    low: float = Field(ge=0, le=1)
    """Lower bound of the true error."""
    high: float = Field(ge=0, le=1)
    """Upper bound of the true error. The true error is between both bounds with the certainty of the parameters."""


def apply_temperature(
    probabilities: NDArray[np.floating], temperature: float, parameters: CalibrationParameters = PARAMETERS
) -> Floats:
    """Divide the logarithms of probabilities by a temperature and normalise again.

    This is temperature scaling (Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, 2017). A
    temperature above 1 lowers the highest probability. The order of the classes does not change, and a probability of
    0 stays 0. Applying two temperatures is the same as applying their product.

    Args:
        probabilities: Probabilities (n, classes); each row sums to 1.
        temperature: Positive number; 1 changes nothing.
        parameters: Has the smallest probability whose logarithm is taken.

    Returns:
        Probabilities (n, classes), float64; each row sums to 1.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), parameters.min_probability)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    scaled = np.exp(logits) * (probabilities > 0)
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def negative_log_likelihood(
    probabilities: Floats, labels: NDArray[np.integer], parameters: CalibrationParameters = PARAMETERS
) -> float:
    """Compute the mean negative log-likelihood of the true classes.

    Args:
        probabilities: Probabilities (n, classes).
        labels: True classes (n,).
        parameters: Has the smallest probability whose logarithm is taken.

    Returns:
        Mean of the negative natural logarithms of the probabilities of the true classes.
    """
    true_probabilities = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true_probabilities, parameters.min_probability)).mean())


def fit_temperature(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    spread: float = math.inf,
    parameters: CalibrationParameters = PARAMETERS,
) -> float:
    """Fit the temperature with the lowest negative log-likelihood on held-out crops.

    With a finite `spread` this is a maximum a posteriori estimate. Without it, a few crops that are all right would
    give the smallest temperature.

    Args:
        probabilities: Probabilities (n, classes) of the crops.
        labels: True classes (n,).
        spread: Standard deviation of the prior of the temperature's logarithm, a normal distribution around 0. With a
            small value, few crops change the temperature little.
        parameters: Has the range of temperatures and the number of steps.

    Returns:
        The temperature, rounded to 4 decimals.
    """

    def loss(log: float) -> float:
        scaled = apply_temperature(probabilities, math.exp(log), parameters)
        penalty = (log / spread) ** 2 / 2 / len(labels)
        return negative_log_likelihood(scaled, labels, parameters) + penalty

    lower, upper = np.log(parameters.min_temperature), np.log(parameters.max_temperature)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(parameters.temperature_steps):
        a, b = upper - golden * (upper - lower), lower + golden * (upper - lower)
        lower, upper = (lower, b) if loss(a) <= loss(b) else (a, upper)
    return round(float(np.exp((lower + upper) / 2)), 4)


def threshold_at(error: float, confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Find the lowest threshold at or above which at most a given share of the digits is wrong.

    Digits of equal confidence are accepted together.

    Args:
        error: Largest accepted share of wrong digits, 0 to 1.
        confidence: Confidence (n,) of each digit.
        right: Whether each digit (n,) is read correctly.

    Returns:
        The threshold; 1.0 if no confidence satisfies the condition.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    good = np.flatnonzero((wrong <= error) & last_of_equals)
    return float(sorted_confidence[good[-1]]) if len(good) else 1.0


def default_threshold(
    confidence: Floats, right: NDArray[np.bool_], parameters: CalibrationParameters = PARAMETERS
) -> float:
    """Compute the threshold of a run without `--min-confidence` and `--max-error`.

    Args:
        confidence: Confidence (n,) of each digit.
        right: Whether each digit (n,) is read correctly.
        parameters: Has the accepted error and the lower limit.

    Returns:
        The lowest threshold with the accepted error, but not less than the lower limit.
    """
    threshold = threshold_at(parameters.max_default_error, confidence.round(DECIMALS), right)
    return max(parameters.min_default_threshold, threshold)


def predicted_classes(
    probabilities: NDArray[np.floating], parameters: CalibrationParameters = PARAMETERS
) -> NDArray[np.int64]:
    """Return the predicted class of each crop.

    Args:
        probabilities: Probabilities (n, 10 or 11).
        parameters: Has the probability above which a crop is not a digit.

    Returns:
        The most likely digit (n,), or NOT_A_DIGIT if this class alone is more likely than all digits together.
    """
    not_a_digit = probabilities[:, NOT_A_DIGIT:].sum(axis=1) > parameters.min_not_a_digit_probability
    return np.where(not_a_digit, NOT_A_DIGIT, probabilities[:, :NOT_A_DIGIT].argmax(axis=1))


def digit_confidences(
    probabilities: Floats, labels: NDArray[np.integer], parameters: CalibrationParameters = PARAMETERS
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return confidence and correctness of the crops that are read as a digit.

    Args:
        probabilities: Probabilities (n, 10 or 11).
        labels: True classes (n,), 0 to 9 or NOT_A_DIGIT. A crop of NOT_A_DIGIT that is read as a digit is wrong.
        parameters: Has the probability above which a crop is not a digit.

    Returns:
        The confidence (m,) of each crop that is read as a digit, and whether it is right (m,).
    """
    predicted = predicted_classes(probabilities, parameters)
    is_digit = predicted < NOT_A_DIGIT
    return probabilities[:, :NOT_A_DIGIT].max(axis=1)[is_digit], (predicted == labels)[is_digit]


def levels(
    confidence: Floats,
    right: NDArray[np.bool_],
    pages: NDArray[np.integer] | None = None,
    parameters: CalibrationParameters = PARAMETERS,
) -> tuple[Level, ...]:
    """Measure the error at or above each confidence of the grid.

    Confidences are rounded as in the results. Wrong rows occur in clusters on the same page, so the bounds take the
    design effect of the pages into account.

    Args:
        confidence: Confidence (n,) of each row.
        right: Whether each row (n,) is right.
        pages: Index (n,) of the page of each row; None if the rows are independent.
        parameters: Has the grid and the certainty of the bounds.

    Returns:
        One level for each confidence that at least one row reaches, by rising confidence.
    """
    rounded = confidence.round(DECIMALS)
    effect = 1.0 if pages is None else design_effect(right, pages)
    table = []
    for threshold in confidence_grid(parameters).tolist():
        accepted = rounded >= threshold
        count, wrong = int(accepted.sum()), int((~right[accepted]).sum())
        if count:
            lower, upper = error_bounds(wrong, count, effect, parameters.bounds)
            table.append(
                Level(
                    confidence=threshold,
                    accepted=count,
                    share=round(count / len(rounded), 6),
                    wrong=wrong,
                    error=round(wrong / count, 6),
                    # rounded outwards, so that the bounds still hold
                    low=math.floor(lower * 1e6) / 1e6,
                    high=math.ceil(upper * 1e6) / 1e6,
                )
            )
    return tuple(table)


def level_for(table: Iterable[Level], max_error: float) -> Level | None:
    """Find the level of the lowest confidence whose error is small enough.

    Args:
        table: Measured levels.
        max_error: Largest accepted error, 0 to 1.

    Returns:
        The level of the lowest confidence whose upper bound is at or below `max_error`; None if there is none.
    """
    accepted = [level for level in table if level.high <= max_error]
    return min(accepted, key=lambda level: level.confidence, default=None)


def threshold_for(table: Iterable[Level], max_error: float) -> float | None:
    """Return the confidence of `level_for`, or None."""
    level = level_for(table, max_error)
    return None if level is None else level.confidence


def min_error_level(table: Sequence[Level]) -> Level:
    """Return the level with the smallest upper bound.

    Args:
        table: Measured levels, at least one.

    Returns:
        The level; `level_for` returns None for any smaller error than its upper bound.
    """
    return min(table, key=lambda level: level.high)


def expected_calibration_error(
    confidence: Floats, right: NDArray[np.bool_], parameters: CalibrationParameters = PARAMETERS
) -> float:
    """Compute the expected calibration error over bins of equal width.

    Args:
        confidence: Confidence (n,) of each digit.
        right: Whether each digit (n,) is read correctly.
        parameters: Has the number of bins.

    Returns:
        Mean difference between confidence and share of right digits, weighted by the digits of each bin, 0 to 1.
    """
    bins = parameters.confidence_bins
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(index, right, bins) - np.bincount(index, confidence, bins)
    return float(np.abs(gap).sum() / max(1, len(confidence)))
