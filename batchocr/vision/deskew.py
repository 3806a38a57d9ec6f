"""By how many degrees a page's writing runs up or down hill, and turning it level."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask

LIMIT = 10.5
"""Degrees searched to either side."""
POINTS = 8000
"""Ink pixels looked at; more tell nothing new."""
FEWEST = 8
"""Pieces of ink without which a page has no direction."""
SPECK = 3
"""Pixels, at half the working resolution: what is smaller is no piece of ink."""
GAIN = 1.08
"""How much sharper the rows must be than on the page as it is."""


@dataclass(frozen=True)
class Turn:
    """A rotation about the middle of a page of `width` × `height` pixels; `angle` in degrees, downhill positive."""

    angle: float
    width: int
    height: int

    def _level_size(self) -> tuple[int, int]:
        """Width and height that hold the whole page once it is turned."""
        cos, sin = abs(np.cos(np.deg2rad(self.angle))), abs(np.sin(np.deg2rad(self.angle)))
        return (
            int(np.ceil(self.width * cos + self.height * sin)),
            int(np.ceil(self.height * cos + self.width * sin)),
        )

    def _matrix(self) -> NDArray[np.float64]:
        matrix = cv2.getRotationMatrix2D(((self.width - 1) / 2, (self.height - 1) / 2), self.angle, 1.0)
        width, height = self._level_size()
        matrix[:, 2] += (width - self.width) / 2, (height - self.height) / 2
        return matrix

    def level(self, contrast: Contrast) -> Contrast:
        """The page turned back, larger where it is turned, so that no corner is lost; what was outside is paper."""
        if self.angle == 0:
            return contrast
        return cv2.warpAffine(contrast, self._matrix(), self._level_size(), flags=cv2.INTER_LINEAR, borderValue=0)

    def back(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) x, y of the level page as they lie on the page itself."""
        if self.angle == 0:
            return points
        inverse = cv2.invertAffineTransform(self._matrix())
        return points @ inverse[:, :2].T + inverse[:, 2]


def _sharpness(x: NDArray[np.float64], y: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unevenly the ink falls into rows at each angle: the sum of the squared profile."""
    scores = np.empty(len(angles))
    for i, angle in enumerate(np.deg2rad(angles)):
        rows = y * np.cos(angle) - x * np.sin(angle)
        profile = np.bincount((rows - rows.min()).astype(np.int64))
        scores[i] = float(profile @ profile)
    return scores


def skew(ink: Mask) -> float:
    """Degrees by which the rows of a page run downhill to the right, within ±10.5; 0 where nothing says so.

    Half of the working resolution is enough. The projection profile method (Postl, 1986) on the lower edges
    of the ink, which lie on the base lines and rules.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    sizes = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    if np.count_nonzero(sizes >= SPECK) < FEWEST:
        return 0.0
    edges = ink.copy()
    edges[:-1] &= ~ink[1:]
    y, x = (a.astype(np.float64) for a in np.nonzero(edges))
    if len(x) > POINTS:
        pick = np.linspace(0, len(x) - 1, POINTS).astype(np.int64)
        x, y = x[pick], y[pick]
    # rows of 3 pixels: base lines of handwriting are no sharper
    x, y = x / 3, y / 3
    coarse = np.arange(-LIMIT, LIMIT + 0.01, 0.5)
    scores = _sharpness(x, y, coarse)
    best = coarse[int(scores.argmax())]
    fine = best + np.arange(-0.6, 0.61, 0.1)
    fine_scores = _sharpness(x, y, fine)
    if fine_scores.max() < GAIN * _sharpness(x, y, np.zeros(1))[0]:
        return 0.0
    angle = float(fine[int(fine_scores.argmax())])
    return round(angle, 2) if abs(angle) >= 0.3 else 0.0
