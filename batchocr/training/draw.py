"""Writing drawn anew: another slant, turn and size, other proportions, bends and pens."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Ink = NDArray[np.float32]
"""(height, width): 0 paper to 1 full ink, its sides touching the ink."""

VISIBLE = 0.3
"""Ink from which a pixel counts as written on."""
ROTATION, SHEAR, STRETCH = 11.0, 0.35, 0.2
"""Degrees, share and share by which a piece of writing is turned, slanted and squeezed at most."""
WAVE = 0.045
"""Share of the height by which strokes are bent (elastic distortion; Simard, Steinkraus, Platt, 2003)."""
EDGE = 0.44
"""Of a blurred stroke's ink, where its edge is laid: what is broader is written with a broader pen."""


def draw(picture: Pixels, height: float, rng: np.random.Generator, wild: float = 1.0) -> Ink:
    """A piece of writing (h, w), ink 255 on 0, drawn anew about `height` pixels high.

    Slant, turn, proportions, bends and pen width are drawn from `rng`, and are the further from the picture's own
    the nearer `wild` is to 1. The picture may be as small as its maker had it: 16 pixels high, grey or of two tones.
    """
    left, top, wide, tall = cv2.boundingRect((picture > 255 * VISIBLE).astype(np.uint8))
    scale = height / max(1, tall, wide / 3)
    side = np.array([max(wide * scale, height), height]) * 1.4 + 0.5 * height
    columns, rows = (int(s) for s in side)
    angle = wild * np.deg2rad(np.clip(rng.normal(0, ROTATION / 2), -ROTATION, ROTATION))
    shear = wild * np.clip(rng.normal(0, SHEAR / 2), -SHEAR, SHEAR)
    across = scale * np.exp(wild * rng.uniform(-STRETCH, STRETCH))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    back = np.linalg.inv(turn @ np.array([[across, shear * across], [0, scale]]))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) - (np.array([columns, rows]) - 1) / 2
    source = grid @ back.T + (left + (wide - 1) / 2, top + (tall - 1) / 2)
    bend = (wild * rng.normal(0, WAVE * tall, (4, 4, 2))).astype(np.float32)
    source = source + cv2.resize(bend, (columns, rows), interpolation=cv2.INTER_CUBIC)
    ink = picture.astype(np.float32) / 255
    drawn = cv2.remap(ink, source.astype(np.float32), None, cv2.INTER_CUBIC)
    drawn = cv2.GaussianBlur(drawn, (0, 0), max(0.3, 0.45 * scale))
    # where the edge of a blurred stroke is laid sets the pen's width
    edge = EDGE + wild * rng.uniform(-0.19, 0.18)
    soft = min(edge, rng.uniform(0.05, 0.3))
    drawn = np.clip((drawn - edge + soft) / (2 * soft), 0, 1)
    return tight(_pen(drawn, height, rng) if rng.random() < wild else drawn)


def _pen(drawn: Ink, height: float, rng: np.random.Generator) -> Ink:
    """The same with a broader or a finer pen."""
    pen = int(rng.integers(-2, 3) if height > 34 else rng.integers(0, 2))
    if not pen:
        return drawn
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(pen) + 1, abs(pen) + 1))
    changed = cv2.dilate(drawn, kernel) if pen > 0 else cv2.erode(drawn, kernel)
    return np.asarray(changed, np.float32)


def tight(drawn: Ink) -> Ink:
    """The part that is written on; (0, 0) where there is none."""
    left, top, width, height = cv2.boundingRect((drawn > VISIBLE).astype(np.uint8))
    return drawn[top : top + height, left : left + width]
