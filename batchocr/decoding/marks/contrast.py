"""The contrast between each pixel of a page and the paper around it. Ink is found by this contrast."""

from __future__ import annotations

from dataclasses import dataclass

from batchocr.records import Pixels


@dataclass(frozen=True)
class ContrastParameters:
    """How the brightness of the paper is estimated."""

    reduction: int = 4
    """The page is reduced by this factor before the median filter, because the median of a large square is slow.
    Basis: chosen by eye."""
    min_reducible_px: int = 8
    """A page whose shorter side has fewer pixels is not reduced. Basis: two pixels remain after the reduction."""
    min_median_px: int = 3
    """A median square with a smaller side is not used; then the paper is the reduced page itself. Basis: a square of
    one pixel has no neighbours."""


PARAMETERS = ContrastParameters()


def paper_contrast(pixels: Pixels, scale: float, paper_px: int, parameters: ContrastParameters = PARAMETERS) -> Pixels:
    """Compute by how many grey values each pixel of a reduced page differs from the paper around it.

    Args:
        pixels: (height, width) uint8, the level page, dark on light or light on dark.
        scale: factor by which the page is reduced first, above 0 and at most 1.
        paper_px: side of the square whose median is the brightness of the paper, in pixels of the reduced page.
        parameters: how the brightness of the paper is estimated.

    Returns:
        (height, width) uint8 of the reduced page, 0 where a pixel is as bright as the paper.
    """
    import cv2  # imported late, because a run takes its lock before it loads large libraries

    page = pixels if scale == 1 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    factor = 1 / parameters.reduction
    can_be_reduced = min(page.shape) >= parameters.min_reducible_px
    coarse = cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if can_be_reduced else page
    side = min(paper_px // parameters.reduction, min(coarse.shape)) // 2 * 2 - 1  # a median square has an odd side
    paper = cv2.medianBlur(coarse, side) if side >= parameters.min_median_px else coarse
    return cv2.absdiff(page, cv2.resize(paper, page.shape[::-1], interpolation=cv2.INTER_LINEAR))
