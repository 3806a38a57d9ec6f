"""Whether a page is like the pages that the models were measured on; on other pages the confidences may not hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FamiliarityParameters:
    """Which digits describe a page, and how wide the ranges of the measured pages are."""

    min_score: float = 0.3
    """Minimum score of the digits that describe a page. Basis: the minimum score of digits that give rows."""
    min_digits: int = 6
    """Minimum number of such digits; a page with fewer is not marked. Basis: chosen by eye."""
    tail_share: float = 0.005
    """Share of the measured pages that is outside each end of a range, when `reading.json` is fitted. Basis: at most
    one page in a hundred of the measured kinds is marked for each quantity."""


PARAMETERS = FamiliarityParameters()


@dataclass(frozen=True)
class Familiar:
    """Ranges of the medians of the measured pages' digits, as minimum and maximum. A run takes those of
    `reading.json`."""

    score: tuple[float, float] = (0.0, 1.0)
    """Score of the detector."""
    height_px: tuple[float, float] = (0.0, 1e6)
    """Height of the digits in pixels of the level page."""
    strength: tuple[float, float] = (0.0, 255.0)
    """Strength of their ink: grey values by which it differs from the paper around it."""


def page_medians(
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    strengths: NDArray[np.floating],
    parameters: FamiliarityParameters = PARAMETERS,
) -> Floats | None:
    """Compute the medians that describe a page.

    Args:
        boxes: (n, 4) left, top, width and height of its digits in pixels.
        scores: (n,) scores of the detector.
        strengths: (n,) strengths of the digits' ink.
        parameters: which digits describe a page.

    Returns:
        (3,) medians of score, height and strength; None if there are few digits.
    """
    which = scores >= parameters.min_score
    if np.count_nonzero(which) < parameters.min_digits:
        return None
    return np.array([np.median(values[which]) for values in (scores, boxes[:, 3], strengths)], np.float64)


def is_unfamiliar(medians: Floats | None, familiar: Familiar) -> bool:
    """Return whether the medians (3,) of a page are outside the ranges of the measured pages; false for None."""
    if medians is None:
        return False
    minimum, maximum = np.array([familiar.score, familiar.height_px, familiar.strength]).T
    return bool((medians < minimum).any() or (medians > maximum).any())


def familiar_range(
    pages: Floats, synthetic: Floats | None = None, parameters: FamiliarityParameters = PARAMETERS
) -> Familiar:
    """Compute the ranges of measured pages, rounded outwards.

    The score and the strength of ink have no upper limit.

    Args:
        pages: (n, 3) medians of real pages.
        synthetic: (m, 3) medians of synthetic pages. They widen the ranges of height and strength, but not the range of
            the score, because they are harder to read.
        parameters: how wide the ranges are.

    Returns:
        The ranges; those that all pages fit if there are no real pages.
    """
    if not len(pages):
        return Familiar()
    tail = parameters.tail_share
    all_pages = pages if synthetic is None else np.concatenate([pages, synthetic])
    minimum, maximum = np.quantile(all_pages, (tail, 1 - tail), axis=0)
    minimum[0] = np.quantile(pages[:, 0], tail)
    return Familiar(
        (float(np.floor(minimum[0] * 1000) / 1000), 1.0),
        (float(np.floor(minimum[1])), float(np.ceil(maximum[1]))),
        (float(np.floor(minimum[2])), 255.0),
    )
