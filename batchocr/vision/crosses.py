"""Crosses, by which a place on a form is struck out or ticked: no digit has its ends in all four corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.vision.ink import Piece

LOWEST = 15
"""Pixels that a cross is high at least."""
SHAPE = 0.55, 1.8
"""Times as wide as high."""
CORNER = 0.28
"""Share of a cross, across and down, in which each of its ends lies..."""
NOTCH, DEEP = 0.07, 0.2
"""...and share of a side, to both ways from its middle, that is free of ink, and how deep it is so."""
POINTS = 6
"""Places looked at, across and down, in each corner and notch."""


def without_crosses(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """The pieces less those that are an X: ends in all corners, none between. `labels` are (height, width)."""
    box = np.array([(p.left, p.top, p.right - 1, p.bottom - 1) for p in pieces], np.float64).reshape(-1, 4)
    size = box[:, 2:] - box[:, :2]
    may = np.flatnonzero(
        (size[:, 1] >= LOWEST) & (size[:, 0] >= SHAPE[0] * size[:, 1]) & (size[:, 0] <= SHAPE[1] * size[:, 1])
    )
    own = np.array([piece.labels[0] for piece in pieces], np.int32)[:, None]

    def inked(some: NDArray[np.intp], left: float, top: float, right: float, bottom: float) -> NDArray[np.bool_]:
        """Which of some pieces have ink in a part of their box, given in shares of it, (n,)."""
        across, down = (np.linspace(*ends, POINTS) for ends in ((left, right), (top, bottom)))
        x, y = (
            np.rint(box[some, i, None] + size[some, i, None] * part).astype(np.intp)
            for i, part in enumerate((across, down))
        )
        return np.asarray((labels[y[:, :, None], x[:, None]] == own[some, None]).any(axis=(1, 2)))

    for left, right in ((0, CORNER), (1 - CORNER, 1)):
        for top, bottom in ((0, CORNER), (1 - CORNER, 1)):
            may = may[inked(may, left, top, right, bottom)]
    low, high = 0.5 - NOTCH, 0.5 + NOTCH
    for near, far in ((0, DEEP), (1 - DEEP, 1)):
        may = may[~inked(may, near, low, far, high)]
        may = may[~inked(may, low, near, high, far)]
    crosses = set(may.tolist())
    return [piece for i, piece in enumerate(pieces) if i not in crosses]
