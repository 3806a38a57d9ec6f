"""Draw pen strokes as ink, with any pen width, slant and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Stroke = NDArray[np.float32]
"""(n, 2) points, x to the right and y down; a glyph is 1 high and its base line is y = 0."""
Strokes = Sequence[Stroke]

MAX_PIXELS = 400_000
"""Writing larger than this number of pixels is not drawn."""
SUBPIXELS = 4
"""Fractional bits of the coordinates given to OpenCV."""
THIN_PX = 4.0
"""Pens finer than this, in pixels, are drawn three times as large and reduced; others twice."""


@dataclass(frozen=True)
class Pen:
    """The pen of a writer: what stays the same within a number."""

    width_ratio: float
    """Width of the line, as a share of the digits' height."""
    opacity: float
    """Opacity of the ink, 0 to 1."""
    slant: float = 0.0
    """Shift to the right per height."""
    stretch: float = 1.0
    """Factor of the width."""
    nib: float = 0.0
    """By how much downward strokes are broader than others, 0 to 0.7."""
    grain: float = 0.0
    """How spotted the ink is, 0 to 1."""
    felt: bool = False
    """Whether the pen is broad with soft ends."""


def any_pen(rng: np.random.Generator, height_px: float) -> Pen:
    """Return a random pen: fine pens, ball pens, felt pens, nibs, pencils.

    Args:
        rng: Source of random numbers.
        height_px: Height of the digits, in pixels.
    """
    width = float(np.exp(rng.uniform(np.log(0.03), np.log(0.16))))
    felt = rng.random() < 0.06
    if felt:
        width = rng.uniform(0.16, 0.26)
    width = max(width, 0.9 / height_px)
    opacity = rng.uniform(0.75, 0.97) if rng.random() < 0.65 else rng.uniform(0.22, 0.75)
    return Pen(
        width_ratio=width,
        opacity=float(opacity),
        slant=float(np.clip(rng.normal(0.1, 0.16), -0.3, 0.55)),
        stretch=float(np.exp(rng.normal(0, 0.13))),
        nib=float(rng.uniform(0.2, 0.7)) if rng.random() < 0.15 else 0.0,
        grain=float(rng.uniform(0.3, 1)) if rng.random() < 0.15 else 0.0,
        felt=felt,
    )


def thinned(stroke: NDArray[np.floating], points: int = 40) -> Stroke:
    """Return a stroke with at most about this many points."""
    count = len(stroke)
    if count > points:
        keep = np.unique(np.linspace(0, count - 1, max(points, min(count, count // 3))).round().astype(int))
        stroke = stroke[keep]
    return np.asarray(stroke, np.float32)


def based(strokes: Strokes) -> list[Stroke] | None:
    """Scale strokes to height 1, with the base line y = 0 and the left side x = 0; None if they are too flat for a
    digit.
    """
    every = np.concatenate(list(strokes))
    lower, upper = every.min(axis=0), every.max(axis=0)
    height = float(upper[1] - lower[1])
    if height <= 0 or (upper[0] - lower[0]) > 2.2 * height:
        return None
    return [np.asarray((stroke - (lower[0], upper[1])) / height, np.float32) for stroke in strokes]


def render(strokes: Strokes, height_px: float, pen: Pen, width_px: float) -> tuple[Pixels, int, int] | None:
    """Draw strokes of height 1.

    Args:
        strokes: The strokes.
        height_px: Height, in pixels.
        pen: The pen.
        width_px: Width of the line, in pixels.

    Returns:
        A mask, uint8, 255 is full ink, and its left and top relative to the point x = 0, y = 0 of the strokes; None if
        it is too large.
    """
    paths = []
    for stroke in strokes:
        path = stroke * np.array([height_px * pen.stretch, height_px], np.float32)
        path[:, 0] -= pen.slant * path[:, 1]
        paths.append(path)
    every = np.concatenate(paths)
    margin = width_px / 2 + 2
    lower = np.floor(every.min(axis=0) - margin)
    width, height = (np.ceil(every.max(axis=0) + margin) - lower).astype(int).tolist()
    if width * height > MAX_PIXELS:
        return None
    times = 3 if width_px < THIN_PX else 2
    large = np.zeros((height * times, width * times), np.uint8)
    for path in paths:
        _draw(large, (path - lower) * times, width_px * times, pen.nib)
    return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), int(lower[0]), int(lower[1])


def _draw(large: Pixels, path: NDArray[np.floating], width: float, nib: float) -> None:
    points = (path * 2**SUBPIXELS).round().astype(np.int32)
    if len(points) == 1:
        radius = int(max(1.0, 0.55 * width) * 2**SUBPIXELS)
        cv2.circle(large, points[0].tolist(), radius, 255, -1, cv2.LINE_AA, SUBPIXELS)
    elif nib:
        steps = np.diff(path, axis=0)
        down = np.abs(steps[:, 1]) / (np.hypot(steps[:, 0], steps[:, 1]) + 1e-3)
        down = np.convolve(np.pad(down, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
        widths = np.maximum(1, np.round(width * (1 - nib + nib * down**1.5))).astype(int).tolist()
        for start, stop, line in zip(points[:-1].tolist(), points[1:].tolist(), widths, strict=True):
            cv2.line(large, start, stop, 255, line, cv2.LINE_AA, SUBPIXELS)
    else:
        cv2.polylines(large, [points], False, 255, max(1, round(width)), cv2.LINE_AA, SUBPIXELS)
