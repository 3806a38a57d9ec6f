"""The small printed circles and boxes of a form that are there to be filled or ticked: each looks like a 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.vision.ink import Piece

FEWEST = 4
"""Alike on a page: nobody draws so many zeros so round and of one size."""
FLATTEST, TALLEST = 0.4, 1.1
"""Times as high as wide: many are flat; none is as narrow as a printed 0."""
SMALLEST = 9
"""Pixels that a bubble is wide and high at least."""
ANGLES = 32
"""Places looked at all around a rim..."""
CLOSED = 0.94
"""...of which this share must be ink..."""
CLEAN = 0.1
"""...and this share at most around and within it."""
ALIKE = 0.06
"""Share of their size by which bubbles differ, and stray from their row or column; a pixel and a half at least."""


def without_bubbles(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """The pieces less the bubbles, those that were filled too, and what is printed in them.

    `labels` are (height, width). A bubble is the rim of a circle or a rectangle; several on a page are alike, and it
    stands in a row or a column with two others at least.
    """
    if len(pieces) < FEWEST:
        return pieces
    box = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], np.float64)
    wide, high = (box[:, 2:] - box[:, :2]).T
    size = np.stack([wide, high], axis=1)
    may = np.flatnonzero((high >= FLATTEST * wide) & (high <= TALLEST * wide) & (size.min(axis=1) >= SMALLEST))
    rims = may[_is_rim(box[may], np.array([pieces[i].labels[0] for i in may], np.int32), labels)]
    if len(rims) < FEWEST:
        return pieces
    slack = np.maximum(1.5, ALIKE * size[rims])
    alike = (np.abs(size[may, None] - size[rims]) <= slack).all(axis=2)
    middle = (box[:, :2] + box[:, 2:]) / 2
    in_line = (np.abs(middle[may, None] - middle[rims]) <= slack).any(axis=2)
    others = may[:, None] != rims
    bubble = may[((alike & others).sum(axis=1) >= FEWEST - 1) & ((alike & in_line & others).sum(axis=1) >= 2)]
    if not len(bubble):
        return pieces
    low, far = box[bubble, :2], box[bubble, 2:]
    kept = []
    for i, piece in enumerate(pieces):
        if not ((low <= middle[i]) & (middle[i] <= far) & (size[i] <= far - low)).all(axis=1).any():
            kept.append(piece)
    return kept


def _is_rim(box: NDArray[np.float64], label: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which pieces, of a `box` (n, 4) and a `label` (n,) each, are no more than an ellipse or a rectangle, (n,)."""
    middle, reach = (box[:, :2] + box[:, 2:] - 1) / 2, (box[:, 2:] - box[:, :2] - 1) / 2
    turn = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    last = np.array(labels.shape)[::-1] - 1

    def share(some: NDArray[np.intp], way: NDArray[np.float64], *reaches: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the places on a `way` around each middle, how many are its ink at any of the `reaches` (n, 2) from it."""
        found = np.zeros((len(some), ANGLES), np.bool_)
        for each in reaches:
            x, y = np.moveaxis(np.rint(middle[some, None] + way * each[some, None]), 2, 0).astype(np.intp)
            inside = (x >= 0) & (y >= 0) & (x <= last[0]) & (y <= last[1])
            found |= inside & (labels[y.clip(0, last[1]), x.clip(0, last[0])] == label[some, None])
        return np.asarray(found.mean(axis=1))

    every = np.arange(len(box))
    hollow = every[share(every, circle, reach / 2) <= CLEAN]
    near = (reach, reach - 1, reach - 2)
    rim = share(hollow, circle, *near) >= CLOSED
    rim &= share(hollow, circle, reach + 2) <= CLEAN
    rim |= share(hollow, circle / np.abs(circle).max(axis=1, keepdims=True), *near) >= CLOSED
    return np.isin(every, hollow[rim])
