"""Convert colour to grey if the ink is almost as bright as its paper, such as yellow ink on white."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from batchocr.image_stats import percentiles
from batchocr.records import Pixels

Colours = NDArray[np.uint8]
"""(height, width, 3): blue, green and red in OpenCV's order, 0 dark to 255 bright."""

ANALYSIS_SIDE_PX = 400
"""Longer side of the reduced image that is analysed; it may be up to twice as long."""
MIN_PAPER = 90.0
"""Brightness of a sheet, at least. Chalk on a dark board is bright enough in grey."""
MIN_HUE = 0.25
"""Coloured ink is darker in one channel than in another by this share, relative to white paper."""
MIN_FAINT = 0.8
"""Faint ink is at least this many times as bright as the paper around it."""
MAX_PLAIN = 0.75
"""Plain ink is at most this many times as bright as the paper around it, and clear in grey."""
MAX_PLAIN_SHARE = 0.05
"""Plain ink per faint ink, at most. If there is more, it is the writing, and the colour is of a form or a marker."""
MIN_COVER = 0.0004
"""Share of the image that faint ink covers, at least."""


def has_faint_ink(colours: Colours) -> bool:
    """Return whether the writing on an image is almost lost in its luma.

    Args:
        colours: The image (height, width, 3).
    """
    import cv2

    small = _reduce(colours)
    paper = np.array([percentiles(channel, [50])[0] for channel in cv2.split(small)], np.float32)
    if paper.min() < MIN_PAPER:
        return False
    shares = cv2.split(cv2.LUT(small, np.arange(256, dtype=np.float32)[:, None, None] / paper))
    darkest, brightest = (reduce(of_two, shares) for of_two in (cv2.min, cv2.max))
    is_hued = darkest < (1 - MIN_HUE) * brightest
    if np.count_nonzero(is_hued) < MIN_COVER * is_hued.size:
        return False
    luma = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    side = max(3, min(luma.shape) // 3) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    around = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel).astype(np.float32)
    faint = (is_hued & (luma > MIN_FAINT * around)).astype(np.uint8)
    # a desk reaches the sides of the image
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lost = int(faint[~np.isin(labels, edge)].sum())
    plain = int(np.count_nonzero(luma < MAX_PLAIN * around))
    return lost >= MIN_COVER * faint.size and plain <= MAX_PLAIN_SHARE * lost


def _reduce(colours: Colours) -> Colours:
    """Reduce an image by a whole number, which is fast in OpenCV."""
    import cv2

    step = max(1, max(colours.shape) // (2 * ANALYSIS_SIDE_PX))
    height, width = (side // step for side in colours.shape[:2])
    some = cv2.resize(colours, (max(1, width), max(1, height)), interpolation=cv2.INTER_NEAREST)
    if max(some.shape) < 2 * ANALYSIS_SIDE_PX:
        return some
    height, width = height // 2, width // 2
    half: Colours = cv2.resize(some[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return half


def darkest_channel(colours: Colours) -> Pixels:
    """Return for each pixel the channel in which it is darkest relative to the paper, as grey (height, width).

    Args:
        colours: The image (height, width, 3), its channels in any order.
    """
    step = max(1, min(colours.shape[:2]) // 256)
    paper = np.maximum(1.0, np.median(colours[::step, ::step].reshape(-1, 3), axis=0))
    tables = np.clip(np.arange(256) * (paper.max() / paper[:, None]), 0, 255).round().astype(np.uint8)
    grey: Pixels = tables[0][colours[..., 0]]
    for channel in (1, 2):
        np.minimum(grey, tables[channel][colours[..., channel]], out=grey)
    return grey
