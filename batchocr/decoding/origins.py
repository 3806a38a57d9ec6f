"""By hand or in print: what the detector says of each digit decides for the number that it is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.numbers import WrittenNumber
from batchocr.records import Origin

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OriginParameters:
    """Of a digit's score, the share that is for print: 0 is writing, 1 is print."""

    print_share: float = 0.7
    """Of a number, from which on it is print: clear writing looks a little like it."""
    sure_hand: float = 0.35
    """Of a digit, up to which it is certainly by hand..."""
    sure_print: float = 0.85
    """...and from which on it is certainly print: there a number of both is parted."""
    held: float = 0.02
    """Shares are held at least so far from 0 and 1, so that no digit decides alone."""


def parted(number: WrittenNumber, shares: Floats, parameters: OriginParameters | None = None) -> list[WrittenNumber]:
    """A number parted where print and writing meet, as where `20` is printed and the rest of a year is filled in.

    `shares` (n,) are those of every digit of the page. Digits that are not certain go with those to their left, the
    first ones with those to their right.
    """
    how = parameters or OriginParameters()
    own = shares[list(number.digits)]
    certain = np.flatnonzero((own <= how.sure_hand) | (own >= how.sure_print))
    printed = own[certain] >= how.sure_print
    starts = certain[1:][np.diff(printed.astype(np.int8)) != 0]
    parts = []
    for start, stop in pairwise([0, *starts.tolist(), len(own)]):
        signs = [(at - start, sign) for at, sign in number.signs if start < at < stop or (at == start == 0)]
        parts.append(WrittenNumber(number.digits[start:stop], tuple(signs), number.doubtful))
    return parts


def origin_of(digits: Sequence[int], shares: Floats, parameters: OriginParameters | None = None) -> Origin:
    """The origin of the number of these digits, by the mean of their log odds."""
    how = parameters or OriginParameters()
    held = np.clip(shares[list(digits)], how.held, 1 - how.held)
    odds = float(np.log(held / (1 - held)).mean())
    return "print" if odds >= np.log(how.print_share / (1 - how.print_share)) else "hand"
