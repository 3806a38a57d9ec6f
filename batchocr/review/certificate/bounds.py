"""Exact bounds of a share of errors, and the choice of a threshold whose share is small enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEPS = 60
"""Bisection steps. Basis: 2^-60 is finer than a float of such a size needs."""


def at_most(wrong: int, count: int, share: float) -> float:
    """Return the probability of at most `wrong` errors among `count` items, if each is wrong with chance `share`."""
    if wrong >= count or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    i = np.arange(wrong + 1)
    logs = np.r_[0.0, np.log((count - i[1:] + 1) / i[1:])].cumsum() + i * math.log(share)
    return min(1.0, float(np.exp(logs + (count - i) * math.log1p(-share)).sum()))


def upper_bound(wrong: int, count: int, certainty: float) -> float:
    """Return the one-sided upper bound of a share of errors (Clopper, Pearson, 1934).

    Args:
        wrong: Number of errors.
        count: Number of independent items.
        certainty: Probability that the bound holds, 0 to 1.

    Returns:
        The bound, 0 to 1.
    """
    if wrong >= count:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        share = (low + high) / 2
        low, high = (share, high) if at_most(wrong, count, share) > 1 - certainty else (low, share)
    return high


def needed(wrong: int, max_error: float, certainty: float) -> int:
    """Return how many independent items are needed, `wrong` of them wrong, to state `max_error`."""
    low, high = wrong, max(wrong + 1, 1)
    while at_most(wrong, high, max_error) > 1 - certainty:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_most(wrong, middle, max_error) > 1 - certainty else (low, middle)
    return high


@dataclass(frozen=True)
class Tested:
    """A threshold that was tested."""

    threshold: float
    units: int
    """Reviewed items at or above it, one of a page."""
    wrong: int
    passed: bool


def choose_threshold(
    confidences: Sequence[float], wrong: Sequence[bool], grid: Sequence[float], max_error: float, certainty: float
) -> tuple[Tested, ...]:
    """Test thresholds from strict to loose until one fails.

    This is fixed-sequence testing (Angelopoulos, Bates, Candès, Jordan, Lei: Learn then test, arXiv 2110.01052): the
    order is fixed before the decisions are seen, each test has the full level, and the first failure ends it. Therefore
    all thresholds that passed hold together with the stated certainty. Each test is the exact one of the binomial
    distribution.

    Args:
        confidences: Of each unit.
        wrong: Whether each unit is wrong.
        grid: The thresholds, the strictest first.
        max_error: The share to state.
        certainty: Of the statement.

    Returns:
        What was tested. The last that passed is the threshold.
    """
    tested: list[Tested] = []
    for threshold in grid:
        at = [bad for confidence, bad in zip(confidences, wrong, strict=True) if confidence >= threshold]
        passed = bool(at) and at_most(sum(at), len(at), max_error) <= 1 - certainty
        tested.append(Tested(threshold, len(at), sum(at), passed))
        if not passed:
            break
    return tuple(tested)
