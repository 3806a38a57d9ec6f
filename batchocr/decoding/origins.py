"""By hand or in print: what the detector says of each digit decides for the number that it is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.numbers import WrittenNumber, span
from batchocr.decoding.rules import rules_between
from batchocr.records import Origin, Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OriginParameters:
    """Of a digit's score, the share that is for print: 0 is writing, 1 is print."""

    print_share: float = 0.8
    """Of a number, from which on it is print: clear writing looks a little like it, and is not to be lost. On photos of
    sudokus 0.75 loses 1.3% of what is written, 0.9 leaves twice the printed digits."""
    doubtful_share: float = 0.25
    """Of a number, from which on it may be print, and is marked, up to `sure_print`. Of what is written on cheques none
    has more, of surely read numbers in lines of text 4%, of print nine tenths."""
    sure_hand: float = 0.35
    """Of a digit, up to which it is certainly by hand..."""
    sure_print: float = 0.9
    """...and from which on it is certainly print: a number may be parted there..."""
    apart_heights: float = 0.5
    """...where so much paper, in heights of its digits, lies between both, or a rule, as between cells..."""
    least_run: int = 2
    """...or that many of either kind stand in a row..."""
    same_height_ratio: float = 1.12
    """...and both differ in height by this, at least: neat writing looks like print here and there."""
    held: float = 0.02
    """Shares are held at least so far from 0 and 1, so that no digit decides alone."""


def parted(
    number: WrittenNumber, boxes: Floats, shares: Floats, pixels: Pixels, parameters: OriginParameters | None = None
) -> list[WrittenNumber]:
    """A number parted where print and writing meet, as where `20` is printed and the rest of a year is filled in.

    `boxes` (n, 4) and `shares` (n,) are those of every digit of the page; `pixels` is the level page, looked at for
    rules between print and writing. Digits that are not certain go with those to their left, the first ones with those
    to their right.
    """
    how = parameters or OriginParameters()
    places = list(number.digits)
    left, _, width, height = boxes[places].T
    certain = np.flatnonzero((shares[places] <= how.sure_hand) | (shares[places] >= how.sure_print))
    printed = shares[places][certain] >= how.sure_print
    if printed.all() or not printed.any():
        return [number]
    changes = np.flatnonzero(np.diff(printed.astype(np.int8))) + 1
    ends = np.r_[0, changes, len(printed)]
    runs = np.diff(ends)
    kind = np.median(height[certain[printed]]), np.median(height[certain[~printed]])
    alike = max(kind) < how.same_height_ratio * min(kind)
    in_a_row = (np.minimum(runs[:-1], runs[1:]) >= how.least_run) & (not alike)
    starts = certain[changes]
    gaps = left[starts] - left[starts - 1] - width[starts - 1]
    high = float(np.median(height))
    apart = (gaps >= how.apart_heights * high) | [_is_ruled(boxes[places], at, high, pixels) for at in starts.tolist()]
    starts = starts[in_a_row | apart]
    parts = []
    for start, stop in pairwise([0, *starts.tolist(), len(places)]):
        signs = [(at - start, sign) for at, sign in number.signs if start < at < stop or (at == start == 0)]
        parts.append(WrittenNumber(number.digits[start:stop], tuple(signs), number.doubtful))
    return parts


def _is_ruled(boxes: Floats, at: int, high: float, pixels: Pixels) -> bool:
    """Whether a rule stands before the digit at a place of a number with these boxes (n, 4)."""
    before, after = boxes[at - 1], boxes[at]
    top, bottom = span(boxes, np.arange(len(boxes)), at - 1)
    return bool(rules_between(pixels, before[0] + before[2], after[0], top, bottom, high))


def origin_of(digits: Sequence[int], shares: Floats, parameters: OriginParameters | None = None) -> tuple[Origin, bool]:
    """The origin of the number of these digits, by the mean of their log odds, and whether that is doubtful."""
    how = parameters or OriginParameters()
    held = np.clip(shares[list(digits)], how.held, 1 - how.held)
    share = 1 / (1 + np.exp(-float(np.log(held / (1 - held)).mean())))
    return "print" if share >= how.print_share else "hand", how.doubtful_share <= share < how.sure_print
