"""Pen strokes → ink: any pen width, slant and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Stroke = NDArray[np.float32]
"""(n, 2) points, x to the right and y down; a glyph is 1 high and stands on y = 0."""
Strokes = Sequence[Stroke]

MAX_PIXELS = 400_000
"""A piece of writing larger than this is not drawn."""
SUBPIXELS = 4
"""OpenCV's drawing takes points in steps of 2 to the power of minus this."""
THIN_PX = 4.0
"""Finer pens are drawn three times as large and reduced, others twice."""


@dataclass(frozen=True)
class Pen:
    """How a hand writes: what stays the same within a number."""

    width_ratio: float
    """Width of the line, as a share of the digits' height."""
    opacity: float
    """0 to 1: how dark the ink is."""
    slant: float = 0.0
    """By how much writing leans to the right, as a share of its height."""
    stretch: float = 1.0
    """Factor of the width."""
    nib: float = 0.0
    """0 to 0.7: by how much strokes downwards are broader than others."""
    grain: float = 0.0
    """0 to 1: by how much the ink lies in spots."""
    felt: bool = False
    """Broad, with soft ends."""


def any_pen(rng: np.random.Generator, height_px: float) -> Pen:
    """A pen for digits of that height: fine pens, ball pens, felt pens, nibs, pencils."""
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
    """A stroke with about so many points at most."""
    count = len(stroke)
    if count > points:
        keep = np.unique(np.linspace(0, count - 1, max(points, min(count, count // 3))).round().astype(int))
        stroke = stroke[keep]
    return np.asarray(stroke, np.float32)


def based(strokes: Strokes) -> list[Stroke] | None:
    """The strokes 1 high, standing on y = 0, from x = 0 on; None for what is too flat to be a digit."""
    every = np.concatenate(list(strokes))
    lower, upper = every.min(axis=0), every.max(axis=0)
    height = float(upper[1] - lower[1])
    if height <= 0 or (upper[0] - lower[0]) > 2.2 * height:
        return None
    return [np.asarray((stroke - (lower[0], upper[1])) / height, np.float32) for stroke in strokes]


def render(strokes: Strokes, height_px: float, pen: Pen, width_px: float) -> tuple[Pixels, int, int] | None:
    """Strokes of height 1 drawn `height_px` high with a line of `width_px`: a mask, and where it lies.

    The mask is uint8, 255 full ink; its left and top are relative to the point x = 0, y = 0 of the strokes. None
    for what is empty or too large.
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
