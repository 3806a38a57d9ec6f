"""Confidence bounds of a measured share of errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BoundsParameters:
    """How bounds are computed."""

    certainty: float = 0.95
    """Probability that the true error is between its bounds. Basis: the usual choice in statistics."""
    bisection_steps: int = 50
    """Bisection steps for a bound. Basis: one half to the power of 50 is 1e-15, the resolution of float64."""


PARAMETERS = BoundsParameters()


def design_effect(right: NDArray[np.bool_], pages: NDArray[np.integer]) -> float:
    """Compute the design effect of rows that are clustered on pages.

    It is the variance of the share of wrong rows, divided by the variance for independent rows. The variance over pages
    is that of a ratio estimator (Kish: Survey Sampling, 1965).

    Args:
        right: Whether each row (n,) is right.
        pages: Index (n,) of the page of each row.

    Returns:
        The design effect, at least 1. It is 1 if no row or every row is wrong, or if all rows are on one page.
    """
    _, page = np.unique(pages, return_inverse=True)
    count, share = len(right), float((~right).mean()) if len(right) else 0.0
    sizes = np.bincount(page) if count else np.empty(0)
    if len(sizes) < 2 or not 0 < share < 1:
        return 1.0
    residuals = np.bincount(page, ~right) - share * sizes
    variance = len(sizes) / (len(sizes) - 1) * float((residuals**2).sum()) / count**2
    return max(1.0, variance / (share * (1 - share) / count))


def error_bounds(
    wrong: int, count: int, effect: float = 1.0, parameters: BoundsParameters = PARAMETERS
) -> tuple[float, float]:
    """Compute bounds of the true error from a measured one.

    These are the exact bounds of the binomial distribution (Clopper, Pearson, 1934). With clustered rows, the number of
    rows is divided by the design effect (Korn, Graubard, 1998) and rounded to the safe side.

    Args:
        wrong: Number of wrong rows.
        count: Number of rows.
        effect: Design effect, at least 1.
        parameters: Has the certainty of the bounds.

    Returns:
        Lower and upper bound, 0 to 1.
    """
    tail = (1 - parameters.certainty) / 2
    rows = max(1, math.floor(count / effect))
    max_wrong, min_wrong = min(rows, math.ceil(wrong / effect)), math.floor(wrong / effect)
    lower = _binomial_share(min_wrong - 1, rows, 1 - tail, parameters) if min_wrong else 0.0
    upper = _binomial_share(max_wrong, rows, tail, parameters) if max_wrong < rows else 1.0
    return lower, upper


def _binomial_share(wrong: int, count: int, chance: float, p: BoundsParameters) -> float:
    """Find by bisection the true share where at most `wrong` of `count` rows are wrong with probability `chance`."""
    i = np.arange(wrong + 1)
    # logarithms of the binomial coefficients: each is the previous one times (count - i + 1) / i
    coefficients = np.r_[0.0, np.log((count - i[1:] + 1) / i[1:])].cumsum()
    lower, upper = 0.0, 1.0
    for _ in range(p.bisection_steps):
        share = (lower + upper) / 2
        at_most = np.exp(coefficients + i * math.log(share) + (count - i) * math.log1p(-share)).sum()
        lower, upper = (share, upper) if at_most > chance else (lower, share)
    return (lower + upper) / 2
