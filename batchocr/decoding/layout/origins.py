"""The origin of numbers, handwritten or printed, from the print shares of their digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.layout.gaps import vertical_span
from batchocr.decoding.layout.numbers import WrittenNumber
from batchocr.decoding.layout.rules import PARAMETERS as RULES
from batchocr.decoding.layout.rules import RuleParameters, rules_between
from batchocr.records import Origin, Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OriginParameters:
    """When a number is printed and when it is split; the share of a digit is 0 for handwriting and 1 for print."""

    min_print_share: float = 0.8
    """Minimum share of a printed number. Basis: clear handwriting looks a little like print and must not be lost; on
    photos of sudokus 0.75 loses 1.3% of the handwriting, and 0.9 leaves twice as many printed digits."""
    min_doubtful_share: float = 0.25
    """Minimum share of a number that is marked because it may be printed; the maximum is `min_sure_print_share`. Basis:
    of the handwritten numbers on cheques none has more, of surely read numbers in lines of text 4%, of print nine
    tenths."""
    max_sure_hand_share: float = 0.35
    """Maximum share of a digit that is certainly handwritten. Basis: tried on photos of sudokus."""
    min_sure_print_share: float = 0.9
    """Minimum share of a digit that is certainly printed. Basis: tried on photos of sudokus."""
    min_split_gap_heights: float = 0.5
    """Minimum gap between a certainly printed and a certainly handwritten digit at which a number is split, in heights
    of its digits. Basis: the gap between cells of a table."""
    min_run_digits: int = 2
    """Minimum number of certain digits of the same origin on both sides of a smaller gap at which a number is split, if
    print and handwriting also differ in height. Basis: chosen by eye."""
    min_height_ratio: float = 1.12
    """Minimum ratio of both heights for such a split. Basis: single digits of neat handwriting look printed, but all
    digits of a hand have about the same height."""
    min_odds_share: float = 0.02
    """Shares closer to 0 and 1 count as this one and 1 minus this one, so that no digit decides alone. Basis: chosen by
    eye."""


PARAMETERS = OriginParameters()


def split_by_origin(
    number: WrittenNumber,
    boxes: Floats,
    shares: Floats,
    pixels: Pixels,
    parameters: OriginParameters = PARAMETERS,
    rule_parameters: RuleParameters = RULES,
) -> list[WrittenNumber]:
    """Split a number where print and handwriting meet, as in a year with a printed `20` and handwritten digits after
    it.

    Digits that are not certain stay with the digits to their left, the first digits with those to their right.

    Args:
        number: a number of the page.
        boxes: (n, 4) left, top, width and height of the page's digits in pixels.
        shares: (n,) share of print in the score of each digit, 0 to 1.
        pixels: (height, width) uint8, the level page; only rules between print and handwriting are searched in it.
        parameters: where a number is split.
        rule_parameters: what a rule is.

    Returns:
        The parts from the left; the number itself if it is not split.
    """
    p = parameters
    indices = list(number.digits)
    left, _, width, height = boxes[indices].T
    certain = np.flatnonzero((shares[indices] <= p.max_sure_hand_share) | (shares[indices] >= p.min_sure_print_share))
    printed = shares[indices][certain] >= p.min_sure_print_share
    if printed.all() or not printed.any():
        return [number]
    changes = np.flatnonzero(np.diff(printed.astype(np.int8))) + 1
    runs = np.diff(np.r_[0, changes, len(printed)])
    heights = np.median(height[certain[printed]]), np.median(height[certain[~printed]])
    same_height = max(heights) < p.min_height_ratio * min(heights)
    long_runs = (np.minimum(runs[:-1], runs[1:]) >= p.min_run_digits) & (not same_height)
    starts = certain[changes]
    gaps = left[starts] - left[starts - 1] - width[starts - 1]
    usual_height = float(np.median(height))
    ruled = [_is_ruled(boxes[indices], i, usual_height, pixels, rule_parameters) for i in starts.tolist()]
    separate = (gaps >= p.min_split_gap_heights * usual_height) | ruled
    starts = starts[long_runs | separate]
    parts = []
    for start, stop in pairwise([0, *starts.tolist(), len(indices)]):
        signs = [(i - start, sign) for i, sign in number.signs if start < i < stop or (i == start == 0)]
        parts.append(WrittenNumber(number.digits[start:stop], tuple(signs), number.doubtful))
    return parts


def origin_of(digits: Sequence[int], shares: Floats, parameters: OriginParameters = PARAMETERS) -> tuple[Origin, bool]:
    """Determine the origin of a number by the mean of its digits' log odds.

    Args:
        digits: indices of the number's digits.
        shares: (n,) share of print in the score of each digit of the page, 0 to 1.
        parameters: when a number is printed.

    Returns:
        The origin, and whether it is doubtful.
    """
    p = parameters
    clipped = np.clip(shares[list(digits)], p.min_odds_share, 1 - p.min_odds_share)
    share = 1 / (1 + np.exp(-float(np.log(clipped / (1 - clipped)).mean())))
    is_doubtful = p.min_doubtful_share <= share < p.min_sure_print_share
    return "print" if share >= p.min_print_share else "hand", is_doubtful


def _is_ruled(boxes: Floats, i: int, height: float, pixels: Pixels, p: RuleParameters) -> bool:
    """Return whether there is a rule before digit `i` of a number with these boxes (n, 4)."""
    before, after = boxes[i - 1], boxes[i]
    top, bottom = vertical_span(boxes, np.arange(len(boxes)), i - 1)
    return bool(rules_between(pixels, before[0] + before[2], after[0], top, bottom, height, p))
