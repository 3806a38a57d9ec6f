"""What a sheet shows though nobody wrote it there: the other side's writing, and holes for a file."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast
from batchocr.vision.ink import Piece

PALE = 0.32
"""Times as dark as the page's writing: no darker is what shines through paper..."""
SOFT = 0.66
"""...and its edges are so much less sharp, as paper scatters light; a hard pencil's are not."""
LOOKED_AT = 60
"""Pieces that tell how sharp a page's writing is."""
ROUND = 0.06
"""Standard deviation of the rim's distance from its middle, as a share of it: nobody draws a 0 so round..."""
ALIKE = 0.08
"""...nor a second one of the same size within this share of it..."""
APART = 6.0
"""...so many times its size above or below, exactly (80 mm in ISO 838, 108 mm in America, for holes of 6 mm)..."""
MARGIN = 0.12
"""...and as near to the side of the sheet, as a share of its width."""


def without_show_through(pieces: list[Piece], labels: NDArray[np.int32], contrast: Contrast) -> list[Piece]:
    """The pieces less those that are both far paler and far softer than the page's writing.

    `labels` and `contrast` are (height, width). Nothing can be told where a page has no writing of its own.
    """
    if len(pieces) < 2 or not _any_pale(pieces, labels, contrast):
        return pieces
    where = np.flatnonzero(labels > 0)
    of = labels.ravel()[where]
    darkness = np.zeros(int(of.max(initial=0)) + 1, np.uint8)
    np.maximum.at(darkness, of, contrast.ravel()[where])  # a stroke may hang together with something pale
    dark = np.array([max(darkness[label] for label in piece.labels) for piece in pieces])
    order, area = dark.argsort(), np.array([piece.area for piece in pieces], np.float64)
    ink = area[order].cumsum()
    writing = float(dark[order][np.searchsorted(ink, 0.75 * ink[-1])])
    pale = dark < PALE * writing
    if not pale.any():
        return pieces
    sure = [piece for piece, d in zip(pieces, dark, strict=True) if d > 0.7 * writing]
    step = max(1, len(sure) // LOOKED_AT)
    usual = float(np.median([_sharpness(piece, labels, contrast) for piece in sure[::step]]))
    return [
        piece
        for piece, faint in zip(pieces, pale, strict=True)
        if not faint or _sharpness(piece, labels, contrast) > SOFT * usual
    ]


def _any_pale(pieces: list[Piece], labels: NDArray[np.int32], contrast: Contrast) -> bool:
    """Whether any piece is all so pale as to shine through where the page's writing is full black."""
    counted = np.bincount(labels.ravel()[np.flatnonzero(contrast > int(PALE * 255))])
    dark = set(np.flatnonzero(counted).tolist())
    return any(dark.isdisjoint(piece.labels) for piece in pieces)


def _sharpness(piece: Piece, labels: NDArray[np.int32], contrast: Contrast) -> float:
    """How steeply the ink's edges rise, as a share of how dark it is."""
    top, left = max(0, piece.top - 2), max(0, piece.left - 2)
    view = contrast[top : piece.bottom + 2, left : piece.right + 2]
    mask = piece.inside(labels[top : piece.bottom + 2, left : piece.right + 2])
    across, down = cv2.Sobel(view, cv2.CV_32F, 1, 0), cv2.Sobel(view, cv2.CV_32F, 0, 1)
    steep = np.sort(np.hypot(across, down)[mask])
    ninth = np.interp(0.9 * (len(steep) - 1), np.arange(len(steep)), steep)  # np.percentile takes far longer
    return float(ninth / 8 / max(1.0, view[mask].mean()))


def without_holes(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """The pieces less the rims of punched holes: two circles or more, alike, one above the other beside the margin."""
    width = labels.shape[1]
    rims = [
        piece
        for piece in pieces
        if min(piece.left, width - piece.right) < MARGIN * width
        and max(piece.left, width - piece.right) > (1 - 2 * MARGIN) * width - piece.width
        and abs(piece.width - piece.height) <= ALIKE * piece.height
        and _is_circle(piece.inside(labels[piece.top : piece.bottom, piece.left : piece.right]))
    ]
    holes = {
        rim
        for rim in rims
        for other in rims
        if abs(rim.left - other.left) <= 0.02 * width
        and abs(rim.height - other.height) <= ALIKE * rim.height
        and abs(rim.top - other.top) >= APART * rim.height
    }
    return [piece for piece in pieces if piece not in holes]


def _is_circle(ink: NDArray[np.bool_]) -> bool:
    """Whether ink (height, width) is all of a circle's rim."""
    y, x = np.nonzero(ink)
    if len(x) < 24:
        return False
    y, x = y - (ink.shape[0] - 1) / 2, x - (ink.shape[1] - 1) / 2
    turn = (np.arctan2(y, x) * (12 / np.pi)).astype(int) + 12
    outer, inner = np.zeros(25), np.full(25, np.inf)
    np.maximum.at(outer, turn, np.hypot(x, y))
    np.minimum.at(inner, turn, np.hypot(x, y))
    rim = outer[outer > 0]
    return bool(len(rim) >= 22 and rim.std() <= ROUND * rim.mean() and inner.min() > 0.5 * rim.mean())
