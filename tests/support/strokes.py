"""Digits drawn with a few straight strokes, for tests that need digits but no real handwriting."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from batchocr.records import Crops, Pixels
from batchocr.training.synthesis.digit_forms import PLAIN_FORMS, parse_strokes

STROKES: dict[int, list[tuple[float, float]]] = {
    digit: [(float(x), float(y)) for x, y in parse_strokes(text)[0][0]] for digit, text in enumerate(PLAIN_FORMS)
}
"""Path of the pen for each digit, in a square from 0 to 1; y points down."""

FINE = 16
"""Subpixel steps of OpenCV's drawing functions."""


def write(pixels: Pixels, digit: int, left: float, top: float, height: float, pen: int = 3, ink: int = 30) -> None:
    """Draw a digit `height` pixels high and 0.6 times as wide, with its top left corner at `left`, `top`."""
    path = np.array(STROKES[digit]) * (0.6 * height, height) + (left, top)
    points = np.rint(path * FINE).astype(np.int32)
    cv2.polylines(pixels, [points], False, ink, pen, cv2.LINE_AA, FINE.bit_length() - 1)


def page(rows: list[str], height: int = 48, width: int = 900) -> Pixels:
    """Draw white paper with a line of digits for each of `rows`; spaces separate the numbers."""
    pixels = np.full((max(120, 3 * height * (len(rows) + 1)), width), 250, np.uint8)
    for line, row in enumerate(rows):
        for place, character in enumerate(row):
            if character != " ":
                write(pixels, int(character), 60 + place * height * 0.9, (3 * line + 1.5) * height, height, 4)
    return pixels


def save(path: Path, pixels: Pixels) -> Path:
    """Write an image in the format of the path's suffix, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


def crops(labels: list[int], seed: int = 0) -> Crops:
    """Draw crops (n, 28, 28) as in MNIST, each with a random pen width and a small random shift."""
    rng = np.random.default_rng(seed)
    images = np.zeros((len(labels), 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        dx, dy, height = rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(18, 20)
        write(image, label, 14 - 0.3 * height + dx, 14 - height / 2 + dy, height, int(rng.integers(2, 4)), 255)
    return images
