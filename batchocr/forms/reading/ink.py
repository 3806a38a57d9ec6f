"""Ink that was filled in: darker than paper, as dark as the pen, and not printed on the blank form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Rect
from batchocr.forms.reading.evidence import Evidence
from batchocr.forms.reading.parameters import FieldInkParameters
from batchocr.records import Pixels

Mask = NDArray[np.bool_]
Darkness = NDArray[np.float32]

_MAX_PX_PER_MM = 8.0  # 200 dpi show every stroke
_PAPER_MM = 1.6  # wider than a stroke
_SMOOTH_MM = 5.0


@dataclass(frozen=True)
class FieldInk:
    """The ink that was filled in at a place of the form."""

    mask: Mask
    """(height, width): the pixels of the place that are ink."""
    px_per_mm: float

    @property
    def area_mm2(self) -> float:
        """Area of the ink in square millimetres."""
        return float(np.count_nonzero(self.mask)) / self.px_per_mm**2

    @property
    def share(self) -> float:
        """Share of the place that is ink."""
        return float(self.mask.mean()) if self.mask.size else 0.0

    def part(self, place: Rect, part: Rect) -> FieldInk:
        """Return the ink of a part.

        Args:
            place: the place of this ink.
            part: a rectangle; what is outside of the place is left out.
        """
        s = self.px_per_mm
        x0, y0 = max(0, round((part.left - place.left) * s)), max(0, round((part.top - place.top) * s))
        x1, y1 = max(x0, round((part.right - place.left) * s)), max(y0, round((part.bottom - place.top) * s))
        return FieldInk(self.mask[y0:y1, x0:x1], s)

    def span(self) -> tuple[float, float]:
        """Return width and height of the ink as shares of the place; zeros without ink."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not len(rows):
            return 0.0, 0.0
        return (columns[-1] - columns[0] + 1) / self.mask.shape[1], (rows[-1] - rows[0] + 1) / self.mask.shape[0]


class PageInk:
    """The ink of a placed page, compared with the blank form."""

    def __init__(
        self,
        pixels: Pixels,
        px_per_mm: float,
        blank: Pixels | None,
        evidence: Evidence,
        parameters: FieldInkParameters,
    ) -> None:
        """Measure how dark the pen is.

        Args:
            pixels: (height, width) uint8, the level page, dark on light.
            px_per_mm: its pixels for each millimetre of the form.
            blank: (height, width) uint8, the blank form at the same scale. None if there is no image of it.
            evidence: the digits of the page.
            parameters: which ink was filled in.
        """
        self._pixels, self._blank, self._scale, self._p = pixels, blank, px_per_mm, parameters
        self._pen = self._pen_darkness(evidence)

    def at(self, place: Rect) -> FieldInk:
        """Return the ink at a place of the form."""
        p = self._p
        page, reduced, inner = self._part(self._pixels, place)
        ink = page >= max(p.min_contrast, p.min_pen_ratio * self._pen)
        if self._blank is not None:
            blank, _, _ = self._part(self._blank, place)
            ink &= page >= _spread(blank, p.cover_mm * reduced) + np.float32(p.min_darker) * (blank.max() > 0)
        return FieldInk(ink[inner], reduced)

    def _part(self, pixels: Pixels, place: Rect) -> tuple[Darkness, float, tuple[slice, slice]]:
        """Return the darkness around a place, its pixels for each millimetre, and where the place is in it."""
        import cv2

        s, margin = self._scale, self._p.margin_mm
        height, width = self._pixels.shape
        x0, y0 = max(0, round((place.left - margin) * s)), max(0, round((place.top - margin) * s))
        x1, y1 = min(width, round((place.right + margin) * s)), min(height, round((place.bottom + margin) * s))
        part = pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        factor = min(1.0, _MAX_PX_PER_MM / s)
        if factor < 1 and part.size:
            size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
            part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        left, top = (place.left * s - x0) * factor, (place.top * s - y0) * factor
        inner = (
            slice(max(0, round(top)), max(0, round(top + place.height * s * factor))),
            slice(max(0, round(left)), max(0, round(left + place.width * s * factor))),
        )
        return darkness(part, s * factor), s * factor, inner

    def _pen_darkness(self, evidence: Evidence) -> float:
        """Return how dark the strokes of sure digits are, as a share of the paper's brightness; 0 without any."""
        p, s = self._p, self._scale
        sure = evidence.boxes[(evidence.scores >= p.min_sure_score) & (evidence.is_digit >= p.min_sure_score)]
        found = []
        for left, top, width, height in (sure / s).tolist():
            part, _, inner = self._part(self._pixels, Rect(left, top, width, height))
            if part[inner].size:
                found.append(float(np.percentile(part[inner], p.pen_percentile)))
        return float(np.median(found)) if found else 0.0


def darkness(pixels: Pixels, px_per_mm: float) -> Darkness:
    """Return how much darker each pixel is than the paper around it.

    Args:
        pixels: (height, width) uint8, dark on light.
        px_per_mm: pixels for each millimetre.

    Returns:
        (height, width) float32, 0 to 1: a share of the paper's brightness.
    """
    import cv2

    side = max(3, round(_PAPER_MM * px_per_mm))
    lightest = cv2.dilate(pixels, np.ones((side, side), np.uint8))
    smooth = max(3, round(_SMOOTH_MM * px_per_mm))
    paper = cv2.blur(lightest, (smooth, smooth)).astype(np.float32) + 1
    return np.asarray(np.clip(1 - pixels.astype(np.float32) / paper, 0, 1))


def _spread(darkness: Darkness, radius_px: float) -> Darkness:
    """Return the greatest darkness within a distance of each pixel."""
    import cv2

    side = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.dilate(darkness, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))))
