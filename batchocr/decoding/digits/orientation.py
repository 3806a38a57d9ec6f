"""Which way up a page is: digits on their side or upside down are found less often, and their class is less sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from batchocr.decoding.digits.joint import DIGITS
from batchocr.records import SIGN, Detections


@dataclass(frozen=True)
class OrientationParameters:
    """When a page is upright, and when it is turned.

    Basis of all: 54 composed and public pages with digits and 16 pages without, each in four turns.
    """

    min_strong_score: float = 0.5
    """Minimum score of a strong digit."""
    min_sure_probability: float = 0.97
    """Probability of its class above which a digit is sure; a 4 or 7 upside down has no such class."""
    max_strongest: int = 20
    """Maximum number of the strongest digits whose mean is the strength of a page."""
    min_upright_share: float = 0.75
    """Minimum share of sure digits among the strong ones on a page that is certainly upright (upside down: at most
    0.69)."""
    min_upright_strength: float = 0.72
    """Minimum strength of a page that is certainly upright (on its side: at most 0.71). Its other turns are not
    inspected."""
    min_strong_digits: int = 6
    """Minimum number of strong digits in a turn by which a page can be turned."""
    share_offset: float = 0.02
    """Added to the share of sure digits in the quality of a turn, so that the strength counts if no digit is sure."""
    min_turned_ratio: float = 1.3
    """Minimum ratio of the quality of a turn to that of all others for the page to be turned."""
    min_turned_quality: float = 0.62
    """Minimum quality of the turn in which a page is read. Upright pages of digits reach it; letters upside down look
    like digits but have no sure class (pages without digits, in all turns: at most 0.34)."""
    min_doubtful_quality: float = 0.1
    """Minimum quality of a turn that makes the orientation uncertain if it is not clearly worse than the page as
    given."""


PARAMETERS = OrientationParameters()


class Evidence(NamedTuple):
    """What the digits that were found on a page in one turn show."""

    strong: int
    """Number of strong digits."""
    sure_share: float
    """Share of sure digits among the strong ones."""
    strength: float
    """Mean of score times class probability of the strongest digits."""


class Orientation(NamedTuple):
    """The orientation of a page."""

    quarters: int
    """Quarter turns to the left, 0 to 3, after which it is upright."""
    certain: bool
    """False if the orientation is uncertain; then the page is read as given."""


def evidence(found: Detections, parameters: OrientationParameters = PARAMETERS) -> Evidence:
    """Summarise the digits of a page; signs are not used.

    Args:
        found: the detections of the page in one turn, after non-maximum suppression.
        parameters: which digits are strong and sure.

    Returns:
        What they show.
    """
    p = parameters
    digits = found.take(found.kinds != SIGN)
    if not len(digits):
        return Evidence(0, 0.0, 0.0)
    probabilities = digits.probabilities[:, :DIGITS].max(axis=1)
    strong = digits.scores >= p.min_strong_score
    strongest = np.sort(digits.scores * probabilities)[::-1][: p.max_strongest]
    share = float((probabilities[strong] > p.min_sure_probability).mean()) if strong.any() else 0.0
    return Evidence(int(np.count_nonzero(strong)), share, float(strongest.mean()))


def is_upright(as_given: Evidence, parameters: OrientationParameters = PARAMETERS) -> bool:
    """Return whether a page is certainly upright, by the evidence in the turn in which it was given."""
    p = parameters
    return as_given.sure_share >= p.min_upright_share and as_given.strength >= p.min_upright_strength


def find_orientation(turns: Sequence[Evidence], parameters: OrientationParameters = PARAMETERS) -> Orientation:
    """Determine the orientation of a page.

    Args:
        turns: the evidence after 0, 1, 2 and 3 quarter turns to the left.
        parameters: when a page is turned.

    Returns:
        The turn after which the page is upright, and whether that is certain.
    """
    p = parameters
    qualities = [
        _quality(turn, p) if quarters == 0 or turn.strong >= p.min_strong_digits else 0.0
        for quarters, turn in enumerate(turns)
    ]
    best = max(range(1, len(turns)), key=lambda quarters: qualities[quarters])
    if qualities[best] < p.min_doubtful_quality or qualities[0] >= p.min_turned_ratio * qualities[best]:
        return Orientation(0, True)
    others = max(quality for quarters, quality in enumerate(qualities) if quarters != best)
    if qualities[best] >= max(p.min_turned_quality, p.min_turned_ratio * others):
        return Orientation(best, True)
    return Orientation(0, False)


def _quality(turn: Evidence, p: OrientationParameters) -> float:
    """Return how well a page can be read in a turn."""
    return (turn.sure_share + p.share_offset) * turn.strength
