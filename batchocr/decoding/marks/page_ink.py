"""The ink of a page as a whole: writing of which nothing was read, and digits that the side of the page cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.marks.contrast import PARAMETERS as CONTRAST
from batchocr.decoding.marks.contrast import ContrastParameters, paper_contrast
from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PageInkParameters:
    """What ink on a page is, and when it is writing, or cut by the side of the page.

    Basis of all: chosen by eye, except where a field names another basis.
    """

    longer_side_px: int = 1600
    """The page is reduced to this longer side."""
    paper_px: int = 61
    """Side of the square whose median is the brightness of the paper, in pixels of the reduced page."""
    min_contrast: float = 30.0
    """Minimum contrast of ink in grey values."""
    min_height_px: int = 8
    """Minimum height of a piece of ink that may be writing, in pixels of the reduced page."""
    max_height_px: int = 160
    """Maximum height of such a piece, in pixels of the reduced page."""
    max_width_ratio: float = 6.0
    """Maximum width of such a piece in its heights. Basis: rules are longer."""
    min_fill_share: float = 0.08
    """Minimum share of its box that such a piece fills. Basis: a frame fills less."""
    min_pieces: int = 3
    """Minimum number of such pieces on a page with writing."""
    max_side_distance_heights: float = 0.06
    """Maximum distance from a digit's box to the side of the page, in the digit's heights, for a digit that may be
    cut."""
    min_cut_share: float = 0.5
    """Minimum strength of the ink at the side, as a share of the digit's strength, for a digit that is cut."""
    margin_heights: float = 0.3
    """Margin around a digit in which the brightness of the paper is measured, in the digit's heights."""
    margin_px: int = 1
    """This is added to the margin."""
    paper_top_share: float = 0.1
    """Share of the pixels in the margin and the box that are brighter than the paper."""
    min_page_heights: float = 12.0
    """Minimum length of a whole page's shorter side, in heights of its digits. Basis: strips that were cut out are
    smaller; their digits may reach the side."""


PARAMETERS = PageInkParameters()


def has_writing(
    pixels: Pixels, parameters: PageInkParameters = PARAMETERS, contrast_parameters: ContrastParameters = CONTRAST
) -> bool:
    """Return whether a page has ink of the size of letters or digits.

    Args:
        pixels: (height, width) uint8, the level page, dark on light or light on dark.
        parameters: what writing is.
        contrast_parameters: how the brightness of the paper is estimated.
    """
    import cv2  # imported late, because a run takes its lock before it loads large libraries

    p = parameters
    scale = min(1.0, p.longer_side_px / max(pixels.shape))
    contrast = paper_contrast(pixels, scale, p.paper_px, contrast_parameters)
    ink = cv2.compare(contrast, p.min_contrast, cv2.CMP_GE)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    _, _, width, height, area = stats[1:].T.astype(np.float64)
    is_piece = (height >= p.min_height_px) & (height <= p.max_height_px) & (width <= p.max_width_ratio * height)
    is_piece &= area >= p.min_fill_share * width * height
    return int(is_piece.sum()) >= p.min_pieces


def is_cut(
    pixels: Pixels, boxes: Floats, strengths: Floats, parameters: PageInkParameters = PARAMETERS
) -> NDArray[np.bool_]:
    """Find the digits that a side of the page cuts.

    Args:
        pixels: (height, width) uint8, the level page, dark on light.
        boxes: (n, 4) left, top, width and height of the digits in pixels.
        strengths: (n,) strengths of their ink in grey values.
        parameters: when a digit is cut.

    Returns:
        A mask (n,).
    """
    p = parameters
    found = np.zeros(len(boxes), np.bool_)
    rows, columns = pixels.shape
    reach = p.max_side_distance_heights * boxes[:, 3]
    ends = boxes[:, :2] + boxes[:, 2:]
    near = np.stack(
        [boxes[:, 0] <= reach, ends[:, 0] >= columns - reach, boxes[:, 1] <= reach, ends[:, 1] >= rows - reach]
    )
    for i in np.flatnonzero(near.any(axis=0)).tolist():
        left, top, right, bottom = (
            np.clip(np.r_[boxes[i, :2], np.ceil(ends[i])], 0, (columns, rows) * 2).astype(int).tolist()
        )
        own, margin = pixels[top:bottom, left:right], round(p.margin_heights * boxes[i, 3]) + p.margin_px
        if not own.size:
            continue
        around = pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
        max_grey = float(np.percentile(around, 100 * (1 - p.paper_top_share))) - p.min_cut_share * strengths[i]
        sides = own[:, :1], own[:, -1:], own[:1], own[-1:]
        found[i] = any(
            is_near and side.min() <= max_grey for is_near, side in zip(near[:, i].tolist(), sides, strict=True)
        )
    return found


def is_whole_page(pixels: Pixels, digits: Floats, parameters: PageInkParameters = PARAMETERS) -> bool:
    """Return whether a level page is so large compared with its digits that its sides are those of a sheet.

    Args:
        pixels: (height, width) uint8, the level page.
        digits: (n, 4) left, top, width and height of its digits in pixels.
        parameters: how large a whole page is.
    """
    usual = parameters.min_page_heights
    return len(digits) > 0 and min(pixels.shape) >= usual * float(np.median(digits[:, 3]))
