"""Fit weights, calibration, thresholds and the table of errors of the joint reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import (
    Calibration,
    JointParameters,
    JointReading,
    features,
    joint_probabilities,
    read_jointly,
)
from batchocr.decoding.digits.joint_fit import fit_calibration, fit_weights
from batchocr.decoding.marks.familiarity import Familiar, familiar_range
from batchocr.reading_file import Measured
from batchocr.recognition.calibration import DECIMALS, NOT_A_DIGIT, Floats, Level, levels, threshold_at
from batchocr.training.joint_evidence import (
    Evidence,
)

SYNTHETIC = "patches"
"""Name of the collection of synthetic patches; the others are real paper."""
NETWORKS = ("detector", "classifier")
"""Fields of the evidence that hold the probabilities of the networks."""


@dataclass(frozen=True)
class JointThresholdParameters:
    """How thresholds are chosen.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    false_cost: float = 0.25
    """Cost of a false detection, in lost digits: a lost digit leaves no row, a false one is mostly marked."""
    max_error: float = 0.01
    """Share of wrong digits among those at or above the default threshold, in the worst collection."""
    min_confidence: float = 0.8
    """Lower limit of the default threshold. On register strips a threshold of 0.56 left 7.3% of the rows wrong without
    a mark and marked 14.5% of the right ones; 0.8 leaves 2.0% and marks 26%. On composed pages 0.8 marks 1.0% of the
    digits instead of 0.3%."""
    patches: int = 120
    """Synthetic patches that are evaluated."""
    seed: int = 4141
    """Seed of these patches."""
    scores: tuple[float, ...] = tuple(round(0.12 + 0.02 * step, 2) for step in range(20))
    """Thresholds of the detector's score that are tried."""
    digit_probabilities: tuple[float, ...] = tuple(round(0.05 * step, 2) for step in range(1, 19))
    """Thresholds of the probability that a detection is a digit that are tried."""


PARAMETERS = JointThresholdParameters()


class Point(NamedTuple):
    """The cost of a threshold in one collection."""

    what: str
    source: str
    threshold: float
    lost: float
    """Share of the true digits or signs that are not found."""
    false: float
    """False detections, as a share of the true digits or signs."""
    false_on_empty: float
    """False digits per page without digits; NaN if there is no such page."""


class ReadDigits(NamedTuple):
    """The digits that are read."""

    confidence: Floats
    """(n,): confidences, rounded as in the results."""
    right: NDArray[np.bool_]
    """(n,): whether the digit is right."""
    page: NDArray[np.int64]
    """(n,): index of its page."""


@dataclass(frozen=True)
class FittedReading:
    """Everything that was fitted, and the rows it rests on."""

    joint: JointParameters
    calibration: Calibration
    min_score: tuple[float, float]
    min_digit_probability: float
    min_confidence: float
    familiar: Familiar
    table: tuple[Level, ...]
    sources: tuple[Measured, ...]
    curves: tuple[Point, ...]
    rows: dict[str, ReadDigits]
    """The digits read, by collection."""


def fit(evidence: Sequence[Evidence]) -> FittedReading:
    """Fit everything to the evidence.

    The detector's thresholds are chosen with all detections; then weights and calibration are fitted again to those at
    or above them. The default threshold and the table of errors are those of the worst collection of real paper:
    synthetic patches are much harder than pages.

    Args:
        evidence: The evidence of each collection.

    Returns:
        The fitted parameters, curves and rows.
    """
    joint, calibration = fit_reading(evidence)
    threshold, _ = choose_min_digit_probability(evidence, joint, calibration)
    min_score, curves = choose_min_score(evidence, joint, calibration, threshold)
    kept = [each.take(each.scores >= min_score[0]) for each in evidence]
    joint, calibration = fit_reading(kept)
    threshold, curve = choose_min_digit_probability(kept, joint, calibration)
    rows = {each.name: rows_of(each, joint, calibration, threshold) for each in kept}
    real = [own for name, own in rows.items() if name != SYNTHETIC] or list(rows.values())
    min_confidence = max(
        PARAMETERS.min_confidence, *(threshold_at(PARAMETERS.max_error, own.confidence, own.right) for own in real)
    )
    return FittedReading(
        joint,
        calibration,
        min_score,
        threshold,
        min_confidence,
        _familiar(evidence),
        worst_levels([levels(*own) for own in real if len(own.right)]),
        tuple(_measured(each, rows[each.name], min_confidence) for each in kept),
        (*curves, *curve),
        rows,
    )


def fit_reading(evidence: Sequence[Evidence]) -> tuple[JointParameters, Calibration]:
    """Fit the weights of both networks and the calibration of their joint answer.

    Each collection has the same weight. The weights of the networks are fitted to real paper alone, because the
    detector was trained by the maker of the synthetic patches.

    Args:
        evidence: The evidence of each collection.

    Returns:
        The weights and the calibration.
    """
    real = [e for e in evidence if e.name != SYNTHETIC] or evidence
    real_arrays = [
        np.concatenate([getattr(e, name)[e.labels < NOT_A_DIGIT] for e in real]) for name in (*NETWORKS, "labels")
    ]
    joint = fit_weights(
        real_arrays[0],
        real_arrays[1],
        real_arrays[2],
        _balanced_weights([int((e.labels < NOT_A_DIGIT).sum()) for e in real]),
    )
    detector, classifier = (np.concatenate([getattr(e, name) for e in evidence]) for name in NETWORKS)
    labels, scores = (np.concatenate([getattr(e, name) for e in evidence]) for name in ("labels", "scores"))
    is_digit = labels < NOT_A_DIGIT
    probabilities = joint_probabilities(detector, classifier, joint)
    all_weights = _balanced_weights([len(e) for e in evidence])
    boxed_weights = _balanced_weights([len(e) for e in evidence], [e.boxed for e in evidence])
    beside = np.concatenate([e.beside for e in evidence])
    inputs = features(scores, detector, classifier, probabilities, beside)
    right = probabilities.argmax(axis=1) == labels
    return joint, fit_calibration(inputs, right, is_digit, all_weights, boxed_weights)


def _balanced_weights(sizes: Sequence[int], counted: Sequence[bool] | None = None) -> Floats:
    """Return weights of observations so that all collections of these sizes count alike; the sum is their number.
    Collections that are not `counted` have the weight 0.
    """
    which = [size > 0 and (counted is None or counted[at]) for at, size in enumerate(sizes)]
    total = sum(size for size, counts in zip(sizes, which, strict=True) if counts)
    each = [total / sum(which) / size if counts else 0.0 for size, counts in zip(sizes, which, strict=True)]
    return np.repeat(each, sizes)


def reading_of(evidence: Evidence, joint: JointParameters, calibration: Calibration) -> JointReading:
    """Return what is read of the detections."""
    e = evidence
    return read_jointly(e.scores, e.detector, e.classifier, e.beside, joint, calibration)


def rows_of(
    evidence: Evidence, joint: JointParameters, calibration: Calibration, min_digit_probability: float
) -> ReadDigits:
    """Return the digits that are read: detections that are a digit with at least `min_digit_probability`."""
    read = reading_of(evidence, joint, calibration)
    which = read.is_digit >= min_digit_probability
    return ReadDigits(
        read.confidences[which].round(DECIMALS), (read.digits == evidence.labels)[which], evidence.page[which]
    )


def choose_min_digit_probability(
    evidence: Sequence[Evidence], joint: JointParameters, calibration: Calibration
) -> tuple[float, list[Point]]:
    """Choose the minimum probability to be a digit that costs least.

    Args:
        evidence: The evidence of each collection.
        joint: The weights of both networks.
        calibration: The calibration.

    Returns:
        The probability, and the costs of all that were tried.
    """
    curve = []
    for each in (e for e in evidence if e.boxed and e.true):
        chances = reading_of(each, joint, calibration).is_digit
        curve += [
            _point("digit", each, threshold, chances >= threshold) for threshold in PARAMETERS.digit_probabilities
        ]
    return _cheapest_threshold(curve), curve


def choose_min_score(
    evidence: Sequence[Evidence], joint: JointParameters, calibration: Calibration, min_digit_probability: float
) -> tuple[tuple[float, float], list[Point]]:
    """Choose the detector's minimum scores.

    Detections that the joint reading rejects are left out first, because both networks decide better than one.

    Args:
        evidence: The evidence of each collection.
        joint: The weights of both networks.
        calibration: The calibration.
        min_digit_probability: Minimum probability to be a digit.

    Returns:
        The minimum scores of digits (the highest of the best) and of signs, and the costs of all that were tried.
    """
    of_digits, of_signs = [], []
    for each in (e for e in evidence if e.boxed and e.true):
        taken = reading_of(each, joint, calibration).is_digit >= min_digit_probability
        of_digits += [
            _point("score", each, threshold, taken & (each.scores >= threshold)) for threshold in PARAMETERS.scores
        ]
        signs = each.signs
        for threshold in PARAMETERS.scores if signs.true else ():
            right = signs.right[signs.scores >= threshold]
            lost, false = 1 - np.count_nonzero(right) / signs.true, np.count_nonzero(~right) / signs.true
            of_signs.append(Point("sign", each.name, threshold, lost, false, float("nan")))
    return (_highest_cheapest_threshold(of_digits), _cheapest_threshold(of_signs or of_digits)), [*of_digits, *of_signs]


def _point(what: str, evidence: Evidence, threshold: float, taken: NDArray[np.bool_]) -> Point:
    false = taken & (evidence.labels == NOT_A_DIGIT)
    return Point(
        what,
        evidence.name,
        threshold,
        1 - np.count_nonzero(taken & ~false) / evidence.true,
        np.count_nonzero(false) / evidence.true,
        np.count_nonzero(false & evidence.on_empty) / evidence.empty if evidence.empty else float("nan"),
    )


def _costs(curve: Sequence[Point]) -> dict[float, float]:
    """Return the mean cost by threshold over the collections. A lost digit leaves no trace, a false one is marked."""
    thresholds = sorted({point.threshold for point in curve})
    cost = [(p.threshold, p.lost + PARAMETERS.false_cost * p.false) for p in curve]
    return {at: float(np.mean([own for threshold, own in cost if threshold == at])) for at in thresholds}


def _cheapest_threshold(curve: Sequence[Point]) -> float:
    """Return the threshold with the lowest cost, the lowest one of equals."""
    costs = _costs(curve)
    return min(costs, key=lambda at: (costs[at], at))


def _highest_cheapest_threshold(curve: Sequence[Point]) -> float:
    """Return the highest threshold with the lowest cost: it saves computing time."""
    costs = _costs(curve)
    return max(at for at, cost in costs.items() if cost <= min(costs.values()))


def worst_levels(tables: Sequence[tuple[Level, ...]]) -> tuple[Level, ...]:
    """Return at each confidence the level of the collection with the highest upper bound of the error."""
    worst: dict[float, Level] = {}
    for level in (level for table in tables for level in table):
        if level.confidence not in worst or level.high > worst[level.confidence].high:
            worst[level.confidence] = level
    return tuple(worst[confidence] for confidence in sorted(worst))


def _familiar(evidence: Sequence[Evidence]) -> Familiar:
    """Return the range of medians that are familiar; the scores' range is that of real paper alone."""
    made_up = [each.medians for each in evidence if each.name == SYNTHETIC]
    real = [each.medians for each in evidence if each.name != SYNTHETIC] or made_up
    return familiar_range(np.concatenate(real), np.concatenate([np.empty((0, 3)), *made_up]))


def _measured(evidence: Evidence, rows: ReadDigits, threshold: float) -> Measured:
    accepted, right = rows.confidence >= threshold, rows.right
    return Measured(
        name=evidence.name,
        pages=evidence.pages,
        digits=evidence.true,
        rows=len(right),
        wrong=int((~right).sum()),
        accepted=int(accepted.sum()),
        accepted_wrong=int((~right & accepted).sum()),
    )
