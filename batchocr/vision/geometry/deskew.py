"""How a page's writing runs up or down hill, and how it is made level."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.geometry.connected import connected
from batchocr.vision.geometry.keystone import keystone

LIMIT = 15.5
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
    """The way from a page of `width` × `height` pixels to the level page, and back.

    A rotation by `angle` about the page's middle, or, where a camera was held aslant, a homography.
    """

    angle: float
    """Degrees by which the writing in the page's middle runs downhill to the right."""
    width: int
    height: int
    square: NDArray[np.float64] | None = None
    """3×3, from pixels of the page to pixels of the level page, both from the page's middle."""

    @property
    def moves(self) -> bool:
        return self.angle != 0 or self.square is not None

    def matrix(self) -> tuple[NDArray[np.float64], tuple[int, int]]:
        """The homography from middles of pixels to middles of pixels, and the size that holds the whole level page."""
        middle = (self.width - 1) / 2, (self.height - 1) / 2
        if self.square is None:
            cos, sin = abs(np.cos(np.deg2rad(self.angle))), abs(np.sin(np.deg2rad(self.angle)))
            width, height = np.ceil((self.width * cos + self.height * sin, self.height * cos + self.width * sin))
            matrix = np.eye(3)
            matrix[:2] = cv2.getRotationMatrix2D(middle, self.angle, 1.0)
            matrix[:2, 2] += (width - self.width) / 2, (height - self.height) / 2
            return matrix, (int(width), int(height))
        x, y = self.width / 2, self.height / 2
        corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
        ends = cv2.perspectiveTransform(corners[:, None], self.square)[:, 0]
        width, height = np.ceil(np.ptp(ends, axis=0))
        matrix = _moved(-ends.min(axis=0) - 0.5) @ self.square @ _moved(-np.array(middle))
        return matrix, (int(width), int(height))

    def level(self, contrast: Contrast) -> Contrast:
        """The level page, larger where that is needed so that no corner is lost; what was outside is paper."""
        if not self.moves:
            return contrast
        matrix, size = self.matrix()
        if self.square is None:
            return cv2.warpAffine(contrast, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=0)
        return cv2.warpPerspective(contrast, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0)

    def back(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) x, y of the level page as they lie on the page itself."""
        if not self.moves:
            return points
        matrix, _ = self.matrix()
        if self.square is None:
            inverse = cv2.invertAffineTransform(matrix[:2])
            return points @ inverse[:, :2].T + inverse[:, 2]
        return cv2.perspectiveTransform(points[:, None], np.linalg.inv(matrix))[:, 0]


def _moved(by: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[:2, 2] = by
    return matrix


def straighten(ink: Mask, width: int, height: int) -> Turn:
    """How a page of `width` × `height` pixels is made level, by its `ink` at half of that.

    By the lines of a form where they show that it was seen aslant, else by how its rows run.
    """
    square = keystone(ink)
    if square is None:
        return Turn(skew(ink), width, height)
    half = np.diag([0.5, 0.5, 1.0])
    right = cv2.perspectiveTransform(np.array([[[-1.0, 0.0]], [[1.0, 0.0]]]), np.linalg.inv(square))[:, 0]
    across = right[1] - right[0]
    angle = round(float(np.rad2deg(np.arctan2(across[1], across[0]))), 2)
    return Turn(angle, width, height, np.linalg.inv(half) @ square @ half)


def _sharpness(x: NDArray[np.float64], y: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unevenly the ink falls into rows at each angle: the sum of the squared profile."""
    scores = np.empty(len(angles))
    for i, angle in enumerate(np.deg2rad(angles)):
        rows = y * np.cos(angle) - x * np.sin(angle)
        profile = np.bincount((rows - rows.min()).astype(np.int64))
        scores[i] = float(profile @ profile)
    return scores


def skew(ink: Mask) -> float:
    """Degrees by which the rows of a page run downhill to the right, within ±15.5; 0 where nothing says so.

    Half of the working resolution is enough. The projection profile method (Postl, 1986) on the lower edges
    of the ink, which lie on the base lines and rules.
    """
    edges = ink.copy()
    edges[:-1] &= ~ink[1:]
    y, x = np.divmod(np.flatnonzero(edges > 0), ink.shape[1])
    if len(x) < FEWEST:
        return 0.0
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
    return round(angle, 2) if abs(angle) >= 0.3 and _has_pieces(ink) else 0.0


def _has_pieces(ink: Mask) -> bool:
    """Whether there are so many pieces of ink that they have a direction."""
    _, stats = connected(ink)
    sizes = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    return bool(np.count_nonzero(sizes >= SPECK) >= FEWEST)
