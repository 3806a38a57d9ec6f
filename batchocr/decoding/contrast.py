"""By how much each pixel of a page differs from the paper around it: what ink is told by."""

from __future__ import annotations

from batchocr.records import Pixels


def paper_contrast(pixels: Pixels, scale: float, paper_px: int) -> Pixels:
    """Grey values (height, width) by which a page, reduced to `scale`, differs from the paper around each pixel.

    Paper is the median of a square with sides of `paper_px` pixels of the reduced page.
    """
    import cv2  # here, so that a run takes its lock before anything large is loaded

    page = pixels if scale == 1 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(page, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) if min(page.shape) >= 8 else page
    side = min(paper_px // 4, min(coarse.shape)) // 2 * 2 - 1  # the median of a larger square costs more
    paper = cv2.medianBlur(coarse, side) if side >= 3 else coarse
    return cv2.absdiff(page, cv2.resize(paper, page.shape[::-1], interpolation=cv2.INTER_LINEAR))
