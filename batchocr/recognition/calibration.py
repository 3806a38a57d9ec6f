"""Probabilities that can be trusted: temperature scaling, and how many are wrong from each confidence on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]

TINY = 1e-12
NOT_A_DIGIT = 10
"""The digits' classes are 0 to 9; the one after them is "none of them"."""
DECIMALS = 4
"""Of a confidence as it is written; thresholds are compared with that."""
ACCEPTED_ERROR = 0.01
"""Share of wrong digits among those at or above the default threshold."""
LEAST_THRESHOLD = 0.5
"""Of the default: a digit that is more likely wrong than right is marked, however few there are."""
CERTAINTY = 0.95
"""Of the bounds of a measured error."""
GRID = np.unique(np.r_[0, 1000, 2000, 3000, 4000, 10_000 - np.rint(np.geomspace(1, 5000, 48)), 10_000]) / 10_000
"""Confidences at which errors are told: few below 0.5, and the finer the nearer to 1; of 4 decimals."""


class Level(BaseModel):
    """What was measured of the rows whose confidence is at or above `confidence`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float = Field(ge=0, le=1)
    accepted: int = Field(ge=0)
    """Rows at or above it."""
    share: float = Field(ge=0, le=1)
    """Of all rows measured, those accepted."""
    wrong: int = Field(ge=0)
    """Of the rows accepted."""
    error: float = Field(ge=0, le=1)
    """Share of the rows accepted that are wrong."""
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    """Bounds between which the true share lies with CERTAINTY."""


def apply_temperature(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """Probabilities (n, classes) with their logarithms divided by `temperature`, each row summing to 1.

    Temperature scaling (Guo, Pleiss, Sun, Weinberger, 2017): above 1 it makes them humbler; the order stays, and what
    is 0 stays 0. A second scaling multiplies the temperatures.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), TINY)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    raised = np.exp(logits) * (probabilities > 0)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def negative_log_likelihood(probabilities: Floats, truth: NDArray[np.integer]) -> float:
    """Mean of −log of the probability given to the true class."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], TINY)).mean())


def fit_temperature(probabilities: NDArray[np.floating], truth: NDArray[np.integer], spread: float = math.inf) -> float:
    """The temperature between 0.25 and 8 with the least negative log likelihood on held-out digits (n,).

    With a `spread`, the likeliest one where its logarithm is before any digit is seen normal about 0 with this standard
    deviation: few digits then move it little. Without, a few that are all right would call for certainty.
    """

    def loss(log: float) -> float:
        return negative_log_likelihood(apply_temperature(probabilities, math.exp(log)), truth) + (
            log / spread
        ) ** 2 / 2 / len(truth)

    low, high = np.log(0.25), np.log(8.0)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if loss(a) <= loss(b) else (a, high)
    return round(float(np.exp((low + high) / 2)), 4)


def threshold_at(error: float, confidence: Floats, right: NDArray[np.bool_]) -> float:
    """The lowest confidence such that, of all digits at or above it, at most the share `error` is wrong.

    1.0 where no threshold gives that; digits of equal confidence are accepted together.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    good = np.flatnonzero((wrong <= error) & last_of_equals)
    return float(sorted_confidence[good[-1]]) if len(good) else 1.0


def default_threshold(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """The threshold where none is asked for: 1% of those at or above it were wrong; never below LEAST_THRESHOLD."""
    return max(LEAST_THRESHOLD, threshold_at(ACCEPTED_ERROR, confidence.round(DECIMALS), right))


def predicted_classes(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The likeliest digit (n,) by probabilities (n, 10 or 11); 10 where none is likelier than all digits together."""
    none = probabilities[:, NOT_A_DIGIT:].sum(axis=1) > 0.5  # as a page's candidates are read
    return np.where(none, NOT_A_DIGIT, probabilities[:, :NOT_A_DIGIT].argmax(axis=1))


def digit_confidences(probabilities: Floats, labels: NDArray[np.integer]) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidence, and whether it is right, of each candidate that gives a row: that is not taken for none.

    Of probabilities (n, 10 or 11) and true classes (n,), where 10 is no digit: a row for such a candidate is wrong.
    """
    predicted = predicted_classes(probabilities)
    read = predicted < NOT_A_DIGIT
    return probabilities[:, :NOT_A_DIGIT].max(axis=1)[read], (predicted == labels)[read]


def levels(confidence: Floats, right: NDArray[np.bool_], pages: NDArray[np.integer] | None = None) -> tuple[Level, ...]:
    """How many of the rows (n,) were accepted and wrong at each confidence of GRID that some of them reach, rising.

    Confidences are taken as they are written, with 4 decimals. `pages` (n,) says which page each row is of: wrong rows
    come in clusters, so that the bounds are those of fewer rows (`design_effect`); None where each is by itself.
    """
    written = confidence.round(DECIMALS)
    effect = 1.0 if pages is None else design_effect(right, pages)
    table = []
    for least in GRID.tolist():
        accepted = written >= least
        count, wrong = int(accepted.sum()), int((~right[accepted]).sum())
        if count:
            low, high = error_bounds(wrong, count, effect)
            table.append(
                Level(
                    confidence=least,
                    accepted=count,
                    share=round(count / len(written), 6),
                    wrong=wrong,
                    error=round(wrong / count, 6),
                    # away from the measured error, so that rounding promises nothing
                    low=math.floor(low * 1e6) / 1e6,
                    high=math.ceil(high * 1e6) / 1e6,
                )
            )
    return tuple(table)


def level_for(table: Iterable[Level], max_error: float) -> Level | None:
    """The lowest confidence from which, with 95% certainty, at most the share `max_error` is wrong; None where none is.

    That is the lowest whose upper bound of the error is at or below `max_error`.
    """
    fit = [level for level in table if level.high <= max_error]
    return min(fit, key=lambda level: level.confidence, default=None)


def threshold_for(table: Iterable[Level], max_error: float) -> float | None:
    """The confidence of `level_for`."""
    level = level_for(table, max_error)
    return None if level is None else level.confidence


def min_error_level(table: Sequence[Level]) -> Level:
    """The level with the least upper bound: no smaller error can be asked of a table, which must not be empty."""
    return min(table, key=lambda level: level.high)


def design_effect(right: NDArray[np.bool_], pages: NDArray[np.integer]) -> float:
    """How many times the variance of the share of wrong rows is that of rows drawn one by one; at least 1.

    `right` (n,) and `pages` (n,), the page that each row is of. The variance over pages is that of a ratio estimator
    (Kish 1965: Survey Sampling); 1 where nothing or all is wrong, or all is of one page.
    """
    _, page = np.unique(pages, return_inverse=True)
    count, share = len(right), float((~right).mean()) if len(right) else 0.0
    sizes = np.bincount(page) if count else np.empty(0)
    if len(sizes) < 2 or not 0 < share < 1:
        return 1.0
    off = np.bincount(page, ~right) - share * sizes
    variance = len(sizes) / (len(sizes) - 1) * float((off**2).sum()) / count**2
    return max(1.0, variance / (share * (1 - share) / count))


def error_bounds(wrong: int, count: int, effect: float = 1.0) -> tuple[float, float]:
    """Between what shares the true one lies with 95% certainty, where `wrong` of `count` were seen to be wrong.

    The exact bounds of the binomial distribution (Clopper, Pearson, 1934): with the lower one as many wrong or more
    come in 2.5% of cases, with the upper one as many or fewer. Of rows in clusters they are those of as many rows as
    say the same one by one, `count` over the design effect (Korn, Graubard, 1998), in whole rows on the safe side.
    """
    tail = (1 - CERTAINTY) / 2
    whole = max(1, math.floor(count / effect))
    most, least = min(whole, math.ceil(wrong / effect)), math.floor(wrong / effect)
    low = _share_where(least - 1, whole, 1 - tail) if least else 0.0
    high = _share_where(most, whole, tail) if most < whole else 1.0
    return low, high


def _share_where(wrong: int, count: int, chance: float) -> float:
    """The share wrong of all at which at most `wrong` of `count` are wrong in `chance` of cases; found by halving."""
    i = np.arange(wrong + 1)
    # logarithms of the binomial coefficients, each of them the one before times (count - i + 1) / i
    ways = np.r_[0.0, np.log((count - i[1:] + 1) / i[1:])].cumsum()
    low, high = 0.0, 1.0
    for _ in range(50):
        share = (low + high) / 2
        at_most = np.exp(ways + i * math.log(share) + (count - i) * math.log1p(-share)).sum()
        low, high = (share, high) if at_most > chance else (low, share)
    return (low + high) / 2


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean gap between confidence and share right over `bins` equal bins, weighted with their digits (0 to 1)."""
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(index, right, bins) - np.bincount(index, confidence, bins)
    return float(np.abs(gap).sum() / max(1, len(confidence)))
