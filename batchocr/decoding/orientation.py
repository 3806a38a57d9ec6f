"""Which way up a page is: digits that lie on their side or head are found less often, and less surely known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from batchocr.decoding.joint import DIGITS
from batchocr.records import SIGN, Detections


@dataclass(frozen=True)
class OrientationParameters:
    """When a page is upright, and when it is turned.

    Measured on 54 composed and public pages with digits and 16 without, each in four turns.
    """

    strong_score: float = 0.5
    """Digits with this score are strong..."""
    sure_class: float = 0.97
    """...and sure where one class has such a probability: 4 and 7 upside down have none."""
    top: int = 20
    """So many of the strongest digits tell how strong the digits of a page are."""
    upright_share: float = 0.75
    """A page with such a share of sure ones among the strong is upright (upside down at most 0.69)..."""
    upright_strength: float = 0.72
    """...where its digits are so strong (on their side at most 0.71); no other turn is looked at."""
    least_strong: int = 6
    """Strong digits that another turn must have to be thought of."""
    turned_ratio: float = 1.3
    """A page is turned where that is so many times better than any other way..."""
    least_worth: float = 0.62
    """...and as good as upright pages of digits are: letters on their head look like digits, but not surely like one
    (pages without digits, in whatever turn, at most 0.34)."""
    unsure_worth: float = 0.1
    """From here on a turn that is not clearly worse makes it unsure how the page lies."""


PARAMETERS = OrientationParameters()


class Evidence(NamedTuple):
    """What the digits found on a page in one turn say."""

    strong: int
    sure_share: float
    """Of the strong ones."""
    strength: float
    """Mean of score times class probability, of the strongest."""

    @property
    def worth(self) -> float:
        return (self.sure_share + 0.02) * self.strength


class Turn(NamedTuple):
    """How a page lies."""

    quarters: int
    """Quarter turns to the left, 0 to 3, after which it is upright."""
    told: bool
    """False where that is unsure; then the page stays as it is."""


def evidence(found: Detections, parameters: OrientationParameters = PARAMETERS) -> Evidence:
    """That of a page's detections after non-maximum suppression; signs tell nothing."""
    p = parameters
    digits = found.take(found.kinds != SIGN)
    if not len(digits):
        return Evidence(0, 0.0, 0.0)
    known = digits.probabilities[:, :DIGITS].max(axis=1)
    strong = digits.scores >= p.strong_score
    best = np.sort(digits.scores * known)[::-1][: p.top]
    share = float((known[strong] > p.sure_class).mean()) if strong.any() else 0.0
    return Evidence(int(np.count_nonzero(strong)), share, float(best.mean()))


def is_upright(lying: Evidence, parameters: OrientationParameters = PARAMETERS) -> bool:
    """Whether a page is upright beyond doubt."""
    return lying.sure_share >= parameters.upright_share and lying.strength >= parameters.upright_strength


def turn_of(turns: Sequence[Evidence], parameters: OrientationParameters = PARAMETERS) -> Turn:
    """How a page lies by what was found on it after 0, 1, 2 and 3 quarter turns to the left."""
    p = parameters
    worth = [each.worth if i == 0 or each.strong >= p.least_strong else 0.0 for i, each in enumerate(turns)]
    best = max(range(1, len(turns)), key=lambda quarters: worth[quarters])
    if worth[best] < p.unsure_worth or worth[0] >= p.turned_ratio * worth[best]:
        return Turn(0, True)
    others = max(each for quarters, each in enumerate(worth) if quarters != best)
    if worth[best] >= max(p.least_worth, p.turned_ratio * others):
        return Turn(best, True)
    return Turn(0, False)
