"""Draw the cases of the vision tests: digits as simple strokes on paper, with noise, blur and shade.

Lengths are pixels. A `Sheet` may be rotated: its content is then rotated around its centre, as on a scanner, and the
returned boxes are those of the rotated ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Box, Pixels

Points = NDArray[np.float64]
Stroke = Sequence[tuple[float, float]]


def arc(x: float, y: float, across: float, down: float, start: float, end: float) -> list[tuple[float, float]]:
    """Return points of an ellipse between two angles in degrees: 0 is right, 90 is down."""
    turns = np.deg2rad(np.linspace(start, end, 25))
    return [(x + across * float(np.cos(t)), y + down * float(np.sin(t))) for t in turns]


STROKES: dict[str, list[Stroke]] = {
    "0": [arc(0.3, 0.5, 0.3, 0.5, 0, 360)],
    "1": [[(0.05, 0.0), (0.05, 1.0)]],
    "2": [[*arc(0.3, 0.28, 0.28, 0.28, -170, 30), (0.02, 1.0), (0.62, 1.0)]],
    "3": [arc(0.25, 0.25, 0.25, 0.25, -150, 90), arc(0.25, 0.75, 0.3, 0.25, -90, 150)],
    "4": [[(0.4, 0.0), (0.0, 0.65), (0.65, 0.65)], [(0.48, 0.3), (0.48, 1.0)]],
    "5": [[(0.1, 0.0), (0.08, 0.45), *arc(0.25, 0.7, 0.3, 0.3, -100, 140)], [(0.1, 0.0), (0.55, 0.0)]],
    "6": [[(0.45, 0.0), (0.12, 0.4), *arc(0.3, 0.72, 0.28, 0.28, 190, 550)]],
    "7": [[(0.0, 0.0), (0.6, 0.0), (0.2, 1.0)]],
    "8": [arc(0.3, 0.25, 0.23, 0.25, 0, 360), arc(0.3, 0.75, 0.28, 0.25, 0, 360)],
    "9": [arc(0.28, 0.28, 0.26, 0.28, 0, 360), [(0.54, 0.28), (0.48, 1.0)]],
    ".": [[(0.0, 1.0), (0.0, 1.0)]],
}
"""Strokes of each digit in a box of height 1: x to the right, y down. A point is a dot on the baseline."""

BROKEN: dict[str, list[Stroke]] = {
    "5 without its flag": [STROKES["5"][0], [(0.27, -0.02), (0.62, -0.04)]],
    "5 with its flag above": [STROKES["5"][0], [(0.15, -0.2), (0.6, -0.22)]],
    "open 4": [[(0.1, 0.0), (0.0, 0.55), (0.28, 0.55)], [(0.5, 0.0), (0.46, 1.0)]],
    "4 with a long right stroke": [[(0.1, 0.1), (0.0, 0.5), (0.28, 0.5)], [(0.5, 0.2), (0.48, 1.1)]],
    "4 with a small left part": [[(0.1, 0.2), (0.0, 0.5), (0.28, 0.5)], [(0.5, 0.0), (0.48, 1.0)]],
    "8 in two halves": [arc(0.3, 0.19, 0.22, 0.19, 0, 360), arc(0.3, 0.8, 0.28, 0.21, 0, 360)],
    "8 in two uneven halves": [arc(0.35, 0.12, 0.16, 0.12, 0, 360), arc(0.3, 0.74, 0.28, 0.27, 0, 360)],
    "7 with its bar apart": [[(0.0, 0.0), (0.42, 0.0)], [(0.62, 0.02), (0.25, 1.0)]],
    "3 in two bows": [arc(0.25, 0.19, 0.25, 0.19, -150, 70), arc(0.25, 0.79, 0.3, 0.22, -90, 150)],
    "2 with its base apart": [[*arc(0.3, 0.28, 0.28, 0.28, -170, 30), (0.1, 0.78)], [(0.02, 1.0), (0.62, 1.0)]],
    "9 with its tail apart": [arc(0.28, 0.25, 0.26, 0.25, 0, 360), [(0.54, 0.62), (0.5, 1.0)]],
}
"""Digits of two strokes that do not touch; with a pen of a tenth of the height, the gap is a tenth too."""


class Sheet:
    """A sheet of paper to draw on; its rows run downwards to the right by `angle` degrees."""

    def __init__(self, width: int, height: int, grey: int = 245, angle: float = 0.0) -> None:
        self.pixels: Pixels = np.full((height, width), grey, np.uint8)
        self._turn: NDArray[np.float64] = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, 1.0)

    def stroke(self, points: Stroke | Points, pen: int, grey: int = 30) -> Points:
        """Draw a stroke of `pen` pixels through points, and return the points in pixels of the sheet."""
        placed = np.asarray(points, np.float64) @ self._turn[:, :2].T + self._turn[:, 2]
        cv2.polylines(self.pixels, [np.round(placed * 16).astype(np.int32)], False, grey, pen, cv2.LINE_AA, 4)
        return placed

    def digit(
        self, digit: str, left: float, top: float, height: float, pen: int = 4, grey: int = 30, slant: float = 0.0
    ) -> Box:
        """Write a digit with ink `height` pixels high; `slant` is the shift of its top to the right, in heights."""
        inner = height - pen
        strokes = []
        for stroke in STROKES[digit]:
            points = np.array(stroke, np.float64)
            points[:, 0] += slant * (1 - points[:, 1])
            strokes.append(self.stroke(points * inner + (left + pen / 2, top + pen / 2), pen, grey))
        points = np.concatenate(strokes)
        x0, y0 = np.round(points.min(axis=0) - pen / 2).astype(int).tolist()
        x1, y1 = np.round(points.max(axis=0) + pen / 2).astype(int).tolist()
        return Box(x0, y0, x1 - x0, y1 - y0)

    def number(
        self, text: str, left: float, top: float, height: float, pen: int = 4, grey: int = 30, gap: float = 0.25
    ) -> list[Box]:
        """Write digits side by side with gaps of `gap` heights."""
        boxes = []
        for digit in text:
            boxes.append(self.digit(digit, left, top, height, pen, grey))
            width = max(x for stroke in STROKES[digit] for x, _ in stroke)
            left += width * (height - pen) + pen + gap * height
        return boxes

    def rule(self, x0: float, y0: float, x1: float, y1: float, pen: int = 2, grey: int = 120) -> None:
        """Draw a ruled line between two points."""
        self.stroke([(x0, y0), (x1, y1)], pen, grey)

    def frame(self, left: float, top: float, width: float, height: float, pen: int = 2, grey: int = 60) -> None:
        """Draw the four sides of a box."""
        right, bottom = left + width, top + height
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        for (x0, y0), (x1, y1) in pairwise(corners):
            self.rule(x0, y0, x1, y1, pen, grey)


def noisy(pixels: Pixels, spread: float, seed: int = 7) -> Pixels:
    """Return the page with normal noise of the standard deviation `spread`; the same seed gives the same noise."""
    grain = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32) * spread
    return (pixels + grain).round().clip(0, 255).astype(np.uint8)


def blurred(pixels: Pixels, spread: float) -> Pixels:
    """Return the blurred page."""
    soft: Pixels = cv2.GaussianBlur(pixels, (0, 0), spread)
    return soft


def shaded(pixels: Pixels, darkest: float) -> Pixels:
    """Return the page with light that falls from 1 at the top left to `darkest` at the bottom right corner."""
    height, width = pixels.shape
    fall = (np.linspace(0, 1, width)[None, :] + np.linspace(0, 1, height)[:, None]) / 2
    return (pixels * (1 - (1 - darkest) * fall)).round().astype(np.uint8)


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0, width) * max(0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)
