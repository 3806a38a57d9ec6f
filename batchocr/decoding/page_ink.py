"""The ink of a page as a whole: writing of which nothing was read, and digits that the side of the page cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.contrast import paper_contrast
from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PageInkParameters:
    """What is ink on a page, and what of it is told."""

    side_px: int = 1600
    """Longer side to which a page is reduced for it."""
    paper_px: int = 61
    """Side of the square whose median is the paper, in pixels of the reduced page."""
    min_contrast: float = 30.0
    """Grey values by which ink differs from the paper around it."""
    heights_px: tuple[int, int] = (8, 160)
    """Of a piece of ink that may be writing, there: from and to."""
    width_ratio: float = 6.0
    """Its width in heights, at most: rules are longer."""
    min_fill: float = 0.08
    """Share of its box that is ink, at least: a frame has less."""
    min_pieces: int = 3
    """On a page with so many, something is written."""
    cut_ratio: float = 0.06
    """A digit whose box comes so near to the page's side, in its heights, may be cut by it..."""
    cut_share: float = 0.5
    """...and is where ink of this share of its strength lies at the side."""
    whole_heights: float = 12.0
    """Of a page's shorter side in heights of its digits, at least: strips end where they were cut out."""


def has_writing(pixels: Pixels, parameters: PageInkParameters | None = None) -> bool:
    """Whether ink of the size of letters or digits stands on a level page (height, width)."""
    import cv2  # here, so that a run takes its lock before anything large is loaded

    how = parameters or PageInkParameters()
    scale = min(1.0, how.side_px / max(pixels.shape))
    ink = cv2.compare(paper_contrast(pixels, scale, how.paper_px), how.min_contrast, cv2.CMP_GE)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    _, _, width, height, area = stats[1:].T.astype(np.float64)
    low, high = how.heights_px
    is_piece = (height >= low) & (height <= high) & (width <= how.width_ratio * height)
    is_piece &= area >= how.min_fill * width * height
    return int(is_piece.sum()) >= how.min_pieces


def is_cut(
    pixels: Pixels, boxes: Floats, strengths: Floats, parameters: PageInkParameters | None = None
) -> NDArray[np.bool_]:
    """Which digits (n,) with these boxes (n, 4) and strengths of ink (n,) a side of the level page cuts."""
    how = parameters or PageInkParameters()
    found = np.zeros(len(boxes), np.bool_)
    rows, columns = pixels.shape
    reach = how.cut_ratio * boxes[:, 3]
    ends = boxes[:, :2] + boxes[:, 2:]
    near = np.stack(
        [boxes[:, 0] <= reach, ends[:, 0] >= columns - reach, boxes[:, 1] <= reach, ends[:, 1] >= rows - reach]
    )
    for i in np.flatnonzero(near.any(axis=0)).tolist():
        left, top, right, foot = (
            np.clip(np.r_[boxes[i, :2], np.ceil(ends[i])], 0, (columns, rows) * 2).astype(int).tolist()
        )
        own, margin = pixels[top:foot, left:right], round(0.3 * boxes[i, 3]) + 1
        if not own.size:
            continue
        around = pixels[max(0, top - margin) : foot + margin, max(0, left - margin) : right + margin]
        limit = float(np.percentile(around, 90)) - how.cut_share * strengths[i]
        sides = own[:, :1], own[:, -1:], own[:1], own[-1:]
        found[i] = any(at and side.min() <= limit for at, side in zip(near[:, i].tolist(), sides, strict=True))
    return found


def is_whole_page(pixels: Pixels, digits: Floats, parameters: PageInkParameters | None = None) -> bool:
    """Whether a level page is so large beside its digits (n, 4) that its sides are those of a sheet."""
    how = parameters or PageInkParameters()
    return len(digits) > 0 and min(pixels.shape) >= how.whole_heights * float(np.median(digits[:, 3]))
