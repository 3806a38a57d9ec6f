"""Whether the pages of a run look like those that a certificate rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DriftParameters:
    """How the scores of two sets of pages are compared."""

    false_alarms: float = 0.05
    """Share of runs over pages of the same collection that are called different. Basis: the usual level of a test."""
    permutations: int = 999
    """Number of permutations. Basis: the smallest chance is then 0.001, well below the level."""
    max_pages: int = 2000
    """Pages of each side that are compared, drawn at random. Basis: a change of a tenth of a standard deviation is then
    found nearly always, in less than a second."""
    max_log_odds: float = 9.0
    """Log-odds are cut here. Basis: tables have four decimals of a confidence."""
    seed: int = 0
    """Seed of the permutations. Basis: any; the same run gives the same answer."""


PARAMETERS = DriftParameters()


def page_score(confidences: Iterable[float], parameters: DriftParameters = PARAMETERS) -> float | None:
    """Return the mean log-odds of the confidences (0 to 1) of a page. None if it has none."""
    least = 1 / (1 + math.exp(parameters.max_log_odds))
    cut = [min(max(round(each, 4), least), 1 - least) for each in confidences]
    return round(math.fsum(math.log(each / (1 - each)) for each in cut) / len(cut), 4) if cut else None


def drift_chance(before: Sequence[float], now: Sequence[float], parameters: DriftParameters = PARAMETERS) -> float:
    """Test whether pages are exchangeable with earlier ones.

    A permutation test, exact for exchangeable pages (Lehmann, Romano: Testing statistical hypotheses, 2005, chapter
    15). Pages are the units, so that items of a page may go together. Two statistics are tested, the greatest distance
    of the distributions (Kolmogorov, Smirnov) and that of the means, each with half of the level (Bonferroni).

    Args:
        before: Scores of the pages that the certificate rests on.
        now: Scores of the pages of the run.

    Returns:
        The chance of such a difference if nothing changed, 0 to 1. 1 if there is nothing to compare.
    """
    if not before or not now:
        return 1.0
    random = np.random.default_rng(parameters.seed)
    sides = [_some(np.asarray(side, float), random, parameters.max_pages) for side in (before, now)]
    values: NDArray[np.float64] = np.concatenate(sides)
    order = np.argsort(values, kind="stable")
    ends = np.r_[np.diff(values[order]) > 0, True]  # the last of equal values
    weights: NDArray[np.float64] = np.concatenate(
        [np.full(len(sides[0]), 1 / len(sides[0])), np.full(len(sides[1]), -1 / len(sides[1]))]
    )
    found = np.array(_statistics(weights[order], values[order], ends))
    reached = np.ones(2)
    for _ in range(parameters.permutations):
        reached += np.array(_statistics(random.permutation(weights), values[order], ends)) >= found - 1e-12
    return min(1.0, 2 * float(reached.min()) / (parameters.permutations + 1))


def _statistics(
    weights: NDArray[np.float64], values: NDArray[np.float64], ends: NDArray[np.bool_]
) -> tuple[float, float]:
    return float(np.abs(weights.cumsum()[ends]).max()), abs(float(weights @ values))


def _some(values: NDArray[np.float64], random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return values if len(values) <= count else random.choice(values, count, replace=False)
