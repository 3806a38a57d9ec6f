"""Whether a page is like those that the models were measured on: what was promised there may not hold elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_SCORE = 0.3
"""Of the detector: weaker digits tell nothing of a page."""
MIN_DIGITS = 6
"""Of a page with fewer nothing is told."""
QUANTILE = 0.005
"""Share of the measured pages that lie beyond either end of a range."""


@dataclass(frozen=True)
class Familiar:
    """Ranges of what the measured pages have, from and to: each the median of a page's digits.

    A run takes those of `reading.json`.
    """

    score: tuple[float, float] = (0.0, 1.0)
    """Of the detector."""
    height_px: tuple[float, float] = (0.0, 1e6)
    """Of the digits, in pixels of the level page."""
    strength: tuple[float, float] = (0.0, 255.0)
    """Of their ink, in grey values from the paper around it."""


def page_medians(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], strengths: NDArray[np.floating]
) -> Floats | None:
    """Medians (3,) of score, height and strength of ink of a page's digits; None where there are few."""
    which = scores >= MIN_SCORE
    if np.count_nonzero(which) < MIN_DIGITS:
        return None
    return np.array([np.median(each[which]) for each in (scores, boxes[:, 3], strengths)], np.float64)


def is_unfamiliar(medians: Floats | None, familiar: Familiar) -> bool:
    """Whether a page's medians lie beyond what the measured pages have."""
    if medians is None:
        return False
    low, high = np.array([familiar.score, familiar.height_px, familiar.strength]).T
    return bool((medians < low).any() or (medians > high).any())


def familiar_range(pages: Floats, made_up: Floats | None = None) -> Familiar:
    """The ranges of pages with these medians (n, 3), rounded outwards; no score is too good, and no ink too black.

    Those of `made_up` pages (m, 3) widen the ranges of height and ink, but not of the score: they are harder to read.
    """
    if not len(pages):
        return Familiar()
    every = pages if made_up is None else np.concatenate([pages, made_up])
    low, high = np.quantile(every, (QUANTILE, 1 - QUANTILE), axis=0)
    low[0] = np.quantile(pages[:, 0], QUANTILE)
    return Familiar(
        (float(np.floor(low[0] * 1000) / 1000), 1.0),
        (float(np.floor(low[1])), float(np.ceil(high[1]))),
        (float(np.floor(low[2])), 255.0),
    )
