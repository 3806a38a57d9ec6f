"""Print told from handwriting: figures in a line of print stand as its letters do, what is written beside it does not.

Print keeps to a base line, a few heights, one width of strokes and one darkness; a hand keeps to none of them (after
Kavallieratou and Stamatatos, Discrimination of machine-printed from handwritten text, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import Floats
from batchocr.records import Candidate, Style

Bools = NDArray[np.bool_]

LETTER = 0.5
"""How likely no digit a letter is at least."""
WIDEST, TOGETHER = 1.4, 1.0
"""Heights: a letter is no wider, and no further from the next of its word."""
WORD = 5
"""Neighbours of which all but one are letters, where there is a word: a few figures may look like no digit."""
FEWEST, ENOUGH = 4, 7
"""Letters without which a line says nothing, and with which it says all it can."""
UNLIKE = 3
"""Letters of another kind that are taken to stand on each line besides: no line is all print for certain."""
NEAR, ROW = 30, 5
"""Letters with which a candidate is compared, and figures, the nearest of its line."""
LOW, HIGH = 0.9, 1.6
"""Times the usual height of these letters: figures of the same print are as high as that, or between."""
FLATTEST = 6.0
"""Heights between two letters from which on they tell how the line slopes."""
SPREAD = np.array([0.03, 0.04, 0.08, 0.06])
"""Within print, the standard deviation of feet and heads, in heights, and of the logarithms of stroke and darkness."""
REACH = np.array([0.3, 0.3, 0.2, 0.12])
"""By how much handwriting differs from the print beside it; little where a pen may well be as wide and as dark."""
STRAY = 0.05
"""Share of print that differs as much as handwriting."""
BIAS = -1.2
"""A logistic regression, of 2,130 printed figures and 2,390 written digits on pages of `benchmarks/mixed.py` and forms
of `benchmarks/pages.py`, gave the four traits about the same weight, and a bias of twice this.
"""


def odds(candidates: Sequence[Candidate], none: Floats) -> tuple[Floats, float]:
    """Log odds (n,) that each candidate of a line is of the print of the letters near it, and the share of print there.

    0 where there are too few letters. `none` (n,) is the chance of each candidate to be no digit.
    """
    styles = [c.style for c in candidates if c.style]
    letters = _letters(candidates, none)
    count = int(letters.sum())
    if len(styles) < len(candidates) or count < FEWEST:
        return np.zeros(len(candidates)), 0.0
    found = (traits(styles, letters).sum(axis=1) + BIAS) * min(1.0, (count - 1) / (ENOUGH - 1))
    return found, float((found[letters] > 0).sum() / (count + UNLIKE))


def _letters(candidates: Sequence[Candidate], none: Floats) -> Bools:
    """Which of the candidates of a line stand beside another one of which no digit can be made either."""
    unlike = none > LETTER
    if unlike.sum() < WORD - 1 or np.convolve(unlike, np.ones(WORD)).max() < WORD - 1:
        return np.zeros_like(unlike)
    box = [c.box for c in candidates]
    letters = unlike & np.array([c.box.width <= WIDEST * c.box.height for c in candidates], np.bool_)
    near = [b.left - a.right <= TOGETHER * max(a.height, b.height) for a, b in pairwise(box)]
    beside = letters[:-1] & letters[1:] & np.array(near, np.bool_)
    return np.append(beside, False) | np.append(False, beside)


def traits(styles: Sequence[Style], letters: Bools) -> Floats:
    """By foot, head, stroke and darkness, how each candidate of a line fits the print of its `letters` (n,): (n, 4).

    Each a log likelihood ratio of print to handwriting. There are at least two letters. A foot is compared with the
    usual one of the letters near, a head with that of the second nearest in height: capitals are rare. Where a row of
    figures is as high as these may be, their heads are compared with one another too.
    """
    middle = np.array([style.box.left + style.box.width / 2 for style in styles])
    foot = np.array([style.box.bottom for style in styles], np.float64)
    high = np.array([style.box.height for style in styles], np.float64)
    stroke = np.log([max(0.5, style.stroke) for style in styles])
    dark = np.log([max(1.0, style.dark) for style in styles])
    which, others = np.flatnonzero(letters), np.flatnonzero(~letters)
    foot -= _slope(middle[which], foot[which], float(np.median(high[which]))) * middle
    head = foot - high
    near = _nearest(middle, which, NEAR)
    above = np.sort(np.abs(head[near] - head[:, None]), axis=1)[:, min(1, near.shape[1] - 1)]
    if len(others) > ROW:
        in_row = np.median(np.abs(head[_nearest(middle, others, ROW)] - head[:, None]), axis=1)
        ratio = high / np.median(high[near], axis=1)
        above = np.where((ratio >= LOW) & (ratio <= HIGH), np.minimum(above, in_row), above)
    below = np.abs(foot - np.median(foot[near], axis=1))
    apart = np.stack(
        [
            np.maximum(0, below - 0.5) / high,  # a box is of whole pixels
            np.maximum(0, above - 0.5) / high,
            np.abs(stroke - np.median(stroke[near], axis=1)),
            np.abs(dark - np.median(dark[near], axis=1)),
        ],
        axis=1,
    )
    as_print = 2 / (np.sqrt(2 * np.pi) * SPREAD) * np.exp(-((apart / SPREAD) ** 2) / 2)
    return np.asarray(np.log((1 - STRAY) * as_print * REACH + STRAY))


def _nearest(middle: Floats, which: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Of those `which` (m,), the nearest to each of all (n,), itself left out: (n, `most` or fewer)."""
    away = np.abs(middle[:, None] - middle[which])
    away[which, np.arange(len(which))] = np.inf
    return which[np.argsort(away, axis=1, kind="stable")[:, : min(most, len(which) - 1)]]


def _slope(x: Floats, y: Floats, high: float) -> float:
    """Of the line through points (n,): the median slope of all pairs that are not too near (Theil, 1950; Sen, 1968)."""
    first, second = np.triu_indices(len(x), 1)
    across = x[second] - x[first]
    far = np.abs(across) >= FLATTEST * high
    return float(np.median((y[second] - y[first])[far] / across[far])) if far.any() else 0.0
