"""Colour → grey where ink is about as bright as its paper: yellow on white, light green on grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Colours = NDArray[np.uint8]
"""(height, width, 3): red, green and blue, 0 dark to 255 bright."""

LOOK = 400
"""Pixels of the longer side at which a picture is looked at."""
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

    height, width = colours.shape[:2]
    step = max(1, max(height, width) // (2 * LOOK))
    scale = min(1.0, LOOK / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(np.ascontiguousarray(colours[::step, ::step]), size, interpolation=cv2.INTER_AREA)
    paper = np.median(small.reshape(-1, 3), axis=0)
    if paper.min() < DARKEST_PAPER:
        return False
    share = small / paper.astype(np.float32)
    hued = share.min(axis=2) < (1 - HUED) * share.max(axis=2)
    if np.count_nonzero(hued) < LEAST * hued.size:
        return False
    luma = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
    side = max(3, min(size) // 3) | 1
    around = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)))
    faint = (hued & (luma > BRIGHT * around)).astype(np.uint8)
    # a desk reaches the picture's sides
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lost = int(faint[~np.isin(labels, edge)].sum())
    return lost >= LEAST * faint.size and int(np.count_nonzero(luma < PLAIN * around)) <= FEW * lost


def darkest_channel(colours: Colours) -> Pixels:
    """(height, width): each pixel as bright as in that channel in which it is darkest beside the paper."""
    step = max(1, min(colours.shape[:2]) // 256)
    paper = np.maximum(1.0, np.median(colours[::step, ::step].reshape(-1, 3), axis=0))
    tables = np.clip(np.arange(256) * (paper.max() / paper[:, None]), 0, 255).round().astype(np.uint8)
    grey: Pixels = tables[0][colours[..., 0]]
    for channel in (1, 2):
        np.minimum(grey, tables[channel][colours[..., channel]], out=grey)
    return grey
