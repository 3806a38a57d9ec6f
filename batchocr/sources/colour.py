"""Colour → grey where ink is about as bright as its paper: yellow on white, light green on grey."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from batchocr.image_stats import percentiles
from batchocr.records import Pixels

Colours = NDArray[np.uint8]
"""(height, width, 3): blue, green and red, as OpenCV has them, 0 dark to 255 bright."""

LOOK = 400
"""Pixels of the longer side at which a picture is looked at, up to twice as many."""
DARKEST_PAPER = 90.0
"""Least brightness of a sheet: coloured chalk on a board is bright enough as it is."""
HUED = 0.25
"""Share by which ink is darker in one channel than in another, on white paper..."""
BRIGHT = 0.8
"""...while it is at least so many times as bright as the paper around it."""
PLAIN = 0.75
"""Times as bright: what is darker is plain to see in grey..."""
FEW = 0.05
"""...and may be no more than this share of all such ink, else it is the writing, and the colour a form's or a marker's.
"""
LEAST = 0.0004
"""Share of the picture that such ink covers at least."""


def has_faint_ink(colours: Colours) -> bool:
    """Whether what is written on a picture (height, width, 3) is all but lost in its luma."""
    import cv2

    small = _reduced(colours)
    paper = np.array([percentiles(channel, [50])[0] for channel in cv2.split(small)], np.float32)
    if paper.min() < DARKEST_PAPER:
        return False
    shares = cv2.split(cv2.LUT(small, np.arange(256, dtype=np.float32)[:, None, None] / paper))
    least, most = (reduce(of_two, shares) for of_two in (cv2.min, cv2.max))
    hued = least < (1 - HUED) * most
    if np.count_nonzero(hued) < LEAST * hued.size:
        return False
    luma = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    side = max(3, min(luma.shape) // 3) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    around = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel).astype(np.float32)
    faint = (hued & (luma > BRIGHT * around)).astype(np.uint8)
    # a desk reaches the picture's sides
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lost = int(faint[~np.isin(labels, edge)].sum())
    return lost >= LEAST * faint.size and int(np.count_nonzero(luma < PLAIN * around)) <= FEW * lost


def _reduced(colours: Colours) -> Colours:
    """By a whole number, of which OpenCV makes short work."""
    import cv2

    step = max(1, max(colours.shape) // (2 * LOOK))
    height, width = (side // step for side in colours.shape[:2])
    some = cv2.resize(colours, (max(1, width), max(1, height)), interpolation=cv2.INTER_NEAREST)
    if max(some.shape) < 2 * LOOK:
        return some
    height, width = height // 2, width // 2
    half: Colours = cv2.resize(some[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return half


def darkest_channel(colours: Colours) -> Pixels:
    """(height, width): each pixel as bright as in that channel in which it is darkest beside the paper."""
    step = max(1, min(colours.shape[:2]) // 256)
    paper = np.maximum(1.0, np.median(colours[::step, ::step].reshape(-1, 3), axis=0))
    tables = np.clip(np.arange(256) * (paper.max() / paper[:, None]), 0, 255).round().astype(np.uint8)
    grey: Pixels = tables[0][colours[..., 0]]
    for channel in (1, 2):
        np.minimum(grey, tables[channel][colours[..., channel]], out=grey)
    return grey
